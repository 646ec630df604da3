// oneDNN 2.6 and 3.x behind one spelling: only what Weft uses, and never a field that 3.x made private.
// Only files in ops/onednn include this or any header of oneDNN's.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>

namespace weft::onednn {

/// What moves a convolution's window, as oneDNN takes it: dilations of 0 are dense.
struct ConvMoves {
  dnnl::memory::dims strides, dilations, before, after;
};

/// Which of a convolution's implementations: oneDNN's first, or the AVX-512 kernel of the plain loop where there is
/// one.
enum class Take { first, loop };

template <class Make> auto taken(Take take, const Make& make) {
  auto desc = make();
  if (take == Take::first) return desc;
  do {
    const std::string_view name = desc.impl_info_str();
    for (const std::string_view loop :
         {"jit:avx512_core", "jit_dw:avx512_core", "jit_bf16:avx512_core_bf16", "jit_dw:avx512_core_bf16"})
      if (name == loop) return desc;
  } while (desc.next_impl());
  return make();
}

/// Whether this is a kernel of loops generated for the convolution: no reference, nor products of matrices.
inline bool has_loops(const dnnl::primitive_desc_base& desc) {
  return std::string_view(desc.impl_info_str()).starts_with("jit");
}

/// Whether oneDNN may use the instruction that multiplies bf16 and adds in f32. Its levels are sets of bits.
inline bool has_bf16_products() {
  constexpr int wanted = dnnl_cpu_isa_avx512_core_bf16;
  return (static_cast<int>(dnnl_get_effective_cpu_isa()) & wanted) == wanted;
}

inline dnnl::convolution_forward::primitive_desc conv_forward_desc(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& w, const dnnl::memory::desc& y,
    const ConvMoves& m, const dnnl::primitive_attr& attributes, Take take = Take::first) {
  using Conv = dnnl::convolution_forward;
  constexpr auto kind = dnnl::prop_kind::forward_training;
  constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return taken(take, [&] {
    return Conv::primitive_desc(engine, kind, direct, x, w, y, m.strides, m.dilations, m.before, m.after, attributes);
  });
#else
  const Conv::desc given(kind, direct, x, w, y, m.strides, m.dilations, m.before, m.after);
  return taken(take, [&] { return Conv::primitive_desc(given, attributes, engine); });
#endif
}

inline dnnl::convolution_backward_data::primitive_desc conv_input_desc(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& w, const dnnl::memory::desc& y,
    const ConvMoves& m, const dnnl::convolution_forward::primitive_desc& forward,
    const dnnl::primitive_attr& attributes, Take take = Take::first) {
  using Conv = dnnl::convolution_backward_data;
  constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return taken(take, [&] {
    return Conv::primitive_desc(engine, direct, x, w, y, m.strides, m.dilations, m.before, m.after, forward,
                                attributes);
  });
#else
  const Conv::desc given(direct, x, w, y, m.strides, m.dilations, m.before, m.after);
  return taken(take, [&] { return Conv::primitive_desc(given, attributes, engine, forward); });
#endif
}

inline dnnl::convolution_backward_weights::primitive_desc conv_weight_desc(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& w, const dnnl::memory::desc& y,
    const ConvMoves& m, const dnnl::convolution_forward::primitive_desc& forward,
    const dnnl::primitive_attr& attributes, Take take = Take::first) {
  using Conv = dnnl::convolution_backward_weights;
  constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return taken(take, [&] {
    return Conv::primitive_desc(engine, direct, x, w, y, m.strides, m.dilations, m.before, m.after, forward,
                                attributes);
  });
#else
  const Conv::desc given(direct, x, w, y, m.strides, m.dilations, m.before, m.after);
  return taken(take, [&] { return Conv::primitive_desc(given, attributes, engine, forward); });
#endif
}

/// The one CPU engine. The first call clamps oneDNN to weft::isa().
const dnnl::engine& cpu_engine();

/// A stream of the calling thread's.
dnnl::stream& cpu_stream();

}  // namespace weft::onednn
