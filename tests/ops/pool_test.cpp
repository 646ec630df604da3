// Pools against their definition written out, at ties and NaN, and their windows' errors.
#include <weft/ops/compose.h>
#include <weft/ops/pool.h>
#include <weft/ops/reduce.h>
#include <weft/tensor/threads.h>

#include <cmath>
#include <tuple>

#include "../op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

// Of one axis: which elements window i has, padding as -1.
std::vector<std::int64_t> window_of(const PoolAttrs& a, int axis, std::int64_t i) {
  std::vector<std::int64_t> list;
  const Windows& w = a.windows;
  if (!a.adaptive.empty()) {
    const double in = static_cast<double>(w.in[axis]), out = static_cast<double>(a.adaptive[axis]),
                 at = static_cast<double>(i);
    for (auto k = static_cast<std::int64_t>(std::floor(at * in / out));
         k < static_cast<std::int64_t>(std::ceil((at + 1) * in / out)); ++k)
      list.push_back(k);
    return list;
  }
  for (std::int64_t k = 0; k < w.window[axis]; ++k) {
    const std::int64_t at = i * w.stride[axis] - w.before[axis] + k * w.dilation[axis];
    list.push_back(at >= 0 && at < w.in[axis] ? at : -1);
  }
  return list;
}

// Pools of [n, h, w, c]: f(the elements of the window, how many padded ones) -> result.
template <class F> Tensor by_definition(const Tensor& x, const PoolAttrs& a, F f) {
  const Ints results = a.results();
  const auto v = x.to_vector<double>();
  const std::int64_t channels = x.shape().back();
  return filled(detail::around(x.shape()[0], results, channels), x.dtype(), [&](std::int64_t flat) {
    const std::int64_t c = flat % channels, j = flat / channels % results[1],
                       i = flat / channels / results[1] % results[0], n = flat / channels / results[1] / results[0];
    std::vector<double> elements;
    std::int64_t padded = 0;
    for (const std::int64_t p : window_of(a, 0, i))
      for (const std::int64_t q : window_of(a, 1, j)) {
        if (p < 0 || q < 0)
          ++padded;
        else
          elements.push_back(
              v[static_cast<std::size_t>(((n * a.windows.in[0] + p) * a.windows.in[1] + q) * channels + c)]);
      }
    return f(elements, padded);
  });
}

std::vector<PoolAttrs> geometries() {
  std::vector<PoolAttrs> list;
  Random random(31);
  const auto pick = [&](std::int64_t low, std::int64_t high) { return low + random.below(high - low + 1); };
  while (list.size() < 40) {
    PoolAttrs a{{}, {}, random.below(2) == 1};
    for (int i = 0; i < 2; ++i) {
      a.windows.in.push_back(pick(1, 9));
      a.windows.window.push_back(pick(1, 3));
      a.windows.stride.push_back(pick(1, 3));
      a.windows.before.push_back(pick(0, 1));
      a.windows.after.push_back(pick(0, 1));
      a.windows.dilation.push_back(pick(1, 2));
    }
    try {
      a.results();
    } catch (const ArgumentError&) { continue; }
    list.push_back(a);
  }
  for (const Ints& out : {Ints{1, 1}, Ints{3, 2}, Ints{7, 5}, Ints{9, 11}})
    list.push_back({Windows{{7, 5}, {}, {}, {}, {}, {}}, out, false});
  list.push_back({Windows::over({8, 6}, {2, 3}, PerAxis{2, 3}, 0, 1), {}, true});
  return list;
}

}  // namespace

