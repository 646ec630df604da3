// Losses against their formulas in double, at the edges of the number range, and against operands that do not fit.
#include <weft/weft.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "catch.h"

using namespace weft;
using nn::softmax_cross_entropy;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class E, class F> std::string message_of(F f) {
  try {
    f();
  } catch (const E& e) { return e.what(); }
  FAIL("no such error was thrown");
  return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// f(labels, outputs) and its gradient for the outputs, eager and compiled: the same bits.
struct Outcome {
  std::vector<double> values, gradient;
};
template <class Loss> Outcome outcome(Loss loss, const Tensor& labels, const Tensor& outputs) {
  const auto both = [&](const Tensor& y, const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    const Tensor value = loss(y, x);
    const Tensor gradient = tape.gradient(value, x);
    return std::pair(value, gradient);
  };
  const auto [value, gradient] = both(labels, outputs);
  auto compiled = compile(both, {.check = true});
  const auto [value2, gradient2] = compiled(labels, outputs);
  CHECK(gradient.type() == outputs.type());
  return {value2.template to_vector<double>(), gradient2.template to_vector<double>()};
}

const Tensor targets = tensor<double>({{0.0, 1.5, -2.0}, {4.0, -0.5, 3.0}});
const Tensor guesses = tensor<double>({{0.25, 1.5, -4.0}, {0.5, 0.5, 2.5}});

}  // namespace

TEST_CASE("mse, mae and huber are means of their formulas") {
  const auto y = targets.to_vector<double>(), p = guesses.to_vector<double>();
  double square = 0, absolute = 0, huber = 0;
  constexpr double delta = 0.75;
  std::vector<double> dsquare, dabsolute, dhuber;
  for (std::size_t i = 0; i < 6; ++i) {
    const double d = p[i] - y[i], a = std::abs(d), sign = (d > 0) - (d < 0);
    square += d * d / 6;
    absolute += a / 6;
    huber += (a <= delta ? d * d / 2 : delta * (a - delta / 2)) / 6;
    dsquare.push_back(2 * d / 6);
    dabsolute.push_back(sign / 6);
    dhuber.push_back((a <= delta ? d : delta * sign) / 6);
  }
  const auto check = [&](auto loss, double value, const std::vector<double>& gradient) {
    const Outcome o = outcome(loss, targets, guesses);
    REQUIRE(o.values.size() == 1);
    CHECK(o.values[0] == Approx(value).epsilon(1e-14));
    for (std::size_t i = 0; i < 6; ++i) CHECK(o.gradient[i] == Approx(gradient[i]).epsilon(1e-14));
  };
  check([](const Tensor& a, const Tensor& b) { return nn::mse(a, b); }, square, dsquare);
  check([](const Tensor& a, const Tensor& b) { return nn::mae(a, b); }, absolute, dabsolute);
  check([](const Tensor& a, const Tensor& b) { return nn::huber(a, b, delta); }, huber, dhuber);
}

TEST_CASE("huber's slope is delta however far it is off") {
  const Tensor p = tensor({INFINITY, -INFINITY, 1e30, 0.5});
  GradientTape tape;
  tape.watch(p);
  const Tensor slope = tape.gradient(nn::huber(zeros({4}), p, 2), p);
  CHECK(all(equal(slope, tensor({0.5, -0.5, 0.5, 0.125}))).item<bool>());
}

TEST_CASE("sigmoid cross-entropy is stable, and its gradient is sigmoid(x) - z at 0 too") {
  const std::vector<double> logits = {0, -0.0, 1, -1, 30, -30, 100, -100, 1000, -1000},
                            labels = {1, 0, 1, 0.25, 0, 1, 1, 0, 0, 1};
  const Outcome o =
      outcome([](const Tensor& z, const Tensor& x) { return nn::sigmoid_cross_entropy_with_logits(z, x); },
              from_vector(labels), from_vector(logits));
  REQUIRE(o.values.size() == logits.size());  // element by element
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double x = logits[i], z = labels[i];
    CHECK(o.values[i] ==
          Approx(std::max(x, 0.0) - x * z + std::log1p(std::exp(-std::abs(x)))).epsilon(1e-14).margin(1e-300));
    CHECK(o.gradient[i] == Approx(1 / (1 + std::exp(-x)) - z).epsilon(1e-13).margin(1e-15));
  }
}

