// sort, argsort, topk, searchsorted, median, quantile: against std::stable_sort, with NaNs, equals and every type.
#include <numeric>

#include <weft/ops/apply.h>
#include <weft/ops/counting.h>
#include <weft/ops/defs/sort.h>
#include <weft/ops/indexing.h>
#include <weft/ops/random.h>
#include <weft/ops/rearrange.h>
#include <weft/ops/sort.h>
#include <weft/ops/subscript.h>
#include <weft/tensor/threads.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

std::vector<std::int64_t> stable_order(const std::vector<double>& v, bool descending) {
  std::vector<std::int64_t> order(v.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t k) {
    const double a = v[static_cast<std::size_t>(i)], b = v[static_cast<std::size_t>(k)];
    if (a != a || b != b) return b != b && a == a;
    return descending ? a > b : a < b;
  });
  return order;
}

}  // namespace

TEST_CASE("argsort is stable, NaNs last, of every type and length, in either order") {
  Random random(41);
  for (DType t : all_dtypes)
    for (const std::int64_t n : {1, 2, 17, 1023, 1024, 5000}) {
      const Tensor x = filled({n}, t, [&](std::int64_t) {
        const double values[] = {NAN, -0.0, 0.0, INFINITY, -INFINITY, 1e-40, 3.5};
        const std::int64_t k = random.below(20);
        if (!is_floating(t))
          return static_cast<double>(random.below(t == DType::boolean ? 2 : 100)) - (t == i32 || t == i64 ? 50 : 0);
        return k < 7 ? values[k] : random.uniform(-2, 2);
      });
      for (const bool descending : {false, true}) {
        INFO(name_of(t) << " " << n << " " << descending);
        CHECK(argsort(x, 0, descending).to_vector<std::int64_t>() == stable_order(x.to_vector<double>(), descending));
      }
    }
  const Tensor wide = from_vector(std::vector<std::int64_t>{INT64_MAX, INT64_MIN, 0, -1, INT64_MAX});
  CHECK_VALUES(argsort(wide), 1, 3, 2, 0, 4);
  CHECK_VALUES(argsort(wide, 0, true), 0, 4, 2, 3, 1);
}

