// Everyday maths where NumPy and Python say what integers, zeros, infinities and NaN give. Accuracy is accuracy_test's.
#include <weft/ops/compose.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("remainder has the divisor's sign, fmod the dividend's, floor_divide rounds down") {
  const Tensor a = tensor<double>({7, -7, 7, -7, 6, -6, 5.5, -0.0, 0.0}),
               b = tensor<double>({3, 3, -3, -3, 3, -3, 2, 3, -3});
  CHECK_SAME(a % b, tensor<double>({1, 2, -2, -1, 0, -0.0, 1.5, 0, -0.0}));
  CHECK_SAME(fmod(a, b), tensor<double>({1, -1, 1, -1, 0, -0.0, 1.5, -0.0, 0}));
  CHECK_SAME(floor_divide(a, b), tensor<double>({2, -3, -3, 2, 2, 2, 2, -0.0, -0.0}));
  for (DType t : {i32, i64}) {
    INFO(name_of(t));
    const Tensor x = cast(tensor({7, -7, 7, -7, 6, 5, -5}), t), y = cast(tensor({3, 3, -3, -3, 3, 0, 0}), t);
    CHECK_VALUES(x % y, 1, 2, -2, -1, 0, 0, 0);
    CHECK_VALUES(fmod(x, y), 1, -1, 1, -1, 0, 0, 0);
    CHECK_VALUES(floor_divide(x, y), 2, -3, -3, 2, 2, 0, 0);
  }
  const Tensor bytes = tensor<std::uint8_t>({200, 7, 255, 9});
  CHECK_VALUES(bytes % tensor<std::uint8_t>({7, 0, 255, 10}), 4, 0, 0, 9);
  CHECK_VALUES(floor_divide(bytes, tensor<std::uint8_t>({7, 0, 255, 10})), 28, 0, 1, 0);
  const Tensor least = tensor<std::int32_t>({INT32_MIN});
  CHECK_VALUES(floor_divide(least, -1), -2147483648.0);  // wraps, as -x does
  CHECK_VALUES(least % -1, 0);
  CHECK_VALUES(17 % tensor<std::int64_t>({5, -5}), 2, -3);
}

TEST_CASE("remainders of infinities and by 0 are as in Python and C") {
  const Tensor x = tensor<double>({5, -5, 5, INFINITY, 0, NAN}), y = tensor<double>({INFINITY, INFINITY, 0, 2, 0, 1});
  CHECK_SAME(x % y, tensor<double>({5, INFINITY, NAN, NAN, NAN, NAN}));
  CHECK_SAME(fmod(x, y), tensor<double>({5, -5, NAN, NAN, NAN, NAN}));
  CHECK_SAME(floor_divide(x, y), tensor<double>({0, -1, INFINITY, NAN, NAN, NAN}));
  CHECK_SAME(floor_divide(tensor<double>({-1e-300, -5, INFINITY}), tensor<double>({1e300, 0, 0})),
             tensor<double>({-1, -INFINITY, INFINITY}));
}

TEST_CASE("remainders are exact for quotients of any size") {
  Random random;
  const auto check = [&]<class T>(T) {
    std::vector<T> x, y, exact;
    for (int i = 0; i < 4000; ++i) {
      using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
      const T a = std::bit_cast<T>(static_cast<U>(random.bits())), b = std::bit_cast<T>(static_cast<U>(random.bits()));
      x.push_back(a), y.push_back(b), exact.push_back(std::fmod(a, b));
    }
    CHECK_SAME(fmod(from_vector(x), from_vector(y)), from_vector(exact));
  };
  check(float{});
  check(double{});
}

TEST_CASE("xlogy, logaddexp and hypot at the edges") {
  CHECK_SAME(xlogy(tensor<double>({0, 0, -0.0, 0, 0, 2, 0}), tensor<double>({0, INFINITY, 0, -1, NAN, 0, 1})),
             tensor<double>({0, 0, 0, 0, NAN, -INFINITY, 0}));
  const double inf = INFINITY;
  CHECK_SAME(logaddexp(tensor<double>({-inf, -inf, inf, inf, 1, NAN, inf}),
                       tensor<double>({-inf, 3, inf, -inf, -inf, 1, NAN})),
             tensor<double>({-inf, 3, inf, inf, 1, NAN, NAN}));
  CHECK(logaddexp(tensor<double>(1000), 1000).item<double>() == 1000 + std::log(2.0));
  CHECK_SAME(hypot(tensor({INFINITY, NAN, 3e38f, 3e-45f, 0}), tensor({NAN, -INFINITY, 0, 4e-45f, -0.0f})),
             tensor({INFINITY, INFINITY, 3e38f, std::hypot(3e-45f, 4e-45f), 0}));
  CHECK(hypot(tensor({3e38f}), 3e38f).item() == INFINITY);
  CHECK(hypot(tensor<double>({3e300}), 4e300).item<double>() == 5e300);
}

