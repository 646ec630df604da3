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

/// The one CPU engine. The first call clamps oneDNN to weft::isa().
const dnnl::engine& cpu_engine();

/// A stream of the calling thread's.
dnnl::stream& cpu_stream();

}  // namespace weft::onednn
