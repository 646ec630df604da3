#include "graph_interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "anomaly.h"
#include "apply.h"
#include "context.h"
#include "recorder.h"

namespace weft {

namespace {
std::string describe(Views in, std::size_t k) {
  return fmt::format("in{}  {}", k, Type{in[k].dtype, in[k].shape}.text());
}
}  // namespace

void locate(Error& e, const Graph::Node& n, Views in) {
  std::vector<std::string> operands;
  for (std::size_t k = 0; k < in.size(); ++k) operands.push_back(describe(in, k));
  e.locate(n.site.function ? n.site.function : n.op->name, operands, site_text(n.site));
}

GraphInterpreter::GraphInterpreter(std::shared_ptr<const Graph> graph) : graph_(std::move(graph)) {
  for (const Graph::Value& v : graph_->values) {
    View view{v.type.dtype, v.type.shape, contiguous_strides(v.type.shape), nullptr};
    if (v.kind == Graph::Value::constant) {
      view = graph_->constants[v.index].view();
    } else if (v.kind == Graph::Value::computed && !graph_->nodes[v.index].op->forwards) {
      buffers_.push_back(Storage::allocate(static_cast<std::size_t>(v.type.bytes())));
      view.data = buffers_.back().data();
    }
    views_.push_back(view);
  }
}

void GraphInterpreter::run(Views in, Views out) {
  for (std::size_t k = 0; k < in.size(); ++k) views_[graph_->inputs[k]] = in[k];
  const bool look = context().anomaly;
  std::vector<View> operands;
  for (const Graph::Node& n : graph_->nodes) {
    operands.clear();
    for (const ValueId v : n.in) operands.push_back(views_[v]);
    try {
      if (n.op->forwards) {  // there for gradients alone
        std::copy_n(operands.begin() + n.op->forwards(n.attrs), n.outputs, views_.begin() + n.out);
        continue;
      }
      const Views results = Views(views_).subspan(n.out, static_cast<std::size_t>(n.outputs));
      run_op(*n.op, n.attrs, operands, results);
      if (look) find_anomaly(*n.op, n.site, operands, results, [&](std::size_t i) { return describe(operands, i); });
    } catch (Error& e) {
      locate(e, n, operands);
      throw;
    }
  }
  for (std::size_t k = 0; k < out.size(); ++k)
    if (const View& from = views_[graph_->outputs[k]]; from.data != out[k].data) copy_elements(from, out[k]);
}

void interpret_graphs(const Op& op, const Attrs& attrs, Views in, Views out) {
  std::vector<GraphInterpreter> interpreters;
  for (auto& graph : op.graphs(attrs)) interpreters.emplace_back(std::move(graph));
  std::vector<GraphRunner*> runners;
  for (GraphInterpreter& i : interpreters) runners.push_back(&i);
  op.run_graphs(attrs, runners, in, out);
}

}  // namespace weft
