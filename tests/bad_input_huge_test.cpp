// Numbers that no tensor can have, as every count, extent, size and step that a public function takes: of elements and
// of none, each is a result or a typed error of the function's own name, at once and with no memory taken (bad-input
// rows 2, 3, 5, 11). A loop or a list as long as such a number would not end, or be std::bad_alloc.
#include <weft/weft.h>

#include <climits>
#include <functional>
#include <string>
#include <vector>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

constexpr std::int64_t huge = std::int64_t{1} << 40;

struct Function {
  std::string name;  // as its errors have it
  std::vector<Tensor> of;
  std::function<void(const Tensor&, std::int64_t)> f;
};

std::vector<Function> functions() {
  const std::vector<Tensor> vectors = {ones({2}), zeros({0})},
                            matrices = {ones({2, 3}), zeros({0, huge}), zeros({huge, 0})},
                            lines = {ones({1, 4, 4}), zeros({0, 4, 4}), zeros({0, 4, huge})},
                            squares = {ones({1, 4, 2, 2}), zeros({0, 4, huge, 2}), zeros({0, 4, huge, huge})};
  const Tensor kernel = ones({4, 4, 2});
  using N = std::int64_t;
  return {
      {"full", vectors, [](auto&, N n) { full({n}, 1); }},
      {"zeros", vectors,
       [](auto&, N n) {
         zeros({0, n});
       }},
      {"eye", vectors, [](auto&, N n) { eye(n); }},
      {"arange", vectors, [](auto&, N n) { arange(n); }},
      {"linspace", vectors, [](auto&, N n) { linspace(0, 1, n); }},
      {"uniform", vectors, [](auto&, N n) { random::uniform({n}); }},
      {"gamma", vectors, [](auto&, N n) { random::gamma({n}, 1); }},
      {"permutation", vectors, [](auto&, N n) { random::permutation(n); }},
      {"categorical", {ones({1, 3}), zeros({0, 3})}, [](auto& x, N n) { random::categorical(x, n); }},
      {"reshape", matrices, [](auto& x, N n) { reshape(x, {n}); }},
      {"broadcast_to", matrices,
       [](auto& x, N n) {
         broadcast_to(x, {n, x.shape()[0], x.shape()[1]});
       }},
      {"slice_axis", matrices, [](auto& x, N n) { slice_axis(x, 0, n, n, n | 1); }},
      {"flip", matrices, [](auto& x, N) { flip(x); }},
      {"roll", matrices, [](auto& x, N n) { roll(x, n, 0); }},
      {"repeat", matrices, [](auto& x, N n) { repeat(x, n, 0); }},
      {"repeat",
       {ones({2, 3}), zeros({2, 0}), zeros({2, 0, huge})},
       [](auto& x, N n) {
         repeat(x, {n, n}, 0);
       }},
      {"repeat",
       {ones({3}), zeros({3, 0})},
       [](auto& x, N n) {
         repeat(x, {n, n, 6}, 0);
       }},  // sums wrap to 4
      {"tile", matrices,
       [](auto& x, N n) {
         tile(x, {n, 1});
       }},
      {"split", matrices, [](auto& x, N n) { split(x, n); }},
      {"split", matrices,
       [](auto& x, N n) {
         split(x, {n, n, 6}, 1);
       }},
      {"chunk", matrices, [](auto& x, N n) { chunk(x, n); }},
      {"unstack", matrices, [](auto& x, N) { unstack(x); }},
      {"pad", matrices,
       [](auto& x, N n) {
         pad(x, {n, 0}, {0, 0});
       }},
      {"pad", matrices,
       [](auto& x, N n) {
         pad(x, {n, 0}, {n, 0}, PadMode::reflect);
       }},
      {"pad", matrices,
       [](auto& x, N n) {
         pad(x, {n, 0}, {n, 0}, PadMode::replicate);
       }},
      {"pad", matrices,
       [](auto& x, N n) {
         pad(x, {n, 0}, {n, 0}, PadMode::circular);
       }},
      {"tril", matrices, [](auto& x, N n) { tril(x, n); }},
      {"triu", matrices, [](auto& x, N n) { triu(x, n); }},
      {"diagonal", matrices, [](auto& x, N n) { diagonal(x, n); }},
      {"diagonal", {zeros({0, huge, huge}), zeros({0, INT64_MAX})}, [](auto& x, N n) { diagonal(x, n); }},
      {"diag", vectors, [](auto& x, N n) { diag(x, n); }},
      {"trace", matrices, [](auto& x, N n) { trace(x, n); }},
      {"diff", matrices, [](auto& x, N n) { diff(x, static_cast<int>(n < 0 ? -1 : INT_MAX), 0); }},
      {"topk", matrices, [](auto& x, N n) { topk(x, n, 0); }},
      {"bincount", {ones({2}, i64), zeros({0}, i64)}, [](auto& x, N n) { bincount(x, n); }},
      {"one_hot", {ones({2}, i64), zeros({0}, i64)}, [](auto& x, N n) { one_hot(x, n); }},
      {"kron",
       {zeros({0, 2})},
       [](auto& x, N n) {
         kron(x, zeros({0, n < 0 ? 0 : n}));
       }},
      {"interpolate", lines, [](auto& x, N n) { interpolate(x, {n}); }},
      {"interpolate", lines, [](auto& x, N n) { interpolate(x, {n}, Interpolation::linear); }},
      {"pixel_shuffle", squares, [](auto& x, N n) { pixel_shuffle(x, n); }},
      {"pixel_unshuffle", squares, [](auto& x, N n) { pixel_unshuffle(x, n); }},
      {"unfold", lines, [](auto& x, N n) { unfold(x, {n}); }},
      {"unfold", lines, [](auto& x, N n) { unfold(x, {2}, {.stride = {n}}); }},
      {"unfold", lines, [](auto& x, N n) { unfold(x, {2}, {.padding = {n}}); }},
      {"unfold", lines, [](auto& x, N n) { unfold(x, {2}, {.dilation = {n}}); }},
      {"fold", {ones({1, 4, 1}), zeros({0, 4, huge})}, [](auto& x, N n) { fold(x, {n}, {2}); }},
      {"fold", {ones({1, 4, 1}), zeros({0, 4, huge})}, [](auto& x, N n) { fold(x, {4}, {n}); }},
      {"conv1d", lines, [=](auto& x, N n) { conv1d(x, kernel, {.stride = n}); }},
      {"conv1d", lines, [=](auto& x, N n) { conv1d(x, kernel, {.padding = n}); }},
      {"conv1d", lines, [=](auto& x, N n) { conv1d(x, kernel, {.dilation = n}); }},
      {"conv1d", lines, [=](auto& x, N n) { conv1d(x, kernel, {.groups = n}); }},
      {"conv_transpose1d", lines, [=](auto& x, N n) { conv_transpose1d(x, kernel, {.stride = n}); }},
      {"conv_transpose1d", lines, [=](auto& x, N n) { conv_transpose1d(x, kernel, {.dilation = n}); }},
      {"max_pool1d", lines, [](auto& x, N n) { max_pool1d(x, n); }},
      {"max_pool1d", lines, [](auto& x, N n) { max_pool1d(x, 2, {.stride = n}); }},
      {"avg_pool1d", lines, [](auto& x, N n) { avg_pool1d(x, 2, {.padding = n}); }},
      {"adaptive_avg_pool1d", lines, [](auto& x, N n) { adaptive_avg_pool1d(x, n); }},
      {"adaptive_max_pool1d", lines, [](auto& x, N n) { adaptive_max_pool1d(x, n); }},
      {"layer_norm", matrices, [](auto& x, N n) { layer_norm(x, {n}); }},
      {"group_norm", squares, [](auto& x, N n) { group_norm(x, n); }},
      {"group_norm", squares, [](auto& x, N) { group_norm(x, 2); }},
      {"Flatten", squares, [](auto& x, N) { nn::Flatten{}(x); }},
  };
}

}  // namespace

