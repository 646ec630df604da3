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
    return copy_.rewrite([&](const Graph::Node& n) { return moved(n, copy_.operands(n)); });
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

  bool moved(const Graph::Node& n, std::vector<ValueId> in) {
    if (n.op->kind != OpKind::elementwise || stays_[n.out]) return false;
    ValueId source = 0;
    if (std::none_of(in.begin(), in.end(), [&](ValueId v) { return turned(v, source); })) return false;
    const Type& type = from_.type(n.out);
    const int rank = type.shape.size();
    Ints to_first{0, rank - 1}, to_last{0};
    for (int i = 2; i < rank; ++i) to_first.push_back(i - 1), to_last.push_back(i);
    to_last.push_back(1);
    const auto turn = [&](ValueId v, const Ints& axes) { return transpose(to_, v, axes, n.site); };
    for (ValueId& v : in) v = turned(v, source) ? source : turn(v, to_last);
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
