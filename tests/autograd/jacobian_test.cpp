// Jacobians and Hessians: the tape's, whose cases the contract numbers, and those of functions.
#include <weft/autograd/jacobian.h>
#include <weft/autograd/vmap.h>
#include <weft/ops/linalg.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

Tensor diagonal(const Tensor& d) { return eye(d.size(), d.dtype()) * d; }

const JacobianOptions each_strategy[] = {{.vectorized = true}, {.vectorized = false}};

// The Jacobians of x^2 y, which are diag(2xy) and diag(x^2).
std::pair<Tensor, Tensor> jacobians_of_product(const Tensor& x, const Tensor& y, const JacobianOptions& options) {
  GradientTape tape({.persistent = true});
  tape.watch(x, y);
  const Tensor z = x * x * y;
  const auto [dx, dy] = tape.jacobian(z, x, y, options);
  return {dx, dy};
}

}  // namespace

TEST_CASE("the jacobian of x^2 y is diagonal, all rows at once or one by one", "[tape][1.5.110][1.5.111][1.5.115]") {
  const NoLeaks leaks;
  const Tensor x = tensor<double>({1.0, 2.0, -3.0}), y = tensor<double>({0.5, 4.0, 2.0});
  for (const JacobianOptions& options : each_strategy) {
    const auto [dx, dy] = jacobians_of_product(x, y, options);
    CHECK_SAME(dx + 0, diagonal(2 * x * y) + 0);
    CHECK_SAME(dy + 0, diagonal(x * x) + 0);
  }
}

TEST_CASE("a jacobian has the target's shape, then the source's, in the sources' structure", "[tape][jacobian]") {
  const Tensor x = ones({2, 3}, f64), w = ones({3, 4}, f64);
  const Variable b(ones({4}, f64));
  GradientTape tape;
  tape.watch(x, w);
  const Tensor y = matmul(x, w) * b;
  const auto [for_list, for_b] = tape.jacobian(y, std::vector{x, w}, b);
  CHECK(for_list[0].shape() == Shape{2, 4, 2, 3});
  CHECK(for_list[1].shape() == Shape{2, 4, 3, 4});
  CHECK(for_b.shape() == Shape{2, 4, 4});
  CHECK_SAME(reshape(for_b, {8, 4}), 3 * concat({eye(4, f64), eye(4, f64)}));
}

TEST_CASE("a model's jacobian is indexed by its variables", "[tape][jacobian]") {
  struct Model {
    Variable w;
    WEFT_MEMBERS(w)
  };
  const Model model{Variable(tensor<double>({1.0, 2.0}))};
  GradientTape tape;
  const Gradients j = tape.jacobian(square(model.w), model);
  CHECK_VALUES(j[model.w], 2, 0, 0, 4);
}

TEST_CASE("an unconnected source has no jacobian, or zeros", "[tape][jacobian]") {
  const Tensor x = tensor<double>({1.0, 2.0}), other = ones({3}, f64);
  for (const bool vectorized : {true, false}) {
    GradientTape tape({.persistent = true});
    tape.watch(x, other);
    const Tensor y = x * x;
    CHECK_FALSE(tape.jacobian(y, other, JacobianOptions{.vectorized = vectorized}).defined());
    const Tensor zero = tape.jacobian(y, other, JacobianOptions{Unconnected::zero, vectorized});
    CHECK_SAME(zero, zeros({2, 3}, f64));
    CHECK_FALSE(tape.jacobian(cast(y, i64), x, JacobianOptions{.vectorized = vectorized}).defined());
  }
}

TEST_CASE("rows one by one need a persistent tape", "[tape][1.5.114][1.5.122]") {
  const Tensor x = ones({2, 2}, f64);
  const auto make = [&](bool batch, bool vectorized, bool persistent) {
    GradientTape tape({.persistent = persistent});
    tape.watch(x);
    const Tensor y = x * x;
    return batch ? tape.batch_jacobian(y, x, {.vectorized = vectorized})
                 : tape.jacobian(y, x, JacobianOptions{.vectorized = vectorized});
  };
  for (const bool batch : {false, true}) {
    CHECK_THAT(message_of<GradError>([&] { make(batch, false, false); }), containing("persistent"));
    CHECK_SAME(make(batch, true, false), make(batch, false, true));
  }
}

TEST_CASE("a tape that is not persistent gives one jacobian", "[tape][jacobian]") {
  const Tensor x = ones({2}, f64);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x;
  CHECK_VALUES(tape.jacobian(y, x), 2, 0, 0, 2);
  CHECK_FALSE(tape.recording());
  CHECK_THROWS_AS(tape.jacobian(y, x), GradError);
  CHECK_THROWS_AS(GradientTape().jacobian(Tensor(), x), GradError);
}

