#include "site.h"

namespace weft {
namespace {

struct State {
  Site site;
  bool in_call = false;
  const char* function = nullptr;
};
thread_local State state;

}  // namespace

SiteScope::SiteScope(const Site& site, const char* function)
    : outermost_(!state.in_call), names_(function && !state.function) {
  if (names_) state.function = function;
  if (!outermost_) return;
  state.in_call = true;
  state.site = site;
}

SiteScope::~SiteScope() {
  if (names_) state.function = nullptr;
  if (!outermost_) return;
  state.in_call = false;
  state.site = {};
}

ReplayedSite::ReplayedSite(const Origin& origin) : previous_(SiteScope::origin()), was_in_call_(state.in_call) {
  if (origin.line()) state = {origin, true, origin.function};
  if (origin.scope) detail::current_scope = origin.scope;
}

ReplayedSite::~ReplayedSite() {
  state = {previous_, was_in_call_, previous_.function};
  detail::current_scope = previous_.scope;
}

const Site& SiteScope::current() { return state.site; }

Origin SiteScope::origin() { return {state.site, detail::current_scope, state.function}; }

std::string at_line(const Site& site) {
  const std::string line = site_text(site);
  return line.empty() ? line : " at " + line;
}

}  // namespace weft
