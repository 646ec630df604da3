// vmap: what it gives is what a loop over the examples gives.
#include <weft/autograd/vmap.h>
#include <weft/ops/check.h>
#include <weft/ops/random.h>

#include <set>

#include "../op_samples.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

// 0, 1, 2, ...
Tensor numbers(std::int64_t n) {
  return filled({n}, f64, [](std::int64_t i) { return static_cast<double>(i); });
}

// Operand i of example b: sample b's if the operand is batched, the first one's if not.
std::vector<Tensor> example(const std::vector<OpSample>& samples, std::size_t b, unsigned batched) {
  std::vector<Tensor> in;
  for (std::size_t i = 0; i < samples[0].in.size(); ++i) in.push_back(samples[batched >> i & 1 ? b : 0].in[i]);
  return in;
}

std::vector<Tensor> slices(const Tensor& t) {
  std::vector<Tensor> r;
  for (std::int64_t b = 0; b < t.shape()[0]; ++b) r.push_back(squeeze(slice_axis(t, 0, b, b + 1), Ints{0}));
  return r;
}

// The batched operands stacked as leaves 0, 1, ...
struct Batch {
  std::vector<Tensor> leaves, fixed;
  unsigned mask;
  Batch(const std::vector<OpSample>& samples, unsigned batched) : fixed(samples[0].in), mask(batched) {
    for (std::size_t i = 0; i < fixed.size(); ++i) {
      if (!(batched >> i & 1)) continue;
      std::vector<Tensor> parts;
      for (const OpSample& s : samples) parts.push_back(s.in[i]);
      leaves.push_back(stack(parts));
    }
  }
  std::vector<Tensor> operands(const std::vector<Tensor>& examples) const {
    std::vector<Tensor> in = fixed;
    std::size_t next = 0;
    for (std::size_t i = 0; i < in.size(); ++i)
      if (mask >> i & 1) in[i] = examples[next++];
    return in;
  }
};

// Calls f(op, samples of four examples) for each sample of each op of the table.
template <class F> void each_batch(DType t, F f) {
  for (const SampledOp& op : sampled_ops()) {
    if (!op.accepts(t)) continue;
    std::vector<std::vector<OpSample>> of_example;
    for (std::uint64_t b = 0; b < 4; ++b) {
      Random random(100 + b);
      of_example.push_back(op.samples(t, random));
    }
    for (std::size_t k = 0; k < of_example[0].size(); ++k) {
      std::vector<OpSample> samples;
      for (const auto& list : of_example) samples.push_back(list[k]);
      f(op, samples);
    }
  }
}

}  // namespace

TEST_CASE("each op of the table under vmap is the op on each example", "[vmap]") {
  const NoLeaks leaks;
  for (DType t : {f32, f64, i64, DType::boolean})
    each_batch(t, [&](const SampledOp& sampled, const std::vector<OpSample>& samples) {
      const Op& op = *sampled.op;
      for (unsigned mask = 1; mask < 1u << samples[0].in.size(); ++mask) {
        if (op.draws && !(mask & 1)) continue;  // examples that share a generator draw numbers of their own
        INFO(op.name << " " << samples[0].attrs.text() << " of " << name_of(t) << ", batched operands " << mask);
        const Batch batch(samples, mask);
        const auto f = [&](const std::vector<Tensor>& x) { return run(op, {samples[0].attrs, batch.operands(x)}); };
        const std::vector<Tensor> y = vmap(f)(batch.leaves);
        REQUIRE(y.size() == static_cast<std::size_t>(op.outputs));
        for (std::size_t k = 0; k < y.size(); ++k) {
          REQUIRE(y[k].shape()[0] == 4);
          for (std::size_t b = 0; b < 4; ++b) {
            const Tensor one = run(op, {samples[0].attrs, example(samples, b, mask)})[k];
            if (sampled.product && is_floating(t))
              CHECK_NEAR(slices(y[k])[b], one, t == f32 ? 1e-6 : 1e-14);
            else
              CHECK_SAME(slices(y[k])[b], one);
          }
        }
      }
    });
}