TEST_CASE("the pools are their definition, over many geometries, types and numbers of channels", "[pool]") {
  Random random(32);
  for (const PoolAttrs& a : geometries())
    for (const std::int64_t channels : {1, 3, 16, 70}) {
      INFO(Attrs(a).text() << ", " << channels << " channels");
      for (DType t : {f32, f64, i32, i64, u8}) {
        const Tensor x = random_tensor(random, detail::around(2, a.windows.in, channels), t, -9, 9);
        CHECK_SAME(apply<MaxPick>({x, x}, a), by_definition(x, a, [](const auto& e, std::int64_t) {
                     return *std::max_element(e.begin(), e.end());
                   }));
      }
      for (DType t : {f32, f64}) {
        const Tensor x = random_tensor(random, detail::around(2, a.windows.in, channels), t, -9, 9);
        const Tensor expected = by_definition(x, a, [&](const auto& e, std::int64_t padded) {
          double sum = 0;
          for (const double v : e) sum += v;
          return sum / static_cast<double>(static_cast<std::int64_t>(e.size()) + (a.count_include_pad ? padded : 0));
        });
        CHECK_NEAR(apply<AvgPool>({x}, a), expected, t == f32 ? 2e-6 : 1e-14);
      }
    }
}

TEST_CASE("what puts back is the adjoint of what picks, and of what averages", "[pool]") {
  Random random(33);
  for (const PoolAttrs& a : geometries())
    for (const std::int64_t channels : {2, 17}) {
      INFO(Attrs(a).text());
      const Tensor by = random_tensor(random, detail::around(2, a.windows.in, channels), f64),
                   x = random_tensor(random, by.shape(), f64),
                   y = random_tensor(random, detail::around(2, a.results(), channels), f64);
      CHECK_NEAR(sum(apply<MaxPick>({by, x}, a) * y), sum(x * apply<MaxPut>({by, y}, a)), 1e-12);
      CHECK_NEAR(sum(apply<AvgPool>({x}, a) * y), sum(x * apply<AvgSpread>({y}, a)), 1e-12);
    }
}

TEST_CASE("max pooling: values by hand", "[pool]") {
  const Tensor line = reshape(tensor({3, 1, 2, 5, 4}), {1, 1, 5});
  CHECK_VALUES(max_pool1d(line, 2), 3, 5);
  CHECK_VALUES(max_pool1d(line, 2, {.stride = 1}), 3, 2, 5, 5);
  CHECK_VALUES(max_pool1d(-line, 3, {.stride = 2, .padding = 1}), -1, -1, -4);  // padding is never the largest
  CHECK_VALUES(max_pool1d(line, 2, {.stride = 1, .dilation = 3}), 5, 4);
  CHECK_VALUES(max_pool1d(line, 2, {.stride = 2, .padding = Pad::same}), 3, 5, 4);
  const Tensor square = reshape(cast(arange(16), f32), {1, 1, 4, 4});
  CHECK_VALUES(max_pool2d(square, 2), 5, 7, 13, 15);
  CHECK_VALUES(max_pool2d(square, {1, 4}), 3, 7, 11, 15);
  CHECK_VALUES(max_pool2d(cast(square, i64), {4, 2}), 13, 15);
  CHECK_VALUES(max_pool3d(reshape(square, {1, 1, 2, 2, 4}), {2, 2, 2}), 13, 15);
  CHECK_VALUES(adaptive_max_pool2d(square, {1, 2}), 13, 15);
  CHECK_VALUES(adaptive_max_pool1d(line, 3), 3, 5, 5);  // elements 0-1, 1-3, 3-4
}

