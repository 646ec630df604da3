#include "groups.h"

#include <algorithm>
#include <map>
#include <optional>

#include "../ops/defs/reduce.h"
#include "dependencies.h"
#include "kernel.h"
#include "known_numbers.h"
#include "recompute.h"
#include "spaces.h"

namespace weft {
namespace {

// Up to so long a single row stays with what is made of its reductions, on one thread; a longer one is reduced by
// itself, in blocks on all threads (see lower.cpp).
constexpr std::int64_t longest_single_row = 1 << 16;
// Rows and their columns, and instructions for each row, from which on row values have a loop of their own (by trial).
constexpr std::int64_t many_rows = 1024, short_row = 64;
constexpr std::size_t long_row_value = 16;
constexpr std::int64_t longest_interleaved = 2048;  // columns, of which 256 bytes are taken at a time

bool is_contiguous(const Access& a) { return a.offset == 0 && a.strides == contiguous_strides(a.shape); }

Shape prefix(const Shape& s, int n) { return Shape(std::span(s.begin(), static_cast<std::size_t>(n))); }

// How a reduction node cuts its input: how many elements lie before, in and behind the axes that it reduces.
struct ReductionCut {
  std::int64_t outer = 1, n = 1, inner = 1;
  ReductionCut(const Shape& in, const ReduceAttrs& a) {
    for (int i = 0; i < in.size(); ++i) (i < a.begin ? outer : i < a.end ? n : inner) *= in[i];
  }
  bool along_row() const { return n > 1 && inner == 1; }
  bool down_columns() const { return n > 1 && outer == 1 && inner > 1 && !across(); }
  // Of axes between others, or of few before many others: rows that lie interleaved, as many as vectors want, and short
  // enough for the caches.
  bool across() const {
    return n > 1 && (outer > 1 ? n <= longest_interleaved && inner >= least_interleaved : n <= 64 && inner >= 1024);
  }
};

constexpr std::size_t long_formula = 32;  // from here on it is worth looking at what is known of a node's operands

// By node: how long its formula is, for one set of attributes.
std::vector<std::size_t> instructions_of(const Graph& graph) {
  std::map<std::pair<const Op*, DType>, std::size_t> known;
  std::vector<std::size_t> sizes(graph.nodes.size(), 1);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Graph::Node& n = graph.nodes[i];
    if (n.op->kind != OpKind::elementwise || !is_fusable(graph, n)) continue;
    const auto [entry, fresh] = known.try_emplace({n.op, graph.type(n.out).dtype}, 0);
    if (fresh) entry->second = n.op->formula(n.attrs, graph.input_types(n)).code.size();
    sizes[i] = entry->second < long_formula ? entry->second : formula_of(graph, n).code.size();
  }
  return sizes;
}

class Partition {
 public:
  Partition(const Graph& graph, const std::vector<bool>& late)
      : graph_(graph), late_(late), spaces_(loop_spaces(graph)), instructions_(instructions_of(graph)) {
    result_.accesses = find_accesses(graph);
    result_.group_of.assign(graph.nodes.size(), -1);
    result_.roles.assign(graph.nodes.size(), Role::none);
    readers_.resize(graph.values.size());
    dependencies_.emplace(graph, result_);
  }

  Grouping run() {
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
      const Graph::Node& n = graph_.nodes[i];
      const bool elided = n.op->kind == OpKind::view && result_.accesses[n.out].base != n.out;
      if (!elided) place(i);
    }
    merge_all();
    sink();
    drop_empty();
    order();
    if (part_row_values()) {
      readers_.assign(graph_.values.size(), {});  // both of groups as they were numbered
      merged_into_.clear();
      order();
      merge_all();
      drop_empty();
      order();
    }
    return std::move(result_);
  }

