#include "verify_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "../tensor/error.h"
#include "products.h"

namespace weft {
namespace {

template <class... T> [[noreturn]] void fail(std::size_t step, fmt::format_string<T...> what, T&&... args) {
  throw ArgumentError(fmt::format("steps: step {}: {}", step, fmt::format(what, std::forward<T>(args)...)));
}

/// The bytes from the first to behind the last that an operand of a flat launch touches.
std::pair<std::int64_t, std::int64_t> range(const Launch& l, std::size_t k) {
  const LaunchOperand& o = l.operands[k];
  const std::int64_t last = o.offset + o.last_column(l.cols);
  const auto size = static_cast<std::int64_t>(size_of(l.kernel.operands[k].dtype));
  return {std::min(o.offset, last), std::max(o.offset, last) + size};
}

/// Operand i of one segment is written where operand j of another lies.
bool collide(const Launch& a, std::size_t i, const Launch& b, std::size_t j) {
  if (!a.operands[i].output || a.operands[i].value != b.operands[j].value) return false;
  const auto [first, last] = range(a, i);
  const auto [begin, end] = range(b, j);
  return first < end && begin < last;
}

class FlowFinder {
 public:
  explicit FlowFinder(const Graph& graph) : graph_(graph), writers_(graph.values.size()) {}

  Flow run(std::span<const Step> steps, std::span<const ValueId> direct) {
    for (const Step& step : steps) {
      if (const auto* launch = std::get_if<LaunchStep>(&step)) {
        check_segments(*launch);
        for (const Launch& l : launch->segments) reads(l);
        for (const Launch& l : launch->segments) writes(l);
      } else if (const auto* node = std::get_if<NodeStep>(&step)) {
        whole(*node);
      } else if (const auto* with = std::get_if<EpilogueStep>(&step)) {
        strips(*with);
      } else {
        const auto& copy = std::get<CopyStep>(step);
        begin(graph_.nodes.size() + copy.output);
        read(graph_.nodes.size() + copy.output, copy.from.base);
      }
      ++at_;
    }
    for (const ValueId v : direct)
      if (v != no_value && writers_[v].empty()) fail(at_, "%{} is an output, which no step writes", v);
    return std::move(flow_);
  }

 private:
  void begin(std::uint64_t unit) {
    if (!flow_.try_emplace(unit).second)
      fail(at_, "{} runs twice", unit < graph_.nodes.size() ? graph_.nodes[unit].op->name : "a copy");
  }
  void read(std::uint64_t unit, ValueId v) {
    if (graph_.values[v].kind == Graph::Value::computed && writers_[v].empty())
      fail(at_, "it reads %{}, which no earlier step writes", v);
    flow_[unit].emplace_back(writers_[v].begin(), writers_[v].end());
  }
  /// Over what was there, if the unit has read that; else beside it, as the parts of a concat.
  void write(std::uint64_t unit, ValueId v, bool over) {
    if (over) writers_[v].clear();
    writers_[v].insert(unit);
  }

  void reads(const Launch& l) {
    begin(l.nodes[0]);
    for (const LaunchOperand& o : l.operands)
      if (!o.output) read(l.nodes[0], o.value);
  }
  void writes(const Launch& l) {
    for (const LaunchOperand& o : l.operands)
      if (o.output) write(l.nodes[0], o.value, false);
  }
  void whole(const NodeStep& step) {
    begin(step.node);
    bool over = false;
    for (const Access& a : step.in) {
      read(step.node, a.base);
      over |= a.base == step.out;
    }
    if (over && !graph_.nodes[step.node].op->in_place) fail(at_, "it writes over %{}, but not in place", step.out);
    for (int k = 0; k < graph_.nodes[step.node].outputs; ++k)
      write(step.node, step.out + static_cast<ValueId>(k), over && k == 0);
  }
  void strips(const EpilogueStep& with) {
    whole(with.product);
    if (with.loop.segments.size() != 1) fail(at_, "strips go to {} loops", with.loop.segments.size());
    const Launch& l = with.loop.segments[0];
    for (std::size_t k = 0; k < l.operands.size(); ++k) {
      if ((l.operands[k].value == with.product.out) != (k == with.operand))
        fail(at_, "operand {} of the loop is %{}, the product %{} is operand {}", k, l.operands[k].value,
             with.product.out, with.operand);
      for (const Access& a : with.product.in)
        if (l.operands[k].output && l.operands[k].value == a.base) fail(at_, "the loop overwrites %{}", a.base);
    }
    if (with.operand >= l.operands.size()) fail(at_, "the loop has no operand {}", with.operand);
    reads(l);
    writes(l);
    writers_[with.product.out].clear();  // it is stored nowhere
  }

  void check_segments(const LaunchStep& step) const {
    if (step.segments.empty()) fail(at_, "a launch of nothing");
    for (const Launch& l : step.segments)
      if (l.operands.size() > Launch::max_operands) fail(at_, "a loop of {} operands", l.operands.size());
    for (const Launch& a : step.segments)
      for (const Launch& b : step.segments) {
        if (&a == &b) continue;
        if (a.cut != Launch::by_columns || !a.rows.empty()) fail(at_, "a segment is no row of columns");
        for (std::size_t i = 0; i < a.operands.size(); ++i)
          for (std::size_t j = 0; j < b.operands.size(); ++j)
            if (collide(a, i, b, j)) fail(at_, "a segment writes %{}, which another uses", a.operands[i].value);
      }
  }