TEST_CASE("a jacobian inside the scope of a persistent tape is recorded by it", "[tape][jacobian]") {
  const Tensor x = tensor<double>({1.0, 2.0});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor first = tape.jacobian(x * x * x, x);
  CHECK_VALUES(first, 3, 0, 0, 12);
  CHECK_GRADIENT(tape.gradient(sum(first), x), 6, 12);
}

TEST_CASE("the batch jacobian of a jacobian", "[tape][1.5.116]") {
  const NoLeaks leaks;
  const Tensor x = tensor<double>({{0.5, -1.0}, {2.0, 3.0}, {-0.3, 0.7}});
  const auto twice = [&](const JacobianOptions& options) {
    GradientTape tape({.persistent = true});
    tape.watch(x);
    const Tensor y = x * x;
    const Tensor rows = tape.batch_jacobian(y, x, options);  // diag(2x) of each row
    return tape.batch_jacobian(sum(rows, 2), x, options);
  };
  for (const JacobianOptions& options : each_strategy)
    CHECK_SAME(twice(options) + 0, broadcast_to(2 * eye(2, f64), {3, 2, 2}) + 0);
}

TEST_CASE("a jacobian through gather is the same by either strategy", "[tape][1.5.117]") {
  Random random(3);
  const Tensor table = random_tensor(random, {4, 3}, f64), index = tensor<std::int64_t>({0, 2, 2});
  Tensor results[2];
  for (const bool vectorized : {false, true}) {
    GradientTape tape({.persistent = true});
    tape.watch(table);
    const Tensor y = sum(square(gather(table, index)), 0);
    results[vectorized] = tape.jacobian(y, table, JacobianOptions{.vectorized = vectorized});
  }
  CHECK(results[0].shape() == Shape{3, 4, 3});
  CHECK_SAME(results[0] + 0, results[1] + 0);
}

TEST_CASE("a persistent tape takes jacobians inside a custom rule", "[tape][1.5.90]") {
  const Tensor x = full({}, 2.0, f64), y = tensor<double>({1.0, 3.0});
  const auto f = custom_gradient([](const Tensor& a, const Tensor& b) {
    const auto rule = [a, b](const Tensor& dy) {
      GradientTape tape({.persistent = true});
      tape.watch(b);
      const Tensor z = b * b * a;
      return std::pair(Tensor(), matmul(dy, tape.jacobian(z, b)));
    };
    return std::pair(b * b * a, rule);
  });
  GradientTape tape;
  tape.watch(x, y);
  const auto [dx, dy] = tape.gradient(f(x, y), x, y);
  CHECK_FALSE(dx.defined());
  CHECK_GRADIENT(dy, 4, 12);
}

// ---- batch_jacobian ----
TEST_CASE("a batch jacobian has each row's own", "[tape][1.5.118][1.5.119][1.5.126]") {
  const NoLeaks leaks;
  const Tensor x = tensor<double>({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}),
               y = tensor<double>({{3.0, 4.0}, {5.0, 6.0}, {7.0, 8.0}});
  for (const JacobianOptions& options : each_strategy) {
    GradientTape tape({.persistent = true});
    tape.watch(x, y);
    const Tensor z = x * x * y;
    const Tensor dx = tape.batch_jacobian(z, x, options), dy = tape.batch_jacobian(z, y, options);
    CHECK(dx.shape() == Shape{3, 2, 2});
    for (std::int64_t b = 0; b < 3; ++b) {
      const auto row = [&](const Tensor& t) { return squeeze(slice_axis(t, 0, b, b + 1), Ints{0}); };
      CHECK_SAME(row(dx) + 0, diagonal(row(2 * x * y)) + 0);
      CHECK_SAME(row(dy) + 0, diagonal(row(x * x)) + 0);
    }
  }
}

TEST_CASE("first dimensions that differ are a ShapeError", "[tape][1.5.123]") {
  GradientTape tape({.persistent = true});
  const Tensor x = ones({2, 3}, f64), y = ones({4, 3}, f64);
  tape.watch(x, y);
  CHECK(message_of<ShapeError>([&] { tape.batch_jacobian(y * 2, x); }) ==
        "batch_jacobian: Need first dimension of target shape ([4, 3]) and source shape ([2, 3]) to match\n"
        "  target f64[4, 3]\n  source f64[2, 3]");
}

