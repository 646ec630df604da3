#include "scope.h"

#include <map>
#include <mutex>
#include <tuple>

#include "profile_log.h"
#include "site.h"

namespace weft {

std::string Scope::modules() const {
  const std::string before = outer ? outer->modules() : "";
  if (gradient) return before;
  return before.empty() ? name : before + "/" + name;
}

std::string_view Scope::gradient_of() const {
  for (const Scope* s = this; s; s = s->outer)
    if (s->gradient) return s->name;
  return {};
}

const Scope* detail::inner_scope(const Scope* outer, std::string_view name, bool gradient) {
  // A thread meets the same few again and again.
  struct Recent {
    const Scope* outer = nullptr;
    const Scope* scope = nullptr;
  };
  thread_local Recent recent[64];
  const std::uint64_t mixed =
      (reinterpret_cast<std::uintptr_t>(outer) ^ reinterpret_cast<std::uintptr_t>(name.data())) * 0x9E3779B97F4A7C15u;
  Recent& r = recent[mixed >> 58];
  if (r.scope && r.outer == outer && r.scope->gradient == gradient && r.scope->name == name) return r.scope;

  static std::mutex mutex;
  static auto& scopes = *new std::map<std::tuple<const Scope*, bool, std::string>, Scope>;
  const std::lock_guard lock(mutex);
  const auto [at, made] =
      scopes.try_emplace({outer, gradient, std::string(name)}, Scope{outer, std::string(name), gradient});
  r = {outer, &at->second};
  return r.scope;
}

const Scope* detail::within(const Scope* outer, const Scope* scope) {
  return scope ? inner_scope(within(outer, scope->outer), scope->name, scope->gradient) : outer;
}

void ProfileScope::enter(std::string_view name, bool gradient, bool timed) {
  outer_ = detail::current_scope;
  detail::current_scope = detail::inner_scope(outer_, name, gradient);
  entered_ = true;
  if (!timed || !detail::profiled()) return;
  std::uint64_t key = reinterpret_cast<std::uintptr_t>(detail::current_scope);
  if (gradient) key ^= detail::line_key();  // of an op at one line
  span_.begin(
      key,
      [](const void* scope) {
        const auto& s = *static_cast<const Scope*>(scope);
        return detail::ProfileItem{
            s.gradient ? detail::ProfileKind::gradient : detail::ProfileKind::scope, s.name, "", {SiteScope::origin()}};
      },
      detail::current_scope);
}

}  // namespace weft
