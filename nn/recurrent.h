// Recurrent layers, and their cells: one step of them. A sequence is one loop (scan) around the hidden state's part of
// a step; the inputs' part of all steps is one product before it.
//
// Weights are [in, gates] and [hidden, gates], uniform within 1 / sqrt(hidden) at first, as are biases. Sequences are
// x [B, T, in] to [B, T, hidden] and the last state; the first state is 0 unless it is given, each part [B, hidden].
// ShapeError for other shapes and for T = 0.
//     nn::LSTM lstm(64, 128);
//     auto [outputs, state] = lstm(x);   // [B, T, 128], {h, c}
// Sequences of several lengths are padded to one, and a mask, bool[B, T], says which steps are theirs: at the others
// the state stays what it is, the output is 0, and x is not looked at. So the last state is that at each one's end.
//     auto [outputs, state] = lstm(x, {}, nn::sequence_mask(lengths, 20));
// Layers above each other are several of these: auto [top, state2] = second(outputs). See Bidirectional for both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "../autograd/structure.h"
#include "../ops/arg.h"
#include "../ops/flag.h"
#include "../ops/random.h"

namespace weft::nn {

/// Which steps of padded sequences are theirs: of i32 or i64 lengths [...] bool[..., steps], true where the step's
/// number is below the length.
Tensor sequence_mask(const Arg& lengths, std::int64_t steps);

/// What an LSTM hands from step to step.
struct LSTMState {
  Tensor h, c;
  WEFT_MEMBERS(h, c)
};

/// One step: x [B, in] and a state to the next one. The columns of the weights are the gates i, f, g, o; one bias, [4
/// hidden]: c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'). Hochreiter and Schmidhuber, 1997; Gers et
/// al., 2000.
struct LSTMCell {
  Variable weight_ih, weight_hh;
  std::optional<Variable> bias;

  /// ArgumentError if an extent is below 1.
  LSTMCell(std::int64_t in, std::int64_t hidden, Flag bias = true, DType dtype = f32,
           random::Generator& generator = random::default_generator(), Site site = Site::current());
  LSTMState operator()(const Arg& x, const std::optional<LSTMState>& state = {}) const;
  std::string text() const;
  WEFT_MEMBERS(weight_ih, weight_hh, bias)
};
/// A sequence of them.
struct LSTM : LSTMCell {
  using LSTMCell::LSTMCell;
  std::pair<Tensor, LSTMState> operator()(const Arg& x, const std::optional<LSTMState>& state = {},
                                          const std::optional<Tensor>& mask = {}) const;
  /// "LSTM 64 -> 128"
  std::string text() const;
};

/// One step: gates r, z, n, a bias for each of the two products: n = tanh(x n + r (h n)), h' = (1 - z) n + z h. The
/// variant that PyTorch and Keras have (the reset gate after the product). Cho et al., arXiv:1406.1078.
struct GRUCell {
  Variable weight_ih, weight_hh;
  std::optional<Variable> bias_ih, bias_hh;

  /// ArgumentError if an extent is below 1.
  GRUCell(std::int64_t in, std::int64_t hidden, Flag bias = true, DType dtype = f32,
          random::Generator& generator = random::default_generator(), Site site = Site::current());
  Tensor operator()(const Arg& x, const std::optional<Tensor>& h = {}) const;
  std::string text() const;
  WEFT_MEMBERS(weight_ih, weight_hh, bias_ih, bias_hh)
};
/// A sequence of them.
struct GRU : GRUCell {
  using GRUCell::GRUCell;
  std::pair<Tensor, Tensor> operator()(const Arg& x, const std::optional<Tensor>& h = {},
                                       const std::optional<Tensor>& mask = {}) const;
  /// "GRU 64 -> 128"
  std::string text() const;
};

/// One step: h' = tanh(x W + h U + b), or relu. Elman, 1990.
struct RNNCell {
  Variable weight_ih, weight_hh;
  std::optional<Variable> bias;
  bool relu;

  /// ArgumentError if an extent is below 1.
  RNNCell(std::int64_t in, std::int64_t hidden, Flag relu = false, Flag bias = true, DType dtype = f32,
          random::Generator& generator = random::default_generator(), Site site = Site::current());
  Tensor operator()(const Arg& x, const std::optional<Tensor>& h = {}) const;
  std::string text() const;
  WEFT_MEMBERS(weight_ih, weight_hh, bias)
  WEFT_OPTIONS(relu)
};
/// A sequence of them.
struct RNN : RNNCell {
  using RNNCell::RNNCell;
  std::pair<Tensor, Tensor> operator()(const Arg& x, const std::optional<Tensor>& h = {},
                                       const std::optional<Tensor>& mask = {}) const;
  /// "RNN 64 -> 128"
  std::string text() const;
};

}  // namespace weft::nn
