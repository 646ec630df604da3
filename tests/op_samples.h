// Inputs for every built-in op, made from its struct, empty ones among them: what generated tests run. Elementwise ops
// need nothing here; an op of another kind has a Sampler, without which the tests do not compile.
#pragma once

#include <string>
#include <vector>

#include <weft/ops/apply.h>
#include <weft/ops/define.h>
#include <weft/ops/table.h>

#include "support.h"

namespace weft::test {

inline constexpr DType all_dtypes[] = {f32, f64, DType::bf16, DType::f16, i32, i64, u8, DType::boolean};

/// One application of an op.
struct OpSample {
  Attrs attrs;
  std::vector<Tensor> in;
};

/// Calls f.template operator()<Struct>() for each op of the list.
template <class F, class... Struct> void each_op(OpList<Struct...>, F f) { (f.template operator()<Struct>(), ...); }
template <class F> void each_op(F f) { each_op(BuiltinOps{}, f); }

/// Ops with a formula of one type, and loops for it: all of kind elementwise but cast.
template <class Struct> inline constexpr bool is_plain_elementwise = Struct::kind == OpKind::elementwise && !requires {
  Struct::run;
};

template <class Struct> constexpr int arity() {
  if constexpr (detail::has_condition<Struct>)
    return 3;
  else if constexpr (Struct::accepts == Accepts::booleans)
    return detail::arity_of<Struct, RecordedMask<std::uint8_t>>;
  else if constexpr (Struct::accepts == Accepts::integers)
    return detail::arity_of<Struct, Recorded<std::int32_t>>;
  else
    return detail::arity_of<Struct, Recorded<float>>;
}

/// Products in f32 are a library's in parts: another split gives other bits.
template <class Struct> inline constexpr bool is_product =
    std::is_same_v<Struct, MatMul> || std::is_base_of_v<ConvBase, Struct>;

template <class Struct> struct Sampler;  // accepts(dtype); samples(dtype, random)

template <class Struct>
requires is_plain_elementwise<Struct>
struct Sampler<Struct> {
  static constexpr bool accepts(DType t) {
    if (Struct::accepts == Accepts::booleans) return t == DType::boolean;
    return is_floating(t) ? Struct::accepts != Accepts::integers : Struct::accepts != Accepts::floats && is_integer(t);
  }
  /// One type that it accepts.
  static constexpr DType any_type = accepts(f32) ? f32 : accepts(i32) ? i32 : DType::boolean;
  static OpSample sample(const Shape& shape, DType t, Random& r) {
    OpSample s;
    if (detail::has_condition<Struct>) s.in.push_back(random_tensor(r, shape, DType::boolean));
    s.in.push_back(random_tensor(r, shape, t, Struct::domain.low, Struct::domain.high));
    if (static_cast<int>(s.in.size()) < arity<Struct>())
      s.in.push_back(random_tensor(r, shape, t, Struct::domain1.low, Struct::domain1.high));
    return s;
  }
  static std::vector<OpSample> samples(DType t, Random& r) {
    return {sample({}, t, r), sample({7}, t, r), sample({2, 3, 4}, t, r), sample({2, 0, 3}, t, r)};
  }
};

/// f32, or the first type that the op takes.
template <class Struct> DType usual_type() {
  if (Sampler<Struct>::accepts(f32)) return f32;
  return *std::find_if(std::begin(all_dtypes), std::end(all_dtypes), Sampler<Struct>::accepts);
}

namespace detail_ {
/// Two of x, w and y of a convolution (numbered so): strides 1, 2, ..., padding before 0 and after 1, the first axis
/// dilated where it is long enough.
inline OpSample conv_sample(int a, int b, const Ints& in, const Ints& window, std::int64_t channels,
                            std::int64_t outputs, std::int64_t groups, DType t, Random& r, std::int64_t n = 2) {
  Windows w{in, window, {}, {}, {}, {}};
  for (int i = 0; i < in.size(); ++i) {
    w.stride.push_back(1 + i % 2);
    w.before.push_back(i % 2);
    w.after.push_back(1);
    w.dilation.push_back(i == 0 && in[i] > 3 ? 2 : 1);
  }
  Shape weight{outputs, channels / groups};
  for (const std::int64_t k : window) weight.push_back(k);
  const auto operand = [&](int which) {
    return random_tensor(r,
                         which == 0   ? detail::around(n, in, channels)
                         : which == 1 ? weight
                                      : detail::around(n, w.results(), outputs),
                         t, -1, 1);
  };
  const Tensor first = operand(a), second = operand(b);
  return {ConvAttrs{w, groups}, {first, second}};
}

/// Of a pool: windows that overlap and are padded, dilated ones, ones that part the axes, adaptive ones, none at all.
/// `by` is what the largest is taken by; the other operand is of inputs, or of results.
inline std::vector<OpSample> pool_samples(DType t, Random& r, bool by, bool results) {
  std::vector<OpSample> list;
  const auto add = [&](const PoolAttrs& a, std::int64_t n, std::int64_t channels) {
    OpSample s{a, {}};
    if (by) s.in.push_back(random_tensor(r, detail::around(n, a.windows.in, channels), t));
    s.in.push_back(random_tensor(r, detail::around(n, results ? a.results() : a.windows.in, channels), t));
    list.push_back(s);
  };
  add({Windows::over({5, 4}, {3, 2}, {2, 1}, 1, 1), {}, true}, 2, 3);
  add({Windows::over({5, 4}, {3, 2}, {2, 1}, 1, 1), {}, false}, 1, 2);
  add({Windows::over({7}, {2}, 1, 0, by ? 3 : 1), {}, true}, 2, 2);
  add({Windows::over({2, 4, 2}, {2, 2, 1}, {2, 2, 1}, 0, 1), {}, true}, 1, 2);
  add({Windows{{5, 3}, {}, {}, {}, {}, {}}, {3, 2}, false}, 1, 2);
  add({Windows::over({4}, {2}, 2, 0, 1), {}, true}, 0, 3);
  return list;
}

constexpr bool any_type(DType) { return true; }
constexpr bool numbers(DType t) { return t != DType::boolean; }
constexpr bool floats(DType t) { return is_floating(t); }
constexpr bool exact(DType t) { return t == f32 || t == f64; }
// Symmetric, positive definite, of eigenvalues well apart.
inline Tensor positive(Random& r, const Shape& shape, DType t) {
  return filled(shape, t, [&, n = shape.back()](std::int64_t i) {
    const std::int64_t row = i / n % n, column = i % n;
    return row == column ? 2.0 + 3.0 * static_cast<double>(row) + r.uniform(0, 0.5)
                         : 0.4 + 0.1 * static_cast<double>(row + column);
  });
}
}  // namespace detail_

template <> struct Sampler<Cast> {
  static constexpr bool accepts(DType) { return true; }
  static std::vector<OpSample> samples(DType t, Random& r) {
    std::vector<OpSample> s;
    for (DType to : {t, f32, f64, i32, DType::boolean})
      if (to != f32 || t != f64) s.push_back({CastAttrs{to}, {random_tensor(r, {2, 3, 4}, t)}});
    s.push_back({CastAttrs{t}, {random_tensor(r, {0, 4}, t)}});
    return s;
  }
};

template <class Struct>
requires std::is_base_of_v<ReductionBase, Struct>
struct Sampler<Struct> {
  static constexpr bool of_bools = std::is_same_v<Struct, Any> || std::is_same_v<Struct, All>;
  static constexpr bool accepts(DType t) {
    return t != DType::bf16 && t != DType::f16 && of_bools == (t == DType::boolean);
  }
  static std::vector<OpSample> samples(DType t, Random& r) {
    std::vector<OpSample> s;
    for (const ReduceAttrs& a : {ReduceAttrs{0, 3}, {0, 1}, {1, 2}, {2, 3}, {1, 3}, {0, 2}, {1, 1}})
      s.push_back({a, {random_tensor(r, {2, 3, 4}, t, -2, 2)}});
    s.push_back({ReduceAttrs{0, 0}, {random_tensor(r, {}, t)}});
    s.push_back({ReduceAttrs{1, 2}, {random_tensor(r, {0, 3, 4}, t)}});  // no results
    if (!std::is_same_v<Struct, Max> && !std::is_same_v<Struct, Min>)
      for (const ReduceAttrs& a : {ReduceAttrs{1, 2}, {0, 3}, {1, 3}})
        s.push_back({a, {random_tensor(r, {2, 0, 4}, t)}});
    return s;
  }
};
template <class Struct>
requires std::is_same_v<Struct, ArgMax> || std::is_same_v<Struct, ArgMin>
struct Sampler<Struct> {
  static constexpr bool accepts(DType) { return true; }
  static std::vector<OpSample> samples(DType t, Random& r) {
    std::vector<OpSample> s;
    for (int axis : {0, 1, 2}) s.push_back({ArgReduceAttrs{axis}, {random_tensor(r, {2, 3, 4}, t)}});
    s.push_back({ArgReduceAttrs{1}, {random_tensor(r, {0, 3, 4}, t)}});
    return s;
  }
};

template <class Struct>
requires std::is_same_v<Struct, ScatterMax> || std::is_same_v<Struct, ScatterMin>
struct Sampler<Struct> {
  static constexpr bool accepts(DType t) { return t != DType::boolean; }
  static std::vector<OpSample> samples(DType t, Random& r) {
    return {
        {AxisAttrs{1},
         {random_tensor(r, {2, 4, 3}, t), tensor<std::int64_t>({{0, 3}, {-1, 0}}), random_tensor(r, {2, 2, 2, 3}, t)}},
        {AxisAttrs{0}, {random_tensor(r, {4, 3}, t), zeros({0}, i64), zeros({0, 3}, t)}}};
  }
};
template <class Struct>
requires std::is_base_of_v<Cumulative, Struct>
struct Sampler<Struct> {
  static constexpr bool accepts(DType t) {
    return t != DType::boolean || std::is_same_v<Struct, CumArgMax> || std::is_same_v<Struct, CumArgMin>;
  }
  static std::vector<OpSample> samples(DType t, Random& r) {
    std::vector<OpSample> s;
    for (const bool reverse : {false, true})
      for (int axis : {0, 1, 2}) s.push_back({CumulativeAttrs{axis, reverse}, operands({2, 3, 4}, t, r)});
    s.push_back({CumulativeAttrs{1, false}, operands({2, 0, 3}, t, r)});
    return s;
  }
  static std::vector<Tensor> operands(const Shape& shape, DType t, Random& r) {
    std::vector<Tensor> in = {random_tensor(r, shape, t, -2, 2)};
    if (std::is_same_v<Struct, LinearRecurrence>) in.push_back(random_tensor(r, shape, t));
    return in;
  }
};

// What moves elements takes every type.
#define WEFT_SAMPLER(Struct, which, ...)                                                         \
  template <> struct Sampler<Struct> {                                                           \
    static constexpr bool accepts(DType t) { return detail_::which(t); }                         \
    static std::vector<OpSample> samples([[maybe_unused]] DType t, [[maybe_unused]] Random& r) { \
      return {__VA_ARGS__};                                                                      \
    }                                                                                            \
  }
WEFT_SAMPLER(BroadcastTo, any_type, {ShapeAttrs{{2, 3, 4}}, {random_tensor(r, {3, 1}, t)}},
             {ShapeAttrs{{3}}, {random_tensor(r, {}, t)}}, {ShapeAttrs{{2, 0, 4}}, {random_tensor(r, {1, 4}, t)}});
WEFT_SAMPLER(Reshape, any_type, {ShapeAttrs{{4, 6}}, {random_tensor(r, {2, 3, 4}, t)}},
             {ShapeAttrs{{}}, {random_tensor(r, {1, 1}, t)}}, {ShapeAttrs{{0, 5}}, {random_tensor(r, {2, 0}, t)}});
WEFT_SAMPLER(Transpose, any_type, {TransposeAttrs{{2, 0, 1}}, {random_tensor(r, {2, 3, 4}, t)}},
             {TransposeAttrs{{1, 0}}, {random_tensor(r, {0, 3}, t)}});
WEFT_SAMPLER(StridedSlice, any_type, {SliceAttrs{{1, 3}, {1, -2}, {2, 2}}, {random_tensor(r, {3, 4}, t)}},
             {SliceAttrs{{1, 0}, {1, 1}, {0, 4}}, {random_tensor(r, {3, 4}, t)}});
WEFT_SAMPLER(Embed, any_type, {EmbedAttrs{{1, 4}, {1, -2}, {4, 5}, 1.0}, {random_tensor(r, {2, 3}, t)}},
             {EmbedAttrs{{0, 0}, {1, 1}, {2, 3}, 1.0}, {random_tensor(r, {0, 3}, t)}});
WEFT_SAMPLER(Concat, any_type,
             {ConcatAttrs{1}, {random_tensor(r, {2, 3}, t), random_tensor(r, {2, 1}, t), random_tensor(r, {2, 2}, t)}},
             {ConcatAttrs{0}, {random_tensor(r, {0, 3}, t), random_tensor(r, {2, 3}, t)}});
WEFT_SAMPLER(Contiguous, any_type, {Attrs{}, {transpose(random_tensor(r, {3, 4}, t))}},
             {Attrs{}, {transpose(random_tensor(r, {0, 4}, t))}});
WEFT_SAMPLER(Gather, any_type,
             {AxisAttrs{1}, {random_tensor(r, {2, 4, 3}, t), tensor<std::int64_t>({{0, 3}, {-1, 0}})}},
             {AxisAttrs{0}, {random_tensor(r, {4}, t), tensor<std::int32_t>({2, 2, -4})}},
             {AxisAttrs{0}, {random_tensor(r, {4, 3}, t), zeros({0, 2}, i64)}},
             {AxisAttrs{0}, {zeros({4, 0}, t), tensor<std::int64_t>({1, -1})}});
WEFT_SAMPLER(ScatterAdd, numbers,
             {AxisAttrs{1},
              {random_tensor(r, {2, 4, 3}, t), tensor<std::int64_t>({{0, 3}, {-1, 0}}),
               random_tensor(r, {2, 2, 2, 3}, t)}},
             {AxisAttrs{0}, {random_tensor(r, {4, 3}, t), zeros({0}, i64), zeros({0, 3}, t)}});
WEFT_SAMPLER(ScatterSet, any_type,
             {AxisAttrs{1},
              {random_tensor(r, {2, 4, 3}, t), tensor<std::int64_t>({{0, 3}, {-1, 0}}),
               random_tensor(r, {2, 2, 2, 3}, t)}},
             {AxisAttrs{0}, {random_tensor(r, {4, 3}, t), zeros({0}, i64), zeros({0, 3}, t)}});
WEFT_SAMPLER(ArgSort, any_type, {ArgSortAttrs{0, 9, false}, {random_tensor(r, {2, 3, 9}, t)}},
             {ArgSortAttrs{0, 2, true}, {random_tensor(r, {3, 40}, t)}},
             {ArgSortAttrs{0, 0, true}, {random_tensor(r, {3, 0}, t)}},
             {ArgSortAttrs{7, 2, false}, {random_tensor(r, {2, 40}, t)}});
WEFT_SAMPLER(SearchSorted, any_type,
             {SearchSortedAttrs{false}, {sort(random_tensor(r, {2, 9}, t)), random_tensor(r, {2, 5}, t)}},
             {SearchSortedAttrs{true}, {zeros({0}, t), random_tensor(r, {3}, t)}},
             {SearchSortedAttrs{false}, {sort(random_tensor(r, {3}, t)), zeros({0}, t)}});
WEFT_SAMPLER(MatMul, numbers, {Attrs{}, {random_tensor(r, {3, 4}, t), random_tensor(r, {4, 2}, t)}},
             {Attrs{}, {random_tensor(r, {2, 3, 4}, t), random_tensor(r, {2, 4, 2}, t)}},
             {Attrs{}, {random_tensor(r, {3, 0}, t), random_tensor(r, {0, 2}, t)}},
             {Attrs{}, {random_tensor(r, {0, 3}, t), random_tensor(r, {3, 2}, t)}});
WEFT_SAMPLER(AssertFinite, floats, {Attrs{}, {random_tensor(r, {2, 3}, t)}}, {Attrs{}, {random_tensor(r, {0, 3}, t)}});
// Of each convolution: x, w and y of one form, of which it takes two.
using detail_::conv_sample;
WEFT_SAMPLER(Conv, floats, conv_sample(0, 1, {4, 5}, {2, 3}, 2, 3, 1, t, r), conv_sample(0, 1, {5}, {2}, 2, 4, 2, t, r),
             conv_sample(0, 1, {2, 3, 2}, {2, 1, 2}, 1, 2, 1, t, r), conv_sample(0, 1, {3}, {2}, 0, 2, 1, t, r),
             conv_sample(0, 1, {3}, {2}, 2, 2, 1, t, r, 0));
WEFT_SAMPLER(ConvInput, floats, conv_sample(2, 1, {4, 5}, {2, 3}, 2, 3, 1, t, r),
             conv_sample(2, 1, {5}, {2}, 2, 4, 2, t, r), conv_sample(2, 1, {3}, {2}, 2, 0, 1, t, r),
             conv_sample(2, 1, {3}, {2}, 2, 2, 1, t, r, 0));
WEFT_SAMPLER(ConvWeight, floats, conv_sample(0, 2, {4, 5}, {2, 3}, 2, 3, 1, t, r),
             conv_sample(0, 2, {5}, {2}, 2, 4, 2, t, r), conv_sample(0, 2, {3}, {2}, 0, 2, 1, t, r),
             conv_sample(0, 2, {3}, {2}, 2, 2, 1, t, r, 0));
using detail_::pool_samples;
template <> struct Sampler<MaxPick> {
  static constexpr bool accepts(DType t) { return t != DType::boolean; }
  static std::vector<OpSample> samples(DType t, Random& r) { return pool_samples(t, r, true, false); }
};
template <> struct Sampler<MaxPut> {
  static constexpr bool accepts(DType t) { return t != DType::boolean; }
  static std::vector<OpSample> samples(DType t, Random& r) { return pool_samples(t, r, true, true); }
};
template <> struct Sampler<AvgPool> {
  static constexpr bool accepts(DType t) { return is_floating(t); }
  static std::vector<OpSample> samples(DType t, Random& r) { return pool_samples(t, r, false, false); }
};
template <> struct Sampler<AvgSpread> {
  static constexpr bool accepts(DType t) { return is_floating(t); }
  static std::vector<OpSample> samples(DType t, Random& r) { return pool_samples(t, r, false, true); }
};
WEFT_SAMPLER(ResizeLinear, exact, {ResizeAttrs{1, 3, 5, false}, {random_tensor(r, {2, 3, 4}, t)}},
             {ResizeAttrs{2, 4, 7, true}, {random_tensor(r, {2, 3, 4}, t)}},
             {ResizeAttrs{0, 5, 2, false}, {random_tensor(r, {5}, t)}},
             {ResizeAttrs{1, 3, 5, false}, {zeros({0, 3}, t)}});
WEFT_SAMPLER(SpreadLinear, exact, {ResizeAttrs{1, 3, 5, false}, {random_tensor(r, {2, 5, 4}, t)}},
             {ResizeAttrs{2, 4, 7, true}, {random_tensor(r, {2, 3, 7}, t)}},
             {ResizeAttrs{0, 5, 2, false}, {random_tensor(r, {2}, t)}},
             {ResizeAttrs{1, 3, 5, false}, {zeros({0, 5}, t)}});
using detail_::positive;
WEFT_SAMPLER(Cholesky, exact, {Attrs{}, {positive(r, {2, 3, 3}, t)}}, {Attrs{}, {zeros({0, 2, 2}, t)}},
             {Attrs{}, {zeros({0, 0}, t)}});
WEFT_SAMPLER(TriangularSolve, exact, {TriangleAttrs{true}, {positive(r, {2, 3, 3}, t), random_tensor(r, {2, 3, 2}, t)}},
             {TriangleAttrs{false}, {positive(r, {3, 3}, t), random_tensor(r, {3, 1}, t)}},
             {TriangleAttrs{true}, {positive(r, {3, 3}, t), zeros({3, 0}, t)}},
             {TriangleAttrs{false}, {zeros({2, 0, 0}, t), zeros({2, 0, 3}, t)}});
WEFT_SAMPLER(Solve, exact, {Attrs{}, {positive(r, {2, 3, 3}, t), random_tensor(r, {2, 3, 2}, t)}},
             {Attrs{}, {positive(r, {3, 3}, t), zeros({3, 0}, t)}}, {Attrs{}, {zeros({0, 0}, t), zeros({0, 2}, t)}});
WEFT_SAMPLER(Det, exact, {Attrs{}, {positive(r, {2, 3, 3}, t)}}, {Attrs{}, {zeros({2, 0, 0}, t)}});
WEFT_SAMPLER(Cofactor, exact, {Attrs{}, {positive(r, {2, 3, 3}, t)}}, {Attrs{}, {zeros({2, 0, 0}, t)}});
WEFT_SAMPLER(SLogDet, exact, {Attrs{}, {is_floating(t) ? -positive(r, {3, 3}, t) : positive(r, {3, 3}, t)}},
             {Attrs{}, {zeros({2, 0, 0}, t)}}, {Attrs{}, {zeros({0, 3, 3}, t)}});
WEFT_SAMPLER(Qr, exact, {Attrs{}, {random_tensor(r, {2, 4, 3}, t)}}, {Attrs{}, {positive(r, {3, 3}, t)}},
             {Attrs{}, {concat({positive(r, {2, 2}, t), random_tensor(r, {2, 2}, t)}, 1)}},
             {Attrs{}, {zeros({0, 3}, t)}}, {Attrs{}, {zeros({3, 0}, t)}}, {Attrs{}, {zeros({0, 3, 2}, t)}});
WEFT_SAMPLER(Eigh, exact, {Attrs{}, {positive(r, {2, 3, 3}, t)}}, {Attrs{}, {zeros({0, 0}, t)}},
             {Attrs{}, {zeros({0, 3, 3}, t)}});
WEFT_SAMPLER(Svd, exact, {Attrs{}, {positive(r, {3, 3}, t)}},
             {Attrs{}, {concat({positive(r, {2, 2}, t), random_tensor(r, {2, 2}, t)}, 1)}},
             {Attrs{}, {concat({positive(r, {2, 2}, t), random_tensor(r, {1, 2}, t)}, 0)}},
             {Attrs{}, {zeros({0, 3}, t)}}, {Attrs{}, {zeros({3, 0}, t)}}, {Attrs{}, {zeros({0, 2, 3}, t)}});
WEFT_SAMPLER(CheckMatrices, exact, {CheckMatricesAttrs{0}, {random_tensor(r, {2, 2, 2}, t)}},
             {CheckMatricesAttrs{1}, {zeros({0, 2, 2}, t)}});
#undef WEFT_SAMPLER
template <> struct Sampler<Print> {
  static constexpr bool accepts(DType) { return true; }
  static std::vector<OpSample> samples(DType t, Random& r) {
    debug::print_to(nullptr);
    const PrintAttrs label{std::make_shared<const PrintAttrs::Label>()};
    return {{label, {random_tensor(r, {2, 3}, t)}}, {label, {zeros({0, 3}, t)}}};
  }
};
// These take integers of their own, whatever the type.
template <> struct Sampler<CheckIndices> {
  static constexpr bool accepts(DType t) { return t == i32 || t == i64; }
  static std::vector<OpSample> samples(DType t, Random&) {
    return {{CheckAttrs{5}, {cast(tensor({0, 4, 2}), t)}}, {CheckAttrs{5}, {zeros({0, 2}, t)}}};
  }
};
template <> struct Sampler<AxisPositions> {
  static constexpr bool accepts(DType t) { return t == i32 || t == i64; }
  static std::vector<OpSample> samples(DType t, Random&) {
    const Tensor i = cast(tensor({{0, 4, 2}, {-5, -1, 3}}), t);
    return {
        {PositionsAttrs{0, 5, 1}, {i}}, {PositionsAttrs{1, 5, 2}, {i}}, {PositionsAttrs{1, 5, 3}, {zeros({0, 2}, t)}}};
  }
};
template <> struct Sampler<Uniform> {
  static constexpr bool accepts(DType t) { return t == i64; }
  static std::vector<OpSample> samples(DType, Random&) {
    return {{UniformAttrs{f64, {3, 5}}, {tensor<std::int64_t>({7, 11})}},
            {UniformAttrs{f32, {3, 0}}, {tensor<std::int64_t>({7, 11})}}};
  }
};
template <> struct Sampler<StandardGamma> {
  static constexpr bool accepts(DType t) { return t == f32 || t == f64; }
  static std::vector<OpSample> samples(DType t, Random& r) {
    return {{Attrs{}, {tensor<std::int64_t>({7, 11}), random_tensor(r, {3, 5}, t, 0.1, 4)}},
            {Attrs{}, {tensor<std::int64_t>({7, 11}), zeros({3, 0}, t)}}};
  }
};
// Their masks are bools, whatever the type.
template <> struct Sampler<Attention> {
  static constexpr bool accepts(DType t) { return t == f32 || t == f64; }
  static std::vector<OpSample> samples(DType t, Random& r) {
    const auto operands = [&](const Shape& batch, std::int64_t queries, std::int64_t keys) {
      std::vector<Tensor> in;
      for (const auto& [n, m] : {std::pair{queries, 3}, {keys, 3}, {keys, 2}}) {
        Shape shape = batch;
        shape.push_back(n);
        shape.push_back(m);
        in.push_back(random_tensor(r, shape, t, -1, 1));
      }
      return in;
    };
    std::vector<OpSample> s = {
        {AttentionAttrs{0.7, false}, operands({2}, 3, 4)},   {AttentionAttrs{1.3, true}, operands({}, 4, 3)},
        {AttentionAttrs{0.7, true}, operands({2, 1}, 3, 4)}, {AttentionAttrs{0.7, true, true}, operands({1, 2}, 3, 4)},
        {AttentionAttrs{0.7, false}, operands({0}, 2, 3)},   {AttentionAttrs{0.7, true}, operands({2}, 0, 3)}};
    // Each query sees the first key: where it sees none the logarithm is -inf, of which there are no differences.
    s[2].in.push_back(random_tensor(r, {2, 1, 3, 4}, DType::boolean) | (arange(0, 4) < 1));
    return s;
  }
};
template <> struct Sampler<AttentionGradient> {
  static constexpr bool accepts(DType t) { return Sampler<Attention>::accepts(t); }
  static std::vector<OpSample> samples(DType t, Random& r) {
    std::vector<OpSample> s = Sampler<Attention>::samples(t, r);
    for (OpSample& one : s) {
      Shape rows = one.in[0].shape(), result = rows;
      rows.erase(rows.size() - 1);
      result[result.size() - 1] = 2;
      const Tensor more[] = {random_tensor(r, result, t, -1, 1), random_tensor(r, rows, t, -1, 1),
                             random_tensor(r, rows, t, -1, 1)};
      one.in.insert(one.in.begin() + 3, std::begin(more), std::end(more));
    }
    return s;
  }
};

/// An op and its sampler, for what needs not the op's struct: what each_op calls is compiled again for every op.
struct SampledOp {
  const Op* op;
  bool (*accepts)(DType);
  std::vector<OpSample> (*samples)(DType, Random&);
  bool of_matrices;  // a small change of its operands may be a large one of its results
  bool product;
};

/// All of the table.
inline const std::vector<SampledOp>& sampled_ops() {
  static const std::vector<SampledOp> all = [] {
    std::vector<SampledOp> list;
    each_op([&]<class Struct>() {
      list.push_back({&op_of<Struct>(), Sampler<Struct>::accepts, Sampler<Struct>::samples,
                      std::is_base_of_v<MatrixOp, Struct>, is_product<Struct>});
    });
    return list;
  }();
  return all;
}

/// Runs f(op, sample) for each sample of each op and type that it accepts.
template <class F> void each_sample(F f) {
  Random random;
  for (const SampledOp& s : sampled_ops())
    for (DType t : all_dtypes) {
      if (!s.accepts(t)) continue;
      for (const OpSample& sample : s.samples(t, random)) {
        INFO(s.op->name << " of " << name_of(t) << " " << sample.attrs.text());
        f(*s.op, sample);
      }
    }
}

/// The outputs of an op.
inline std::vector<Tensor> run(const Op& op, const OpSample& s) {
  std::vector<Tensor> out(static_cast<std::size_t>(op.outputs));
  apply(op, s.attrs, s.in, out);
  return out;
}

}  // namespace weft::test
