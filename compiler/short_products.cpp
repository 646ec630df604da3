#include "short_products.h"

#include "../ops/arg.h"
#include "../ops/define.h"
#include "../ops/defs/elementwise.h"
#include "../ops/defs/matmul.h"
#include "../ops/defs/shape.h"
#include "../ops/inferred.h"
#include "access.h"

namespace weft {
namespace {

// Measured with a loop behind the product, f32: of matrices up to three times as fast, at least as fast with gradients.
// Where a vector holds more than a row of C, the fourth term costs more than the call of a kernel.
std::int64_t most_terms(std::int64_t columns) { return columns < 16 ? 3 : 4; }

/// x y + sum, rounded once. In compiled graphs only: it has no gradient rules.
struct MultiplyAdd {
  static constexpr auto name = "multiply_add";
  static constexpr auto operand_names = "x y sum";
  static constexpr OpKind kind = OpKind::elementwise;
  static void infer(const Attrs&, Types in, std::span<Type> out) {
    detail::infer_elementwise(Accepts::floats, false, false, in, out[0]);
  }
  static Formula formula(const Attrs&, Types in) {
    detail::FormulaWriter writer;
    const DType type = compute_type(in[0]->dtype);
    const auto operand = [&](std::uint64_t i) { return writer.put(ScalarOp::input, type, 0, 0, 0, i); };
    const std::uint16_t x = operand(0), y = operand(1), sum = operand(2);
    writer.formula.result = writer.put(ScalarOp::fma, type, x, y, sum);
    return std::move(writer.formula);
  }
};

bool is_short(const Graph& graph, std::span<const Access> accesses, const Graph::Node& n) {
  if (n.op != &op_of<MatMul>()) return false;
  const Type &a = graph.type(n.in[0]), &c = graph.type(n.out);
  if (c.shape.size() != 2 || a.shape.size() != 2 || graph.type(n.in[1]).shape.size() != 2) return false;
  const std::int64_t k = a.shape[1];
  // columns of A that lie apart are read by steps: beside one column of C that is all there is to do; and so are rows
  // of B, for each row of C anew
  return (c.dtype == DType::f32 || c.dtype == DType::f64) && k >= 1 && k <= most_terms(c.shape[1]) &&
         (k == 1 || c.shape[1] > 1) && (c.shape[1] == 1 || accesses[n.in[1]].strides[1] == 1);
}

/// Nodes of one site.
struct Writer {
  Graph& to;
  const Origin& site;

  ValueId add(const Op& op, const Attrs& attrs, std::initializer_list<ValueId> in) const {
    return add_inferred(to, op, attrs, std::span(in.begin(), in.size()), site);
  }
  ValueId repeat(ValueId v, const Shape& shape) const { return add(op_of<BroadcastTo>(), ShapeAttrs{shape}, {v}); }
  /// Of a matrix: column q as [m, 1], or row q as [1, n].
  ValueId line(ValueId v, int axis, std::int64_t q) const {
    Ints begin{0, 0}, size{to.type(v).shape[0], to.type(v).shape[1]};
    if (size[axis] == 1) return v;
    begin[axis] = q, size[axis] = 1;
    return add(op_of<StridedSlice>(), SliceAttrs{begin, {1, 1}, size}, {v});
  }
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::MultiplyAdd);

namespace weft {

Graph spell_out_products(const Graph& graph) {
  const std::vector<Access> accesses = find_accesses(graph);
  GraphCopy copy(graph);
  return copy.rewrite([&](const Graph::Node& n) {
    if (!is_short(graph, accesses, n)) return false;
    const Writer writer{copy.to, n.site};
    const Type& type = graph.type(n.out);
    const ValueId a = copy(n.in[0]), b = copy(n.in[1]);
    ValueId sum = writer.repeat(copy.to.add_constant(Arg(0).tensor(type.dtype)), type.shape);
    for (std::int64_t q = 0; q < graph.type(n.in[0]).shape[1]; ++q) {
      const ValueId x = writer.repeat(writer.line(a, 1, q), type.shape),
                    y = writer.repeat(writer.line(b, 0, q), type.shape);
      sum = writer.add(op_of<MultiplyAdd>(), {}, {x, y, sum});
    }
    copy.set(n.out, sum);
    return true;
  });
}

}  // namespace weft
