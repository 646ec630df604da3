#include "overwrites.h"

#include <algorithm>

#include "early_checks.h"

namespace weft {
namespace {

class Overwrites {
 public:
  Overwrites(const Graph& graph, std::span<const Step> steps, std::span<const NewState> states, bool atomic)
      : graph_(graph), states_(states), of_old_(graph.values.size(), -1), of_fresh_(of_old_) {
    for (std::size_t s = 0; s < states.size(); ++s) {
      of_old_[states[s].old] = static_cast<int>(s);
      if (states[s].fresh != no_value) of_fresh_[states[s].fresh] = static_cast<int>(s);
      found_.push_back({states[s].fresh != no_value, false});
    }
    std::size_t last_throw = 0;
    for (std::size_t i = 0; i < steps.size(); ++i)
      if (const auto* node = std::get_if<NodeStep>(&steps[i]))
        if (may_throw(graph, graph.nodes[node->node])) last_throw = i;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto* node = std::get_if<NodeStep>(&steps[i]);
      visit(steps[i], atomic && (i < last_throw || (node && may_throw_halfway(graph, graph.nodes[node->node]))));
    }
  }

  std::vector<bool> found() const {
    std::vector<bool> list;
    for (const Found& f : found_) list.push_back(f.fits);
    return list;
  }

 private:
  struct Found {
    bool fits, written;
    bool reads = false, writes = false;  // the step at hand: the old value, the new one
  };

  void visit(const Step& step, bool may_throw_then) {
    std::vector<int> touched;
    each_use(graph_, step, [&](ValueId v, bool output) {
      const int s = (output ? of_fresh_ : of_old_)[v];
      if (s < 0) return;
      (output ? at(s).writes : at(s).reads) = true;
      touched.push_back(s);
    });
    for (const int s : touched) {
      Found& f = at(s);
      f.fits = f.fits && !(f.written && f.reads) && !(f.writes && may_throw_then);
    }
    if (const auto* node = std::get_if<NodeStep>(&step)) {
      for (const int s : touched)
        if (at(s).reads && at(s).writes && !works_in_place(*node, states_[static_cast<std::size_t>(s)].old))
          at(s).fits = false;
    } else if (const LaunchStep* launch = launch_of(step)) {
      if (const auto* with = std::get_if<EpilogueStep>(&step))  // its product reads all of an operand for each tile
        for (const Access& a : with->product.in)
          if (const int s = of_old_[a.base]; s >= 0 && at(s).writes) at(s).fits = false;
      for (const Launch& l : launch->segments) visit(l);
    }
    for (const int s : touched) {
      Found& f = at(s);
      f.written |= f.writes;
      f.reads = f.writes = false;
    }
  }

  bool works_in_place(const NodeStep& node, ValueId old) const {
    if (!graph_.nodes[node.node].op->in_place) return false;
    for (std::size_t k = 0; k < node.in.size(); ++k)
      if (node.in[k].base == old && (k > 0 || !is_whole(node.in[k], graph_.type(old)))) return false;
    return true;
  }

  // A loop whose step writes new states from old ones.
  void visit(const Launch& l) {
    for (const LaunchOperand& o : l.operands) {
      const int s = (o.output ? of_fresh_ : of_old_)[o.value];
      if (s < 0 || !at(s).reads || !at(s).writes) continue;
      if (o.output) {
        // A row value is read once a row and stored when the row is done.
        if (o.col_stride != 0 && reads_again(l.kernel)) at(s).fits = false;
        continue;
      }
      if (!reads_where_it_writes(l, o, states_[static_cast<std::size_t>(s)].fresh)) at(s).fits = false;
    }
  }

  // Each element of `old` is read when its place in `fresh` is written, not one that lies before or behind: parts of a
  // concat are written where they come to lie, which may be where another one was.
  static bool reads_where_it_writes(const Launch& l, const LaunchOperand& old, ValueId fresh) {
    const auto writes = [&](const LaunchOperand& t) { return t.output && t.value == fresh; };
    const auto target = std::find_if(l.operands.begin(), l.operands.end(), writes);
    return target != l.operands.end() && std::count_if(target, l.operands.end(), writes) == 1 &&
           old.offset == target->offset && old.moves_like(*target);
  }

  static bool reads_again(const Kernel& k) {
    return std::any_of(k.code.begin(), k.code.end(), [](const KernelInstruction& i) { return i.level > 0; }) ||
           std::any_of(k.reductions.begin(), k.reductions.end(), [](const KernelReduction& r) { return r.column; });
  }

  Found& at(int s) { return found_[static_cast<std::size_t>(s)]; }

  const Graph& graph_;
  std::span<const NewState> states_;
  std::vector<int> of_old_, of_fresh_;  // by value: the state; -1: of none
  std::vector<Found> found_;            // by state
};

}  // namespace

std::vector<bool> find_overwrites(const Graph& graph, std::span<const Step> steps, std::span<const NewState> states,
                                  bool atomic) {
  return Overwrites(graph, steps, states, atomic).found();
}

}  // namespace weft
