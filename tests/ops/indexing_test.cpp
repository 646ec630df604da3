// gather, scatter_add, one_hot, check_indices: what they do, and how they refuse a bad index.
#include <weft/ops/indexing.h>
#include <weft/tensor/threads.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {
const Tensor table = reshape(arange(0, 12, 1), {4, 3});
Tensor ints(std::initializer_list<std::int64_t> v) { return from_vector(std::vector<std::int64_t>(v)); }
}  // namespace

TEST_CASE("take_along_axis over more rows than a task takes") {
  Random random(31);
  for (const Shape& shape : {Shape{7000, 3}, {3, 20'000}, {5, 3000, 2}}) {
    const Tensor x = random_tensor(random, shape, f32);
    const Tensor i = cast(floor(random_tensor(random, shape, f32, 0, 2.99)), i64);
    const std::vector<float> from = x.to_vector<float>(), got = take_along_axis(x, i, 1).to_vector<float>();
    const std::vector<std::int64_t> index = i.to_vector<std::int64_t>();
    const std::int64_t inner = shape.size() == 3 ? 2 : 1, n = shape[1];
    bool same = true;
    for (std::size_t k = 0; k < got.size(); ++k) {
      const auto at = static_cast<std::int64_t>(k);
      same &= got[k] == from[static_cast<std::size_t>((at / (n * inner) * n + index[k]) * inner + at % inner)];
    }
    CHECK(same);
  }
}

TEST_CASE("gather takes the rows that the indices name, counting from either end") {
  CHECK_VALUES(gather(table, ints({2, 0, -1})), 6, 7, 8, 0, 1, 2, 9, 10, 11);
  CHECK_VALUES(gather(table, ints({2, 0}), 1), 2, 0, 5, 3, 8, 6, 11, 9);
  CHECK(gather(table, zeros({2, 5}, i64), 0).shape() == Shape{2, 5, 3});
  CHECK(gather(table, zeros({2, 5}, i64), -1).shape() == Shape{4, 2, 5});
  CHECK_VALUES(gather(table, 3), 9, 10, 11);
  CHECK_VALUES(gather(transpose(table), tensor<std::int32_t>({1})), 1, 4, 7, 10);
  CHECK(gather(table, zeros({0}, i64)).shape() == Shape{0, 3});
  CHECK(gather(zeros({0, 3}), zeros({0}, i64)).shape() == Shape{0, 3});
  for (DType t : all_dtypes) CHECK_VALUES(gather(cast(tensor({0, 1}), t), ints({1, 0, 1})), 1, 0, 1);
}

TEST_CASE("scatter_add adds in index order, the same index as often as it comes") {
  CHECK_VALUES(scatter_add(tensor({1, 1, 1}), ints({2, 0, 2}), tensor({10, 20, 30})), 21, 1, 41);
  CHECK_VALUES(scatter_add(zeros({2, 2}), ints({1, -1}), tensor({{1, 2}, {3, 4}}), 1), 0, 3, 0, 7);
  CHECK_VALUES(scatter_add(tensor<std::int32_t>({INT32_MAX}), ints({0}), tensor<std::int32_t>({1})), -2147483648.0);
  CHECK_VALUES(scatter_add(zeros({2}), zeros({0}, i64), zeros({0})), 0, 0);
  // in order: (1 + 1e8) - 1e8 in f32 is 0
  CHECK_VALUES(scatter_add(zeros({1}), ints({0, 0, 0}), tensor({1, 1e8, -1e8})), 0);
  const Tensor x = tensor({1, 2});
  scatter_add(x, ints({0}), tensor({5}));
  CHECK_VALUES(x, 1, 2);
}

TEST_CASE("scatter_set, scatter_max and scatter_min: of duplicates the last, the largest, the smallest") {
  const Tensor x = tensor({1, 5, 3}), u = tensor({4, 2, 9});
  CHECK_VALUES(scatter_set(x, ints({2, 0, 2}), u), 2, 5, 9);
  CHECK_VALUES(scatter_max(x, ints({2, 1, 2}), u), 1, 5, 9);
  CHECK_VALUES(scatter_min(x, ints({1, 1, -1}), u), 1, 2, 3);
  CHECK_VALUES(scatter_set(table, ints({0}), zeros({4, 1}), 1), 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11);
  CHECK_VALUES(scatter_set(tensor<bool>({true, true}), ints({1}), tensor<bool>({false})), 1, 0);
  const double with_nan = scatter_max(tensor({1}), ints({0, 0}), tensor({NAN, 2})).item();
  CHECK(with_nan != with_nan);
  CHECK_THROWS_AS(scatter_max(tensor<bool>({true}), ints({0}), tensor<bool>({true})), DTypeError);
  CHECK_THROWS_AS(scatter_set(x, ints({3}), tensor({1})), IndexError);
  CHECK_THROWS_AS(scatter_set(x, ints({0}), zeros({2})), ShapeError);
}

TEST_CASE("wide rows scatter alike on one thread and two") {
  Random random(8);
  const int before = num_threads();
  const auto ties = [&](const Shape& s) {  // and zeros of both signs, and NaNs
    const Tensor t = round(random_tensor(random, s, f32, -2, 2));
    return where(random_tensor(random, s, f32, 0, 1) < 0.01, NAN, t);
  };
  const Tensor x = ties({50, 700}), u = ties({90, 700});
  const Tensor i = random_tensor(random, {90}, i64, 0, 50);
  for (const auto scatter : {scatter_add, scatter_set, scatter_max, scatter_min}) {
    set_num_threads(1);
    const Tensor rows = scatter(x, i, u, 0), columns = scatter(transpose(x), i, transpose(u), 1);
    CHECK_SAME(transpose(columns), rows);
    set_num_threads(std::min(2, before));
    CHECK_SAME(scatter(x, i, u, 0), rows);
    CHECK_SAME(scatter(transpose(x), i, transpose(u), 1), columns);
  }
  set_num_threads(before);
}

TEST_CASE("take_along_axis and put_along_axis have an index for each element, which broadcasts beyond the axis") {
  CHECK_VALUES(take_along_axis(table, tensor<std::int64_t>({{2}, {0}, {-1}, {1}}), 1), 2, 3, 8, 10);
  CHECK_VALUES(take_along_axis(table, tensor<std::int32_t>({{3, 0, 1}}), 0), 9, 1, 5);
  CHECK_VALUES(take_along_axis(transpose(table), tensor<std::int64_t>({{1}}), 1), 3, 4, 5);
  CHECK_VALUES(put_along_axis(zeros({2, 3}), tensor<std::int64_t>({{0, 2}, {1, 1}}), tensor({{1, 2}, {3, 4}}), 1), 1, 0,
               2, 0, 4, 0);
  CHECK(take_along_axis(zeros({0, 3}), zeros({0, 2}, i64), 1).shape() == Shape{0, 2});
  CHECK(message_of<IndexError>([] { take_along_axis(table, tensor<std::int64_t>({{5}}), 1); }) ==
        "take_along_axis: index 5 at [0, 0] must be within [-3, 2]\n  x    f32[4, 3]\n  idx  i64[1, 1]\n  at HERE");
  CHECK(message_of<ShapeError>([] { take_along_axis(table, ints({0}), 1); }) ==
        "take_along_axis: indices of rank 1 for x of rank 2\n  x    f32[4, 3]\n  idx  i64[1]\n  at HERE");
  CHECK_THROWS_AS(take_along_axis(table, zeros({3, 1}, i64), 1), ShapeError);
}

TEST_CASE("index_add and masked_fill") {
  CHECK_VALUES(index_add(zeros({3}), 0, ints({1, 1, 0}), tensor({1, 2, 3}), 2), 6, 6, 0);
  CHECK_THROWS_AS(index_add(zeros({3}), 0, zeros({1, 1}, i64), zeros({1, 1})), ShapeError);
  CHECK_VALUES(masked_fill(tensor({{1, 2}, {3, 4}}), tensor<bool>({true, false}), -1), -1, 2, -1, 4);
  CHECK(message_of<ShapeError>([] {
          masked_fill(zeros({2}), tensor<bool>({{true}, {false}}), 0);
        }) ==
        "masked_fill: the mask [2, 1] does not broadcast to [2]\n  x    f32[2]\n  mask bool[2, 1]\n  val  literal 0\n  "
        "at HERE");
  CHECK_THROWS_AS(masked_fill(zeros({2}), tensor<bool>({true, false}), zeros({2})), ShapeError);
  CHECK_THROWS_AS(masked_fill(zeros({2}), zeros({2}), 0), DTypeError);
}

TEST_CASE("one_hot marks each index on a new last axis") {
  CHECK_VALUES(one_hot(ints({1, 0}), 3), 0, 1, 0, 1, 0, 0);
  CHECK(one_hot(zeros({2, 4}, i32), 3, f64).type() == Type{f64, {2, 4, 3}});
  CHECK(one_hot(ints({0}), 2, DType::boolean).to_vector<bool>() == std::vector<bool>{true, false});
  CHECK_THROWS_AS(one_hot(ints({3}), 3), IndexError);
  CHECK_THROWS_AS(one_hot(ints({-1}), 3), IndexError);
  CHECK_THROWS_AS(one_hot(tensor({1.0f}), 3), DTypeError);
  CHECK_THROWS_AS(one_hot(zeros({0}, i64), -1), ShapeError);
}

TEST_CASE("a bad index is an IndexError with its position and the range") {
  const auto text = [](const Tensor& i, std::int64_t axis = 0) {
    return message_of<IndexError>([&] { gather(table, i, axis); });
  };
  CHECK(text(tensor<std::int64_t>({{0, 1}, {4, 2}})) ==
        "gather: index 4 at [1, 0] must be within [-4, 3]\n  x    f32[4, 3]\n  idx  i64[2, 2]\n  at HERE");
  CHECK(text(ints({-5})) ==
        "gather: index -5 at [0] must be within [-4, 3]\n  x    f32[4, 3]\n  idx  i64[1]\n  at HERE");
  CHECK(text(ints({100'000'000'000'000'000}), 1) ==
        "gather: index 100000000000000000 at [0] must be within [-3, 2]\n  x    f32[4, 3]\n  idx  i64[1]\n  at HERE");
  CHECK(message_of<IndexError>([] { gather(zeros({0}), ints({0})); }) ==
        "gather: index 0 at [0] of an axis of no elements\n  x    f32[0]\n  idx  i64[1]\n  at HERE");
  CHECK(message_of<IndexError>([] {
          check_indices(ints({0, -1}), 3);
        }) == "check_indices: index -1 at [1] must be within [0, 2]\n  in0  i64[2]\n  at HERE");
  CHECK_THROWS_AS(scatter_add(zeros({2}), ints({2}), ones({1})), IndexError);
  CHECK_THROWS_AS(gather(table, ints({0}), 2), IndexError);
  CHECK_THROWS_AS(gather(zeros({}), ints({0})), IndexError);
}

TEST_CASE("indices must be integers, and updates fit") {
  CHECK(message_of<DTypeError>([] { gather(table, tensor({1.0f})); }) ==
        "gather: indices are f32, not i32 or i64\n  x    f32[4, 3]\n  idx  f32[1]\n  at HERE\n  hint: cast(indices, "
        "i64)");
  CHECK_THROWS_AS(gather(table, tensor<std::uint8_t>({1})), DTypeError);
  CHECK_THROWS_AS(scatter_add(zeros({2, 3}), ints({0}), zeros({3})), ShapeError);
  CHECK_THROWS_AS(scatter_add(zeros({2}), ints({0}), zeros({1}, f64)), DTypeError);
  CHECK_THROWS_AS(gather(Tensor(), ints({0})), ArgumentError);
  CHECK_THROWS_AS(gather(table, Tensor()), ArgumentError);
}
