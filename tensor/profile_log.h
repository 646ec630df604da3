// What profilers are told. Each thread writes a log of its own: a tree of what ran inside what, with calls and time,
// bounded by the program's structure and not by its length; beside it the first million spans and blocks of memory,
// one by one, for traces and the memory's timeline.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "roofline.h"
#include "scope.h"

namespace weft::detail {

enum class ProfileKind : std::uint8_t { scope, gradient, phase, op, kernel };

/// What a span stands for.
struct ProfileItem {
  ProfileKind kind = ProfileKind::phase;
  std::string name;
  std::string detail = {};           // operand types
  std::vector<Origin> origins = {};  // one; of a fused kernel those of its nodes
  double flops = 0;                  // floating-point operations, an fma being two
  Arithmetic arithmetic = {};        // the same as the machine issues it; an f64 counts as two f32
  double bytes = 0;                  // read and written at least
};

/// A place in the tree. Written by its thread alone.
struct ProfileNode {
  ProfileNode(ProfileNode* around, std::uint64_t its_key, std::uint32_t number, ProfileItem what)
      : parent(around), key(its_key), index(number), item(std::make_shared<const ProfileItem>(std::move(what))) {}

  ProfileNode* const parent;  // null: the thread
  const std::uint64_t key;
  const std::uint32_t index;
  const std::shared_ptr<const ProfileItem> item;
  std::atomic<std::uint32_t> version{0};                   // odd while the three below change
  std::atomic<std::int64_t> calls{0}, ticks{0}, begun{0};  // begun: the tick when it began; 0 if it is not running
  ProfileNode* last = nullptr;                             // of its children, the one that ran last
  ProfileNode* after = nullptr;  // of its siblings, the one that ran after it the last time: a loop is no search
};

inline constexpr std::size_t profile_chunk_bytes = std::size_t{2} << 20;
/// So many bytes, on a huge page if the system has one; std::bad_alloc if it has none at all.
void* profile_chunk();

/// A list that one thread writes and others may read up to size(). Its chunks are huge pages: a fault for every 4 KiB
/// would cost each small op as much as the clock does.
template <class T> class ProfileRecord {
 public:
  static constexpr std::size_t limit = 1'000'000;

  void push(const T& t, std::mutex& mutex) {
    const std::size_t n = size_.load(std::memory_order_relaxed);
    if (n >= limit) return dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (n % chunk == 0) {
      const std::lock_guard lock(mutex);
      chunks_.emplace_back(static_cast<T*>(profile_chunk()));
    }
    chunks_.back().get()[n % chunk] = t;
    size_.store(n + 1, std::memory_order_release);
  }
  std::size_t size() const { return size_.load(std::memory_order_acquire); }
  std::size_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  const T& operator[](std::size_t i) const {
    return chunks_[i / chunk].get()[i % chunk];
  }  // the reader holds the mutex
  void clear() {
    chunks_.clear();
    size_ = dropped_ = 0;
  }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  static constexpr std::size_t chunk = profile_chunk_bytes / sizeof(T);
  std::vector<std::unique_ptr<T, Free>> chunks_;
  std::atomic<std::size_t> size_{0}, dropped_{0};
};

struct ProfileEvent {
  const ProfileNode* node;
  std::int64_t begin, end;  // ticks
};

struct MemoryEvent {
  const void* block;
  std::int64_t bytes;       // freed: negative
  const ProfileNode* node;  // in which it was; null: in none
  std::int64_t tick;        // of a small block of a lone thread: the last one that was read before
};

class ProfileLog {
 public:
  /// The calling thread's in the running session; null while there is none and at the thread's end.
  static ProfileLog* mine();

  ProfileNode* enter(std::uint64_t key, ProfileItem (*describe)(const void*), const void* context);
  void leave(ProfileNode* node);
  void block(const void* block, std::int64_t bytes);

  // For readers, who hold `mutex` where they look into nodes and records.
  mutable std::mutex mutex;
  std::deque<ProfileNode> nodes;
  ProfileRecord<ProfileEvent> events;
  ProfileRecord<MemoryEvent> memory;
  std::atomic<std::uint32_t> session{0};
  std::atomic<bool> ended{false};  // its thread has
  int number = 0;

 private:
  void restart(std::uint32_t now);
  ProfileNode* search(std::uint64_t key, ProfileItem (*describe)(const void*), const void* context);

  ProfileNode* current_ = nullptr;
  ProfileNode* last_ = nullptr;  // of those within none
  std::int64_t tick_ = 0;        // read last
  std::unordered_map<std::uint64_t, ProfileNode*> by_key_;
};

/// From the first profiler's start to the last one's end; its logs begin empty. 0: none runs.
std::uint32_t begin_session();
void end_session();
/// Calls visit(log) for each log of the session, none of which goes meanwhile.
void each_log(std::uint32_t session, const std::function<void(const ProfileLog&)>& visit);

/// The processor's time stamp: it runs at one speed on all cores.
inline std::int64_t profile_ticks() { return static_cast<std::int64_t>(__builtin_ia32_rdtsc()); }
double nanoseconds_per_tick();

/// The line of the user's call that runs, as a part of a span's key: a trace shows which it was.
std::uint64_t line_key();

/// The span of a part of the machinery: "trace", "codegen".
class ProfilePhase {
 public:
  explicit ProfilePhase(const char* name) {
    if (profiled()) begin(name);
  }

 private:
  void begin(const char* name);
  ProfileSpan span_;
};

/// Begins the profile that WEFT_PROFILE asks for; true if it does.
bool profile_program();

/// A block was allocated (bytes > 0) or freed.
void profile_block(const void* block, std::int64_t bytes);

}  // namespace weft::detail