TEST_CASE("a batch jacobian needs rank 2 of source and target", "[tape][1.5.124][1.5.125]") {
  GradientTape tape({.persistent = true});
  const Tensor x = ones({2, 3}, f64), v = ones({2}, f64);
  tape.watch(x, v);
  CHECK_THAT(message_of<ShapeError>([&] { tape.batch_jacobian(expand(v, 1) * 2, v); }),
             containing("must have rank at least 2"));
  CHECK_THAT(message_of<ShapeError>([&] { tape.batch_jacobian(sum(x, 1), x); }),
             containing("must have rank at least 2"));
}

TEST_CASE("an unconnected batch jacobian is zeros, an empty one is empty", "[tape][1.5.127]") {
  for (const JacobianOptions& options : each_strategy) {
    GradientTape tape({.persistent = true});
    const Tensor x = ones({2, 3}, f64), other = ones({2, 4}, f64), none = zeros({1, 0}, f64);
    tape.watch(x, other, none);
    CHECK_SAME(tape.batch_jacobian(x * x, other, options), zeros({2, 3, 4}, f64));
    CHECK(tape.batch_jacobian(none * 2, none, options).shape() == Shape{1, 0, 0});
  }
}

// ---- of functions ----
TEST_CASE("jacobian of a function, of its structures", "[jacobian]") {
  const NoLeaks leaks;
  const Tensor x = tensor<double>({1.0, 2.0}), y = tensor<double>({3.0, 4.0, 5.0});
  CHECK_VALUES(jacobian([](const Tensor& t) { return square(t); })(x), 2, 0, 0, 4);
  const auto [for_a, for_b] = jacobian([](const Tensor& a, const Tensor& b) {
    return std::pair(sum(a) * b, std::map<std::string, Tensor>{{"s", sum(a * a)}});
  })(x, y);
  CHECK_SAME(std::get<0>(for_a), broadcast_to(expand(y, 1), {3, 2}));
  CHECK_SAME(std::get<1>(for_a) + 0, diagonal(broadcast_to(sum(x), {3})) + 0);
  CHECK_VALUES(std::get<0>(for_b.at("s")), 2, 4);
  CHECK_VALUES(std::get<1>(for_b.at("s")), 0, 0, 0);  // unconnected
}

TEST_CASE("of integers alone there is no jacobian, of no numbers at all there is", "[jacobian]") {
  const auto f = [](const Tensor& x) { return cast(x, f32) * 2; };
  for (const JacobianMode mode : {JacobianMode::by_shape, JacobianMode::forward, JacobianMode::reverse})
    CHECK_THROWS_AS(jacobian(f, mode)(arange(3)), DTypeError);
  CHECK(jacobian(f)(zeros({0})).shape() == Shape{0, 0});
}

TEST_CASE("a jacobian for variables is of the variables themselves", "[jacobian][hessian]") {
  const Variable v = tensor<double>({1, 2, 3});
  CHECK_SAME(jacobian([](const Variable& q) { return q * q; })(v), diagonal(2 * v.value()));
  CHECK_SAME(jacobian([](const Variable& q) { return q * q; }, JacobianMode::forward)(v), diagonal(2 * v.value()));
  CHECK_SAME(hessian([](const Variable& q) { return sum(q * q * q); })(v), diagonal(6 * v.value()));
}

TEST_CASE("an argument given twice is two arguments", "[jacobian]") {
  const Tensor x = tensor<double>({2.0, 3.0});
  const auto [da, db] = jacobian([](const Tensor& a, const Tensor& b) { return sum(a * a * b); })(x, x);
  CHECK_VALUES(da, 8, 18);
  CHECK_VALUES(db, 4, 9);
}

TEST_CASE("the hessian of a quadratic form is the matrix and its transpose", "[hessian][forward][1.6.41]") {
  const Tensor m = tensor<double>({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}, {7.0, 8.0, 9.0}});
  const Tensor h = hessian([&](const Tensor& x) { return sum(x * matmul(m, x)); })(tensor<double>({0.5, -1.0, 2.0}));
  CHECK_NEAR(h, m + transpose(m), 1e-15);
}

