#include "numbers.h"

#include <cmath>
#include <cstdint>

namespace bench {
namespace {

// FNV-1a.
std::uint64_t seed_of(std::string_view tag) {
  std::uint64_t seed = 0xCBF29CE484222325;
  for (const char c : tag) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return seed;
}

// splitmix64's i-th output, its top 24 bits as a fraction. Steele, Lea, Flood, OOPSLA 2014.
double fraction(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z ^= z >> 31;
  return static_cast<double>(z >> 40) / (1 << 24);
}

}  // namespace

weft::Tensor uniform(std::string_view tag, const weft::Shape& shape, double low, double high) {
  const std::uint64_t seed = seed_of(tag);
  return weft::from_writer<float>(shape, [&](std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(low + (high - low) * fraction(seed, i));
  });
}

weft::Tensor weight(std::string_view tag, std::int64_t in, std::int64_t out) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return uniform(tag, {in, out}, -bound, bound);
}

weft::Tensor classes(std::string_view tag, const weft::Shape& shape, std::int64_t n) {
  const std::uint64_t seed = seed_of(tag);
  return weft::from_writer<std::int64_t>(shape, [&](std::span<std::int64_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<std::int64_t>(std::floor(fraction(seed, i) * static_cast<double>(n)));
  });
}

double check(std::span<const weft::Tensor> results) {
  if (results.size() == 1 && results[0].size() == 1) return results[0].item();
  const std::uint64_t seed = seed_of("check");
  std::uint64_t i = 0;
  double total = 0;
  for (const weft::Tensor& t : results) {
    if (t.size() == 1) continue;
    for (const double v : t.to_vector<double>()) total += v * static_cast<float>(-1 + 2 * fraction(seed, i++));
  }
  return total;
}

}  // namespace bench
