// Factorisations and what they solve. A matrix without a result gives NaN, and CheckMatrices throws: so the examples of
// a batch that do not take part in a branch can't fail.
#pragma once

#include "../backward.h"
#include "../batching.h"
#include "../decompose.h"
#include "../forward.h"

namespace weft {

struct MatrixOp {
  static constexpr OpKind kind = OpKind::kernel;
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

struct Cholesky : MatrixOp {
  static constexpr auto name = "cholesky";
  static constexpr std::uint32_t reads = reads::out0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

struct TriangleAttrs {
  bool lower;
  void each(auto&& f) const { f("lower", lower); }
};
struct TriangularSolve : MatrixOp {
  static constexpr auto name = "triangular_solve";
  static constexpr auto operand_names = "lhs rhs";
  static constexpr std::uint32_t reads = reads::in0 | reads::out0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

struct Solve : MatrixOp {
  static constexpr auto name = "solve";
  static constexpr auto operand_names = "lhs rhs";
  static constexpr std::uint32_t reads = reads::in0 | reads::out0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

struct Det : MatrixOp {
  static constexpr auto name = "det";
  static constexpr std::uint32_t reads = reads::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

/// The determinant's gradient, of any matrix: the determinants of what is left without a row and a column, with signs.
struct Cofactor : MatrixOp {
  static constexpr auto name = "cofactor";
  static constexpr std::uint32_t reads = reads::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

struct SLogDet : MatrixOp {
  static constexpr auto name = "slogdet";
  static constexpr int outputs = 2;
  static constexpr std::uint32_t reads = reads::in0;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

struct Qr : MatrixOp {
  static constexpr auto name = "qr";
  static constexpr int outputs = 2;
  static constexpr std::uint32_t reads = reads::in0 | reads::out0 | reads::out1;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

struct Eigh : MatrixOp {
  static constexpr auto name = "eigh";
  static constexpr int outputs = 2;
  static constexpr std::uint32_t reads = reads::out0 | reads::out1;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

struct Svd : MatrixOp {
  static constexpr auto name = "svd";
  static constexpr int outputs = 3;
  static constexpr std::uint32_t reads = reads::out0 | reads::out1 | reads::out(2);
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
};

/// x, after a check that no matrix of it has a NaN. `what` it is otherwise said to be: 0 singular, 1 not positive
/// definite, 2 without a factorisation.
struct CheckMatricesAttrs {
  int what;
  void each(auto&& f) const { f("what", what); }
};
struct CheckMatrices : MatrixOp {
  static constexpr auto name = "check_matrices";
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b) { b.give(0, b.grad()); }
  static void jvp(Forward& f) { f.give(0, f.tangent()); }
};

}  // namespace weft
