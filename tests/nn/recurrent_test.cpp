// Recurrent layers: cells against their formulas, sequences against cells, one loop however long, gradients, bits.
#include <weft/weft.h>

#include <cmath>
#include <functional>
#include <type_traits>
#include <vector>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

double at(const Tensor& t, std::int64_t i, std::int64_t j) { return t.at({i, j}); }

Tensor rows_from(std::int64_t batch, std::int64_t hidden, const std::function<double(std::int64_t, std::int64_t)>& f) {
  return filled({batch, hidden}, f64, [&](std::int64_t i) { return f(i / hidden, i % hidden); });
}
double sigma(double x) { return 1 / (1 + std::exp(-x)); }

// A sequence as its cell makes it, a step after the other.
template <class Cell, class State> Tensor by_hand(const Cell& cell, const Tensor& x, State state) {
  std::vector<Tensor> outputs;
  for (std::int64_t t = 0; t < x.shape()[1]; ++t) {
    state = cell(squeeze(slice_axis(x, 1, t, t + 1), Ints{1}), state);
    if constexpr (std::is_same_v<State, nn::LSTMState>)
      outputs.push_back(state.h);
    else
      outputs.push_back(state);
  }
  return stack(outputs, 1);
}

}  // namespace

TEST_CASE("an LSTM cell is its formula, gates in the order i, f, g, o", "[recurrent]") {
  random::Generator g(1);
  const nn::LSTMCell cell(3, 2, true, f64, g);
  Random r(2);
  const Tensor x = random_tensor(r, {4, 3}, f64), h = random_tensor(r, {4, 2}, f64), c = random_tensor(r, {4, 2}, f64);
  const Tensor gates = matmul(x, cell.weight_ih) + matmul(h, cell.weight_hh) + *cell.bias;
  const auto next_c = [&](std::int64_t b, std::int64_t j) {
    return sigma(at(gates, b, 2 + j)) * at(c, b, j) + sigma(at(gates, b, j)) * std::tanh(at(gates, b, 4 + j));
  };
  const nn::LSTMState next = cell(x, nn::LSTMState{h, c});
  CHECK_NEAR(next.c, rows_from(4, 2, next_c), 1e-14);
  CHECK_NEAR(next.h,
             rows_from(4, 2, [&](auto b, auto j) { return sigma(at(gates, b, 6 + j)) * std::tanh(next_c(b, j)); }),
             1e-14);
  const nn::LSTMState zero{zeros({4, 2}, f64), zeros({4, 2}, f64)};
  CHECK_SAME(cell(x).h, cell(x, zero).h);
}

TEST_CASE("a GRU cell is its formula, gates in the order r, z, n, the reset after the product", "[recurrent]") {
  random::Generator g(1);
  const nn::GRUCell cell(3, 2, true, f64, g);
  Random r(2);
  const Tensor x = random_tensor(r, {4, 3}, f64), h = random_tensor(r, {4, 2}, f64);
  const Tensor in = matmul(x, cell.weight_ih) + *cell.bias_ih, rec = matmul(h, cell.weight_hh) + *cell.bias_hh;
  CHECK_NEAR(cell(x, h),
             rows_from(4, 2,
                       [&](auto b, auto j) {
                         const double reset = sigma(at(in, b, j) + at(rec, b, j)),
                                      z = sigma(at(in, b, 2 + j) + at(rec, b, 2 + j)),
                                      n = std::tanh(at(in, b, 4 + j) + reset * at(rec, b, 4 + j));
                         return (1 - z) * n + z * at(h, b, j);
                       }),
             1e-14);
}

TEST_CASE("a plain RNN cell is tanh or relu of a sum", "[recurrent]") {
  random::Generator g(1);
  const nn::RNNCell cell(3, 2, false, true, f64, g), linear(3, 2, true, false, f64, g);
  Random r(2);
  const Tensor x = random_tensor(r, {4, 3}, f64), h = random_tensor(r, {4, 2}, f64);
  CHECK_NEAR(cell(x, h), tanh(matmul(x, cell.weight_ih) + matmul(h, cell.weight_hh) + *cell.bias), 1e-14);
  CHECK_NEAR(linear(x, h), relu(matmul(x, linear.weight_ih) + matmul(h, linear.weight_hh)), 1e-14);
  CHECK_FALSE(linear.bias);
}

