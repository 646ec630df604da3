// Formulas of ops as text.
#pragma once

#include <string>
#include <vector>

#include <weft/tests/op_samples.h>

namespace weft::doc {

/// What the n operands of an op are called.
std::vector<std::string> operand_names(const Op& op, std::size_t n);
/// In infix, or a count of its operations; of ops that are not elementwise what they are.
std::string formula_of(const Op& op, const std::vector<test::OpSample>& samples);

}  // namespace weft::doc
