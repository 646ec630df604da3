// cond, while_loop and scan: eager, compiled, differentiated to any order.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

Tensor number(double x, DType dtype = f64) { return full({}, x, dtype); }

// f, its first and its second derivative at x, eager and compiled.
template <class F> void check_orders(F f, double x, double y, double dy, double ddy) {
  const auto orders = [&](const Tensor& at) {
    GradientTape outer;
    outer.watch(at);
    Tensor value, first;
    {
      GradientTape inner;
      inner.watch(at);
      value = f(at);
      first = inner.gradient(value, at);
    }
    return std::tuple(value, first, outer.gradient(first, at, GradientOptions{.unconnected = Unconnected::zero}));
  };
  auto compiled = compile(orders);
  for (const auto& [a, b, c] : {orders(number(x)), compiled(number(x))}) {
    CHECK(a.item() == Approx(y));
    CHECK(b.item() == Approx(dy));
    CHECK(c.item() == Approx(ddy));
  }
}

}  // namespace

TEST_CASE("cond takes the branch that the value says, in compiled code too", "[control][cond]") {
  const auto f = [](const Tensor& x) {
    return cond(
        sum(x) > 0, [&] { return x * 2; }, [&] { return -x; });
  };
  auto compiled = compile(f);
  for (const float v : {3.f, -3.f}) {
    const Tensor x = full({2}, v);
    const float expected = v > 0 ? 6.f : 3.f;
    CHECK(f(x).to_vector<float>() == std::vector<float>(2, expected));
    CHECK(compiled(x).to_vector<float>() == std::vector<float>(2, expected));
  }
  CHECK(compiled.stats().traces == 1);
}

TEST_CASE("cond differentiates through the branch taken", "[control][cond][tape][1.5.57]") {
  const auto f = [](const Tensor& x) {
    return cond(
        x > 0, [&] { return x * x * x; }, [&] { return sin(x); });
  };
  check_orders(f, 2, 8, 12, 12);
  check_orders(f, -1, std::sin(-1.0), std::cos(-1.0), -std::sin(-1.0));
}

TEST_CASE("the gradient of cond reaches variables that only one branch reads", "[control][cond]") {
  const Variable a(number(2)), b(number(3));
  const auto f = [&](const Tensor& x) {
    return cond(
        x > 0, [&] { return a * x; }, [&] { return b * x; });
  };
  GradientTape tape;
  const auto [da, db] = tape.gradient(f(number(5)), a, b);
  CHECK(da.item() == 5);
  CHECK(db.item() == 0);
}

TEST_CASE("variables assigned in one branch keep their value in the other", "[control][cond]") {
  Variable v(number(1)), w(number(1));
  const auto f = [&](const Tensor& x) {
    cond(
        x > 0,
        [&] {
          v.assign_add(10);
          return std::tuple<>();
        },
        [&] {
          w.assign(v + 5);
          return std::tuple<>();
        });
    return v + w;
  };
  CHECK(f(number(1)).item() == 12);
  CHECK(f(number(-1)).item() == 27);
  auto compiled = compile(f);
  CHECK(compiled(number(1)).item() == 37);
  CHECK(compiled(number(-1)).item() == 47);
}

TEST_CASE("branches that differ in type or number are refused", "[control][cond][bad]") {
  const Tensor x = ones({2}), yes = full({}, 1, DType::boolean);
  CHECK_THROWS_AS(cond(
                      yes, [&] { return x; }, [&] { return Tensor(ones({3})); }),
                  ShapeError);
  CHECK_THROWS_AS(cond(
                      yes, [&] { return x; }, [&] { return cast(x, f64); }),
                  DTypeError);
  CHECK_THROWS_AS(cond(
                      x > 0, [&] { return x; }, [&] { return x; }),
                  DTypeError);
  CHECK_THROWS_AS(cond(
                      sum(x), [&] { return x; }, [&] { return x; }),
                  DTypeError);
}

