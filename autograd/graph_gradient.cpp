#include "graph_gradient.h"

#include "../ops/closure.h"
#include "forward.h"

namespace weft {

GraphGradient graph_gradient(const Graph& graph, std::span<const Tensor> in, std::span<const Tensor> cotangents,
                             const std::vector<bool>& wants, Unconnected unconnected) {
  GraphGradient result;
  std::vector<Tensor> sources, targets, seeds;
  for (std::size_t k = 0; k < in.size(); ++k)
    if (wants[k]) sources.push_back(in[k]);
  GradientTape tape;
  tape.watch(sources);
  result.outputs = replay(graph, in);
  for (std::size_t k = 0; k < cotangents.size(); ++k) {
    if (!cotangents[k].defined()) continue;
    targets.push_back(result.outputs[k]);
    seeds.push_back(cotangents[k]);
  }
  const std::vector<Tensor> found =
      tape.gradient(targets, sources, GradientOptions{.output_gradients = seeds, .unconnected = unconnected});
  std::size_t next = 0;
  for (std::size_t k = 0; k < in.size(); ++k) result.gradients.push_back(wants[k] ? found[next++] : Tensor());
  return result;
}

GraphTangents graph_tangents(const Graph& graph, std::span<const Tensor> in, std::span<const Tensor> tangents) {
  const ForwardAccumulator acc(std::vector<Tensor>(in.begin(), in.end()),
                               std::vector<Tensor>(tangents.begin(), tangents.end()));
  GraphTangents result;
  result.outputs = replay(graph, in);
  result.tangents = acc.jvp(result.outputs);
  return result;
}

}  // namespace weft
