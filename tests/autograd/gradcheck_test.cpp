// gradcheck: finds wrong rules at both orders and says where; every op of the table and every composition passes it.
#include "../op_samples.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("every differentiable op passes gradcheck at orders 1 and 2", "[gradcheck]") {
  Random random(3);
  for (const SampledOp& sampled : sampled_ops()) {
    const Op& op = *sampled.op;
    if (!op.differentiable || op.draws) continue;  // a draw's gradient is of what it is in the mean
    for (const OpSample& s : sampled.samples(f64, random)) {
      INFO(op.name << " " << s.attrs.text() << " of " << s.in[0].type().text());
      CHECK(gradcheck([&](const std::vector<Tensor>& in) { return run(op, {s.attrs, in}); }, s.in).message == "");
    }
  }
}

TEST_CASE("ops that broadcast pass gradcheck: the gradient is summed back", "[gradcheck]") {
  Random random(4);
  const Tensor a = random_tensor(random, {2, 3}, f64, 0.5, 2), row = random_tensor(random, {3}, f64, 0.5, 2),
               column = random_tensor(random, {2, 1}, f64, 0.5, 2), one = random_tensor(random, {}, f64, 0.5, 2);
  const auto inputs = std::tuple(a, row, column, one);
  CHECK(gradcheck([](auto& x, auto& y, auto& z, auto& w) { return x * y / z + pow(y, w) - maximum(z, w * x); }, inputs)
            .message == "");
  CHECK(gradcheck([](auto& x, auto& y, auto& z, auto& w) { return where(x > 1, y * w, z * x); }, inputs).message == "");
}

TEST_CASE("reductions over any axes pass gradcheck", "[gradcheck]") {
  Random random(5);
  const Tensor x = random_tensor(random, {2, 3, 4}, f64);
  for (const Axes& axes : {Axes(), Axes(0), Axes({0, 2}), Axes({1, -1})})
    for (bool keep : {false, true}) {
      CHECK(gradcheck([&](const Tensor& t) { return sum(t, axes, keep) * max(t, axes, keep) + min(t, axes, keep); }, x)
                .message == "");
      CHECK(gradcheck([&](const Tensor& t) { return prod(t, axes, keep); }, x).message == "");
    }
}

TEST_CASE("compositions pass gradcheck", "[gradcheck]") {
  Random random(6);
  const Tensor x = random_tensor(random, {3, 4}, f64);
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> all[] = {
      {"mean", [](const Tensor& t) { return mean(t, 1); }},
      {"var", [](const Tensor& t) { return var(t, 0, true, 1); }},
      {"softmax", [](const Tensor& t) { return softmax(t, 0); }},
      {"log_softmax", [](const Tensor& t) { return log_softmax(t); }},
      {"logsumexp",
       [](const Tensor& t) {
         return logsumexp(t, {0, 1});
       }},
      {"relu", [](const Tensor& t) { return relu(t) * t; }},
      {"gelu", [](const Tensor& t) { return gelu(t); }},
      {"gelu by tanh", [](const Tensor& t) { return gelu(t, true); }},
      {"silu", [](const Tensor& t) { return silu(t); }},
      {"softplus", [](const Tensor& t) { return softplus(t); }},
      {"clip", [](const Tensor& t) { return clip(t, -1, 1) * t; }},
      {"norm", [](const Tensor& t) { return norm(t, 2, 1); }},
      {"slices",
       [](const Tensor& t) {
         return slice(t, {2, -1}, {-4, 0}, {-2, -2}) * slice(t, {0, 1}, {2, 3});
       }},
      {"pad and concat",
       [](const Tensor& t) {
         return pad(concat({t, t * t}, 1), {1, 0}, {0, 2}, 3);
       }},
      {"stack and squeeze",
       [](const Tensor& t) {
         return square(squeeze(stack({slice_axis(t, 0, 0, 1), slice_axis(t, 0, 2, 3)})));
       }},
      {"matmul", [](const Tensor& t) { return matmul(t, transpose(t)); }},
      {"matmul with rows and columns",
       [](const Tensor& t) {
         return matmul(slice_axis(reshape(t, {12}), 0, 0, 3), matmul(t, slice_axis(reshape(t, {12}), 0, 8, 12)));
       }},
      {"matmul of broadcast batches",
       [](const Tensor& t) {
         return matmul(reshape(t, {3, 1, 2, 2}), reshape(t, {1, 3, 2, 2}));
       }},
      {"gather",
       [](const Tensor& t) {
         return square(gather(t, tensor<std::int64_t>({{0, 2}, {2, -1}}), 1));
       }},
      {"scatter_add", [](const Tensor& t) {
         return square(scatter_add(t, tensor<std::int64_t>({1, 1}), slice_axis(t, 0, 0, 2)));
       }}};
  for (const auto& [name, f] : all) {
    INFO(name);
    CHECK(gradcheck(f, x).message == "");
  }
}

