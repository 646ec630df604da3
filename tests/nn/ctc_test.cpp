// CTC against the sum over all alignments, one by one; its gradient, its edges, its errors.
#include <weft/weft.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "../support.h"

using namespace weft;
using namespace weft::test;
using nn::ctc_loss;
using nn::CtcOptions;
using nn::CtcReduction;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using Path = std::vector<std::int64_t>;

// What a path spells: equal neighbours once, then without blanks.
Path spelt(const Path& path, std::int64_t blank) {
  Path r;
  for (std::size_t t = 0; t < path.size(); ++t)
    if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) r.push_back(path[t]);
  return r;
}

struct Outcome {
  double loss;
  std::vector<double> gradient;  // [T, N, classes]
};

// -log of the probability of all paths of `steps` classes that spell the labels, and its gradient.
Outcome by_enumeration(const Tensor& log_probs, std::int64_t example, const Path& labels, std::int64_t steps,
                       std::int64_t blank) {
  const std::int64_t n = log_probs.shape()[1], classes = log_probs.shape()[2];
  const auto x = log_probs.to_vector<double>();
  const auto at = [&](std::int64_t t, std::int64_t c) {
    return static_cast<std::size_t>((t * n + example) * classes + c);
  };
  double total = 0;
  std::vector<double> gradient(x.size());
  std::int64_t paths = 1;
  for (std::int64_t t = 0; t < steps; ++t) paths *= classes;
  for (std::int64_t number = 0; number < paths; ++number) {
    Path path;
    double log_p = 0;
    for (std::int64_t t = 0, rest = number; t < steps; ++t, rest /= classes) {
      path.push_back(rest % classes);
      log_p += x[at(t, path.back())];
    }
    if (spelt(path, blank) != labels) continue;
    total += std::exp(log_p);
    for (std::int64_t t = 0; t < steps; ++t) gradient[at(t, path[static_cast<std::size_t>(t)])] -= std::exp(log_p);
  }
  for (double& g : gradient) g = total > 0 ? g / total : 0;
  return {-std::log(total), gradient};
}

struct Batch {
  Tensor labels, log_probs, label_lengths, input_lengths;
  std::int64_t blank;
};

// Distinct labels, equal ones, one, none, more than there are steps for; beyond the lengths stands what is no class.
Batch batch(std::int64_t blank, DType dtype = f64) {
  Random random(5);
  const std::int64_t a = blank == 0 ? 1 : 0, b = blank == 2 ? 1 : 2;
  return {tensor<std::int64_t>({{a, b, 99}, {b, b, -7}, {b, blank, blank}, {99, 99, 99}, {a, a, a}, {a, b, a}}),
          log_softmax(random_tensor(random, {5, 6, 3}, dtype, -2, 2)), tensor<std::int64_t>({2, 2, 1, 0, 3, 3}),
          tensor<std::int64_t>({5, 4, 3, 5, 4, 3}), blank};
}

Tensor loss_of(const Batch& b, CtcReduction reduction, bool zero_infinity = false) {
  return ctc_loss(b.labels, b.log_probs, b.label_lengths, b.input_lengths,
                  {.blank = b.blank, .reduction = reduction, .zero_infinity = zero_infinity});
}

Path labels_of(const Batch& b, std::int64_t i) {
  Path r;
  for (std::int64_t k = 0; k < b.label_lengths.at({i}); ++k)
    r.push_back(static_cast<std::int64_t>(b.labels.at({i, k})));
  return r;
}

}  // namespace

TEST_CASE("CTC's loss and gradient are those of the sum over all alignments", "[ctc]") {
  for (const std::int64_t blank : {0, 1, 2}) {
    INFO("blank " << blank);
    const Batch b = batch(blank);
    GradientTape tape;
    tape.watch(b.log_probs);
    const Tensor losses = loss_of(b, CtcReduction::none), gradient = tape.gradient(losses, b.log_probs);
    std::vector<double> expected, expected_gradient(static_cast<std::size_t>(b.log_probs.size()));
    for (std::int64_t i = 0; i < 6; ++i) {
      const Outcome o =
          by_enumeration(b.log_probs, i, labels_of(b, i), static_cast<std::int64_t>(b.input_lengths.at({i})), blank);
      expected.push_back(o.loss);
      for (std::size_t k = 0; k < o.gradient.size(); ++k) expected_gradient[k] += o.gradient[k];
    }
    CHECK(expected[4] == inf);  // three equal labels need five steps
    CHECK(losses.at({4}) == inf);
    CHECK_NEAR(where(isinf(losses), 0, losses), where(isinf(from_vector(expected)), 0, from_vector(expected)), 1e-13);
    CHECK_NEAR(gradient, from_vector(expected_gradient, b.log_probs.shape()), 1e-13);
  }
}

