#include "conv_depthwise.h"

#include <algorithm>

#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"
#include "../../tensor/storage.h"

namespace weft {

bool is_depthwise_weight(const ConvShape& s) {
  return s.pass == ConvPass::w && s.groups == s.channels && s.groups == s.outputs && s.channels % 16 == 0 &&
         isa() >= Isa::avx2;
}

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
    DepthwiseImage d;
    const auto real = static_cast<std::size_t>(s.axes);
    for (std::size_t k = 0; k < 3; ++k) {  // those there are last
      const std::size_t from = (k + real) % 3;
      d.axes[k] = {s.in[from], s.out[from], s.window[from], s.stride[from], s.before[from], s.dilation[from]};
    }
    d.channels = c, d.first = first, d.last = std::min(c, first + width);
    kernel(d, x + n * pixels * c, y + n * s.positions() * c, sums + n * size);
  });
  for (std::int64_t n = 1; n < s.n; ++n)
    for (std::int64_t i = 0; i < size; ++i) sums[i] += sums[n * size + i];
  for (std::int64_t k = 0; k < taps; ++k)
    for (std::int64_t i = 0; i < c; ++i) w[i * taps + k] = sums[k * c + i];
}

}  // namespace weft
