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
    for (const ValueId v : from_.inputs) copy_.input(v);
    for (const Graph::Node& n : from_.nodes) {
      if (n.op == &op_of<Transpose>() && transposed_[n.in[0]])
        copy_.set(n.out, *transposed_[n.in[0]]);
      else if (!absorbed(n))
        copy_.node(n);
    }
    for (const ValueId v : from_.outputs) copy_.to.outputs.push_back(copy_(v));
    return std::move(copy_.to);
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
    for (ValueId v = n.out; v < n.out + static_cast<ValueId>(n.outputs); ++v) {
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
    std::vector<ValueId> in;
    for (const ValueId v : n.in) in.push_back(copy_(v));
    Transposing form(n, *axes, copy_.to, in);
    n.op->transposed(form);
    if (!form.given()) return false;
    const Ints back = inverse(*axes);
    for (ValueId k = 0; k < static_cast<ValueId>(n.outputs); ++k) {
      const ValueId from = n.out + k, to = *form.given() + k;
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
