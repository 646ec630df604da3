#include "arenas.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace weft {
namespace {

struct Kept {
  const void* owner;
  Storage arena;
};

std::mutex mutex;
std::vector<Kept>& all() {
  static auto* kept = new std::vector<Kept>;  // outlives every static function; the last kept are at the end
  return *kept;
}

}  // namespace

void detail::keep_arena(const void* owner, Storage arena) {
  std::vector<Storage> freed;  // without the lock
  const std::lock_guard lock(mutex);
  all().push_back({owner, std::move(arena)});
  std::size_t sum = 0, largest = 0;
  for (const Kept& k : all()) sum += k.arena.bytes(), largest = std::max(largest, k.arena.bytes());
  std::size_t first = 0;
  for (; sum > 2 * largest + (64 << 20); ++first) {
    sum -= all()[first].arena.bytes();
    freed.push_back(std::move(all()[first].arena));
  }
  all().erase(all().begin(), all().begin() + static_cast<std::ptrdiff_t>(first));
}

Storage detail::take_arena(const void* owner) {
  const std::lock_guard lock(mutex);
  const auto at = std::ranges::find(all(), owner, &Kept::owner);
  if (at == all().end()) return {};
  Storage arena = std::move(at->arena);
  all().erase(at);
  return arena;
}

}  // namespace weft
