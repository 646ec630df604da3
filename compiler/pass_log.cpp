#include "pass_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "graphviz.h"

namespace weft {

void PassLog::add(Entry entry) {
  if (entries_.empty() || entry.text != entries_.back().text) entries_.push_back(std::move(entry));
}

void PassLog::after(std::string_view pass, const Graph& graph) {
  add({std::string(pass), graph.text(), graphviz(graph)});
}

void PassLog::after(std::string_view pass, const Graph& graph, const Grouping& grouping) {
  group_of_ = grouping.group_of;
  add({std::string(pass), grouping.text(graph), graphviz(graph, &grouping)});
}

void PassLog::after(std::string_view pass, const Graph& graph, std::span<const Step> steps,
                    std::span<const ValueId> direct) {
  add({std::string(pass), steps_text(graph, steps), graphviz(graph, steps, direct)});
}

std::string PassLog::groups(const Step& step) const {
  std::vector<int> list;
  if (const auto* node = std::get_if<NodeStep>(&step)) list.push_back(group_of_[node->node]);
  if (const auto* with = std::get_if<EpilogueStep>(&step)) list.push_back(group_of_[with->product.node]);
  if (const LaunchStep* launch = launch_of(step))
    for (const Launch& l : launch->segments) list.push_back(group_of_[l.nodes[0]]);
  return fmt::format("group{} {}", list.size() == 1 ? "" : "s", fmt::join(list, ", "));
}

std::string PassLog::passes(bool picture) const {
  std::string s;
  for (const Entry& e : entries_)
    s += fmt::format("{}---- {}\n{}", picture ? "// " : "", e.pass, picture ? e.picture : e.text);
  return s;
}

std::string PassLog::traced(bool picture) const { return picture ? entries_[0].picture : entries_[0].text; }

}  // namespace weft
