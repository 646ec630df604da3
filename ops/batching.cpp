#include "batching.h"

#include <algorithm>

#include "apply.h"
#include "defs/reduce.h"
#include "manipulate.h"
#include "math.h"
#include "recorder.h"

namespace weft {

Shape Batching::with_batch(Shape example) const {
  example.insert(0, size_);
  return example;
}

Shape Batching::shape(int i) const {
  const Shape& s = in(i).shape();
  return batched(i) ? Shape(std::span(s.begin() + 1, s.end())) : s;
}

Tensor Batching::front(int i) const { return batched(i) ? in(i) : broadcast_to(in(i), with_batch(in(i).shape())); }

void Batching::apply(const Attrs& attrs) {
  std::vector<Tensor> operands, results(out_.size());
  for (int i = 0; i < inputs(); ++i) operands.push_back(front(i));
  weft::apply(op_, attrs, operands, results);
  for (std::size_t k = 0; k < results.size(); ++k) give(static_cast<int>(k), results[k]);
}

void Batching::one_by_one() {
  std::vector<std::vector<Tensor>> rows(out_.size());
  std::vector<Tensor> operands(in_.size());
  for (std::int64_t at = 0; at < size_; ++at) {
    for (int i = 0; i < inputs(); ++i)
      operands[static_cast<std::size_t>(i)] = batched(i) ? reshape(slice_axis(in(i), 0, at, at + 1), shape(i)) : in(i);
    std::vector<Tensor> results(out_.size());
    weft::apply(op_, attrs_, operands, results);
    for (std::size_t k = 0; k < rows.size(); ++k) rows[k].push_back(results[k]);
  }
  std::vector<Type> types(out_.size());
  if (size_ == 0) {  // nothing runs, but it has a type
    std::vector<Type> in_types;
    std::vector<const Type*> pointers;
    for (int i = 0; i < inputs(); ++i) in_types.push_back({in(i).dtype(), shape(i)});
    for (const Type& t : in_types) pointers.push_back(&t);
    op_.infer(attrs_, pointers, types);
  }
  for (std::size_t k = 0; k < rows.size(); ++k)
    give(static_cast<int>(k),
         size_ > 0 ? stack(rows[k]) : broadcast_to(Arg(0).tensor(types[k].dtype), with_batch(types[k].shape)));
}

void apply_batched(const Op& op, const Attrs& attrs, std::span<const Batched> in, std::span<Batched> out,
                   std::int64_t size) {
  if (!op.draws && std::none_of(in.begin(), in.end(), [](const Batched& b) { return b.batched; })) {
    std::vector<Tensor> operands, results(out.size());
    for (const Batched& b : in) operands.push_back(b.value);
    apply(op, attrs, operands, results);
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = {results[k], false};
    return;
  }
  Batching b(op, attrs, in, out, size);
  if (op.batch) {
    op.batch(b);
  } else if (op.kind == OpKind::elementwise) {
    b.apply(attrs);
  } else if (op.kind == OpKind::reduction) {
    const auto& a = attrs.as<ReduceAttrs>();
    b.apply(ReduceAttrs{a.begin + 1, a.end + 1});
  } else {
    b.one_by_one();
  }
}

std::vector<Batched> replay_batched(const Graph& graph, std::span<const Batched> inputs, std::int64_t size) {
  std::vector<Batched> values(graph.values.size());
  for (std::size_t k = 0; k < graph.inputs.size(); ++k) values[graph.inputs[k]] = inputs[k];
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (graph.values[v].kind != Graph::Value::constant) continue;
    const Tensor& constant = graph.constants[graph.values[v].index];
    values[v].value = Tensor::on(constant.storage(), constant.view());  // to a trace that we are in: a literal
  }
  std::vector<int> uses(graph.values.size());  // values go when their last reader has had them
  for (const Graph::Node& n : graph.nodes)
    for (const ValueId v : n.in) ++uses[v];
  for (const ValueId v : graph.outputs) ++uses[v];
  std::vector<Batched> in;
  for (const Graph::Node& n : graph.nodes) {
    const SiteScope site(n.site);
    in.clear();
    for (const ValueId v : n.in) in.push_back(values[v]);
    apply_batched(*n.op, n.attrs, in, std::span(values).subspan(n.out, static_cast<std::size_t>(n.outputs)), size);
    for (const ValueId v : n.in)
      if (--uses[v] == 0) values[v] = {};
  }
  std::vector<Batched> out;
  for (const ValueId v : graph.outputs) out.push_back(values[v]);
  return out;
}

}  // namespace weft
