// What judges gamma numbers and their gradients.
#pragma once

#include <cmath>

namespace weft::test {

/// The lower regularised incomplete gamma function, P(a, x): its series, or 1 less Legendre's continued fraction
/// (Numerical Recipes, section 6.2).
inline double gamma_cumulative(double a, double x) {
  if (x <= 0) return 0;
  const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1) {
    double sum = 1 / a, term = sum;
    for (double k = a + 1; term > sum * 1e-16; ++k) sum += term *= x / k;
    return front * sum;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (int i = 1; i < 500; ++i) {
    const double an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
  }
  return 1 - front * h;
}

}  // namespace weft::test
