#include "init.h"

#include <fmt/format.h>

#include <cmath>

#include "../ops/math.h"

namespace weft::nn::init {
namespace {

Tensor with_variance(double variance, const Shape& shape, DType dtype, random::Generator& generator) {
  return cast(random::normal(shape, 0, std::sqrt(variance), compute_type(dtype), generator), dtype);
}

double mean_fan(const Shape& shape) {
  const Fans f = fans(shape);
  return (f.in + f.out) / 2;
}

}  // namespace

Tensor initial(Initializer initializer, const Shape& shape, DType dtype, random::Generator& generator) {
  Tensor t = initializer(shape, dtype, generator);
  if (!t.defined()) throw ArgumentError("the initialiser gives an undefined tensor");
  if (t.dtype() != dtype)
    throw DTypeError(fmt::format("the initialiser gives {} for {}", name_of(t.dtype()), name_of(dtype)));
  if (t.shape() != shape)
    throw ShapeError(fmt::format("the initialiser gives {} for {}", t.shape().text(), shape.text()));
  return t;
}

Fans fans(const Shape& shape) {
  Fans f{1, 1};
  if (shape.size() == 1) f = {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  if (shape.size() == 2) f = {static_cast<double>(shape[0]), static_cast<double>(shape[1])};
  if (shape.size() > 2) {
    double window = 1;
    for (int i = 2; i < shape.size(); ++i) window *= static_cast<double>(shape[i]);
    f = {static_cast<double>(shape[1]) * window, static_cast<double>(shape[0]) * window};
  }
  if (!(f.in > 0 && f.out > 0))
    throw ShapeError(fmt::format("an initialiser needs fans above 0, and {} has {} and {}", shape.text(), f.in, f.out));
  return f;
}

Tensor within(double bound, const Shape& shape, DType dtype, random::Generator& generator) {
  return cast(random::uniform(shape, -bound, bound, compute_type(dtype), generator), dtype);
}

Tensor glorot_uniform(const Shape& s, DType t, random::Generator& g) {
  return within(std::sqrt(3 / mean_fan(s)), s, t, g);
}
Tensor glorot_normal(const Shape& s, DType t, random::Generator& g) { return with_variance(1 / mean_fan(s), s, t, g); }
Tensor he_uniform(const Shape& s, DType t, random::Generator& g) { return within(std::sqrt(6 / fans(s).in), s, t, g); }
Tensor he_normal(const Shape& s, DType t, random::Generator& g) { return with_variance(2 / fans(s).in, s, t, g); }
Tensor lecun_uniform(const Shape& s, DType t, random::Generator& g) {
  return within(std::sqrt(3 / fans(s).in), s, t, g);
}
Tensor lecun_normal(const Shape& s, DType t, random::Generator& g) { return with_variance(1 / fans(s).in, s, t, g); }
Tensor uniform(const Shape& s, DType t, random::Generator& g) { return within(0.05, s, t, g); }
Tensor normal(const Shape& s, DType t, random::Generator& g) { return with_variance(0.05 * 0.05, s, t, g); }
Tensor zeros(const Shape& s, DType t, random::Generator&) { return weft::zeros(s, t); }
Tensor ones(const Shape& s, DType t, random::Generator&) { return weft::ones(s, t); }

}  // namespace weft::nn::init