TEST_CASE("a sequence is its cell, step by step, with the same gradients", "[recurrent]") {
  random::Generator g(1);
  Random r(2);
  const Tensor x = random_tensor(r, {3, 5, 4}, f64), h = random_tensor(r, {3, 2}, f64),
               c = random_tensor(r, {3, 2}, f64);
  const auto check = [&](const auto& layer, const auto& cell, const auto& state) {
    const auto [y, last] = layer(x, state);
    CHECK(y.shape() == Shape{3, 5, 2});
    CHECK_NEAR(y, by_hand(cell, x, state), 1e-14);
    const auto gradients = [&](const auto& f) {
      GradientTape tape;
      tape.watch(x);
      const Tensor loss = sum(sin(f(x) * 3));
      const auto [dx, weights] = tape.gradient(loss, x, layer);
      return std::vector<Tensor>{dx, weights[layer.weight_ih], weights[layer.weight_hh]};
    };
    const auto loop = gradients([&](const Tensor&t) { return layer(t, state).first; }),
               steps = gradients([&](const Tensor&t) { return by_hand(cell, t, state); });
    for (std::size_t i = 0; i < loop.size(); ++i) CHECK_NEAR(loop[i], steps[i], 1e-13);
    const auto f = [&](const auto& l, const Tensor& in, const auto& s) { return l(in, s); };
    CHECK(gradcheck(f, std::tuple(layer, slice_axis(x, 1, 0, 2), state), {.order = 1}).message == "");
    const auto examples = [&](const Tensor& in, const auto& s) { return layer(in, s).first; };
    CHECK_NEAR(vmap(examples, {.in_axes = {0, std::nullopt}})(stack({x, x * 2}), state),
               stack({examples(x, state), examples(x * 2, state)}), 1e-14);
  };
  const nn::LSTM lstm(4, 2, true, f64, g);
  check(lstm, static_cast<const nn::LSTMCell&>(lstm), nn::LSTMState{h, c});
  const nn::GRU gru(4, 2, true, f64, g);
  check(gru, static_cast<const nn::GRUCell&>(gru), h);
  const nn::RNN rnn(4, 2, false, true, f64, g);
  check(rnn, static_cast<const nn::RNNCell&>(rnn), h);
  CHECK_SAME(lstm(x).second.h, squeeze(slice_axis(lstm(x).first, 1, 4, 5), Ints{1}));
  CHECK_SAME(gru(x).first, gru(x, zeros({3, 2}, f64)).first);
}

TEST_CASE("a compiled recurrent step gives the eager bits, and is no longer for a longer sequence", "[recurrent]") {
  const auto nodes_of = [](std::int64_t steps) {
    random::Generator g(1);
    struct Net {
      nn::LSTM lstm;
      nn::Linear head;
      WEFT_MEMBERS(lstm, head)
    };
    Net net{nn::LSTM(8, 16, true, f32, g), nn::Linear(16, 3, true, nn::init::glorot_uniform, f32, g)};
    Net eager = net;
    nn::SGD opt(net, {.learning_rate = 0.1}), eager_opt(eager, {.learning_rate = 0.1});
    const auto step_of = [](Net& n, nn::Optimizer& o) {
      return [&](const Tensor& x, const Tensor& y) {
        GradientTape tape;
        const Tensor outputs = n.lstm(x).first;
        const std::int64_t t = x.shape()[1];
        const Tensor loss =
            mean(nn::softmax_cross_entropy(y, n.head(squeeze(slice_axis(outputs, 1, t - 1, t), Ints{1}))));
        o.apply(tape.gradient(loss, n));
        return loss;
      };
    };
    auto step = compile(step_of(net, opt));
    Random r(3);
    const Tensor x = random_tensor(r, {5, steps, 8}, f32), y = tensor<std::int64_t>({0, 1, 2, 1, 0});
    for (int i = 0; i < 3; ++i) CHECK_SAME(step(x, y), step_of(eager, eager_opt)(x, y));
    CHECK_SAME(net.lstm.weight_hh.value(), eager.lstm.weight_hh.value());
    CHECK_SAME(net.lstm.weight_ih.value(), eager.lstm.weight_ih.value());
    return step.stats().nodes;
  };
  CHECK(nodes_of(3) == nodes_of(30));
}