TEST_CASE("gradients of and in a vmapped op are the examples' gradients", "[vmap]") {
  each_batch(f64, [&](const SampledOp& sampled, const std::vector<OpSample>& samples) {
    const Op& op = *sampled.op;
    if (!op.differentiable || op.outputs > 1) return;
    const unsigned all = (1u << samples[0].in.size()) - 1;
    for (unsigned mask = 1; mask <= all; ++mask) {
      INFO(op.name << " " << samples[0].attrs.text() << ", batched operands " << mask);
      const Batch batch(samples, mask);
      const auto f = [&](const std::vector<Tensor>& x) { return run(op, {samples[0].attrs, batch.operands(x)})[0]; };
      const auto example_leaves = [&](std::size_t b) {
        std::vector<Tensor> x;
        for (const Tensor& l : batch.leaves) x.push_back(slices(l)[b]);
        return x;
      };
      const Tensor probe = f(example_leaves(0));
      if (!is_floating(probe.dtype())) continue;
      Random random(5);
      const Tensor seed = random_tensor(random, probe.shape(), f64, 0.5, 1.5);
      const auto inside = [&](const std::vector<Tensor>& x) {
        GradientTape tape;
        for (const Tensor& t : x)
          if (is_floating(t.dtype())) tape.watch(t);
        return tape.gradient(f(x), x, GradientOptions{.output_gradients = {seed}, .unconnected = Unconnected::zero});
      };
      std::vector<std::vector<Tensor>> expected;
      for (std::size_t b = 0; b < 4; ++b) expected.push_back(inside(example_leaves(b)));
      const std::vector<Tensor> in = vmap(inside)(batch.leaves);
      GradientTape tape;
      for (const Tensor& t : batch.leaves)
        if (is_floating(t.dtype())) tape.watch(t);
      Shape shape = seed.shape();
      shape.insert(0, 4);
      const Tensor y = vmap(f)(batch.leaves);
      const std::vector<Tensor> around = tape.gradient(
          y, batch.leaves,
          GradientOptions{.output_gradients = {broadcast_to(seed, shape)}, .unconnected = Unconnected::zero});
      for (std::size_t k = 0; k < in.size(); ++k)
        for (std::size_t b = 0; b < 4; ++b) {
          if (!is_floating(batch.leaves[k].dtype())) continue;
          CHECK_NEAR(slices(in[k])[b], expected[b][k], 1e-12);
          CHECK_NEAR(slices(around[k])[b], expected[b][k], 1e-12);
        }
    }
  });
}

// ---- axes and structures ----
TEST_CASE("vmap adds an axis in front of each argument and result", "[vmap]") {
  const NoLeaks leaks;
  const Tensor a = reshape(numbers(6), {2, 3}), b = reshape(numbers(6) + 1, {2, 3});
  const auto dot = vmap([](const Tensor& x, const Tensor& y) { return sum(x * y); });
  CHECK_VALUES(dot(a, b), 8, 62);
  CHECK(dot(a, b).shape() == Shape{2});
}

TEST_CASE("in_axes and out_axes choose the batch axes, also from the back", "[vmap]") {
  const Tensor a = reshape(numbers(6), {2, 3}), w = tensor<double>({10.0, 20.0});
  const auto f = [](const Tensor& x, const Tensor& v) { return x + v; };
  const Tensor columns = vmap(f, {.in_axes = {1, std::nullopt}})(a, w);
  CHECK_SAME(columns, contiguous(transpose(a)) + w);
  CHECK_SAME(vmap(f, {.in_axes = {-1, std::nullopt}, .out_axes = {1}})(a, w), a + expand(w, 1));
  CHECK_SAME(vmap(f, {.in_axes = {1, std::nullopt}, .out_axes = {-1}})(a, w), a + expand(w, 1));
  CHECK_SAME(vmap([](const Tensor& x) { return x * 2; }, {.in_axes = {1}})(a), contiguous(transpose(a)) * 2);
}