TEST_CASE("the hessian of a layer's variables is symmetric", "[hessian][forward][1.6.42]") {
  const NoLeaks leaks;
  const Variable kernel(tensor<double>({{0.1}, {0.5}})), bias(tensor<double>({0.3}));
  const Tensor x = tensor<double>({{1.0, 2.0}, {-1.0, 0.5}, {0.2, 3.0}});
  GradientTape outer({.persistent = true});
  GradientTape inner;
  const Tensor loss = sum(square(tanh(matmul(x, kernel) + bias)));
  const auto [dk, db] = inner.gradient(loss, kernel, bias);
  const auto [kk, kb] = outer.jacobian(dk, kernel, bias);
  const auto [bk, bb] = outer.jacobian(db, kernel, bias);
  CHECK(kk.shape() == Shape{2, 1, 2, 1});
  CHECK(bb.shape() == Shape{1, 1});
  CHECK_NEAR(reshape(kk, {2, 2}), transpose(reshape(kk, {2, 2})), 1e-14);
  CHECK_NEAR(reshape(kb, {2}), reshape(bk, {2}), 1e-14);
}

TEST_CASE("hessian of a function, in blocks of its arguments", "[hessian]") {
  const NoLeaks leaks;
  const Tensor x = tensor<double>({1.0, 2.0}), y = tensor<double>({3.0});
  CHECK_VALUES(hessian([](const Tensor& t) { return sum(t * t * t); })(x), 6, 0, 0, 12);
  const auto [xx_xy, yx_yy] = hessian([](const Tensor& a, const Tensor& b) { return sum(a * a) * sum(b * b); })(x, y);
  CHECK_VALUES(std::get<0>(xx_xy), 18, 0, 0, 18);
  CHECK_VALUES(std::get<1>(xx_xy), 12, 24);
  CHECK_VALUES(std::get<0>(yx_yy), 12, 24);
  CHECK_VALUES(std::get<1>(yx_yy), 10);
  CHECK_THROWS_AS(hessian([](const Tensor& t) { return t; })(x), GradError);
}

TEST_CASE("jacobians nest", "[jacobian]") {
  const Tensor x = tensor<double>({0.5, -1.0, 2.0});
  const auto f = [](const Tensor& t) { return sum(t * t * t * t); };
  const Tensor third = jacobian(hessian(f))(x);
  CHECK(third.shape() == Shape{3, 3, 3});
  CHECK_NEAR(sum(third, Ints{1, 2}), 24 * x, 1e-14);
  CHECK_NEAR(jacobian(jacobian(f))(x), hessian(f)(x), 1e-14);
}

// ---- either mode ----
namespace {

// The elements that all ops gave while it lived.
class Work : private Recorder {
 public:
  Work() { push_recorder(this); }
  ~Work() override { pop_recorder(this); }
  std::int64_t elements = 0;

 private:
  void record(const Op&, const Attrs&, std::span<const Tensor>, std::span<const Tensor> out) override {
    for (const Tensor& t : out) elements += t.size();
  }
};

Tensor tall(const Tensor& x) { return sum(expand(sin(x * 2), 0) * expand(arange(0, 40, 1, f64), 1), 1); }  // to [40]
Tensor wide(const Tensor& x) { return slice_axis(tanh(x) * sum(x * x), 0, 0, 2); }                         // to [2]

template <class F> void check_modes(const F& f, const Tensor& x) {
  const Tensor forward = jacobian(f, JacobianMode::forward)(x), reverse = jacobian(f, JacobianMode::reverse)(x);
  CHECK(forward.shape() == reverse.shape());
  CHECK_NEAR(forward, reverse, 1e-14);
  CHECK_NEAR(jacobian(f)(x), reverse, 1e-14);
  const double h = 1e-3;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const Tensor d = filled(x.shape(), f64, [&](std::int64_t k) { return k == i ? h : 0; });
    const Tensor column = (f(x - d * 2) - f(x - d) * 8 + f(x + d) * 8 - f(x + d * 2)) / (12 * h);
    CHECK_NEAR(reshape(slice_axis(reshape(forward, {column.size(), x.size()}), 1, i, i + 1), column.shape()), column,
               1e-8);
  }
}

}  // namespace

TEST_CASE("a jacobian is the same forward and in reverse", "[jacobian]") {
  const NoLeaks leaks;
  Random random(8);
  check_modes(tall, random_tensor(random, {3}, f64));
  check_modes(wide, random_tensor(random, {20}, f64));
  check_modes([](const Tensor& x) { return matmul(x, exp(x)); }, random_tensor(random, {2, 2}, f64, -1, 1));
  check_modes([](const Tensor& x) { return sum(x * x); }, random_tensor(random, {4}, f64));
  check_modes([](const Tensor& x) { return max(x, 0) * prod(x); }, random_tensor(random, {2, 3}, f64));
}

