// How the public side of a composition begins: the line, undefined operands, and whose error it is.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../tensor/site.h"
#include "apply.h"
#include "arg.h"

namespace weft {

/// How a message shows an operand as it was given: `rhs  literal 2`.
std::string describe_operand(std::string_view role, const Arg& arg);

namespace detail {

/// An operand of a public function, and what messages call it.
struct Operand {
  const char* role;
  const Arg& arg;
};

/// ArgumentError if one is undefined.
void check_defined(std::initializer_list<Operand> operands);
[[gnu::cold]] std::vector<std::string> describe(std::initializer_list<Operand> operands);
/// The first `most` of a list: in0, in1, ...
[[gnu::cold]] std::vector<std::string> describe(std::span<const Tensor> list, std::size_t most);

/// Runs the body of the public function `name`, a literal: an error that leaves it says the name, the line, and the
/// operands, which shown() describes only then, in place of those of the op inside that threw.
template <class Shown, class F> auto named(const char* name, const Site& site, Shown&& shown, F&& body) {
  const SiteScope scope(site, name);
  try {
    return body();
  } catch (Error& e) {
    e.relocate(name, shown(), site_text(SiteScope::current()));
    throw;
  }
}

/// The same of these operands, which have to be defined; the line is the first one's.
template <class F> auto composed(const char* name, std::initializer_list<Operand> operands, F&& body) {
  return named(
      name, operands.begin()->arg.site(), [&] { return describe(operands); },
      [&] {
        check_defined(operands);
        return body();
      });
}

/// Which of an operand's axes that is; IndexError under the function's name.
int axis_of(const char* name, const Operand& operand, std::int64_t axis);

}  // namespace detail
}  // namespace weft
