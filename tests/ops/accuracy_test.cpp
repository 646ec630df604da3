// Every elementwise op against long double: 2 ulp at most, exact where IEEE asks for it. tools/accuracy/ sweeps all
// exponents and compares with MPFR; here are samples of the op's domain, of all exponents, and the special values; of
// bf16 and f16 all numbers.
#include <limits>

#include "op_samples.h"
#include "ulps.h"

using namespace weft;
using namespace weft::test;

namespace {

using Real = long double;

template <class T> std::vector<T> specials() {
  using L = std::numeric_limits<T>;
  std::vector<T> r;
  for (T x : {T(0), T(1), T(2), T(3), T(0.5), T(1.5), T(2.5), T(100), L::infinity(), L::quiet_NaN(), L::max(), L::min(),
              L::denorm_min(), std::nextafter(T(1), T(0)), std::nextafter(T(1), T(2))})
    r.insert(r.end(), {x, -x});
  return r;
}

template <class T> T any_exponent(Random& random) {
  using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<T>(static_cast<U>(random.bits()));
}

template <class Struct, class T> void check_accuracy(Random& random) {
  const TrueValue<Real>& reference = true_values<Real>().at(Struct::name);
  const double bound = std::is_same_v<T, float> ? reference.f32 : reference.f64;
  constexpr bool binary = arity<Struct>() == 2;
  std::vector<T> xs, ys;
  const auto put = [&](T x, T y) { xs.push_back(x), ys.push_back(y); };
  for (int i = 0; i < 4000; ++i) {
    put(static_cast<T>(random.uniform(Struct::domain.low, Struct::domain.high)),
        static_cast<T>(random.uniform(Struct::domain1.low, Struct::domain1.high)));
    put(any_exponent<T>(random), any_exponent<T>(random));
    put(static_cast<T>(random.uniform(-90, 90)), static_cast<T>(random.uniform(-9, 9)));
  }
  for (T x : specials<T>())
    for (T y : specials<T>()) put(x, y);
  std::vector<Tensor> in = {from_vector(xs)};
  if (binary) in.push_back(from_vector(ys));
  const auto got = apply(op_of<Struct>(), {}, in).template to_vector<T>();
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!reference.promised || reference.promised(xs[i], ys[i]))
      if (const double e = ulps<Real>(got[i], reference.f(xs[i], ys[i]), format_of<T>); e > worst) worst = e, at = i;
  INFO(Struct::name << "(" << xs[at] << (binary ? ", " + std::to_string(ys[at]) : "") << ") = " << got[at] << " is "
                    << worst << " ulp off");
  CHECK(worst <= bound);
}

}  // namespace

TEST_CASE("every elementwise op is accurate, also at the special values") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct> && !detail::has_condition<Struct> && Sampler<Struct>::accepts(f32)) {
      INFO("no reference for " << Struct::name);
      REQUIRE(true_values<Real>().count(Struct::name));
      check_accuracy<Struct, float>(random);
      check_accuracy<Struct, double>(random);
      for (const DType narrow : {DType::bf16, DType::f16}) {
        INFO(Struct::name << " of " << name_of(narrow));
        CHECK(narrow_error<Struct, arity<Struct>()>(narrow) <= narrow_bound(true_values<double>().at(Struct::name)));
      }
    }
  });
}

TEST_CASE("integer arithmetic wraps, and maximum, abs and sign know unsigned numbers") {
  const Tensor top = tensor<std::int32_t>({INT32_MAX, INT32_MIN, -7}), bytes = tensor<std::uint8_t>({0, 1, 200, 255});
  CHECK_VALUES(top + 1, -2147483648.0, -2147483647.0, -6);
  CHECK_VALUES(top * 2, -2, 0, -14);
  CHECK_VALUES(-top, -2147483647.0, -2147483648.0, 7);
  CHECK_VALUES(abs(top), 2147483647.0, -2147483648.0, 7);
  CHECK_VALUES(sign(top), 1, -1, -1);
  CHECK_VALUES(square(tensor<std::int64_t>({std::int64_t{3037000500}})), -9223372036709301616.0);
  CHECK_VALUES(bytes + bytes, 0, 2, 144, 254);
  CHECK_VALUES(-bytes, 0, 255, 56, 1);
  CHECK_VALUES(abs(bytes), 0, 1, 200, 255);
  CHECK_VALUES(sign(bytes), 0, 1, 1, 1);
  CHECK_VALUES(maximum(bytes, 100), 100, 100, 200, 255);
  CHECK_VALUES(cast(less(bytes, 200), i32), 1, 1, 0, 0);
}

TEST_CASE("logical ops are their truth tables") {
  const Tensor a = tensor<bool>({false, false, true, true}), b = tensor<bool>({false, true, false, true});
  CHECK_VALUES(a & b, 0, 0, 0, 1);
  CHECK_VALUES(a | b, 0, 1, 1, 1);
  CHECK_VALUES(a ^ b, 0, 1, 1, 0);
  CHECK_VALUES(!a, 1, 1, 0, 0);
}

TEST_CASE("where chooses element by element, of every type, and broadcasts its condition") {
  for (DType t : all_dtypes) {
    INFO(name_of(t));
    const Tensor a = cast(tensor({1, 0, 1, 0}), t), b = cast(tensor({0, 0, 1, 1}), t);
    CHECK_VALUES(where(tensor<bool>({true, false, false, true}), a, b), 1, 0, 1, 0);
    CHECK_VALUES(where(tensor<bool>({{true}, {false}}), a, b), 1, 0, 1, 0, 0, 0, 1, 1);
  }
  const Tensor mask = tensor<bool>({true, false});
  CHECK_VALUES(where(mask, mask, 1), 1, 1);
  CHECK_VALUES(where(mask, 0, mask), 0, 0);
  CHECK_SAME(where(mask, tensor({NAN, 2}), tensor({3, INFINITY})), tensor({NAN, INFINITY}));
  CHECK_THROWS_AS(where(tensor({1, 0}), 1, 2), DTypeError);
}
