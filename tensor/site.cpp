#include "site.h"

namespace weft {
namespace {

struct State {
  Site site;
  bool in_call = false;
};
thread_local State state;

}  // namespace

SiteScope::SiteScope(const Site& site) : outermost_(!state.in_call) {
  if (!outermost_) return;
  state.in_call = true;
  state.site = site;
}

SiteScope::~SiteScope() {
  if (!outermost_) return;
  state.in_call = false;
  state.site = {};
}

ReplayedSite::ReplayedSite(const Origin& origin) : previous_(SiteScope::origin()), was_in_call_(state.in_call) {
  if (origin.line()) state = {origin, true};
  if (origin.scope) detail::current_scope = origin.scope;
}

ReplayedSite::~ReplayedSite() {
  state = {previous_, was_in_call_};
  detail::current_scope = previous_.scope;
}

const Site& SiteScope::current() { return state.site; }

}  // namespace weft
