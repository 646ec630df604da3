// The stages of a compiled graph as text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "executable.h"
#include "graphviz.h"
#include "jit/jit.h"
#include "stages.h"

namespace weft {

std::span<const std::string_view> dump_stages() {
  static constexpr std::string_view stages[] = {"traced",     "passes",     "graph",     "groups",     "plan",
                                                "traced.dot", "passes.dot", "graph.dot", "groups.dot", "plan.dot",
                                                "dot",        "fusion",     "kernels",   "llvm",       "assembly"};
  return stages;
}

void check_stage(std::string_view stage) {
  if (std::ranges::count(dump_stages(), stage) == 0)
    throw ArgumentError(fmt::format("dump: no stage \"{}\"", shortened(stage, 40)),
                        fmt::format("one of {}", fmt::join(dump_stages(), ", ")));
}

bool Executable::wants_log(std::string_view stage) {
  return stage.starts_with("traced") || stage.starts_with("passes") || stage == "fusion";
}

std::string Executable::dump(std::string_view stage) const {
  check_stage(stage);
  if (wants_log(stage) && !log_) throw ArgumentError(fmt::format("dump: \"{}\" wants an executable that logs", stage));
  std::string s = dump_own(stage);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (const auto* node = std::get_if<NodeStep>(&steps_[i]))
      for (const auto& body : node->bodies)
        s += fmt::format("{}body of step {}, {}:\n{}", stage.ends_with("dot") ? "// " : "", i,
                         graph_.nodes[node->node].op->name, body->dump(stage));
  return s;
}

// What each kept value is, as a function of the variables that are its inputs, or of none.
std::string Executable::kept_text() const {
  std::string s;
  const std::size_t count = kept_ ? kept_->values().size() : 0;
  for (std::size_t k = 0; k < count; ++k) {
    const KeptValue& value = kept_->values()[k];
    const std::size_t number = graph_.inputs.size() - args_ - count + k;
    std::vector<std::string> variables;
    for (const std::size_t v : value.variables) variables.push_back(fmt::format("%{}", graph_.inputs[args_ + v]));
    const bool written = std::find(written_.begin(), written_.end(), number) != written_.end();
    s += fmt::format("kept %{} = {} of {}: {}\n", graph_.inputs[args_ + number],
                     value.graph->producer(value.graph->outputs[0])->op->name,
                     variables.empty() ? "constants" : fmt::format("{}", fmt::join(variables, ", ")),
                     written             ? "computed by the loop of the update"
                     : variables.empty() ? "computed once"
                                         : "computed outside the step");
  }
  return s;
}

std::string Executable::plan_text() const {
  std::string s = steps_text(graph_, steps_, arena_offset_);
  for (const Region& r : regions_) s += fmt::format("steps {} to {}: {} rows at once\n", r.begin, r.end - 1, r.rows);
  const std::size_t variables = graph_.inputs.size() - args_ - stats_.kept_values;
  for (std::size_t k = 0; k < written_.size(); ++k)
    s += fmt::format("{} {}: {}\n", written_[k] < variables ? "variable" : "kept",
                     written_[k] - (written_[k] < variables ? 0 : variables),
                     in_place_[k] ? "in place" : "a new buffer");
  if (stats_.kept_bytes > 0) s += fmt::format("kept {} bytes\n", stats_.kept_bytes);
  return s + fmt::format("arena {} bytes\n", stats_.arena_bytes);
}

// Why groups are apart, and what else was made of them.
std::string Executable::fusion_text() const {
  std::string s = explain_groups(graph_, late_values(), log_->products());
  for (const Step& step : steps_)
    if (const auto* launch = std::get_if<LaunchStep>(&step); launch && launch->segments.size() > 1)
      s += fmt::format("{}: one launch of {} segments\n", log_->groups(step), launch->segments.size());
  return s + log_->said() + kept_text();
}

std::string Executable::dump_own(std::string_view stage) const {
  const bool picture = stage.ends_with(".dot");
  const std::string_view of = picture ? stage.substr(0, stage.size() - 4) : stage;
  if (of == "traced") return log_->traced(picture);
  if (of == "passes") return log_->passes(picture);
  if (of == "graph") return picture ? graphviz(graph_) : graph_.text() + kept_text();
  if (of == "plan") return picture ? graphviz(graph_, steps_, direct_) : plan_text();
  if (of == "fusion") return fusion_text();
  if (of == "groups" || of == "dot") {
    const Grouping grouping = group_nodes(graph_, late_values());
    return of == "dot" || picture ? graphviz(graph_, &grouping) : grouping.text(graph_);
  }
  std::string s;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const LaunchStep* launch = launch_of(steps_[i]);
    if (!launch) continue;
    s += fmt::format("step {}:\n", i);
    std::vector<const Kernel*> shown;
    for (const Launch& l : launch->segments) {
      if (std::ranges::any_of(shown, [&](const Kernel* k) { return *k == l.kernel; })) continue;
      shown.push_back(&l.kernel);
      if (stage == "kernels")
        s += l.kernel.text();
      else if (Jit* jit = Jit::get())
        s += stage == "llvm" ? jit->ir(l.kernel) : jit->assembly(l.kernel);
      else
        s += "no code generator\n";
    }
  }
  return s;
}

}  // namespace weft
