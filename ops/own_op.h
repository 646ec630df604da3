// What a file with an op of your own includes, beside weft.h. The eager loop, compiled code and its bits come from the
// formula, gradients of any order from the rule:
//
//     struct Cube : weft::Elementwise<Cube> {
//       static constexpr auto name = "cube";
//       static constexpr auto reads = weft::reads::in0;
//       WEFT_EVAL(V x) { return x * x * x; }
//       static void vjp(weft::Backward& b) { b.give(0, b.grad() * 3 * square(b.in())); }
//     };
//     WEFT_DEFINE_OP(Cube);
//     weft::Tensor cube(const weft::Arg& x) { return weft::detail::unary<Cube>(x); }
#pragma once

#include "apply.h"
#include "backward.h"
#include "define.h"
#include "defs/elementwise.h"
