#include "counters.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

namespace weft::detail {
namespace {

using Count = std::atomic<std::int64_t>;

// Written by its thread alone, read by any.
struct Slot {
  Count tensors{0}, blocks{0}, allocations{0};
  Count bytes{0}, most{0};  // since they were last added to the sum; the most they have been since
};

// What threads that have ended counted, and the bytes that slots have handed on.
struct Sums {
  Count tensors{0}, blocks{0}, allocations{0}, bytes{0}, peak{0};
  std::mutex mutex;  // of slots
  std::vector<Slot*> slots;
};
Sums& sums() {
  static Sums& s = *new Sums;  // outlives every static tensor
  return s;
}

constexpr std::int64_t flush_at = 64 << 10;  // bytes

void add(Count& c, std::int64_t n) { c.store(c.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
void raise(Count& c, std::int64_t n) {
  std::int64_t old = c.load(std::memory_order_relaxed);
  while (n > old && !c.compare_exchange_weak(old, n, std::memory_order_relaxed)) {}
}

void flush_bytes(Slot& s) {
  Sums& all = sums();
  const std::int64_t change = s.bytes.load(std::memory_order_relaxed), most = s.most.load(std::memory_order_relaxed);
  raise(all.peak, all.bytes.fetch_add(change, std::memory_order_relaxed) + most);
  s.bytes.store(0, std::memory_order_relaxed);
  s.most.store(0, std::memory_order_relaxed);
}

// The thread's slot. At its end it is added to the sums; later still (static destructors) the thread counts there.
thread_local Slot* mine = nullptr;
thread_local bool ended = false;
struct Member {
  Slot slot;
  Member() {
    const std::lock_guard lock(sums().mutex);
    sums().slots.push_back(&slot);
  }
  ~Member() {
    Sums& all = sums();
    const std::lock_guard lock(all.mutex);
    mine = nullptr;
    ended = true;
    flush_bytes(slot);
    all.tensors += slot.tensors;
    all.blocks += slot.blocks;
    all.allocations += slot.allocations;
    std::erase(all.slots, &slot);
  }
};

[[gnu::noinline]] Slot* join() {
  if (ended) return nullptr;
  thread_local Member member;
  return mine = &member.slot;
}
Slot* slot() { return mine ? mine : join(); }

}  // namespace

Counts counts() {
  Sums& all = sums();
  const std::lock_guard lock(all.mutex);
  Counts c{all.tensors, all.blocks, all.allocations, all.bytes, 0};
  std::int64_t most = all.bytes;
  for (const Slot* s : all.slots) {
    c.tensors += s->tensors;
    c.blocks += s->blocks;
    c.allocations += s->allocations;
    c.bytes += s->bytes;
    most += s->most;
  }
  c.peak_bytes = std::max<std::int64_t>(all.peak, most);
  return c;
}

void reset_peak() {
  Sums& all = sums();
  const std::lock_guard lock(all.mutex);
  for (Slot* s : all.slots) s->most.store(s->bytes);
  std::int64_t bytes = all.bytes;
  for (const Slot* s : all.slots) bytes += s->bytes;
  all.peak = bytes;
}

void count_tensor(int change) {
  if (Slot* s = slot())
    add(s->tensors, change);
  else
    sums().tensors += change;
}

void count_block(int change, std::size_t size) {
  const std::int64_t bytes = change * static_cast<std::int64_t>(size);
  Slot* s = slot();
  if (!s) {
    Sums& all = sums();
    all.blocks += change;
    all.allocations += change > 0;
    raise(all.peak, all.bytes += bytes);
    return;
  }
  add(s->blocks, change);
  if (change > 0) add(s->allocations, 1);
  const std::int64_t now = s->bytes.load(std::memory_order_relaxed) + bytes;
  s->bytes.store(now, std::memory_order_relaxed);
  if (now > s->most.load(std::memory_order_relaxed)) s->most.store(now, std::memory_order_relaxed);
  if (now >= flush_at || now <= -flush_at) flush_bytes(*s);
}

}  // namespace weft::detail
