// The list of built-in ops, and the only one: the table, loops, tests, gradient checks, docs and benches come from it.
#pragma once

#include "defs/binary.h"
#include "defs/cast.h"
#include "defs/check.h"
#include "defs/debug.h"
#include "defs/indexing.h"
#include "defs/matmul.h"
#include "defs/random.h"
#include "defs/reduce.h"
#include "defs/shape.h"
#include "defs/unary.h"

namespace weft {

template <class... Struct> struct OpList { static constexpr std::size_t size = sizeof...(Struct); };

using BuiltinOps = OpList<
    // elementwise
    Neg, Abs, Sign, Exp, Expm1, Log, Log1p, Sqrt, Rsqrt, Square, Sin, Cos, Tan, Tanh, Sigmoid, Erf, Floor, Ceil, Round,
    Reciprocal, Identity, StopGradient, Add, Sub, Mul, Div, Pow, Maximum, Minimum, Atan2, Equal, NotEqual, Less,
    LessEqual, Greater, GreaterEqual, LogicalAnd, LogicalOr, LogicalXor, LogicalNot, Where, Cast,
    // reductions
    Sum, Prod, Max, Min, Any, All, ArgMax, ArgMin,
    // movement
    BroadcastTo, Reshape, Transpose, Slice, Embed, Concat, Contiguous,
    // indexing, checks
    Gather, ScatterAdd, CheckIndices, AssertFinite, Print,
    // random
    Uniform,
    // products
    MatMul>;

}  // namespace weft
