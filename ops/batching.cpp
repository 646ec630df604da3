#include "batching.h"

#include <algorithm>

#include "apply.h"
#include "defs/reduce.h"
#include "manipulate.h"
#include "math.h"
#include "reduce.h"
#include "replay.h"

namespace weft {

Shape Batching::with_batch(Shape example) const {
  example.insert(0, size_);
  return example;
}

Shape Batching::shape(int i) const {
  const Shape& s = in(i).shape();
  return batched(i) ? Shape(std::span(s.begin() + 1, s.end())) : s;
}

Tensor batch_in_front(const Batched& b, std::int64_t size) {
  if (b.batched) return b.value;
  Shape shape = b.value.shape();
  shape.insert(0, size);
  return broadcast_to(b.value, shape);
}

Tensor choose_examples(const Tensor& chosen, const Batched& a, const Batched& b, std::int64_t size) {
  Shape aligned = Shape::filled(batch_in_front(a, size).rank(), 1);
  aligned[0] = size;
  const Tensor condition = reshape(chosen, aligned);
  if (a.value.dtype() == DType::boolean) return (condition & a.value) | (b.value & !condition);
  return where(condition, a.value, b.value);
}

Tensor Batching::front(int i) const { return batch_in_front(in_[static_cast<std::size_t>(i)], size_); }

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

// The operands of a check, 0 where no active example needs them: indices if it has any (the table beside them is not
// looked at), else all.
static std::vector<Batched> without_inactive(std::span<const Batched> in, const Tensor& active, std::int64_t size) {
  const auto is_index = [](const Batched& b) { return !is_floating(b.value.dtype()); };
  const bool indexes = std::any_of(in.begin(), in.end(), is_index);
  std::vector<Batched> out(in.begin(), in.end());
  for (Batched& b : out) {
    if (indexes && !is_index(b)) continue;
    const Tensor zero = Arg(0).tensor(b.value.dtype());
    b.value = b.batched ? choose_examples(active, b, {zero, false}, size) : where(any(active), b.value, zero);
  }
  return out;
}

void apply_batched(const Op& op, const Attrs& attrs, std::span<const Batched> in, std::span<Batched> out,
                   std::int64_t size, const Tensor& active) {
  const bool masked = active.defined() && op.checks && !op.effect;
  if (masked) {
    const std::vector<Batched> harmless = without_inactive(in, active, size);
    return apply_batched(op, attrs, harmless, out, size);
  }
  const bool shared = std::none_of(in.begin(), in.end(), [](const Batched& b) { return b.batched; });
  if (shared && (SharedDraws::alive || !has(&Op::draws, op, attrs)) && !(active.defined() && op.graphs)) {
    std::vector<Tensor> operands, results(out.size());
    for (const Batched& b : in) operands.push_back(b.value);
    apply(op, attrs, operands, results);
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = {results[k], false};
    return;
  }
  Batching b(op, attrs, in, out, size, active);
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

std::vector<Batched> replay_batched(const Graph& graph, std::span<const Batched> inputs, std::int64_t size,
                                    const Tensor& active) {
  return detail::replay_nodes(graph, inputs,
                              [&](const Graph::Node& n, std::span<const Batched> in, std::span<Batched> out) {
                                apply_batched(*n.op, n.attrs, in, out, size, active);
                              });
}

BatchedClosure batch_graph(const Graph& graph, std::span<const Batched> inputs, std::int64_t size, const Tensor& active,
                           const std::function<bool(std::size_t)>& front) {
  BatchedClosure made;
  std::vector<Type> types;
  for (const Batched& b : inputs) types.push_back(b.value.type());
  made.closure = close_over(types, [&](std::span<const Tensor> x) {
    std::vector<Batched> operands;
    for (std::size_t k = 0; k < x.size(); ++k) operands.push_back({x[k], inputs[k].batched});
    std::vector<Tensor> results;
    for (const Batched& b : replay_batched(graph, operands, size, active)) {
      made.batched.push_back(b.batched || front(results.size()));
      results.push_back(made.batched.back() ? batch_in_front(b, size) : b.value);
    }
    return results;
  });
  return made;
}

}  // namespace weft