TEST_CASE("average pooling: values by hand", "[pool]") {
  const Tensor line = reshape(tensor({3, 1, 2, 5, 4}), {1, 1, 5});
  CHECK_VALUES(avg_pool1d(line, 2), 2, 3.5);
  CHECK_VALUES(avg_pool1d(line, 4, {.stride = 4, .padding = Padding(2, 1)}), 1, 2.75);
  CHECK_VALUES(avg_pool1d(line, 4, {.stride = 4, .padding = Padding(2, 1), .count_include_pad = false}), 2, 11.0f / 3);
  CHECK_VALUES(adaptive_avg_pool1d(line, 2), 2, 11.0f / 3);  // elements 0-2, 2-4
  CHECK_VALUES(adaptive_avg_pool1d(line, 5), 3, 1, 2, 5, 4);
  const Tensor square = reshape(cast(arange(16), f32), {1, 1, 4, 4});
  CHECK_VALUES(avg_pool2d(square, 2), 2.5, 4.5, 10.5, 12.5);
  CHECK_VALUES(adaptive_avg_pool2d(square, 1), 7.5);
  CHECK_VALUES(global_avg_pool(square), 7.5);
  CHECK_VALUES(global_max_pool(square), 15);
  CHECK(global_avg_pool(zeros({2, 3, 4, 5, 6})).shape() == Shape{2, 3});
  CHECK(global_max_pool(zeros({2, 4, 3}), true).shape() == Shape{2, 3});
  CHECK_VALUES(avg_pool3d(reshape(square, {1, 1, 2, 2, 4}), {2, 2, 2}), 6.5, 8.5);
}

TEST_CASE("of equal elements the first gets the gradient, and a NaN is the largest", "[pool]") {
  const PoolAttrs a{Windows::over({6}, {3}, 3, 0, 1), {}, true};
  const Tensor by = reshape(tensor({1, 2, 2, 0, -0.0, 0}), {1, 6, 1}), y = reshape(tensor({10, 20}), {1, 2, 1});
  CHECK_VALUES(apply<MaxPut>({by, y}, a), 0, 10, 0, 20, 0, 0);
  const Tensor nan = reshape(tensor({1, NAN, NAN, INFINITY, 3, NAN}), {1, 6, 1}),
               where = reshape(cast(arange(6), f32), {1, 6, 1});
  CHECK_VALUES(apply<MaxPick>({nan, where}, a), 1, 5);
  CHECK_SAME(apply<MaxPick>({nan, nan}, a), reshape(tensor({NAN, NAN}), {1, 2, 1}));
  CHECK_VALUES(apply<MaxPut>({nan, y}, a), 0, 10, 0, 0, 0, 20);
}

TEST_CASE("pools of nothing", "[pool][bad-input.12]") {
  CHECK(max_pool2d(zeros({0, 3, 4, 4}), 2).shape() == Shape{0, 3, 2, 2});
  CHECK(avg_pool2d(zeros({2, 0, 4, 4}), 2).shape() == Shape{2, 0, 2, 2});
  CHECK_THROWS_AS(max_pool1d(zeros({2, 3, 0}), 1), ArgumentError);
  CHECK_THROWS_AS(adaptive_avg_pool1d(zeros({2, 3, 0}), 1), ArgumentError);
}

TEST_CASE("channels last pools are channels first turned; threads change no bit", "[pool]") {
  Random random(34);
  const int before = num_threads();
  const Tensor x = random_tensor(random, {3, 70, 20, 18}, f32), last = contiguous(transpose(x, Ints{0, 2, 3, 1}));
  CHECK_SAME(max_pool2d(x, 3, {.stride = 2}),
             transpose(max_pool2d(last, 3, {.stride = 2, .channels_last = true}), Ints{0, 3, 1, 2}));
  const PoolAttrs a{Windows::over({20, 18}, {3, 3}, 2, 1, 1), {}, true};
  const auto all = [&] {
    const Tensor y = apply<MaxPick>({last, last}, a), mean = apply<AvgPool>({last}, a);
    return std::array{y, mean, apply<MaxPut>({last, y}, a), apply<AvgSpread>({y}, a)};
  };
  set_num_threads(1);
  const auto one = all();
  set_num_threads(std::min(2, before));
  const auto two = all();
  set_num_threads(before);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK_SAME(one[i], two[i]);
}

