// Large inputs for the ops whose kind does not say what one is: neither elementwise nor a reduction.
#pragma once

#include <initializer_list>
#include <optional>

#include <weft/tests/op_samples.h>

namespace bench {
namespace detail_ {

using namespace weft;
using test::OpSample, test::Random, test::random_tensor;

constexpr std::int64_t elements = 1 << 23;  // 32 MiB of f32

inline Tensor indices(Random& r, const Shape& shape, std::int64_t n) {
  return test::filled(shape, i64, [&](std::int64_t) { return static_cast<double>(r.below(n)); });
}

/// Symmetric, positive definite.
inline Tensor matrices(Random& r) { return test::detail_::positive(r, {8192, 8, 8}, f32); }

/// 3 x 3 windows over 16 images [56, 56, 64], with results of that shape; of x, w and y the two numbered so.
inline OpSample convolution(int a, int b, Random& r) {
  const Shape shapes[] = {{16, 56, 56, 64}, {64, 64, 3, 3}, {16, 56, 56, 64}};
  const Tensor first = random_tensor(r, shapes[a], f32, -1, 1), second = random_tensor(r, shapes[b], f32, -1, 1);
  return {ConvAttrs{Windows::over({56, 56}, {3, 3}, 1, 1, 1), 1}, {first, second}};
}

/// 3 x 3 windows at every other place of 16 images [112, 112, 64]; for each operand, whether it is of the results'
/// shape.
inline OpSample pool(std::initializer_list<bool> of_results, Random& r) {
  const PoolAttrs attrs{Windows::over({112, 112}, {3, 3}, 2, 1, 1), {}, true};
  OpSample s{attrs, {}};
  for (const bool results : of_results)
    s.in.push_back(random_tensor(r, weft::detail::around(16, results ? attrs.results() : attrs.windows.in, 64), f32));
  return s;
}

/// 4 times 12 heads of 512 positions of 64, causal; for the gradient the result's cotangent and two of each row, too.
inline OpSample heads(bool gradient, Random& r) {
  OpSample s{AttentionAttrs{0.125, true}, {}};
  for (int i = 0; i < (gradient ? 4 : 3); ++i) s.in.push_back(random_tensor(r, {4, 12, 512, 64}, f32, -1, 1));
  for (int i = 0; i < (gradient ? 2 : 0); ++i) s.in.push_back(random_tensor(r, {4, 12, 512}, f32, -1, 1));
  return s;
}

template <class Struct, class... Others> inline constexpr bool is_one_of = (std::is_same_v<Struct, Others> || ...);

}  // namespace detail_

/// Nothing for views and what only looks: their time is what a call costs.
template <class Struct> std::optional<weft::test::OpSample> large_input(weft::test::Random& r) {
  using namespace detail_;
  [[maybe_unused]] const auto x = [&](const Shape& s) { return random_tensor(r, s, f32, -1, 1); };
  if constexpr (is_one_of<Struct, Cast>) return {{CastAttrs{i32}, {x({elements})}}};
  if constexpr (is_one_of<Struct, ArgMax, ArgMin>) return {{ArgReduceAttrs{1}, {x({1024, elements / 1024})}}};
  if constexpr (is_one_of<Struct, Embed>) return {{EmbedAttrs{{1, 1}, {1, 1}, {2050, 4098}, 0}, {x({2048, 4096})}}};
  if constexpr (is_one_of<Struct, Concat>) return {{ConcatAttrs{1}, {x({2048, 2048}), x({2048, 2048})}}};
  if constexpr (is_one_of<Struct, Contiguous>) return {{Attrs{}, {transpose(x({4096, 2048}))}}};
  if constexpr (is_one_of<Struct, Gather>) return {{AxisAttrs{0}, {x({50'000, 256}), indices(r, {16'384}, 50'000)}}};
  if constexpr (is_one_of<Struct, ScatterAdd, ScatterSet, ScatterMax, ScatterMin>)
    return {{AxisAttrs{0}, {x({16'384, 256}), indices(r, {16'384}, 16'384), x({16'384, 256})}}};
  if constexpr (std::is_base_of_v<Cumulative, Struct>) {
    const Shape rows = {1024, elements / 1024};
    OpSample s{CumulativeAttrs{1, false}, {random_tensor(r, rows, f32, -0.99, 0.99)}};
    if (is_one_of<Struct, LinearRecurrence>) s.in.push_back(x(rows));
    return s;
  }
  if constexpr (is_one_of<Struct, ArgSort>) return {{ArgSortAttrs{0, 8192, false}, {x({64, 8192})}}};
  if constexpr (is_one_of<Struct, SearchSorted>)
    return {{SearchSortedAttrs{false}, {sort(x({65'536})), x({elements / 8})}}};
  if constexpr (is_one_of<Struct, AssertFinite>) return {{Attrs{}, {x({elements})}}};
  if constexpr (is_one_of<Struct, CheckIndices>) return {{CheckAttrs{1000}, {indices(r, {elements / 2}, 1000)}}};
  if constexpr (is_one_of<Struct, AxisPositions>)
    return {{PositionsAttrs{1, 1000, 1024}, {indices(r, {1024, elements / 2048}, 1000)}}};
  if constexpr (is_one_of<Struct, Uniform>) return {{UniformAttrs{f32, {elements}}, {tensor<std::int64_t>({7, 11})}}};
  if constexpr (is_one_of<Struct, StandardGamma>)
    return {{Attrs{}, {tensor<std::int64_t>({7, 11}), random_tensor(r, {elements / 8}, f32, 0.1, 4)}}};
  if constexpr (is_one_of<Struct, MatMul>) return {{Attrs{}, {x({1024, 1024}), x({1024, 1024})}}};
  if constexpr (is_one_of<Struct, Attention, AttentionGradient>) return heads(is_one_of<Struct, AttentionGradient>, r);
  if constexpr (is_one_of<Struct, Conv>) return convolution(0, 1, r);
  if constexpr (is_one_of<Struct, ConvInput>) return convolution(2, 1, r);
  if constexpr (is_one_of<Struct, ConvWeight>) return convolution(0, 2, r);
  if constexpr (is_one_of<Struct, MaxPick>) return pool({false, false}, r);
  if constexpr (is_one_of<Struct, MaxPut>) return pool({false, true}, r);
  if constexpr (is_one_of<Struct, AvgPool>) return pool({false}, r);
  if constexpr (is_one_of<Struct, AvgSpread>) return pool({true}, r);
  if constexpr (is_one_of<Struct, ResizeLinear>) return {{ResizeAttrs{1, 512, 1024, false}, {x({16, 512, 512})}}};
  if constexpr (is_one_of<Struct, SpreadLinear>) return {{ResizeAttrs{1, 512, 1024, false}, {x({16, 1024, 512})}}};
  if constexpr (is_one_of<Struct, TriangularSolve>) return {{TriangleAttrs{true}, {matrices(r), x({8192, 8, 8})}}};
  if constexpr (is_one_of<Struct, Solve>) return {{Attrs{}, {matrices(r), x({8192, 8, 8})}}};
  if constexpr (is_one_of<Struct, CheckMatrices>) return {{CheckMatricesAttrs{0}, {matrices(r)}}};
  if constexpr (is_one_of<Struct, Cholesky, Det, Cofactor, SLogDet, Qr, Eigh, Svd>) return {{Attrs{}, {matrices(r)}}};
  return std::nullopt;
}

}  // namespace bench
