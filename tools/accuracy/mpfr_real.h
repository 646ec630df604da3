// Real numbers of 128 bits by MPFR, with the names that true_values.h uses.
#pragma once

#include <mpfr.h>

#include <type_traits>

namespace weft::accuracy {

class Mpfr {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  explicit Mpfr(Number x) {
    mpfr_init2(v_, 128);
    mpfr_set_ld(v_, static_cast<long double>(x), MPFR_RNDN);
    if (x != x) mpfr_setsign(v_, v_, __builtin_signbit(static_cast<double>(x)), MPFR_RNDN);  // a NaN's sign is lost
  }
  Mpfr(const Mpfr& x) {
    mpfr_init2(v_, 128);
    mpfr_setsign(v_, x.v_, mpfr_signbit(x.v_), MPFR_RNDN);
  }
  Mpfr& operator=(const Mpfr& x) {
    mpfr_set(v_, x.v_, MPFR_RNDN);
    return *this;
  }
  ~Mpfr() { mpfr_clear(v_); }

  explicit operator long double() const { return mpfr_get_ld(v_, MPFR_RNDN); }

#define WEFT_BINARY(name, function)                                   \
  friend Mpfr name(const Mpfr& x, const Mpfr& y) {                    \
    return of([&](mpfr_t r) { function(r, x.v_, y.v_, MPFR_RNDN); }); \
  }
  WEFT_BINARY(operator+, mpfr_add)
  WEFT_BINARY(operator-, mpfr_sub)
  WEFT_BINARY(operator*, mpfr_mul)
  WEFT_BINARY(operator/, mpfr_div)
  WEFT_BINARY(pow, mpfr_pow)
  WEFT_BINARY(atan2, mpfr_atan2)
  WEFT_BINARY(hypot, mpfr_hypot)
  WEFT_BINARY(fmod, mpfr_fmod)
  WEFT_BINARY(copysign, mpfr_copysign)
#undef WEFT_BINARY
#define WEFT_UNARY(name, function)                              \
  friend Mpfr name(const Mpfr& x) {                             \
    return of([&](mpfr_t r) { function(r, x.v_, MPFR_RNDN); }); \
  }
  WEFT_UNARY(operator-, mpfr_neg)
  WEFT_UNARY(abs, mpfr_abs)
  WEFT_UNARY(sqrt, mpfr_sqrt)
  WEFT_UNARY(exp, mpfr_exp)
  WEFT_UNARY(exp2, mpfr_exp2)
  WEFT_UNARY(expm1, mpfr_expm1)
  WEFT_UNARY(log, mpfr_log)
  WEFT_UNARY(log2, mpfr_log2)
  WEFT_UNARY(log10, mpfr_log10)
  WEFT_UNARY(log1p, mpfr_log1p)
  WEFT_UNARY(sin, mpfr_sin)
  WEFT_UNARY(cos, mpfr_cos)
  WEFT_UNARY(tan, mpfr_tan)
  WEFT_UNARY(asin, mpfr_asin)
  WEFT_UNARY(acos, mpfr_acos)
  WEFT_UNARY(atan, mpfr_atan)
  WEFT_UNARY(sinh, mpfr_sinh)
  WEFT_UNARY(cosh, mpfr_cosh)
  WEFT_UNARY(tanh, mpfr_tanh)
  WEFT_UNARY(asinh, mpfr_asinh)
  WEFT_UNARY(acosh, mpfr_acosh)
  WEFT_UNARY(atanh, mpfr_atanh)
  WEFT_UNARY(erf, mpfr_erf)
  WEFT_UNARY(erfc, mpfr_erfc)
  WEFT_UNARY(digamma, mpfr_digamma)
#undef WEFT_UNARY
#define WEFT_ROUNDING(name, function)                \
  friend Mpfr name(const Mpfr& x) {                  \
    return of([&](mpfr_t r) { function(r, x.v_); }); \
  }
  WEFT_ROUNDING(floor, mpfr_floor)
  WEFT_ROUNDING(ceil, mpfr_ceil)
  WEFT_ROUNDING(trunc, mpfr_trunc)
  WEFT_ROUNDING(nearbyint, mpfr_roundeven)
#undef WEFT_ROUNDING
  friend Mpfr lgamma(const Mpfr& x) {
    int sign = 0;
    return of([&](mpfr_t r) { mpfr_lgamma(r, &sign, x.v_, MPFR_RNDN); });
  }
  friend bool signbit(const Mpfr& x) { return mpfr_signbit(x.v_) != 0; }

  // False for NaN, but !=.
  friend bool operator==(const Mpfr& x, const Mpfr& y) { return mpfr_equal_p(x.v_, y.v_); }
  friend bool operator!=(const Mpfr& x, const Mpfr& y) { return !mpfr_equal_p(x.v_, y.v_); }
  friend bool operator<(const Mpfr& x, const Mpfr& y) { return mpfr_less_p(x.v_, y.v_); }
  friend bool operator<=(const Mpfr& x, const Mpfr& y) { return mpfr_lessequal_p(x.v_, y.v_); }
  friend bool operator>(const Mpfr& x, const Mpfr& y) { return mpfr_greater_p(x.v_, y.v_); }
  friend bool operator>=(const Mpfr& x, const Mpfr& y) { return mpfr_greaterequal_p(x.v_, y.v_); }

 private:
  template <class F> static Mpfr of(F f) {
    Mpfr r(0);
    f(r.v_);
    return r;
  }
  mpfr_t v_;
};

}  // namespace weft::accuracy
