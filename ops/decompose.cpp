#include "kernels/decompose.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "../tensor/create.h"
#include "../tensor/parallel.h"
#include "apply.h"
#include "composition.h"
#include "decompose.h"
#include "defs/decompose.h"
#include "diagonal.h"
#include "linalg.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"
#include "reduce.h"

namespace weft {
namespace {

using detail::composed;

// ---- shapes ----
struct Extents {
  std::int64_t m, n, k;  // k the smaller
  Shape batch;
  explicit Extents(const Type& t) {
    if (t.dtype != f32 && t.dtype != f64)
      throw DTypeError(fmt::format("no meaning for {}", name_of(t.dtype)), "cast it to f32 or f64");
    const int rank = t.shape.size();
    if (rank < 2) throw ShapeError(fmt::format("rank {} has no matrices", rank));
    m = t.shape[rank - 2];
    n = t.shape[rank - 1];
    k = std::min(m, n);
    batch = Shape(std::span(t.shape.begin(), static_cast<std::size_t>(rank - 2)));
  }
  Shape with(std::initializer_list<std::int64_t> last) const {
    Shape s = batch;
    for (std::int64_t i : last) s.push_back(i);
    return s;
  }
};

Extents square_extents(const Type& t) {
  const Extents e(t);
  if (e.m != e.n) throw ShapeError(fmt::format("matrices of {} by {} are not square", e.m, e.n));
  return e;
}

void infer_solve(Types in, std::span<Type> out) {
  const Extents a = square_extents(*in[0]);
  if (in[1]->dtype != in[0]->dtype) throw detail::dtypes_differ(in[0]->dtype, in[1]->dtype);
  const Extents b(*in[1]);
  if (a.batch != b.batch || a.n != b.m)
    throw ShapeError(fmt::format("matrices {} do not fit right sides {}", in[0]->shape.text(), in[1]->shape.text()));
  out[0] = *in[1];
}

// ---- loops over a batch ----
// f(matrix's number, pointers to each operand's and result's) in the element type; the extents are those of the last
// axes.
template <class F> void each_matrix(Views in, Views out, F f) {
  std::int64_t matrices = 1;
  for (int i = 0; i + 2 < in[0].shape.size(); ++i) matrices *= in[0].shape[i];
  if (count(in[0].shape) == 0 || count(out[0].shape) == 0) return;
  Storage copies[2];
  const std::byte* from[2] = {};
  for (std::size_t i = 0; i < in.size(); ++i) from[i] = detail::in_order(in[i], copies[i]);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const auto step = [&](const View& v) { return count(v.shape) / matrices; };
    parallel_for(matrices, num_threads(), [&](std::int64_t i) {
      const T* operands[2] = {};
      T* results[3] = {};
      for (std::size_t k = 0; k < in.size(); ++k) operands[k] = reinterpret_cast<const T*>(from[k]) + i * step(in[k]);
      for (std::size_t k = 0; k < out.size(); ++k) results[k] = out[k].as<T>() + i * step(out[k]);
      f(operands, results);
    });
  };
  if (in[0].dtype == f32)
    run(float{});
  else
    run(double{});
}

void fill(const View& to, double value) {
  copy_elements({f64, to.shape, Ints::filled(to.shape.size(), 0), &value}, to);
}

std::int64_t rows(const View& v) { return v.shape[v.shape.size() - 2]; }

Tensor flipped(const Tensor& x) { return swap_axes(x, -1, -2); }

// x [..., n] along the diagonal of matrices.
Tensor on_diagonal(const Tensor& x) { return expand(x, -1) * eye(x.shape().back(), x.dtype()); }

// A number a matrix times the matrices.
Tensor each_times(const Tensor& factors, const Tensor& matrices) { return expand(expand(factors, -1), -1) * matrices; }

// The lower triangle with half the diagonal.
Tensor half_lower(const Tensor& x) { return tril(x) - on_diagonal(diagonal(x, 0, -2, -1) * 0.5); }

// The gradient of a symmetric argument, of which the lower triangle is read.
Tensor of_lower(const Tensor& s) { return half_lower(s + flipped(s)); }

// 1 / (w[j] - w[i]), and 0 where they are equal.
Tensor inverse_differences(const Tensor& w) {
  const Tensor d = expand(w, -2) - expand(w, -1), same = equal(d, 0);
  return where(same, 0, 1 / where(same, 1, d));
}

template <class Struct> auto outputs_of(const Arg& a) {
  const Tensor in[] = {a.tensor()};
  std::array<Tensor, Struct::outputs> out;
  apply(op_of<Struct>(), {}, in, out);
  return out;
}
Tensor checked(const Tensor& x, int what) { return apply<CheckMatrices>({x}, CheckMatricesAttrs{what}); }
enum : int { singular, not_positive, not_factored };

// Operands with their batches broadcast; a vector on the right is one column. Other numbers and vectors are refused by
// the door.
template <class Struct> Tensor solved(const Tensor& a, const Tensor& b, const Attrs& attrs) {
  if (a.rank() >= 2 && b.rank() == 1) return squeeze(solved<Struct>(a, expand(b, -1), attrs), Ints{-1});
  if (a.rank() < 2 || b.rank() < 2) return apply<Struct>({a, b}, attrs);
  const Extents x(Type{f32, a.shape()}), y(Type{f32, b.shape()});
  const Shape batch = broadcast_shapes(x.batch, y.batch);
  const auto spread = [&](const Tensor& t, const Extents& e) {
    Shape shape = batch;
    shape.push_back(e.m);
    shape.push_back(e.n);
    return broadcast_to(t, shape);
  };
  return checked(apply<Struct>({spread(a, x), spread(b, y)}, attrs), singular);
}

}  // namespace

