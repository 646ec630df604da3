// The stages of a compiled graph as text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "executable.h"
#include "graphviz.h"
#include "jit/jit.h"

namespace weft {

std::string Executable::dump(std::string_view stage) const {
  std::string s = dump_own(stage);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (const auto* node = std::get_if<NodeStep>(&steps_[i]))
      for (const auto& body : node->bodies)
        s += fmt::format("{}body of step {}, {}:\n{}", stage == "dot" ? "// " : "", i,
                         graph_.nodes[node->node].op->name, body->dump(stage));
  return s;
}

// What each kept value is, as a function of the variables that are its inputs.
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
                     value.graph->producer(value.graph->outputs[0])->op->name, fmt::join(variables, ", "),
                     written ? "computed by the loop of the update" : "computed outside the step");
  }
  return s;
}

std::string Executable::dump_own(std::string_view stage) const {
  if (stage == "graph") return graph_.text() + kept_text();
  if (stage == "groups") return group_nodes(graph_, late_values()).text(graph_);
  if (stage == "fusion") return explain_groups(graph_, late_values()) + kept_text();
  if (stage == "dot") return graphviz(graph_, group_nodes(graph_, late_values()));
  std::string s;
  if (stage == "plan") {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (const auto* launch = std::get_if<LaunchStep>(&steps_[i]))
        s += fmt::format("step {}: kernel, {} segment{}", i, launch->segments.size(),
                         launch->segments.size() == 1 ? "" : "s");
      else if (std::holds_alternative<EpilogueStep>(steps_[i]))
        s += fmt::format("step {}: matmul, strip by strip to a kernel", i);
      else if (const auto* node = std::get_if<NodeStep>(&steps_[i]))
        s += fmt::format("step {}: {}", i, graph_.nodes[node->node].op->name);
      else
        s += fmt::format("step {}: copy", i);
      each_use(graph_, steps_[i], [&](ValueId v, bool output) {
        s += fmt::format(" {}%{}{}", output ? "-> " : "", v,
                         arena_offset_[v] >= 0 ? fmt::format("@{}", arena_offset_[v]) : "");
      });
      s += "\n";
    }
    for (const Region& r : regions_) s += fmt::format("steps {} to {}: {} rows at once\n", r.begin, r.end - 1, r.rows);
    const std::size_t variables = graph_.inputs.size() - args_ - stats_.kept_values;
    for (std::size_t k = 0; k < written_.size(); ++k)
      s += fmt::format("{} {}: {}\n", written_[k] < variables ? "variable" : "kept",
                       written_[k] - (written_[k] < variables ? 0 : variables),
                       in_place_[k] ? "in place" : "a new buffer");
    if (stats_.kept_bytes > 0) s += fmt::format("kept {} bytes\n", stats_.kept_bytes);
    return s + fmt::format("arena {} bytes\n", stats_.arena_bytes);
  }
  if (stage != "kernels" && stage != "llvm" && stage != "assembly")
    throw ArgumentError(fmt::format("dump: no stage \"{}\"", stage),
                        "graph, groups, fusion, dot, kernels, plan, llvm or assembly");
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const LaunchStep* launch = launch_of(steps_[i]);
    if (!launch) continue;
    const Kernel& kernel = launch->segments[0].kernel;
    s += fmt::format("step {}:\n", i);
    if (stage == "kernels")
      s += kernel.text();
    else if (Jit* jit = Jit::get())
      s += stage == "llvm" ? jit->ir(kernel) : jit->assembly(kernel);
    else
      s += "no code generator\n";
  }
  return s;
}

}  // namespace weft
