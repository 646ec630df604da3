// Activations as layers, for Sequential. The functions themselves are in ops/.
#pragma once

#include "../ops/compose.h"
#include "../ops/math.h"

namespace weft::nn {

struct Relu {
  Tensor operator()(const Arg& x) const { return relu(x); }
};
struct Sigmoid {
  Tensor operator()(const Arg& x) const { return sigmoid(x); }
};
struct Tanh {
  Tensor operator()(const Arg& x) const { return tanh(x); }
};
struct Gelu {
  bool approximate = false;
  Tensor operator()(const Arg& x) const { return gelu(x, approximate); }
};
struct Silu {
  Tensor operator()(const Arg& x) const { return silu(x); }
};
struct Softplus {
  Tensor operator()(const Arg& x) const { return softplus(x); }
};
struct Softmax {
  std::int64_t axis = -1;
  Tensor operator()(const Arg& x) const { return softmax(x, axis); }
};

}  // namespace weft::nn
