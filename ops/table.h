// The list of built-in ops, and the only one: the table, loops, tests, gradient checks, docs and benches come from it.
#pragma once

#include "defs/attention.h"
#include "defs/binary.h"
#include "defs/bitwise.h"
#include "defs/cast.h"
#include "defs/check.h"
#include "defs/conv.h"
#include "defs/cumulative.h"
#include "defs/debug.h"
#include "defs/decompose.h"
#include "defs/indexing.h"
#include "defs/matmul.h"
#include "defs/pool.h"
#include "defs/random.h"
#include "defs/reduce.h"
#include "defs/resize.h"
#include "defs/shape.h"
#include "defs/sort.h"
#include "defs/special.h"
#include "defs/unary.h"

namespace weft {

template <class... Struct> struct OpList { static constexpr std::size_t size = sizeof...(Struct); };

using BuiltinOps = OpList<
    // elementwise
    Neg, Abs, Sign, Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Sqrt, Rsqrt, Square, Sin, Cos, Tan, Asin, Acos, Atan,
    Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Sigmoid, Erf, Erfc, Floor, Ceil, Round, Trunc, Reciprocal, Identity,
    StopGradient, Add, Sub, Mul, Div, Pow, Maximum, Minimum, Fmax, Fmin, Atan2, Hypot, XLogY, LogAddExp, Remainder,
    Fmod, FloorDivide, CopySign, Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, IsNan, IsInf, IsFinite,
    SignBit, LogicalAnd, LogicalOr, LogicalXor, LogicalNot, BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot, LeftShift,
    RightShift, Lgamma, Digamma, Erfinv, I0, I1, Where, Cast,
    // reductions
    Sum, Prod, Max, Min, Any, All, ArgMax, ArgMin,
    // movement
    BroadcastTo, Reshape, Transpose, StridedSlice, Embed, Concat, Contiguous,
    // order
    ArgSort, SearchSorted, CumSum, CumProd, CumArgMax, CumArgMin, LinearRecurrence,
    // indexing, checks
    Gather, ScatterAdd, ScatterSet, ScatterMax, ScatterMin, CheckIndices, AxisPositions, AssertFinite, Print,
    // random
    Uniform, StandardGamma,
    // products
    MatMul, Attention, AttentionGradient, Conv, ConvInput, ConvWeight,
    // pools, images
    MaxPick, MaxPut, AvgPool, AvgSpread, ResizeLinear, SpreadLinear,
    // matrices
    Cholesky, TriangularSolve, Solve, Det, Cofactor, SLogDet, Qr, Eigh, Svd, CheckMatrices>;

}  // namespace weft
