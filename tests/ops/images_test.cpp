// unfold, fold, interpolate, pixel_shuffle, diff, cdist: values as PyTorch's, and refusals.
#include <weft/ops/distances.h>
#include <weft/ops/reduce.h>
#include <weft/ops/subscript.h>
#include <weft/ops/images.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {
const Tensor x = reshape(arange(1, 10), {1, 1, 3, 3});
}

TEST_CASE("unfold makes a column of each window, fold adds them back") {
  CHECK(unfold(x, {2, 2}).shape() == Shape{1, 4, 4});
  CHECK_VALUES(unfold(x, {2, 2}), 1, 2, 4, 5, 2, 3, 5, 6, 4, 5, 7, 8, 5, 6, 8, 9);
  CHECK_VALUES(unfold(x, {2, 2}, {.stride = {2, 2}, .padding = {1, 1}}), 0, 0, 0, 5, 0, 0, 4, 6, 0, 2, 0, 8, 1, 3, 7,
               9);
  CHECK_VALUES(unfold(x, {2, 2}, {.dilation = {2, 2}}), 1, 3, 7, 9);
  CHECK_VALUES(unfold(tensor({{{1, 2, 3, 4}}}), {3}), 1, 2, 2, 3, 3, 4);
  CHECK_VALUES(fold(unfold(x, {2, 2}), {3, 3}, {2, 2}), 1, 4, 3, 8, 20, 12, 7, 16, 9);  // times the windows over each
  CHECK_VALUES((fold(unfold(x, {3, 3}, {.padding = {1, 1}}), {3, 3}, {3, 3}, {.padding = {1, 1}})[{0, 0, 1}]), 24, 45,
               36);
  CHECK(unfold(zeros({0, 2, 3, 3}), {2, 2}).shape() == Shape{0, 8, 4});
}

TEST_CASE("interpolate takes the nearest or goes straight between") {
  const Tensor v = tensor({{{1, 2, 4}}});
  CHECK_VALUES(interpolate(v, {6}), 1, 1, 2, 2, 4, 4);
  CHECK_VALUES(interpolate(v, {2}), 1, 2);
  CHECK_VALUES(interpolate(v, {6}, Interpolation::linear), 1, 1.25, 1.75, 2.5, 3.5, 4);
  CHECK_VALUES(interpolate(v, {5}, Interpolation::linear, true), 1, 1.5, 2, 3, 4);
  CHECK_VALUES(interpolate(v, {1}, Interpolation::linear, true), 1);
  const Tensor square = tensor({{{{1, 2}, {3, 4}}}});
  CHECK_VALUES(interpolate(square, {3, 3}, Interpolation::linear, true), 1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4);
  CHECK_VALUES((interpolate(square, {4, 4}, Interpolation::linear)[{0, 0, 1}]), 1.5, 1.75, 2.25, 2.5);
  CHECK_VALUES(interpolate(cast(square, u8), {1, 4}), 1, 1, 2, 2);
}

TEST_CASE("pixel_shuffle lays channels out as pixels, pixel_unshuffle back") {
  const Tensor c = reshape(arange(0, 8), {1, 4, 1, 2});
  CHECK_VALUES(pixel_shuffle(c, 2), 0, 2, 1, 3, 4, 6, 5, 7);
  CHECK(pixel_shuffle(c, 2).shape() == Shape{1, 1, 2, 4});
  CHECK_SAME(pixel_unshuffle(pixel_shuffle(c, 2), 2), c);
}

TEST_CASE("diff and cdist") {
  CHECK_VALUES(diff(tensor({1, 4, 9, 16})), 3, 5, 7);
  CHECK_VALUES(diff(tensor({1, 4, 9, 16}), 2), 2, 2);
  CHECK_VALUES(diff(tensor({{1, 2}, {4, 8}}), 1, 0), 3, 6);
  CHECK(diff(tensor({1}), 3).shape() == Shape{0});
  const Tensor a = tensor({{0, 0}, {3, 4}}), b = tensor({{0, 0}, {3, 0}, {0, 1}});
  CHECK_VALUES(cdist(a, b), 0, 3, 1, 5, 4, std::sqrt(18.0f));
  CHECK_VALUES(cdist(a, b, 1), 0, 3, 1, 7, 4, 6);
  CHECK_VALUES(cdist(a, b, INFINITY), 0, 3, 1, 4, 4, 3);
}

TEST_CASE("windows, extents and squares that can't be are refused", "[golden][bad-input.11]") {
  CHECK(
      message_of<ArgumentError>([] {
        unfold(x, {4, 1});
      }) ==
      "unfold: a kernel that reaches over 4 elements of the 3 along spatial axis 0\n  in0  f32[1, 1, 3, 3]\n  at HERE");
  CHECK(message_of<ArgumentError>([] {
          unfold(x, {2, 2}, {.stride = {0, 1}});
        }) == "unfold: stride [0, 1] has a number below 1\n  in0  f32[1, 1, 3, 3]\n  at HERE");
  CHECK_THROWS_AS(unfold(x, {2, 2}, {.padding = {-1, 0}}), ArgumentError);
  CHECK_THROWS_AS(unfold(x, {2, 2}, {.dilation = {0, 1}}), ArgumentError);
  CHECK_THROWS_AS(unfold(x, {0, 1}), ArgumentError);
  CHECK_THROWS_AS(unfold(x, {2, 2}, {.stride = {1}}), ArgumentError);
  CHECK_THROWS_AS(unfold(x, {2}), ShapeError);
  CHECK_THROWS_AS(unfold(x, {}), ShapeError);
  CHECK(message_of<ShapeError>([] {
          fold(zeros({1, 4, 3}), {3, 3}, {2, 2});
        }) == "fold: [1, 4, 3] is not [n, c * 4, 4]\n  in0  f32[1, 4, 3]\n  at HERE");
  CHECK_THROWS_AS(fold(zeros({1, 4, 4}), {3}, {2, 2}), ArgumentError);
  CHECK_THROWS_AS(interpolate(x, {0, 2}), ArgumentError);
  CHECK_THROWS_AS(interpolate(x, {2}), ShapeError);
  CHECK_THROWS_AS(interpolate(zeros({1, 1, 0}), {2}), ShapeError);
  CHECK_THROWS_AS(interpolate(zeros({1, 1, 2}, i32), {3}, Interpolation::linear), DTypeError);
  CHECK_THROWS_AS(pixel_shuffle(x, 2), ShapeError);
  CHECK_THROWS_AS(pixel_unshuffle(x, 2), ShapeError);
  CHECK_THROWS_AS(pixel_shuffle(x, 0), ArgumentError);
  CHECK_THROWS_AS(diff(x, -1), ArgumentError);
  CHECK_THROWS_AS(diff(x, 1, 4), IndexError);
  CHECK_THROWS_AS(cdist(zeros({2, 3}), zeros({2, 4})), ShapeError);
  for (const double p : {-1.0, double{NAN}, double{-INFINITY}})
    CHECK_THROWS_AS(cdist(zeros({2, 3}), zeros({2, 3}), p), ArgumentError);
}
