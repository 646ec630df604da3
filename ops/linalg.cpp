#include "linalg.h"

#include <fmt/format.h>

#include "apply.h"
#include "composition.h"
#include "defs/matmul.h"
#include "defs/shape.h"
#include "kernels/matmul_plan.h"
#include "manipulate.h"
#include "mismatch.h"
#include "recorder.h"
#include "work.h"

namespace weft {

void MatMul::infer(const Attrs&, Types in, std::span<Type> out) {
  const Type &a = *in[0], &b = *in[1];
  if (a.dtype != b.dtype) throw detail::dtypes_differ(a.dtype, b.dtype);
  if (a.dtype == DType::boolean) throw DTypeError("no meaning for bool", "cast it to a number type");
  const int rank = a.shape.size();
  bool batches = rank >= 2 && b.shape.size() == rank;
  for (int i = 0; batches && i < rank - 2; ++i) batches = a.shape[i] == b.shape[i];
  if (!batches) throw ShapeError(fmt::format("{} x {} are no matrices of one batch", a.shape.text(), b.shape.text()));
  const std::int64_t k = a.shape[rank - 1], other = b.shape[rank - 2];
  if (k != other) {
    const bool turned = b.shape[rank - 1] == k;
    Shape t = b.shape;
    std::swap(t[rank - 1], t[rank - 2]);
    throw ShapeError(
        fmt::format("inner dimensions differ: {} x {} ({} vs {})", a.shape.text(), b.shape.text(), k, other),
        turned ? fmt::format("transpose the right operand? its transpose is {}", t.text()) : "");
  }
  out[0] = {a.dtype, a.shape};
  out[0].shape[rank - 1] = b.shape[rank - 1];
}

void MatMul::run(const Attrs&, Views in, Views out) {
  const View &a = in[0], &b = in[1], &c = out[0];
  const int rank = c.shape.size(), batches = rank - 2;
  MatmulShape shape{};
  shape.dtype = c.dtype;
  shape.m = c.shape[rank - 2];
  shape.n = c.shape[rank - 1];
  shape.k = a.shape[rank - 1];
  shape.a_row = a.strides[rank - 2];
  shape.a_col = a.strides[rank - 1];
  shape.b_row = b.strides[rank - 2];
  shape.b_col = b.strides[rank - 1];
  shape.batch = 1;
  // The innermost batch axes that one stride an operand walks go down as one; the axes before them are a loop here.
  int at = batches;
  while (at > 0) {
    const std::int64_t n = c.shape[at - 1], sa = a.strides[at - 1], sb = b.strides[at - 1];
    if (n != 1) {
      if (shape.batch == 1) {
        shape.a_batch = sa;
        shape.b_batch = sb;
      } else if (sa != shape.a_batch * shape.batch || sb != shape.b_batch * shape.batch) {
        break;
      }
      shape.batch *= n;
    }
    --at;
  }
  const auto size = static_cast<std::int64_t>(size_of(c.dtype));
  std::int64_t loops = 1;
  for (int i = 0; i < at; ++i) loops *= c.shape[i];
  for (std::int64_t l = 0; l < loops; ++l) {
    std::int64_t rest = l, offset_a = 0, offset_b = 0;
    for (int i = at; i-- > 0;) {
      offset_a += rest % c.shape[i] * a.strides[i];
      offset_b += rest % c.shape[i] * b.strides[i];
      rest /= c.shape[i];
    }
    matmul(shape, a.as<std::byte>() + offset_a * size, b.as<std::byte>() + offset_b * size,
           c.as<std::byte>() + l * shape.batch * shape.m * shape.n * size);
  }
}

OpWork MatMul::work(const Attrs&, Types in, Types out) {
  return multiply_adds(static_cast<double>(count(out[0]->shape)) * static_cast<double>(in[0]->shape.back()),
                       in[0]->dtype);
}

void MatMul::vjp(Backward& b) {
  if (b.wants(0)) b.give(0, matmul(b.grad(), swap_axes(b.in(1), -1, -2)));
  if (b.wants(1)) b.give(1, matmul(swap_axes(b.in(0), -1, -2), b.grad()));
}

void MatMul::jvp(Forward& f) {
  if (f.has_tangent(0)) f.give(0, apply<MatMul>({f.tangent(0), f.in(1)}));
  if (f.has_tangent(1)) f.give(0, apply<MatMul>({f.in(0), f.tangent(1)}));
}

// One operand alone batched, the other a matrix: one product of more rows, [b * m, k] x [k, n], where it can be had
// without a copy.
void MatMul::batch(Batching& b) {
  const bool matrices = b.shape(0).size() == 2;
  if (matrices && !b.batched(1)) return b.give(matmul(b.in(0), b.in(1)));
  if (matrices && !b.batched(0) && b.shape(1)[1] == 1) {  // a [m, k] x columns: (rows x a^T)
    const std::int64_t m = b.in(0).shape()[0], k = b.in(0).shape()[1];
    const Tensor rows = matmul(reshape(b.in(1), {b.size(), k}), swap_axes(b.in(0), 0, 1));
    return b.give(reshape(rows, {b.size(), m, 1}));
  }
  b.apply({});
}

// (a b)^T = b^T a^T: the same products, summed in the same order.
void MatMul::transposed(Transposing& t) {
  if (!t.swaps(1, 2)) return;
  const ValueId in[] = {t.transposed(t.in(1)), t.transposed(t.in(0))};
  t.give(t.node.attrs, in);
}

Tensor matmul(const Arg& lhs, const Arg& rhs) {
  return detail::composed("matmul", {{"lhs", lhs}, {"rhs", rhs}}, [&] {
    Tensor a = lhs.tensor(), b = rhs.tensor();
    if (a.rank() == 0 || b.rank() == 0) throw ShapeError("an operand has no axes", "multiply by a scalar with *");
    const bool row = a.rank() == 1, column = b.rank() == 1;
    if (const std::int64_t k = a.shape().back(), other = b.shape()[column ? 0 : -2]; (row || column) && k != other)
      throw ShapeError(fmt::format("inner dimensions differ: {} x {} ({} vs {})", a.shape().text(), b.shape().text(), k,
                                   other));  // of what was given, not of the matrices that it becomes
    if (row) a = expand(a, 0);
    if (column) b = expand(b, 1);
    Tensor c;
    if (a.rank() > 2 && b.rank() == 2 && a.shape().back() == b.shape()[0]) {
      // One large product in place of a batch of them.
      Shape shape = a.shape();
      shape[a.rank() - 1] = b.shape()[1];
      c = reshape(apply<MatMul>({reshape(a, {a.shape().back() ? a.size() / a.shape().back()
                                                              : count(shape) / std::max<std::int64_t>(1, b.shape()[1]),
                                             a.shape().back()}),
                                 b}),
                  shape);
    } else if (a.rank() == 2 && b.rank() == 2) {
      c = apply<MatMul>({a, b});
    } else {
      const auto batch = [](const Tensor& t) {
        return Shape(std::span(t.shape().begin(), static_cast<std::size_t>(t.rank() - 2)));
      };
      const Shape common = broadcast_shapes(batch(a), batch(b));
      const auto spread = [&](const Tensor& t) {
        Shape shape = common;
        shape.push_back(t.shape()[t.rank() - 2]);
        shape.push_back(t.shape()[t.rank() - 1]);
        return broadcast_to(t, shape);
      };
      c = apply<MatMul>({spread(a), spread(b)});
    }
    if (row) c = squeeze(c, Ints{-2});
    if (column) c = squeeze(c, Ints{-1});
    return c;
  });
}

}  // namespace weft
