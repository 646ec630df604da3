// Memory: 64-byte-aligned, reference-counted blocks from a caching allocator.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weft {

/// What the allocator has done since the process began.
struct MemoryStats {
  std::int64_t live_blocks, live_bytes, peak_bytes, allocations, system_allocations;
};
MemoryStats memory_stats();
/// Sets peak_bytes to live_bytes.
void reset_peak_memory();
/// Gives the freed blocks that this thread and the shared pool keep back to the system.
void release_cached_memory();

namespace detail {
/// At least `bytes` bytes, aligned to 64; OutOfMemory if the system has none. `capacity` is what was really given.
void* allocate(std::size_t bytes, std::size_t& capacity);
void deallocate(void* p, std::size_t capacity);
}  // namespace detail

/// A shared block of memory.
class Storage {
 public:
  Storage() = default;
  /// A new block of `bytes` bytes, contents undefined.
  static Storage allocate(std::size_t bytes);

  Storage(const Storage& o) : block_(o.block_) {
    if (block_) block_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Storage(Storage&& o) noexcept : block_(std::exchange(o.block_, nullptr)) {}
  Storage& operator=(Storage o) noexcept {
    std::swap(block_, o.block_);
    return *this;
  }
  ~Storage() {
    if (block_ && block_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) release(block_);
  }

  explicit operator bool() const { return block_; }
  std::byte* data() const { return block_ ? reinterpret_cast<std::byte*>(block_) + 64 : nullptr; }
  std::size_t bytes() const { return block_ ? block_->bytes : 0; }
  /// True if this is the only handle.
  bool unique() const { return block_ && block_->refs.load(std::memory_order_acquire) == 1; }
  bool operator==(const Storage&) const = default;

 private:
  struct alignas(64) Block {
    std::atomic<std::int64_t> refs;
    std::size_t bytes, capacity;
  };
  static void release(Block* block);
  Block* block_ = nullptr;
};

}  // namespace weft
