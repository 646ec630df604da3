// Parts end to end: concat and stack.
#include <fmt/format.h>

#include <algorithm>

#include "apply.h"
#include "composition.h"
#include "defs/shape.h"
#include "manipulate.h"
#include "recorder.h"

namespace weft {

void Concat::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const int axis = attrs.as<ConcatAttrs>().axis;
  Type type = *in[0];
  normal_axis(axis, type.shape.size());
  for (std::size_t k = 1; k < in.size(); ++k) {
    if (in[k]->dtype != type.dtype)
      throw DTypeError(
          fmt::format("dtypes differ: {} and {} (part {})", name_of(type.dtype), name_of(in[k]->dtype), k));
    Shape rest = in[k]->shape, mine = type.shape;
    if (rest.size() == mine.size()) rest[axis] = mine[axis] = 0;
    if (rest != mine)
      throw ShapeError(fmt::format("shapes {} and {} (part {}) differ beyond axis {}", in[0]->shape.text(),
                                   in[k]->shape.text(), k, axis));
    if (__builtin_add_overflow(type.shape[axis], in[k]->shape[axis], &type.shape[axis]))
      throw ShapeError("element count overflows");
  }
  out[0] = type;
}

void Concat::run(const Attrs& attrs, Views in, Views out) {
  const int axis = attrs.as<ConcatAttrs>().axis;
  std::int64_t at = 0;
  for (const View& part : in) {
    View window{part.dtype, part.shape, out[0].strides, nullptr};
    window.data = out[0].as<std::byte>() + at * out[0].strides[axis] * static_cast<std::int64_t>(size_of(part.dtype));
    copy_elements(part, window);
    at += part.shape[axis];
  }
}

void Concat::vjp(Backward& b) {
  const int axis = b.attrs<ConcatAttrs>().axis;
  const Tensor g = b.grad();
  std::int64_t at = 0;
  for (int i = 0; i < b.inputs(); ++i) {
    const std::int64_t n = b.in_type(i).shape[axis];
    if (b.wants(i)) b.give(i, slice_axis(g, axis, at, at + n));
    at += n;
  }
}

Tensor concat(const std::vector<Tensor>& parts, Axis axis, std::source_location site) {
  const SiteScope scope(site);
  const int at = detail::named(
      "concat", site, [&] { return detail::describe(parts, 1); },
      [&] {
        if (parts.empty()) throw ArgumentError("no parts");
        return parts[0].defined() ? normal_axis(axis, parts[0].rank()) : 0;  // the door refuses it
      });
  return apply(op_of<Concat>(), ConcatAttrs{at}, parts);
}

Tensor stack(const std::vector<Tensor>& parts, Axis axis, std::source_location site) {
  const auto body = [&] {
    if (parts.empty()) throw ArgumentError("no parts");
    if (!parts[0].defined()) return apply(op_of<Concat>(), ConcatAttrs{0}, parts);
    const int at = normal_axis(axis, parts[0].rank() + 1);
    std::vector<Tensor> expanded;
    for (const Tensor& p : parts) {
      if (p.defined() && p.shape() != parts[0].shape())
        throw ShapeError(fmt::format("shapes {} and {} differ", parts[0].shape().text(), p.shape().text()));
      expanded.push_back(p.defined() ? expand(p, at) : p);
    }
    return apply(op_of<Concat>(), ConcatAttrs{at}, expanded);
  };
  return detail::named(
      "stack", site, [&] { return detail::describe(parts, 4); }, body);
}

}  // namespace weft
