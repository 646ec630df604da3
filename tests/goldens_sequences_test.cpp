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
