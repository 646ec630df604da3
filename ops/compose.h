// Compositions: plain functions over the primitives, with no gradient rule of their own. On bf16 and f16 they compute
// in f32 and round once at the end.
//
// Errors of all: DTypeError but for floats (count_nonzero and clip take any number), IndexError for an axis that x has
// not.
#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>

#include "activations.h"
#include "arg.h"
#include "axes.h"
#include "flag.h"
#include "reduce.h"

namespace weft {

/// The mean; NaN of nothing. Floats.
Tensor mean(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// The mean squared distance from the mean, over n - correction elements.
Tensor var(const Arg& x, const Axes& axes = {}, Flag keepdims = false, double correction = 0);
/// The square root of var; its gradient where all are equal is 0. (A name of its own: std is C++'s.)
Tensor stddev(const Arg& x, const Axes& axes = {}, Flag keepdims = false, double correction = 0);
/// The sum of what is not NaN.
Tensor nansum(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// How many are not 0 (NaN is not), as i64; of bools, how many are true.
Tensor count_nonzero(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// e^x over its sum along an axis; the largest is taken off first. Along -inf alone it is NaN; along no
/// elements there are none.
Tensor softmax(const Arg& x, Axis axis = -1);
/// x less logsumexp along the axis: softmax's logarithm, without its underflow.
Tensor log_softmax(const Arg& x, Axis axis = -1);
/// log(sum(e^x)), without overflow; -inf where all are, and of nothing.
Tensor logsumexp(const Arg& x, const Axes& axes = {}, Flag keepdims = false);
/// x - trunc(x), with the sign of x; gradient 1
Tensor frac(const Arg& x);
/// start + weight (end - start), each of start and end exactly at weight 0 and 1; they broadcast. Floats of one dtype.
Tensor lerp(const Arg& start, const Arg& end, const Arg& weight);
/// x held between low and high, numbers or tensors: min(max(x, low), high). The gradient at a bound is x's.
/// ArgumentError if low and high are numbers and not low <= high.
Tensor clip(const Arg& x, const Arg& low, const Arg& high);
/// sum(|x|^p)^(1/p): p = 2 is the length, 1 the sum of |x|, inf and -inf the largest and the smallest |x|, 0 how many
/// are not 0. Its gradient at 0 is 0, for elements that are 0 too. ArgumentError if p is NaN.
Tensor norm(const Arg& x, double p = 2, const Axes& axes = {}, Flag keepdims = false);
/// Where |a - b| <= atol + rtol |b|, or both are the same infinity, or, `equal_nan`, both NaN. Floats of one dtype.
Tensor isclose(const Arg& a, const Arg& b, double rtol = 1e-5, double atol = 1e-8, Flag equal_nan = false);
/// Whether all are close, and broadcast to one another. GuardError in a trace: all(isclose(a, b)) is a tensor.
bool allclose(const Arg& a, const Arg& b, double rtol = 1e-5, double atol = 1e-8, Flag equal_nan = false);
/// x with `nan` for NaN, and for infinities the largest and smallest finite number, or those given. The gradient there
/// is 0.
Tensor nan_to_num(const Arg& x, double nan = 0, std::optional<double> posinf = {}, std::optional<double> neginf = {});
// p comes before the axes:
Tensor norm(const Arg& x, std::initializer_list<std::int64_t> axes, Flag keepdims = false, double p = 2) = delete;
template <std::same_as<bool> Bool> Tensor norm(const Arg& x, double axis, Bool keepdims, double p = 2) = delete;

}  // namespace weft
