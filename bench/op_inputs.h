// For each op of the table an input as large as in real models, and what is known of the work in it.
#pragma once

#include <algorithm>

#include <weft/ops/work.h>
#include <weft/tensor/roofline.h>

#include "large_inputs.h"

namespace bench {

struct OpInput {
  weft::test::OpSample sample;
  weft::OpWork work = {};  ///< as work_of counts it
  bool large = true;       ///< false: one of the tests' samples, whose time is what a call costs
};

namespace detail_ {

inline OpWork work_of_sample(const OpSample& sample, const Op& op) {
  std::vector<const Type*> in, out;
  for (const Tensor& t : sample.in) in.push_back(&t.type());
  std::vector<Type> types(static_cast<std::size_t>(op.outputs));
  op.infer(sample.attrs, in, types);
  for (const Type& t : types) out.push_back(&t);
  return work_of(op, sample.attrs, in, out);
}

inline std::int64_t elements_of(const OpSample& s) {
  std::int64_t n = 0;
  for (const Tensor& t : s.in) n += t.size();
  return n;
}

template <class Struct> std::optional<OpSample> large_sample(Random& r) {
  const DType t = test::usual_type<Struct>();
  if constexpr (test::is_plain_elementwise<Struct>)
    return test::Sampler<Struct>::sample({elements}, t, r);
  else if constexpr (std::is_base_of_v<ReductionBase, Struct>)
    return {{ReduceAttrs{1, 2}, {random_tensor(r, {1024, elements / 1024}, t, 0.9, 1.1)}}};
  else
    return large_input<Struct>(r);
}

}  // namespace detail_

template <class Struct> OpInput op_input() {
  using namespace detail_;
  Random r(1);
  if (std::optional<OpSample> sample = large_sample<Struct>(r))
    return {*sample, work_of_sample(*sample, op_of<Struct>())};
  const std::vector<OpSample> samples = test::Sampler<Struct>::samples(test::usual_type<Struct>(), r);
  return {*std::ranges::max_element(samples, {}, elements_of), {}, false};
}

}  // namespace bench
