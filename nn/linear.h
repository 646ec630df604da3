// Linear: x W + b.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../autograd/structure.h"
#include "../ops/arg.h"
#include "../ops/flag.h"
#include "init.h"

namespace weft::nn {

/// Maps [..., in] to [..., out]. The weight is [in, out], the bias [out] and 0 at first.
struct Linear {
  Variable weight;
  std::optional<Variable> bias;  ///< empty if the layer has none

  /// ArgumentError if an extent is below 1.
  Linear(std::int64_t in, std::int64_t out, Flag bias = true, init::Initializer initializer = init::glorot_uniform,
         DType dtype = f32, random::Generator& generator = random::default_generator(), Site site = Site::current());

  /// ShapeError if x's last extent is not `in`; it names both.
  Tensor operator()(const Arg& x) const;

  /// "Linear 2 -> 10"
  std::string text() const;

  WEFT_MEMBERS(weight, bias)
};

}  // namespace weft::nn
