// Activations as layers, for Sequential, each a module in profiles. The functions themselves are in ops/activations.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "../autograd/structure.h"
#include "../ops/activations.h"
#include "../ops/compose.h"
#include "../ops/math.h"
#include "../tensor/scope.h"
#include "../tensor/site.h"

namespace weft::nn {

namespace detail {
/// A literal as a template argument.
template <std::size_t n> struct Name {
  char text[n];
  constexpr Name(const char (&literal)[n]) { std::copy_n(literal, n, text); }
};
}  // namespace detail

/// A function without options as a layer.
template <detail::Name name, Tensor (*function)(const Arg&)> struct Activation {
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope(name.text);
    return function(x);
  }
  std::string text() const { return name.text; }
};
using Relu = Activation<"Relu", relu>;
using Sigmoid = Activation<"Sigmoid", sigmoid>;
using Tanh = Activation<"Tanh", tanh>;
using Silu = Activation<"Silu", silu>;
using Mish = Activation<"Mish", mish>;
using Relu6 = Activation<"Relu6", relu6>;
using Selu = Activation<"Selu", selu>;
using Softsign = Activation<"Softsign", softsign>;
using HardSigmoid = Activation<"HardSigmoid", hard_sigmoid>;
using HardSwish = Activation<"HardSwish", hard_swish>;
using LogSigmoid = Activation<"LogSigmoid", log_sigmoid>;
using Softplus = Activation<"Softplus", softplus>;

struct Gelu {
  bool approximate = false;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Gelu");
    return gelu(x, approximate);
  }
  std::string text() const { return approximate ? "Gelu by tanh" : "Gelu"; }
  WEFT_OPTIONS(approximate)
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
struct Celu {
  double alpha = 1;
  Tensor operator()(const Arg& x) const {
    const ProfileScope scope("Celu");
    return celu(x, alpha);
  }
  std::string text() const { return "Celu"; }
  WEFT_OPTIONS(alpha)
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
