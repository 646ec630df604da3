#include "steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "pass_log.h"

namespace weft {

bool is_whole(const Access& a, const Type& base) {
  return a.offset == 0 && a.strides == contiguous_strides(a.shape) && count(a.shape) == count(base.shape);
}

namespace {

void rename(Step& step, ValueId from, ValueId to) {
  const auto at = [&](ValueId& v) { v = v == from ? to : v; };
  if (auto* launch = std::get_if<LaunchStep>(&step)) {
    for (Launch& l : launch->segments)
      for (LaunchOperand& o : l.operands) at(o.value);
  } else if (auto* node = std::get_if<NodeStep>(&step)) {
    for (Access& a : node->in) at(a.base);
    at(node->out);
  }
}

}  // namespace

void share_buffers(const Graph& graph, std::vector<Step>& steps, std::span<const ValueId> direct) {
  std::vector<bool> needed(graph.values.size());  // by the steps after, or as an output
  for (const ValueId v : direct)
    if (v != no_value) needed[v] = true;
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (const auto* node = std::get_if<NodeStep>(&steps[i]); node && graph.nodes[node->node].op->in_place) {
      const ValueId from = node->in[0].base, to = node->out;
      const Graph::Node* producer = graph.producer(from);
      bool shares = producer && producer->outputs == 1 && !needed[from] && is_whole(node->in[0], graph.type(from));
      for (std::size_t k = 1; k < node->in.size(); ++k) shares = shares && node->in[k].base != from;
      if (shares)
        for (std::size_t j = 0; j <= i; ++j) rename(steps[j], from, to);
    }
    each_use(graph, steps[i], [&](ValueId v, bool) { needed[v] = true; });
  }
}

void merge_launches(const Graph& graph, std::vector<Step>& steps, const std::vector<bool>& states, PassLog* log) {
  const auto flat = [](const LaunchStep& s) {
    return s.segments[0].cut == Launch::by_columns && s.segments[0].rows.empty();
  };
  const auto updates = [&](const LaunchStep& s) {
    return std::ranges::all_of(s.segments, [&](const Launch& l) {
      return std::ranges::all_of(l.operands, [&](const LaunchOperand& o) { return !o.output || states[o.value]; });
    });
  };
  const auto alike = [&](const LaunchStep& a, const LaunchStep& b) {
    return flat(a) && flat(b) && (a.segments[0].kernel == b.segments[0].kernel || (updates(a) && updates(b)));
  };
  std::vector<Step> merged;
  // By value: what comes after the last step that does so; and after the last one that is no launch.
  std::vector<std::size_t> written(graph.values.size()), used(graph.values.size());
  std::size_t after = 0;
  for (Step& step : steps) {
    auto* next = std::get_if<LaunchStep>(&step);
    std::size_t needed = 0, place = merged.size();
    each_use(graph, step, [&](ValueId v, bool output) { needed = std::max(needed, output ? used[v] : written[v]); });
    const std::size_t first = std::max(after, needed);
    for (std::size_t k = merged.size(); next && k-- > (log ? 0 : first);) {
      const auto* before = std::get_if<LaunchStep>(&merged[k]);
      if (!before || !alike(*before, *next)) continue;
      place = k;
      break;
    }
    if (place < first) {  // seen for the log alone
      log->say(fmt::format("{} and {}: two launches, which might be one: {}", log->groups(merged[place]),
                           log->groups(step),
                           place < needed ? "one needs what a step between them does, or the other way round"
                                          : "between them is a step that is no launch"));
      place = merged.size();
    }
    each_use(graph, step, [&](ValueId v, bool output) {
      used[v] = std::max(used[v], place + 1);
      if (output) written[v] = std::max(written[v], place + 1);
    });
    if (place < merged.size())
      std::get<LaunchStep>(merged[place]).segments.push_back(std::move(next->segments[0]));
    else
      merged.push_back(std::move(step));
    if (!next) after = merged.size();
  }
  steps = std::move(merged);
}

}  // namespace weft
