// What einsum and tensordot are made of: operands whose axes have labels, contracted two at a time.
#pragma once

#include <bitset>
#include <vector>

#include "../tensor/tensor.h"

namespace weft::detail {

using Label = std::uint8_t;
using LabelSet = std::bitset<128>;

/// A tensor, and the label of each of its axes, each once.
struct Labelled {
  Tensor tensor;
  std::vector<Label> labels;
  LabelSet set() const;
};

/// The product of both, summed over the labels that they share and `kept` lacks. The result's axes: those kept of both,
/// of a alone, of b alone.
Labelled contract(const Labelled& a, const Labelled& b, const LabelSet& kept);

/// The order in which to contract: pairs of positions in the list, of which the second is then taken out and the first
/// holds the result. Least arithmetic for up to 8 operands, else the pair first whose result grows least.
std::vector<std::pair<std::size_t, std::size_t>> contraction_order(const std::vector<LabelSet>& operands,
                                                                   const LabelSet& result,
                                                                   const std::vector<std::int64_t>& extents);

}  // namespace weft::detail
