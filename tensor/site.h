// Where the user called: the line that a message names.
#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.h"
#include "scope.h"

namespace weft {

/// The last parameter of a public function that takes no Arg: `Site site = Site::current()`.
using Site = std::source_location;

/// The line of the outermost public call of this thread, and the outermost function that says its name, a literal. A
/// scope inside another changes nothing else.
class SiteScope {
 public:
  explicit SiteScope(const Site& site, const char* function = nullptr);
  ~SiteScope();
  SiteScope(const SiteScope&) = delete;
  static const Site& current();
  /// The same, with the scope that is open.
  static Origin origin();

 private:
  bool outermost_, names_;
};

/// " at examples/mlp.cpp:41", or nothing where that line is not known.
std::string at_line(const Site& site = SiteScope::current());

/// The line of an op that is applied again, in a replay or a gradient: it holds also inside the call that does so. A
/// line or a scope that is not known changes nothing.
class ReplayedSite {
 public:
  explicit ReplayedSite(const Origin& origin);
  ~ReplayedSite();
  ReplayedSite(const ReplayedSite&) = delete;

 private:
  Origin previous_;
  bool was_in_call_;
};

namespace detail {
/// Runs the body of the public function `name`, called at `site`: an error that leaves it says both, if it did not yet.
template <class F> decltype(auto) called(std::string_view name, const Site& site, F&& body) {
  const SiteScope scope(site);
  try {
    return body();
  } catch (Error& e) {
    e.locate(name, {}, site_text(SiteScope::current()));
    throw;
  }
}

/// Throws an error of the public function `name`, which shows these operands and the line.
template <class E> [[noreturn]] void fail_in(std::string_view name, E error, std::vector<std::string> operands = {}) {
  error.locate(name, std::move(operands), site_text(SiteScope::current()));
  throw error;
}
}  // namespace detail

}  // namespace weft
