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
    for (const ValueId v : from_.inputs) copy_.input(v);
    std::size_t next = 0;
    for (ValueId v = 0; v < from_.values.size(); ++v) {
      if (from_.values[v].kind == Graph::Value::constant) copy_(v);
      if (next < from_.nodes.size() && from_.nodes[next].out == v) node(from_.nodes[next++]);
    }
    for (const ValueId v : from_.outputs) to_.outputs.push_back(copy_(v));
    return std::move(to_);
  }

 private:
  void node(const Graph::Node& n) {
    std::vector<ValueId> in;
    for (const ValueId v : n.in) in.push_back(copy_(v));
    const Type& type = from_.type(n.out);
    if (n.op->forwards) {
      const auto first = static_cast<std::size_t>(n.op->forwards(n.attrs));
      for (int k = 0; k < n.outputs; ++k)
        copy_.set(n.out + static_cast<ValueId>(k), in[first + static_cast<std::size_t>(k)]);
      return;
    }
    if (n.op->kind == OpKind::elementwise && !in.empty()) {
      std::vector<ValueId> scalars(in.size());
      bool all = true;
      for (std::size_t i = 0; i < in.size(); ++i) all = all && scalar_source(to_, in[i], scalars[i]);
      if (all) {
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

bool scalar_source(const Graph& g, ValueId v, ValueId& source) {
  for (;;) {
    if (g.type(v).shape.empty()) {
      source = v;
      return true;
    }
    const Graph::Node* n = g.producer(v);
    if (!n || (n->op != &op_of<BroadcastTo>() && n->op != &op_of<Reshape>())) return false;
    v = n->in[0];  // the same element everywhere, if it is so below
  }
}

Graph fold_constants(const Graph& graph) { return Folder(graph).run(); }

}  // namespace weft
