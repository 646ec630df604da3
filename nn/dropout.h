// Dropout: noise that training must not rely on any one element.
#pragma once

#include <memory>
#include <string>

#include "../ops/arg.h"
#include "../ops/random.h"
#include "../tensor/options.h"

namespace weft::nn {

/// In training mode sets each element to 0 with probability p and divides the others by 1 - p; otherwise x itself.
/// Its masks are a function of the generator's state, so eager and compiled code draw the same.
/// Srivastava et al., JMLR 15, 2014.
class Dropout {
 public:
  /// ArgumentError if p is not in [0, 1). Copies of the layer draw from the same generator.
  explicit Dropout(double p, random::Generator& generator = random::default_generator(), Site site = Site::current());
  Tensor operator()(const Arg& x) const;
  /// "Dropout 0.5"
  std::string text() const;
  WEFT_OPTIONS(p_, generator_)

 private:
  double p_;
  std::shared_ptr<VariableState> generator_;  // its state, which outlives it and goes where it is moved
};

}  // namespace weft::nn