TEST_CASE("recurrent layers say what they are, and where their parameters are", "[recurrent]") {
  const nn::LSTM lstm(64, 128);
  CHECK(lstm.text() == "LSTM 64 -> 128");
  CHECK(nn::parameters(lstm)[1].path() == "weight_hh");
  CHECK(nn::count_parameters(lstm) == 64 * 512 + 128 * 512 + 512);
  CHECK(max(abs(lstm.weight_hh.value())).item() <= 1 / std::sqrt(128.0));
  CHECK(nn::GRU(2, 3).text() == "GRU 2 -> 3");
  CHECK(nn::count_parameters(nn::GRU(2, 3)) == 2 * 9 + 3 * 9 + 18);
  CHECK(nn::RNNCell(2, 3).text() == "RNNCell 2 -> 3");
}

TEST_CASE("a number of layers or a rate is no bool", "[nn]") {
  STATIC_REQUIRE(std::is_constructible_v<nn::LSTM, int, int, bool>);
  STATIC_REQUIRE(std::is_constructible_v<nn::GRU, int, int, bool, DType>);
  STATIC_REQUIRE(!std::is_constructible_v<nn::LSTM, int, int, int>);
  STATIC_REQUIRE(!std::is_constructible_v<nn::GRUCell, int, int, int, DType>);
  STATIC_REQUIRE(!std::is_constructible_v<nn::RNN, int, int, int>);
  STATIC_REQUIRE(!std::is_constructible_v<nn::MultiHeadAttention, int, int, double>);
}

TEST_CASE("Bidirectional goes through a sequence from both ends", "[recurrent]") {
  random::Generator g(5);
  const nn::Bidirectional both(nn::GRU(3, 2, true, f64, g), nn::GRU(3, 4, true, f64, g));
  Random r(6);
  const Tensor x = random_tensor(r, {2, 5, 3}, f64), h = random_tensor(r, {2, 2}, f64);
  const auto [outputs, states] = both(x);
  CHECK(outputs.shape() == Shape{2, 5, 6});
  const auto [ahead, ahead_state] = both.forward(x);
  const auto [back, back_state] = both.backward(flip(x, {1}));
  CHECK_SAME(outputs, concat({ahead, flip(back, {1})}, 2));
  CHECK_SAME(states.first, ahead_state);
  CHECK_SAME(states.second, back_state);
  const auto [from_h, end] = both(x, std::pair(h, zeros({2, 4}, f64)));
  CHECK_SAME(slice_axis(from_h, 2, 0, 2), both.forward(x, h).first);
  CHECK_SAME(end.second, back_state);
  CHECK(nn::parameters(both).size() == 8);
  CHECK(nn::parameters(both)[4].path() == "backward.weight_ih");
  CHECK(gradcheck([&](const Tensor& t) { return both(t).first; }, x).message == "");
  auto compiled = compile([&](const Tensor& t) { return both(t).first; });
  CHECK_SAME(compiled(x), outputs);
  const nn::Bidirectional lstm(nn::LSTM(3, 2), nn::LSTM(3, 2));
  CHECK(lstm(zeros({1, 4, 3})).second.second.c.shape() == Shape{1, 2});
  CHECK_THROWS_AS(lstm(zeros({4, 3})), ShapeError);
  CHECK_THROWS_AS(lstm(zeros({1, 0, 3})), ShapeError);
}