  const Graph& graph_;
  std::vector<std::set<std::uint64_t>> writers_;  // by value
  Flow flow_;
  std::size_t at_ = 0;
};

/// What a step, or all of a region, reads and writes.
struct Used {
  std::set<ValueId> read, written;

  void add(const Graph& graph, const Step& step) {
    each_use(graph, step, [&](ValueId v, bool output) { (output ? written : read).insert(v); });
  }
};

/// The step takes old element by element where it writes fresh, which lies in the same place.
bool in_place(const Graph& graph, const Step& step, ValueId old, ValueId fresh) {
  if (const auto* node = std::get_if<NodeStep>(&step)) return graph.nodes[node->node].op->in_place;
  const LaunchStep* launch = launch_of(step);
  if (!launch) return false;
  for (const Launch& l : launch->segments) {
    const auto writes = [&](const LaunchOperand& o) { return o.output && o.value == fresh; };
    const auto target = std::find_if(l.operands.begin(), l.operands.end(), writes);
    for (const LaunchOperand& o : l.operands)
      if (!o.output && o.value == old &&
          (std::count_if(l.operands.begin(), l.operands.end(), writes) != 1 || o.offset != target->offset ||
           !o.moves_like(*target)))
        return false;
  }
  return true;
}

}  // namespace

Flow verify(const Graph& graph, std::span<const Step> steps, std::span<const ValueId> direct) {
  return FlowFinder(graph).run(steps, direct);
}

void verify_same(std::string_view pass, const Flow& before, const Flow& after) {
  if (before.size() != after.size())
    throw ArgumentError(fmt::format("{}: {} loops and nodes became {}", pass, before.size(), after.size()));
  for (const auto& [unit, reads] : before)
    if (const auto now = after.find(unit); now == after.end() || now->second != reads)
      throw ArgumentError(fmt::format("{}: node {} does not read what it read before", pass, unit));
}

void verify(const Graph& graph, std::span<const Step> steps, std::span<const Region> regions,
            const std::vector<bool>& states) {
  std::size_t end = 0;
  for (const Region& r : regions) {
    if (r.begin < end || r.end < r.begin + 2 || r.end > steps.size())
      fail(r.begin, "a region of {} to {}", r.begin, r.end);
    end = r.end;
    std::set<ValueId> made;
    for (std::size_t i = r.begin; i < r.end; ++i) {
      if (const Graph::Node* n = product(graph, steps[i])) {
        if (graph.type(n->out).shape[0] != r.rows) fail(i, "a product of other rows than its region's {}", r.rows);
        if (made.contains(std::get<NodeStep>(steps[i]).in[1].base)) fail(i, "it multiplies by what its region makes");
      } else if (!std::holds_alternative<LaunchStep>(steps[i])) {
        fail(i, "a region of more than products and launches");
      }
      each_use(graph, steps[i], [&](ValueId v, bool output) {
        if (output) made.insert(v);
        if (output && states[v]) fail(i, "a region writes %{}, a variable's new value", v);
      });
    }
  }
}

void verify(const Graph& graph, std::span<const Step> steps, std::span<const Region> regions,
            std::span<const Place> places, std::span<const ValueId> direct) {
  std::vector<bool> holds(graph.values.size());
  for (ValueId v = 0; v < graph.values.size(); ++v) holds[v] = graph.values[v].kind != Graph::Value::computed;
  const auto overlap = [&](ValueId a, ValueId b) {
    const Place &x = places[a], &y = places[b];
    return a != b && x.memory == y.memory && x.begin < y.end && y.begin < x.end;
  };
  auto region = regions.begin();
  Used all;  // of the region
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (region != regions.end() && i == region->end) ++region;
    const bool inside = region != regions.end() && i >= region->begin;
    if (inside && i == region->begin) {
      all = {};
      for (std::size_t k = region->begin; k < region->end; ++k) all.add(graph, steps[k]);
    }
    Used own;
    own.add(graph, steps[i]);
    for (const ValueId v : own.read)
      if (!holds[v]) fail(i, "%{} no longer lies where it is read", v);
    const Used& meanwhile = inside ? all : own;
    for (const ValueId w : own.written)
      for (ValueId v = 0; v < graph.values.size(); ++v) {
        if (!overlap(v, w)) continue;
        const bool written = meanwhile.written.contains(v);
        if (written || (meanwhile.read.contains(v) && (inside || !in_place(graph, steps[i], v, w))))
          fail(i, "%{} is written over %{}, which is in use", w, v);
        holds[v] = false;
      }
    for (const ValueId w : own.written) holds[w] = true;
  }
  for (const ValueId v : direct)
    if (v != no_value && !holds[v]) fail(steps.size(), "the output %{} was overwritten", v);
}

}  // namespace weft
