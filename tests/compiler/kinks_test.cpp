// The table of contract_kinks_test.cpp goes on: activations, order, products, matrices, norms, infinities. A row whose
// convention other frameworks do not share says whose it is.
#include "kink.h"

using namespace weft;
using namespace weft::test;

namespace {

std::vector<Kink> kinks() {
  const double log2 = std::log(2.0), scale = 1.0507009873554804934, alpha = 1.6732632423543772848;
  return {
      // activations, as PyTorch's where nothing is said
      {"elu at 0: the slope of the left", OF_X(elu(x, 2)), inputs(list({-1000, 0, 1})), {-2, 0, 1}, {{0, 2, 1}}},
      {"selu at 0: the slope of the left",
       OF_X(selu(x)),
       inputs(list({-1000, 0, 1})),
       {-scale * alpha, 0, scale},
       {{0, scale * alpha, scale}}},
      {"celu at 0: both slopes are 1", OF_X(celu(x, 2)), inputs(list({-1000, 0, 1})), {-2, 0, 1}, {{0, 1, 1}}},
      {"leaky_relu at 0: the slope", OF_X(leaky_relu(x, .25)), inputs(list({-1, 0, 1})), {-.25, 0, 1}, {{.25, .25, 1}}},
      {"relu6 at 0 and 6", OF_X(relu6(x)), inputs(list({-1, 0, 3, 6, 7})), {0, 0, 3, 6, 6}, {{0, 0, 1, 0, 0}}},
      {"hard_sigmoid at -3 and 3", OF_X(hard_sigmoid(x)), inputs(list({-3, 0, 3})), {0, .5, 1}, {{0, 1. / 6, 0}}},
      {"hard_swish at -3 and 3: as JAX, whose relu6 has slope 0 at its ends; PyTorch has -0.5 and 1.5",
       OF_X(hard_swish(x)),
       inputs(list({-3, 0, 3})),
       {0, 0, 3},
       {{0, .5, 1}}},
      {"prelu at 0: the weight, and nothing for it",
       OF_XY(prelu(x, y)),
       inputs(list({-2, 0, 3}), list({.5})),
       {-1, 0, 3},
       {{.5, .5, 1}, {-2}}},
      {"softsign at 0", OF_X(softsign(x)), inputs(list({-1, 0, 1})), {-.5, 0, .5}, {{.25, 1, .25}}},
      // products
      {"cumprod with one 0 is exact", OF_X(cumprod(x)), inputs(list({2, 0, 3})), {2, 0, 0}, {{1, 8, 0}}},
      {"cumprod with two 0s", OF_X(cumprod(x)), inputs(list({0, 5, 0})), {0, 0, 0}, {{6, 0, 0}}},
      // operands of elementwise ops
      {"hypot at the origin: 0, as the norm's (PyTorch: NaN); inf over inf is NaN, as PyTorch",
       OF_XY(hypot(x, y)),
       inputs(list({0, 3, 0, inf}), list({0, 4, -2, 1})),
       {0, 5, 2, inf},
       {{0, .6, 0, NAN}, {0, .8, -1, 0}}},
      {"xlogy where x is 0: 0, as the limit; PyTorch has NaN for y at (0, 0)",
       OF_XY(xlogy(x, y)),
       inputs(list({0, 0, 2, 0}), list({0, -1, 1, 2})),
       {0, 0, 0, 0},
       {{0, 0, 0, log2}, {0, 0, 2, 0}}},
      {"fmod at multiples: 1 and -trunc(x / y)",
       OF_XY(fmod(x, y)),
       inputs(list({6, -6, 7}), list({3, 3, -3})),
       {0, 0, 1},
       {{1, 1, 1}, {-2, 2, 2}}},
      {"remainder at multiples: 1 and -floor(x / y)",
       OF_XY(remainder(x, y)),
       inputs(list({6, -6, 7}), list({3, 3, -3})),
       {0, 0, -2},
       {{1, 1, 1}, {-2, 2, 3}}},
      {"logaddexp of -inf and a number", OF_XY(logaddexp(x, y)), inputs(list({-inf}), list({3})), {3}, {{0}, {1}}},
      {"logaddexp of inf and a number", OF_XY(logaddexp(x, y)), inputs(list({inf}), list({3})), {inf}, {{1}, {0}}},
      {"logaddexp of equal infinities: a half each, as of equal numbers; PyTorch has NaN",
       OF_XY(logaddexp(x, y)),
       inputs(list({-inf, inf}), list({-inf, inf})),
       {-inf, inf},
       {{.5, .5}, {.5, .5}}},
      // order: the gradient goes to the elements that were chosen; equals keep their order
      {"maximum with a NaN first: it is the result, and has the gradient",
       OF_X(maximum(slice_axis(x, 0, 0, 2), slice_axis(x, 0, 2, 4))),
       inputs(list({NAN, 1, 1, NAN})),
       {NAN, NAN},
       {{1, 0, 0, 1}}},
      {"max over axes that are not adjacent: ties are split evenly among all, as PyTorch's amax",
       OF_X(max(reshape(x, {2, 1, 2}), {0, 2})),
       inputs(list({1, 1, 1, 0})),
       {1},
       {{1. / 3, 1. / 3, 1. / 3, 0}}},
      {"sort at ties: stable, as NumPy's and JAX'",
       OF_X(sort(x) * list({1, 2, 3, 4})),
       inputs(list({2, 1, 2, 1})),
       {1, 2, 6, 8},
       {{3, 1, 4, 2}}},
      {"descending sort at ties: stable too, as PyTorch's with stable=True",
       OF_X(sort(x, -1, true) * list({1, 2, 3, 4})),
       inputs(list({2, 1, 2, 1})),
       {2, 4, 3, 4},
       {{1, 3, 2, 4}}},
      {"topk at ties: the first, as JAX' top_k",
       OF_X(topk(x, 2).values * list({1, 2})),
       inputs(list({1, 2, 2, 2})),
       {2, 4},
       {{0, 1, 2, 0}}},
      {"median of an odd number at ties: one element, as PyTorch's along an axis",
       OF_X(median(x)),
       inputs(list({2, 2, 1})),
       {2},
       {{1, 0, 0}}},
      {"median of an even number at ties: two elements, as NumPy's mean of the two in the middle",
       OF_X(median(x)),
       inputs(list({1, 2, 2, 3})),
       {2},
       {{0, .5, .5, 0}}},
      {"quantile at ties: the two elements it lies between",
       OF_X(quantile(x, .25)),
       inputs(list({2, 2, 2})),
       {2},
       {{.5, .5, 0}}},
      {"quantile at an element: that one", OF_X(quantile(x, .5)), inputs(list({5, 1, 3})), {3}, {{0, 0, 1}}},
      {"cummax at ties: the first, as max_with_indices; PyTorch has the last",
       OF_X(cummax(x).values),
       inputs(list({1, 3, 3, 2})),
       {1, 3, 3, 3},
       {{1, 3, 0, 0}}},
      {"cummin at ties: the first", OF_X(cummin(x).values), inputs(list({2, 1, 1})), {2, 1, 1}, {{1, 2, 0}}},
      {"max_pool at ties: the first, as PyTorch and TensorFlow",
       OF_X(max_pool1d(reshape(x, {1, 1, 4}), 2)),
       inputs(list({3, 3, 1, 1})),
       {3, 1},
       {{1, 0, 1, 0}}},
      // matrices: the gradient is the cofactor matrix, as JAX'
      {"det of a singular matrix", OF_X(det(x)), inputs(rows(2, {1, 2, 2, 4})), {0}, {{4, -2, -2, 1}}},
      {"det of a matrix of rank n - 1",
       OF_X(det(x)),
       inputs(rows(3, {1, 0, 0, 0, 2, 0, 0, 0, 0})),
       {0},
       {{0, 0, 0, 0, 0, 0, 0, 0, 2}}},
      {"det of a matrix of rank n - 2", OF_X(det(x)), inputs(rows(3, {1, 1, 1, 1, 1, 1, 1, 1, 1})), {0}, {List(9)}},
      {"det of 0, of one element", OF_X(det(x)), inputs(rows(1, {0})), {0}, {{1}}},
      // norms: the subgradient 0 where elements are 0, as PyTorch's
      {"the 3-norm of 0", OF_X(norm(x, 3)), inputs(list({0, 0})), {0}, {{0, 0}}},
      {"the 1-norm where an element is 0", OF_X(norm(x, 1)), inputs(list({0, -2})), {2}, {{0, -1}}},
      {"the 0.5-norm where an element is 0", OF_X(norm(x, .5)), inputs(list({0, 4})), {4}, {{0, 1}}},
      {"the inf-norm at ties: evenly", OF_X(norm(x, inf)), inputs(list({3, -3})), {3}, {{.5, -.5}}},
      {"the -inf-norm at 0", OF_X(norm(x, -inf)), inputs(list({3, 0})), {0}, {{0, 0}}},
      {"the 0-norm counts", OF_X(norm(x, 0)), inputs(list({0, 5})), {1}, {{0, 0}}},
      // sums of exponentials of nothing
      {"logsumexp of nothing: the logarithm of 0, as PyTorch's",
       OF_X(logsumexp(x)),
       inputs(zeros({0}, f64)),
       {-inf},
       {{}}},
      {"logsumexp along an axis of nothing", OF_X(logsumexp(x, 1)), inputs(zeros({2, 0}, f64)), {-inf, -inf}, {{}}},
      {"softmax of nothing", OF_X(softmax(x)), inputs(zeros({2, 0}, f64)), {}, {{}}},
      {"log_softmax of nothing", OF_X(log_softmax(x)), inputs(zeros({0}, f64)), {}, {{}}},
  };
}

}  // namespace