TEST_CASE("softmax cross-entropy of class numbers and of probabilities") {
  const std::vector<double> logits = {1, 2, 3, -1, 0, 700, 0, 0, 0, 1e4, -1e4, 3};
  const Tensor x = from_vector(logits, {4, 3});
  const std::vector<std::int64_t> labels = {2, 0, 1, 1};
  std::vector<double> loss(4), gradient(12);
  for (std::size_t i = 0; i < 4; ++i) {
    const double m = std::max({logits[3 * i], logits[3 * i + 1], logits[3 * i + 2]});
    double total = 0;
    for (std::size_t c = 0; c < 3; ++c) total += std::exp(logits[3 * i + c] - m);
    const auto label = static_cast<std::size_t>(labels[i]);
    loss[i] = m + std::log(total) - logits[3 * i + label];
    for (std::size_t c = 0; c < 3; ++c) gradient[3 * i + c] = std::exp(logits[3 * i + c] - m) / total - (c == label);
  }
  const auto check = [&](const Tensor& y, const Tensor& at, double tolerance) {
    const Outcome o = outcome([](const Tensor& a, const Tensor& b) { return softmax_cross_entropy(a, b); }, y, at);
    REQUIRE(o.values.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(o.values[i] == Approx(loss[i]).epsilon(tolerance).margin(tolerance));
    for (std::size_t i = 0; i < 12; ++i)
      CHECK(o.gradient[i] == Approx(gradient[i]).epsilon(tolerance).margin(tolerance));
  };
  check(from_vector(labels), x, 1e-13);
  check(cast(from_vector(labels), i32), x, 1e-13);
  check(one_hot(from_vector(labels), 3, f64), x, 1e-13);
  check(from_vector(labels), cast(x, f32), 2e-6);
}

TEST_CASE("softmax cross-entropy takes batches of any rank, none too") {
  CHECK(softmax_cross_entropy(zeros({2, 5}, i64), zeros({2, 5, 3})).shape() == Shape{2, 5});
  CHECK(softmax_cross_entropy(zeros({}, i64), zeros({3})).item() == Approx(std::log(3)));
  CHECK(softmax_cross_entropy(zeros({0}, i64), zeros({0, 3})).shape() == Shape{0});
}

TEST_CASE("logits of -inf give no NaN where another class is right") {
  const Tensor x = tensor<double>({{0, -infinity, 1}, {-infinity, -infinity, 2}});
  const double first = std::log(1 + std::exp(1.0));
  const Tensor labels[] = {tensor<std::int64_t>({0, 2}), tensor<double>({{1, 0, 0}, {0, 0, 1}})};
  for (const Tensor& y : labels) {
    const Outcome o = outcome([](const Tensor& a, const Tensor& b) { return softmax_cross_entropy(a, b); }, y, x);
    CHECK(o.values[0] == Approx(first));
    CHECK(o.values[1] == Approx(0).margin(1e-15));
    for (const double g : o.gradient) CHECK(std::isfinite(g));
    CHECK(o.gradient[1] == 0);
  }
  CHECK(softmax_cross_entropy(tensor<std::int64_t>({1, 0}), x).to_vector<double>()[0] == infinity);
}

TEST_CASE("bf16 losses are computed in f32 and rounded once") {
  const Tensor x = cast(tensor({{1, 2, 3}, {3, 2, 5}}), DType::bf16);
  const Tensor loss = softmax_cross_entropy(tensor<std::int64_t>({0, 1}), x);
  CHECK(loss.dtype() == DType::bf16);
  const Tensor wide = softmax_cross_entropy(tensor<std::int64_t>({0, 1}), cast(x, f32));
  CHECK(loss.to_vector<float>() == cast(wide, DType::bf16).to_vector<float>());
}

TEST_CASE("a loss never broadcasts") {
  const Tensor column = zeros({4, 1}), row = zeros({4});
  for (const auto loss :
       {+[](const Tensor&y, const Tensor&p) { return nn::mse(y, p); },
        +[](const Tensor&y, const Tensor&p) { return nn::mae(y, p); },
        +[](const Tensor&y, const Tensor&p) { return nn::huber(y, p); },
        +[](const Tensor&y, const Tensor&p) { return nn::sigmoid_cross_entropy_with_logits(y, p); }}) {
    const std::string text = message_of<ShapeError>([&] { loss(column, row); });
    CHECK(contains(text, "shapes differ: [4, 1] and [4]"));
    CHECK(contains(text, "labels       f32[4, 1]"));
    CHECK(contains(text, "losses_test.cpp:"));
    CHECK(contains(text, "never broadcasts"));
    CHECK_THROWS_AS(loss(zeros({4}), zeros({})), ShapeError);
    CHECK_THROWS_AS(loss(zeros({4}, f64), zeros({4})), DTypeError);
    CHECK_THROWS_AS(loss(zeros({4}, i64), zeros({4}, i64)), DTypeError);
    CHECK_THROWS_AS(loss(Tensor(), zeros({4})), ArgumentError);
  }
  CHECK_THROWS_AS(nn::huber(row, row, 0), ArgumentError);
  CHECK_THROWS_AS(nn::huber(row, row, NAN), ArgumentError);
  CHECK_THROWS_AS(nn::huber(row, row, 1e300), ArgumentError);
}

TEST_CASE("softmax cross-entropy names labels that do not fit") {
  const Tensor x = zeros({2, 3});
  const std::string text = message_of<IndexError>([&] { softmax_cross_entropy(tensor<std::int64_t>({0, 3}), x); });
  CHECK(contains(text, "softmax_cross_entropy: a label is no class: index 3 at [1] must be within [0, 2]"));
  CHECK(contains(text, "logits       f32[2, 3]"));
  CHECK_THROWS_AS(softmax_cross_entropy(tensor<std::int64_t>({0, -1}), x), IndexError);
  CHECK(contains(message_of<DTypeError>([&] { softmax_cross_entropy(zeros({2}), x); }), "cast(labels, i64)"));
  CHECK(contains(message_of<DTypeError>([&] { softmax_cross_entropy(x, zeros({2}, i64)); }), "labels come first"));
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({2}, u8), x), DTypeError);
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({2, 3}, f64), x), DTypeError);
  CHECK(contains(message_of<ShapeError>([&] { softmax_cross_entropy(zeros({2, 1}, i64), x); }), "they have shape [2]"));
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({2, 3}, i64), x), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({3}, i64), x), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({3}), x), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({}, i64), zeros({})), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({2}, i64), zeros({2, 0})), ShapeError);
  CHECK_THROWS_AS(softmax_cross_entropy(zeros({2}, i64), zeros({2, 3}, i64)), DTypeError);
}

