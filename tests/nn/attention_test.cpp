// Attention by panels of queries against the formula written out; its gradient, its bits, what it does where a query
// sees nothing; and the layer around it.
#include <weft/tensor/parallel.h>
#include <weft/weft.h>

#include <cmath>
#include <vector>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Tensors = std::vector<Tensor>;

Tensor written_out(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  const double scale = o.scale.value_or(1 / std::sqrt(static_cast<double>(q.shape().back())));
  Tensor scores = matmul(q, swap_axes(k, -1, -2)) * scale;
  if (o.mask.defined()) scores = where(o.mask, scores, -INFINITY);
  if (o.causal) {
    const std::int64_t rows = scores.shape()[scores.rank() - 2];
    const Tensor query = reshape(arange(0, static_cast<double>(rows)), {rows, 1}),
                 key = arange(0, static_cast<double>(scores.shape().back()));
    scores = where(key <= query, scores, -INFINITY);
  }
  return matmul(softmax(scores), v);
}

struct Case {
  Shape q, k, v;
  bool causal = false;
  bool masked = false;
};
// Fewer queries than a panel, several panels, a ragged last one; more keys than queries and fewer.
const Case cases[] = {
    {{2, 3, 4}, {2, 5, 4}, {2, 5, 3}},
    {{1, 1}, {1, 1}, {1, 1}, true},
    {{2, 3, 64, 16}, {2, 3, 64, 16}, {2, 3, 64, 16}, true},
    {{3, 77, 5}, {3, 41, 5}, {3, 41, 20}, true},
    {{3, 41, 20}, {3, 300, 20}, {3, 300, 7}, true, true},
    {{3, 41, 20}, {1, 300, 20}, {300, 33}, false, true},
    {{2, 2, 150, 9}, {2, 2, 150, 9}, {2, 2, 150, 18}, true},  // long enough to fetch ahead, in order and not
    {{3, 130, 8}, {3, 90, 8}, {3, 90, 8}},
    {{2, 4, 8}, {2, 37, 8}, {2, 37, 5}, true},  // so few that their scores lie in rows
    {{3, 2, 8}, {3, 300, 8}, {3, 300, 16}, true, true},
    {{2, 1, 4}, {2, 4100, 4}, {2, 4100, 3}, false, true},
};

struct Inputs {
  Tensor q, k, v;
  AttentionOptions options;
};
Inputs inputs(const Case& c, DType t) {
  Random r(4);
  Inputs in{random_tensor(r, c.q, t, -2, 2), random_tensor(r, c.k, t, -2, 2), random_tensor(r, c.v, t), {}};
  in.options.causal = c.causal;
  const Shape mask = {c.q[c.q.size() - 2], c.k[c.k.size() - 2]};
  if (c.masked) {  // the first key is seen by all
    const Tensor first = arange(0, static_cast<double>(mask[1])) < 1;
    in.options.mask = random_tensor(r, mask, DType::boolean) | first;
  }
  return in;
}

template <class F> Tensors with_gradients(F f, const Inputs& in) {
  GradientTape tape;
  tape.watch(in.q, in.k, in.v);
  const Tensor y = f(in.q, in.k, in.v, in.options);
  const auto [dq, dk, dv] = tape.gradient(sum(y * cos(y)), in.q, in.k, in.v);
  return {y, dq, dk, dv};
}

const auto attention = [](const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  return scaled_dot_product_attention(q, k, v, o);
};

}  // namespace

TEST_CASE("attention and its gradient are the formula written out", "[attention]") {
  for (const Case& c : cases)
    for (const DType t : {f32, f64}) {
      INFO(c.q.text() << " " << c.k.text() << " " << name_of(t));
      const Inputs in = inputs(c, t);
      const Tensors panels = with_gradients(attention, in), whole = with_gradients(written_out, in);
      for (std::size_t i = 0; i < whole.size(); ++i) CHECK_NEAR(panels[i], whole[i], t == f32 ? 3e-5 : 1e-13);
    }
}

