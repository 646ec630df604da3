#include "random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>
#include <utility>

#include "../tensor/create.h"
#include "../tensor/isa.h"
#include "../tensor/parallel.h"
#include "../tensor/philox.h"
#include "apply.h"
#include "check.h"
#include "compose.h"
#include "defs/random.h"
#include "kernels/uniform.h"
#include "manipulate.h"
#include "math.h"
#include "reduce.h"
#include "sort.h"
#include "special.h"
#include "trace.h"

namespace weft {
namespace {

const UniformLoops& loops_in_use() {
  static const UniformLoops* const loops =
      by_isa(isa(), uniform_loops_base, uniform_loops_avx2, uniform_loops_avx512)();
  return *loops;
}

// How many numbers one block of four words gives.
std::int64_t per_block(DType dtype) { return dtype == f64 ? 2 : 4; }

Tensor state_of(std::uint64_t seed) { return tensor<std::int64_t>({static_cast<std::int64_t>(seed), std::int64_t{0}}); }

Tensor draw(const Shape& shape, DType dtype, random::Generator& generator) {
  DrawBase::check_numbers(dtype);
  count(shape);  // the caller's error, not that of an op in here
  return DrawBase::draw(op_of<Uniform>(), UniformAttrs{dtype, shape}, {}, generator);
}

}  // namespace

void DrawBase::check_numbers(DType dtype) {
  if (dtype != f32 && dtype != f64)
    throw DTypeError(fmt::format("random numbers of {}", name_of(dtype)), "draw f32 and cast");
}

Tensor DrawBase::draw(const Op& op, const Attrs& attrs, std::span<const Tensor> operands,
                      random::Generator& generator) {
  const auto lock = lock_update();  // no other thread draws the same
  Tensor in[2] = {generator.state.value()}, out[2];
  std::ranges::copy(operands, in + 1);  // one at most
  try {
    apply(op, attrs, std::span(in, 1 + operands.size()), out);
  } catch (Error& e) {
    e.relocate({}, {}, {});  // the caller's: of memory that there is not
    throw;
  }
  generator.state.assign(out[1]);
  return out[0];
}

void DrawBase::infer_draw(const Type& state, const Type& numbers, std::span<Type> out) {
  if (state != Type{i64, {2}}) throw ShapeError(fmt::format("a generator's state is i64[2], not {}", state.text()));
  check_numbers(numbers.dtype);
  count(numbers.shape);
  out[0] = numbers;
  out[1] = state;
}

DrawBase::Blocks DrawBase::advance(const View& state, const View& next, std::int64_t blocks) {
  const std::int64_t* const s = state.as<std::int64_t>();
  const Blocks begin{static_cast<std::uint64_t>(s[0]), static_cast<std::uint64_t>(s[state.strides[0]])};
  next.as<std::int64_t>()[0] = s[0];
  next.as<std::int64_t>()[1] = static_cast<std::int64_t>(begin.first + static_cast<std::uint64_t>(blocks));
  return begin;
}

void Uniform::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& a = attrs.as<UniformAttrs>();
  infer_draw(*in[0], {a.dtype, a.shape}, out);
}

