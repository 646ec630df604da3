// Random tensors. A generator is a variable, its state (key, counter); a number is a pure function of both, so eager,
// compiled and recomputed code draw the same, on any number of threads.
#pragma once

#include <cstdint>

#include "../tensor/site.h"
#include "variable.h"

namespace weft {

class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0);
  /// i64[2]: the key, and how many blocks of 4 x 32 bits have been drawn. Not trainable; checkpoints keep it.
  Variable state;
  /// Starts anew.
  void seed(std::uint64_t seed);
};

namespace random {

/// The generator that functions use when none is given; its seed is 0 unless set.
Generator& default_generator();
/// Seeds the default generator.
void seed(std::uint64_t seed);

/// Uniform in [low, high), but that low + u * (high - low) may round to high. f32 or f64. ArgumentError if low > high
/// or one is not finite.
Tensor uniform(const Shape& shape, double low = 0, double high = 1, DType dtype = f32,
               Generator& generator = default_generator(), Site site = Site::current());
/// Normal, by Box and Muller's method. f32 or f64. ArgumentError if the deviation is negative or one is not finite.
Tensor normal(const Shape& shape, double mean = 0, double deviation = 1, DType dtype = f32,
              Generator& generator = default_generator(), Site site = Site::current());
/// bool: true with probability p. ArgumentError if p is not in [0, 1].
Tensor bernoulli(const Shape& shape, double p, Generator& generator = default_generator(), Site site = Site::current());

}  // namespace random
}  // namespace weft
