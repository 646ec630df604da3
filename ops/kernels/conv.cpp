#include "conv.h"

#include "../../tensor/convert.h"
#include "../../tensor/tensor.h"
#include "../onednn/conv.h"

namespace weft {
namespace {

void widened(const ConvShape& s, DType t, void* x, void* w, void* y) {
  const std::int64_t pixels = s.in[0] * s.in[1] * s.in[2];
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

}  // namespace

void conv(const ConvShape& s, DType t, void* x, void* w, void* y) {
  if (t == DType::f32)
    onednn::run(s, x, w, y);
  else if (t == DType::f64)
    conv_by_columns(s, static_cast<double*>(x), static_cast<double*>(w), static_cast<double*>(y));
  else
    widened(s, t, x, w, y);
}

}  // namespace weft
