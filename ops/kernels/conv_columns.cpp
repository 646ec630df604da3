#include <algorithm>
#include <cstring>

#include "add_parts.h"
#include "conv_weight.h"
#include "matmul_plan.h"

namespace weft {
namespace {

/// Visits what the windows of an image see: f(row, tap, pixel), a pixel of the image or -1 for padding.
template <class F> void each_tap(const ConvShape& s, F f) {
  std::int64_t row = 0;
  for (std::int64_t a = 0; a < s.out[0]; ++a)
    for (std::int64_t b = 0; b < s.out[1]; ++b)
      for (std::int64_t c = 0; c < s.out[2]; ++c, ++row) {
        std::int64_t tap = 0;
        for (std::int64_t i = 0; i < s.window[0]; ++i)
          for (std::int64_t j = 0; j < s.window[1]; ++j)
            for (std::int64_t k = 0; k < s.window[2]; ++k, ++tap) {
              const std::int64_t p = a * s.stride[0] - s.before[0] + i * s.dilation[0],
                                 q = b * s.stride[1] - s.before[1] + j * s.dilation[1],
                                 r = c * s.stride[2] - s.before[2] + k * s.dilation[2];
              const bool inside = p >= 0 && p < s.in[0] && q >= 0 && q < s.in[1] && r >= 0 && r < s.in[2];
              f(row, tap, inside ? (p * s.in[1] + q) * s.in[2] + r : -1);
            }
      }
}

}  // namespace

void conv_by_columns(const ConvShape& s, double* x, double* w, double* y) {
  const std::int64_t taps = s.taps(), channels = s.channels / s.groups, outputs = s.outputs / s.groups,
                     rows = s.positions(), width = taps * channels, pixels = s.pixels();
  const auto bytes = [](std::int64_t n) { return static_cast<std::size_t>(n) * sizeof(double); };
  const Storage turned_in = Storage::allocate(bytes(s.outputs * width)),
                columns_in = Storage::allocate(bytes(rows * width)), sum_in = Storage::allocate(bytes(outputs * width));
  double* const turned = reinterpret_cast<double*>(turned_in.data());
  double* const columns = reinterpret_cast<double*>(columns_in.data());
  double* const sum = reinterpret_cast<double*>(sum_in.data());
  if (s.pass == ConvPass::w)
    std::fill_n(turned, s.outputs * width, 0);
  else
    copy_elements(given_weight(s, f64, w), weight_by_taps(s, f64, turned));
  if (s.pass == ConvPass::x) std::fill_n(x, s.n * pixels * s.channels, 0);
  Storage result_in = Storage::allocate(bytes(rows * outputs));
  double* const result = reinterpret_cast<double*>(result_in.data());

  for (std::int64_t n = 0; n < s.n; ++n)
    for (std::int64_t g = 0; g < s.groups; ++g) {
      double* const image = x + n * pixels * s.channels + g * channels;  // a pixel's channels lie s.channels apart
      double* const of = y + n * rows * s.outputs + g * outputs;
      double* const weight = turned + g * outputs * width;
      MatmulShape m;
      m.dtype = f64;
      if (s.pass == ConvPass::x) {  // columns = y w, and added where they came from
        m.m = rows, m.n = width, m.k = outputs;
        m.a_row = s.outputs, m.a_col = 1, m.b_row = width, m.b_col = 1;
        matmul(m, of, weight, columns);
        each_tap(s, [&](std::int64_t row, std::int64_t tap, std::int64_t pixel) {
          if (pixel < 0) return;
          const double* from = columns + row * width + tap * channels;
          for (std::int64_t c = 0; c < channels; ++c) image[pixel * s.channels + c] += from[c];
        });
        continue;
      }
      each_tap(s, [&](std::int64_t row, std::int64_t tap, std::int64_t pixel) {
        double* to = columns + row * width + tap * channels;
        if (pixel < 0)
          std::fill_n(to, channels, 0);
        else
          std::copy_n(image + pixel * s.channels, channels, to);
      });
      if (s.pass == ConvPass::y) {  // y = columns w^T
        m.m = rows, m.n = outputs, m.k = width;
        m.a_row = width, m.a_col = 1, m.b_row = 1, m.b_col = width;
        matmul(m, columns, weight, result);
        for (std::int64_t row = 0; row < rows; ++row)
          std::copy_n(result + row * outputs, outputs, of + row * s.outputs);
      } else {  // w += y^T columns
        m.m = outputs, m.n = width, m.k = rows;
        m.a_row = 1, m.a_col = s.outputs, m.b_row = width, m.b_col = 1;
        matmul(m, of, columns, sum);
        add_parts(sum, 1, outputs * width, weight);
      }
    }
  if (s.pass == ConvPass::w) copy_elements(weight_by_taps(s, f64, turned), given_weight(s, f64, w));
}

}  // namespace weft