TEST_CASE("vmap takes and gives structures, one axis for all tensors in an argument", "[vmap]") {
  const Tensor a = reshape(numbers(6), {2, 3}), b = reshape(numbers(4), {2, 2});
  const auto f = [](const std::map<std::string, Tensor>& x, double scale) {
    return std::pair(x.at("a") * scale, std::vector<Tensor>{sum(x.at("b")), x.at("a") - 1});
  };
  const auto [scaled, rest] = vmap(f, {.out_axes = {1, 0}})(std::map<std::string, Tensor>{{"a", a}, {"b", b}}, 3.0);
  CHECK_SAME(scaled, contiguous(transpose(a * 3)));
  CHECK_VALUES(rest[0], 1, 5);
  CHECK_SAME(rest[1], a - 1);
}

TEST_CASE("what does not depend on the example is computed once and repeated", "[vmap]") {
  const Tensor x = reshape(numbers(4), {4, 1});
  const Tensor w = tensor<double>({1.0, 2.0});
  const auto [same, product] = vmap([&](const Tensor& e) { return std::pair(exp(w), sum(e) * w); })(x);
  CHECK_SAME(same, broadcast_to(exp(w), {4, 2}));
  CHECK_VALUES(product, 0, 0, 1, 2, 2, 4, 3, 6);
  CHECK(vmap([](const Tensor& e) { return exp(e); })(zeros({0, 3}, f64)).shape() == Shape{0, 3});
}

TEST_CASE("vmap nests", "[vmap]") {
  const Tensor a = reshape(numbers(6), {2, 3}), b = reshape(numbers(12), {4, 3});
  const auto dot = [](const Tensor& x, const Tensor& y) { return sum(x * y); };
  const auto all = vmap([&](const Tensor& x) { return vmap(dot, {.in_axes = {std::nullopt, 0}})(x, b); });
  CHECK_NEAR(all(a), matmul(a, transpose(b)), 1e-15);
  const auto outer =
      vmap([&](const Tensor& x, const Tensor& ys) { return vmap([&](const Tensor& y) { return dot(x, y); })(ys); },
           {.in_axes = {0, std::nullopt}, .out_axes = {1}});
  CHECK_NEAR(outer(a, b), matmul(b, transpose(a)), 1e-15);
}

TEST_CASE("a batch that does not fit is an error that names the argument", "[vmap]") {
  const auto f = vmap([](const Tensor& x, const Tensor& y) { return x + y; });
  CHECK(message_of<ShapeError>([&] {
          f(zeros({2, 3}), zeros({3, 3}));
        }) == "vmap: batches of 2 and 3\n  argument 0 f32[2, 3], axis 0\n  argument 1 f32[3, 3], axis 0\n  at HERE");
  CHECK(message_of<IndexError>([&] {
          f(zeros({2, 3}), scalar(1));
        }) ==
        "vmap: there is no axis 0 for the batch\n  argument 1 f32[], axis 0\n  at HERE\n"
        "  hint: an argument that is the same for all examples has std::nullopt in in_axes");
  const auto two = [](const Tensor& x, const Tensor& y) { return x + y; };
  CHECK_THROWS_AS(vmap(two, {.in_axes = {std::nullopt}})(zeros({2}), zeros({2})), ArgumentError);
  CHECK_THROWS_AS(vmap(two, {.in_axes = {0, 0, 0}})(zeros({2}), zeros({2})), ArgumentError);
  CHECK_THROWS_AS(vmap(two, {.out_axes = {0, 0}})(zeros({2}), zeros({2})), ArgumentError);
  CHECK_THROWS_AS(vmap(two, {.out_axes = {1}})(zeros({2}), zeros({2})), IndexError);
  CHECK_THROWS_AS(vmap(two)(zeros({2}), Tensor()), ArgumentError);
}

