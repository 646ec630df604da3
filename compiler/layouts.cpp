#include "layouts.h"

#include <algorithm>

#include "../ops/defs/shape.h"
#include "../ops/transposing.h"

namespace weft {
namespace {

// [n, axes..., c] to [n, c, axes...]. With one axis any batch of matrices is turned so: that stays where it is.
bool is_to_first(const Ints& axes) {
  const int rank = axes.size();
  if (rank < 4 || axes[0] != 0 || axes[1] != rank - 1) return false;
  for (int i = 2; i < rank; ++i)
    if (axes[i] != i - 1) return false;
  return true;
}

class Turner {
 public:
  explicit Turner(const Graph& graph) : from_(graph), copy_(graph), stays_(graph.values.size()) {
    for (const ValueId v : graph.outputs) stays_[v] = true;
    std::vector<bool> read(graph.values.size()), moves(graph.values.size());
    for (auto n = graph.nodes.rbegin(); n != graph.nodes.rend(); ++n) {
      if (read[n->out] && !moves[n->out]) stays_[n->out] = true;
      const bool mover = n->op->kind != OpKind::elementwise || !stays_[n->out];
      for (const ValueId v : n->in) read[v] = true, moves[v] = moves[v] || mover;
    }
  }

  Graph run() {
    for (const ValueId v : from_.inputs) copy_.input(v);
    for (const Graph::Node& n : from_.nodes) {
      for (const ValueId v : n.in) copy_(v);
      if (!moved(n)) copy_.node(n);
    }
    for (const ValueId v : from_.outputs) to_.outputs.push_back(copy_(v));
    return std::move(to_);
  }

 private:
  // What v shows with channels first, if that is a turned value that lies in its own buffer.
  bool turned(ValueId v, ValueId& source) const {
    const Graph::Node* n = to_.producer(v);
    if (!n || n->op != &op_of<Transpose>() || !is_to_first(n->attrs.as<TransposeAttrs>().axes)) return false;
    source = n->in[0];
    const Graph::Node* computed = to_.producer(source);
    return computed && computed->op->kind != OpKind::view;
  }

  bool moved(const Graph::Node& n) {
    if (n.op->kind != OpKind::elementwise || stays_[n.out]) return false;
    ValueId source = 0;
    if (std::none_of(n.in.begin(), n.in.end(), [&](ValueId v) { return turned(copy_(v), source); })) return false;
    const Type& type = from_.type(n.out);
    const int rank = type.shape.size();
    Ints to_first{0, rank - 1}, to_last{0};
    for (int i = 2; i < rank; ++i) to_first.push_back(i - 1), to_last.push_back(i);
    to_last.push_back(1);
    const auto turn = [&](ValueId v, const Ints& axes) { return transpose(to_, v, axes, n.site); };
    std::vector<ValueId> in;
    for (const ValueId v : n.in) {
      const ValueId there = copy_(v);
      in.push_back(turned(there, source) ? source : turn(there, to_last));
    }
    const Type last{type.dtype, to_.type(in[0]).shape};
    copy_.set(n.out, turn(to_.add(*n.op, n.attrs, in, std::span(&last, 1), n.site), to_first));
    return true;
  }

  const Graph& from_;
  GraphCopy copy_;
  Graph& to_ = copy_.to;
  std::vector<bool> stays_;  // results of the graph, and what only they are computed from
};

}  // namespace

Graph turn_late(const Graph& graph) { return Turner(graph).run(); }

}  // namespace weft