TEST_CASE("a long row sorts alike on one thread and two") {
  Random random(42);
  const int before = num_threads();
  for (DType t : {f32, f64, i64}) {
    const Tensor x = random_tensor(random, {100'001}, t, -1000, 1000);
    set_num_threads(1);
    const Tensor one = argsort(x);
    CHECK(one.to_vector<std::int64_t>() == stable_order(x.to_vector<double>(), false));
    set_num_threads(std::min(2, before));
    CHECK_SAME(argsort(x), one);
    for (const std::int64_t k : {1, 7, 64, 65, 300}) CHECK_SAME(topk(x, k).indices, argsort(x, 0, true)[Slice(0, k)]);
    CHECK_SAME(topk(one, 9, 0, false).indices, argsort(one)[Slice(0, 9)]);
    CHECK_SAME(topk(x, 3000, 0, false).indices, one[Slice(0, 3000)]);
  }
  set_num_threads(before);
}

TEST_CASE("ranks in the middle of a row are those of the whole order, however alike the keys") {
  Random random(43);
  for (DType t : {f32, f64, i64, DType::u8}) {
    for (const double spread : {1e6, 1e-3, 0.0}) {
      const Tensor x = filled({5000}, t, [&](std::int64_t) { return 100 + random.uniform(-0.5, 0.5) * spread; });
      const Tensor order = argsort(x, 0), descending = argsort(x, 0, true);
      for (const std::int64_t from : {1, 1700, 2499, 4989}) {
        INFO(name_of(t) << " " << spread << " " << from);
        CHECK_SAME(apply<ArgSort>({x}, ArgSortAttrs{from, 11, false}), order[Slice(from, from + 11)]);
        CHECK_SAME(apply<ArgSort>({x}, ArgSortAttrs{from, 2, true}), descending[Slice(from, from + 2)]);
      }
    }
  }
}

TEST_CASE("sort and topk work along any axis") {
  const Tensor x = tensor({{3, 1, 2}, {1, 3, 1}});
  CHECK_VALUES(sort(x), 1, 2, 3, 1, 1, 3);
  CHECK_VALUES(sort(x, 0), 1, 1, 1, 3, 3, 2);
  CHECK_VALUES(sort(x, 1, true), 3, 2, 1, 3, 1, 1);
  CHECK_VALUES(sort(transpose(x), 1), 1, 3, 1, 3, 1, 2);
  const auto [values, indices] = topk(x, 2, 1);
  CHECK_VALUES(values, 3, 2, 3, 1);
  CHECK_VALUES(indices, 0, 2, 1, 0);
  CHECK_VALUES(topk(x, 1, 0, false).values, 1, 1, 1);
  CHECK(topk(x, 0).values.shape() == Shape{2, 0});
  CHECK(sort(zeros({2, 0})).shape() == Shape{2, 0});
  CHECK(sort(zeros({0, 3}), 1).shape() == Shape{0, 3});
}

TEST_CASE("searchsorted finds the left or the right end of equals; NaN is the largest") {
  const Tensor s = tensor({1, 2, 2, 5});
  CHECK_VALUES(searchsorted(s, tensor({0, 2, 3, 9, NAN})), 0, 1, 3, 4, 4);
  CHECK_VALUES(searchsorted(s, tensor({1, 2, 5}), true), 1, 3, 4);
  CHECK(searchsorted(s, zeros({2, 3})).shape() == Shape{2, 3});
  CHECK_VALUES(searchsorted(s, 2), 1);
  CHECK_VALUES(searchsorted(tensor({{1, 3}, {5, 7}}), tensor({{2}, {2}})), 1, 0);
  CHECK_VALUES(searchsorted(zeros({0}), tensor({1})), 0);
}

TEST_CASE("searchsorted finds what std::lower_bound and upper_bound find, in rows of any length") {
  Random random(5);
  for (const std::int64_t n : {1, 2, 3, 7, 64, 1000}) {
    const Tensor rows = sort(floor(random_tensor(random, {3, n}, f32, -20, 20)), 1),
                 values = floor(random_tensor(random, {3, 700}, f32, -22, 22));
    const std::vector<float> sorted = rows.to_vector<float>(), sought = values.to_vector<float>();
    std::vector<std::int64_t> left, right;
    for (std::size_t k = 0; k < sought.size(); ++k) {
      const auto row = sorted.begin() + static_cast<std::ptrdiff_t>(k / 700) * n;
      left.push_back(std::lower_bound(row, row + n, sought[k]) - row);
      right.push_back(std::upper_bound(row, row + n, sought[k]) - row);
    }
    CHECK(searchsorted(rows, values).to_vector<std::int64_t>() == left);
    CHECK(searchsorted(rows, values, true).to_vector<std::int64_t>() == right);
  }
}

TEST_CASE("median and quantile interpolate between elements, and a NaN comes out") {
  const Tensor m = tensor({{3, 1, 2}, {9, 7, 8}});
  CHECK_VALUES(median(m, 1), 2, 8);
  CHECK_VALUES(median(m), 5);
  CHECK_VALUES(median(m, 0, true), 6, 4, 5);
  CHECK(median(m, {}, true).shape() == Shape{1, 1});
  CHECK_VALUES(median(ones({})), 1);
  CHECK_VALUES(median(reshape(arange(0, 24), {2, 3, 4}), {0, -1}), 7.5, 11.5, 15.5);
  CHECK_VALUES(median(tensor({4, 1, 3, 2})), 2.5);
  CHECK_VALUES(quantile(tensor({0, 10, 20, 30}), 0.25), 7.5);
  CHECK_VALUES(quantile(tensor({{1, 5}, {3, 7}}), 1, 0, true), 3, 7);
  const Tensor x = random::normal({6, 5, 3});
  const std::vector<double> qs = {0.9, 0, 0.25, 0.25, 1};
  for (const bool keepdims : {false, true})
    for (const Axes& axes : {Axes(), Axes(1), Axes({0, 2})}) {
      const Tensor all = quantile(x, qs, axes, keepdims);
      for (std::size_t k = 0; k < qs.size(); ++k)
        CHECK_SAME(all[static_cast<std::int64_t>(k)], quantile(x, qs[k], axes, keepdims));
    }
  CHECK_VALUES(quantile(tensor({0, 10, 20, 30}), {0.25, 1}), 7.5, 30);
  CHECK(quantile(x, std::vector<double>{}, 1).shape() == Shape{0, 6, 3});
  CHECK(quantile(x, std::vector<double>{0.5}, 1).shape() == Shape{1, 6, 3});
  CHECK(median(tensor({1, NAN, 3})).item() != median(tensor({1, NAN, 3})).item());
  CHECK_VALUES(median(cast(tensor({1, 2}), DType::bf16)), 1.5);
}

TEST_CASE("what can't be sorted, searched or ranked is refused", "[golden][bad-input.8]") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of<ArgumentError>([&] { topk(x, 4); }) ==
        "topk: 4 of the 3 elements along axis -1\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<IndexError>([&] { sort(x, 2); }) ==
        "sort: axis 2 out of range for rank 2 [-2, 1]\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<ShapeError>([&] {
          searchsorted(x, zeros({3, 1}));
        }) == "searchsorted: rows of [2, 3] for values of [3, 1]\n  in0  f32[2, 3]\n  val  f32[3, 1]\n  at HERE");
  CHECK_THROWS_AS(searchsorted(x, zeros({2, 1}, f64)), DTypeError);
  CHECK_THROWS_AS(searchsorted(tensor(1), x), ShapeError);
  CHECK_THROWS_AS(sort(tensor(1)), IndexError);
  CHECK_THROWS_AS(sort(Tensor()), ArgumentError);
  CHECK_THROWS_AS(topk(x, -1), ArgumentError);
  CHECK(message_of<ArgumentError>([&] {
          median(zeros({2, 0}));
        }) == "median: of no elements: [2, 0]\n  in0  f32[2, 0]\n  at HERE");
  CHECK_THROWS_AS(quantile(x, 1.5), ArgumentError);
  CHECK_THROWS_AS(quantile(x, {0.5, -0.1}), ArgumentError);
  CHECK_THROWS_AS(quantile(x, NAN), ArgumentError);
  CHECK_THROWS_AS(median(zeros({3}, i32)), DTypeError);
}