TEST_CASE("a compiled step with a bad label throws and leaves its variables as they were") {
  Variable w = ones({4, 3});
  auto step = compile([&](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(softmax_cross_entropy(y, matmul(x, w)));
    w.assign_sub(tape.gradient(loss, w));
    return loss;
  });
  const Tensor x = ones({2, 4});
  const std::string text = message_of<IndexError>([&] { step(x, tensor<std::int64_t>({0, 7})); });
  CHECK(contains(text, "softmax_cross_entropy: index 7 at [1] must be within [0, 2]"));
  CHECK(contains(text, "losses_test.cpp:"));
  CHECK(w.value().to_vector<float>() == std::vector<float>(12, 1));
  step(x, tensor<std::int64_t>({0, 1}));
  const auto after = w.value().to_vector<float>();
  CHECK(after != std::vector<float>(12, 1));
  CHECK_THROWS_AS(step(x, tensor<std::int64_t>({-1, 1})), IndexError);
  CHECK(w.value().to_vector<float>() == after);
}

TEST_CASE("softmax cross-entropy with smoothed labels, class weights and ignored examples") {
  const std::vector<double> logits = {1, 2, 3, -1, 0, 0.5, 0, 0, 0, NAN, infinity, 3}, w = {0.5, 2, 1};
  const Tensor x = from_vector(logits, {4, 3});
  const std::vector<std::int64_t> labels = {2, 0, 1, -100};
  for (const double smoothing : {0.0, 0.1, 1.0})
    for (const bool weighted : {false, true}) {
      const nn::CrossEntropyOptions options{
          .label_smoothing = smoothing, .ignore = -100, .class_weights = weighted ? from_vector(w) : Tensor()};
      // -sum(w q log_softmax(x)), q the smoothed label: its gradient is softmax(x) sum(w q) - w q
      std::vector<double> loss(4), gradient(12);
      for (std::size_t i = 0; i < 3; ++i) {
        double total = 0, sum_wq = 0, wq[3];
        for (std::size_t c = 0; c < 3; ++c) {
          total += std::exp(logits[3 * i + c]);
          wq[c] =
              (weighted ? w[c] : 1) * ((c == static_cast<std::size_t>(labels[i]) ? 1 - smoothing : 0) + smoothing / 3);
          sum_wq += wq[c];
        }
        for (std::size_t c = 0; c < 3; ++c) {
          loss[i] -= wq[c] * (logits[3 * i + c] - std::log(total));
          gradient[3 * i + c] = std::exp(logits[3 * i + c]) / total * sum_wq - wq[c];
        }
      }
      const auto f = [&](const Tensor& y, const Tensor& at) { return softmax_cross_entropy(y, at, options); };
      const Outcome o = outcome(f, from_vector(labels), x);
      for (std::size_t i = 0; i < 4; ++i) CHECK(o.values[i] == Approx(loss[i]).epsilon(1e-13));
      for (std::size_t i = 0; i < 12; ++i) CHECK(o.gradient[i] == Approx(gradient[i]).epsilon(1e-13).margin(1e-15));

      nn::CrossEntropyOptions of_all = options;
      of_all.ignore = {};
      const auto g = [&](const Tensor& y, const Tensor& at) { return softmax_cross_entropy(y, at, of_all); };
      const Tensor three = slice(x, {0, 0}, {3, 3});
      const Outcome p = outcome(g, one_hot(tensor<std::int64_t>({2, 0, 1}), 3, f64), three);
      for (std::size_t i = 0; i < 3; ++i) CHECK(p.values[i] == Approx(loss[i]).epsilon(1e-13));
      for (std::size_t i = 0; i < 9; ++i) CHECK(p.gradient[i] == Approx(gradient[i]).epsilon(1e-13).margin(1e-15));
    }
  CHECK_THROWS_AS(softmax_cross_entropy(from_vector(labels), x), IndexError);
  CHECK_THROWS_AS(softmax_cross_entropy(from_vector(labels), x, {.ignore = 2}), IndexError);
  CHECK(softmax_cross_entropy(cast(from_vector(labels), i32), x, {.ignore = -100}).at({3}) == 0);
}

