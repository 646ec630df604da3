// A compiled function under a tape: one op with a compiled backward.
#include <weft/weft.h>

#include "../catch.h"

using namespace weft;

TEST_CASE("a tape sees a compiled function as one op", "[compile][call]") {
  int runs = 0;
  const Variable w(tensor<float>({2, 3}));
  auto f = compile([&](const Tensor& x) {
    ++runs;
    return sum(tanh(x * w) * w);
  });
  for (int k = 0; k < 3; ++k) {
    GradientTape tape;
    const Tensor y = f(tensor<float>({0.5f, 0.25f}));
    CHECK(tape.size() == 1);
    const Tensor dw = tape.gradient(y, w);
    GradientTape plain;
    const Tensor z = sum(tanh(tensor<float>({0.5f, 0.25f}) * w) * w);
    const Tensor expected = plain.gradient(z, w);
    CHECK(dw.to_vector<float>() == expected.to_vector<float>());
    CHECK(y.item() == z.item());
  }
  CHECK(runs == 1);
}

TEST_CASE("gradients reach tensors that a compiled function captured", "[compile][call]") {
  const Tensor a = full({}, 3.f), b = tensor<float>({1, 2});
  auto f = compile([&](const Tensor& x) { return sum(x * a * b); });
  GradientTape tape;
  tape.watch(a, b);
  const Tensor y = f(tensor<float>({5, 7}));
  const auto [da, db] = tape.gradient(y, a, b);
  CHECK(da.item() == 19);
  CHECK(db.to_vector<float>() == std::vector<float>{15, 21});
}

TEST_CASE("second derivatives go through a compiled function's backward", "[compile][call]") {
  auto f = compile([](const Tensor& x) { return x * x * x; });
  const Tensor x = full({}, 2.0);
  GradientTape outer;
  outer.watch(x);
  Tensor first;
  {
    GradientTape inner;
    inner.watch(x);
    first = inner.gradient(f(x), x);
  }
  CHECK(first.item() == 12);
  CHECK(outer.gradient(first, x).item() == 12);

  GradientTape third;
  third.watch(x);
  Tensor second;
  {
    GradientTape t2;
    t2.watch(x);
    Tensor one;
    {
      GradientTape t1;
      t1.watch(x);
      one = t1.gradient(f(x), x);
    }
    second = t2.gradient(one, x);
  }
  CHECK(third.gradient(second, x).item() == 6);
}

TEST_CASE("a result without a cotangent adds nothing to the gradient", "[compile][call]") {
  auto f = compile([](const Tensor& x) { return std::pair(x * 2, log(x)); });  // log'(0) is infinite
  const Tensor x = tensor<float>({0, 1});
  GradientTape tape;
  tape.watch(x);
  const auto [y, z] = f(x);
  CHECK(tape.gradient(y, x).to_vector<float>() == std::vector<float>{2, 2});
}

TEST_CASE("results that are arguments, masks or constants differentiate as in plain code", "[compile][call]") {
  auto f = compile(
      [](const Tensor& x, const Tensor& y) { return std::tuple(x, x > y, stop_gradient(x) * y, Tensor(ones({2}))); });
  const Tensor x = tensor<float>({3, 1}), y = tensor<float>({2, 2});
  GradientTape tape({.persistent = true});
  tape.watch(x, y);
  const auto [a, b, c, d] = f(x, y);
  CHECK(tape.gradient(a, x).to_vector<float>() == std::vector<float>{1, 1});
  CHECK_FALSE(tape.gradient(a, y).defined());
  CHECK_FALSE(tape.gradient(b, x).defined());
  CHECK_FALSE(tape.gradient(c, x).defined());
  CHECK(tape.gradient(c, y).to_vector<float>() == std::vector<float>{3, 1});
  CHECK_FALSE(tape.gradient(d, x).defined());
}

TEST_CASE("what contiguous gives is another tensor to a tape, eager and compiled", "[compile]") {
  const auto f = [](const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = contiguous(x);
    return tape.gradient(sum(x * y), y);
  };
  const std::vector<float> want = {3, 4};  // and not what x gets, {6, 8}
  CHECK(f(tensor({3, 4})).to_vector<float>() == want);
  CHECK(compile(f)(tensor({3, 4})).to_vector<float>() == want);
}

TEST_CASE("one tensor passed twice gets the sum of both gradients", "[compile][call]") {
  auto f = compile([](const Tensor& x, const Tensor& y) { return sum(x * y); });
  const Tensor x = tensor<float>({3, 4});
  GradientTape tape;
  tape.watch(x);
  CHECK(tape.gradient(f(x, x), x).to_vector<float>() == std::vector<float>{6, 8});
}

TEST_CASE("a compiled function that assigns does so under a tape too, and only the value after it differentiates",
          "[compile][call]") {
  Variable v(full({}, 3.f));
  auto f = compile([&](const Tensor& x) {
    v.assign_add(x);
    return v * x;
  });
  const Tensor x = full({}, 2.f);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = f(x);
  CHECK(y.item() == 10);
  CHECK(v.value().item() == 5);
  CHECK(tape.gradient(y, x).item() == 5);
  CHECK(tape.gradient(y, v).item() == 2);
  CHECK(tape.gradient(v * x, v).item() == 2);
}

TEST_CASE("an error inside a compiled function under a tape leaves the variables, and the next gradient is right",
          "[compile][call]") {
  Variable w(tensor<float>({1, 2}));
  auto f = compile([&](const Tensor& i) {
    const Tensor y = gather(w, i);
    w.assign_add(1);
    return sum(square(y));
  });
  const Tensor bad = tensor<std::int32_t>({5}), good = tensor<std::int32_t>({1});
  {
    GradientTape tape;
    CHECK_THROWS_AS(f(bad), IndexError);
  }
  CHECK(w.value().to_vector<float>() == std::vector<float>{1, 2});
  GradientTape tape;
  const Tensor before = w.value();
  const Tensor y = f(good);
  CHECK(tape.gradient(y, before).to_vector<float>() == std::vector<float>{0, 4});
}

TEST_CASE("a model trained by a tape around a compiled forward equals one trained eagerly", "[compile][call]") {
  const Tensor x = random::normal({40, 5}, 0, 1, f64), y = random::normal({40, 1}, 0, 1, f64);
  const Tensor start = random::normal({5, 8}, 0, 1, f64);
  Variable a1(start), a2(ones({8, 1}, f64)), b1(start), b2(ones({8, 1}, f64));
  const auto loss = [&](const Variable& w1, const Variable& w2) {
    return mean(square(matmul(sigmoid(matmul(x, w1)), w2) - y));
  };
  auto compiled = compile([&] { return loss(b1, b2); });
  for (int k = 0; k < 20; ++k) {
    GradientTape tape, other;
    const auto [d1, d2] = tape.gradient(loss(a1, a2), a1, a2);
    const auto [e1, e2] = other.gradient(compiled(), b1, b2);
    a1.assign_sub(0.1 * d1);
    a2.assign_sub(0.1 * d2);
    b1.assign_sub(0.1 * e1);
    b2.assign_sub(0.1 * e2);
  }
  CHECK(a1.value().to_vector<double>() == b1.value().to_vector<double>());
  CHECK(a2.value().to_vector<double>() == b2.value().to_vector<double>());
}
