#include "transposes.h"

#include <optional>

#include "../ops/defs/shape.h"
#include "../ops/transposing.h"

namespace weft {
namespace {

class Absorber {
 public:
  explicit Absorber(const Graph& graph)
      : from_(graph), copy_(graph), uses_(graph.values.size()), transposed_(graph.values.size()) {
    for (const Graph::Node& n : graph.nodes) {
      for (const ValueId v : n.in) {
        if (n.op == &op_of<Transpose>() && !uses_[v].axes)
          uses_[v].axes = &n.attrs.as<TransposeAttrs>().axes;
        else
          uses_[v].others = true;
      }
    }
    for (const ValueId v : graph.outputs) uses_[v].result = true;
  }

  Graph run() {
    return copy_.rewrite([&](const Graph::Node& n) {
      if (n.op != &op_of<Transpose>() || !transposed_[n.in[0]]) return absorbed(n);
      copy_.set(n.out, *transposed_[n.in[0]]);
      return true;
    });
  }

 private:
  struct Use {
    const Ints* axes = nullptr;  // of a transposition: equal ones are one node of the graph
    bool others = false, result = false;
    bool used() const { return axes || others || result; }
  };

  // The axes by which all outputs of so many axes are transposed; null: they are not all, or not alike. Others may read
  // what they read as long as its rows stay rows: they go through it in another order.
  const Ints* axes_of(const Graph::Node& n) const {
    const Ints* axes = nullptr;
    const int rank = from_.type(n.out).shape.size();
    bool others = false;
    for (const ValueId v : n.values()) {
      const Use& use = uses_[v];
      if (from_.type(v).shape.size() != rank || !use.used()) continue;
      if (use.result || !use.axes || (axes && !(*axes == *use.axes))) return nullptr;
      axes = use.axes;
      others |= use.others;
    }
    return others && (*axes)[rank - 1] != rank - 1 ? nullptr : axes;
  }

  bool absorbed(const Graph::Node& n) {
    const Ints* const axes = n.op->transposed ? axes_of(n) : nullptr;
    if (!axes) return false;
    const std::vector<ValueId> in = copy_.operands(n);
    Transposing form(n, *axes, copy_.to, in);
    n.op->transposed(form);
    if (!form.given()) return false;
    const Ints back = inverse(*axes);
    for (const ValueId from : n.values()) {
      const ValueId to = *form.given() + (from - n.out);
      const bool turned = from_.type(from).shape.size() == axes->size();
      if (turned) transposed_[from] = to;
      if (!turned || uses_[from].others) copy_.set(from, turned ? transpose(copy_.to, to, back, n.site) : to);
    }
    return true;
  }

  const Graph& from_;
  GraphCopy copy_;
  std::vector<Use> uses_;
  std::vector<std::optional<ValueId>> transposed_;  // by value: what shows it transposed in the copy
};

}  // namespace

Graph absorb_transposes(const Graph& graph) { return Absorber(graph).run(); }

}  // namespace weft
