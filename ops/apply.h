// The door: everything that computes passes here. Types are inferred, the op runs (or is appended to the trace), then
// the recorders are told. Every check and every message is made here, once.
#pragma once

#include <span>

#include "op.h"

namespace weft {

/// Applies an op; `out` has op.outputs undefined tensors.
void apply(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out);

/// An op of one output.
Tensor apply(const Op& op, const Attrs& attrs, std::span<const Tensor> in);

/// An op struct of one output: apply<MatMul>({a, b}, attributes).
template <class Struct> Tensor apply(std::initializer_list<Tensor> in, const Attrs& attrs = {}) {
  return apply(op_of<Struct>(), attrs, std::span(in.begin(), in.size()));
}

/// Runs an op of given output types on views, as both modes do: natively, as a view where it can be, else by `run`.
void run_op(const Op& op, const Attrs& attrs, Views in, Views out);

/// How a message shows an operand: `lhs  f32[2, 3]  "fc1.weight"`.
std::string describe_operand(std::string_view role, const Tensor& t);
std::string describe_operand(std::string_view role, std::string_view what);

}  // namespace weft