TEST_CASE("bincount counts whole numbers, or adds up weights") {
  const Tensor x = tensor<std::int64_t>({{1, 1}, {3, 0}});
  CHECK_VALUES(bincount(x, 5), 1, 2, 0, 1, 0);
  CHECK(bincount(x, 5).dtype() == i64);
  CHECK_VALUES(bincount(cast(x, i32), 4, tensor({{0.5, 2}, {4, 8}})), 8, 2.5, 0, 4);
  CHECK_VALUES(bincount(zeros({0}, i64), 2), 0, 0);
  CHECK(bincount(zeros({0}, i64), 0).shape() == Shape{0});
  CHECK(message_of<IndexError>([&] { bincount(x, 3); }).find("bincount: ") == 0);
  CHECK_THROWS_AS(bincount(x - 1, 3), IndexError);
  CHECK_THROWS_AS(bincount(x, -1), ArgumentError);
  CHECK_THROWS_AS(bincount(ones({2}), 3), DTypeError);
  CHECK_THROWS_AS(bincount(x, 5, ones({4})), ShapeError);
}

TEST_CASE("histogram counts what lies between its edges") {
  const auto [counts, edges] = histogram(tensor({0, 0.24, 0.25, 0.5, 1, 1.01, -0.01, NAN, INFINITY, 0.99}), 4, 0, 1);
  CHECK_VALUES(counts, 2, 1, 1, 2);
  CHECK_VALUES(edges, 0, 0.25, 0.5, 0.75, 1);
  CHECK(sum(histogram(random::uniform({3, 1000}, -2, 2, f64), 7, -2, 2).counts).item() == 3000);
  CHECK_VALUES(histogram(zeros({0, 3}), 2, -1, 1).counts, 0, 0);
  const auto narrow = histogram(tensor({256, 258, 260}, bf16), 4, 256, 260);
  CHECK_VALUES(narrow.counts, 1, 0, 1, 1);
  CHECK_VALUES(narrow.edges, 256, 257, 258, 259, 260);
  CHECK_THROWS_AS(histogram(ones({2}), INT64_MAX, 0, 1), ArgumentError);
  CHECK_THROWS_AS(histogram(ones({2}), 2, 0, 1e39), ArgumentError);
  CHECK_THROWS_AS(histogram(ones({2}, f64), 2, -1.7e308, 1.7e308), ArgumentError);
  CHECK_THROWS_AS(histogram(ones({2}), 0, 0, 1), ArgumentError);
  CHECK_THROWS_AS(histogram(ones({2}), 2, 1, 1), ArgumentError);
  CHECK_THROWS_AS(histogram(ones({2}), 2, 0, INFINITY), ArgumentError);
  CHECK_THROWS_AS(histogram(ones({2}, i64), 2, 0, 1), DTypeError);
}
