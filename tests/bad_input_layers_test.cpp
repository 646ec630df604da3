// Bad inputs of the layers and functions that models are made of, in the style of bad_input_test.cpp.
#include <weft/weft.h>

#include <cmath>
#include <string>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("norms refuse what does not fit their channels", "[golden][bad-input.16]") {
  const Tensor x = zeros({2, 3, 4});
  CHECK(message_of<ShapeError>([&] { batch_norm_training(x, ones({4})); }) ==
        "batch_norm_training: weight has shape [4], not [3]\n"
        "  x         f32[2, 3, 4]\n"
        "  weight    f32[4]\n"
        "  at HERE");
  CHECK(message_of<NumericsError>([&] {
          batch_norm(x, zeros({3}), tensor({1, -1e-9, 1}));
        }) ==
        "batch_norm: a variance is negative or not finite: of their roots 1 of 3 elements are not finite; the first is "
        "nan at [1]\n"
        "  x         f32[2, 3, 4]\n"
        "  mean      f32[3]\n"
        "  variance  f32[3]\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] {
          batch_norm_training(zeros({1, 3}));
        }) ==
        "batch_norm_training: 1 values a channel: the variance in training needs two\n"
        "  x         f32[1, 3]\n"
        "  at HERE");
  CHECK_THROWS_AS(batch_norm_training(zeros({0, 3})), ArgumentError);
  CHECK_THROWS_AS(batch_norm_training(zeros({3})), ShapeError);
  CHECK_THROWS_AS(batch_norm(x, {}, ones({3})), ArgumentError);
  CHECK_THROWS_AS(batch_norm(x, zeros({3}), ones({3}, f64)), DTypeError);
  CHECK_THROWS_AS(batch_norm_training(x, {}, {}, -1), ArgumentError);
  CHECK_THROWS_AS(batch_norm_training(x, {}, {}, NAN), ArgumentError);
  CHECK(message_of<ShapeError>([&] { layer_norm(x, {3}); }) ==
        "layer_norm: x is [2, 3, 4], whose last extents are not [3]\n"
        "  x         f32[2, 3, 4]\n"
        "  at HERE");
  CHECK_THROWS_AS(layer_norm(x, {1, 2, 3, 4}), ShapeError);
  CHECK_THROWS_AS(layer_norm(x, {}), ShapeError);
  CHECK_THROWS_AS(layer_norm(zeros({2, 3}, i32), {3}), DTypeError);
  CHECK_THROWS_AS(rms_norm(x, {4}, ones({1})), ShapeError);  // never broadcast
  CHECK(message_of<ArgumentError>([&] { group_norm(x, 2); }) ==
        "group_norm: 2 groups do not divide 3 channels\n"
        "  x         f32[2, 3, 4]\n"
        "  at HERE");
  CHECK_THROWS_AS(group_norm(x, 0), ArgumentError);
  CHECK_THROWS_AS(instance_norm(Tensor()), ArgumentError);
}

TEST_CASE("a norm layer names itself", "[golden][bad-input.16]") {
  CHECK(message_of<ShapeError>([] {
          nn::BatchNorm(3)(zeros({2, 4}));
        }) ==
        "BatchNorm: BatchNorm 3 takes [N, 3, ...], not [2, 4]\n"
        "  x    f32[2, 4]\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([] { nn::GroupNorm(2, 5); }) ==
        "GroupNorm: 2 groups do not divide 5 channels\n"
        "  at HERE");
  CHECK_THROWS_AS(nn::BatchNorm(0), ArgumentError);
  CHECK_THROWS_AS(nn::BatchNorm(2, 1e-5, 1.5), ArgumentError);
  CHECK_THROWS_AS(nn::LayerNorm({}), ArgumentError);
  CHECK_THROWS_AS(nn::LayerNorm({3, 0}), ArgumentError);
  nn::BatchNorm layer(2);
  const Tensor before = layer.running_mean;
  CHECK_THROWS_AS(layer(ones({1, 2})), ArgumentError);
  CHECK_SAME(layer.running_mean.value(), before);
  layer.running_var.assign(tensor({1, -1}));
  const nn::EvalScope eval;
  CHECK(message_of<NumericsError>([&] {
          layer(ones({1, 2}));
        }) ==
        "BatchNorm: a variance is negative or not finite: of their roots 1 of 2 elements are not finite; the first is "
        "nan at [1]\n"
        "  x           f32[1, 2]\n"
        "  running_var f32[2]         \"running_var\"\n"
        "  at HERE");
  auto compiled = compile([&](const Tensor& x) { return layer(x); });
  CHECK_THROWS_AS(compiled(ones({1, 2})), NumericsError);
}

