// From an op struct to its Op: what a user's own op file includes.
#pragma once

#include "op.h"

namespace weft {

/// Reads a struct's members into an Op; members it lacks keep their defaults.
template <class Struct> constexpr Op make_op() {
  Op op;
  op.name = Struct::name;
  op.kind = Struct::kind;
  op.infer = Struct::infer;
  if constexpr (requires { Struct::outputs; }) op.outputs = Struct::outputs;
  if constexpr (requires { Struct::reads; }) op.reads = Struct::reads;
  if constexpr (requires { Struct::linear; }) op.linear = Struct::linear;
  if constexpr (requires { Struct::differentiable; }) op.differentiable = Struct::differentiable;
  if constexpr (requires { Struct::checks; }) op.checks = Struct::checks;
  if constexpr (requires { Struct::effect; }) op.effect = Struct::effect;
  if constexpr (requires { Struct::in_place; }) op.in_place = Struct::in_place;
  if constexpr (requires { Struct::draws; }) op.draws = Struct::draws;
  if constexpr (requires { Struct::inlined; }) op.inlined = Struct::inlined;
  if constexpr (requires { Struct::operand_names; })
    op.operand_names = Struct::operand_names;
  else if constexpr (Struct::kind == OpKind::elementwise)
    op.operand_names = "lhs rhs";
  if constexpr (requires { Struct::run; }) op.run = Struct::run;
  if constexpr (requires { Struct::graphs; }) {
    op.graphs = Struct::graphs;
    op.run_graphs = Struct::run_graphs;
  }
  if constexpr (requires { Struct::view; }) op.view = Struct::view;
  if constexpr (Struct::kind == OpKind::reduction) op.reduction = Struct::reduction;
  if constexpr (requires { Struct::formula; }) op.formula = Struct::formula;
  if constexpr (requires { Struct::with_number; }) op.with_number = Struct::with_number;
  if constexpr (requires { Struct::vjp; }) op.vjp = Struct::vjp;
  if constexpr (requires { Struct::jvp; }) op.jvp = Struct::jvp;
  if constexpr (requires { Struct::batch; }) op.batch = Struct::batch;
  if constexpr (requires { Struct::transposed; }) op.transposed = Struct::transposed;
  if constexpr (requires { Struct::work; }) op.work = Struct::work;
  if constexpr (requires { Struct::forwards; }) op.forwards = Struct::forwards;
  return op;
}

}  // namespace weft

/// In one source file, outside namespaces: makes a struct of yours an op, so that apply<Struct>({x, y}) works.
#define WEFT_DEFINE_OP(Struct)                              \
  template <> const weft::Op& weft::op_of<Struct>() {       \
    static constexpr weft::Op op = weft::make_op<Struct>(); \
    return op;                                              \
  }                                                         \
  static_assert(true)