void Uniform::run(const Attrs& attrs, Views in, Views out) {
  const DType dtype = attrs.as<UniformAttrs>().dtype;
  const std::int64_t n = count(out[0].shape), each = per_block(dtype), blocks = (n + each - 1) / each;
  const auto [key, start] = advance(in[0], out[1], blocks);
  constexpr std::int64_t task = 4096;
  parallel_for((blocks + task - 1) / task, n < 1 << 14 ? 1 : num_threads(), [&](std::int64_t t) {
    const std::int64_t end = std::min(blocks, (t + 1) * task), whole = end == blocks ? n / each : end;
    std::int64_t b = t * task;
    const std::uint64_t first = start + static_cast<std::uint64_t>(b);
    b += dtype == f32 ? loops_in_use().f32(key, first, whole - b, out[0].as<float>() + b * each)
                      : loops_in_use().f64(key, first, whole - b, out[0].as<double>() + b * each);
    for (; b < end; ++b) {
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

random::Generator::Generator(std::uint64_t seed, Site site) : state(state_of(seed), false, "generator", site) {}
void random::Generator::seed(std::uint64_t seed) { state.assign(state_of(seed)); }

random::Generator& random::default_generator() {
  static random::Generator generator = [] {
    const TraceScope eager(nullptr);      // the first draw may be a traced one
    return random::Generator(0, Site());  // no line of the user's, nor one of ours
  }();
  return generator;
}
void random::seed(std::uint64_t seed) { default_generator().seed(seed); }

namespace {
// Whether a number drawn in this dtype may be scaled by it.
bool is_finite_in(DType dtype, double x) {
  return dtype == f64 ? std::isfinite(x) : std::isfinite(static_cast<float>(x));
}
}  // namespace

Tensor random::uniform(const Shape& shape, double low, double high, DType dtype, random::Generator& generator,
                       Site site) {
  return detail::called("uniform", site, [&] {
    if (!(low <= high) || !is_finite_in(dtype, low) || !is_finite_in(dtype, high) || !is_finite_in(dtype, high - low))
      throw ArgumentError(fmt::format("from {} to {}", low, high));
    const Tensor u = draw(shape, dtype, generator);
    return low == 0 && high == 1 ? u : u * (high - low) + low;
  });
}

Tensor random::normal(const Shape& shape, double mean, double deviation, DType dtype, random::Generator& generator,
                      Site site) {
  return detail::called("normal", site, [&] {
    if (!(deviation >= 0) || !is_finite_in(dtype, deviation) || !is_finite_in(dtype, mean))
      throw ArgumentError(fmt::format("mean {}, deviation {}", mean, deviation));
    const Tensor u = 1 - draw(shape, dtype, generator);  // in (0, 1]: its logarithm is finite
    const Tensor angle = draw(shape, dtype, generator) * (2 * std::numbers::pi);
    const Tensor z = sqrt(log(u) * -2) * cos(angle);
    return mean == 0 && deviation == 1 ? z : z * deviation + mean;
  });
}

Tensor random::bernoulli(const Shape& shape, double p, random::Generator& generator, Site site) {
  return detail::called("bernoulli", site, [&] {
    if (!(p >= 0 && p <= 1)) throw ArgumentError(fmt::format("probability {} is not in [0, 1]", p));
    return draw(shape, f32, generator) < p;
  });
}

Tensor random::bernoulli(const Tensor& p, random::Generator& generator, Site site) {
  return detail::called("bernoulli", site, [&] {
    if (!p.defined()) throw ArgumentError("p is undefined");
    return draw(p.shape(), p.dtype(), generator) < p;
  });
}

Tensor random::truncated_normal(const Shape& shape, double low, double high, double mean, double deviation, DType dtype,
                                random::Generator& generator, Site site) {
  return detail::called("truncated_normal", site, [&] {
    if (!(low < high) || !std::isfinite(low) || !std::isfinite(high) || !(deviation > 0) || !std::isfinite(deviation) ||
        !std::isfinite(mean))
      throw ArgumentError(fmt::format("from {} to {}, mean {}, deviation {}", low, high, mean, deviation));
    const double unit = deviation * std::numbers::sqrt2, from = std::erf((low - mean) / unit),
                 to = std::erf((high - mean) / unit);
    if (to - from < 2e-9)
      throw ArgumentError(
          fmt::format("hardly any of the normal distribution of mean {} and deviation {} lies in [{}, {}]", mean,
                      deviation, low, high));
    DrawBase::check_numbers(dtype);
    // within what erfinv takes to finite numbers: draws of 0 and sums that round up
    const Tensor u = clip(draw(shape, f64, generator) * (to - from) + from, 0x1p-53 - 1, 1 - 0x1p-53);
    return cast(clip(erfinv(u) * unit + mean, low, high), dtype);
  });
}

Tensor random::randint(const Shape& shape, std::int64_t low, std::int64_t high, DType dtype,
                       random::Generator& generator, Site site) {
  return detail::called("randint", site, [&] {
    if (!is_integer(dtype)) throw DTypeError(fmt::format("random integers of {}", name_of(dtype)), "draw i64 and cast");
    const auto n = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    if (low >= high || n > std::uint64_t{1} << 53) throw ArgumentError(fmt::format("from {} to {}", low, high));
    visit_dtype(dtype, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
        if (!std::in_range<T>(low) || !std::in_range<T>(high - 1))
          throw ArgumentError(fmt::format("{} holds no numbers from {} to {}", name_of(dtype), low, high));
    });
    const Tensor steps = cast(floor(draw(shape, f64, generator) * static_cast<double>(n)), i64);
    const Tensor first = reshape(tensor<std::int64_t>({low}), {});           // a number here would pass through f64
    return cast(minimum(steps, static_cast<double>(n - 1)) + first, dtype);  // u * n may round to n
  });
}

Tensor random::permutation(std::int64_t n, random::Generator& generator, Site site) {
  return detail::called("permutation", site, [&] {
    if (n < 0) throw ArgumentError(fmt::format("of {} numbers", n));
    return argsort(draw({n}, f64, generator));  // two keys of 2^53 are equal too seldom to be seen
  });
}

Tensor random::categorical(const Tensor& logits, std::int64_t samples, random::Generator& generator, Site site) {
  return detail::called("categorical", site, [&] {
    if (!logits.defined()) throw ArgumentError("logits are undefined");
    if (!is_floating(logits.dtype()))
      throw DTypeError(fmt::format("logits are {}, not floats", name_of(logits.dtype())), "cast them to f32");
    if (logits.rank() == 0 || logits.shape().back() == 0)
      throw ShapeError(fmt::format("logits are [..., classes], not {}", logits.shape().text()));
    if (samples < 0) throw ArgumentError(fmt::format("{} samples", samples));
    Shape shape = logits.shape();
    shape.insert(shape.size() - 1, samples);
    try {
      assert_finite(where(isnan(logits), logits, 0));
    } catch (const NumericsError& e) { throw NumericsError("a logit is NaN: " + e.rule()); }
    const Tensor noise = log(-log(1 - draw(shape, f64, generator)));  // of numbers in (0, 1]
    return argmax(cast(expand(logits, -2), f64) - noise, -1);
  });
}

Tensor random::categorical(const Tensor& logits, random::Generator& generator, Site site) {
  return detail::called("categorical", site, [&] { return squeeze(categorical(logits, 1, generator), Ints{-1}); });
}

}  // namespace weft