// ---- cholesky: Murray, arXiv:1602.07527 ----
void Cholesky::infer(const Attrs&, Types in, std::span<Type> out) {
  square_extents(*in[0]);
  out[0] = *in[0];
}
void Cholesky::run(const Attrs&, Views in, Views out) {
  each_matrix(in, out, [n = rows(in[0])](auto& a, auto& r) { decompose::cholesky(a[0], n, r[0]); });
}
void Cholesky::vjp(Backward& b) {
  const Tensor &l = b.out(), lt = flipped(l);
  const Tensor p = half_lower(matmul(lt, b.grad()));
  const Tensor s = triangular_solve(lt, flipped(triangular_solve(lt, flipped(p), false)), false);  // l^-T p l^-1
  b.give(0, of_lower(s));
}

// ---- equations ----
void TriangularSolve::infer(const Attrs&, Types in, std::span<Type> out) { infer_solve(in, out); }
void TriangularSolve::run(const Attrs& attrs, Views in, Views out) {
  const bool lower = attrs.as<TriangleAttrs>().lower;
  each_matrix(in, out, [=, n = rows(in[0]), m = in[1].shape.back()](auto& a, auto& r) {
    decompose::triangular_solve(a[0], a[1], n, m, lower, r[0]);
  });
}
void TriangularSolve::vjp(Backward& b) {
  const bool lower = b.attrs<TriangleAttrs>().lower;
  const Tensor right = triangular_solve(flipped(b.in(0)), b.grad(), !lower);
  b.give(1, right);
  if (!b.wants(0)) return;
  const Tensor whole = -matmul(right, flipped(b.out()));
  b.give(0, lower ? tril(whole) : triu(whole));
}

void Solve::infer(const Attrs&, Types in, std::span<Type> out) { infer_solve(in, out); }
void Solve::run(const Attrs&, Views in, Views out) {
  each_matrix(in, out, [n = rows(in[0]), m = in[1].shape.back()](auto& a, auto& r) {
    decompose::solve(a[0], a[1], n, m, r[0]);
  });
}
void Solve::vjp(Backward& b) {
  const Tensor right = solve(flipped(b.in(0)), b.grad());
  b.give(1, right);
  if (b.wants(0)) b.give(0, -matmul(right, flipped(b.out())));
}

// ---- determinants ----
void Det::infer(const Attrs&, Types in, std::span<Type> out) { out[0] = {in[0]->dtype, square_extents(*in[0]).batch}; }
void Det::run(const Attrs&, Views in, Views out) {
  fill(out[0], 1);  // of no rows
  each_matrix(in, out, [n = rows(in[0])](auto& a, auto& r) { decompose::det(a[0], n, r[0]); });
}
void Det::vjp(Backward& b) { b.give(0, each_times(b.grad(), apply<Cofactor>({b.in()}))); }

