#include "storage.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "counters.h"
#include "error.h"
#include "profile_log.h"

namespace weft {
namespace {

std::atomic<std::int64_t> system_allocations{0};

// Size classes: four to a power of two from 128 bytes on, so that at most a quarter of a block is wasted.
constexpr int classes = 4 * 40;
int class_of(std::size_t bytes) {
  if (bytes <= 128) return 0;
  const int top = std::bit_width(bytes - 1) - 1;  // 2^top <= bytes - 1 < 2^(top + 1)
  return (top - 7) * 4 + static_cast<int>(((bytes - 1) >> (top - 2)) & 3) + 1;
}
std::size_t size_of_class(int c) {
  if (c == 0) return 128;
  const int top = (c - 1) / 4 + 7;
  return (std::size_t{1} << top) + (static_cast<std::size_t>((c - 1) % 4 + 1) << (top - 2));
}

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t thread_limit = 64 << 10;  // blocks up to this size are kept by the thread that freed them

std::size_t physical_memory() {
  static const std::size_t bytes =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

struct Pool {
  std::array<std::vector<void*>, classes> free;
  std::size_t bytes = 0;
  void put(int c, void* p) {
    free[c].push_back(p);
    bytes += size_of_class(c);
  }
  void* take(int c) {
    if (free[c].empty()) return nullptr;
    void* p = free[c].back();
    free[c].pop_back();
    bytes -= size_of_class(c);
    return p;
  }
  /// Gives blocks back to the system until at most so many bytes are left, the largest first.
  void shrink(std::size_t most) {
    for (int c = classes; c-- > 0 && bytes > most;)
      while (bytes > most && !free[c].empty()) std::free(take(c));
  }
  void clear() {
    shrink(0);
    for (auto& list : free) list.shrink_to_fit();
  }
};

std::mutex shared_mutex;
Pool& shared_pool() {
  static Pool* pool = new Pool;  // outlives every static tensor
  return *pool;
}

// A thread's own pool; when the thread ends its blocks go to the shared one. After that (static destructors) it is
// gone.
struct ThreadPool {
  Pool pool;
  ~ThreadPool();
};
thread_local bool thread_pool_gone = false;
thread_local ThreadPool thread_pool;
ThreadPool::~ThreadPool() {
  thread_pool_gone = true;
  const std::lock_guard lock(shared_mutex);
  for (int c = 0; c < classes; ++c)
    while (void* p = pool.take(c)) shared_pool().put(c, p);
}

/// Before the system gives so many bytes more, so much of what is free goes back that all together is about twice what
/// was ever in use (and 256 MB): a program of ever new sizes would keep blocks of each.
void make_room(std::size_t size) {
  const detail::Counts c = detail::counts();
  const auto used = static_cast<std::size_t>(c.bytes) + size,
             most = 2 * std::max(used, static_cast<std::size_t>(c.peak_bytes)) + (256 << 20);
  const std::lock_guard lock(shared_mutex);
  shared_pool().shrink(most - used);
}

void* from_system(std::size_t size) {
  system_allocations.fetch_add(1, std::memory_order_relaxed);
  if (size > physical_memory()) return nullptr;  // where the kernel overcommits, touching it would kill the process
  if (size < huge_page) return std::aligned_alloc(64, (size + 63) / 64 * 64);  // a multiple, or it is undefined
  size = (size + huge_page - 1) / huge_page * huge_page;
  void* p = std::aligned_alloc(huge_page, size);
  if (p) madvise(p, size, MADV_HUGEPAGE);
  return p;
}

}  // namespace

MemoryStats memory_stats() {
  const detail::Counts c = detail::counts();
  return {c.blocks, c.bytes, c.peak_bytes, c.allocations, system_allocations};
}

void reset_peak_memory() { detail::reset_peak(); }

void release_cached_memory() {
  if (!thread_pool_gone) thread_pool.pool.clear();
  const std::lock_guard lock(shared_mutex);
  shared_pool().clear();
}

void* detail::allocate(std::size_t bytes, std::size_t& capacity) {
  if (bytes > physical_memory())
    throw OutOfMemory(fmt::format("{} bytes asked for, the machine has {}", bytes, physical_memory()));
  const int c = class_of(bytes);
  capacity = size_of_class(c);
  void* p = nullptr;
  if (capacity <= thread_limit && !thread_pool_gone) p = thread_pool.pool.take(c);
  if (!p) {
    const std::lock_guard lock(shared_mutex);
    p = shared_pool().take(c);
  }
  if (!p) {
    if (capacity > thread_limit) make_room(capacity);
    p = from_system(capacity);
  }
  if (!p) {
    release_cached_memory();
    p = from_system(capacity);
  }
  if (!p) throw OutOfMemory(fmt::format("the system gave no {} bytes", bytes));
  return p;
}

void detail::deallocate(void* p, std::size_t capacity) {
  const int c = class_of(capacity);
  if (capacity <= thread_limit && !thread_pool_gone) {
    thread_pool.pool.put(c, p);
    return;
  }
  const std::lock_guard lock(shared_mutex);
  shared_pool().put(c, p);
}

Storage Storage::allocate(std::size_t bytes) {
  std::size_t capacity;
  void* p = detail::allocate(bytes + sizeof(Block), capacity);
  Storage s;
  s.block_ = new (p) Block{{1}, bytes, capacity};
  detail::count_block(1, bytes);
  if (detail::profiled()) detail::profile_block(s.block_, static_cast<std::int64_t>(bytes));
  return s;
}

void Storage::release(Block* block) {
  detail::count_block(-1, block->bytes);
  if (detail::profiled()) detail::profile_block(block, -static_cast<std::int64_t>(block->bytes));
  detail::deallocate(block, block->capacity);
}

}  // namespace weft
