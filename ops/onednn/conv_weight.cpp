#include "conv_weight.h"

#include "../../tensor/isa.h"
#include "../kernels/weight_vectors.h"

namespace weft::onednn {
namespace {

constexpr std::int64_t lanes = 16;

/// f(rows, where they begin in the plain weight, where their vectors begin in the ordered one), for all of them.
template <class F> void each_rows(const WeightOrder& o, const PlainWeight& p, F&& f) {
  const std::int64_t block = o.wide ? p.channels : lanes;  // channels before the next tap
  WeightRows rows{p.output_step, p.taps, p.taps, o.wide ? o.wide : lanes, block * (o.wide ? o.wide : lanes), 64};
  const auto at = [&](std::int64_t output, std::int64_t channel) {
    if (o.wide) return output / o.wide * o.wide * p.taps * p.channels + output % o.wide + channel * o.wide;
    return (output * p.channels + channel / lanes * lanes * lanes) * p.taps + channel % lanes * lanes;
  };
  if (p.channel_step == p.taps && !p.reversed) {  // one channel's taps follow the other's
    rows.length = block * p.taps;
    for (std::int64_t i = 0; i < p.outputs; i += lanes)
      for (std::int64_t j = 0; j < p.channels; j += block) f(rows, i * p.output_step + j * p.channel_step, at(i, j));
    return;
  }
  const std::int64_t first = p.reversed ? (p.taps - 1) * rows.tap : 0;
  if (p.reversed) rows.tap = -rows.tap;
  rows.ahead = 2 * p.channel_step;
  for (std::int64_t j = 0; j < p.channels; ++j)
    for (std::int64_t i = 0; i < p.outputs; i += lanes)
      f(rows, i * p.output_step + j * p.channel_step, at(i, j) + first);
}

}  // namespace

std::optional<WeightOrder> weight_order(const dnnl::memory::desc& laid_out, const dnnl::memory::dims& dims) {
  using tag = dnnl::memory::format_tag;
  struct Known {
    WeightOrder order;
    tag tags[3];  // of one axis, of two, of three
  };
  static constexpr Known known[] = {{{0}, {tag::OIw16i16o, tag::OIhw16i16o, tag::OIdhw16i16o}},
                                    {{16}, {tag::Owi16o, tag::Ohwi16o, tag::Odhwi16o}},
                                    {{32}, {tag::Owi32o, tag::Ohwi32o, tag::Odhwi32o}},
                                    {{48}, {tag::Owi48o, tag::Ohwi48o, tag::Odhwi48o}},
                                    {{64}, {tag::Owi64o, tag::Ohwi64o, tag::Odhwi64o}}};
  if (isa() != Isa::avx512) return std::nullopt;
  for (const auto& [order, tags] : known) {
    const bool whole = order.wide ? dims[0] % order.wide == 0 : dims[0] % lanes == 0 && dims[1] % lanes == 0;
    if (whole && laid_out == dnnl::memory::desc(dims, dnnl::memory::data_type::f32, tags[dims.size() - 3]))
      return order;
  }
  return std::nullopt;
}

void order_weight(const WeightOrder& o, const PlainWeight& p, const float* plain, float* ordered) {
  each_rows(o, p, [&](const WeightRows& rows, std::int64_t from, std::int64_t to) {
    rows_to_vectors_avx512(rows, plain + from, ordered + to);
  });
}

void plain_weight(const WeightOrder& o, const PlainWeight& p, const float* ordered, float* plain) {
  each_rows(o, p, [&](const WeightRows& rows, std::int64_t to, std::int64_t from) {
    vectors_to_rows_avx512(rows, ordered + from, plain + to);
  });
}

}  // namespace weft::onednn
