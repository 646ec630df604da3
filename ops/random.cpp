#include "random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../tensor/create.h"
#include "../tensor/parallel.h"
#include "../tensor/philox.h"
#include "apply.h"
#include "defs/random.h"
#include "math.h"

namespace weft {
namespace {

// How many numbers one block of four words gives.
std::int64_t per_block(DType dtype) { return dtype == f64 ? 2 : 4; }

Tensor state_of(std::uint64_t seed) { return tensor<std::int64_t>({static_cast<std::int64_t>(seed), std::int64_t{0}}); }

Tensor draw(const Shape& shape, DType dtype, Generator& generator) {
  if (dtype != f32 && dtype != f64)
    throw DTypeError(fmt::format("random numbers of {}", name_of(dtype)), "draw f32 and cast");
  count(shape);  // the caller's error, not that of an op in here
  const Tensor state = generator.state.value();
  Tensor out[2];
  apply(op_of<Uniform>(), UniformAttrs{dtype, shape}, std::span(&state, 1), out);
  generator.state.assign(out[1]);
  return out[0];
}

}  // namespace

void Uniform::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  if (*in[0] != Type{i64, {2}}) throw ShapeError(fmt::format("a generator's state is i64[2], not {}", in[0]->text()));
  const auto& a = attrs.as<UniformAttrs>();
  count(a.shape);
  out[0] = {a.dtype, a.shape};
  out[1] = *in[0];
}

void Uniform::run(const Attrs& attrs, Views in, Views out) {
  const DType dtype = attrs.as<UniformAttrs>().dtype;
  const std::int64_t* state = in[0].as<std::int64_t>();
  const auto key = static_cast<std::uint64_t>(state[0]), start = static_cast<std::uint64_t>(state[in[0].strides[0]]);
  const std::int64_t n = count(out[0].shape), each = per_block(dtype), blocks = (n + each - 1) / each;
  out[1].as<std::int64_t>()[0] = static_cast<std::int64_t>(key);
  out[1].as<std::int64_t>()[1] = static_cast<std::int64_t>(start + static_cast<std::uint64_t>(blocks));
  constexpr std::int64_t task = 4096;
  parallel_for((blocks + task - 1) / task, n < 1 << 14 ? 1 : num_threads(), [&](std::int64_t t) {
    for (std::int64_t b = t * task; b < std::min(blocks, (t + 1) * task); ++b) {
      const auto w = philox(key, 0, start + static_cast<std::uint64_t>(b));
      const std::int64_t rest = std::min(each, n - b * each);
      for (std::int64_t i = 0; i < rest; ++i) {
        if (dtype == f32) {
          out[0].as<float>()[b * each + i] = static_cast<float>(w[static_cast<std::size_t>(i)] >> 8) * 0x1p-24f;
        } else {
          const std::uint64_t bits =
              std::uint64_t{w[static_cast<std::size_t>(2 * i)]} << 32 | w[static_cast<std::size_t>(2 * i + 1)];
          out[0].as<double>()[b * each + i] = static_cast<double>(bits >> 11) * 0x1p-53;
        }
      }
    }
  });
}

// All examples' numbers are one draw: the generator goes on as far as all of them need.
void Uniform::batch(Batching& b) {
  if (b.batched()) return b.one_by_one();  // a generator for each
  const auto& a = b.attrs<UniformAttrs>();
  Tensor out[2];
  apply(op_of<Uniform>(), UniformAttrs{a.dtype, b.with_batch(a.shape)}, std::span(&b.in(), 1), out);
  b.give(0, out[0]);
  b.give(1, out[1], false);
}

Generator::Generator(std::uint64_t seed) : state(state_of(seed), false, "generator") {}
void Generator::seed(std::uint64_t seed) { state.assign(state_of(seed)); }

Generator& random::default_generator() {
  static Generator generator(0);
  return generator;
}
void random::seed(std::uint64_t seed) { default_generator().seed(seed); }

Tensor random::uniform(const Shape& shape, double low, double high, DType dtype, Generator& generator, Site site) {
  return detail::called("uniform", site, [&] {
    if (!(low <= high) || !std::isfinite(high - low)) throw ArgumentError(fmt::format("from {} to {}", low, high));
    const Tensor u = draw(shape, dtype, generator);
    return low == 0 && high == 1 ? u : u * (high - low) + low;
  });
}

Tensor random::normal(const Shape& shape, double mean, double deviation, DType dtype, Generator& generator, Site site) {
  return detail::called("normal", site, [&] {
    if (!(deviation >= 0) || !std::isfinite(deviation) || !std::isfinite(mean))
      throw ArgumentError(fmt::format("mean {}, deviation {}", mean, deviation));
    const Tensor u = 1 - draw(shape, dtype, generator);  // in (0, 1]: its logarithm is finite
    const Tensor angle = draw(shape, dtype, generator) * (2 * std::numbers::pi);
    const Tensor z = sqrt(log(u) * -2) * cos(angle);
    return mean == 0 && deviation == 1 ? z : z * deviation + mean;
  });
}

Tensor random::bernoulli(const Shape& shape, double p, Generator& generator, Site site) {
  return detail::called("bernoulli", site, [&] {
    if (!(p >= 0 && p <= 1)) throw ArgumentError(fmt::format("probability {} is not in [0, 1]", p));
    return draw(shape, f32, generator) < p;
  });
}

}  // namespace weft