  // And of each two groups of which one reads what the other computes, what keeps them apart.
  Separations separate() {
    result_ = run();
    Separations found;
    for (int b = 0; b < static_cast<int>(result_.groups.size()); ++b) {
      std::vector<int> producers;
      for (const std::uint32_t j : group(b).nodes)
        for (const ValueId v : graph_.nodes[j].in)
          if (const int a = producer_group(result_.accesses[v].base); a >= 0 && a != b) producers.push_back(a);
      std::sort(producers.begin(), producers.end());
      producers.erase(std::unique(producers.begin(), producers.end()), producers.end());
      Group both;
      for (const int a : producers) found.pairs.push_back({a, b, obstacle(a, b, both)});
    }
    found.grouping = std::move(result_);
    return found;
  }

 private:
  struct Fit {
    Role role = Role::none;
    int split = -1, inner = -1;
  };

  int producer_group(ValueId base) const { return dependencies_->producer_group(base); }
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
      if (f.role == Role::none || dependencies_->makes_cycle(i, g)) continue;
      join(i, g, f);
      dependencies_->joined(i, g);
      return;
    }
    open(i, true);
  }

  void open(std::uint32_t i, bool fused) {
    Group g;
    g.fused = fused;
    if (fused) g.space = spaces_[i];
    result_.groups.push_back(std::move(g));
    const int index = static_cast<int>(result_.groups.size()) - 1;
    Fit f;
    if (fused) f = fit(i, index);
    if (f.role == Role::none) result_.groups.back().fused = false;  // e.g. columns that one stride can't walk
    join(i, index, f);
    dependencies_->opened(i);
  }

  void join(std::uint32_t i, int g, Fit f) {
    Group& group = result_.groups[static_cast<std::size_t>(g)];
    group.nodes.push_back(i);
    group.instructions += instructions_[i];
    if (f.split >= 0) group.split = f.split, group.inner = f.inner;
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

  // Whether an operand can be had in group g by a node of this role, were the group cut as `as` is.
  bool operand_fits(ValueId v, int g, const Group& as, Role role) const {
    const std::optional<Access> cut = cut_to(result_.accesses[v], role == Role::row ? as.rows() : as.space);
    if (!cut) return false;
    if (producer_group(cut->base) != g) return as.walks(*cut, role);
    if (producer_role(cut->base) == role) return is_contiguous(*cut);
    if (producer_role(cut->base) != Role::row || cut->offset != 0) return false;
    // A row value, broadcast along the columns.
    const Ints rows = contiguous_strides(as.rows());
    const int columns = (as.inner < 0 ? as.space.size() : as.inner) - as.split;
    for (int k = 0; k < as.space.size(); ++k) {
      const bool column = k >= as.split && k < as.split + columns;
      if (cut->strides[k] != (column ? 0 : rows[k < as.split ? k : k - columns])) return false;
    }
    return true;
  }

  Fit fit(std::uint32_t i, int g) const {
    const Group& group = result_.groups[static_cast<std::size_t>(g)];
    if (group.nodes.size() >= Group::max_nodes || group.instructions + instructions_[i] > Group::max_instructions)
      return {};
    const Graph::Node& n = graph_.nodes[i];
    const auto fits = [&](const Group& as, Role role) {
      return std::all_of(n.in.begin(), n.in.end(), [&](ValueId v) { return operand_fits(v, g, as, role); });
    };
    if (n.op->kind == OpKind::reduction) {
      if (spaces_[i] != group.space) return {};
      const Fit f = fit_of(i);
      const bool same = group.split == f.split && group.inner == f.inner, column = f.role == Role::column;
      if (group.split >= 0 && !same) return {};
      Group as;  // what is in the group has to bear it
      as.space = group.space, as.split = f.split, as.inner = f.inner, as.has_column = group.has_column || column;
      const auto bear = [&](std::uint32_t j) { return bears(j, g, as); };
      const bool changes = group.split < 0 || as.has_column != group.has_column;
      if (!fits(as, Role::full) || (changes && !std::all_of(group.nodes.begin(), group.nodes.end(), bear))) return {};
      return f;
    }
    if (spaces_[i] == group.space && fits(group, Role::full)) return {Role::full};
    if (group.split < 0 || !cuts_to(graph_.type(n.out).shape, group.rows()) || !fits(group, Role::row)) return {};
    if (group.split == 0 && count(group.columns()) > longest_single_row) return {};
    const bool uses_row =
        std::any_of(n.in.begin(), n.in.end(), [&](ValueId v) { return producer_group(result_.accesses[v].base) == g; });
    return uses_row ? Fit{Role::row} : Fit{};
  }

  // What a reduction is in a group, and how it cuts its space.
  Fit fit_of(std::uint32_t i) const {
    const Graph::Node& n = graph_.nodes[i];
    const ReductionCut cut(graph_.type(n.in[0]).shape, n.attrs.as<ReduceAttrs>());
    const auto axes = [&](std::int64_t elements) {
      int k = 0;
      for (; elements > 1; ++k) elements /= spaces_[i][k];
      return k;
    };
    if (cut.along_row()) return {Role::row, axes(cut.outer)};
    if (cut.down_columns()) return {Role::column, axes(cut.n)};
    return {Role::row, axes(cut.outer), axes(cut.outer * cut.n)};
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
  }

  // A node that joined a group because both read the same buffer moves to the only group that reads its result, if that
  // has to read at most one buffer more for it: the result need not be stored.
  void sink() {
    std::vector<std::vector<std::uint32_t>> users(graph_.values.size());
    for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i)
      if (result_.group_of[i] >= 0)
        for (const ValueId v : graph_.nodes[i].in) users[result_.accesses[v].base].push_back(i);
    std::vector<bool> stays(graph_.values.size());
    for (const ValueId v : graph_.outputs) stays[result_.accesses[v].base] = true;
    for (const Graph::Node& n : graph_.nodes)  // what a barrier waits for is computed where it was
      if (n.op->kind == OpKind::view)
        for (std::size_t k = 1; k < n.in.size(); ++k) stays[result_.accesses[n.in[k]].base] = true;
    for (auto i = static_cast<std::uint32_t>(graph_.nodes.size()); i-- > 0;) {  // the last of a chain first
      const Graph::Node& n = graph_.nodes[i];
      const int from = result_.group_of[i];
      if (from < 0 || n.op->kind != OpKind::elementwise || stays[n.out] || users[n.out].empty()) continue;
      const int to = result_.group_of[users[n.out][0]];
      const auto elsewhere = [&](std::uint32_t j) { return result_.group_of[j] != to; };
      if (to == from || !group(to).fused || std::any_of(users[n.out].begin(), users[n.out].end(), elsewhere)) continue;
      int more = 0;
      for (const ValueId v : n.in) {
        const ValueId base = result_.accesses[v].base;
        if (producer_group(base) == from) more = 2;  // it would have to be stored instead
        if (count(graph_.type(base).shape) == count(group(to).space))
          more += std::all_of(users[base].begin(), users[base].end(), elsewhere);
      }
      const Fit f = more <= 1 ? fit(i, to) : Fit{};
      if (f.role != Role::full || dependencies_->makes_cycle(i, to)) continue;
      result_.group_of[i] = to;  // as if it were, for what its users ask
      if (!std::all_of(users[n.out].begin(), users[n.out].end(),
                       [&](std::uint32_t j) { return bears(j, to, group(to)); })) {
        result_.group_of[i] = from;
        continue;
      }
      std::erase(group(from).nodes, i);
      group(from).instructions -= instructions_[i], group(to).instructions += instructions_[i];
      group(to).nodes.insert(std::lower_bound(group(to).nodes.begin(), group(to).nodes.end(), i), i);
      dependencies_->joined(i, to);
    }
  }

  // What is computed of rows' values and does not come back to the rows' elements is computed a row at a time, where a
  // loop of its own would have a vector of rows at a time. Of many short rows that pays if it is long. True if any is
  // parted; the groups have to be put in order then.
  bool part_row_values() {
    bool any = false;
    const std::size_t before = result_.groups.size();
    for (std::size_t g = 0; g < before; ++g) {
      const Group& from = result_.groups[g];
      if (!from.fused || from.split <= 0 || from.inner >= 0 || count(from.rows()) < many_rows ||
          count(from.columns()) > short_row)
        continue;
      std::vector<bool> stays(graph_.values.size());  // by value: needed for the rows' elements
      Group own;
      for (auto i = from.nodes.rbegin(); i != from.nodes.rend(); ++i) {
        const Graph::Node& n = graph_.nodes[*i];
        if (result_.roles[*i] == Role::row && n.op->kind == OpKind::elementwise && !stays[n.out]) {
          own.nodes.insert(own.nodes.begin(), *i);
          own.instructions += instructions_[*i];
        } else {
          for (const ValueId v : n.in) stays[result_.accesses[v].base] = true;
        }
      }
      if (own.instructions < long_row_value) continue;
      own.fused = any = true;
      own.space = from.rows();
      for (const std::uint32_t i : own.nodes) {
        result_.group_of[i] = static_cast<int>(result_.groups.size());
        result_.roles[i] = Role::full;
        std::erase(group(static_cast<int>(g)).nodes, i);
      }
      group(static_cast<int>(g)).instructions -= own.instructions;
      result_.groups.push_back(std::move(own));
    }
    return any;
  }

  Group& group(int g) { return result_.groups[static_cast<std::size_t>(g)]; }

  // As what node j reads its operands.
  Role role_of_operands(std::uint32_t j) const {
    return result_.roles[j] == Role::row && graph_.nodes[j].op->kind != OpKind::reduction ? Role::row : Role::full;
  }

  // True if node j can have its operands in group g, were it cut as `as` is.
  bool bears(std::uint32_t j, int g, const Group& as) const {
    const std::vector<ValueId>& in = graph_.nodes[j].in;
    return std::all_of(in.begin(), in.end(), [&](ValueId v) { return operand_fits(v, g, as, role_of_operands(j)); });
  }

  // Groups that were merged away, or lost all their nodes.
  void drop_empty() {
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

  // What keeps groups a and b from being one; if nothing does, `both` is that one.
  Obstacle obstacle(int a, int b, Group& both) {
    const Group &x = result_.groups[static_cast<std::size_t>(a)], &y = result_.groups[static_cast<std::size_t>(b)];
    if (!x.fused) return {Obstacle::whole, x.nodes[0]};
    if (!y.fused) return {Obstacle::whole, y.nodes[0]};
    if (x.space != y.space) return {Obstacle::space};
    if (x.nodes.size() + y.nodes.size() > Group::max_nodes || x.instructions + y.instructions > Group::max_instructions)
      return {Obstacle::size};
    if (x.split >= 0 && y.split >= 0 && (x.split != y.split || x.inner != y.inner)) return {Obstacle::rows};
    if (dependencies_->separated(a, b)) return {Obstacle::between};
    both = x;
    both.nodes.insert(both.nodes.end(), y.nodes.begin(), y.nodes.end());
    std::sort(both.nodes.begin(), both.nodes.end());
    both.instructions = x.instructions + y.instructions;
    both.split = std::max(x.split, y.split), both.inner = std::max(x.inner, y.inner);
    both.has_column = x.has_column || y.has_column;
    for (const std::uint32_t j : y.nodes) result_.group_of[j] = a;  // as if they were
    Obstacle found;
    for (const std::uint32_t j : both.nodes)
      for (const ValueId v : graph_.nodes[j].in)
        if (!operand_fits(v, a, both, role_of_operands(j))) found = {Obstacle::operand, j, v};
    for (const std::uint32_t j : y.nodes) result_.group_of[j] = b;
    return found;
  }

  // Makes groups a and b one, if they can be.
  bool merge(int a, int b) {
    if (a < 0 || b < 0 || a == b) return false;
    Group both;
    Group &x = result_.groups[static_cast<std::size_t>(a)], &y = result_.groups[static_cast<std::size_t>(b)];
    if (x.nodes.empty() || y.nodes.empty() || obstacle(a, b, both).kind != Obstacle::none) return false;
    for (const std::uint32_t j : y.nodes) result_.group_of[j] = a;
    x = std::move(both);
    y.nodes.clear();
    y.fused = false;
    merged_into_.resize(result_.groups.size(), -1);
    merged_into_[static_cast<std::size_t>(b)] = a;
    dependencies_->merged(a, b);
    return true;
  }

  void order() {
    std::vector<char> late(result_.groups.size());
    for (std::size_t g = 0; g < late.size(); ++g)
      for (const std::uint32_t j : result_.groups[g].nodes) late[g] |= late_[graph_.nodes[j].out];
    std::vector<Group> sorted;
    std::vector<int> place(result_.groups.size());
    for (const int g : dependencies_->order(late)) {
      place[static_cast<std::size_t>(g)] = static_cast<int>(sorted.size());
      sorted.push_back(std::move(result_.groups[static_cast<std::size_t>(g)]));
    }
    result_.groups = std::move(sorted);
    for (int& g : result_.group_of)
      if (g >= 0) g = place[static_cast<std::size_t>(g)];
    dependencies_->renumbered();
  }

  const Graph& graph_;
  const std::vector<bool>& late_;
  const std::vector<Shape> spaces_;              // by node
  const std::vector<std::size_t> instructions_;  // by node
  Grouping result_;
  std::optional<Dependencies> dependencies_;  // of result_
  std::vector<std::vector<int>> readers_;     // by base value: groups that read all of it
  std::vector<int> merged_into_;              // by group as first numbered
};

}  // namespace

