// flip, roll, repeat, tile, split, chunk, unstack, pad by mode, meshgrid, triangles and diagonals.
#include <weft/ops/diagonal.h>
#include <weft/ops/rearrange.h>
#include <weft/ops/subscript.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {
const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
}

TEST_CASE("flip turns axes round as a view, roll goes round the end") {
  CHECK_VALUES(flip(x), 6, 5, 4, 3, 2, 1);
  CHECK_VALUES(flip(x, Ints{-1}), 3, 2, 1, 6, 5, 4);
  CHECK(flip(x).storage() == x.storage());
  CHECK_SAME(flip(x, Ints{}), x);
  CHECK_VALUES(roll(x, 1), 6, 1, 2, 3, 4, 5);
  CHECK_VALUES(roll(x, -4, 1), 2, 3, 1, 5, 6, 4);
  CHECK(roll(zeros({0, 2}), 3).shape() == Shape{0, 2});
}

TEST_CASE("repeat repeats elements, tile the whole") {
  CHECK_VALUES(repeat(x, 2, 1), 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6);
  CHECK_VALUES(repeat(x, 2, 0), 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6);
  CHECK_VALUES(repeat(x, {0, 2}, 0), 4, 5, 6, 4, 5, 6);
  CHECK(repeat(x, 0, 0).shape() == Shape{0, 3});
  CHECK_VALUES(tile(tensor({1, 2}), {2, 2}), 1, 2, 1, 2, 1, 2, 1, 2);
  CHECK_VALUES(tile(x, {2}), 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6);
  CHECK(tile(x, {2, 1, 0}).shape() == Shape{2, 2, 0});
}

TEST_CASE("split, chunk and unstack cut into views") {
  CHECK(split(x, 3, 1).size() == 3);
  CHECK_VALUES(split(x, 3, 1)[1], 2, 5);
  CHECK_VALUES(split(x, {1, 0, 2}, 1)[2], 2, 3, 5, 6);
  CHECK(split(x, 2)[1].storage() == x.storage());
  CHECK(chunk(x, 2, 1)[0].shape() == Shape{2, 2});
  CHECK(chunk(x, 2, 1)[1].shape() == Shape{2, 1});
  CHECK(chunk(x, 7, 1).size() == 3);
  CHECK(chunk(zeros({0}), 4).size() == 4);
  CHECK_VALUES(unstack(x, 1)[2], 3, 6);
  CHECK(unstack(zeros({0, 2})).empty());
}

TEST_CASE("pad mirrors, repeats the edge or goes round") {
  const Tensor v = tensor({1, 2, 3, 4});
  CHECK_VALUES(pad(v, {3}, {2}, PadMode::reflect), 4, 3, 2, 1, 2, 3, 4, 3, 2);
  CHECK_VALUES(pad(v, {2}, {1}, PadMode::replicate), 1, 1, 1, 2, 3, 4, 4);
  CHECK_VALUES(pad(v, {1}, {4}, PadMode::circular), 4, 1, 2, 3, 4, 1, 2, 3, 4);
  CHECK_VALUES(pad(x, {1, 0}, {0, 1}, PadMode::reflect), 4, 5, 6, 5, 1, 2, 3, 2, 4, 5, 6, 5);
  CHECK(pad(zeros({0}), {0}, {0}, PadMode::reflect).shape() == Shape{0});
}

TEST_CASE("meshgrid spreads coordinates, the first two axes exchanged for xy") {
  const auto grid = meshgrid({tensor({1, 2}), tensor({3, 4, 5})});
  CHECK_VALUES(grid[0], 1, 1, 1, 2, 2, 2);
  CHECK_VALUES(grid[1], 3, 4, 5, 3, 4, 5);
  const auto xy = meshgrid({tensor({1, 2}), tensor({3, 4, 5})}, true);
  CHECK(xy[0].shape() == Shape{3, 2});
  CHECK_VALUES(xy[0], 1, 2, 1, 2, 1, 2);
  CHECK_VALUES(xy[1], 3, 3, 4, 4, 5, 5);
}

