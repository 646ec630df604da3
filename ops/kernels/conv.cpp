#include "conv.h"

#include <algorithm>

#include "../../tensor/convert.h"
#include "../../tensor/parallel.h"
#include "../../tensor/tensor.h"
#include "../onednn/conv.h"
#include "add_parts.h"
#include "conv_depthwise.h"
#include "matmul_plan.h"

namespace weft {
namespace {

void widened(const ConvShape& s, DType t, void* x, void* w, void* y) {
  const std::int64_t pixels = s.pixels();
  struct Operand {
    void* narrow;
    std::int64_t size;
    bool result;
    Storage wide;
  } all[] = {{x, s.n * pixels * s.channels, s.pass == ConvPass::x, {}},
             {w, s.outputs * (s.channels / s.groups) * s.taps(), s.pass == ConvPass::w, {}},
             {y, s.n * s.positions() * s.outputs, s.pass == ConvPass::y, {}}};
  for (Operand& o : all) {
    o.wide = Storage::allocate(static_cast<std::size_t>(o.size) * sizeof(float));
    if (!o.result) detail::convert_elements(t, o.narrow, 1, DType::f32, o.wide.data(), 1, o.size);
  }
  conv(s, DType::f32, all[0].wide.data(), all[1].wide.data(), all[2].wide.data());
  for (const Operand& o : all)
    if (o.result) detail::convert_elements(DType::f32, o.wide.data(), 1, t, o.narrow, 1, o.size);
}

// A window of one element that goes over all of them in turn: one product of matrices, where images are rows of pixels.
// Of f32 and 17 shapes, on one thread, our matmul has 0.94 to 1.56 of the speed of oneDNN's convolution.
bool is_product(const ConvShape& s) {
  constexpr std::array<std::int64_t, 3> ones{1, 1, 1}, none{0, 0, 0};
  return s.groups == 1 && s.window == ones && s.stride == ones && s.before == none && s.after == none;
}

void product(const ConvShape& s, DType t, void* x, void* w, void* y) {
  const std::int64_t rows = s.n * s.positions(), c = s.channels, o = s.outputs;
  MatmulShape m;
  m.dtype = t;
  if (s.pass == ConvPass::y) {  // x w^T
    m.m = rows, m.n = o, m.k = c, m.a_row = c, m.b_row = 1, m.b_col = c;
    matmul(m, x, w, y);
  } else if (s.pass == ConvPass::x) {  // y w
    m.m = rows, m.n = c, m.k = o, m.a_row = o, m.b_row = c;
    matmul(m, y, w, x);
  } else if (t != DType::f32 && o <= c) {  // y^T x
    m.m = o, m.n = c, m.k = rows, m.a_row = 1, m.a_col = o, m.b_row = c;
    matmul(m, y, x, w);
  } else if (t != DType::f32) {  // its transpose: the wider one is read in whole lines where it is the right operand
    const Storage turned = Storage::allocate(static_cast<std::size_t>(o * c) * size_of(t));
    m.m = c, m.n = o, m.k = rows, m.a_row = 1, m.a_col = c, m.b_row = o;
    matmul(m, x, y, turned.data());
    copy_elements({t, {o, c}, {1, o}, turned.data()}, {t, {o, c}, {c, 1}, w});
  } else {  // the sum of so many y^T x, because a sum over very many rows goes through the caches more than once
    m.batch = std::clamp<std::int64_t>(rows / 1024, 1, 16);
    while (rows % m.batch) --m.batch;
    m.m = o, m.n = c, m.k = rows / m.batch, m.a_row = 1, m.a_col = o, m.b_row = c;
    m.a_batch = m.k * o, m.b_batch = m.k * c;
    const std::int64_t size = o * c;
    const Storage parts = Storage::allocate(static_cast<std::size_t>(m.batch * size) * sizeof(float));
    const auto* const part = reinterpret_cast<const float*>(parts.data());
    matmul(m, y, x, parts.data());
    auto* const sum = static_cast<float*>(w);
    std::copy_n(part, size, sum);
    add_parts(part + size, m.batch - 1, size, sum);
  }
}

/// For large images: oneDNN has only its loops for gradients.
bool is_turned(const ConvShape& s, DType t) {
  return s.pass == ConvPass::x && s.groups == 1 && s.taps() > 1 && s.channels > 16 &&
         s.positions() * s.outputs * static_cast<std::int64_t>(size_of(t)) > cached_image && s.can_be_turned();
}

template <class T> void turned(const ConvShape& s, void* x, const void* w, void* y) {
  const ConvShape t = s.turned();
  const std::int64_t taps = s.taps(), c = s.channels, o = s.outputs;
  const std::size_t packed = onednn::packed_turned_bytes(t, dtype_of<T>);
  const Storage weight = Storage::allocate(packed ? packed : static_cast<std::size_t>(c * o * taps) * sizeof(T));
  if (packed) {
    onednn::pack_turned(t, static_cast<const float*>(w), reinterpret_cast<float*>(weight.data()));
  } else {
    const auto* const from = static_cast<const T*>(w);
    auto* const round = reinterpret_cast<T*>(weight.data());
    parallel_for(c, num_threads(), [&](std::int64_t i) {
      for (std::int64_t j = 0; j < o; ++j)
        std::reverse_copy(from + (j * c + i) * taps, from + (j * c + i + 1) * taps, round + (i * o + j) * taps);
    });
  }
  onednn::run(t, dtype_of<T>, y, weight.data(), x, packed != 0);
}

/// Which kernel computes it.
enum class Way { library, turned, depthwise, depthwise_weight, product, lines, columns, widened };

Way way_of(const ConvShape& s, DType t) {
  const bool bf16 = t == DType::bf16 && onednn::has_bf16(s);
  // Of bf16 oneDNN's convolution has 1.0 to 1.2 of the speed of our matmul for short sums, 0.6 to 1.0 for all others.
  const bool is_short = s.pass != ConvPass::w && (s.pass == ConvPass::y ? s.channels : s.outputs) <= 64;
  if (is_product(s) && !(bf16 && is_short)) return Way::product;
  if (is_depthwise(s, t)) return Way::depthwise;
  if (is_by_lines(s, t)) return Way::lines;
  if (t == f64) return Way::columns;
  if (t != f32 && !bf16) return Way::widened;
  if (t == f32 && is_depthwise_weight(s)) return Way::depthwise_weight;
  return is_turned(s, t) ? Way::turned : Way::library;
}

}  // namespace

bool ConvShape::can_be_turned() const {  // where the stride is 1
  bool fits = stride == std::array<std::int64_t, 3>{1, 1, 1};
  for (std::size_t k = 0; k < 3; ++k) fits = fits && std::max(before[k], after[k]) <= (window[k] - 1) * dilation[k];
  return fits;
}

ConvShape ConvShape::turned() const {
  ConvShape t = *this;
  t.pass = ConvPass::y;
  std::swap(t.channels, t.outputs), std::swap(t.in, t.out);
  for (std::size_t k = 0; k < 3; ++k) {
    const std::int64_t reach = (window[k] - 1) * dilation[k];
    t.before[k] = reach - before[k], t.after[k] = reach - after[k];
  }
  return t;
}

void conv(const ConvShape& s, DType t, void* x, void* w, void* y) {
  switch (way_of(s, t)) {
    case Way::library: return onednn::run(s, t, x, w, y);
    case Way::turned: return t == f32 ? turned<float>(s, x, w, y) : turned<bfloat16>(s, x, w, y);
    case Way::depthwise: return depthwise(s, static_cast<double*>(x), static_cast<double*>(w), static_cast<double*>(y));
    case Way::depthwise_weight:
      return depthwise_weight(s, static_cast<float*>(x), static_cast<float*>(w), static_cast<float*>(y));
    case Way::product: return product(s, t, x, w, y);
    case Way::lines: return conv_by_lines(s, t, x, w, y);
    case Way::columns:
      return conv_by_columns(s, static_cast<double*>(x), static_cast<double*>(w), static_cast<double*>(y));
    case Way::widened: return widened(s, t, x, w, y);
  }
}

std::size_t packed_weight_bytes(const ConvShape& s, DType t) {
  if (s.pass == ConvPass::w) return 0;
  const Way way = way_of(s, t);
  if (way == Way::turned) return onednn::packed_turned_bytes(s.turned(), t);
  return way == Way::library ? onednn::packed_bytes(s, t) : 0;
}

void pack_weight(const ConvShape& s, DType t, const void* w, void* packed) {
  if (way_of(s, t) == Way::turned)
    onednn::pack_turned(s.turned(), static_cast<const float*>(w), static_cast<float*>(packed));
  else
    onednn::pack(s, t, w, packed);
}

void conv_packed(const ConvShape& s, DType t, void* x, const void* packed, void* y) {
  if (way_of(s, t) == Way::turned)
    onednn::run(s.turned(), t, y, const_cast<void*>(packed), x, true);
  else
    onednn::run(s, t, x, const_cast<void*>(packed), y, true);
}

}  // namespace weft
