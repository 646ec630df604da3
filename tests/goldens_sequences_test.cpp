// Recurrent layers, where the order of gates and the place of biases differ, as PyTorch has them (tools/goldens.py).
#include "golden.h"

using namespace weft;
using namespace weft::test;
using Tensors = std::vector<Tensor>;

TEST_CASE("LSTM and GRU are PyTorch's: the order of their gates, and where the reset gate works", "[golden]") {
  nn::LSTM lstm(3, 4, true, f64);
  lstm.weight_ih.assign(golden("lstm.weight_ih"));
  lstm.weight_hh.assign(golden("lstm.weight_hh"));
  lstm.bias->assign(golden("lstm.bias_ih") + golden("lstm.bias_hh"));
  const nn::LSTMState first{golden("lstm.h"), golden("lstm.c")};
  check_golden("lstm", {"x"}, [&](const Tensors& t) { return lstm(t[0], first).first; });
  CHECK_NEAR(lstm(golden("lstm.x"), first).second.h, golden("lstm.last"), 1e-13);

  nn::GRU gru(3, 4, true, f64);
  gru.weight_ih.assign(golden("gru.weight_ih"));
  gru.weight_hh.assign(golden("gru.weight_hh"));
  gru.bias_ih->assign(golden("gru.bias_ih"));
  gru.bias_hh->assign(golden("gru.bias_hh"));
  check_golden("gru", {"x"}, [&](const Tensors& t) { return gru(t[0], golden("gru.h")).first; });
  CHECK_NEAR(gru(golden("gru.x"), golden("gru.h")).second, golden("gru.last"), 1e-13);
}

TEST_CASE("plain recurrent layers and their cells are PyTorch's", "[golden]") {
  for (const bool relu : {false, true}) {
    const std::string name = relu ? "rnn_relu" : "rnn_tanh";
    nn::RNN rnn(3, 4, relu, true, f64);
    rnn.weight_ih.assign(golden(name + ".weight_ih"));
    rnn.weight_hh.assign(golden(name + ".weight_hh"));
    rnn.bias->assign(golden(name + ".bias"));
    const Tensor first = golden(name + ".h"), x = golden(name + ".x");
    check_golden(name, {"x"}, [&](const Tensors& t) { return rnn(t[0], first).first; });
    CHECK_NEAR(rnn(x, first).second, golden(name + ".last"), 1e-13);
    const nn::RNNCell& cell = rnn;
    const auto step = [](const Tensor& t) { return squeeze(slice_axis(t, 1, 0, 1), 1); };
    CHECK_NEAR(cell(step(x), first), step(golden(name + ".y")), 1e-13);
  }
}

TEST_CASE("attention is PyTorch's: masks, biases, the causal triangle of fewer queries than keys", "[golden]") {
  const Tensor sees = golden("attention.sees") > 0;
  check_golden("attention_masked", {"q", "k", "v"},
               [&](const Tensors& t) { return scaled_dot_product_attention(t[0], t[1], t[2], {.mask = sees}); });
  check_golden("attention_biased", {"q", "k", "v", "m"}, [](const Tensors& t) {
    return scaled_dot_product_attention(t[0], t[1], t[2], {.mask = t[3], .scale = 0.3});
  });
  check_golden("attention_causal", {"q", "k", "v"},
               [](const Tensors& t) { return scaled_dot_product_attention(t[0], t[1], t[2], {.causal = true}); });
}
