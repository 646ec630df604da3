#include "fold_constants.h"

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/defs/shape.h"
#include "../ops/recorder.h"
#include "../ops/trace.h"

namespace weft {
namespace {

constexpr std::int64_t small_constant = 1 << 12;  // elements: larger results are not computed ahead

class Folder {
 public:
  explicit Folder(const Graph& graph) : from_(graph), copy_(graph) {}

  Graph run() {
    copy_.inputs();
    std::size_t next = 0;
    for (ValueId v = 0; v < from_.values.size(); ++v) {
      if (from_.values[v].kind == Graph::Value::constant) copy_(v);
      if (next < from_.nodes.size() && from_.nodes[next].out == v) node(from_.nodes[next++]);
    }
    return copy_.returning(from_.outputs);
  }

 private:
  void node(const Graph::Node& n) {
    const std::vector<ValueId> in = copy_.operands(n);
    const Type& type = from_.type(n.out);
    if (n.op->forwards) {
      const auto first = static_cast<std::size_t>(n.op->forwards(n.attrs));
      for (const ValueId v : n.values()) copy_.set(v, in[first + (v - n.out)]);
      return;
    }
    if (n.op->kind == OpKind::elementwise && !in.empty()) {
      std::vector<ValueId> scalars;
      for (const ValueId v : in)
        if (const auto s = scalar_source(to_, v)) scalars.push_back(*s);
      if (scalars.size() == in.size()) {
        const ValueId s = scalar(*n.op, n.attrs, scalars, type.dtype, n.site);
        return copy_.set(n.out, type.shape.empty() ? s : spread(s, type, n.site));
      }
    }
    if (n.op->kind != OpKind::view && !has(&Op::checks, *n.op, n.attrs) && !has(&Op::effect, *n.op, n.attrs) &&
        n.outputs == 1 && !in.empty() && count(type.shape) <= small_constant &&
        std::all_of(in.begin(), in.end(), [&](ValueId v) { return to_.values[v].kind == Graph::Value::constant; }))
      return copy_.set(n.out, evaluate(*n.op, n.attrs, in));
    copy_.node(n);
  }

  ValueId scalar(const Op& op, const Attrs& attrs, std::span<const ValueId> in, DType dtype, const Origin& site) {
    bool constant = true;
    for (const ValueId v : in) constant &= to_.values[v].kind == Graph::Value::constant;
    if (!constant) return to_.add(op, attrs, in, std::vector<Type>{{dtype, {}}}, site);
    return evaluate(op, attrs, in);
  }

  // The op on constants, run now.
  ValueId evaluate(const Op& op, const Attrs& attrs, std::span<const ValueId> in) {
    const TraceScope eager(nullptr);
    std::vector<Tensor> operands;
    for (const ValueId v : in) operands.push_back(to_.constants[to_.values[v].index]);
    return to_.add_constant(apply(op, attrs, operands));
  }

  ValueId spread(ValueId s, const Type& type, const Origin& site) {
    return to_.add(op_of<BroadcastTo>(), ShapeAttrs{type.shape}, std::span(&s, 1), std::span(&type, 1), site);
  }

  const Graph& from_;
  GraphCopy copy_;
  Graph& to_ = copy_.to;
};

}  // namespace

std::optional<ValueId> scalar_source(const Graph& g, ValueId v) {
  while (!g.type(v).shape.empty()) {
    const Graph::Node* n = g.producer(v);
    if (!n || (n->op != &op_of<BroadcastTo>() && n->op != &op_of<Reshape>())) return std::nullopt;
    v = n->in[0];  // the same element everywhere, if it is so below
  }
  return v;
}

Graph fold_constants(const Graph& graph) { return Folder(graph).run(); }

}  // namespace weft
