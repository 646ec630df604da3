// Axes in another order.
#include <fmt/format.h>

#include <utility>

#include "apply.h"
#include "composition.h"
#include "defs/shape.h"
#include "manipulate.h"
#include "transposing.h"

namespace weft {

using detail::composed;

void Transpose::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const Ints& axes = attrs.as<TransposeAttrs>().axes;
  if (axes.size() != in[0]->shape.size())
    throw IndexError(fmt::format("{} axes named for rank {}", axes.size(), in[0]->shape.size()));
  out[0] = {in[0]->dtype, in[0]->shape};
  for (int i = 0; i < axes.size(); ++i) out[0].shape[i] = in[0]->shape[static_cast<int>(axes[i])];
}

bool Transpose::view(const Attrs& attrs, const View& in, View& out) {
  const Ints& axes = attrs.as<TransposeAttrs>().axes;
  out.strides = axes;
  for (int i = 0; i < axes.size(); ++i) out.strides[i] = in.strides[static_cast<int>(axes[i])];
  out.data = in.data;
  return true;
}

void Transpose::vjp(Backward& b) { b.give(0, transpose(b.grad(), inverse(b.attrs<TransposeAttrs>().axes))); }

void Transpose::batch(Batching& b) {
  Ints axes = b.attrs<TransposeAttrs>().axes;
  for (std::int64_t& a : axes) ++a;
  axes.insert(0, 0);
  b.apply(TransposeAttrs{axes});
}

Tensor transpose(const Arg& x) {
  return composed("transpose", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    Ints order;
    for (int i = t.rank(); i-- > 0;) order.push_back(i);
    return apply<Transpose>({t}, TransposeAttrs{order});
  });
}

Tensor transpose(const Arg& x, const Ints& axes) {
  return composed("transpose", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    Ints order;
    for (std::int64_t a : axes) {
      const int axis = normal_axis(a, t.rank());
      if (order.contains(axis)) throw IndexError(fmt::format("axis {} appears twice in {}", axis, axes.text()));
      order.push_back(axis);
    }
    if (order.size() != t.rank()) throw IndexError(fmt::format("{} axes named for rank {}", order.size(), t.rank()));
    return apply<Transpose>({t}, TransposeAttrs{order});
  });
}

Tensor swap_axes(const Arg& x, Axis a, Axis b) {
  return composed("swap_axes", {{"in0", x}}, [&] {
    const Tensor t = x.tensor();
    Ints order;
    for (int i = 0; i < t.rank(); ++i) order.push_back(i);
    std::swap(order[normal_axis(a, t.rank())], order[normal_axis(b, t.rank())]);
    return apply<Transpose>({t}, TransposeAttrs{order});
  });
}

}  // namespace weft
