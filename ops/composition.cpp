#include "composition.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "apply.h"

namespace weft::detail {

void check_defined(std::initializer_list<Operand> operands) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Arg& a = operands.begin()[i].arg;
    if (!a.is_number() && !a.given().defined())
      throw ArgumentError(fmt::format("operand {} is undefined", i),
                          "a gradient that does not exist is an undefined tensor; Unconnected::zero gives zeros");
  }
}

void relocate(Error& e, std::string_view name, std::initializer_list<Operand> operands) {
  std::vector<std::string> lines;
  for (const Operand& o : operands)
    lines.push_back(o.arg.is_number() ? describe_operand(o.role, "literal " + o.arg.literal().text())
                                      : describe_operand(o.role, o.arg.given()));
  e.relocate(name, lines, site_text(SiteScope::current()));
}

}  // namespace weft::detail
