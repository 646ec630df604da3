// What accuracy.cpp evaluates each op on.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace weft::accuracy {

template <class T> using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T> inline constexpr bool single = sizeof(T) == 4;

/// Zeros, infinities, NaN, and the numbers at which formulas branch.
template <class T> std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> r;
  for (const T x : {T(0),
                    T(1),
                    T(2),
                    T(0.5),
                    T(1.5),
                    T(2.5),
                    T(3),
                    T(4),
                    T(1e10),
                    T(16777215),
                    T(16777216),
                    T(9007199254740991.0),
                    T(4503599627370497.5),
                    L::infinity(),
                    L::quiet_NaN(),
                    L::max(),
                    L::min(),
                    L::denorm_min(),
                    std::nextafter(T(1), T(0)),
                    std::nextafter(T(1), T(2))})
    r.insert(r.end(), {x, -x});
  return r;
}

/// Numbers of every exponent, dense where functions bend, and the edges of each exponent.
template <class T> std::vector<T> samples(int per_exponent, std::mt19937_64& generator) {
  using U = Word<T>;
  constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  constexpr U exponents = single<T> ? 256 : 2048, fraction = (U(1) << mantissa) - 1;
  std::vector<T> r;
  for (U sign = 0; sign < 2; ++sign)
    for (U e = 0; e < exponents; ++e) {
      const U head = (sign << (8 * sizeof(T) - 1)) | (e << mantissa);
      const int distance = std::abs(static_cast<int>(e) - static_cast<int>(exponents / 2 - 1));
      const int n = !single<T> && distance > 12 ? per_exponent / 64 : per_exponent;
      for (int i = 0; i < n; ++i) r.push_back(std::bit_cast<T>(U(head | (U(generator()) & fraction))));
      for (U edge = 0; edge < 4; ++edge) {
        r.push_back(std::bit_cast<T>(U(head | edge)));
        r.push_back(std::bit_cast<T>(U(head | (fraction - edge))));
      }
    }
  std::uniform_real_distribution<T> narrow(-1, 1), medium(-40, 40),
      wide(single<T> ? -110 : -760, single<T> ? 110 : 760);
  for (int i = 0; i < per_exponent * 16; ++i) {
    r.push_back(narrow(generator));
    r.push_back(medium(generator));
    r.push_back(wide(generator));
    r.push_back(1 + T(0.01) * narrow(generator));
    // Near multiples of pi/2, small and large.
    const long double quarter = 1.570796326794896619231321691639751442L;
    r.push_back(T(std::round(medium(generator)) * quarter));
    r.push_back(T(std::round(std::ldexp(narrow(generator), i % 60)) * quarter));
  }
  // The numbers next to a multiple of pi/2 (Kahan, Muller): 2^-31 and 2^-61 off.
  r.push_back(single<T> ? T(std::ldexp(16367173.0, 72)) : T(std::ldexp(6381956970095103.0, 797)));
  return r;
}

template <class T> struct Pairs { std::vector<T> x, y; };

/// Pairs of any exponents, of like exponents, from the unit square, and such that x^y neither overflows nor vanishes.
template <class T> Pairs<T> pairs(int count, std::mt19937_64& generator) {
  std::uniform_real_distribution<double> unit(-1, 1);
  const double top = single<T> ? 150 : 1080;
  Pairs<T> r;
  const auto put = [&](T x, T y) { r.x.push_back(x), r.y.push_back(y); };
  for (int i = 0; i < count; ++i) {
    const T x = std::bit_cast<T>(Word<T>(generator())), y = std::bit_cast<T>(Word<T>(generator()));
    put(x, y);
    put(T(unit(generator)), T(unit(generator)));
    put(T(40 * unit(generator)), T(40 * unit(generator)));
    put(x, T(x * unit(generator)));
    put(T(x * unit(generator)), x);
    put(T(std::ldexp(unit(generator), -int(generator() % 200))),
        T(std::ldexp(unit(generator), -int(generator() % 200))));
    put(std::fabs(x), T(top * unit(generator) / std::log2(std::fabs(double(x)))));
    put(std::fabs(T(1 + 0.5 * unit(generator))), T(top * 3 * unit(generator)));
    const T near = T(1 + std::ldexp(unit(generator), -1 - i % (single<T> ? 24 : 53)));
    put(near, T(top * unit(generator) / std::log2(double(near))));
    put(x, std::round(T(5 * unit(generator))));
  }
  return r;
}

}  // namespace weft::accuracy
