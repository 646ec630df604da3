// Convolutions whose weight lies as their kernel takes it: ops of compiled graphs only, so without gradient rules.
#pragma once

#include <optional>

#include "kernels/conv.h"
#include "op.h"

namespace weft {

struct ConvAttrs;

/// What a convolution computes, of operands of these shapes.
ConvShape conv_shape(ConvPass pass, const ConvAttrs& attrs, const Shape& x, const Shape& y);

/// A node in two: `pack` of the weight, then `conv` of the other operand and what that gave.
struct PackedConv {
  const Op *pack, *conv;
  Attrs attrs;  // of both
  Type packed;
};
/// For a node of conv or conv_input, of operands of these types; nothing if it takes its weight as it lies, or if it is
/// another op.
std::optional<PackedConv> packed_conv(const Op& op, const Attrs& attrs, Types in, const Type& out);

}  // namespace weft
