#include "groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "../ops/defs/reduce.h"

namespace weft {
namespace {

constexpr std::size_t max_nodes = 96;      // limits on a kernel's size keep codegen quick
constexpr std::int64_t blocked = 1 << 16;  // a single row longer than this is cut over threads: see lower.cpp

bool fits_kernel(DType t) { return t != DType::bf16 && t != DType::f16; }

bool is_contiguous(const Access& a) { return a.offset == 0 && a.strides == contiguous_strides(a.shape); }

// True if axes [begin, end) can be walked with one stride.
bool collapse(const Access& a, int begin, int end) {
  for (int k = begin; k + 1 < end; ++k)
    if (a.strides[k] != a.strides[k + 1] * a.shape[k + 1]) return false;
  return true;
}

Shape prefix(const Shape& s, int n) { return Shape(std::span(s.begin(), static_cast<std::size_t>(n))); }

// How a reduction node cuts its input's axes, extents of 1 left out.
struct ReductionCut {
  int outer = 0, n = 0, inner = 0;
  ReductionCut(const Shape& in, const ReduceAttrs& a) {
    for (int i = 0; i < in.size(); ++i)
      if (in[i] != 1) ++(i < a.begin ? outer : i < a.end ? n : inner);
  }
  bool along_row() const { return n > 0 && inner == 0; }
  bool down_columns() const { return n > 0 && outer == 0 && inner > 0; }
  int split() const { return along_row() ? outer : n; }
};

class Partition {
 public:
  Partition(const Graph& graph, const std::vector<bool>& late) : graph_(graph), late_(late) {
    result_.accesses = find_accesses(graph);
    result_.group_of.assign(graph.nodes.size(), -1);
    result_.roles.assign(graph.nodes.size(), Role::none);
    readers_.resize(graph.values.size());
    waits_for_.resize(graph.values.size());
    for (const Graph::Node& n : graph.nodes) {
      if (n.op->kind != OpKind::view) continue;
      std::vector<ValueId>& list = waits_for_[n.out];
      list = waits_for_[n.in[0]];
      for (std::size_t k = 1; k < n.in.size(); ++k) each_source(n.in[k], [&](ValueId v) { list.push_back(v); });
    }
  }

  Grouping run() {
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      const Graph::Node& n = graph_.nodes[i];
      const bool elided = n.op->kind == OpKind::view && result_.accesses[n.out].base != n.out;
      if (!elided) place(i);
    }
    merge_all();
    order();
    return std::move(result_);
  }

 private:
  struct Fit {
    Role role = Role::none;
    int split = -1;
  };

  int producer_group(ValueId base) const {
    return graph_.values[base].kind == Graph::Value::computed ? result_.group_of[graph_.values[base].index] : -1;
  }
  // Visits what has to be there before v is read: its buffer, and what the views in between wait for.
  template <class Visit> void each_source(ValueId v, Visit&& visit) const {
    visit(result_.accesses[v].base);
    for (const ValueId other : waits_for_[v]) visit(other);
  }
  // Visits the groups that have to run before group g, some of them several times.
  template <class Visit> void each_need(int g, Visit&& visit) const {
    for (const std::uint32_t j : result_.groups[static_cast<std::size_t>(g)].nodes) {
      for (const ValueId v : graph_.nodes[j].in)
        each_source(v, [&](ValueId source) {
          if (const int p = producer_group(source); p >= 0 && p != g) visit(p);
        });
      if (const auto it = effect_before_.find(j); it != effect_before_.end()) visit(result_.group_of[it->second]);
    }
  }
  Role producer_role(ValueId base) const { return result_.roles[graph_.values[base].index]; }

  void place(std::uint32_t i) {
    const Graph::Node& n = graph_.nodes[i];
    if (!is_fusable(graph_, n)) return open(i, false);
    // First the groups that compute its operands, then those that read the same buffers; the newest first.
    std::vector<int> candidates;
    const auto consider = [&](int g) {
      if (g >= 0 && result_.groups[static_cast<std::size_t>(g)].fused &&
          std::find(candidates.begin(), candidates.end(), g) == candidates.end())
        candidates.push_back(g);
    };
    std::vector<int> producers;
    for (const ValueId v : n.in) producers.push_back(producer_group(result_.accesses[v].base));
    std::sort(producers.rbegin(), producers.rend());
    for (const int g : producers) consider(g);
    for (const ValueId v : n.in)
      for (const int g : readers_[result_.accesses[v].base]) consider(g);
    for (const int g : candidates) {
      const Fit f = fit(i, g);
      if (f.role == Role::none || makes_cycle(i, g)) continue;
      join(i, g, f);
      return;
    }
    open(i, true);
  }

