// oneDNN 2.6 and 3.x behind one spelling: only what Weft uses, and never a field that 3.x made private.
// Only files in ops/onednn include this or any header of oneDNN's.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace weft::onednn {

inline dnnl::matmul::primitive_desc matmul_primitive_desc(const dnnl::engine& engine, const dnnl::memory::desc& a,
                                                          const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                                          const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c, attributes};
#else
  return {dnnl::matmul::desc(a, b, c), attributes, engine};
#endif
}

/// What moves a convolution's window, as oneDNN takes it: dilations of 0 are dense.
struct ConvMoves {
  dnnl::memory::dims strides, dilations, before, after;
};

inline dnnl::convolution_forward::primitive_desc conv_forward_desc(const dnnl::engine& engine,
                                                                   const dnnl::memory::desc& x,
                                                                   const dnnl::memory::desc& w,
                                                                   const dnnl::memory::desc& y, const ConvMoves& m,
                                                                   const dnnl::primitive_attr& attributes) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
  constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kind, direct, x, w, y, m.strides, m.dilations, m.before, m.after, attributes};
#else
  return {{kind, direct, x, w, y, m.strides, m.dilations, m.before, m.after}, attributes, engine};
#endif
}

inline dnnl::convolution_backward_data::primitive_desc conv_input_desc(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& w, const dnnl::memory::desc& y,
    const ConvMoves& m, const dnnl::convolution_forward::primitive_desc& forward,
    const dnnl::primitive_attr& attributes) {
  constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, direct, x, w, y, m.strides, m.dilations, m.before, m.after, forward, attributes};
#else
  return {{direct, x, w, y, m.strides, m.dilations, m.before, m.after}, attributes, engine, forward};
#endif
}

inline dnnl::convolution_backward_weights::primitive_desc conv_weight_desc(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& w, const dnnl::memory::desc& y,
    const ConvMoves& m, const dnnl::convolution_forward::primitive_desc& forward,
    const dnnl::primitive_attr& attributes) {
  constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, direct, x, w, y, m.strides, m.dilations, m.before, m.after, forward, attributes};
#else
  return {{direct, x, w, y, m.strides, m.dilations, m.before, m.after}, attributes, engine, forward};
#endif
}

/// The one CPU engine. The first call clamps oneDNN to weft::isa().
const dnnl::engine& cpu_engine();

/// A stream of the calling thread's.
dnnl::stream& cpu_stream();

}  // namespace weft::onednn
