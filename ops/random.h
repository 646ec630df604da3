// Random tensors. A generator is a variable, its state (key, counter); a number is a pure function of both, so eager,
// compiled and recomputed code draw the same, on any number of threads.
#pragma once

#include <cstdint>

#include "../tensor/site.h"
#include "variable.h"

namespace weft::random {

/// Where numbers come from.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0, Site site = Site::current());
  /// The generator of this state: Generator(Variable::handle(other.state.state())) draws from `other`.
  explicit Generator(Variable&& of) : state(std::move(of)) {}
  /// i64[2]: the key, and how many blocks of 4 x 32 bits have been drawn. Not trainable; checkpoints keep it.
  Variable state;
  /// Starts anew.
  void seed(std::uint64_t seed);
};

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
/// Normal, drawn again until it lies in [low, high], as if: by the quantile, in f64. f32 or f64. ArgumentError if a
/// bound is not finite, low >= high, the deviation is not above 0, or less than 1e-9 of the normal distribution lies
/// between.
Tensor truncated_normal(const Shape& shape, double low = -2, double high = 2, double mean = 0, double deviation = 1,
                        DType dtype = f32, Generator& generator = default_generator(), Site site = Site::current());
/// Integers in [low, high), all as likely, but for (high - low) / 2^53 of that. ArgumentError if there is none, if they
/// are more than 2^53, or if the type cannot hold them.
Tensor randint(const Shape& shape, std::int64_t low, std::int64_t high, DType dtype = i64,
               Generator& generator = default_generator(), Site site = Site::current());
/// i64[n]: 0 to n - 1 in an order drawn from all, as likely each. ArgumentError if n is negative.
Tensor permutation(std::int64_t n, Generator& generator = default_generator(), Site site = Site::current());
/// Gamma, of mean concentration * scale (NumPy calls the first the shape), by Marsaglia and Tsang's method in f64. Of a
/// small concentration most are too small for the type, and 0. f32 or f64. ArgumentError unless both are positive and
/// finite.
Tensor gamma(const Shape& shape, double concentration, double scale = 1, DType dtype = f32,
             Generator& generator = default_generator(), Site site = Site::current());
/// One for each concentration, a tensor of f32 or f64, of scale 1 (multiply it by another); NaN where that is not
/// positive and finite. Its gradient is that of the quantile, as PyTorch's and TensorFlow's is (implicit
/// reparameterisation, Figurnov et al. 2018): the mean of f's gradients is the gradient of f's mean. GradError at order
/// 2.
Tensor gamma(const Tensor& concentration, Generator& generator = default_generator(), Site site = Site::current());
/// bool: true with probability p. ArgumentError if p is not in [0, 1].
Tensor bernoulli(const Shape& shape, double p, Generator& generator = default_generator(), Site site = Site::current());
/// bool, of p's shape: each true with the probability that p, a tensor of f32 or f64, has there: never where that is 0
/// or less or NaN, always where it is 1 or more.
Tensor bernoulli(const Tensor& p, Generator& generator = default_generator(), Site site = Site::current());
/// i64[..., samples]: classes drawn with the probabilities softmax(logits [..., classes]): the largest of logits and
/// noise (Gumbel, 1954), in f64. A logit of -inf is never drawn unless all are: then class 0. ShapeError if there is no
/// class.
Tensor categorical(const Tensor& logits, std::int64_t samples, Generator& generator = default_generator(),
                   Site site = Site::current());
/// i64[...]: one of them.
Tensor categorical(const Tensor& logits, Generator& generator = default_generator(), Site site = Site::current());

}  // namespace weft::random
