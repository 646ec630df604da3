// A tape's contract: how gradients of ops add up, embeddings among them.
#include <weft/ops/decompose.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
Tensor index(std::initializer_list<std::int64_t> list) { return from_vector(std::vector<std::int64_t>(list)); }

// The gradient of gather, written with a dense product: what it must equal.
Tensor dense_gather(const Tensor& table, const Tensor& indices) {
  return matmul(one_hot(indices, table.shape()[0], table.dtype()), table);
}
}  // namespace

TEST_CASE("Gradients of several lookups in one table add up to the dense ones", "[tape][1.5.1]") {
  const NoLeaks guard;
  Random random(1);
  const Tensor table = random_tensor(random, {4, 3}, f64);
  const auto f = [&](auto lookup) {
    return [lookup](const Tensor& t) {
      return lookup(t, index({0, 1})) * lookup(t, index({2, 1})) * lookup(t, index({0, 0}));
    };
  };
  CHECK_NEAR(gradient_of(f([](auto& t, const Tensor& i) { return gather(t, i); }), table),
             gradient_of(f([](auto& t, const Tensor& i) { return dense_gather(t, i); }), table), 1e-14);
}

TEST_CASE("A table's gradient is the sum of a lookup's and of a dense use's", "[tape][1.5.2]") {
  const NoLeaks guard;
  Variable table(ones({3, 2}));
  GradientTape tape;
  const Tensor y = sum(gather(table, index({0, 2, 2}))) + sum(table * 10);
  CHECK_GRADIENT(tape.gradient(y, table), 11, 11, 10, 10, 12, 12);
}

TEST_CASE("where's gradient flows to the branch that was chosen", "[tape][1.5.6]") {
  const NoLeaks guard;
  const auto f = [](const Tensor& x) { return where(x < 10, x, x * x); };
  CHECK_GRADIENT(gradient_of(f, scalar(5)), 1);
  CHECK_GRADIENT(gradient_of(f, scalar(50)), 100);
}

TEST_CASE("A lookup's gradient is zero but in the rows used, and a step changes those alone", "[tape][1.5.14]") {
  const NoLeaks guard;
  Variable table(full({4, 2}, 1));
  {
    GradientTape tape;
    const Tensor g = tape.gradient(gather(table, index({1, 3, 3})) * 2, table);
    CHECK_GRADIENT(g, 0, 0, 2, 2, 0, 0, 4, 4);
    table.assign_sub(0.5 * g);
  }
  CHECK_VALUES(table.value(), 1, 1, 0, 0, 1, 1, -1, -1);
}

TEST_CASE("A cross-entropy's gradient where it alone is used: softmax less the labels", "[tape][1.5.34]") {
  const NoLeaks guard;
  const Tensor logits = tensor({{0, 0}}), labels = tensor({{1, 0}});
  CHECK_GRADIENT(gradient_of([&](const Tensor& x) { return -sum(labels * log_softmax(x, -1)); }, logits), -0.5, 0.5);
}

TEST_CASE("On a CPU, of a product with a constant", "[tape][1.5.47]") {
  const NoLeaks guard;
  const Tensor one = scalar(1);
  CHECK_GRADIENT(gradient_of([&](const Tensor& x) { return x * one; }, scalar(1)), 1);
}

TEST_CASE("A tensor may be stacked with itself", "[tape][1.5.85]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& a) { return mean(stack({a, a})); }, scalar(1)), 1);
}

TEST_CASE("An op keeps only what the gradients asked for need", "[tape][1.5.87]") {
  const NoLeaks guard;
  const Tensor image = full({1, 4}, 2), filter = full({4, 1}, 3);
  GradientTape tape;
  tape.watch(image);
  const Tensor y = matmul(image, filter);
  CHECK_GRADIENT(tape.gradient(y, image), 3, 3, 3, 3);
}

TEST_CASE("Where nothing comes back to an op's input it counts as zeros, each time anew", "[tape][1.5.94]") {
  const NoLeaks guard;
  Random random(2);
  const Tensor x = random_tensor(random, {4, 4}, f32);
  const auto f = [](const Tensor& t) {
    const Tensor left = slice_axis(t, 1, 0, 2), right = slice_axis(t, 1, 2, 4);
    return concat({tanh(left), left * right}, 1);
  };
  const Tensor first = gradient_of(f, x);
  for (int i = 0; i < 3; ++i) CHECK_SAME(gradient_of(f, x), first);
  CHECK(gradcheck(f, cast(x, f64)).message == "");
}

TEST_CASE("One lookup's gradient comes through as it is", "[tape][1.5.129]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& t) { return gather(t, index({1})); }, ones({3})), 0, 1, 0);
}

TEST_CASE("Several lookups' gradients add up row by row", "[tape][1.5.130]") {
  const NoLeaks guard;
  const auto f = [](const Tensor& t) { return 3 * gather(t, index({1})) + 5 * gather(t, index({2, 1})); };
  CHECK_GRADIENT(gradient_of(f, ones({3})), 0, 3 + 3 + 5, 5);
}

TEST_CASE("Lookups without gradient add nothing to those that have one", "[tape][1.5.131]") {
  const NoLeaks guard;
  const auto f = [](const Tensor& t) {
    return std::tuple(gather(t, index({0})), stop_gradient(gather(t, index({1}))), gather(t, index({2})));
  };
  CHECK_GRADIENT(gradient_of(f, ones({3})), 1, 0, 1);
}

TEST_CASE("Lookups and dense uses of one table mix", "[tape][1.5.132]") {
  const NoLeaks guard;
  const auto f = [](const Tensor& t) { return std::tuple(gather(t, index({0, 0})), t * t, gather(t, index({2}))); };
  CHECK_GRADIENT(gradient_of(f, full({3}, 4)), 10, 8, 9);
}

TEST_CASE("the gradients of qr and svd of small and large numbers are those of the same matrix near 1", "[tape]") {
  const Tensor a = tensor<float>({{4, 2}, {2, 3}, {1, 5}}), weight = tensor<float>({{1, 2}, {3, 4}, {5, 7}});
  const auto q = [&](const Tensor& x) { return sum(qr(x).q * weight); };
  const auto u = [&](const Tensor& x) { return sum(svd(x).u * weight); };
  for (const double scale : {0x1p-66, 0x1p60}) {
    CHECK_NEAR(gradient_of(q, a * scale) * scale, gradient_of(q, a), 1e-5);
    CHECK_NEAR(gradient_of(u, a * scale) * scale, gradient_of(u, a), 1e-5);
  }
}
