// Ops that move elements: against plain loops over indices, as views where they can be, and refusing what can't be.
#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

// All indices of a shape in row-major order.
std::vector<std::vector<std::int64_t>> indices(const Shape& shape) {
  std::vector<std::vector<std::int64_t>> all = {{}};
  for (std::int64_t n : shape) {
    std::vector<std::vector<std::int64_t>> next;
    for (const auto& index : all)
      for (std::int64_t i = 0; i < n; ++i) {
        next.push_back(index);
        next.back().push_back(i);
      }
    all = next;
  }
  return all;
}

double at(const Tensor& t, const std::vector<std::int64_t>& index) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < index.size(); ++i) offset = offset * t.shape()[static_cast<int>(i)] + index[i];
  return t.to_vector<double>()[static_cast<std::size_t>(offset)];
}

// CHECKs that element `index` of `result` is x[from(index)] for all of them.
template <class From> void check_moved(const Tensor& result, const Tensor& x, From from) {
  const auto got = result.to_vector<double>();
  std::size_t k = 0;
  for (const auto& index : indices(result.shape())) CHECK(got[k++] == at(x, from(index)));
}

const Tensor x234 = reshape(arange(0, 24, 1), {2, 3, 4});

}  // namespace

TEST_CASE("transpose permutes the axes, without a copy") {
  const Tensor t = transpose(x234, Ints{2, 0, 1});
  CHECK(t.shape() == Shape{4, 2, 3});
  CHECK(t.storage() == x234.storage());
  CHECK_FALSE(t.is_contiguous());
  check_moved(t, x234, [](const auto& i) { return std::vector{i[1], i[2], i[0]}; });
  CHECK_SAME(transpose(x234), transpose(x234, Ints{2, 1, 0}));
  CHECK_SAME(transpose(x234, Ints{-1, 0, 1}), t);
  CHECK_SAME(swap_axes(x234, 0, -1), transpose(x234));
  CHECK_SAME(transpose(tensor(5)), tensor(5));
}

TEST_CASE("transpose refuses axes that are no permutation") {
  CHECK_THROWS_AS(transpose(x234, Ints{0, 1}), IndexError);
  CHECK_THROWS_AS(transpose(x234, Ints{0, 1, 3}), IndexError);
  CHECK_THROWS_AS(swap_axes(x234, 0, 3), IndexError);
  CHECK(message_of<IndexError>([&] {
          transpose(x234, Ints{0, 1, 1});
        }) == "transpose: axis 1 appears twice in [0, 1, 1]\n  in0  f32[2, 3, 4]\n  at HERE");
}

TEST_CASE("slice follows NumPy's rule for begin, end and step") {
  const Tensor v = arange(0, 6, 1);
  CHECK_VALUES(slice(v, {1}, {4}), 1, 2, 3);
  CHECK_VALUES(slice(v, {-2}, {100}), 4, 5);
  CHECK_VALUES(slice(v, {5}, {-7}, {-2}), 5, 3, 1);
  CHECK_VALUES(slice(v, {100}, {-100}, {-5}), 5, 0);
  CHECK_VALUES(slice(v, {0}, {6}, {4}), 0, 4);
  CHECK(slice(v, {4}, {2}).shape() == Shape{0});
  CHECK(slice(v, {2}, {2}, {-1}).size() == 0);
  CHECK_VALUES(slice(v, {2}, {INT64_MAX}, {INT64_MAX}), 2);
  CHECK_VALUES(slice(v, {INT64_MAX}, {INT64_MIN}, {-3}), 5, 2);
  CHECK_VALUES(slice_axis(x234, 1, 2, 3), 8, 9, 10, 11, 20, 21, 22, 23);
  const Tensor s = slice(x234, {1, 2}, {2, -4}, {1, -2});
  CHECK(s.shape() == Shape{1, 2, 4});
  check_moved(s, x234, [](const auto& i) { return std::vector{i[0] + 1, 2 - 2 * i[1], i[2]}; });
  CHECK(s.storage() == x234.storage());
}

TEST_CASE("slice refuses a step of 0 and lists that do not fit") {
  CHECK_THROWS_AS(slice(x234, {0}, {1}, {0}), IndexError);
  CHECK_THROWS_AS(slice(x234, {0}, {1}, {INT64_MIN}), IndexError);
  CHECK_THROWS_AS(slice(x234, {0, 0}, {1}), IndexError);
  CHECK_THROWS_AS(slice(x234, {0, 0, 0, 0}, {1, 1, 1, 1}), IndexError);
  CHECK_THROWS_AS(slice_axis(x234, 3, 0, 1), IndexError);
  CHECK(message_of<IndexError>([&] {
          slice(x234, {0, 0}, {1, 1}, {1, 0});
        }) == "slice: step 0 along axis 1\n  in0  f32[2, 3, 4]\n  at HERE");
}

