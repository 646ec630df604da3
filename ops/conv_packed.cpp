#include "conv_packed.h"

#include "define.h"
#include "defs/conv.h"
#include "work.h"

namespace weft {
namespace {

struct PackedConvAttrs {
  ConvShape shape;
  bool operator==(const PackedConvAttrs&) const = default;
  void each(auto&& f) const {
    const auto list = [&](const std::array<std::int64_t, 3>& of) {
      return Ints(std::span(of.data(), static_cast<std::size_t>(shape.axes)));
    };
    f("of_x", shape.pass == ConvPass::x), f("n", shape.n), f("channels", shape.channels), f("outputs", shape.outputs);
    f("groups", shape.groups), f("in", list(shape.in)), f("out", list(shape.out)), f("window", list(shape.window));
    f("stride", list(shape.stride)), f("before", list(shape.before)), f("after", list(shape.after));
    f("dilation", list(shape.dilation));
  }
};

const ConvShape& shape_of(const Attrs& attrs) { return attrs.as<PackedConvAttrs>().shape; }

struct PackConvWeight {
  static constexpr auto name = "pack_conv_weight";
  static constexpr auto operand_names = "weight";
  static constexpr OpKind kind = OpKind::kernel;
  static void infer(const Attrs& attrs, Types in, std::span<Type> out) {
    out[0] = {u8, {static_cast<std::int64_t>(packed_weight_bytes(shape_of(attrs), in[0]->dtype))}};
  }
  static void run(const Attrs& attrs, Views in, Views out) {
    Storage copy;
    pack_weight(shape_of(attrs), in[0].dtype, detail::in_order(in[0], copy), out[0].data);
  }
};

struct ConvOfPacked {
  static constexpr auto name = "conv_of_packed";
  static constexpr auto operand_names = "x weight";
  static constexpr OpKind kind = OpKind::kernel;
  static void infer(const Attrs& attrs, Types in, std::span<Type> out) {
    const ConvShape& s = shape_of(attrs);
    const bool of_x = s.pass == ConvPass::x;
    const auto& extents = of_x ? s.in : s.out;
    const int axes = in[0]->shape.size() - 2;  // the shape may have one more, of 1, before a depthwise one's only one
    out[0] = {in[0]->dtype,
              detail::around(s.n, Ints(std::span(extents.data() + s.axes - axes, static_cast<std::size_t>(axes))),
                             of_x ? s.channels : s.outputs)};
  }
  static OpWork work(const Attrs& attrs, Types, Types out) {
    return multiply_adds(shape_of(attrs).products(), out[0]->dtype);
  }
  static void run(const Attrs& attrs, Views in, Views out) {
    Storage copy;
    const ConvShape& s = shape_of(attrs);
    void* const given = const_cast<std::byte*>(detail::in_order(in[0], copy));
    const bool of_x = s.pass == ConvPass::x;
    conv_packed(s, out[0].dtype, of_x ? out[0].data : given, in[1].data, of_x ? given : out[0].data);
  }
};

}  // namespace

}  // namespace weft

WEFT_DEFINE_OP(weft::PackConvWeight);
WEFT_DEFINE_OP(weft::ConvOfPacked);

namespace weft {

std::optional<PackedConv> packed_conv(const Op& op, const Attrs& attrs, Types in, const Type& out) {
  const bool of_y = &op == &op_of<Conv>();
  if ((!of_y && &op != &op_of<ConvInput>()) || count(in[0]->shape) == 0 || count(in[1]->shape) == 0 ||
      count(out.shape) == 0)
    return std::nullopt;
  const Shape &x = of_y ? in[0]->shape : out.shape, &y = of_y ? out.shape : in[0]->shape;
  const ConvShape s = conv_shape(of_y ? ConvPass::y : ConvPass::x, attrs.as<ConvAttrs>(), x, y);
  const std::size_t bytes = packed_weight_bytes(s, out.dtype);
  if (bytes == 0) return std::nullopt;
  return PackedConv{
      &op_of<PackConvWeight>(), &op_of<ConvOfPacked>(), PackedConvAttrs{s}, {u8, {static_cast<std::int64_t>(bytes)}}};
}

}  // namespace weft
