// Initialisers: random tensors whose spread suits a layer's fans.
//
// Fans of a shape: [in, out] are a dense weight's; [out, in, kh, kw] a convolution's, whose fans count the window too;
// a vector has its length as both. ShapeError for fans of 0. f32 and f64 are drawn, bf16 and f16 rounded from f32.
#pragma once

#include "../ops/random.h"
#include "../tensor/create.h"

namespace weft::nn::init {

/// What a layer takes to make its weight.
using Initializer = Tensor (*)(const Shape& shape, DType dtype, random::Generator& generator);

/// What it makes of this shape and dtype; ShapeError, DTypeError if it makes another.
Tensor initial(Initializer initializer, const Shape& shape, DType dtype, random::Generator& generator);

/// Uniform in [-bound, bound), rounded to the dtype.
Tensor within(double bound, const Shape& shape, DType dtype, random::Generator& generator);

struct Fans {
  double in, out;
};
Fans fans(const Shape& shape);

/// Uniform within sqrt(6 / (in + out)). Glorot and Bengio, AISTATS 2010.
Tensor glorot_uniform(const Shape& shape, DType dtype = f32,
                      random::Generator& generator = random::default_generator());
/// Normal with variance 2 / (in + out).
Tensor glorot_normal(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
/// Uniform within sqrt(6 / in): for relu. He et al., arXiv:1502.01852.
Tensor he_uniform(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
/// Normal with variance 2 / in.
Tensor he_normal(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
/// Uniform within sqrt(3 / in). LeCun et al., "Efficient BackProp", 1998.
Tensor lecun_uniform(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
/// Normal with variance 1 / in.
Tensor lecun_normal(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
/// Uniform within ±0.05, and normal with deviation 0.05: Keras' defaults. random::uniform and normal take any other.
Tensor uniform(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
Tensor normal(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
Tensor zeros(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());
Tensor ones(const Shape& shape, DType dtype = f32, random::Generator& generator = random::default_generator());

}  // namespace weft::nn::init
