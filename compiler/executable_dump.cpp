// The stages of a compiled graph as text.
#include <fmt/format.h>

#include "executable.h"
#include "graphviz.h"
#include "jit/jit.h"

namespace weft {

std::string Executable::dump(std::string_view stage) const {
  std::string s = dump_own(stage);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (const auto* node = std::get_if<NodeStep>(&steps_[i]))
      for (const auto& body : node->bodies)
        s += fmt::format("{}body of step {}, {}:\n{}", stage == "dot" ? "// " : "", i, graph_.nodes[node->node].op->name,
                         body->dump(stage));
  return s;
}

std::string Executable::dump_own(std::string_view stage) const {
  if (stage == "graph") return graph_.text();
  if (stage == "groups") return group_nodes(graph_, late_values()).text(graph_);
  if (stage == "fusion") return explain_groups(graph_, late_values());
  if (stage == "dot") return graphviz(graph_, group_nodes(graph_, late_values()));
  std::string s;
  if (stage == "plan") {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (const auto* launch = std::get_if<LaunchStep>(&steps_[i]))
        s += fmt::format("step {}: kernel, {} segment{}", i, launch->segments.size(),
                         launch->segments.size() == 1 ? "" : "s");
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
    for (std::size_t k = 0; k < written_.size(); ++k)
      s += fmt::format("variable {}: {}\n", written_[k], in_place_[k] ? "in place" : "a new buffer");
    return s + fmt::format("arena {} bytes\n", stats_.arena_bytes);
  }
  if (stage != "kernels" && stage != "llvm" && stage != "assembly")
    throw ArgumentError(fmt::format("dump: no stage \"{}\"", stage),
                        "graph, groups, fusion, dot, kernels, plan, llvm or assembly");
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const auto* launch = std::get_if<LaunchStep>(&steps_[i]);
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