TEST_CASE("a number that no tensor can have gives a result or a typed error at once, of every function that takes one",
          "[bad-input.2][bad-input.3][bad-input.5][bad-input.11]") {
  const std::int64_t live = memory_stats().live_bytes;
  int refused = 0;
  for (const Function& fn : functions())
    for (const Tensor& x : fn.of)
      for (const std::int64_t n :
           {INT64_MAX, INT64_MAX - 1, std::int64_t{1} << 62, huge, std::int64_t{-1}, INT64_MIN}) {
        INFO(fn.name << " of " << x.type().text() << " and " << n);
        try {
          fn.f(x, n);
        } catch (const Error& e) {
          CHECK(e.op() == fn.name);
          CHECK(e.site().find("bad_input_huge_test.cpp") != std::string::npos);
          ++refused;
        }
      }
  CHECK(refused > 500);
  CHECK(memory_stats().live_bytes == live);
}

TEST_CASE("of huge extents and no elements there are results, as of others", "[bad-input.3]") {
  const Tensor e = zeros({0, huge}), column = zeros({huge, 0});
  CHECK(tril(e).shape() == e.shape());
  CHECK(triu(column).shape() == column.shape());
  CHECK(unfold(zeros({0, 1, huge}), {3}).shape() == Shape{0, 3, huge - 2});
  CHECK(fold(zeros({0, 2, huge}), {huge + 1}, {2}).shape() == Shape{0, 1, huge + 1});
  CHECK(interpolate(zeros({0, 1, 2}), {INT64_MAX}).shape() == Shape{0, 1, INT64_MAX});
  CHECK(diff(column, INT_MAX, 0).shape() == Shape{huge - INT_MAX, 0});
  CHECK(repeat(zeros({3, 0}), {huge, 0, 1}, 0).shape() == Shape{huge + 1, 0});
  CHECK(group_norm(zeros({0, 4, huge, huge}), 2).shape() == Shape{0, 4, huge, huge});
  CHECK(nn::softmax_cross_entropy(zeros({0}, i64), e).shape() == Shape{0});
  const auto [outputs, state] = nn::LSTM(3, 4)(zeros({0, 1 << 30, 3}));
  CHECK(outputs.shape() == Shape{0, 1 << 30, 4});
  CHECK(state.c.shape() == Shape{0, 4});
  CHECK(nn::GRU(3, 4)(zeros({0, huge, 3})).first.shape() == Shape{0, huge, 4});
  CHECK(kron(zeros({0, huge}), zeros({2, 3})).shape() == Shape{0, 3 * huge});
}

