// Special functions at known points and edges, and the bits of integers. Accuracy is accuracy_test's.
#include <numbers>

#include <weft/ops/special.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("special functions at points that are known, at poles and at infinity") {
  const double inf = INFINITY, pi = std::numbers::pi, gamma = std::numbers::egamma;
  CHECK_NEAR(lgamma(tensor<double>({1, 2, 3, 0.5, -0.5, 11})),
             tensor<double>({0, 0, std::log(2.0), std::log(pi) / 2, std::log(2 * std::sqrt(pi)), std::log(3628800.0)}),
             1e-15);
  CHECK_SAME(lgamma(tensor<double>({0, -0.0, -1, -2, -1e300, inf, -inf, NAN})),
             tensor<double>({inf, inf, inf, inf, inf, inf, inf, NAN}));
  CHECK_NEAR(digamma(tensor<double>({1, 2, 0.5, -0.5})),
             tensor<double>({-gamma, 1 - gamma, -gamma - 2 * std::log(2.0), 2 - gamma - 2 * std::log(2.0)}), 1e-15);
  CHECK_SAME(digamma(tensor<double>({0, -0.0, -1, -2, inf, -inf, NAN})),
             tensor<double>({-inf, inf, NAN, NAN, inf, NAN, NAN}));
  CHECK_NEAR(trigamma(tensor<double>({1, 2, 0.5, -0.5})),
             tensor<double>({pi * pi / 6, pi * pi / 6 - 1, pi * pi / 2, pi * pi / 2 + 4}), 2e-15);
  CHECK_SAME(erfinv(tensor<double>({0, -0.0, 1, -1, 1.5, NAN})), tensor<double>({0, -0.0, inf, -inf, NAN, NAN}));
  const Tensor x = tensor<double>({-0.99, -0.5, 1e-9, 0.3, 0.999999});
  CHECK_NEAR(erf(erfinv(x)), x, 1e-15);
  CHECK_SAME(i0(tensor<double>({0, inf, -inf, NAN})), tensor<double>({1, inf, inf, NAN}));
  CHECK_SAME(i1(tensor<double>({0, -0.0, inf, -inf, NAN})), tensor<double>({0, -0.0, inf, -inf, NAN}));
  CHECK_NEAR(i0(tensor<double>({1, -1, 10})),
             tensor<double>({1.2660658777520084, 1.2660658777520084, 2815.716628466254}), 1e-15);
  CHECK_NEAR(i1(tensor<double>({1, -1, 10})),
             tensor<double>({0.565159103992485, -0.565159103992485, 2670.988303701255}), 1e-15);
  CHECK_THROWS_AS(lgamma(tensor<std::int32_t>({3})), DTypeError);
}

TEST_CASE("trigamma left of 0, near poles and at them") {
  // by mpmath
  CHECK_NEAR(trigamma(tensor<float>({-10.01f, -1000.3f, -12345.6f})), tensor<float>({10002.738f, 15.07925f, 10.9028f}),
             2e-6);
  CHECK_NEAR(trigamma(tensor<float>({-0.999999f})), tensor<float>({9.7396e11f}), 2e-5);
  CHECK_SAME(trigamma(tensor<double>({0, -3, -1000})), tensor<double>({INFINITY, INFINITY, INFINITY}));
}

TEST_CASE("bitwise ops and shifts are those of C++ on every integer type") {
  Random random;
  const auto check = [&]<class T>(T) {
    using U = std::make_unsigned_t<T>;
    constexpr int width = 8 * sizeof(T);
    std::vector<T> x, y, both, either, one, none, left, right;
    for (int i = 0; i < 300; ++i) {
      const T a = static_cast<T>(random.bits()),
              b = i % 3 ? static_cast<T>(i % (width + 3)) : static_cast<T>(random.bits());
      const bool inside = b >= 0 && static_cast<std::int64_t>(b) < width;
      x.push_back(a), y.push_back(b), both.push_back(a & b), either.push_back(a | b), one.push_back(a ^ b);
      none.push_back(static_cast<T>(~a));
      left.push_back(inside ? static_cast<T>(static_cast<U>(a) << b) : T(0));
      right.push_back(inside ? static_cast<T>(a >> b) : static_cast<T>(a < 0 ? -1 : 0));
    }
    const Tensor a = from_vector(x), b = from_vector(y);
    INFO(name_of(a.dtype()));
    CHECK_SAME(a & b, from_vector(both));
    CHECK_SAME(a | b, from_vector(either));
    CHECK_SAME(a ^ b, from_vector(one));
    CHECK_SAME(~a, from_vector(none));
    CHECK_SAME(left_shift(a, b), from_vector(left));
    CHECK_SAME(right_shift(a, b), from_vector(right));
  };
  check(std::int32_t{});
  check(std::int64_t{});
  check(std::uint8_t{});
  CHECK_VALUES(tensor<std::int32_t>({6, 5}) & 3, 2, 1);
  CHECK_VALUES(left_shift(1, tensor<std::int64_t>({0, 40})), 1, 1099511627776.0);
  CHECK(message_of<DTypeError>([] { bitwise_and(zeros({2}), zeros({2})); }) ==
        "bitwise_and: no meaning for f32\n  lhs  f32[2]\n  rhs  f32[2]\n  at HERE\n  hint: cast it to an integer type");
  const Tensor yes_no = tensor<bool>({true, false});
  CHECK_VALUES(bitwise_not(yes_no), 0, 1);
  CHECK_VALUES(bitwise_and(yes_no, ~yes_no), 0, 0);
  CHECK_VALUES(bitwise_or(yes_no, ~yes_no), 1, 1);
  CHECK_VALUES(bitwise_xor(yes_no, true), 0, 1);
  CHECK_THROWS_AS(tensor<std::int32_t>({1}) & tensor<std::int64_t>({1}), DTypeError);
}
