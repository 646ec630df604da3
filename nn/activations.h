// Activations as layers, for Sequential, each a module in profiles. The functions themselves are in ops/activations.h.
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/structure.h"
#include "../ops/activations.h"
#include "../ops/compose.h"
#include "../ops/math.h"
#include "../tensor/scope.h"
#include "../tensor/site.h"

namespace weft::nn {

struct Relu {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Relu");
    return relu(x);
  }
  std::string text() const { return "Relu"; }
};
struct Sigmoid {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Sigmoid");
    return sigmoid(x);
  }
  std::string text() const { return "Sigmoid"; }
};
struct Tanh {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Tanh");
    return tanh(x);
  }
  std::string text() const { return "Tanh"; }
};
struct Gelu {
  bool approximate = false;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Gelu");
    return gelu(x, approximate);
  }
  std::string text() const { return approximate ? "Gelu by tanh" : "Gelu"; }
  WEFT_OPTIONS(approximate)
};
struct Silu {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Silu");
    return silu(x);
  }
  std::string text() const { return "Silu"; }
};
struct Mish {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Mish");
    return mish(x);
  }
  std::string text() const { return "Mish"; }
};
struct Relu6 {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Relu6");
    return relu6(x);
  }
  std::string text() const { return "Relu6"; }
};
struct LeakyRelu {
  double slope = 0.01;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("LeakyRelu");
    return leaky_relu(x, slope);
  }
  std::string text() const { return "LeakyRelu"; }
  WEFT_OPTIONS(slope)
};
struct Elu {
  double alpha = 1;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Elu");
    return elu(x, alpha);
  }
  std::string text() const { return "Elu"; }
  WEFT_OPTIONS(alpha)
};
struct Selu {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Selu");
    return selu(x);
  }
  std::string text() const { return "Selu"; }
};
struct Celu {
  double alpha = 1;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Celu");
    return celu(x, alpha);
  }
  std::string text() const { return "Celu"; }
  WEFT_OPTIONS(alpha)
};
struct Softsign {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Softsign");
    return softsign(x);
  }
  std::string text() const { return "Softsign"; }
};
struct HardSigmoid {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("HardSigmoid");
    return hard_sigmoid(x);
  }
  std::string text() const { return "HardSigmoid"; }
};
struct HardSwish {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("HardSwish");
    return hard_swish(x);
  }
  std::string text() const { return "HardSwish"; }
};
struct LogSigmoid {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("LogSigmoid");
    return log_sigmoid(x);
  }
  std::string text() const { return "LogSigmoid"; }
};
struct Glu {
  std::int64_t axis = -1;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Glu");
    return glu(x, axis);
  }
  std::string text() const { return "Glu"; }
  WEFT_OPTIONS(axis)
};
struct Softplus {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Softplus");
    return softplus(x);
  }
  std::string text() const { return "Softplus"; }
};
struct Softmax {
  std::int64_t axis = -1;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Softmax");
    return softmax(x, axis);
  }
  std::string text() const { return "Softmax"; }
  WEFT_OPTIONS(axis)
};

/// prelu with a weight of its own: one for all, or one for each channel, axis 1 of the input.
struct Prelu {
  Variable weight;  ///< [channels]

  /// ArgumentError if channels is below 1.
  explicit Prelu(std::int64_t channels = 1, double initial = 0.25, DType dtype = f32, Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "Prelu 64"
  std::string text() const;

  WEFT_MEMBERS(weight)
};

}  // namespace weft::nn
