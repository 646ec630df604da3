#include "conv_depthwise.h"

#include <algorithm>

#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"
#include "../../tensor/storage.h"
#include "add_parts.h"

namespace weft {
namespace {

bool has_own_windows(const ConvShape& s) {
  return s.groups == s.channels && s.groups == s.outputs && s.channels % 16 == 0 && isa() >= Isa::avx2;
}

DepthwiseImage image_of(const ConvShape& s) {
  DepthwiseImage d;
  const auto real = static_cast<std::size_t>(s.axes);
  for (std::size_t k = 0; k < 3; ++k) {  // those there are last
    const std::size_t from = (k + real) % 3;
    d.axes[k] = {s.in[from], s.out[from], s.window[from], s.stride[from], s.before[from], s.dilation[from]};
  }
  d.channels = s.channels, d.first = 0, d.last = s.channels;
  return d;
}

}  // namespace

bool is_depthwise_weight(const ConvShape& s) { return s.pass == ConvPass::w && has_own_windows(s); }

void depthwise_weight(const ConvShape& s, const float* x, float* w, const float* y) {
  constexpr std::int64_t width = 64;  // channels of a task
  const std::int64_t c = s.channels, taps = s.taps(), pixels = s.pixels(), parts = (c + width - 1) / width,
                     size = taps * c;
  const Storage all = Storage::allocate(static_cast<std::size_t>(s.n * size) * sizeof(float));
  auto* const sums = reinterpret_cast<float*>(all.data());
  const auto kernel = isa() == Isa::avx512 ? depthwise_sums_avx512 : depthwise_sums_avx2;
  const int threads = s.n * s.positions() * size < 500'000 ? 1 : num_threads();
  parallel_for(s.n * parts, threads, [&](std::int64_t task) {
    const std::int64_t n = task / parts, first = task % parts * width;
    DepthwiseImage d = image_of(s);
    d.first = first, d.last = std::min(c, first + width);
    kernel(d, x + n * pixels * c, y + n * s.positions() * c, sums + n * size);
  });
  add_parts(sums + size, s.n - 1, size, sums);
  for (std::int64_t k = 0; k < taps; ++k)
    for (std::int64_t i = 0; i < c; ++i) w[i * taps + k] = sums[k * c + i];
}

bool is_depthwise(const ConvShape& s, DType t) {
  return t == DType::f64 && s.taps() <= depthwise_taps && has_own_windows(s) &&
         (s.pass == ConvPass::y || (s.pass == ConvPass::x && s.can_be_turned()));
}

void depthwise(const ConvShape& given, double* x, const double* w, double* y) {
  const bool turned = given.pass == ConvPass::x;
  const ConvShape s = turned ? given.turned() : given;
  if (turned) std::swap(x, y);
  const std::int64_t c = s.channels, taps = s.taps();
  const Storage weight = Storage::allocate(static_cast<std::size_t>(taps * c) * sizeof(double));  // [taps, channels]
  auto* const by_taps = reinterpret_cast<double*>(weight.data());
  for (std::int64_t i = 0; i < c; ++i)
    for (std::int64_t k = 0; k < taps; ++k) by_taps[k * c + i] = w[i * taps + (turned ? taps - 1 - k : k)];
  const bool wide = isa() == Isa::avx512;
  const DepthwiseImage whole = image_of(s);
  const std::int64_t rows = whole.axes[0].out * whole.axes[1].out, width = whole.axes[2].out,
                     each = std::clamp<std::int64_t>(500'000 / (width * c * taps), 1, rows),
                     parts = (rows + each - 1) / each;
  const int threads = s.n * rows * width * c * taps < 500'000 ? 1 : num_threads();
  parallel_for(s.n * parts, threads, [&](std::int64_t task) {
    const std::int64_t n = task / parts;
    DepthwiseImage d = whole;
    d.first = task % parts * each, d.last = std::min(rows, d.first + each);
    const double* const from = x + n * s.pixels() * c;
    double* const to = y + n * s.positions() * c;
    wide ? depthwise_rows_avx512(d, from, by_taps, to) : depthwise_rows_avx2(d, from, by_taps, to);
  });
}

}  // namespace weft