TEST_CASE("attention's bits do not depend on compilation, threads or layout", "[attention]") {
  const int before = num_threads();
  for (const Case& c : cases)
    for (const DType t : {f32, f64, DType::bf16}) {
      INFO(c.q.text() << " " << c.k.text() << " " << name_of(t));
      const Inputs in = inputs(c, t);
      set_num_threads(1);
      const Tensors one = with_gradients(attention, in);
      set_num_threads(before);
      const Tensors several = with_gradients(attention, in);
      const auto compiled = compile([&](const Tensor& q, const Tensor& k, const Tensor& v) {
        return with_gradients(attention, {q, k, v, in.options});
      })(in.q, in.k, in.v);
      for (std::size_t i = 0; i < one.size(); ++i) {
        CHECK_SAME(several[i], one[i]);
        CHECK_SAME(compiled[i], one[i]);
      }
      for (const Tensor& q : laid_out_otherwise(in.q)) CHECK_SAME(attention(q, in.k, in.v, in.options), one[0]);
      for (const Tensor& k : laid_out_otherwise(in.k)) CHECK_SAME(attention(in.q, k, in.v, in.options), one[0]);
      for (const Tensor& v : laid_out_otherwise(in.v)) CHECK_SAME(attention(in.q, in.k, v, in.options), one[0]);
    }
}

TEST_CASE("a panel's keys beyond a query change nothing", "[attention]") {
  const Inputs in = inputs({{70, 8}, {70, 8}, {70, 8}, true}, f32);
  const Tensor all = attention(in.q, in.k, in.v, in.options);
  for (const std::int64_t n : {1, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 69}) {
    const auto first = [&](const Tensor& t) { return slice_axis(t, 0, 0, n); };
    CHECK_SAME(attention(first(in.q), first(in.k), first(in.v), in.options), first(all));
  }
}

TEST_CASE("attention reads nothing that its thread's last one left behind", "[attention]") {
  const int threads = num_threads();
  set_num_threads(1);
  for (const auto& [t, queries] : {std::pair{f32, 70}, {f64, 70}, {f32, 3}, {f64, 3}}) {
    Inputs in = inputs({{queries, 8}, {100, 8}, {100, 8}, true}, t);
    const Tensors before = with_gradients(attention, in);
    const auto none = [](const Tensor& x) { return full(x.shape(), NAN, x.dtype()); };
    with_gradients(attention, {none(in.q), none(in.k), none(in.v), {}});
    const Tensors after = with_gradients(attention, in);
    for (std::size_t i = 0; i < before.size(); ++i) CHECK_SAME(after[i], before[i]);
    // nor keys and values that no query sees
    const Tensor seen = reshape(arange(0, 100) < queries, {100, 1});
    in.k = where(seen, in.k, NAN), in.v = where(seen, in.v, NAN);
    const Tensors blind = with_gradients(attention, in);
    for (std::size_t i = 0; i < before.size(); ++i) CHECK_SAME(blind[i], before[i]);
  }
  set_num_threads(threads);
}

TEST_CASE("attention takes any scale", "[attention]") {
  for (const double scale : {-0.7, 0.0, 30.0}) {
    Inputs in = inputs({{2, 40, 8}, {2, 40, 8}, {2, 40, 8}, true}, f64);
    in.options.scale = scale;
    const Tensors panels = with_gradients(attention, in), whole = with_gradients(written_out, in);
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK_NEAR(panels[i], whole[i], 1e-11);
  }
}

TEST_CASE("a query that sees no key gets 0 and gives no gradient", "[attention]") {
  const Inputs given = inputs({{40, 3}, {5, 3}, {5, 2}}, f32);
  Inputs in = given;
  const Tensor some = reshape(arange(0, 40) >= 2, {40, 1});
  in.options.mask = some;
  const Tensors masked = with_gradients(attention, in), all = with_gradients(attention, given);
  CHECK_VALUES(slice_axis(masked[0], 0, 0, 2), 0, 0, 0, 0);
  CHECK_VALUES(slice_axis(masked[1], 0, 0, 2), 0, 0, 0, 0, 0, 0);
  CHECK_SAME(slice_axis(masked[0], 0, 2, 40), slice_axis(all[0], 0, 2, 40));
  for (const Tensor& t : masked) CHECK(std::isfinite(sum(t).item()));
  // no key at all
  CHECK_VALUES(attention(ones({1, 3}), zeros({0, 3}), zeros({0, 2}), {}), 0, 0);
  CHECK(attention(zeros({0, 3}), ones({2, 3}), ones({2, 2}), {}).shape() == Shape{0, 2});
  CHECK_VALUES(attention(zeros({1, 0}), zeros({2, 0}), tensor({{1}, {3}}), {}), 2);  // all fit as well
  GradientTape tape;
  const Tensor k = zeros({0, 3});
  tape.watch(k);
  CHECK(tape.gradient(attention(ones({1, 3}), k, zeros({0, 2}), {}), k).shape() == Shape{0, 3});
  // NaN stays NaN
  CHECK(std::isnan(attention(full({1, 2}, NAN), ones({3, 2}), ones({3, 1}), {}).item()));
}