void Cofactor::infer(const Attrs&, Types in, std::span<Type> out) {
  square_extents(*in[0]);
  out[0] = *in[0];
}
void Cofactor::run(const Attrs&, Views in, Views out) {
  each_matrix(in, out, [n = rows(in[0])](auto& a, auto& r) { decompose::cofactor(a[0], n, r[0]); });
}
// Of det(a) x with x = a^-T: d x = -x da^T x.
void Cofactor::vjp(Backward& b) {
  const Tensor x = flipped(inv(b.in())), &g = b.grad();
  const Tensor inside = each_times(sum(g * x, {-2, -1}), x) - matmul(x, matmul(flipped(g), x));
  b.give(0, each_times(det(b.in()), inside));
}

void SLogDet::infer(const Attrs&, Types in, std::span<Type> out) {
  out[0] = out[1] = {in[0]->dtype, square_extents(*in[0]).batch};
}
void SLogDet::run(const Attrs&, Views in, Views out) {
  fill(out[0], 1);
  fill(out[1], 0);
  each_matrix(in, out, [n = rows(in[0])](auto& a, auto& r) { decompose::slogdet(a[0], n, r[0], r[1]); });
}
void SLogDet::vjp(Backward& b) { b.give(0, each_times(b.grad(1), flipped(inv(b.in())))); }  // the sign is constant

// ---- qr: Walter and Lehmann, arXiv:1009.6112 ----
void Qr::infer(const Attrs&, Types in, std::span<Type> out) {
  const Extents e(*in[0]);
  out[0] = {in[0]->dtype, e.with({e.m, e.k})};
  out[1] = {in[0]->dtype, e.with({e.k, e.n})};
}
void Qr::run(const Attrs&, Views in, Views out) {
  each_matrix(in, out,
              [m = rows(in[0]), n = in[0].shape.back()](auto& a, auto& r) { decompose::qr(a[0], m, n, r[0], r[1]); });
}
void Qr::vjp(Backward& b) {
  const Tensor& q = b.out(0);
  const std::int64_t m = q.shape()[q.rank() - 2], n = b.out(1).shape().back();
  const auto columns = [](const Tensor& t, std::int64_t begin, std::int64_t end) {
    return slice_axis(t, -1, begin, end);
  };
  // A wide a = [x, y]: x = q u, and y = q v adds to q's gradient.
  const Tensor u = columns(b.out(1), 0, std::min(m, n)), du = columns(b.grad(1), 0, std::min(m, n));
  Tensor dq = b.grad(0);
  if (m < n) dq = dq + matmul(columns(b.in(), m, n), flipped(columns(b.grad(1), m, n)));
  const Tensor s = matmul(u, flipped(du)) - matmul(flipped(dq), q), low = tril(s, -1);
  const Tensor symmetric = low + flipped(low) + on_diagonal(diagonal(s, 0, -2, -1));
  const Tensor right = dq + matmul(q, symmetric);
  const Tensor dx = flipped(triangular_solve(u, flipped(right), false));  // right u^-T
  b.give(0, m < n ? concat({dx, matmul(q, columns(b.grad(1), m, n))}, -1) : dx);
}

// ---- eigh and svd: Giles, "An extended collection of matrix derivative results" (2008); Townsend (2016) ----
void Eigh::infer(const Attrs&, Types in, std::span<Type> out) {
  const Extents e = square_extents(*in[0]);
  out[0] = {in[0]->dtype, e.with({e.n})};
  out[1] = *in[0];
}
void Eigh::run(const Attrs&, Views in, Views out) {
  each_matrix(in, out, [n = rows(in[0])](auto& a, auto& r) { decompose::eigh(a[0], n, r[0], r[1]); });
}
void Eigh::vjp(Backward& b) {
  const Tensor &w = b.out(0), &v = b.out(1), vt = flipped(v);
  Tensor inside;
  if (b.has_grad(0)) inside = on_diagonal(b.grad(0));
  if (b.has_grad(1)) {
    const Tensor turned = inverse_differences(w) * matmul(vt, b.grad(1));
    inside = inside.defined() ? inside + turned : turned;
  }
  const Tensor s = matmul(matmul(v, inside), vt);
  b.give(0, of_lower(s));
}

