// Activations as layers, for Sequential. The functions themselves are in ops/.
#pragma once

#include <string>

#include "../ops/compose.h"
#include "../ops/math.h"

namespace weft::nn {

struct Relu {
  Tensor operator()(const Arg& x) const { return relu(x); }
  std::string text() const { return "Relu"; }
};
struct Sigmoid {
  Tensor operator()(const Arg& x) const { return sigmoid(x); }
  std::string text() const { return "Sigmoid"; }
};
struct Tanh {
  Tensor operator()(const Arg& x) const { return tanh(x); }
  std::string text() const { return "Tanh"; }
};
struct Gelu {
  bool approximate = false;
  Tensor operator()(const Arg& x) const { return gelu(x, approximate); }
  std::string text() const { return approximate ? "Gelu by tanh" : "Gelu"; }
};
struct Silu {
  Tensor operator()(const Arg& x) const { return silu(x); }
  std::string text() const { return "Silu"; }
};
struct Softplus {
  Tensor operator()(const Arg& x) const { return softplus(x); }
  std::string text() const { return "Softplus"; }
};
struct Softmax {
  std::int64_t axis = -1;
  Tensor operator()(const Arg& x) const { return softmax(x, axis); }
  std::string text() const { return "Softmax"; }
};

}  // namespace weft::nn