TEST_CASE("while_loop repeats by value", "[control][while]") {
  const auto f = [](const Tensor& n) {
    return while_loop([](const std::pair<Tensor, Tensor>& c) { return c.first > 0; },
                      [](const std::pair<Tensor, Tensor>& c) { return std::pair(c.first - 1, c.second * 2); },
                      std::pair(n, Tensor(ones({3}))))
        .second;
  };
  auto compiled = compile(f);
  for (const int n : {0, 1, 2, 7}) {
    const float expected = static_cast<float>(1 << n);
    CHECK(f(full({}, n, i32)).to_vector<float>() == std::vector<float>(3, expected));
    CHECK(compiled(full({}, n, i32)).to_vector<float>() == std::vector<float>(3, expected));
  }
  CHECK(compiled.stats().traces == 1);
}

TEST_CASE("while_loop with a bound differentiates to any order where it is traced", "[control][while][tape][1.5.58]") {
  const auto f = [](const Tensor& x) {  // x^(2^3) by squaring
    return while_loop([](const std::pair<Tensor, Tensor>& c) { return c.first < 3; },
                      [](const std::pair<Tensor, Tensor>& c) { return std::pair(c.first + 1, square(c.second)); },
                      std::pair(Tensor(full({}, 0, i32)), x), {.max_iterations = 5})
        .second;
  };
  check_orders(f, 1.1, std::pow(1.1, 8), 8 * std::pow(1.1, 7), 56 * std::pow(1.1, 6));
}

TEST_CASE("a bound ends while_loop", "[control][while]") {
  const Tensor n = while_loop([](const Tensor& c) { return c >= 0; }, [](const Tensor& c) { return c + 1; },
                              full({}, 0, i32), {.max_iterations = 4});
  CHECK(n.item() == 4);
}

TEST_CASE("while_loop without a bound differentiates to any order where it is traced, however many its rounds",
          "[control][while]") {
  // x^n by products, times n x by sums, and x
  for (const int n : {0, 1, 3, 63, 64, 65, 128, 300}) {
    INFO(n);
    const auto f = [&](const Tensor& x) {
      const auto [k, power, total] = while_loop([&](const auto& c) { return std::get<0>(c) < n; },
                                                [&](const auto& c) {
                                                  const auto& [k, power, total] = c;
                                                  return std::tuple(k + 1, power * x, total + x);
                                                },
                                                std::tuple(Tensor(full({}, 0, i32)), number(1), number(0)));
      return power * total + x;
    };
    const double x = 1.01, m = n + 1;
    check_orders(f, x, n * std::pow(x, m) + x, n * m * std::pow(x, n) + 1, n * m * n * std::pow(x, n - 1));
  }
  const auto until = [](const Tensor& x) {
    return while_loop([](const Tensor& c) { return c < 100; }, [](const Tensor& c) { return c * c; }, x);
  };
  check_orders(until, 3, std::pow(3, 8), 8 * std::pow(3, 7), 56 * std::pow(3, 6));
}

// g gives a value and the gradients for x and for a variable: compiled the same.
template <class G> void check_gradients_compiled(G g, const Tensor& x) {
  const auto [y, dx, dw] = g(x);
  const auto [cy, cdx, cdw] = compile(g)(x);
  CHECK_SAME(cy, y);
  CHECK_SAME(cdx, dx);
  CHECK_SAME(cdw, dw);
}

TEST_CASE("a compiled gradient of a loop without a bound has the eager bits", "[control][while]") {
  const Variable w(random::normal({3, 3}, 0, 0.6, f64));
  const auto g = [&](const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = while_loop([](const auto& c) { return c.second < 150; },
                                [&](const auto& c) { return std::pair(tanh(matmul(c.first, w) + x), c.second + 1); },
                                std::pair(x, Tensor(full({}, 0, i32))))
                         .first;
    const auto [dx, dw] = tape.gradient(sum(y), x, w);
    return std::tuple(y, dx, dw);
  };
  check_gradients_compiled(g, random::normal({2, 3}, 0, 1, f64));
}

TEST_CASE("a while_loop without a bound has the gradients that it has compiled", "[control]") {
  const Variable w = random::normal({4, 4});
  const auto g = [&](const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = while_loop([](const auto& c) { return c.second < 5; },
                                [&](const auto& c) {
                                  const Tensor h = matmul(c.first, w);
                                  return std::pair(tanh(h) + sin(matmul(h, w)) * cos(matmul(h, w)), c.second + 1);
                                },
                                std::pair(x, Tensor(full({}, 0, i32))))
                         .first;
    const auto [dx, dw] = tape.gradient(sum(square(y)), x, w);
    return std::tuple(y, dx, dw);
  };
  check_gradients_compiled(g, random::normal({3, 4}));
}