TEST_CASE("tril, triu, diagonal, diag and trace count diagonals from the main one") {
  const Tensor m = reshape(arange(1, 13), {3, 4});
  CHECK_VALUES(tril(m), 1, 0, 0, 0, 5, 6, 0, 0, 9, 10, 11, 0);
  CHECK_VALUES(tril(m, -2), 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0);
  CHECK_VALUES(triu(m, 1), 0, 2, 3, 4, 0, 0, 7, 8, 0, 0, 0, 12);
  CHECK_SAME(triu(m, INT64_MIN), m);
  CHECK_VALUES(tril(tensor<bool>({{true, true}, {true, true}})), 1, 0, 1, 1);
  CHECK_VALUES(diagonal(m), 1, 6, 11);
  CHECK_VALUES(diagonal(m, 2), 3, 8);
  CHECK_VALUES(diagonal(m, -1), 5, 10);
  CHECK(diagonal(m, 4).shape() == Shape{0});
  CHECK(diagonal(m, INT64_MAX).shape() == Shape{0});
  CHECK(diagonal(m, 1).storage() == m.storage());
  CHECK_VALUES(diagonal(transpose(m), 1), 5, 10);
  CHECK_VALUES(diagonal(reshape(arange(0, 8), {2, 2, 2}), 0, 0, 1), 0, 6, 1, 7);
  CHECK_VALUES(diag(tensor({1, 2})), 1, 0, 0, 2);
  CHECK_VALUES(diag(tensor({5}), -1), 0, 0, 5, 0);
  CHECK_VALUES(diag(tensor({5}), 1), 0, 5, 0, 0);
  CHECK_VALUES(diag(zeros({0}), 1), 0);
  CHECK_VALUES(diag(m, 3), 4);
  CHECK_VALUES(trace(m), 18);
  const Tensor cube = reshape(arange(0, 8), {2, 2, 2});
  CHECK_VALUES(trace(cube), 6, 8);  // of the first two axes, as NumPy's
  CHECK_VALUES(trace(cube, 1, -2, -1), 1, 5);
}

TEST_CASE("parts, paddings, counts and ranks that can't be are refused", "[golden][bad-input.8]") {
  CHECK(message_of<ShapeError>([] { split(x, 2, 1); }) ==
        "split: 3 elements along axis 1 are no 2 equal parts\n  in0  f32[2, 3]\n  at HERE\n  hint: chunk(x, n) allows "
        "a smaller last one");
  CHECK(message_of<ShapeError>([] {
          split(x, {1, 1}, 1);
        }) == "split: the extents add up to 2, axis 1 has 3\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<ShapeError>([] {
          pad(x, {2, 0}, {0, 0}, PadMode::reflect);
        }) ==
        "pad: 2 and 0 elements around axis 0, which has 2\n  in0  f32[2, 3]\n  at HERE\n  hint: reflect takes at most "
        "one less than there are");
  CHECK_THROWS_AS(pad(x, {-1, 0}, {0, 0}, PadMode::circular), ArgumentError);
  CHECK_THROWS_AS(pad(zeros({0}), {1}, {0}, PadMode::replicate), ShapeError);
  CHECK_THROWS_AS(pad(x, {1}, {1}, PadMode::reflect), ShapeError);
  CHECK(message_of<ArgumentError>([] { repeat(x, -1, 0); }) == "repeat: -1 times\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<ShapeError>([] {
          repeat(x, {1, 2, 3}, 0);
        }) == "repeat: 3 numbers for the 2 elements of axis 0\n  in0  f32[2, 3]\n  at HERE");
  CHECK_THROWS_AS(repeat(x, std::int64_t{1} << 62, 0), ShapeError);
  CHECK_THROWS_AS(tile(x, {-2}), ArgumentError);
  CHECK_THROWS_AS(chunk(x, 0), ArgumentError);
  CHECK_THROWS_AS(split(x, 0), ArgumentError);
  CHECK_THROWS_AS(flip(x, Ints{2}), IndexError);
  CHECK_THROWS_AS(roll(x, 1, 2), IndexError);
  CHECK_THROWS_AS(unstack(tensor(1)), IndexError);
  CHECK(message_of<ShapeError>([] { tril(tensor({1})); }) == "tril: rank 1 has no matrices\n  in0  f32[1]\n  at HERE");
  CHECK(message_of<IndexError>([] { diagonal(x, 0, 1, -1); }) ==
        "diagonal: axis 1 appears twice in [1, -1]\n  in0  f32[2, 3]\n  at HERE");
  CHECK_THROWS_AS(diag(zeros({1, 1, 1})), ShapeError);
  CHECK_THROWS_AS(diag(tensor({1}), INT64_MAX), ShapeError);
  CHECK(message_of<ShapeError>([] {
          meshgrid({tensor({1}), x});
        }) == "meshgrid: operand 1 has rank 2, not 1\n  at HERE");
  CHECK_THROWS_AS(flip(Tensor()), ArgumentError);
}
