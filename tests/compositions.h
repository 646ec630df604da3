// Compositions that move, pick, order and multiply, each as a function of one f64 tensor: what the generated tests of
// gradients, vmap and compiled code run.
#pragma once

#include <functional>
#include <vector>

#include <weft/ops/compose.h>
#include <weft/ops/counting.h>
#include <weft/ops/cumulative.h>
#include <weft/ops/decompose.h>
#include <weft/ops/diagonal.h>
#include <weft/ops/distances.h>
#include <weft/ops/images.h>
#include <weft/ops/indexing.h>
#include <weft/ops/linalg.h>
#include <weft/ops/products.h>
#include <weft/ops/rearrange.h>
#include <weft/ops/reduce.h>
#include <weft/ops/sort.h>
#include <weft/ops/subscript.h>

#include "support.h"

namespace weft::test {

struct Composition {
  const char* name;
  Shape shape;  // of x
  std::function<Tensor(const Tensor&)> f;
  bool exact = false;  // of f32 and f64 alone
};

/// f of x with 2, 5, 8, ... added along the diagonal: well away from singular matrices and equal eigenvalues.
template <class F> Tensor matrices(const Tensor& x, F f) {
  const std::int64_t n = x.shape()[0], m = x.shape().back();
  const Tensor i = reshape(arange(n), {n, 1}), far = cast(i * 3 + 2, x.dtype()), zero = full({}, 0, x.dtype());
  return f(x + where(equal(i, arange(m)), far, zero));
}

inline Tensor ints(std::initializer_list<std::int64_t> v) { return from_vector(std::vector<std::int64_t>(v)); }

inline std::vector<Composition> compositions() {
  const Tensor grid = tensor<std::int64_t>({{0, -1}, {2, 0}});
  return {
      {"a view",
       {3, 4},
       [](const Tensor& x) {
         return square(x[{1, Slice({}, {}, -2), NewAxis}]);
       }},
      {"index tensors side by side",
       {2, 3, 4},
       [=](const Tensor& x) {
         return square(x[{Slice(), grid, ints({1, 3})}]);
       }},
      {"index tensors apart",
       {2, 3, 4},
       [=](const Tensor& x) {
         return square(x[{ints({0, 1, 1}), Slice(1, {}), ints({-1, 0, 0})}]);
       }},
      {"an integer and an index tensor",
       {2, 3, 4},
       [=](const Tensor& x) {
         return x[{-1, Slice(), grid}] * 2;
       }},
      {"index_put",
       {3, 4},
       [](const Tensor& x) {
         return index_put(square(x), {ints({0, 2, 0}), 1}, x[{1, Slice(0, 3)}]);
       }},
      {"index_put, accumulated",
       {3, 4},
       [](const Tensor& x) {
         return index_put(x, {ints({0, 2, 0}), 1}, square(x[{1, Slice(0, 3)}]), true);
       }},
      {"index_put of slices",
       {3, 4},
       [](const Tensor& x) {
         return index_put(x, {Slice(1, {}), 0}, square(x[{0, 2}]));
       }},
      {"scatter_set with duplicates",
       {4, 3},
       [](const Tensor& x) {
         return scatter_set(x, ints({3, 1, 3}), square(x[Slice(0, 3)]));
       }},
      {"scatter_max with duplicates",
       {4, 3},
       [](const Tensor& x) {
         return scatter_max(x, ints({3, 1, 3}), square(x[Slice(0, 3)]));
       }},
      {"scatter_min with duplicates",
       {3, 4},
       [](const Tensor& x) {
         return scatter_min(x, ints({3, 1, 3}), sin(x[{Slice(), Slice(0, 3)}]), 1);
       }},
      {"take_along_axis",
       {3, 4},
       [=](const Tensor& x) {
         return square(take_along_axis(x, tensor<std::int64_t>({{0, 2, -1, 0}, {1, 1, 0, 0}}), 0));
       }},
      {"put_along_axis",
       {3, 4},
       [=](const Tensor& x) {
         return put_along_axis(x, tensor<std::int64_t>({{0}, {2}, {-1}}), square(x[{Slice(), Slice(0, 1)}]), 1);
       }},
      {"index_add",
       {3, 4},
       [](const Tensor& x) {
         return index_add(x, 1, ints({0, 3, 0}), square(x[{Slice(), Slice(0, 3)}]), -2);
       }},
      {"masked_fill",
       {3, 4},
       [](const Tensor& x) {
         return masked_fill(square(x), x > 0, x[{0, 0}]);
       }},
      {"flip", {3, 4}, [](const Tensor& x) { return flip(x) * flip(x, Ints{0}); }},
      {"roll", {3, 4}, [](const Tensor& x) { return roll(x, 5) * roll(x, -1, 0); }},
      {"repeat",
       {3, 2},
       [](const Tensor& x) {
         return square(repeat(x, 2, 0)) * repeat(repeat(x, 3, 1), {2, 1, 3}, 0)[{Slice(), Slice(0, 2)}];
       }},
      {"tile",
       {2, 3},
       [](const Tensor& x) {
         return square(tile(x, {2, 1, 2}));
       }},
      {"split, chunk, unstack",
       {4, 6},
       [](const Tensor& x) {
         return split(x, 3, 1)[1] * split(x, {1, 3, 2}, 1)[2] * chunk(x, 2, 1)[1][{Slice(), Slice(0, 2)}] *
                expand(unstack(x, 1)[0], 1);
       }},
      {"pads",
       {3, 4},
       [](const Tensor& x) {
         return square(pad(x, {2, 1}, {0, 3}, PadMode::reflect)) * pad(x, {2, 1}, {0, 3}, PadMode::circular) *
                pad(x, {2, 1}, {0, 3}, PadMode::replicate);
       }},
      {"triangles", {2, 3, 4}, [](const Tensor& x) { return square(tril(x, 1)) + triu(x, -1); }},
      {"diagonals",
       {3, 3},
       [](const Tensor& x) {
         return diag(diagonal(x, 1) * 2, -2)[{Slice(1, {}), Slice(0, 3)}] * x + trace(square(x));
       }},
      {"sort", {3, 4}, [](const Tensor& x) { return square(sort(x)) * sort(x, 0, true); }},
      {"topk", {3, 5}, [](const Tensor& x) { return square(topk(x, 2).values) * topk(x, 2, 1, false).values; }},
      {"median and quantile", {3, 4}, [](const Tensor& x) { return square(median(x)) * quantile(x, 0.3); }},
      {"several quantiles",
       {3, 4},
       [](const Tensor& x) {
         return square(quantile(x, {0.3, 0.9, 0}, 1));
       }},
      {"cumsum", {3, 4}, [](const Tensor& x) { return square(cumsum(x)) * cumsum(x, 0, true); }},
      {"cumprod", {3, 4}, [](const Tensor& x) { return cumprod(x) * cumprod(x, 0, true); }},
      {"cummax", {3, 4}, [](const Tensor& x) { return square(cummax(x).values) * cummin(x, 0).values; }},
      {"linear_recurrence",
       {3, 4},
       [](const Tensor& x) { return linear_recurrence(sin(x), x, 1) * linear_recurrence(x, cos(x), 0, true); }},
      {"max_with_indices",
       {3, 4},
       [](const Tensor& x) { return square(max_with_indices(x, 1).values) * min_with_indices(x, 1).values; }},
      {"stddev", {3, 4}, [](const Tensor& x) { return stddev(x, 1, true, 1) * x; }},
      {"norms",
       {3, 4},
       [](const Tensor& x) {
         return norm(x, 3, 1, true) * norm(x, 0.5, 0, true) + norm(x, 1, 1, true) * norm(x, INFINITY, 1, true) +
                norm(x, -2, 1, true) * norm(x, -INFINITY, 1, true);
       }},
      {"nansum", {3, 4}, [](const Tensor& x) { return nansum(square(x), 0); }},
      {"einsum of four",
       {3, 3},
       [](const Tensor& x) {
         return einsum("ij,jk,...,lk->i...l", {x, sin(x), x, x});
       }},
      {"einsum of diagonals",
       {3, 3},
       [](const Tensor& x) {
         return einsum("ii,ij->j", {x, x}) * einsum("ii->i", {x});
       }},
      {"tensordot, inner, outer, kron",
       {2, 3},
       [](const Tensor& x) {
         return kron(tensordot(x, x, {0}, {0}), x)[{Slice(0, 6), Slice(0, 6)}] * outer(x, sin(x)) * tensordot(x, x) +
                dot(x[0], x[1]) * trace(inner(x, x));
       }},
      {"cross", {2, 3}, [](const Tensor& x) { return cross(x, sin(x)) * cross(x[0], x); }},
      {"bincount",
       {5},
       [](const Tensor& x) {
         return square(bincount(tensor<std::int64_t>({2, 0, 2, 1, 2}), 4, x));
       }},
      {"diff and cdist",
       {4, 3},
       [](const Tensor& x) { return cdist(x, diff(x, 2, 0)) * cdist(x, x[Slice(0, 2)] + 5, 3); }},
      {"unfold",
       {1, 2, 4, 3},
       [](const Tensor& x) {
         return square(unfold(x, {2, 2}, {.stride = {2, 1}, .padding = {1, 0}}));
       }},
      {"fold",
       {1, 8, 4},
       [](const Tensor& x) {
         return square(fold(x, {3, 3}, {2, 2}));
       }},
      {"interpolate",
       {1, 2, 3, 2},
       [](const Tensor& x) {
         return square(interpolate(x, {5, 4}, Interpolation::linear)) * interpolate(x, {5, 4}) *
                interpolate(x, {5, 4}, Interpolation::linear, true);
       }},
      {"pixel_shuffle", {1, 4, 2, 3}, [](const Tensor& x) { return square(pixel_shuffle(x, 2)); }},
      {"solve and inv",
       {3, 3},
       [](const Tensor& x) { return matrices(x, [](const Tensor& m) { return solve(m, sin(m)) + inv(m); }); },
       true},
      {"triangular_solve",
       {3, 3},
       [](const Tensor& x) {
         return matrices(
             x, [](const Tensor& m) { return triangular_solve(m, m * m, false) * triangular_solve(m, sin(m)); });
       },
       true},
      {"cholesky",
       {3, 3},
       [](const Tensor& x) {
         return matrices(x, [](const Tensor& m) { return square(cholesky(matmul(m, swap_axes(m, 0, 1)))); });
       },
       true},
      {"det and slogdet",
       {3, 3},
       [](const Tensor& x) { return matrices(x, [](const Tensor& m) { return det(m) * slogdet(m).logabsdet; }); },
       true},
      {"qr",
       {3, 3},
       [](const Tensor& x) { return matrices(x, [](const Tensor& m) { return qr(m).q * sin(qr(m).r); }); },
       true},
      {"eigh",
       {3, 3},
       [](const Tensor& x) {
         return matrices(x, [](const Tensor& m) { return square(eigh(m).vectors) * eigh(m).values; });
       },
       true},
      {"svd",
       {3, 2},
       [](const Tensor& x) {
         return matrices(x, [](const Tensor& m) { return square(svd(m).u) * matmul(abs(svd(m).vh), svd(m).s); });
       },
       true},
  };
}

}  // namespace weft::test