TEST_CASE("the 16-bit floats are pooled in f32 and rounded once", "[pool]") {
  Random random(35);
  const PoolAttrs overlapping{Windows::over({7}, {3}, 2, 1, 1), {}, true},
      parts{Windows::over({8}, {2}, 2, 0, 1), {}, true};
  for (DType t : {DType::bf16, DType::f16})
    for (const PoolAttrs& a : {overlapping, parts})
      for (const std::int64_t channels : {5, 16, 37}) {
        Tensor x = random_tensor(random, {2, a.windows.in[0], channels}, t),
               y = random_tensor(random, {2, 4, channels}, t);
        x = where(x < full(x.shape(), -0.9, t), full(x.shape(), NAN, t), x);
        CHECK_SAME(apply<MaxPick>({x, x}, a), cast(apply<MaxPick>({cast(x, f32), cast(x, f32)}, a), t));
        CHECK_SAME(apply<MaxPut>({x, y}, a), cast(apply<MaxPut>({cast(x, f32), cast(y, f32)}, a), t));
        CHECK_SAME(apply<AvgPool>({x}, a), cast(apply<AvgPool>({cast(x, f32)}, a), t));
        CHECK_SAME(apply<AvgSpread>({y}, a), cast(apply<AvgSpread>({cast(y, f32)}, a), t));
      }
}

TEST_CASE("every operand of a pool is checked at the door, of its gradient too", "[pool][bad-input.11][bad-input.19]") {
  const PoolAttrs a{Windows::over({6}, {3}, 2, 1, 1), {}, true};
  const Tensor x = zeros({2, 6, 4}), y = zeros({2, 3, 4});
  CHECK(apply<MaxPut>({x, y}, a).shape() == x.shape());
  for (const Tensor& bad : {zeros({2, 5, 4}), zeros({1, 6, 4}), zeros({2, 6, 3}), zeros({2, 6})}) {
    CHECK_THROWS_AS(apply<MaxPick>({bad, x}, a), ShapeError);
    CHECK_THROWS_AS(apply<MaxPick>({x, bad}, a), ShapeError);
    CHECK_THROWS_AS(apply<MaxPut>({bad, y}, a), ShapeError);
  }
  for (const Tensor& bad : {zeros({2, 4, 4}), zeros({1, 3, 4}), zeros({2, 3, 3}), zeros({2, 3})})
    CHECK_THROWS_AS(apply<MaxPut>({x, bad}, a), ShapeError);
  CHECK_THROWS_AS(apply<AvgPool>({zeros({2, 5, 4})}, a), ShapeError);
  CHECK_THROWS_AS(apply<AvgSpread>({zeros({2, 4, 4})}, a), ShapeError);
  CHECK_THROWS_AS(apply<MaxPick>({x, cast(x, f64)}, a), DTypeError);
  CHECK_THROWS_AS(apply<MaxPut>({x, cast(y, f64)}, a), DTypeError);
  constexpr std::int64_t huge = INT64_MAX;
  const auto with = [&](auto change) {
    PoolAttrs b = a;
    change(b);
    return b;
  };
  for (const PoolAttrs& b :
       {with([](PoolAttrs& v) { v.windows.stride[0] = 0; }), with([](PoolAttrs& v) { v.windows.window[0] = 0; }),
        with([](PoolAttrs& v) { v.windows.dilation[0] = 0; }), with([](PoolAttrs& v) { v.windows.before[0] = -1; }),
        with([](PoolAttrs& v) { v.windows.before[0] = 3; }), with([](PoolAttrs& v) { v.windows.after[0] = huge; }),
        with([](PoolAttrs& v) { v.windows.window[0] = 9; }), with([](PoolAttrs& v) { v.windows.dilation[0] = huge; }),
        with([](PoolAttrs& v) { v.adaptive = Ints{0}; }), with([](PoolAttrs& v) { v.adaptive = Ints{huge}; })}) {
    CHECK_THROWS_AS(apply<MaxPick>({x, x}, b), ArgumentError);
    CHECK_THROWS_AS(apply<MaxPut>({x, y}, b), ArgumentError);
    CHECK_THROWS_AS(apply<AvgPool>({x}, b), ArgumentError);
    CHECK_THROWS_AS(apply<AvgSpread>({y}, b), ArgumentError);
  }
}