TEST_CASE("gradcheck takes structures, models and inputs without gradients", "[gradcheck]") {
  struct Affine {
    Variable w, b;
    WEFT_MEMBERS(w, b)
    Tensor operator()(const Tensor& x) const { return tanh(matmul(x, w) + b); }
  };
  Random random(7);
  Affine f{Variable(random_tensor(random, {3, 2}, f64)), Variable(random_tensor(random, {2}, f64))};
  const Tensor before = f.w.value(), x = random_tensor(random, {4, 3}, f64), idx = tensor<std::int64_t>({1, 0});
  const auto run = [](const Affine& m, const Tensor& t, const Tensor& i) {
    return std::tuple(m(t), gather(t, i), argmax(t, 0));
  };
  CHECK(gradcheck(run, std::tuple(f, x, idx)).message == "");
  CHECK(f.w.value().same(before));
}

TEST_CASE("gradcheck finds a wrong gradient and says where", "[gradcheck]") {
  const auto wrong = custom_gradient([](const Tensor& x) {
    return std::pair(x * x, [x](const Tensor& dy) { return dy * 2 * where(x > 2, x + 1, x); });
  });
  const auto r = gradcheck([&](const Tensor& a, const Tensor& b) { return a * wrong(b); },
                           std::tuple(tensor<double>({1, 1, 1}), tensor<double>({1, 3, 4})));
  CHECK_FALSE(r.ok);
  CHECK_FALSE(static_cast<bool>(r));
  CHECK(r.order == 1);
  CHECK(r.input == 1);
  CHECK(r.element == 1);
  CHECK(r.failures == 2);
  CHECK(r.gradient / r.difference == Approx(4.0 / 3));
  CHECK(r.message.find("gradcheck: order 1, input 1 f64[3], element 1: the tape says ") == 0);
  CHECK(r.message.find("(2 elements differ)") != std::string::npos);
  CHECK_THROWS_AS(require_gradients(wrong, tensor<double>({5})), GradError);
  require_gradients(wrong, tensor<double>({1}));
}

TEST_CASE("gradcheck finds a rule that is right itself but not its gradient", "[gradcheck]") {
  const auto stopped = custom_gradient(
      [](const Tensor& x) { return std::pair(x * x, [x](const Tensor& dy) { return dy * 2 * stop_gradient(x); }); });
  const auto frozen = custom_gradient(
      [](const Tensor& x) { return std::pair(x * 2, [](const Tensor& dy) { return stop_gradient(dy) * 2; }); });
  CHECK(gradcheck(stopped, tensor<double>({1, 3}), {.order = 1}).ok);
  const auto r = gradcheck(stopped, tensor<double>({1, 3}));
  CHECK(r.order == 2);
  CHECK(r.input == 0);
  const auto s = gradcheck(frozen, tensor<double>({1, 3}));  // linear, but deaf to the cotangent
  CHECK(s.order == 2);
  CHECK(s.message.find("output gradient 0") != std::string::npos);
}

TEST_CASE("gradcheck finds NaNs, missing gradients and functions that are none", "[gradcheck]") {
  CHECK_FALSE(gradcheck([](const Tensor& x) { return where(x > 5, sqrt(x - 5), 0 * x); }, tensor<double>({1, 9})).ok);
  CHECK_FALSE(gradcheck([](const Tensor& x) { return stop_gradient(x) * 2; }, tensor<double>({1})).ok);
  int calls = 0;
  const auto r = gradcheck([&](const Tensor& x) { return x * static_cast<double>(calls++); }, tensor<double>({1}));
  CHECK(r.message == "gradcheck: output 0 differs between two calls with the same inputs");
  CHECK_THROWS_AS(gradcheck([](const Tensor& x) { return x; }, tensor({1})), DTypeError);
  CHECK_THROWS_AS(gradcheck([](const Tensor& x) { return cast(x, f32); }, tensor<double>({1})), DTypeError);
  CHECK_THROWS_AS(gradcheck([](const Tensor& x) { return x; }, Tensor()), ArgumentError);
  CHECK_THROWS_AS(gradcheck([](const Tensor& x) { return x; }, tensor<double>({1}), {.order = 3}), ArgumentError);
}

TEST_CASE("gradcheck leaves no tensors and tells no tape outside", "[gradcheck]") {
  const NoLeaks guard;
  const Tensor x = tensor<double>({1, 2});
  GradientTape tape;
  tape.watch(x);
  CHECK(gradcheck([](const Tensor& t) { return t * t; }, x).ok);
  CHECK(tape.size() == 0);
}
