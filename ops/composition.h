// How the public side of a composition of several operands begins: the line, undefined operands, and whose error it is.
#pragma once

#include <initializer_list>
#include <string_view>

#include "../tensor/site.h"
#include "arg.h"

namespace weft::detail {

/// An operand of a public function, and what messages call it.
struct Operand {
  const char* role;
  const Arg& arg;
};

/// ArgumentError if one is undefined.
void check_defined(std::initializer_list<Operand> operands);
/// Puts the function's name and operands in place of those of the op inside it that threw.
[[gnu::cold]] void relocate(Error& e, std::string_view name, std::initializer_list<Operand> operands);

/// Runs the body of the public function `name`, a literal, of these operands: an error that leaves it names them, and the line.
template <class F> auto composed(const char* name, std::initializer_list<Operand> operands, F&& body) {
  const SiteScope scope(operands.begin()->arg.site(), name);
  try {
    check_defined(operands);
    return body();
  } catch (Error& e) {
    relocate(e, name, operands);
    throw;
  }
}

}  // namespace weft::detail