// ---- variables ----
TEST_CASE("variables read in vmap are the same for all examples, and get their gradient", "[vmap]") {
  const NoLeaks leaks;
  const Variable w(tensor<double>({2.0, 3.0}));
  const Tensor x = reshape(numbers(4), {2, 2});
  GradientTape tape;
  const Tensor y = vmap([&](const Tensor& e) { return sum(e * w); })(x);
  CHECK_VALUES(y, 3, 13);
  CHECK_GRADIENT(tape.gradient(y, w), 2, 4);
}

TEST_CASE("gradients of a model inside vmap are per example", "[vmap]") {
  struct Model {
    Variable w;
    WEFT_MEMBERS(w)
  };
  const Model model{Variable(tensor<double>({2.0, 3.0}))};
  const Tensor x = reshape(numbers(4), {2, 2});
  const auto gradients = vmap([&](const Tensor& e, const Model& m) {
    GradientTape tape;
    return tape.gradient(square(sum(e * m.w)), m);
  })(x, model);
  CHECK_VALUES(gradients[model.w], 0, 6, 52, 78);
}

TEST_CASE("an assignment that is the same for all examples is carried out after vmap", "[vmap]") {
  Variable calls(scalar(0)), kept(tensor<double>({1.0, 2.0}));
  const Tensor x = reshape(numbers(4), {2, 2});
  const Tensor y = vmap([&](const Tensor& e) {
    calls.assign_add(1);
    kept.assign(kept * 2);
    return e * kept;
  })(x);
  CHECK_VALUES(y, 0, 4, 4, 12);
  CHECK(calls.value().item() == 1);
  CHECK_VALUES(kept.value(), 2, 4);
}

TEST_CASE("an assignment of each example's own value is an error and assigns nothing", "[vmap]") {
  Variable first(scalar(0)), last(tensor<double>({1.0, 2.0}), true, "last");
  const auto f = vmap([&](const Tensor& e) {
    first.assign_add(1);
    last.assign(e);
    return sum(e);
  });
  CHECK(message_of<GuardError>([&] {
          f(zeros({3, 2}, f64));
        }) ==
        "vmap: each example assigns its own value to the variable \"last\"\n  at HERE\n"
        "  hint: return the value, and assign what is the same for all, as its mean");
  CHECK(first.value().item() == 0);
  CHECK_VALUES(last.value(), 1, 2);
  CHECK_VALUES(vmap([](const Tensor& e) { return sum(e); })(ones({2, 2}, f64)), 2, 2);
}

// ---- checks, random ----
TEST_CASE("checks under vmap look at every example", "[vmap]") {
  const Tensor table = reshape(numbers(12), {2, 3, 2});
  const auto pick = vmap([](const Tensor& t, const Tensor& i) { return gather(t, i); });
  CHECK_VALUES(pick(table, tensor<std::int64_t>({0, -1})), 0, 1, 10, 11);
  CHECK_THROWS_AS(pick(table, tensor<std::int64_t>({0, 3})), IndexError);
  CHECK_THROWS_AS(pick(table, tensor<std::int64_t>({-4, 0})), IndexError);
  CHECK_THROWS_AS(vmap([](const Tensor& x) { return assert_finite(1 / x); })(tensor<double>({1.0, 0.0})),
                  NumericsError);
}

TEST_CASE("each example draws its own numbers, and the generator goes on by all of them", "[vmap]") {
  random::Generator g(3);
  const Tensor x = zeros({500, 8}, f64);
  const auto noise = vmap([&](const Tensor& e) { return e + random::uniform({8}, 0, 1, f64, g); });
  const Tensor first = noise(x);
  CHECK(g.state.value().to_vector<std::int64_t>() == std::vector<std::int64_t>{3, 500 * 8 / 2});
  const Tensor second = noise(x);
  std::set<double> distinct;
  double mean = 0;
  for (const Tensor& t : {first, second})
    for (double u : t.to_vector<double>()) {
      distinct.insert(u);
      mean += u / 8000;
    }
  CHECK(distinct.size() == 8000);
  CHECK(std::abs(mean - 0.5) < 0.02);
  random::Generator again(3);
  CHECK_SAME(first, random::uniform({500, 8}, 0, 1, f64, again));
  // What no example enters is drawn anew for each all the same; vmap in vmap too.
  random::Generator h(4);
  const Tensor coins = vmap([&](const Tensor& row) {
    return vmap([&](const Tensor& e) { return e * 0 + random::normal({}, 0, 1, f64, h); })(row);
  })(zeros({4, 5}, f64));
  const auto values = coins.to_vector<double>();
  CHECK(std::set<double>(values.begin(), values.end()).size() == 20);
}