TEST_CASE("a mask of floats is added to the scores, and has a gradient", "[attention]") {
  Inputs in = inputs({{2, 3, 4}, {2, 5, 4}, {2, 5, 3}}, f64);
  Random r(6);
  const Tensor bias = random_tensor(r, {3, 5}, f64);
  const auto f = [&](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& b) {
    return scaled_dot_product_attention(q, k, v, {.mask = b, .causal = true, .scale = 0.3});
  };
  const Tensor seen = reshape(arange(0, 5), {1, 5}) <= reshape(arange(0, 3), {3, 1});
  const Tensor scores = where(seen, matmul(in.q, swap_axes(in.k, 1, 2)) * 0.3 + bias, -INFINITY);
  CHECK_NEAR(f(in.q, in.k, in.v, bias), matmul(softmax(scores), in.v), 1e-14);
  CHECK(gradcheck(f, std::tuple(in.q, in.k, in.v, bias)).message == "");
  // a query of which no key is left
  const Tensor blind = where(reshape(arange(0, 3) < 1, {3, 1}), -INFINITY, bias);
  const Tensors masked =
      with_gradients([&](const Tensor& q, const Tensor& k, const Tensor& v,
                         const AttentionOptions&) { return scaled_dot_product_attention(q, k, v, {.mask = blind}); },
                     in);
  CHECK_NEAR(slice_axis(masked[0], 1, 0, 1), zeros({2, 1, 3}, f64), 0);
  for (const Tensor& t : masked) CHECK(std::isfinite(sum(t).item()));
  CHECK(sum(abs(slice_axis(masked[1], 1, 0, 1))).item() == 0);
  // of zeros, it is no mask
  CHECK_NEAR(f(in.q, in.k, in.v, bias * 0), attention(in.q, in.k, in.v, {.causal = true, .scale = 0.3}), 1e-14);
}

TEST_CASE("attention's axes before the last two broadcast, as a matmul's", "[attention]") {
  const Inputs in = inputs({{4, 1, 3, 2}, {5, 6, 2}, {6, 2}, true}, f64);
  const auto f = [&](const Tensor& q, const Tensor& k, const Tensor& v) { return attention(q, k, v, in.options); };
  CHECK(f(in.q, in.k, in.v).shape() == Shape{4, 5, 3, 2});
  CHECK_NEAR(f(in.q, in.k, in.v), written_out(in.q, in.k, in.v, in.options), 1e-14);
  CHECK(gradcheck(f, std::tuple(in.q, in.k, in.v), {.order = 1}).message == "");
  const Tensor by_example = vmap(f, {.in_axes = {0, std::nullopt, std::nullopt}})(in.q, in.k, in.v);
  CHECK_SAME(by_example, f(in.q, in.k, in.v));
}

TEST_CASE("MultiHeadAttention is attention between linear maps", "[attention]") {
  random::Generator g(3);
  const nn::MultiHeadAttention layer(6, 2, true, nn::init::glorot_uniform, f64, g);
  CHECK(layer.text() == "MultiHeadAttention 6, 2 heads");
  CHECK(nn::count_parameters(layer) == 6 * 18 + 18 + 36 + 6);
  Random r(5);
  const Tensor x = random_tensor(r, {2, 5, 6}, f64), memory = random_tensor(r, {2, 4, 6}, f64);
  const auto expected = [&](const Tensor& from, bool causal) {
    const Tensor here = layer.qkv(x), there = layer.qkv(from);
    Tensors parts;
    for (std::int64_t h = 0; h < 2; ++h) {
      const auto columns = [&](const Tensor& t, std::int64_t part) {
        return slice_axis(t, 2, part * 6 + h * 3, part * 6 + (h + 1) * 3);
      };
      parts.push_back(written_out(columns(here, 0), columns(there, 1), columns(there, 2), {.causal = causal}));
    }
    return layer.project(concat(parts, 2));
  };
  CHECK_NEAR(layer(x, {.causal = true}), expected(x, true), 1e-13);
  CHECK_NEAR(layer(x), expected(x, false), 1e-13);
  CHECK_NEAR(layer(x, memory), expected(memory, false), 1e-13);
  CHECK(gradcheck([&](const nn::MultiHeadAttention& m, const Tensor& in) { return m(in, {.causal = true}); },
                  std::tuple(layer, x), {.order = 1})
            .message == "");
}
