// Scopes: the named surroundings of what runs, modules and gradients of ops. A profile and a compiled function's graph
// remember them; while there is neither a profiler nor a trace, nobody keeps them.
#pragma once

#include <atomic>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace weft {

/// A name within others. Each path of names exists once and lives as long as the process.
struct Scope {
  const Scope* outer;
  std::string name;
  bool gradient;  ///< of the op `name`

  /// The modules, outermost first: "block 1/fc1"; empty if there is none.
  std::string modules() const;
  /// The op whose gradient this is in; empty if it is in none.
  std::string_view gradient_of() const;
};

/// A line, the scope that was open there, and the public function that was called, where it is one over other ops.
struct Origin : std::source_location {
  const Scope* scope = nullptr;
  const char* function = nullptr;  // a literal

  Origin() = default;
  Origin(const std::source_location& site, const Scope* in = nullptr, const char* called = nullptr)
      : std::source_location(site), scope(in), function(called) {}
};

namespace detail {

/// Who keeps scopes: each trace counts 1, each profiler `one_profiler`.
inline std::atomic<std::uint32_t> watchers{0};
inline constexpr std::uint32_t one_profiler = 1 << 16;
inline bool watched() { return watchers.load(std::memory_order_relaxed) != 0; }
inline bool profiled() { return watchers.load(std::memory_order_relaxed) >= one_profiler; }

/// The calling thread's.
inline thread_local const Scope* current_scope = nullptr;
const Scope* inner_scope(const Scope* outer, std::string_view name, bool gradient);
/// `scope`, which began at the outermost, within another.
const Scope* within(const Scope* outer, const Scope* scope);

class ProfileLog;
struct ProfileNode;
struct ProfileItem;

/// A span of the calling thread's time in the running profiles, if begin() was called. Spans nest.
class ProfileSpan {
 public:
  ProfileSpan() = default;
  ProfileSpan(const ProfileSpan&) = delete;
  ~ProfileSpan() {
    if (node_) end();
  }
  /// `key` says what it is among the spans of the one around it; describe(context) is asked the first time.
  void begin(std::uint64_t key, ProfileItem (*describe)(const void*), const void* context);

 private:
  void end();
  ProfileNode* node_ = nullptr;
  ProfileLog* log_ = nullptr;
  std::uint32_t session_ = 0;
};

}  // namespace detail

/// While it lives, what runs on this thread is in the scope `name`, inside those around it.
///
///     Tensor operator()(const Tensor& x) const { ProfileScope scope("block"); return fc2(relu(fc1(x))); }
class ProfileScope {
 public:
  explicit ProfileScope(std::string_view name) : ProfileScope(name, false, true) {}
  ~ProfileScope() {
    if (entered_) detail::current_scope = outer_;
  }
  ProfileScope(const ProfileScope&) = delete;

 protected:
  ProfileScope(std::string_view name, bool gradient, bool timed) {
    if (detail::watched()) enter(name, gradient, timed);
  }

 private:
  void enter(std::string_view name, bool gradient, bool timed);
  const Scope* outer_ = nullptr;
  bool entered_ = false;
  detail::ProfileSpan span_;
};

namespace detail {
/// The scope of an op's gradient rule; `timed`: not where the rule is traced only.
struct GradientScope : ProfileScope {
  GradientScope(std::string_view op, bool timed) : ProfileScope(op, true, timed) {}
};
}  // namespace detail

}  // namespace weft