// ---- custom rules ----
namespace {
// exp with a gradient that is three times the true one.
const auto threefold = custom_gradient([](const Tensor& x) {
  const Tensor y = exp(x);
  return std::pair(y, [y](const Tensor& dy) { return 3 * dy * y; });
});
// a * b, with gradients of its own that use what it was given.
const auto product = custom_gradient([](const Tensor& a, const Tensor& b) {
  const auto rule = [a, b](const Tensor& dy) { return std::pair(2 * dy * b, 5 * dy * a); };
  return std::pair(a * b, rule);
});
}  // namespace

TEST_CASE("a custom rule holds under gradients inside vmap, around it, and of both orders", "[vmap][custom]") {
  const NoLeaks leaks;
  const Tensor x = tensor<double>({0.5, -1.0, 2.0});
  CHECK_SAME(vmap([](const Tensor& e) { return gradient_of(threefold, e); })(x), 3 * exp(x));
  CHECK_SAME(gradient_of([](const Tensor& t) { return vmap(threefold)(t); }, x), 3 * exp(x));
  CHECK_NEAR(gradient_of(
                 [](const Tensor& t) { return vmap([](const Tensor& e) { return gradient_of(threefold, e); })(t); }, x),
             3 * exp(x), 1e-15);
  CHECK_NEAR(gradient_of(
                 [](const Tensor& t) { return gradient_of([](const Tensor& u) { return vmap(threefold)(u); }, t); }, x),
             3 * exp(x), 1e-15);
  CHECK_NEAR(
      gradient_of([](const Tensor& t) { return vmap([](const Tensor& row) { return vmap(threefold)(row); })(t); },
                  stack({x, x})),
      3 * exp(stack({x, x})), 1e-15);
}

TEST_CASE("a custom rule's gradient for what all examples share is their sum", "[vmap][custom]") {
  const Tensor a = tensor<double>({1.0, 2.0, 3.0}), b = full({}, 10.0, f64);
  GradientTape tape;
  tape.watch(a, b);
  const Tensor y = vmap(product, {.in_axes = {0, std::nullopt}})(a, b);
  CHECK_VALUES(y, 10, 20, 30);
  const auto [da, db] = tape.gradient(y, a, b);
  CHECK_VALUES(da, 20, 20, 20);
  CHECK(db.item() == 30);
}

TEST_CASE("a custom rule that throws does so when a gradient is asked for", "[vmap][custom]") {
  const auto f = custom_gradient([](const Tensor& x) {
    return std::pair(x * 2, [](const Tensor&) -> Tensor { throw std::runtime_error("no gradient today"); });
  });
  const Tensor x = tensor<double>({1.0, 2.0});
  CHECK_VALUES(vmap(f)(x), 2, 4);
  CHECK_THROWS_WITH(gradient_of([&](const Tensor& t) { return vmap(f)(t); }, x), "no gradient today");
}

TEST_CASE("a tape does not pause inside a function that is traced, of which it sees one op", "[vmap][tape]") {
  const Tensor x = ones({2, 3});
  GradientTape tape;
  tape.watch(x);
  const auto paused = [&](const Tensor& t) {
    const auto pause = tape.stop_recording();
    return t * t;
  };
  CHECK_THROWS_AS(vmap(paused)(x), GuardError);
  CHECK(tape.recording());
  vmap([&](const Tensor& t) {
    GradientTape inner;  // one of its own does
    const auto pause = inner.stop_recording();
    return t * t;
  })(x);
  CHECK(tape.gradient(sum(x + paused(x)), x).at({0, 0}) == 1);
}