TEST_CASE("under a mask each sequence is what it is by itself, wherever it ends", "[recurrent]") {
  random::Generator g(7);
  Random r(8);
  const Tensor lengths = tensor<std::int64_t>({3, 5, 0, 1}), mask = nn::sequence_mask(lengths, 5);
  Tensor x = random_tensor(r, {4, 5, 3}, f64);
  x = where(expand(mask, -1), x, nan(""));  // padding is not looked at
  const auto check = [&](const auto& layer, const auto& start, const auto& h_of) {
    const auto [outputs, last] = layer(x, start, mask);
    for (std::int64_t b = 0; b < 4; ++b) {
      const auto n = static_cast<std::int64_t>(lengths.at({b}));
      const auto row = [&](const Tensor& t) { return slice_axis(t, 0, b, b + 1); };
      CHECK_SAME(slice_axis(row(outputs), 1, n, 5), zeros({1, 5 - n, 2}, f64));
      const auto own_start = map_leaves(start, [&](const Tensor& t) { return row(t); });
      if (n == 0) {
        CHECK_SAME(row(h_of(last)), h_of(own_start));
        continue;
      }
      const auto [alone, end] = layer(slice_axis(row(x), 1, 0, n), own_start);
      CHECK_SAME(slice_axis(row(outputs), 1, 0, n), alone);
      CHECK_SAME(row(h_of(last)), h_of(end));
    }
    GradientTape tape;
    tape.watch(x);
    const auto both = layer(x, start, mask);
    const auto [dx, weights] = tape.gradient(sum(sin(both.first)) + sum(cos(h_of(both.second))), x, layer);
    CHECK_SAME(where(expand(mask, -1), 0, dx), zeros({4, 5, 3}, f64));
    for (const auto& [v, gradient] : weights) CHECK(all(isfinite(gradient)).template item<bool>());
    const auto f = [&](const Tensor& t) { return layer(t, start, mask).first; };
    CHECK(gradcheck(f, where(expand(mask, -1), x, 0.5)).message == "");
    CHECK_SAME(compile(f)(x), f(x));
  };
  const Tensor h = random_tensor(r, {4, 2}, f64), c = random_tensor(r, {4, 2}, f64);
  const auto same = [](const Tensor& t) { return t; };
  check(nn::LSTM(3, 2, true, f64, g), nn::LSTMState{h, c}, [](const nn::LSTMState& s) { return s.h; });
  check(nn::GRU(3, 2, true, f64, g), h, same);
  check(nn::RNN(3, 2, true, true, f64, g), h, same);

  const nn::Bidirectional both(nn::GRU(3, 2, true, f64, g), nn::GRU(3, 2, true, f64, g));
  const auto [outputs, states] = both(x, {}, mask);
  const auto [alone, ends] = both(slice_axis(slice_axis(x, 0, 0, 1), 1, 0, 3));
  CHECK_SAME(slice_axis(slice_axis(outputs, 0, 0, 1), 1, 0, 3), alone);
  CHECK_SAME(slice_axis(states.second, 0, 0, 1), ends.second);

  const nn::GRU gru(3, 2, true, f64, g);
  CHECK_SAME(gru(x, {}, ones({4, 5}, boolean)).first, gru(x).first);
  CHECK(gru(zeros({0, 5, 3}, f64), {}, ones({0, 5}, boolean)).first.shape() == Shape{0, 5, 2});
  CHECK_THROWS_AS(gru(x, {}, ones({4, 4}, boolean)), ShapeError);
  CHECK_THROWS_AS(gru(x, {}, ones({4, 5}, f64)), DTypeError);
  CHECK_THROWS_AS(gru(x, {}, Tensor()), ArgumentError);
  CHECK_SAME(nn::sequence_mask(tensor<std::int32_t>({2, 0}), 2), tensor<bool>({{true, true}, {false, false}}));
  CHECK_THROWS_AS(nn::sequence_mask(tensor({1.0}), 2), DTypeError);
  CHECK_THROWS_AS(nn::sequence_mask(lengths, -1), ArgumentError);
}