TEST_CASE("slices of a tensor without elements compute nothing beyond 64 bits") {
  const Tensor none = zeros({0, std::int64_t{1} << 62, 8});
  CHECK(slice_axis(none, 1, std::int64_t{1} << 61, INT64_MAX).shape() == Shape{0, std::int64_t{1} << 61, 8});
  CHECK(slice_axis(none, 1, -1, INT64_MIN, -(std::int64_t{1} << 60)).size() == 0);
  CHECK(transpose(none).is_contiguous());
}

TEST_CASE("reshape keeps the row-major order, as a view where strides can say it") {
  CHECK_SAME(reshape(x234, {-1}), arange(0, 24, 1));
  CHECK(reshape(x234, {4, -1}).shape() == Shape{4, 6});
  CHECK(reshape(x234, {4, 6}).storage() == x234.storage());
  CHECK(reshape(tensor({5}), {}).item() == 5);
  const Tensor turned = transpose(x234, Ints{2, 0, 1});  // [4, 2, 3], the last two adjacent
  CHECK(reshape(turned, {4, 6}).storage() == x234.storage());
  CHECK(reshape(turned, {2, 2, 6}).storage() == x234.storage());
  CHECK_SAME(reshape(turned, {4, 6}), reshape(contiguous(turned), {4, 6}));
  const Tensor copied = reshape(transpose(x234), {24});
  CHECK(copied.storage() != x234.storage());
  CHECK_SAME(copied, contiguous(reshape(contiguous(transpose(x234)), {24})));
  const Tensor backwards = slice_axis(arange(0, 6, 1), 0, 5, -7, -1);
  CHECK_VALUES(reshape(backwards, {2, 3}), 5, 4, 3, 2, 1, 0);
  CHECK(reshape(zeros({0, 3}), {3, 0, 7}).size() == 0);
  CHECK(reshape(zeros({0}), {std::int64_t{1} << 62, 4, 0}).size() == 0);
  CHECK(reshape(zeros({2, 0}), {2, -1, 5}).shape() == Shape{2, 0, 5});
}

TEST_CASE("every reshape of every layout holds the same elements") {
  Random random;
  const std::vector<Shape> shapes = {{2, 3, 4}, {4, 6}, {24}, {2, 12}, {3, 2, 2, 2}, {1, 24, 1}, {6, 1, 4}};
  for (const Shape& from : shapes) {
    const Tensor x = random_tensor(random, from, f32);
    for (const Tensor& t : laid_out_otherwise(x))
      for (const Shape& to : shapes) {
        INFO(from.text() << " to " << to.text());
        CHECK_SAME(reshape(t, to), reshape(x, to));
      }
  }
}

TEST_CASE("reshape refuses what does not fit, with both shapes") {
  const auto text = [](const Shape& to) { return message_of<ShapeError>([&] { reshape(x234, to); }); };
  CHECK(text({-1, -1}) == "reshape: two extents of [-1, -1] are -1\n  in0  f32[2, 3, 4]\n  at HERE");
  CHECK(text({5, 5}) == "reshape: 24 elements of [2, 3, 4] can't be [5, 5]\n  in0  f32[2, 3, 4]\n  at HERE");
  CHECK(text({-1, 0}) == "reshape: 24 elements of [2, 3, 4] can't be [-1, 0]\n  in0  f32[2, 3, 4]\n  at HERE");
  CHECK(text({-1, 5}) == "reshape: 24 elements of [2, 3, 4] can't be [-1, 5]\n  in0  f32[2, 3, 4]\n  at HERE");
  CHECK(text({-5945582035944100121, 1}) ==
        "reshape: extent -5945582035944100121 of dimension 0 is negative in [-5945582035944100121, 1]\n  in0  f32[2, "
        "3, 4]\n  at HERE");
  CHECK_THROWS_AS(reshape(x234, {std::int64_t{1} << 62, 8}), ShapeError);
  CHECK_THROWS_AS(reshape(x234, {std::int64_t{1} << 62, 8, -1}), ShapeError);
  CHECK_THROWS_AS(reshape(zeros({0}), {-1, 0}), ShapeError);
}

TEST_CASE("broadcast_to repeats by strides of 0") {
  const Tensor row = tensor({1, 2, 3});
  const Tensor b = broadcast_to(row, {2, 3});
  CHECK_VALUES(b, 1, 2, 3, 1, 2, 3);
  CHECK(b.storage() == row.storage());
  CHECK_VALUES(broadcast_to(tensor({{1}, {2}}), {2, 2}), 1, 1, 2, 2);
  CHECK_VALUES(broadcast_to(7, {2}), 7, 7);
  CHECK(broadcast_to(tensor({{1}}), {0, 3}).shape() == Shape{0, 3});
  CHECK_THROWS_AS(broadcast_to(row, {3, 2}), ShapeError);
  CHECK_THROWS_AS(broadcast_to(row, {1}), ShapeError);
  CHECK_THROWS_AS(broadcast_to(row, {-2, 3}), ShapeError);
  CHECK_THROWS_AS(broadcast_to(row, {std::int64_t{1} << 62, 3}), ShapeError);
  CHECK(message_of<ShapeError>([&] { broadcast_to(row, {2}); }) ==
        "broadcast_to: [3] does not broadcast to [2]\n  in0  f32[3]\n  at HERE");
}

