#include "simplify.h"

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/defs/shape.h"
#include "../ops/recorder.h"
#include "../ops/trace.h"
#include "layouts.h"
#include "pass_log.h"
#include "sparse_updates.h"
#include "transposes.h"
#include "verify.h"

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

std::vector<ValueId> append(Graph& to, const Graph& from, std::span<const ValueId> inputs) {
  std::vector<ValueId> place(from.values.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) place[from.inputs[k]] = inputs[k];
  for (ValueId v = 0; v < from.values.size(); ++v)
    if (from.values[v].kind == Graph::Value::constant) place[v] = to.add_constant(from.constants[from.values[v].index]);
  for (const Graph::Node& n : from.nodes) {
    std::vector<ValueId> in, out;
    for (const ValueId v : n.in) in.push_back(place[v]);
    if (n.op->inlined) {
      out = append(to, *n.op->graphs(n.attrs)[0], in);
    } else {
      std::vector<Type> types;
      for (int k = 0; k < n.outputs; ++k) types.push_back(from.type(n.out + static_cast<ValueId>(k)));
      const ValueId first = to.add(*n.op, n.attrs, in, types, n.site);
      for (int k = 0; k < n.outputs; ++k) out.push_back(first + static_cast<ValueId>(k));
    }
    std::copy(out.begin(), out.end(), place.begin() + n.out);
  }
  std::vector<ValueId> outputs;
  for (const ValueId v : from.outputs) outputs.push_back(place[v]);
  return outputs;
}

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

Graph inline_graphs(const Graph& graph) {
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), [](const Graph::Node& n) { return n.op->inlined; }))
    return graph;
  Graph g;
  for (const ValueId v : graph.inputs) g.add_input(graph.type(v));
  const std::vector<ValueId> inputs = g.inputs;
  g.outputs = append(g, graph, inputs);
  return g;
}

Graph fold_constants(const Graph& graph) { return Folder(graph).run(); }

Graph simplify(const Graph& graph, PassLog* log) {
  constexpr std::pair<const char*, Graph (*)(const Graph&)> passes[] = {
      {"inline_graphs", inline_graphs},          {"without_dead_nodes", without_dead_nodes},
      {"fold_constants", fold_constants},        {"turn_late", turn_late},
      {"absorb_transposes", absorb_transposes},  {"sparse_updates", sparse_updates},
      {"without_dead_nodes", without_dead_nodes}};
  if (log) log->after("traced", graph);
  Graph g = graph;
  for (const auto& [name, pass] : passes) {
    g = pass(g);
    if (verifies()) g.verify();
    if (log) log->after(name, g);
  }
  return g;
}

}  // namespace weft
