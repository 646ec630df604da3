#include "kept.h"

#include <algorithm>

#include "inline_graphs.h"
#include "recompute.h"
#include "steps.h"

namespace weft {
namespace {

// What is so much larger than the variables and constants that it is made of is not worth the memory: it is cheaper to
// write than to hold.
constexpr std::int64_t most_times = 4, always_bytes = 64 << 10;

class Keeper {
 public:
  Keeper(const Graph& graph, const Grouping& grouping, std::size_t args, std::size_t results,
         std::span<const std::size_t> written)
      : graph_(graph),
        grouping_(grouping),
        args_(args),
        results_(results),
        written_(written),
        of_(find_made_of(graph, args, written)) {}

  Keeping run() {
    choose();
    Keeping k;
    if (chosen_.empty()) return k;
    k.written.assign(written_.begin(), written_.end());
    GraphCopy copy(graph_);
    copy.inputs();
    for (const ValueId v : chosen_) copy.set(v, copy.to.add_input(graph_.type(v)));
    for (const Graph::Node& n : graph_.nodes)
      if (!copy.has(n.out)) copy.node(n);
    for (const ValueId v : graph_.outputs) copy.to.outputs.push_back(copy(v));
    for (const ValueId v : chosen_) {
      k.values.push_back(function_of(v));
      if (of_[v] != MadeOf::written_variables) continue;
      std::vector<ValueId> now;
      for (const std::size_t of : k.values.back().variables) now.push_back(copy(new_value(of)));
      k.written.push_back(graph_.inputs.size() - args_ + k.values.size() - 1);
      copy.to.outputs.push_back(append(copy.to, *k.values.back().graph, now)[0]);
    }
    k.graph = without_dead_nodes(copy.to);
    return k;
  }

 private:
  // From the last node on: what only kept values read need not be kept.
  void choose() {
    const std::vector<bool> stored = stored_values(graph_, grouping_);
    std::vector<bool> needed(graph_.values.size()), there(graph_.values.size());  // there: has a place of its own
    for (const ValueId v : graph_.outputs) needed[v] = there[grouping_.accesses[v].base] = true;
    for (const Graph::Node& n : graph_.nodes)
      if (n.op->in_place) there[grouping_.accesses[n.in[0]].base] = true;
    for (auto n = graph_.nodes.rbegin(); n != graph_.nodes.rend(); ++n) {
      const ValueId v = n->out;
      bool used = of_[v] == MadeOf::other;
      for (const ValueId u : n->values()) used = used || needed[u];
      if (!used) continue;
      if (of_[v] != MadeOf::other && n->outputs == 1 && stored[v] && !there[v] && pays(v))
        chosen_.push_back(v);
      else
        for (const ValueId u : n->in) needed[u] = true;
    }
    std::reverse(chosen_.begin(), chosen_.end());
  }

  bool pays(ValueId v) const {
    if (count(graph_.type(v).shape) == 1) return false;  // as a learning rate's, which changes often: sooner computed
    if (of_[v] == MadeOf::written_variables) return comes_with_updates(v);
    std::int64_t sources = 0;
    each_source(v, [&](ValueId u) { sources += graph_.producer(u) ? 0 : bytes(u); });
    return bytes(v) <= std::max(always_bytes, most_times * sources);
  }

  // True if loops compute the new values of all variables written that v is made of, and v element by element: they
  // have at hand what else would be read again.
  bool comes_with_updates(ValueId v) const {
    const Shape space = without_ones(graph_.type(v).shape);
    bool fits = true;
    each_source(v, [&](ValueId u) {
      const Graph::Node* n = graph_.producer(u);
      if (of_[u] == MadeOf::constants || (n && grouping_.accesses[u].base != u)) return;  // a view shows another source
      fits = fits && without_ones(graph_.type(u).shape) == space;
      if (n) {
        fits = fits && n->op->kind == OpKind::elementwise;
        for (const ValueId in : n->in) fits = fits && (of_[in] == MadeOf::constants || whole(in));
      } else if (of_[u] == MadeOf::written_variables) {
        const ValueId now = new_value(graph_.values[u].index - args_);
        const Graph::Node* update = graph_.producer(grouping_.accesses[now].base);
        fits = fits && update && update->op->kind == OpKind::elementwise && whole(now) &&
               group_of(update->out) != group_of(v);
      }
    });
    return fits;
  }

  bool whole(ValueId v) const { return is_whole(grouping_.accesses[v], graph_.type(grouping_.accesses[v].base)); }
  int group_of(ValueId v) const { return grouping_.group_of[graph_.values[v].index]; }
  std::int64_t bytes(ValueId v) const { return graph_.type(v).bytes(); }
  ValueId new_value(std::size_t number) const {
    const auto at = std::find(written_.begin(), written_.end(), number);
    return at == written_.end() ? graph_.inputs[args_ + number]
                                : graph_.outputs[results_ + static_cast<std::size_t>(at - written_.begin())];
  }

  // visit(u) for v and all that it is made of, the last first.
  template <class Visit> void each_source(ValueId v, Visit&& visit) const {
    std::vector<bool> used(v + 1);
    used[v] = true;
    for (ValueId u = v + 1; u-- > 0;) {
      if (!used[u]) continue;
      visit(u);
      if (const Graph::Node* n = graph_.producer(u))
        for (const ValueId in : n->in) used[in] = true;
    }
  }

  KeptValue function_of(ValueId v) const {
    std::vector<ValueId> sources;
    each_source(v, [&](ValueId u) { sources.push_back(u); });
    std::reverse(sources.begin(), sources.end());
    KeptValue value;
    GraphCopy copy(graph_);
    for (const ValueId u : sources)
      if (graph_.values[u].kind == Graph::Value::input) {
        copy.input(u);
        value.variables.push_back(graph_.values[u].index - args_);
      }
    for (const ValueId u : sources)
      if (const Graph::Node* n = graph_.producer(u); n && !copy.has(u)) copy.node(*n);
    value.graph = std::make_shared<const Graph>(copy.returning({&v, 1}));
    return value;
  }

  const Graph& graph_;
  const Grouping& grouping_;
  const std::size_t args_, results_;
  const std::span<const std::size_t> written_;
  std::vector<MadeOf> of_;  // by value
  std::vector<ValueId> chosen_;
};

}  // namespace

std::vector<MadeOf> find_made_of(const Graph& graph, std::size_t args, std::span<const std::size_t> written) {
  std::vector<MadeOf> of(graph.values.size(), MadeOf::other);
  for (std::size_t k = args; k < graph.inputs.size(); ++k) of[graph.inputs[k]] = MadeOf::variables;
  for (const std::size_t k : written) of[graph.inputs[args + k]] = MadeOf::written_variables;
  for (ValueId v = 0; v < graph.values.size(); ++v) {
    if (graph.values[v].kind == Graph::Value::constant) of[v] = MadeOf::constants;
    const Graph::Node* n = graph.producer(v);
    if (!n || has(&Op::checks, *n->op, n->attrs) || has(&Op::effect, *n->op, n->attrs)) continue;
    of[v] = MadeOf::constants;
    for (const ValueId u : n->in)
      of[v] = std::min(of[v], of[u]) == MadeOf::other ? MadeOf::other : std::max(of[v], of[u]);
  }
  return of;
}

Keeping keep_values(const Graph& graph, const Grouping& grouping, std::size_t args, std::size_t results,
                    std::span<const std::size_t> written) {
  return Keeper(graph, grouping, args, results, written).run();
}

}  // namespace weft