TEST_CASE("Activations, order, products, matrices and norms at their kinks are those of the table", "[kinks][1.8]") {
  for (const Kink& k : kinks()) check(k);
}

TEST_CASE("the cofactor matrix near singular matrices, of f32, of a batch, and where there is no number", "[kinks]") {
  const auto cofactor = [](const Tensor& m) {
    GradientTape tape;
    tape.watch(m);
    return tape.gradient(det(m), m);
  };
  // Regular, and so near to singular that the inverse would have no digit right.
  const Tensor far = tensor<double>({{2, 1, 0}, {1, 3, 1}, {0, 1, 4}});
  CHECK_NEAR(cofactor(far), tensor<double>({{11, -4, 1}, {-4, 8, -2}, {1, -2, 5}}), 1e-13);
  const double tiny = 1e-15;
  const Tensor near = tensor<double>({{1, 2, 3}, {2, 4, 6 + tiny}, {1, 0, 1}});
  CHECK_NEAR(cofactor(near), tensor<double>({{4, 4, -4}, {-2, -2, 2}, {0, 0, 0}}), 1e-13);
  CHECK_NEAR(cofactor(cast(near, f32)), cast(tensor<double>({{4, 4, -4}, {-2, -2, 2}, {0, 0, 0}}), f32), 1e-5);
  CHECK_NEAR(cofactor(stack({far, near}))[1], cofactor(near), 0);
  CHECK(cofactor(zeros({2, 0, 0})).shape() == Shape{2, 0, 0});
  CHECK(all(isnan(cofactor(tensor<double>({{1, NAN}, {0, 1}})))).item<bool>());
  CHECK_THROWS_AS(grad([](const Tensor& m) { return sum(square(grad([](const Tensor& t) { return det(t); })(m))); })(
                      tensor<double>({{1, 2}, {2, 4}})),
                  NumericsError);
}