bool is_fusable(const Graph& graph, const Graph::Node& node) {
  const auto plain = [&](ValueId v) { return count(graph.type(v).shape) > 0; };
  if (!std::all_of(node.in.begin(), node.in.end(), plain) || !plain(node.out)) return false;
  if (node.op->kind == OpKind::elementwise) return true;
  if (node.op->kind != OpKind::reduction) return false;
  const ReductionCut cut(graph.type(node.in[0]).shape, node.attrs.as<ReduceAttrs>());
  return cut.along_row() || cut.down_columns() || cut.across();
}

Shape Group::rows() const {
  Shape rows = prefix(space, split);
  for (int k = inner; k >= 0 && k < space.size(); ++k) rows.push_back(space[k]);
  return rows;
}

Shape Group::columns() const {
  return Shape(std::span(space.begin() + split, inner < 0 ? space.end() : space.begin() + inner));
}

bool Group::walks(const Access& a, Role role) const {
  const int end = a.shape.size(), rows = std::min(split, end);
  if (has_column && !one_stride(a, 0, rows)) return false;
  if (split < 0) return true;
  if (inner < 0) return role == Role::row || walk_columns(a, split, !has_column);
  const int lanes = role == Role::row ? split : inner;  // the first axis of the interleaved rows
  const bool next_to_each_other = a.strides[end - 1] == 0 || a.strides[end - 1] == 1;
  return next_to_each_other && one_stride(a, split, lanes) && one_stride(a, lanes, end);
}

std::vector<std::uint32_t> Group::computed() const {
  std::vector<std::uint32_t> all = nodes;
  all.insert(all.end(), again.begin(), again.end());
  std::sort(all.begin(), all.end());
  return all;
}

Grouping group_nodes(const Graph& graph, const std::vector<bool>& late) {
  Grouping grouping = Partition(graph, late).run();
  choose_recomputed(graph, grouping, late);
  return grouping;
}

Separations separate_groups(const Graph& graph, const std::vector<bool>& late) {
  return Partition(graph, late).separate();
}

}  // namespace weft
