// Steps as text.
#include <fmt/format.h>

#include "steps.h"

namespace weft {

std::string step_name(const Graph& graph, const Step& step) {
  if (const auto* launch = std::get_if<LaunchStep>(&step))
    return fmt::format("kernel, {} segment{}", launch->segments.size(), launch->segments.size() == 1 ? "" : "s");
  if (std::holds_alternative<EpilogueStep>(step)) return "matmul, strip by strip to a kernel";
  if (const auto* node = std::get_if<NodeStep>(&step)) return std::string(graph.nodes[node->node].op->name);
  return "copy";
}

std::string steps_text(const Graph& graph, std::span<const Step> steps, std::span<const std::int64_t> offsets) {
  std::string s;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    s += fmt::format("step {}: {}", i, step_name(graph, steps[i]));
    each_use(graph, steps[i], [&](ValueId v, bool output) {
      s += fmt::format(" {}%{}", output ? "-> " : "", v);
      if (!offsets.empty() && offsets[v] >= 0) s += fmt::format("@{}", offsets[v]);
    });
    s += "\n";
  }
  return s;
}

}  // namespace weft
