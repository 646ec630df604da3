// Primitives, built once for a geometry and kept. All threads share one, because its scratchpad is the caller's; each
// has memory objects of its own, whose handles a call sets.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compat.h"
#include "conv_weight.h"

namespace weft::onednn {

struct Built {
  dnnl::primitive primitive;
  std::vector<std::pair<int, dnnl::memory::desc>> operands;  // DNNL_ARG_SRC, ...: in the order of Bound::run's pointers
  dnnl::memory::desc scratchpad;
  bool of_loops = false;                                   // of a convolution: has_loops()
  std::optional<WeightOrder> weight_order = std::nullopt;  // of a convolution: how its weight lies
};

/// A primitive with the calling thread's memory objects.
class Bound {
 public:
  explicit Bound(std::shared_ptr<const Built> built);
  const Built& built() const { return *built_; }
  /// Runs it on one thread. Throws dnnl::error, std::bad_alloc.
  void run(std::span<const void* const> data);

 private:
  std::shared_ptr<const Built> built_;
  std::vector<dnnl::memory> memories_;  // the last one the scratchpad
  std::vector<dnnl_exec_arg_t> args_;
  std::size_t scratch_size_;
};

/// Attributes of a primitive whose scratchpad the caller brings.
dnnl::primitive_attr own_scratchpad();

// Past this many geometries a table is emptied: a program that sees ever new shapes must not grow for ever.
inline constexpr std::size_t most_kept = 4096;

/// The primitive of a geometry, `build`ed at the first call in the process (about 0.2 ms). In front of the thread's own
/// table is a direct-mapped one: a lookup is a hash, an index and a comparison. The next call may end a reference.
template <class Key, class Hash> Bound& find(const Key& key, Built (*build)(const Key&)) {
  struct Entry {
    Key key;
    Bound bound;
  };
  thread_local std::unordered_map<Key, std::unique_ptr<Entry>, Hash> table;
  thread_local Entry* recent[256];
  const std::size_t hash = Hash{}(key);
  Entry*& slot = recent[hash >> 56];
  if (slot && slot->key == key) return slot->bound;
  if (table.size() >= most_kept) {
    table.clear();
    for (Entry*& r : recent) r = nullptr;
  }
  auto& kept = table[key];
  if (!kept) {
    static auto& mutex = *new std::mutex;
    static auto& shared = *new std::unordered_map<Key, std::shared_ptr<const Built>, Hash>;
    const std::lock_guard lock(mutex);
    if (shared.size() >= most_kept) shared.clear();
    auto& built = shared[key];
    if (!built) built = std::make_shared<const Built>(build(key));
    kept = std::make_unique<Entry>(Entry{key, Bound(built)});
  }
  return (slot = kept.get())->bound;
}

}  // namespace weft::onednn
