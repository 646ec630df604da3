#include "recompute.h"

#include <algorithm>
#include <optional>

#include "known_numbers.h"
#include "spaces.h"

namespace weft {
namespace {

// A byte that is moved to memory and back costs as much as so many scalar operations on an element: measured, a core
// moves 25 GB/s and does 60 G operations of 32 bits a second.
constexpr double operations_per_byte = 2;
constexpr std::int64_t least_bytes = 256 << 10;  // what is smaller stays in the second cache

class Chooser {
 public:
  Chooser(const Graph& graph, Grouping& grouping, const std::vector<bool>& late)
      : graph_(graph), grouping_(grouping), late_(late), readers_(graph.values.size()), again_(graph.nodes.size()) {
    for (std::uint32_t i = 0; i < graph.nodes.size(); ++i)
      if (const int g = grouping.group_of[i]; g >= 0)
        for (const ValueId v : graph.nodes[i].in) {
          std::vector<int>& list = readers_[grouping.accesses[v].base];
          if (g != group_of(grouping.accesses[v].base) && std::find(list.begin(), list.end(), g) == list.end())
            list.push_back(g);
        }
    is_output_.resize(graph.values.size());
    for (const ValueId v : graph.outputs) is_output_[grouping.accesses[v].base] = true;
    stores_.resize(grouping.groups.size());
    for (const Graph::Node& n : graph.nodes)
      if (const int g = group_of(n.out); g >= 0 && (is_output_[n.out] || !readers_[n.out].empty()))
        ++stores_[static_cast<std::size_t>(g)];
  }

  void run() {
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) consider(i);
  }

 private:
  int group_of(ValueId base) const {
    return graph_.values[base].kind == Graph::Value::computed ? grouping_.group_of[graph_.values[base].index] : -1;
  }
  Group& group(int g) { return grouping_.groups[static_cast<std::size_t>(g)]; }

  void consider(std::uint32_t i) {
    const Graph::Node& n = graph_.nodes[i];
    const int from = grouping_.group_of[i];
    const Type& type = graph_.type(n.out);
    const std::int64_t elements = count(type.shape);
    const double bytes = static_cast<double>(size_of(type.dtype));
    if (from < 0 || n.op->kind != OpKind::elementwise || grouping_.roles[i] != Role::full || is_output_[n.out] ||
        readers_[n.out].empty() || elements * static_cast<std::int64_t>(size_of(type.dtype)) < least_bytes ||
        stores_[static_cast<std::size_t>(from)] < 2)
      return;
    // Saved: the store, and in each reader the load; spent: in each reader the operations, and what they load besides.
    double balance = bytes * operations_per_byte;
    std::vector<std::vector<std::uint32_t>> chains;
    for (const int g : readers_[n.out]) {
      chains.emplace_back();
      const std::optional<double> cost = cost_of(i, g, chains.back());
      if (!cost) return;
      balance += bytes * operations_per_byte - *cost;
    }
    if (balance <= 0) return;
    for (std::size_t r = 0; r < chains.size(); ++r) {
      std::vector<std::uint32_t>& again = group(readers_[n.out][r]).again;
      again.insert(again.end(), chains[r].begin(), chains[r].end());
      std::sort(again.begin(), again.end());
    }
    again_[i] = true;
    --stores_[static_cast<std::size_t>(from)];
  }

  // What group g spends on an element to compute node i itself, in operations; `chain`: the nodes. Nothing if it can't.
  std::optional<double> cost_of(std::uint32_t i, int g, std::vector<std::uint32_t>& chain) {
    Group& to = group(g);
    if (!to.fused || !cuts_to(graph_.type(graph_.nodes[i].out).shape, to.space)) return std::nullopt;
    for (const std::uint32_t j : to.nodes) {
      if (late_[graph_.nodes[j].out]) return std::nullopt;
      for (const ValueId v : graph_.nodes[j].in)
        if (grouping_.accesses[v].base == graph_.nodes[i].out && !is_whole(v, to)) return std::nullopt;
    }
    double cost = 0;
    std::vector<ValueId> leaves;
    if (!follow(i, to, chain, leaves, cost)) return std::nullopt;
    if (to.nodes.size() + to.again.size() + chain.size() > Group::max_nodes) return std::nullopt;
    for (const ValueId leaf : leaves)
      if (std::find(readers_[leaf].begin(), readers_[leaf].end(), g) == readers_[leaf].end() &&
          count(graph_.type(leaf).shape) == count(to.space))
        cost += static_cast<double>(size_of(graph_.type(leaf).dtype)) * operations_per_byte;
    return cost;
  }