  void open(std::uint32_t i, bool fused) {
    Group g;
    g.fused = fused;
    if (fused) {
      const Graph::Node& n = graph_.nodes[i];
      g.space = without_ones(n.op->kind == OpKind::reduction ? graph_.type(n.in[0]).shape : graph_.type(n.out).shape);
    }
    result_.groups.push_back(std::move(g));
    const int index = static_cast<int>(result_.groups.size()) - 1;
    Fit f;
    if (fused) f = fit(i, index);
    if (f.role == Role::none) result_.groups.back().fused = false;  // e.g. columns that one stride can't walk
    join(i, index, f);
    if (!has(&Op::effect, *graph_.nodes[i].op, graph_.nodes[i].attrs)) return;
    if (last_effect_) effect_before_[i] = *last_effect_;
    last_effect_ = i;
  }

  void join(std::uint32_t i, int g, Fit f) {
    Group& group = result_.groups[static_cast<std::size_t>(g)];
    group.nodes.push_back(i);
    if (f.split >= 0) group.split = f.split;
    if (f.role == Role::column) group.has_column = true;
    result_.group_of[i] = g;
    result_.roles[i] = f.role;
    for (const ValueId v : graph_.nodes[i].in) {
      // Sharing a scalar or a bias is no reason to share a loop.
      const ValueId base = result_.accesses[v].base;
      if (count(graph_.type(base).shape) != count(group.space)) continue;
      auto& list = readers_[base];
      if (list.empty() || list.back() != g) list.push_back(g);
    }
  }

  // Whether an operand can be had in group g by a node of this role; `split` as it will be.
  bool operand_fits(ValueId v, int g, const Shape& space, int split, Role role, bool one_row_axis) const {
    const Access a = squeezed(result_.accesses[v]);
    const bool inside = producer_group(a.base) == g;
    if (one_row_axis && !inside && !collapse(a, 0, std::min(split, a.shape.size()))) return false;
    if (role == Role::row) {
      if (!inside) return true;
      return producer_role(a.base) == Role::row && is_contiguous(a);
    }
    if (a.shape != space) return false;
    if (!inside) return split < 0 || collapse(a, split, a.shape.size());
    if (producer_role(a.base) == Role::full) return is_contiguous(a);
    if (producer_role(a.base) != Role::row || a.offset != 0) return false;
    // A row value, broadcast along the columns.
    const Ints rows = contiguous_strides(prefix(space, split));
    for (int k = 0; k < space.size(); ++k)
      if (a.strides[k] != (k < split ? rows[k] : 0)) return false;
    return true;
  }

  Fit fit(std::uint32_t i, int g) const {
    const Group& group = result_.groups[static_cast<std::size_t>(g)];
    if (group.nodes.size() >= max_nodes) return {};
    const Graph::Node& n = graph_.nodes[i];
    if (n.op->kind == OpKind::reduction) {
      const Shape& in = graph_.type(n.in[0]).shape;
      const ReductionCut cut(in, n.attrs.as<ReduceAttrs>());
      if (without_ones(in) != group.space || (group.split >= 0 && group.split != cut.split())) return {};
      const bool column = cut.down_columns() || group.has_column;
      if (!operand_fits(n.in[0], g, group.space, cut.split(), Role::full, column)) return {};
      if (group.split < 0 || column != group.has_column) {  // what is in the group has to bear it
        for (const std::uint32_t j : group.nodes)
          for (const ValueId v : graph_.nodes[j].in)
            if (!operand_fits(v, g, group.space, cut.split(),
                              result_.roles[j] == Role::row && graph_.nodes[j].op->kind != OpKind::reduction
                                  ? Role::row
                                  : Role::full,
                              column))
              return {};
      }
      return {cut.along_row() ? Role::row : Role::column, cut.split()};
    }
    const Shape shape = without_ones(graph_.type(n.out).shape);
    const auto all = [&](Role role) {
      return std::all_of(n.in.begin(), n.in.end(), [&](ValueId v) {
        return operand_fits(v, g, group.space, group.split, role, group.has_column);
      });
    };
    if (shape == group.space && all(Role::full)) return {Role::full, -1};
    if (group.split < 0 || shape != prefix(group.space, group.split) || !all(Role::row)) return {};
    std::int64_t columns = 1;
    for (int k = group.split; k < group.space.size(); ++k) columns *= group.space[k];
    if (group.split == 0 && columns > blocked) return {};
    const bool uses_row =
        std::any_of(n.in.begin(), n.in.end(), [&](ValueId v) { return producer_group(result_.accesses[v].base) == g; });
    return uses_row ? Fit{Role::row, -1} : Fit{};
  }