TEST_CASE("CTC's reductions: the mean is of losses over their numbers of labels", "[ctc]") {
  const Batch b = batch(0);
  const auto each = loss_of(b, CtcReduction::none, true).to_vector<double>();
  CHECK(each[4] == 0);
  double total = 0, mean = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    total += each[i];
    mean += each[i] / std::max(1.0, b.label_lengths.to_vector<double>()[i]) / 6;
  }
  CHECK(std::abs(loss_of(b, CtcReduction::sum, true).item() - total) < 1e-12);
  CHECK(std::abs(loss_of(b, CtcReduction::mean, true).item() - mean) < 1e-12);
  CHECK(std::abs(ctc_loss(b.labels, b.log_probs, b.label_lengths, b.input_lengths, {.zero_infinity = true}).item() -
                 mean) < 1e-12);
  CHECK(loss_of(b, CtcReduction::sum).item() == inf);
  const Batch narrow = batch(0, f32);
  CHECK(loss_of(narrow, CtcReduction::none).dtype() == f32);
  CHECK(std::abs(loss_of(narrow, CtcReduction::mean, true).item() - mean) < 1e-5);
  const Tensor half = ctc_loss(b.labels, cast(b.log_probs, DType::bf16), cast(b.label_lengths, i32), b.input_lengths,
                               {.zero_infinity = true});
  CHECK(half.dtype() == DType::bf16);
  CHECK(std::abs(half.item() - mean) < 0.05);
}

TEST_CASE("CTC passes gradcheck at orders 1 and 2, forward mode too, from logits and under vmap", "[ctc][gradcheck]") {
  Random random(6);
  const Batch b = batch(0);
  const auto f = [&](const Tensor& logits) {
    return ctc_loss(b.labels, log_softmax(logits), b.label_lengths, b.input_lengths, {.zero_infinity = true});
  };
  const Tensor x = random_tensor(random, {5, 6, 3}, f64, -2, 2);
  CHECK(gradcheck(f, x).message == "");
  CHECK(gradcheck(
            [&](const Tensor& p) {
              return ctc_loss(b.labels, p, b.label_lengths, b.input_lengths,
                              {.reduction = CtcReduction::none, .zero_infinity = true});
            },
            b.log_probs)
            .message == "");
  const Tensor several = random_tensor(random, {2, 5, 6, 3}, f64, -2, 2);
  CHECK_NEAR(vmap(f)(several), stack({f(several[0]), f(several[1])}), 1e-14);
}

TEST_CASE("CTC compiled is CTC eager to the bit, gradients and second ones too", "[ctc]") {
  const Batch b = batch(1, f32);
  const auto f = [&](const Tensor& labels, const Tensor& log_probs) {
    GradientTape outer;
    outer.watch(log_probs);
    GradientTape tape;
    tape.watch(log_probs);
    const Tensor loss =
        ctc_loss(labels, log_probs, b.label_lengths, b.input_lengths, {.blank = 1, .reduction = CtcReduction::none});
    const Tensor gradient = tape.gradient(loss, log_probs);
    return std::tuple(loss, gradient, outer.gradient(square(gradient), log_probs));
  };
  auto compiled = compile(f);
  const auto [loss, first, second] = f(b.labels, b.log_probs);
  const auto [loss2, first2, second2] = compiled(b.labels, b.log_probs);
  CHECK_SAME(loss2, loss);
  CHECK_SAME(first2, first);
  CHECK_SAME(second2, second);
  CHECK(all(isfinite(second)).item<bool>());
  CHECK_THROWS_AS(compiled(full({6, 3}, 1, i64), b.log_probs), IndexError);  // a blank
  CHECK_SAME(std::get<0>(compiled(b.labels, b.log_probs)), loss);
}

TEST_CASE("classes of no probability make no NaN in CTC", "[ctc]") {
  // Step 1 can be nothing but class 1.
  const Tensor x = tensor<double>({{{std::log(.5), std::log(.5)}}, {{-inf, 0}}, {{std::log(.25), std::log(.75)}}});
  const Tensor one = tensor<std::int64_t>({1}), three = tensor<std::int64_t>({3});
  const auto f = [&](const Tensor& p, const Tensor& labels) {
    GradientTape outer;
    outer.watch(p);
    GradientTape tape;
    tape.watch(p);
    const Tensor loss = ctc_loss(labels, p, one * labels.shape()[1], three, {.reduction = CtcReduction::sum});
    const Tensor gradient = tape.gradient(loss, p);
    return std::tuple(loss, gradient, outer.gradient(gradient, p));
  };
  const auto [loss, gradient, second] = f(x, tensor<std::int64_t>({{1}}));
  // All paths x 1 y spell 1: their probabilities sum to 1.
  CHECK(std::abs(loss.item()) < 1e-15);
  CHECK_NEAR(gradient, tensor<double>({{{-.5, -.5}}, {{0, -1}}, {{-.25, -.75}}}), 1e-15);
  CHECK(all(isfinite(second)).item<bool>());
  const auto [never, none, nothing] = f(x, tensor<std::int64_t>({{1, 1}}));  // needs a blank at step 1
  CHECK(never.item() == inf);
  CHECK_SAME(none, zeros({3, 1, 2}, f64));
  CHECK(all(isfinite(nothing)).item<bool>());
}

