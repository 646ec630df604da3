// Lists of axes, extents, counts: every function that takes one takes it in braces, and one number in braces is a list.
#include <weft/weft.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("axes in braces") {
  const Tensor x = reshape(arange(6), {2, 3}), f = cast(x, f32);
  CHECK_SAME(transpose(x, {1, 0}), transpose(x));
  CHECK_SAME(transpose(x, {0, -1}), x);
  CHECK_SAME(transpose(arange(3), {0}), arange(3));
  CHECK_THROWS_AS(transpose(x, {}), IndexError);
  CHECK_SAME(transpose(tensor(1.0), {}), tensor(1.0));
  CHECK_SAME(flip(x, {0, 1}), flip(x));
  CHECK_SAME(flip(x, {-1}), flip(x, 1));
  CHECK_SAME(squeeze(reshape(x, {1, 2, 3, 1}), {0, -1}), x);
  CHECK_SAME(squeeze(reshape(x, {1, 2, 3}), {0}), x);
  CHECK_SAME(squeeze(reshape(x, {1, 2, 3}), 0), x);
  CHECK_SAME(sum(x, {0, 1}), sum(x));
  CHECK_SAME(sum(x, {0}), sum(x, 0));
  CHECK_SAME(prod(x, {1, 0}), prod(x));
  CHECK_SAME(max(x, {0, -1}), max(x));
  CHECK_SAME(min(x, {0, -1}), min(x));
  CHECK_SAME(any(x > 2, {0, 1}), any(x > 2));
  CHECK_SAME(all(x > 2, {0, 1}), all(x > 2));
  CHECK_SAME(mean(f, {0, 1}), mean(f));
  CHECK_SAME(var(f, {0, 1}), var(f));
  CHECK_SAME(stddev(f, {0, 1}), stddev(f));
  CHECK_SAME(nansum(f, {0, 1}), nansum(f));
  CHECK_SAME(count_nonzero(f, {0, 1}), count_nonzero(f));
  CHECK_SAME(logsumexp(f, {0, 1}), logsumexp(f));
  CHECK_SAME(norm(f, 2, {0, 1}), norm(f));
  CHECK_SAME(tensordot(f, f, {0, 1}, {0, 1}), tensordot(f, f));
  CHECK_SAME(roll(x, 1, {1}), roll(x, 1, 1));
}

TEST_CASE("shapes, windows and counts in braces") {
  const Tensor x = reshape(arange(6), {2, 3}), image = random::uniform({1, 1, 4, 4});
  CHECK_SAME(reshape(x, {3, -1}), reshape(x, {3, 2}));
  CHECK_SAME(broadcast_to(x, {1, 2, 3}), expand(x, 0));
  CHECK_SAME(slice(x, {0, 1}, {2, 3}), slice_axis(x, 1, 1, 3));
  CHECK_SAME(slice(x, {0}, {2}, {1}), x);
  CHECK_SAME(pad(x, {0, 0}, {0, 0}), x);
  CHECK_SAME(pad(x, {0, 0}, {0, 0}, PadMode::reflect), x);
  CHECK_SAME(tile(x, {1, 1}), x);
  CHECK_SAME(repeat(x, {2, 0}, 0), repeat(slice_axis(x, 0, 0, 1), 2, 0));
  CHECK_SAME(split(x, {1, 2}, 1)[1], slice_axis(x, 1, 1, 3));
  CHECK_SAME(concat({x, x}), tile(x, {2, 1}));
  CHECK(stack({x, x}).shape() == Shape{2, 2, 3});
  CHECK(meshgrid({arange(2), arange(3)})[1].shape() == Shape{2, 3});
  CHECK_SAME((x[{1, Slice(0, 2)}]), (slice(x, {1, 0}, {2, 2})[0]));
  CHECK_SAME(max_pool2d(image, {2, 2}), max_pool2d(image, 2));
  CHECK_SAME(avg_pool2d(image, {2, 2}, {.stride = {1, 1}}), avg_pool2d(image, 2, {.stride = 1}));
  CHECK_SAME(adaptive_avg_pool2d(image, {2, 2}), adaptive_avg_pool2d(image, 2));
  CHECK_SAME(conv2d(image, ones({1, 1, 2, 2}), {.stride = {2, 2}, .padding = {0, 0}}),
             conv2d(image, ones({1, 1, 2, 2}), {.stride = 2}));
  CHECK_SAME(unfold(image, {2, 2}, {.stride = {2, 2}}), unfold(image, {2, 2}, {.stride = {2, 2}, .padding = {0, 0}}));
  CHECK(fold(unfold(image, {2, 2}), {4, 4}, {2, 2}).shape() == image.shape());
  CHECK(interpolate(image, {8, 8}).shape() == Shape{1, 1, 8, 8});
  CHECK(layer_norm(image, {4}).shape() == image.shape());
  CHECK(rms_norm(image, {4, 4}).shape() == image.shape());
  CHECK(einsum("ij,kj->ik", {x, x}).shape() == Shape{2, 2});
}

TEST_CASE("one number in braces is a list of one, not a count") {
  const Tensor x = arange(3);
  CHECK(split(x, {3}).size() == 1);
  CHECK(split(x, 3).size() == 3);
  CHECK_THROWS_AS(repeat(x, {2}, 0), ShapeError);
  CHECK(repeat(x, 2, 0).shape() == Shape{6});
}