TEST_CASE("of no elements gradients are empty, and those of weights zeros", "[bad-input.3]") {
  const Tensor x = zeros({0, 6, 3}), logits = zeros({0, 3});
  const nn::LSTM lstm(3, 4);
  const auto gradient = [&](const std::function<Tensor()>& f, const Tensor& by) {
    GradientTape tape;
    tape.watch(x, logits);
    return tape.gradient(sum(f()), by);
  };
  CHECK_SAME(gradient([&] { return lstm(x).first; }, lstm.weight_ih), zeros({3, 16}));
  CHECK_SAME(gradient([&] { return lstm(x).first; }, x), x);
  CHECK_SAME(gradient([&] { return nn::softmax_cross_entropy(zeros({0}, i64), logits); }, logits), logits);
  for (const auto& f : std::vector<std::function<Tensor()>>{
           [&] { return tril(x); }, [&] { return unfold(x, {2}); }, [&] { return fold(x, {4}, {2}); },
           [&] { return interpolate(x, {7}, Interpolation::linear); },
           [&] {
             return repeat(x, {1, 2, 3}, 2);
           },
           [&] { return group_norm(x, 2); }, [&] { return diff(x, 7, 1); }})
    CHECK_SAME(gradient(f, x), x);
}

TEST_CASE("lists of more parts than a list may have, and sums past 63 bits, are refused", "[golden][bad-input.1]") {
  CHECK(message_of<ArgumentError>([] { split(zeros({0}), INT64_MAX); }) ==
        "split: a list of 9223372036854775807 tensors, more than 1048576\n"
        "  in0  f32[0]\n"
        "  at HERE\n"
        "  hint: slice them off as needed");
  CHECK(message_of<ArgumentError>([] {
          unstack(zeros({huge, 0}));
        }) ==
        "unstack: a list of 1099511627776 tensors, more than 1048576\n"
        "  in0  f32[1099511627776, 0]\n"
        "  at HERE\n"
        "  hint: slice them off as needed");
  CHECK_THROWS_AS(chunk(zeros({huge, 0}), 1 << 30), ArgumentError);
  CHECK(split(zeros({0, 2}), 3)[2].shape() == Shape{0, 2});
  CHECK(message_of<ShapeError>([] {
          repeat(ones({3}), {INT64_MAX, INT64_MAX, 6}, 0);
        }) == "repeat: element count overflows\n  in0  f32[3]\n  at HERE");
  CHECK_THROWS_AS(repeat(ones({3}), {huge, 0, 0}, 0), OutOfMemory);
  CHECK(message_of<ShapeError>([] {
          interpolate(ones({1, 1, 2}), {INT64_MAX});
        }) ==
        "interpolate: element count overflows in [1, 1, 9223372036854775807]\n"
        "  in0  f32[1, 1, 2]\n"
        "  at HERE");
  constexpr std::int64_t half = std::int64_t{1} << 62;
  CHECK_THROWS_AS(kron(zeros({half, 0}), zeros({4, 0})), ShapeError);  // 2^64: no extent 0
  CHECK_THROWS_AS(pixel_shuffle(zeros({0, 16, half, 1}), 4), ShapeError);
  CHECK_THROWS_AS(pixel_unshuffle(zeros({0, half, 4, 4}), 4), ShapeError);
  CHECK_THROWS_AS(unfold(zeros({0, half, 4}), {4}), ShapeError);
}