TEST_CASE("CTC of no labels, no steps, no examples", "[ctc]") {
  const Tensor x = log_softmax(zeros({3, 2, 4}, f64));
  const Tensor none = zeros({2, 0}, i64), zero = zeros({2}, i64), three = full({2}, 3, i64);
  CHECK_NEAR(ctc_loss(none, x, zero, three, {.reduction = CtcReduction::none}), full({2}, 3 * std::log(4.0), f64),
             1e-14);
  CHECK_VALUES(ctc_loss(none, zeros({0, 2, 4}), zero, zero, {.reduction = CtcReduction::none}), 0, 0);
  CHECK_VALUES(ctc_loss(ones({2, 1}, i64), x, ones({2}, i64), zero, {.reduction = CtcReduction::none}), inf, inf);
  CHECK(ctc_loss(zeros({0, 2}, i64), zeros({3, 0, 4}), zeros({0}, i64), zeros({0}, i64),
                 {.reduction = CtcReduction::none})
            .shape() == Shape{0});
  CHECK(
      ctc_loss(zeros({0, 2}, i64), zeros({3, 0, 4}), zeros({0}, i64), zeros({0}, i64), {.reduction = CtcReduction::sum})
          .item() == 0);
}

TEST_CASE("what CTC refuses", "[ctc][golden]") {
  const Tensor x = log_softmax(zeros({4, 2, 3})), labels = ones({2, 2}, i64), lengths = full({2}, 2, i64),
               steps = full({2}, 4, i64);
  CHECK(message_of<IndexError>([&] {
          ctc_loss(labels, x, tensor<std::int64_t>({2, 3}), steps);
        }) ==
        "ctc_loss: a label length: index 3 at [1] must be within [0, 2]\n"
        "  labels         i64[2, 2]\n"
        "  log_probs      f32[4, 2, 3]\n"
        "  label_lengths  i64[2]\n"
        "  input_lengths  i64[2]\n"
        "  at HERE");
  CHECK_THROWS_AS(ctc_loss(labels, x, -lengths, steps), IndexError);
  CHECK(message_of<IndexError>([&] {
          ctc_loss(labels, x, lengths, steps + 1);
        }).find("an input length: index 5 at [0] must be within [0, 4]") != std::string::npos);
  CHECK(message_of<IndexError>([&] {
          ctc_loss(tensor<std::int64_t>({{1, 2}, {0, 1}}), x, lengths, steps);
        }).find("a label is no class, or the blank, which is shown as -1: index -1 at [1, 0] must be within [0, 2]") !=
        std::string::npos);
  CHECK(message_of<IndexError>([&] { ctc_loss(labels + 2, x, lengths, steps); }).find("index 3 at [0, 0]") !=
        std::string::npos);
  CHECK_THROWS_AS(ctc_loss(labels, x, lengths, steps, {.blank = 3}), ArgumentError);
  CHECK_THROWS_AS(ctc_loss(labels, x, lengths, steps, {.blank = -1}), ArgumentError);
  CHECK_THROWS_AS(ctc_loss(cast(labels, f32), x, lengths, steps), DTypeError);
  CHECK_THROWS_AS(ctc_loss(labels, cast(x, i32), lengths, steps), DTypeError);
  CHECK_THROWS_AS(ctc_loss(labels, x, cast(lengths, f32), steps), DTypeError);
  CHECK_THROWS_AS(ctc_loss(labels, x, lengths, cast(steps, u8)), DTypeError);
  CHECK_THROWS_AS(ctc_loss(labels, x[0], lengths, steps), ShapeError);
  CHECK_THROWS_AS(ctc_loss(labels[0], x, lengths, steps), ShapeError);
  CHECK_THROWS_AS(ctc_loss(ones({3, 2}, i64), x, lengths, steps), ShapeError);
  CHECK_THROWS_AS(ctc_loss(labels, x, ones({1}, i64), steps), ShapeError);
  CHECK_THROWS_AS(ctc_loss(labels, x, lengths, ones({2, 1}, i64)), ShapeError);
  CHECK_THROWS_AS(ctc_loss(labels, zeros({4, 2, 1}), lengths, steps), ShapeError);
  CHECK_THROWS_AS(ctc_loss(labels, Tensor(), lengths, steps), ArgumentError);
}