  // Adds node i and all before it that are in no memory to the chain, in graph order; the others are its leaves.
  bool follow(std::uint32_t i, const Group& to, std::vector<std::uint32_t>& chain, std::vector<ValueId>& leaves,
              double& cost) {
    const auto known = [&](const std::vector<std::uint32_t>& list) {
      return std::find(list.begin(), list.end(), i) != list.end();
    };
    if (known(chain) || known(to.again)) return true;
    const Graph::Node& n = graph_.nodes[i];
    if (n.op->kind != OpKind::elementwise || grouping_.roles[i] != Role::full || chain.size() >= 16) return false;
    for (const ValueId v : n.in) {
      const ValueId base = grouping_.accesses[v].base;
      if (in_memory(base)) {
        if (!walks(v, to)) return false;
        leaves.push_back(base);
      } else if (!is_whole(v, to) || !follow(graph_.values[base].index, to, chain, leaves, cost)) {
        return false;
      }
    }
    for (const Formula f = formula_of(graph_, n); const Instruction& x : f.code)
      cost += x.op == ScalarOp::input || x.op == ScalarOp::constant ? 0
              : x.op == ScalarOp::div || x.op == ScalarOp::sqrt     ? 8
                                                                    : 1;
    if (const DType t = graph_.type(n.out).dtype; compute_type(t) != t) cost += 6;  // it is rounded
    chain.push_back(i);
    return true;
  }

  bool in_memory(ValueId base) const {
    if (graph_.values[base].kind != Graph::Value::computed) return true;
    const std::uint32_t i = graph_.values[base].index;
    const int g = grouping_.group_of[i];
    return g < 0 || !grouping_.groups[static_cast<std::size_t>(g)].fused || is_output_[base] ||
           (!readers_[base].empty() && !again_[i]);
  }

  // Element for element in the loop's order.
  bool is_whole(ValueId v, const Group& to) const {
    const std::optional<Access> a = cut_to(grouping_.accesses[v], to.space);
    return a && a->offset == 0 && a->strides == contiguous_strides(a->shape);
  }
  bool walks(ValueId v, const Group& to) const {
    const std::optional<Access> a = cut_to(grouping_.accesses[v], to.space);
    return a && to.walks(*a, Role::full);
  }

  const Graph& graph_;
  Grouping& grouping_;
  const std::vector<bool>& late_;
  std::vector<std::vector<int>> readers_;  // by value: the other groups that read it
  std::vector<bool> is_output_;
  std::vector<int> stores_;  // by group: how many values it stores
  std::vector<bool> again_;  // by node: its readers compute it
};

}  // namespace

void choose_recomputed(const Graph& graph, Grouping& grouping, const std::vector<bool>& late) {
  Chooser(graph, grouping, late).run();
}

std::vector<bool> stored_values(const Graph& graph, const Grouping& grouping) {
  std::vector<bool> stored(graph.values.size());
  for (const Group& g : grouping.groups) {
    const std::vector<std::uint32_t> here = g.computed();
    for (const std::uint32_t i : here)
      for (const ValueId v : graph.nodes[i].in) {
        const ValueId base = grouping.accesses[v].base;
        const bool computed = graph.values[base].kind == Graph::Value::computed;
        if (!computed || !std::binary_search(here.begin(), here.end(), graph.values[base].index)) stored[base] = true;
      }
  }
  for (const ValueId v : graph.outputs) stored[grouping.accesses[v].base] = true;
  return stored;
}

}  // namespace weft