TEST_CASE("scan gives the last carry and every y", "[control][scan]") {
  const auto f = [](const Tensor& xs, bool reverse) {
    return scan([](const Tensor& c, const Tensor& x) { return std::pair(c + x, c * 10 + x); }, full({}, 0.f), xs,
                {.reverse = reverse});
  };
  for (const bool reverse : {false, true}) {
    auto compiled = compile([&](const Tensor& xs) { return f(xs, reverse); });
    const Tensor xs = tensor<float>({1, 2, 3, 4});
    for (const auto& [c, ys] : {f(xs, reverse), compiled(xs)}) {
      CHECK(c.item() == 10);
      CHECK(ys.to_vector<float>() == (reverse ? std::vector<float>{91, 72, 43, 4} : std::vector<float>{1, 12, 33, 64}));
    }
  }
}

TEST_CASE("scan over nothing gives the carry it began with", "[control][scan]") {
  const auto [c, ys] =
      scan([](const Tensor& c, const Tensor& x) { return std::pair(c + x, x); }, full({}, 7.f), zeros({0}));
  CHECK(c.item() == 7);
  CHECK(ys.shape() == Shape{0});
}

TEST_CASE("scan differentiates to any order through carries, elements and what it captures", "[control][scan]") {
  const auto power = [](const Tensor& x) {  // x^5
    return scan([&](const Tensor& c, const std::tuple<>&) { return std::pair(c * x, std::tuple<>()); }, number(1),
                std::tuple<>(), {.length = 5})
        .first;
  };
  check_orders(power, 1.3, std::pow(1.3, 5), 5 * std::pow(1.3, 4), 20 * std::pow(1.3, 3));
  const auto of_elements = [](const Tensor& x) {  // x + 2x^2 + 3x^3, by Horner
    const Tensor coefficients = stack({x * 0 + 3, x * 0 + 2, x * 0 + 1, x * 0}) * (1 + 0 * x);
    return scan([&](const Tensor& c, const Tensor& k) { return std::pair(c * x + k, c); }, number(0), coefficients)
        .first;
  };
  check_orders(of_elements, 0.7, 0.7 + 2 * 0.49 + 3 * 0.343, 1 + 4 * 0.7 + 9 * 0.49, 4 + 18 * 0.7);
}

TEST_CASE("a recurrent net by scan equals one written out, gradients too, eager and compiled", "[control][scan]") {
  const int T = 6;
  const Tensor xs = random::normal({T, 3, 4}, 0, 1, f64);
  const Variable w(random::normal({4, 5}, 0, 0.5, f64)), u(random::normal({5, 5}, 0, 0.5, f64));
  const Tensor h0 = zeros({3, 5}, f64);
  const auto cell = [&](const Tensor& h, const Tensor& x) { return tanh(matmul(x, w) + matmul(h, u)); };
  const auto by_scan = [&](const Tensor& xs) {
    GradientTape tape;
    const auto [h, ys] = scan(
        [&](const Tensor& h, const Tensor& x) {
          const Tensor next = cell(h, x);
          return std::pair(next, next);
        },
        h0, xs);
    const Tensor loss = sum(square(ys)) + sum(h);
    const auto [dw, du] = tape.gradient(loss, w, u);
    return std::tuple(loss, dw, du);
  };
  GradientTape tape;
  Tensor h = h0, loss = number(0);
  for (int t = 0; t < T; ++t) {
    h = cell(h, squeeze(slice_axis(xs, 0, t, t + 1), Ints{0}));
    loss = loss + sum(square(h));
  }
  loss = loss + sum(h);
  const auto [dw, du] = tape.gradient(loss, w, u);
  auto compiled = compile(by_scan);
  const auto a = by_scan(xs), b = compiled(xs);
  CHECK(std::get<0>(a).item() == Approx(loss.item()));
  const auto near = [](const Tensor& x, const Tensor& y) { return max(abs(x - y)).item() < 1e-12; };
  CHECK(near(std::get<1>(a), dw));
  CHECK(near(std::get<2>(a), du));
  CHECK(std::get<0>(a).item() == std::get<0>(b).item());
  CHECK(std::get<1>(a).to_vector<double>() == std::get<1>(b).to_vector<double>());
  CHECK(std::get<2>(a).to_vector<double>() == std::get<2>(b).to_vector<double>());
  // One loop, not T copies of its body: more steps make no more nodes.
  const std::size_t nodes = compiled.stats().nodes;
  compiled(random::normal({40, 3, 4}, 0, 1, f64));
  CHECK(compiled.stats().nodes == nodes);
}