TEST_CASE("several arguments and results, of structures, in either mode", "[jacobian]") {
  const NoLeaks leaks;
  Random random(9);
  using Pair = std::pair<Tensor, Tensor>;
  const Pair p(random_tensor(random, {2}, f64), random_tensor(random, {3, 1}, f64));
  const Tensor z = random_tensor(random, {2}, f64);
  const auto f = [](const Pair& a, const Tensor& b) {
    return std::tuple(a.first * a.second, std::map<std::string, Tensor>{{"s", sum(a.second)}, {"b", b * 2}});
  };
  const auto [y, rest] = jacobian(f, JacobianMode::forward)(p, z);
  const auto [yr, rest_r] = jacobian(f, JacobianMode::reverse)(p, z);
  CHECK(std::get<0>(y).second.shape() == Shape{3, 2, 3, 1});
  CHECK_NEAR(std::get<0>(y).first, std::get<0>(yr).first, 1e-15);
  CHECK_NEAR(std::get<0>(y).second, std::get<0>(yr).second, 1e-15);
  CHECK_NEAR(std::get<0>(rest.at("s")).second, std::get<0>(rest_r.at("s")).second, 1e-15);
  CHECK_SAME(std::get<1>(rest.at("b")), 2 * eye(2, f64));
  CHECK_SAME(std::get<1>(y), zeros({3, 2, 2}, f64));  // unconnected
  // Integers have zeros, and a jacobian has its argument's dtype.
  const auto cast_up = [](const Tensor& a, const Tensor& i) { return cast(a, f64) * cast(i, f64); };
  for (const JacobianMode mode : {JacobianMode::forward, JacobianMode::reverse, JacobianMode::by_shape}) {
    const auto [da, di] = jacobian(cast_up, mode)(tensor({1, 2}), tensor<std::int32_t>({3, 4}));
    CHECK_VALUES(da, 3, 0, 0, 4);
    CHECK(da.dtype() == f32);
    CHECK_SAME(di, zeros({2, 2}, i32));
  }
}

TEST_CASE("by shape a jacobian takes the mode that is less work", "[jacobian]") {
  const auto work = [](auto f, const Tensor& x, JacobianMode mode) {
    const Work w;
    jacobian(f, mode)(x);
    return w.elements;
  };
  const Tensor two = tensor<double>({0.5, -1.0}), many = arange(0, 40, 1, f64) * 0.1;
  const auto by_shape = JacobianMode::by_shape, forward = JacobianMode::forward, reverse = JacobianMode::reverse;
  CHECK(work(tall, two, by_shape) == work(tall, two, forward));
  CHECK(work(tall, two, forward) * 5 < work(tall, two, reverse));
  CHECK(work(wide, many, by_shape) == work(wide, many, reverse));
  CHECK(work(wide, many, reverse) * 5 < work(wide, many, forward));
}

TEST_CASE("a hessian is the same in either mode, and forward over reverse is less work", "[hessian]") {
  Random random(10);
  const Tensor w = random_tensor(random, {6, 6}, f64, -1, 1), x = random_tensor(random, {6}, f64);
  const auto loss = [&](const Tensor& t) { return sum(square(tanh(matmul(w, t)))) + logsumexp(t); };
  const auto work = [&](JacobianMode mode) {
    const Work count;
    hessian(loss, mode)(x);
    return count.elements;
  };
  CHECK_NEAR(hessian(loss)(x), hessian(loss, JacobianMode::reverse)(x), 1e-13);
  CHECK(work(JacobianMode::forward) < work(JacobianMode::reverse));
}

TEST_CASE("jacobians under vmap, in either mode, and of each other", "[jacobian][vmap]") {
  Random random(11);
  const Tensor batch = random_tensor(random, {4, 3}, f64);
  for (const JacobianMode mode : {JacobianMode::forward, JacobianMode::reverse, JacobianMode::by_shape}) {
    const auto of_tall = jacobian(tall, mode);
    const Tensor all = vmap(of_tall)(batch);
    CHECK(all.shape() == Shape{4, 40, 3});
    for (std::int64_t b = 0; b < 4; ++b) {
      const auto row = [&](const Tensor& t) { return squeeze(slice_axis(t, 0, b, b + 1), Ints{0}); };
      CHECK_NEAR(row(all), of_tall(row(batch)), 1e-14);
    }
    const Tensor x = tensor<double>({0.5, -1.0, 2.0});
    const auto cube = [](const Tensor& t) { return t * t * sum(t); };
    CHECK_NEAR(jacobian(jacobian(cube, mode), JacobianMode::forward)(x),
               jacobian(jacobian(cube), JacobianMode::reverse)(x), 1e-14);
  }
  CHECK_THROWS_AS(jacobian([](const Tensor&) { return Tensor(); })(batch), GradError);
}
