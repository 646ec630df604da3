// gradcheck: gradients against central differences, in f64.
//
//     auto f = [](const Tensor& x, const Tensor& w) { return tanh(matmul(x, w)); };
//     GradcheckResult r = gradcheck(f, std::tuple(x, w));   // r.ok, r.message
//     require_gradients(f, std::tuple(x, w));               // or throws
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "structure.h"

namespace weft {

struct GradcheckOptions {
  int order = 2;                    ///< 1: the gradient; 2: also the gradient of the gradient
  bool forward = true;              ///< also forward mode: along a direction, over itself, over and under a tape
  double eps = 6e-6;                ///< the step, times max(1, |x|); about the cube root of f64's precision
  double atol = 1e-6, rtol = 1e-5;  ///< they agree if |gradient - difference| <= atol + rtol * |difference|
  std::uint64_t seed = 0;           ///< of the random directions
};

struct GradcheckResult {
  bool ok = true;
  std::string message;                  ///< what failed first, empty if nothing
  int order = 0, input = -1;            ///< where: the input's number in the order of the structure's leaves
  std::int64_t element = -1;            ///< and the element's, in row-major order
  bool forward = false;                 ///< it was found in forward mode
  double gradient = 0, difference = 0;  ///< by the tape or in forward mode, by differences
  int failures = 0;                     ///< how many elements of this order differ
  explicit operator bool() const { return ok; }
};

namespace detail {
/// A float leaf of the inputs: its value, and how to give it another.
struct GradcheckLeaf {
  Tensor value;
  std::function<void(const Tensor&)> set;
};
GradcheckResult gradcheck(const std::function<std::vector<Tensor>()>& run, std::vector<GradcheckLeaf>& leaves,
                          const GradcheckOptions& options);
}  // namespace detail

/// Compares the gradients of f's outputs for all f64 tensors and variables in `inputs` with central differences.
///
/// f is called with the inputs (a tuple's as its arguments) and gives a tensor or a structure of tensors. Order 1: the
/// gradient of sum(w * f(x)), w random. Order 2: the gradient, for x and for w, of sum(v * that gradient), v random.
/// Then forward mode: f's derivative along v; order 2: its derivative along another direction, its gradient, and the
/// derivative of the gradient along v.
/// It costs two calls (order 2: gradients) for every element. f must be smooth around the inputs; integers and masks
/// among them stay as they are; variables are copied, so f uses those that it is given. DTypeError for other floats.
template <class F, Structured Inputs>
GradcheckResult gradcheck(F&& f, const Inputs& inputs, const GradcheckOptions& options = {}) {
  Inputs copy = inputs;
  std::vector<detail::GradcheckLeaf> leaves;
  each_leaf(copy, [&](auto& leaf) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(leaf)>, Variable>)
      leaves.push_back({leaf.state()->value, [state = leaf.state()](const Tensor& t) { state->value = t; }});
    else
      leaves.push_back({leaf, [&leaf](const Tensor& t) { leaf = t; }});
  });
  const auto run = [&] {
    std::vector<Tensor> out;
    const auto take = [&](const auto& y) { each_leaf(y, [&](const auto& leaf) { out.push_back(leaf); }); };
    if constexpr (requires { f(std::as_const(copy)); })
      take(f(std::as_const(copy)));
    else
      take(std::apply(f, std::as_const(copy)));
    return out;
  };
  return detail::gradcheck(run, leaves, options);
}

/// The same; GradError with the message if they do not agree.
template <class F, Structured Inputs>
void require_gradients(F&& f, const Inputs& inputs, const GradcheckOptions& options = {}) {
  const GradcheckResult r = gradcheck(f, inputs, options);
  if (!r.ok) throw GradError(r.message);
}

}  // namespace weft
