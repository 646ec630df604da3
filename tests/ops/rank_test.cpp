// Functions of tensors of any rank at the largest one: of [1, ..., 1, 3, 4] what they give of [3, 4].
#include <weft/ops/compose.h>
#include <weft/ops/cumulative.h>
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

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

// As the last axes' of x: 0 for those before.
Ints at_end(const Tensor& x, const Ints& last) {
  Ints all = Ints::filled(x.rank(), 0);
  std::copy(last.begin(), last.end(), all.end() - last.size());
  return all;
}
Tensor like(const Tensor& x, const Tensor& t) {  // of x's rank
  Shape shape = Shape::filled(x.rank(), 1);
  std::copy(t.shape().begin(), t.shape().end(), shape.end() - t.rank());
  return reshape(t, shape);
}

struct Function {
  const char* name;
  std::function<Tensor(const Tensor&)> f;
};

std::vector<Function> functions() {
  const Tensor picked = tensor<std::int64_t>({2, 0, -1}), grid = tensor<std::int64_t>({{1, 0, 2, 2}}),
               other = reshape(arange(0, 6), {3, 2}), points = reshape(arange(0, 8), {2, 4});
  return {
      {"transpose", [](const Tensor& x) { return swap_axes(x, -1, -2); }},
      {"slice", [](const Tensor& x) { return slice_axis(x, -1, 3, 0, -2); }},
      {"subscript",
       [=](const Tensor& x) {
         return x[{Ellipsis, Slice(1, {}), picked}];
       }},
      {"index_put",
       [=](const Tensor& x) {
         return index_put(x, {Ellipsis, picked}, 7);
       }},
      {"concat",
       [](const Tensor& x) {
         return concat({x, x * 2}, -2);
       }},
      {"flip", [](const Tensor& x) { return flip(x, Ints{-1}); }},
      {"roll", [](const Tensor& x) { return roll(x, 1, -2) + roll(x, 5); }},
      {"repeat", [](const Tensor& x) { return repeat(x, 2, -2); }},
      {"repeat of the last axis", [](const Tensor& x) { return repeat(x, 3, -1); }},
      {"repeat by a list",
       [](const Tensor& x) {
         return repeat(x, {0, 2, 1}, -2);
       }},
      {"tile",
       [](const Tensor& x) {
         return tile(x, {2, 3});
       }},
      {"split", [](const Tensor& x) { return split(x, 3, -2)[1]; }},
      {"pad",
       [](const Tensor& x) {
         return pad(x, at_end(x, {1, 0}), at_end(x, {0, 2}), 5);
       }},
      {"pad, reflect",
       [](const Tensor& x) {
         return pad(x, at_end(x, {1, 2}), at_end(x, {2, 3}), PadMode::reflect);
       }},
      {"pad, replicate",
       [](const Tensor& x) {
         return pad(x, at_end(x, {1, 2}), at_end(x, {0, 3}), PadMode::replicate);
       }},
      {"pad, circular",
       [](const Tensor& x) {
         return pad(x, at_end(x, {1, 2}), at_end(x, {2, 3}), PadMode::circular);
       }},
      {"tril and triu", [](const Tensor& x) { return tril(x, 1) * triu(x, -1); }},
      {"diagonal", [](const Tensor& x) { return expand(diagonal(x, 1, -2, -1), -1); }},
      {"gather", [=](const Tensor& x) { return gather(x, picked, -2); }},
      {"scatter_add", [=](const Tensor& x) { return scatter_add(x, picked, x, -2); }},
      {"take_along_axis", [=](const Tensor& x) { return take_along_axis(x, like(x, grid), -2); }},
      {"put_along_axis", [=](const Tensor& x) { return put_along_axis(x, like(x, grid), -1, -2); }},
      {"masked_fill", [](const Tensor& x) { return masked_fill(x, x > 4, 0); }},
      {"sort", [](const Tensor& x) { return sort(x, -2, true); }},
      {"argsort", [](const Tensor& x) { return argsort(x, -1); }},
      {"topk", [](const Tensor& x) { return topk(x, 2, -2).values; }},
      {"median", [](const Tensor& x) { return median(x, -1, true); }},
      {"cumsum", [](const Tensor& x) { return cumsum(x, -2) + cumprod(x, -1, true); }},
      {"cummax", [](const Tensor& x) { return cummax(x, -1).values; }},
      {"softmax", [](const Tensor& x) { return softmax(x, -2) + log_softmax(x, -1); }},
      {"reductions", [](const Tensor& x) { return max(x, -1, true) - mean(x, -2, true) + var(x, -1, true); }},
      {"argmax", [](const Tensor& x) { return argmax(x, -2, true); }},
      {"norm", [](const Tensor& x) { return norm(x, 3, -1, true); }},
      {"diff", [](const Tensor& x) { return diff(x, 2, -1); }},
      {"matmul", [=](const Tensor& x) { return matmul(swap_axes(x, -1, -2), other); }},
      {"kron", [=](const Tensor& x) { return kron(x, other); }},
      {"kron of two", [=](const Tensor& x) { return kron(x, like(x, other)); }},
      {"cdist", [=](const Tensor& x) { return cdist(x, points); }},
      {"cdist of two", [=](const Tensor& x) { return cdist(like(x, points), x, 1); }},
  };
}

}  // namespace

TEST_CASE("functions of any rank give at the largest what they give at two") {
  const Tensor x = reshape(tensor({3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8}), {3, 4});
  for (const Function& fn : functions()) {
    INFO(fn.name);
    const Tensor expected = fn.f(x);
    for (int rank = 3; rank <= max_rank; ++rank) {
      INFO("rank " << rank);
      Shape shape = Shape::filled(rank, 1);
      shape[rank - 2] = 3;
      shape[rank - 1] = 4;
      const Tensor y = fn.f(reshape(x, shape));
      CHECK(y.rank() == rank);
      CHECK_SAME(reshape(y, expected.shape()), expected);
    }
  }
}

TEST_CASE("copies and products of axes before and after others are at the largest rank what they are below") {
  Shape eleven = Shape::filled(11, 1), seven = {2, 1, 2, 1, 1, 2, 3};
  for (const int axis : {0, 4, 10}) eleven[axis] = axis + 2;
  Shape twelve = eleven;
  twelve.insert(5, 1);
  const Tensor x = reshape(arange(0, static_cast<double>(count(eleven))), eleven), y = reshape(x, twelve);
  for (int axis = 0; axis < 11; ++axis) {
    INFO("axis " << axis);
    const Tensor expected = repeat(x, 3, axis);
    CHECK_SAME(squeeze(repeat(y, 3, axis < 5 ? axis : axis + 1), Ints{5}), expected);
  }
  // kron's elements are all products: of rank 7 as of 6, where both have an axis of one element.
  const Tensor a = reshape(arange(0, 24), seven), b = a + 1;
  const Tensor small = kron(squeeze(a, Ints{1}), squeeze(b, Ints{1}));
  CHECK_SAME(squeeze(kron(a, b), Ints{1}), small);
}
