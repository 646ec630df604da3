#include "composition.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft {

std::string describe_operand(std::string_view role, const Arg& arg) {
  return arg.is_number() ? describe_operand(role, "literal " + arg.literal().text())
                         : describe_operand(role, arg.given());
}

namespace detail {

void check_defined(std::initializer_list<Operand> operands) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Arg& a = operands.begin()[i].arg;
    if (!a.is_number() && !a.given().defined())
      throw ArgumentError(fmt::format("operand {} is undefined", i),
                          "a gradient that does not exist is an undefined tensor; Unconnected::zero gives zeros");
  }
}

std::vector<std::string> describe(std::initializer_list<Operand> operands) {
  std::vector<std::string> lines;
  for (const Operand& o : operands) lines.push_back(describe_operand(o.role, o.arg));
  return lines;
}

std::vector<std::string> describe(std::span<const Tensor> list, std::size_t most) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < std::min(most, list.size()); ++i)
    lines.push_back(describe_operand(fmt::format("in{}", i), list[i]));
  return lines;
}

int axis_of(const char* name, const Operand& operand, std::int64_t axis) {
  return composed(name, {operand}, [&] { return normal_axis(axis, operand.arg.tensor().rank()); });
}

}  // namespace detail
}  // namespace weft