  // A node joins one group though its operands may come from several: those that can be one become one. Producers with
  // their consumers, then groups that read the same buffer.
  void merge_all() {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
        const int g = result_.group_of[i];
        if (g < 0) continue;
        for (const ValueId v : graph_.nodes[i].in)
          changed |= merge(producer_group(result_.accesses[v].base), result_.group_of[i]);
      }
      for (auto& list : readers_)
        for (std::size_t k = 1; k < list.size(); ++k) changed |= merge(current(list[0]), current(list[k]));
    }
    std::vector<Group> kept;
    std::vector<int> place(result_.groups.size(), -1);
    for (std::size_t g = 0; g < result_.groups.size(); ++g) {
      if (result_.groups[g].nodes.empty()) continue;
      place[g] = static_cast<int>(kept.size());
      kept.push_back(std::move(result_.groups[g]));
    }
    result_.groups = std::move(kept);
    for (int& g : result_.group_of)
      if (g >= 0) g = place[static_cast<std::size_t>(g)];
  }

  // Where the nodes of a group went that has been merged away.
  int current(int g) {
    while (!merged_into_.empty() && merged_into_[static_cast<std::size_t>(g)] >= 0)
      g = merged_into_[static_cast<std::size_t>(g)];
    return g;
  }

  // Makes groups a and b one, if they can be.
  bool merge(int a, int b) {
    if (a < 0 || b < 0 || a == b) return false;
    Group &x = result_.groups[static_cast<std::size_t>(a)], &y = result_.groups[static_cast<std::size_t>(b)];
    if (!x.fused || !y.fused || x.space != y.space || x.nodes.size() + y.nodes.size() > max_nodes) return false;
    if (x.split >= 0 && y.split >= 0 && x.split != y.split) return false;
    if (separated(a, b)) return false;
    Group both = x;
    both.nodes.insert(both.nodes.end(), y.nodes.begin(), y.nodes.end());
    std::sort(both.nodes.begin(), both.nodes.end());
    both.split = std::max(x.split, y.split);
    both.has_column = x.has_column || y.has_column;
    for (const std::uint32_t j : y.nodes) result_.group_of[j] = a;
    bool fits = true;
    for (const std::uint32_t j : both.nodes) {
      const Role role =
          result_.roles[j] == Role::row && graph_.nodes[j].op->kind != OpKind::reduction ? Role::row : Role::full;
      for (const ValueId v : graph_.nodes[j].in)
        fits = fits && operand_fits(v, a, both.space, both.split, role, both.has_column);
    }
    if (!fits) {
      for (const std::uint32_t j : y.nodes) result_.group_of[j] = b;
      return false;
    }
    x = std::move(both);
    y.nodes.clear();
    y.fused = false;
    merged_into_.resize(result_.groups.size(), -1);
    merged_into_[static_cast<std::size_t>(b)] = a;
    return true;
  }

  // True if some third group has to run after one of the two and before the other.
  bool separated(int a, int b) const {
    std::vector<char> seen(result_.groups.size());
    std::vector<int> open;
    const auto visit = [&](int h) { each_need(h, [&](int p) { open.push_back(p); }); };
    visit(a);
    visit(b);
    std::erase_if(open, [&](int h) { return h == a || h == b; });
    while (!open.empty()) {
      const int h = open.back();
      open.pop_back();
      if (h == a || h == b) return true;
      if (seen[static_cast<std::size_t>(h)]) continue;
      seen[static_cast<std::size_t>(h)] = 1;
      visit(h);
    }
    return false;
  }

  // Node i in group g would have to run both before and after some other group.
  bool makes_cycle(std::uint32_t i, int g) const {
    std::vector<char> seen(result_.groups.size());
    std::vector<int> open;
    for (const ValueId v : graph_.nodes[i].in)
      each_source(v, [&](ValueId source) {
        if (const int h = producer_group(source); h >= 0 && h != g) open.push_back(h);
      });
    while (!open.empty()) {
      const int h = open.back();
      open.pop_back();
      if (h == g) return true;
      if (seen[static_cast<std::size_t>(h)]) continue;
      seen[static_cast<std::size_t>(h)] = 1;
      each_need(h, [&](int p) { open.push_back(p); });
    }
    return false;
  }

  // Groups in the order of what they need; among those that can run, not a late one, then the one whose last node is
  // earliest.
  void order() {
    const std::size_t n = result_.groups.size();
    std::vector<std::vector<int>> users(n);
    std::vector<int> waiting(n);
    for (std::size_t g = 0; g < n; ++g) {
      std::vector<int> needs;
      each_need(static_cast<int>(g), [&](int p) { needs.push_back(p); });
      std::sort(needs.begin(), needs.end());
      needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
      waiting[g] = static_cast<int>(needs.size());
      for (const int p : needs) users[static_cast<std::size_t>(p)].push_back(static_cast<int>(g));
    }
    std::vector<int> ready, sequence;
    for (std::size_t g = 0; g < n; ++g)
      if (!waiting[g]) ready.push_back(static_cast<int>(g));
    std::vector<char> late(n);
    for (std::size_t g = 0; g < n; ++g)
      for (const std::uint32_t j : result_.groups[g].nodes) late[g] |= late_[graph_.nodes[j].out];
    const auto key = [&](int g) {
      return std::pair(late[static_cast<std::size_t>(g)], result_.groups[static_cast<std::size_t>(g)].nodes.back());
    };
    const auto first = [&](int a, int b) { return key(a) > key(b); };
    std::make_heap(ready.begin(), ready.end(), first);
    while (!ready.empty()) {
      std::pop_heap(ready.begin(), ready.end(), first);
      const int g = ready.back();
      ready.pop_back();
      sequence.push_back(g);
      for (const int u : users[static_cast<std::size_t>(g)])
        if (--waiting[static_cast<std::size_t>(u)] == 0) {
          ready.push_back(u);
          std::push_heap(ready.begin(), ready.end(), first);
        }
    }
    std::vector<Group> sorted;
    std::vector<int> place(n);
    for (const int g : sequence) {
      place[static_cast<std::size_t>(g)] = static_cast<int>(sorted.size());
      sorted.push_back(std::move(result_.groups[static_cast<std::size_t>(g)]));
    }
    result_.groups = std::move(sorted);
    for (int& g : result_.group_of)
      if (g >= 0) g = place[static_cast<std::size_t>(g)];
  }

  const Graph& graph_;
  const std::vector<bool>& late_;
  std::unordered_map<std::uint32_t, std::uint32_t> effect_before_;  // nodes with an effect: which one comes before
  std::optional<std::uint32_t> last_effect_;
  Grouping result_;
  std::vector<std::vector<int>> readers_;        // by base value: groups that read all of it
  std::vector<std::vector<ValueId>> waits_for_;  // by view: bases that come before what reads it
  std::vector<int> merged_into_;                 // by group as first numbered
};

}  // namespace