TEST_CASE("options of softmax cross-entropy that can't be are named") {
  const Tensor y = zeros({2}, i64), x = zeros({2, 3});
  CHECK(contains(message_of<ArgumentError>([&] { softmax_cross_entropy(y, x, {.label_smoothing = 1.5}); }),
                 "label_smoothing 1.5 is not in [0, 1]"));
  CHECK_THROWS_AS(softmax_cross_entropy(y, x, {.label_smoothing = NAN}), ArgumentError);
  CHECK(contains(message_of<ShapeError>([&] { softmax_cross_entropy(y, x, {.class_weights = ones({2})}); }),
                 "class_weights have shape [2], not [3]"));
  CHECK(contains(message_of<DTypeError>([&] { softmax_cross_entropy(y, x, {.class_weights = ones({3}, f64)}); }),
                 "class_weights are f64, not f32 as the logits"));
  CHECK_THROWS_AS(softmax_cross_entropy(x, x, {.ignore = 1}), ArgumentError);
}

TEST_CASE("a class of weight 0 costs nothing, however impossible, and a class number of any size is ignored") {
  const Tensor x = tensor<double>({{0, -infinity, 1}, {2, 1, 0}}), w = tensor<double>({1, 0, 1});
  for (const double smoothing : {0.0, 0.1}) {
    const nn::CrossEntropyOptions options{.label_smoothing = smoothing, .class_weights = w};
    const auto f = [&](const Tensor& y, const Tensor& at) { return softmax_cross_entropy(y, at, options); };
    for (const Tensor& y : {tensor({1, 0}, i64), tensor({{0, 1, 0}, {1, 0, 0}}, f64)}) {
      const Outcome o = outcome(f, y, x);
      CHECK(std::isfinite(o.values[0]));
      if (smoothing == 0) CHECK(o.values[0] == 0);
    }
  }
  CHECK(softmax_cross_entropy(tensor({1}, i64), slice(x, {0, 0}, {1, 3}), {.label_smoothing = 1}).item() == infinity);
  CHECK(softmax_cross_entropy(tensor({0, 1}, i32), x, {.ignore = std::int64_t{1} << 40}).shape() == Shape{2});
}

