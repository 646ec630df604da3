// Gamma numbers: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "../tensor/parallel.h"
#include "../tensor/philox.h"
#include "apply.h"
#include "backward.h"
#include "defs/random.h"
#include "gamma_slope.h"
#include "manipulate.h"
#include "math.h"
#include "random.h"
#include "recorder.h"

namespace weft {
namespace {

// Two numbers of [0, 1).
struct Pair {
  double first, second;
  Pair(std::uint64_t key, std::uint64_t high, std::uint64_t low) {
    const auto w = philox(key, high, low);
    const auto number = [](std::uint64_t a, std::uint64_t b) {
      return static_cast<double>((a << 32 | b) >> 11) * 0x1p-53;
    };
    first = number(w[0], w[1]);
    second = number(w[2], w[3]);
  }
};

// In f64, whatever the type: both draw the same. Attempt k takes the blocks whose high words are 2k + 1 and 2k + 2.
double standard_gamma(std::uint64_t key, std::uint64_t counter, double concentration) {
  if (!(concentration > 0) || std::isinf(concentration)) return std::numeric_limits<double>::quiet_NaN();
  const bool below_one = concentration < 1;  // gamma(a) = gamma(a + 1) u^(1/a): their section 6
  const double d = (below_one ? concentration + 1 : concentration) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (std::uint64_t high = 1;; high += 2) {
    const Pair u(key, high, counter);
    const double x = std::sqrt(-2 * std::log(1 - u.first)) * std::cos(2 * std::numbers::pi * u.second);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const Pair w(key, high + 1, counter);
    if (std::log(1 - w.first) > x * x / 2 + d * (1 - v + std::log(v))) continue;
    return below_one ? d * v * std::exp(std::log(1 - w.second) / concentration) : d * v;
  }
}

Tensor draw(const Tensor& concentration, random::Generator& generator) {
  return DrawBase::draw(op_of<StandardGamma>(), {}, std::span(&concentration, 1), generator);
}

}  // namespace

void StandardGamma::infer(const Attrs&, Types in, std::span<Type> out) { infer_draw(*in[0], *in[1], out); }

void StandardGamma::run(const Attrs&, Views in, Views out) {
  const std::int64_t n = count(out[0].shape);
  const auto [key, start] = advance(in[0], out[1], n);
  Storage copy;
  const std::byte* const concentrations = detail::in_order(in[1], copy);
  constexpr std::int64_t task = 1024;
  const auto fill = [&](auto zero) {
    using T = decltype(zero);
    const T* const a = reinterpret_cast<const T*>(concentrations);
    T* const result = out[0].as<T>();
    parallel_for((n + task - 1) / task, num_threads(), [&](std::int64_t t) {
      for (std::int64_t i = t * task; i < std::min(n, (t + 1) * task); ++i)
        result[i] =
            static_cast<T>(standard_gamma(key, start + static_cast<std::uint64_t>(i), static_cast<double>(a[i])));
    });
  };
  if (out[0].dtype == f32)
    fill(float{});
  else
    fill(double{});
}

void StandardGamma::vjp(Backward& b) {
  b.give(1, b.has_grad(0) && b.wants(1) ? b.grad(0) * gamma_slope(b.in(1), b.out(0)) : Tensor());
}

// All examples' numbers are one draw: see Uniform's.
void StandardGamma::batch(Batching& b) {
  if (b.batched(0)) return b.one_by_one();
  const Tensor in[] = {b.in(0), b.front(1)};
  Tensor out[2];
  apply(op_of<StandardGamma>(), {}, in, out);
  b.give(0, out[0]);
  b.give(1, out[1], false);
}

Tensor random::gamma(const Shape& shape, double concentration, double scale, DType dtype, random::Generator& generator,
                     Site site) {
  return detail::called("gamma", site, [&] {
    if (!(concentration > 0) || !(scale > 0) || std::isinf(concentration) || std::isinf(scale))
      throw ArgumentError(fmt::format("concentration {}, scale {}: both are positive", concentration, scale));
    DrawBase::check_numbers(dtype);
    count(shape);  // the caller's error, not that of an op in here
    // In f64, which holds the concentration as it was given.
    const Tensor g = draw(broadcast_to(Arg(concentration).tensor(f64), shape), generator);
    return cast(scale == 1 ? g : g * scale, dtype);
  });
}

Tensor random::gamma(const Tensor& concentration, random::Generator& generator, Site site) {
  return detail::called("gamma", site, [&] {
    if (!concentration.defined()) throw ArgumentError("the concentration is undefined");
    DrawBase::check_numbers(concentration.dtype());
    return draw(concentration, generator);
  });
}

}  // namespace weft