TEST_CASE("fmax and fmin pass over NaN, maximum and minimum do not") {
  const Tensor a = tensor({1, NAN, NAN, -INFINITY}), b = tensor({NAN, 2, NAN, 0});
  CHECK_SAME(fmax(a, b), tensor({1, 2, NAN, 0}));
  CHECK_SAME(fmin(a, b), tensor({1, 2, NAN, -INFINITY}));
  CHECK_SAME(maximum(a, b), tensor({NAN, NAN, NAN, 0}));
  CHECK_VALUES(fmax(tensor<std::int32_t>({1, 5}), 3), 3, 5);
}

TEST_CASE("isnan, isinf, isfinite and signbit tell numbers apart; integers are finite") {
  const Tensor x = tensor({0, -0.0, 1, INFINITY, -INFINITY, NAN, -1e-45});
  CHECK_VALUES(isnan(x), 0, 0, 0, 0, 0, 1, 0);
  CHECK_VALUES(isinf(x), 0, 0, 0, 1, 1, 0, 0);
  CHECK_VALUES(isfinite(x), 1, 1, 1, 0, 0, 0, 1);
  CHECK_VALUES(signbit(copysign(x, tensor({-1, -1, -1, -1, -1, -1, 1}))), 1, 1, 1, 1, 1, 1, 0);
  for (DType t : {i32, i64}) {
    const Tensor n = cast(tensor({-2, 0, 3}), t);
    CHECK_VALUES(isnan(n), 0, 0, 0);
    CHECK_VALUES(isinf(n), 0, 0, 0);
    CHECK_VALUES(isfinite(n), 1, 1, 1);
    CHECK_VALUES(signbit(n), 1, 0, 0);
  }
  CHECK_SAME(isfinite(cast(x, DType::f16)), isfinite(x));
  CHECK_THROWS_AS(isnan(tensor<bool>({true})), DTypeError);
}

TEST_CASE("frac is what trunc leaves; trunc keeps -0") {
  const Tensor x = tensor({2.75, -2.75, -0.25, 5, INFINITY});
  CHECK_SAME(trunc(x), tensor({2, -2, -0.0, 5, INFINITY}));
  CHECK_SAME(frac(x), tensor({0.75, -0.75, -0.25, 0, NAN}));
  CHECK_SAME(frac(cast(x, DType::bf16)), cast(frac(x), DType::bf16));
}

TEST_CASE("lerp meets its ends, broadcasts, and rounds 16 bits once") {
  const Tensor a = tensor({1, -3, 1e8f}), b = tensor({2, 5, 1});
  CHECK_SAME(lerp(a, b, 0), a);
  CHECK_SAME(lerp(a, b, 1), b);
  CHECK_VALUES(lerp(a, b, tensor({0.25, 0.5, 0})), 1.25, 1, 1e8);
  CHECK(lerp(zeros({2, 1}), ones({3}), 0.5).shape() == Shape{2, 3});
  CHECK(lerp(0, b, 0.5).dtype() == f32);
  const Tensor x = cast(tensor({0.1, 7}), DType::bf16), y = cast(tensor({0.3, -2}), DType::bf16);
  CHECK_SAME(lerp(x, y, 0.3),
             cast(lerp(cast(x, f32), cast(y, f32), cast(cast(tensor(0.3f), DType::bf16), f32)), DType::bf16));
  CHECK(message_of<DTypeError>([] { lerp(zeros({2}), zeros({2}, f64), 0.5); }) ==
        "lerp: dtypes differ: f32 and f64\n  start   f32[2]\n  end     f64[2]\n  weight  literal 0.5\n  at HERE\n"
        "  hint: cast one: the f32 to f64, or the f64 to f32");
  CHECK_THROWS_AS(lerp(zeros({2}, i32), 1, 0.5), DTypeError);
  CHECK_THROWS_AS(lerp(zeros({2}), zeros({3}), 0.5), ShapeError);
  CHECK_THROWS_AS(lerp(zeros({2}), Tensor(), 0.5), ArgumentError);
}
