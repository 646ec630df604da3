// Every composition of compositions.h: its gradients and its forward mode against differences, and vmap against one
// example after the other.
#include "../compositions.h"
#include "support.h"

#include <weft/autograd/vmap.h>

using namespace weft;
using namespace weft::test;

TEST_CASE("compositions that move and pick pass gradcheck at orders 1 and 2, forward mode too",
          "[gradcheck][compositions]") {
  Random random(21);
  for (const Composition& c : compositions()) {
    INFO(c.name);
    CHECK(gradcheck(c.f, random_tensor(random, c.shape, f64, 0.2, 2)).message == "");
  }
}

TEST_CASE("vmap of a composition gives what one example after the other gives", "[vmap][compositions]") {
  Random random(22);
  for (const Composition& c : compositions()) {
    INFO(c.name);
    Shape batch = c.shape;
    batch.insert(0, 3);
    const Tensor x = random_tensor(random, batch, f64);
    std::vector<Tensor> each;
    for (const Tensor& e : unstack(x)) each.push_back(c.f(e));
    CHECK_NEAR(vmap(c.f)(x), stack(each), 1e-14);
  }
}

TEST_CASE("gradients at 0 of norms and spreads are 0, and NaNs that nansum leaves out pass none", "[compositions]") {
  const Tensor zero = zeros({2, 2}, f64);
  for (const double p : {0.0, 0.5, 1.0, 2.0, 3.0, -1.0, double{INFINITY}, -double{INFINITY}}) {
    INFO(p);
    GradientTape tape;
    tape.watch(zero);
    CHECK_SAME(tape.gradient(norm(zero, p), zero), zero);
  }
  const Tensor one_zero = tensor<double>({3, 0, 4});
  GradientTape tape({.persistent = true});
  tape.watch(zero, one_zero);
  CHECK_SAME(tape.gradient(stddev(zero), zero), zero);
  CHECK(tape.gradient(norm(one_zero, 0.5), one_zero).at({1}) == 0);
  CHECK_NEAR(tape.gradient(norm(one_zero), one_zero), tensor<double>({0.6, 0, 0.8}), 1e-15);
  const Tensor gaps = tensor<double>({1, NAN, 2});
  tape.watch(gaps);
  CHECK_VALUES(tape.gradient(nansum(gaps * 2), gaps), 2, 0, 2);
}

TEST_CASE("of scatter_set's duplicates the last has the gradient, of scatter_max's equals each its share",
          "[compositions]") {
  const Tensor x = tensor<double>({1, 2, 3}), u = tensor<double>({4, 5, 2});
  GradientTape tape({.persistent = true});
  tape.watch(x, u);
  const auto [sx, su] = tape.gradient(scatter_set(x, ints({0, 0, 2}), u), x, u);
  CHECK_VALUES(sx, 0, 1, 0);
  CHECK_VALUES(su, 0, 1, 1);
  const Tensor ties = tensor<double>({3, 3, 3});
  tape.watch(ties);
  const auto [mx, mu] = tape.gradient(scatter_max(x, ints({2, 2, 0}), ties), x, ties);
  CHECK_VALUES(mx, 0, 1, 1.0 / 3);
  CHECK_VALUES(mu, 1.0 / 3, 1.0 / 3, 1);
}

TEST_CASE("cumprod's gradient is exact at zeros", "[compositions]") {
  const Tensor x = tensor<double>({2, 0, 3, 0, 5});
  CHECK(gradcheck([](const Tensor& t) { return cumprod(t); }, x).message == "");
  CHECK(gradcheck([](const Tensor& t) { return cumprod(t, 0, true); }, x).message == "");
}