TEST_CASE("class weights are of the given logits' dtype under a precision scope too") {
  const nn::PrecisionScope scope(DType::bf16);
  const Tensor x = tensor({{1, 2, 3}}, bf16), y = tensor({1}, i64);
  CHECK(softmax_cross_entropy(y, x, {.class_weights = tensor({1, 2, 1}, bf16)}).item() ==
        Approx(2 * (1 + std::log(1 + std::exp(-1) + std::exp(-2)))).epsilon(1e-6));
}

TEST_CASE("binary cross-entropy of probabilities holds its logarithms, and has a finite gradient everywhere") {
  const std::vector<double> p = {0.3, 0.9, 0, 1, 0, 1, 1e-50}, z = {1, 0.25, 0, 1, 1, 0, 1};
  const Outcome o = outcome([](const Tensor& y, const Tensor& x) { return nn::binary_cross_entropy(y, x); },
                            from_vector(z), from_vector(p));
  const auto held = [](double x) { return std::max(std::log(x), -100.0); };
  for (std::size_t i = 0; i < p.size(); ++i) {
    CHECK(o.values[i] == Approx(-z[i] * held(p[i]) - (1 - z[i]) * held(1 - p[i])).epsilon(1e-13).margin(1e-300));
    const double up = p[i] > std::exp(-100.0) ? z[i] / p[i] : 0, down = p[i] < 1 ? (1 - z[i]) / (1 - p[i]) : 0;
    CHECK(o.gradient[i] == Approx(down - up).epsilon(1e-13));
  }
  CHECK(std::isnan(nn::binary_cross_entropy(tensor(1), tensor(NAN)).item()));
  CHECK(!std::signbit(nn::binary_cross_entropy(tensor(1), tensor(1)).item()));
  const Tensor tiny = tensor({1e-200, 5e-324, 0, 1, 0.5}, f64);  // and their slopes' slopes
  const auto loss = [](const Tensor& t) { return sum(nn::binary_cross_entropy(full(t.shape(), 0.75, f64), t)); };
  for (const double d : grad([&](const Tensor& t) { return sum(grad(loss)(t)); })(tiny).to_vector<double>())
    CHECK(std::isfinite(d));
  CHECK_THROWS_AS(nn::binary_cross_entropy(zeros({4, 1}), zeros({4})), ShapeError);
  CHECK_THROWS_AS(nn::binary_cross_entropy(zeros({4}, i64), zeros({4})), DTypeError);
}

TEST_CASE("kl_divergence is sum(p log(p / q))") {
  const Tensor p = tensor<double>({{0.25, 0.75, 0}, {1, 0, 0}, {0.5, 0.25, 0.25}}),
               q = tensor<double>({{0.5, 0.25, 0.25}, {0.25, 0.5, 0.25}, {0.5, 0.5, 0}});
  const Outcome o = outcome([](const Tensor& y, const Tensor& x) { return nn::kl_divergence(y, x); }, p, q);
  CHECK(o.values[0] == Approx(0.25 * std::log(0.5) + 0.75 * std::log(3.0)));
  CHECK(o.values[1] == Approx(std::log(4.0)));
  CHECK(o.values[2] == infinity);
  CHECK(o.gradient[0] == Approx(-0.5));
  CHECK(o.gradient[2] == 0);
  CHECK(nn::kl_divergence(p, p).to_vector<double>() == std::vector<double>(3, 0));
  CHECK_THROWS_AS(nn::kl_divergence(zeros({2, 3}), zeros({3})), ShapeError);
  CHECK_THROWS_AS(nn::kl_divergence(zeros({}), zeros({})), ShapeError);
}
