// True values of public functions that act element by element, in long double: tests/functions.h names them.
#pragma once

#include <cmath>
#include <map>
#include <string_view>

namespace weft::test {

using TrueFunction = long double (*)(long double x);

inline const std::map<std::string_view, TrueFunction>& true_functions() {
  using Real = long double;
  static constexpr auto elu = [](Real x, Real alpha) { return x > 0 || x != x ? x : alpha * std::expm1(x); };
  static constexpr auto softplus = [](Real x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))); };
  static constexpr auto sigmoid = [](Real x) { return 1 / (1 + std::exp(-x)); };
  static constexpr auto relu6 = [](Real x) { return x <= 0 ? Real(0) : x >= 6 ? Real(6) : x; };
  static const std::map<std::string_view, TrueFunction> values = {
      {"relu", [](Real x) { return x <= 0 ? Real(0) : x; }},
      {"relu6", [](Real x) { return relu6(x); }},
      {"leaky_relu", [](Real x) { return x > 0 ? x : x * Real(0.01); }},
      {"elu", [](Real x) { return elu(x, 1); }},
      {"selu", [](Real x) { return Real(1.0507009873554804934193L) * elu(x, Real(1.6732632423543772848170L)); }},
      {"celu", [](Real x) { return elu(x, 1); }},
      {"gelu", [](Real x) { return x * (std::erfc(-x * std::sqrt(Real(0.5))) / 2); }},
      {"gelu_tanh",
       [](Real x) { return x * sigmoid(2 * std::sqrt(2 / std::acos(Real(-1))) * (x + Real(0.044715L) * x * x * x)); }},
      {"silu", [](Real x) { return x * sigmoid(x); }},
      {"mish", [](Real x) { return x * std::tanh(softplus(x)); }},
      {"softplus", [](Real x) { return softplus(x); }},
      {"softsign", [](Real x) { return x / (1 + std::abs(x)); }},
      {"log_sigmoid", [](Real x) { return -softplus(-x); }},
      {"hard_sigmoid", [](Real x) { return relu6(x + 3) / 6; }},
      {"hard_swish", [](Real x) { return x * relu6(x + 3) / 6; }},
      {"frac", [](Real x) { return x - std::trunc(x); }},
      {"clip", [](Real x) { return x < -1  ? Real(-1)
                                   : x > 2 ? Real(2)
                                           : x; }},
  };
  return values;
}

}  // namespace weft::test
