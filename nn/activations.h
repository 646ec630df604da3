// Activations as layers, for Sequential. The functions themselves are in ops/activations.h.
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/structure.h"
#include "../ops/activations.h"
#include "../ops/compose.h"
#include "../ops/math.h"
#include "../tensor/site.h"

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
struct Mish {
  Tensor operator()(const Arg& x) const { return mish(x); }
  std::string text() const { return "Mish"; }
};
struct Relu6 {
  Tensor operator()(const Arg& x) const { return relu6(x); }
  std::string text() const { return "Relu6"; }
};
struct LeakyRelu {
  double slope = 0.01;
  Tensor operator()(const Arg& x) const { return leaky_relu(x, slope); }
  std::string text() const { return "LeakyRelu"; }
};
struct Elu {
  double alpha = 1;
  Tensor operator()(const Arg& x) const { return elu(x, alpha); }
  std::string text() const { return "Elu"; }
};
struct Selu {
  Tensor operator()(const Arg& x) const { return selu(x); }
  std::string text() const { return "Selu"; }
};
struct Celu {
  double alpha = 1;
  Tensor operator()(const Arg& x) const { return celu(x, alpha); }
  std::string text() const { return "Celu"; }
};
struct Softsign {
  Tensor operator()(const Arg& x) const { return softsign(x); }
  std::string text() const { return "Softsign"; }
};
struct HardSigmoid {
  Tensor operator()(const Arg& x) const { return hard_sigmoid(x); }
  std::string text() const { return "HardSigmoid"; }
};
struct HardSwish {
  Tensor operator()(const Arg& x) const { return hard_swish(x); }
  std::string text() const { return "HardSwish"; }
};
struct LogSigmoid {
  Tensor operator()(const Arg& x) const { return log_sigmoid(x); }
  std::string text() const { return "LogSigmoid"; }
};
struct Glu {
  std::int64_t axis = -1;
  Tensor operator()(const Arg& x) const { return glu(x, axis); }
  std::string text() const { return "Glu"; }
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

/// prelu with a weight of its own: one for all, or one for each channel, axis 1 of the input.
struct Prelu {
  Variable weight;  ///< [channels]

  /// ArgumentError if channels is below 1.
  explicit Prelu(std::int64_t channels = 1, double initial = 0.25, DType dtype = f32, Site site = Site::current());
  Tensor operator()(const Arg& x) const { return prelu(x, weight); }
  /// "Prelu 64"
  std::string text() const;

  WEFT_MEMBERS(weight)
};

}  // namespace weft::nn