bool is_fusable(const Graph& graph, const Graph::Node& node) {
  const auto plain = [&](ValueId v) { return fits_kernel(graph.type(v).dtype) && count(graph.type(v).shape) > 0; };
  if (!std::all_of(node.in.begin(), node.in.end(), plain) || !plain(node.out)) return false;
  if (node.op->kind == OpKind::elementwise) return true;
  if (node.op->kind != OpKind::reduction) return false;
  const ReductionCut cut(graph.type(node.in[0]).shape, node.attrs.as<ReduceAttrs>());
  return cut.along_row() || cut.down_columns();
}

std::string Grouping::text(const Graph& graph) const {
  std::string s;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    if (!group.fused)
      s += fmt::format("group {}:", g);
    else if (group.split < 0)
      s += fmt::format("group {}: loop over {}", g, group.space.text());
    else
      s += fmt::format("group {}: {} rows of {}", g, prefix(group.space, group.split).text(),
                       Shape(std::span(group.space.begin() + group.split, group.space.end())).text());
    s += "\n";
    for (const std::uint32_t i : group.nodes) {
      constexpr const char* names[] = {"", "", "  row", "  column"};
      s += fmt::format("  %{} = {} {}{}\n", graph.nodes[i].out, graph.nodes[i].op->name,
                       graph.type(graph.nodes[i].out).text(), names[static_cast<int>(roles[i])]);
    }
  }
  return s;
}

Grouping group_nodes(const Graph& graph, const std::vector<bool>& late) { return Partition(graph, late).run(); }

}  // namespace weft
