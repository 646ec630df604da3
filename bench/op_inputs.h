// For each op of the table an input as large as in real models, and what is known of the work in it.
#pragma once

#include <algorithm>

#include <weft/ops/work.h>
#include <weft/tensor/roofline.h>
#include <weft/tests/op_samples.h>

namespace bench {

using weft::Arithmetic;

struct OpInput {
  weft::test::OpSample sample;
  Arithmetic arithmetic = {};  ///< as work_of counts it
  bool large = true;           ///< false: one of the tests' samples, whose time is what a call costs
};

namespace detail_ {

using namespace weft;
using test::OpSample, test::Random, test::random_tensor;

constexpr std::int64_t elements = 1 << 23;  // 32 MiB of f32

inline Tensor indices(Random& r, const Shape& shape, std::int64_t n) {
  return test::filled(shape, i64, [&](std::int64_t) { return static_cast<double>(r.below(n)); });
}

/// An op of a kind that does not say what a large input is: here or nowhere.
template <class Struct> OpInput special(Random& r) {
  const auto x = [&](const Shape& s) { return random_tensor(r, s, f32, -1, 1); };
  if constexpr (std::is_same_v<Struct, Cast>) return {{CastAttrs{i32}, {x({elements})}}};
  if constexpr (std::is_same_v<Struct, ArgMax> || std::is_same_v<Struct, ArgMin>)
    return {{ArgReduceAttrs{1}, {x({1024, elements / 1024})}}};
  if constexpr (std::is_same_v<Struct, Embed>)
    return {{EmbedAttrs{{1, 1}, {1, 1}, {2050, 4098}, 0}, {x({2048, 4096})}}};
  if constexpr (std::is_same_v<Struct, Concat>) return {{ConcatAttrs{1}, {x({2048, 2048}), x({2048, 2048})}}};
  if constexpr (std::is_same_v<Struct, Contiguous>) return {{Attrs{}, {transpose(x({4096, 2048}))}}};
  if constexpr (std::is_same_v<Struct, Gather>)
    return {{AxisAttrs{0}, {x({50'000, 256}), indices(r, {16'384}, 50'000)}}};
  if constexpr (std::is_same_v<Struct, ScatterAdd>)
    return {{AxisAttrs{0}, {x({16'384, 256}), indices(r, {16'384}, 16'384), x({16'384, 256})}}};
  if constexpr (std::is_same_v<Struct, AssertFinite>) return {{Attrs{}, {x({elements})}}};
  if constexpr (std::is_same_v<Struct, Uniform>)
    return {{UniformAttrs{f32, {elements}}, {tensor<std::int64_t>({7, 11})}}};
  if constexpr (std::is_same_v<Struct, MatMul>) return {{Attrs{}, {x({1024, 1024}), x({1024, 1024})}}};
  std::vector<OpSample> samples = test::Sampler<Struct>::samples(test::usual_type<Struct>(), r);
  const auto work = [](const OpSample& s) {
    std::int64_t n = 0;
    for (const Tensor& t : s.in) n += t.size();
    return n;
  };
  const auto most = std::ranges::max_element(samples, {}, work);
  return {*most, {}, false};
}

inline Arithmetic arithmetic_of(const OpSample& sample, const Op& op) {
  std::vector<const Type*> in, out;
  for (const Tensor& t : sample.in) in.push_back(&t.type());
  std::vector<Type> types(static_cast<std::size_t>(op.outputs));
  op.infer(sample.attrs, in, types);
  for (const Type& t : types) out.push_back(&t);
  return work_of(op, sample.attrs, in, out);
}

}  // namespace detail_

template <class Struct> OpInput op_input() {
  using namespace detail_;
  Random r(1);
  if constexpr (test::is_plain_elementwise<Struct>) {
    const OpSample sample = test::Sampler<Struct>::sample({elements}, test::usual_type<Struct>(), r);
    return {sample, arithmetic_of(sample, op_of<Struct>())};
  } else if constexpr (std::is_base_of_v<ReductionBase, Struct>) {
    const OpSample sample{ReduceAttrs{1, 2},
                          {random_tensor(r, {1024, elements / 1024}, test::usual_type<Struct>(), 0.9, 1.1)}};
    return {sample, arithmetic_of(sample, op_of<Struct>())};
  } else {
    OpInput input = special<Struct>(r);
    if (input.large) input.arithmetic = arithmetic_of(input.sample, op_of<Struct>());
    return input;
  }
}

}  // namespace bench
