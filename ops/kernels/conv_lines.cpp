// Convolutions along one axis. Channels lie last: the elements of a window follow each other, and the
// matrix of all windows is the line itself, read with rows that overlap.
#include <algorithm>

#include "add_parts.h"
#include "conv_weight.h"
#include "matmul_plan.h"

namespace weft {
namespace {

/// Of one that is turned round: its outputs are the given channels, and its taps go from the last to the first.
View given_round(const ConvShape& s, DType t, std::byte* w) {
  const std::int64_t o = s.outputs, c = s.channels, taps = s.taps();
  return {t, {o, taps, c}, {taps, -1, o * taps}, w + (taps - 1) * static_cast<std::int64_t>(size_of(t))};
}

template <class T> void by_lines(const ConvShape& given, T* x, T* w, T* y) {
  const bool turned = given.pass == ConvPass::x;
  const ConvShape s = turned ? given.turned() : given;
  if (turned) std::swap(x, y);
  const std::int64_t c = s.channels, o = s.outputs, width = s.taps() * c, length = s.before[0] + s.in[0] + s.after[0];
  const auto allocate = [](std::int64_t n) { return Storage::allocate(static_cast<std::size_t>(n) * sizeof(T)); };
  Storage padded;
  const T* line = x;
  if (length > s.in[0]) {
    padded = allocate(s.n * length * c);
    auto* to = reinterpret_cast<T*>(padded.data());
    line = to;
    for (std::int64_t n = 0; n < s.n; ++n) {
      to = std::fill_n(to, s.before[0] * c, T(0));
      to = std::copy_n(x + n * s.in[0] * c, s.in[0] * c, to);
      to = std::fill_n(to, s.after[0] * c, T(0));
    }
  }
  const Storage turned_weight = allocate(o * width);
  auto* const weight = reinterpret_cast<T*>(turned_weight.data());
  MatmulShape m;
  m.dtype = dtype_of<T>;
  m.batch = s.n;
  if (s.pass == ConvPass::y) {  // y = windows w^T
    auto* const from = reinterpret_cast<std::byte*>(w);
    copy_elements(turned ? given_round(s, m.dtype, from) : given_weight(s, m.dtype, from),
                  weight_by_taps(s, m.dtype, weight));
    m.m = s.out[0], m.n = o, m.k = width;
    m.a_batch = length * c, m.a_row = s.stride[0] * c, m.b_row = 1, m.b_col = width;
    return matmul(m, line, weight, y);
  }
  // w: of each image y^T windows, and their sum in order; of some images at a time, for the memory
  constexpr std::int64_t most_bytes = 4 << 20;
  const std::int64_t size = o * width, bytes = size * static_cast<std::int64_t>(sizeof(T)),
                     group = std::clamp<std::int64_t>(most_bytes / bytes, 1, s.n);
  const Storage parts = allocate(group * size);
  std::fill_n(weight, size, T(0));
  m.m = o, m.n = width, m.k = s.out[0];
  m.a_batch = s.out[0] * o, m.a_row = 1, m.a_col = o, m.b_batch = length * c, m.b_row = s.stride[0] * c;
  for (std::int64_t n = 0; n < s.n; n += group) {
    m.batch = std::min(group, s.n - n);
    matmul(m, y + n * m.a_batch, line + n * m.b_batch, parts.data());
    add_parts(reinterpret_cast<const T*>(parts.data()), m.batch, size, weight);
  }
  copy_elements(weight_by_taps(s, m.dtype, weight), given_weight(s, m.dtype, w));
}

}  // namespace

bool is_by_lines(const ConvShape& s, DType t) {
  const bool fits = s.axes == 1 && s.groups == 1 && s.dilation[0] == 1 && (s.pass != ConvPass::x || s.can_be_turned());
  // Of f32 by trial (1 to 32 channels, 2 to 32 outputs, 3 to 64 taps, one thread): from 16 taps on 1.1 to 90 times as
  // fast as oneDNN's gradients, whose loops want channels; results are computed as fast by either.
  const bool pays = s.pass != ConvPass::y && s.taps() >= 16 && (s.outputs <= 16 || s.channels >= 8);
  return fits && (t == DType::f64 || (t == DType::f32 && pays));
}

void conv_by_lines(const ConvShape& s, DType t, void* x, void* w, void* y) {
  if (t == DType::f32) return by_lines(s, static_cast<float*>(x), static_cast<float*>(w), static_cast<float*>(y));
  by_lines(s, static_cast<double*>(x), static_cast<double*>(w), static_cast<double*>(y));
}

}  // namespace weft