TEST_CASE("expand and squeeze add and drop axes of 1") {
  CHECK(expand(x234, 0).shape() == Shape{1, 2, 3, 4});
  CHECK(expand(x234, -1).shape() == Shape{2, 3, 4, 1});
  CHECK(squeeze(zeros({1, 2, 1})).shape() == Shape{2});
  CHECK(squeeze(zeros({1, 2, 1}), Ints{-1}).shape() == Shape{1, 2});
  CHECK_THROWS_AS(squeeze(x234, Ints{0}), ShapeError);
  CHECK_THROWS_AS(squeeze(x234, Ints{3}), IndexError);
  CHECK_THROWS_AS(expand(x234, 4), IndexError);
  CHECK_THROWS_AS(expand(zeros(Shape::filled(12, 1)), 0), ShapeError);
}

TEST_CASE("concat and stack lay parts end to end and side by side") {
  const Tensor a = tensor({{1, 2}, {3, 4}}), b = tensor({{5}, {6}});
  CHECK_VALUES(concat({a, b}, 1), 1, 2, 5, 3, 4, 6);
  CHECK_VALUES(concat({a, transpose(a)}, 0), 1, 2, 3, 4, 1, 3, 2, 4);
  CHECK_VALUES(concat({a, zeros({2, 0}), b}, -1), 1, 2, 5, 3, 4, 6);
  CHECK_VALUES(concat({a}), 1, 2, 3, 4);
  CHECK_VALUES(stack({tensor({1, 2}), tensor({3, 4})}), 1, 2, 3, 4);
  CHECK_VALUES(stack({tensor({1, 2}), tensor({3, 4})}, -1), 1, 3, 2, 4);
  CHECK(stack({tensor(1), tensor(2)}).shape() == Shape{2});
}

TEST_CASE("concat and stack refuse parts that do not fit") {
  CHECK_THROWS_AS(concat({}), ArgumentError);
  CHECK_THROWS_AS(concat({zeros({2, 2}), zeros({2, 2}, f64)}), DTypeError);
  CHECK_THROWS_AS(concat({zeros({2, 2}), zeros({2})}), ShapeError);
  CHECK_THROWS_AS(concat({zeros({2, 2})}, 2), IndexError);
  CHECK_THROWS_AS(concat({zeros({})}), IndexError);
  CHECK_THROWS_AS(concat({zeros({2}), Tensor()}), ArgumentError);
  CHECK_THROWS_AS(stack({zeros({2}), zeros({3})}), ShapeError);
  CHECK_THROWS_AS(stack({}), ArgumentError);
  CHECK(
      message_of<ShapeError>([] {
        concat({zeros({2, 2}), zeros({3, 3})}, 1);
      }) ==
      "concat: shapes [2, 2] and [3, 3] (part 1) differ beyond axis 1\n  in0  f32[2, 2]\n  in1  f32[3, 3]\n  at HERE");
}

TEST_CASE("pad puts a value around, of every type") {
  CHECK_VALUES(pad(tensor({{1, 2}}), {1, 0}, {0, 1}), 0, 0, 0, 1, 2, 0);
  for (DType t : all_dtypes) CHECK_VALUES(pad(cast(tensor({0, 1}), t), {1}, {2}, 1), 1, 0, 1, 1, 1);
  CHECK_VALUES(pad(tensor(3), {}, {}), 3);
  CHECK(pad(zeros({0}), {2}, {0}).shape() == Shape{2});
  CHECK_THROWS_AS(pad(zeros({2}), {-1}, {0}), ArgumentError);
  CHECK_THROWS_AS(pad(zeros({2}), {1, 1}, {0, 0}), ShapeError);
  CHECK_THROWS_AS(pad(zeros({2}), {INT64_MAX}, {0}), ShapeError);
}

TEST_CASE("contiguous copies only what does not lie in order") {
  CHECK(contiguous(x234).same(x234));
  const Tensor t = contiguous(transpose(x234));
  CHECK(t.is_contiguous());
  CHECK(t.storage() != x234.storage());
  CHECK_SAME(t, transpose(x234));
}

TEST_CASE("an undefined tensor is an ArgumentError of every public op on shapes") {
  const Tensor none;
  CHECK_THROWS_AS(reshape(none, {1}), ArgumentError);
  CHECK_THROWS_AS(transpose(none), ArgumentError);
  CHECK_THROWS_AS(swap_axes(none, 0, 1), ArgumentError);
  CHECK_THROWS_AS(slice(none, {0}, {1}), ArgumentError);
  CHECK_THROWS_AS(slice_axis(none, 0, 0, 1), ArgumentError);
  CHECK_THROWS_AS(pad(none, {1}, {1}), ArgumentError);
  CHECK_THROWS_AS(expand(none, 0), ArgumentError);
  CHECK_THROWS_AS(squeeze(none), ArgumentError);
  CHECK_THROWS_AS(stack({none}), ArgumentError);
  CHECK_THROWS_AS(contiguous(none), ArgumentError);
  CHECK_THROWS_AS(broadcast_to(none, {1}), ArgumentError);
}