TEST_CASE("recurrent layers refuse states and sequences that do not fit", "[golden][bad-input.17]") {
  const nn::LSTM lstm(3, 4);
  const Tensor x = zeros({2, 5, 3}), h = zeros({2, 4});
  CHECK(message_of<ShapeError>([&] {
          lstm(x, nn::LSTMState{zeros({1, 2, 4}), h});
        }) ==
        "LSTM: h has shape [1, 2, 4], not [2, 4]\n"
        "  x    f32[2, 5, 3]\n"
        "  h    f32[1, 2, 4]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([&] {
          lstm(x, nn::LSTMState{h, zeros({2, 5})});
        }) ==
        "LSTM: c has shape [2, 5], not [2, 4]\n"
        "  x    f32[2, 5, 3]\n"
        "  h    f32[2, 4]\n"
        "  c    f32[2, 5]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([&] {
          lstm(zeros({2, 0, 3}));
        }) ==
        "LSTM: a sequence of no steps: [2, 0, 3]\n"
        "  x    f32[2, 0, 3]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([&] {
          lstm(zeros({2, 5, 4}));
        }) ==
        "LSTM: 3 -> 4 takes [B, T, 3], not [2, 5, 4]\n"
        "  x    f32[2, 5, 4]\n"
        "  at HERE");
  CHECK_THROWS_AS(lstm(zeros({2, 3})), ShapeError);
  CHECK_THROWS_AS(lstm(cast(x, f64)), DTypeError);
  CHECK_THROWS_AS(lstm(x, nn::LSTMState{h, Tensor()}), ArgumentError);
  CHECK_THROWS_AS(nn::GRU(3, 4)(x, zeros({4})), ShapeError);
  CHECK_THROWS_AS(nn::RNN(3, 4)(x, zeros({2, 4}, f64)), DTypeError);
  CHECK_THROWS_AS(nn::LSTMCell(3, 4)(x), ShapeError);
  CHECK(message_of<ArgumentError>([] { nn::GRU(0, 4); }) ==
        "GRU: 0 -> 4\n"
        "  at HERE\n"
        "  hint: both extents are at least 1");
  CHECK(lstm(zeros({0, 5, 3})).first.shape() == Shape{0, 5, 4});
}

TEST_CASE("attention refuses what does not fit, at its door", "[golden]") {
  const Tensor q = zeros({2, 3, 4}), k = zeros({2, 5, 4}), v = zeros({2, 5, 6});
  const auto attend = [](const Tensor& a, const Tensor& b, const Tensor& c, const AttentionOptions& o = {}) {
    return scaled_dot_product_attention(a, b, c, o);
  };
  CHECK(message_of<ShapeError>([&] {
          attend(q, zeros({2, 5, 3}), v);
        }) ==
        "scaled_dot_product_attention: a query has 4 numbers and a key 3: [2, 3, 4] and [2, 5, 3]\n"
        "  query f32[2, 3, 4]\n"
        "  key   f32[2, 5, 3]\n"
        "  value f32[2, 5, 6]\n"
        "  at HERE");
  CHECK_THROWS_AS(attend(q, k, zeros({2, 4, 6})), ShapeError);
  CHECK_THROWS_AS(attend(q, zeros({3, 5, 4}), v), ShapeError);
  CHECK_THROWS_AS(attend(zeros({4}), k, v), ShapeError);
  CHECK_THROWS_AS(attend(q, cast(k, f64), v), DTypeError);
  CHECK_THROWS_AS(attend(cast(q, i32), cast(k, i32), cast(v, i32)), DTypeError);
  CHECK_THROWS_AS(attend(q, k, v, {.mask = zeros({2, 3, 4}, DType::boolean)}), ShapeError);
  CHECK_THROWS_AS(attend(q, k, v, {.mask = zeros({3, 5}, i32)}), DTypeError);
  CHECK_THROWS_AS(attend(q, k, v, {.mask = zeros({3, 5}, f64)}), DTypeError);
  CHECK_THROWS_AS(attend(q, k, v, {.scale = NAN}), ArgumentError);
  CHECK_THROWS_AS(attend(q, k, Tensor()), ArgumentError);
  CHECK(message_of<ArgumentError>([] { nn::MultiHeadAttention(6, 4); }) ==
        "MultiHeadAttention: 4 heads do not divide a width of 6\n"
        "  at HERE");
  CHECK_THROWS_AS(nn::MultiHeadAttention(6, 2)(zeros({2, 6})), ShapeError);
  CHECK_THROWS_AS(nn::MultiHeadAttention(6, 2)(zeros({2, 3, 6}), zeros({2, 3, 5})), ShapeError);
}