TEST_CASE("variables assigned in a loop carry from round to round", "[control][scan][while]") {
  Variable v(number(1));
  const auto f = [&](const Tensor& xs) {
    const Tensor ys = scan(
                          [&](const Tensor& c, const Tensor& x) {
                            v.assign_add(x);
                            return std::pair(c + v, v * 1);
                          },
                          number(0), xs)
                          .second;
    while_loop([&](const Tensor&) { return v < 20; },
               [&](const Tensor& c) {
                 v.assign(v * 2);
                 return c + 1;
               },
               full({}, 0, i32));
    return ys;
  };
  const Tensor xs = tensor<double>({1, 2, 3});
  CHECK(f(xs).to_vector<double>() == std::vector<double>{2, 4, 7});
  CHECK(v.value().item() == 28);
  v.assign(1);
  auto compiled = compile(f);
  CHECK(compiled(xs).to_vector<double>() == std::vector<double>{2, 4, 7});
  CHECK(v.value().item() == 28);
}

TEST_CASE("loops that change their carry's type, or have no rounds to count, are refused", "[control][bad]") {
  CHECK_THROWS_AS(scan(
                      [](const Tensor& c, const Tensor&) {
                        return std::pair(Tensor(stack({c, c})), c);
                      },
                      number(0), ones({3}, f64)),
                  ShapeError);
  CHECK_THROWS_AS(
      scan([](const Tensor& c, const Tensor&) { return std::pair(cast(c, f32), c); }, number(0), ones({3}, f64)),
      DTypeError);
  CHECK_THROWS_AS(scan([](const Tensor& c, const Tensor&) { return std::pair(c, c); }, number(0), number(1)),
                  ShapeError);
  CHECK_THROWS_AS(scan([](const Tensor& c, const std::tuple<>&) { return std::pair(c, c); }, number(0), std::tuple<>()),
                  ArgumentError);
  CHECK_THROWS_AS(while_loop([](const Tensor& c) { return c; }, [](const Tensor& c) { return c; }, number(0)),
                  DTypeError);
}

TEST_CASE("a bad index inside a loop is reported with its place and changes no variable", "[control][bad]") {
  Variable v(number(1));
  auto step = compile([&](const Tensor& table, const Tensor& indices) {
    const Tensor s =
        scan([&](const Tensor& c, const Tensor& i) { return std::pair(c + gather(table, i), c); }, number(0), indices)
            .first;
    v.assign_add(1);
    return s;
  });
  const Tensor table = tensor<double>({1, 2, 3});
  CHECK(step(table, tensor<std::int32_t>({0, 2, 2})).item() == 7);
  CHECK_THROWS_AS(step(table, tensor<std::int32_t>({0, 2, 9})), IndexError);
  CHECK(v.value().item() == 2);
}

TEST_CASE("errors of control flow say where it was called", "[control]") {
  const auto with_line = [](const std::string& text) { return text.find("\n  at HERE") != std::string::npos; };
  const Tensor x = ones({3}), n = full({}, 0, i32);
  CHECK(with_line(message_of<ShapeError>([&] {
    cond(
        true, [&] { return x; },
        [&] {
          return concat({x, x}, 0);
        });
  })));
  CHECK(with_line(message_of<DTypeError>(
      [&] { while_loop([](const Tensor& t) { return t < 3; }, [](const Tensor& t) { return cast(t, f32); }, n); })));
  CHECK(with_line(message_of<ShapeError>([&] {
    scan([](const Tensor& c, const Tensor& x) { return std::pair(concat({c, c}, 0), x); }, x, ones({2, 3}));
  })));
  CHECK(with_line(message_of<GuardError>(
      [&] { scan([](const Tensor& c, const Tensor& x) { return std::pair(c * x.item(), x); }, x, ones({2})); })));
}
