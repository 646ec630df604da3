// A row of the table of conventions at kinks and singularities: a function, its value and its gradient there.
#pragma once

#include "support.h"

namespace weft::test {

using List = std::vector<double>;
using Function = Tensor (*)(const std::vector<Tensor>&);

/// What `f` gives at `in`.
struct Kink {
  const char* name;
  Function f;
  std::vector<Tensor> in;
  List value;                   // row-major
  std::vector<List> gradients;  // of the sum, for each input
};

inline constexpr double inf = std::numeric_limits<double>::infinity();

inline Tensor list(const List& x) { return from_vector(x); }
template <class... T> std::vector<Tensor> inputs(const T&... t) { return {t...}; }
inline Tensor rows(std::int64_t n, const List& x) { return reshape(list(x), {n, -1}); }

// Functions of the inputs x, and x and y.
#define OF_X(...)                     \
  [](const std::vector<Tensor>& in) { \
    const Tensor& x = in[0];          \
    return Tensor(__VA_ARGS__);       \
  }
#define OF_XY(...)                       \
  [](const std::vector<Tensor>& in) {    \
    const Tensor &x = in[0], &y = in[1]; \
    return Tensor(__VA_ARGS__);          \
  }

inline bool near(const List& a, const List& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])) ||
                      std::abs(a[i] - b[i]) <= 1e-14 * std::max(1.0, std::abs(b[i]));
    if (!same) return false;
  }
  return true;
}

/// Values and gradients are the row's, and compiled the same to the bit.
inline void check(const Kink& k) {
  INFO(k.name);
  const NoLeaks guard;
  const auto run = [&](const std::vector<Tensor>& in) {
    GradientTape tape;
    tape.watch(in);
    const Tensor y = k.f(in);
    return std::pair(y, tape.gradient(y, in, GradientOptions{.unconnected = Unconnected::none}));
  };
  const auto [y, gradients] = run(k.in);
  INFO("value " << y);
  CHECK(near(y.to_vector<double>(), k.value));
  REQUIRE(gradients.size() == k.gradients.size());
  auto compiled = compile(run);
  const auto [z, again] = compiled(k.in);
  CHECK_SAME(z, y);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    REQUIRE(gradients[i].defined());
    CHECK(gradients[i].type() == k.in[i].type());
    INFO("gradient " << i << ": " << gradients[i]);
    CHECK(near(gradients[i].to_vector<double>(), k.gradients[i]));
    CHECK_SAME(again[i], gradients[i]);
  }
}

}  // namespace weft::test
