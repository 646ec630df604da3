// Elementwise ops on the bits of integers.
#pragma once

#include "elementwise.h"

namespace weft {

template <class Struct> struct Bitwise : Elementwise<Struct> {
  static constexpr auto accepts = Accepts::integers;
  static constexpr bool differentiable = false;
};
struct BitwiseAnd : Bitwise<BitwiseAnd> {
  static constexpr auto name = "bitwise_and";
  WEFT_EVAL(V x, V y) { return x & y; }
};
struct BitwiseOr : Bitwise<BitwiseOr> {
  static constexpr auto name = "bitwise_or";
  WEFT_EVAL(V x, V y) { return x | y; }
};
struct BitwiseXor : Bitwise<BitwiseXor> {
  static constexpr auto name = "bitwise_xor";
  WEFT_EVAL(V x, V y) { return x ^ y; }
};
struct BitwiseNot : Bitwise<BitwiseNot> {
  static constexpr auto name = "bitwise_not";
  WEFT_EVAL(V x) { return ~x; }
};
struct LeftShift : Bitwise<LeftShift> {
  static constexpr auto name = "left_shift";
  static constexpr Interval domain1{0, 9};
  WEFT_EVAL(V x, V n) { return math::left_shift(x, n); }
};
struct RightShift : Bitwise<RightShift> {
  static constexpr auto name = "right_shift";
  static constexpr Interval domain{-300, 300}, domain1{0, 9};
  WEFT_EVAL(V x, V n) { return math::right_shift(x, n); }
};

}  // namespace weft