void Svd::infer(const Attrs&, Types in, std::span<Type> out) {
  const Extents e(*in[0]);
  out[0] = {in[0]->dtype, e.with({e.m, e.k})};
  out[1] = {in[0]->dtype, e.with({e.k})};
  out[2] = {in[0]->dtype, e.with({e.k, e.n})};
}
void Svd::run(const Attrs&, Views in, Views out) {
  each_matrix(in, out, [m = rows(in[0]), n = in[0].shape.back()](auto& a, auto& r) {
    decompose::svd(a[0], m, n, r[0], r[1], r[2]);
  });
}
void Svd::vjp(Backward& b) {
  const Tensor &u = b.out(0), &s = b.out(1), &vh = b.out(2), ut = flipped(u), v = flipped(vh);
  const Tensor row = expand(s, -2), column = expand(s, -1);
  Tensor inside = on_diagonal(b.grad(1)), beyond;
  const auto add = [](const Tensor& sum, const Tensor& t) { return sum.defined() ? sum + t : t; };
  if (b.has_grad(0) || b.has_grad(2)) {
    // 1 / (s_j^2 - s_i^2) is one over s_j - s_i and then over their sum: squares of small numbers vanish
    const Tensor f = inverse_differences(s), both = row + column, sum = where(equal(both, 0), 1, both);
    if (b.has_grad(0)) {
      const Tensor t = matmul(ut, b.grad(0));
      inside = inside + f * (t - flipped(t)) * (row / sum);
      beyond = matmul((b.grad(0) - matmul(u, t)) / row, vh);
    }
    if (b.has_grad(2)) {
      const Tensor dv = flipped(b.grad(2)), t = matmul(vh, dv);
      inside = inside + (column / sum) * (f * (t - flipped(t)));
      beyond = add(beyond, matmul(u, flipped((dv - matmul(v, t)) / row)));
    }
  }
  b.give(0, add(beyond, matmul(matmul(u, inside), vh)));
}

// ---- the check ----
void CheckMatrices::infer(const Attrs&, Types in, std::span<Type> out) {
  Extents e(*in[0]);
  out[0] = *in[0];
}
void CheckMatrices::run(const Attrs& attrs, Views in, Views out) {
  copy_elements(in[0], out[0]);
  const std::int64_t n = count(out[0].shape);
  if (n == 0) return;
  const std::int64_t matrix = rows(out[0]) * out[0].shape.back();
  constexpr const char* texts[] = {"singular", "not positive definite", "without a factorisation"};
  const auto look = [&](const auto* x) {
    for (std::int64_t i = 0; i < n; ++i)
      if (x[i] != x[i])
        throw NumericsError(
            fmt::format("matrix {} of {} is {}", i / matrix, n / matrix, texts[attrs.as<CheckMatricesAttrs>().what]),
            "so is one with NaN or inf in it");
  };
  if (out[0].dtype == f32)
    look(out[0].as<float>());
  else
    look(out[0].as<double>());
}

// ---- the public side ----
Tensor solve(const Arg& a, const Arg& b) {
  return composed("solve", {{"lhs", a}, {"rhs", b}}, [&] { return solved<Solve>(a.tensor(), b.tensor(), {}); });
}
Tensor triangular_solve(const Arg& a, const Arg& b, Flag lower) {
  return composed("triangular_solve", {{"lhs", a}, {"rhs", b}},
                  [&] { return solved<TriangularSolve>(a.tensor(), b.tensor(), TriangleAttrs{lower}); });
}
Tensor inv(const Arg& a) {
  return composed("inv", {{"in0", a}}, [&] {
    const Tensor t = a.tensor();
    return solved<Solve>(t, eye(square_extents(t.type()).n, t.dtype()), {});
  });
}
Tensor det(const Arg& a) {
  return composed("det", {{"in0", a}}, [&] { return apply<Det>({a.tensor()}); });
}
SlogdetResult slogdet(const Arg& a) {
  return composed("slogdet", {{"in0", a}}, [&] {
    const auto out = outputs_of<SLogDet>(a);
    return SlogdetResult{out[0], out[1]};
  });
}
Tensor cholesky(const Arg& a) {
  return composed("cholesky", {{"in0", a}}, [&] { return checked(apply<Cholesky>({a.tensor()}), not_positive); });
}
QrResult qr(const Arg& a) {
  return composed("qr", {{"in0", a}}, [&] {
    const auto out = outputs_of<Qr>(a);
    return QrResult{out[0], out[1]};
  });
}
EighResult eigh(const Arg& a) {
  return composed("eigh", {{"in0", a}}, [&] {
    const auto out = outputs_of<Eigh>(a);
    return EighResult{out[0], checked(out[1], not_factored)};
  });
}
SvdResult svd(const Arg& a) {
  return composed("svd", {{"in0", a}}, [&] {
    const auto out = outputs_of<Svd>(a);
    return SvdResult{checked(out[0], not_factored), out[1], out[2]};
  });
}

}  // namespace weft
