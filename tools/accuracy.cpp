// Measures the elementary functions of ops/scalar_math.h: the largest and mean error in ulp, the special values, and
// that every ISA gives the same bits. Exits with 1 if a bound of the table below is broken.
//
//   accuracy               sweeps every f32 exponent, f64 samples; half a minute
//   accuracy --all [name]  all 2^32 inputs of each unary f32 function; a minute or two for each
//
// By hand:
//   for i in base: "avx2:-mavx2 -mfma" "avx512:-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd -mavx2 -mfma"; do
//     g++ -std=c++20 -O2 -ffp-contract=off ${i#*:} -DWEFT_ISA_NAME=${i%%:*} -c tools/accuracy_isa.cpp -o ${i%%:*}.o
//   done
//   g++ -std=c++20 -O2 -ffp-contract=off tools/accuracy.cpp ops/formula.cpp base.o avx2.o avx512.o -lmpfr -lfmt -o
//   accuracy
#include "accuracy.h"

#include <mpfr.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../ops/scalar_math.h"

namespace weft::accuracy {

extern const Build base, avx2, avx512;

namespace {

// The most ulp that a function may be off.
struct Bound {
  const char* name;
  double f32, f64;
};
constexpr Bound bounds[] = {{"exp", 1, 1},       {"exp2", 1, 1},           {"expm1", 2, 2},   {"log", 1, 1},
                            {"log2", 2, 2},      {"log1p", 2, 2},          {"sin", 2, 2},     {"cos", 2, 2},
                            {"tan", 2, 2},       {"tanh", 1, 1},           {"sigmoid", 1, 1}, {"erf", 1, 2},
                            {"rsqrt", 1.5, 1.5}, {"reciprocal", 0.5, 0.5}, {"pow", 2, 2},     {"atan2", 2, 2}};

/// The true values, in a type with at least 11 more bits: W is double for f32, long double for f64.
template <class W> using Reference = W (*)(W x, W y);
template <class W> Reference<W> reference(const std::string& f) {
  if (f == "exp") return [](W x, W) { return std::exp(x); };
  if (f == "exp2") return [](W x, W) { return std::exp2(x); };
  if (f == "expm1") return [](W x, W) { return std::expm1(x); };
  if (f == "log") return [](W x, W) { return std::log(x); };
  if (f == "log2") return [](W x, W) { return std::log2(x); };
  if (f == "log1p") return [](W x, W) { return std::log1p(x); };
  if (f == "sin") return [](W x, W) { return std::sin(x); };
  if (f == "cos") return [](W x, W) { return std::cos(x); };
  if (f == "tan") return [](W x, W) { return std::tan(x); };
  if (f == "tanh") return [](W x, W) { return std::tanh(x); };
  if (f == "sigmoid") return [](W x, W) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); };
  if (f == "erf") return [](W x, W) { return std::erf(x); };
  if (f == "rsqrt") return [](W x, W) { return 1 / std::sqrt(x); };
  if (f == "reciprocal") return [](W x, W) { return 1 / x; };
  if (f == "pow") return [](W x, W y) { return std::pow(x, y); };
  return [](W x, W y) { return std::atan2(x, y); };
}

/// The same by MPFR, for a part of the f64 samples: long double's own functions have bugs of their own.
long double precise(const std::string& f, double x, double y) {
  static mpfr_t a, b, r;
  static const bool ready = [] {
    mpfr_inits2(300, a, b, r, static_cast<mpfr_ptr>(nullptr));
    return true;
  }();
  (void)ready;
  mpfr_set_d(a, x, MPFR_RNDN);
  mpfr_set_d(b, y, MPFR_RNDN);
  const auto run = [&](int (*g)(mpfr_t, const mpfr_t, mpfr_rnd_t)) { g(r, a, MPFR_RNDN); };
  if (f == "exp")
    run(mpfr_exp);
  else if (f == "exp2")
    run(mpfr_exp2);
  else if (f == "expm1")
    run(mpfr_expm1);
  else if (f == "log")
    run(mpfr_log);
  else if (f == "log2")
    run(mpfr_log2);
  else if (f == "log1p")
    run(mpfr_log1p);
  else if (f == "sin")
    run(mpfr_sin);
  else if (f == "cos")
    run(mpfr_cos);
  else if (f == "tan")
    run(mpfr_tan);
  else if (f == "tanh")
    run(mpfr_tanh);
  else if (f == "erf")
    run(mpfr_erf);
  else if (f == "rsqrt")
    return 1 / std::sqrt(static_cast<long double>(x));
  else if (f == "reciprocal")
    mpfr_ui_div(r, 1, a, MPFR_RNDN);
  else if (f == "pow")
    mpfr_pow(r, a, b, MPFR_RNDN);
  else if (f == "atan2")
    mpfr_atan2(r, a, b, MPFR_RNDN);
  else {
    mpfr_neg(r, a, MPFR_RNDN);
    mpfr_exp(r, r, MPFR_RNDN);
    mpfr_add_ui(r, r, 1, MPFR_RNDN);
    mpfr_ui_div(r, 1, r, MPFR_RNDN);
  }
  return mpfr_get_ld(r, MPFR_RNDN);
}

template <class T, class W> double ulps(T got, W want) {
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : INFINITY;
  if (std::signbit(got) != std::signbit(want)) return INFINITY;
  constexpr int digits = std::numeric_limits<T>::digits, top = std::numeric_limits<T>::max_exponent;
  constexpr int bottom = std::numeric_limits<T>::min_exponent;
  if (std::isinf(got) && std::isinf(want)) return 0;
  const W limit = std::ldexp(W(1), top);
  // An infinity stands for the number after the largest.
  const W a = std::isinf(got) ? limit : std::fabs(static_cast<W>(got)), b = std::fmin(std::fabs(want), limit);
  int exponent = bottom;
  if (b != 0) std::frexp(b, &exponent);
  exponent = std::fmin(std::fmax(exponent, bottom), top);
  return static_cast<double>(std::ldexp(std::fabs(a - b), digits - exponent));
}

template <class T> bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

struct Result {
  double worst = 0, sum = 0;
  double x = 0, y = 0, got = 0;
  long count = 0, exact = 0, differing = 0;  // exact: correctly rounded
  template <class T, class W> void add(T in, T in2, T out, W want) {
    ++count;
    const T rounded = static_cast<T>(want);
    if (same(rounded, out) && ++exact % 16 != 0) return;  // within 0.5 ulp: a sample is enough for the mean
    const double e = ulps(out, want);
    if (e > worst) worst = e, x = in, y = in2, got = out;
    if (e < INFINITY) sum += same(rounded, out) ? 16 * e : e;
  }
};

template <class T> const Function<T>* functions(const Build& b) {
  if constexpr (sizeof(T) == 4)
    return b.f32;
  else
    return b.f64;
}

template <class T> using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;

constexpr long block = 4096;

template <class T> void measure(int f, const std::vector<T>& xs, const std::vector<T>& ys, bool with_base, Result& r) {
  const auto& function = functions<T>(avx512)[f];
  const std::string name = function.name;
  const auto f_reference = reference<Wide<T>>(name);
  T a[block], b[block], c[block], x[block], y[block];
  for (std::size_t at = 0; at < xs.size(); at += block) {
    const long n = std::min<long>(block, xs.size() - at);
    for (long i = 0; i < block; ++i) x[i] = i < n ? xs[at + i] : T(1), y[i] = i < n && !ys.empty() ? ys[at + i] : T(1);
    functions<T>(avx512)[f].run(x, y, a, block);
    functions<T>(avx2)[f].run(x, y, b, block);
    if (with_base) functions<T>(base)[f].run(x, y, c, block);
    for (long i = 0; i < n; ++i) {
      r.differing += !same(a[i], b[i]) || (with_base && !same(a[i], c[i]));
      r.add(x[i], y[i], a[i], f_reference(x[i], y[i]));
      if (sizeof(T) == 8 && (at + i) % 64 == 0) r.add(x[i], y[i], a[i], precise(name, x[i], y[i]));
    }
  }
}

std::mt19937_64 generator(1);

/// Numbers of every exponent, dense where functions bend, and the edges.
template <class T> std::vector<T> samples(int per_exponent) {
  using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  std::vector<T> r;
  const U exponents = sizeof(T) == 4 ? 256 : 2048;
  for (U sign = 0; sign < 2; ++sign)
    for (U e = 0; e < exponents; ++e) {
      const U head = (sign << (8 * sizeof(T) - 1)) | (e << mantissa);
      const int distance = std::abs(static_cast<int>(e) - static_cast<int>(exponents / 2 - 1));
      const int n = sizeof(T) == 8 && distance > 12 ? per_exponent / 64 : per_exponent;
      for (int i = 0; i < n; ++i) r.push_back(std::bit_cast<T>(head | (U(generator()) & ((U(1) << mantissa) - 1))));
      for (U edge = 0; edge < 4; ++edge) {
        r.push_back(std::bit_cast<T>(U(head | edge)));
        r.push_back(std::bit_cast<T>(U(head | (((U(1) << mantissa) - 1) - edge))));
      }
    }
  std::uniform_real_distribution<T> narrow(-1, 1), medium(-40, 40),
      wide(sizeof(T) == 4 ? -110 : -760, sizeof(T) == 4 ? 110 : 760);
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
  if (sizeof(T) == 4)
    r.push_back(T(std::ldexp(16367173.0, 72)));
  else
    r.push_back(T(std::ldexp(6381956970095103.0, 797)));
  for (const T special : {T(0), T(1), T(2), T(0.5), T(3), T(INFINITY), T(NAN), std::numeric_limits<T>::max(),
                          std::numeric_limits<T>::min(), std::numeric_limits<T>::denorm_min()})
    r.insert(r.end(), {special, -special});
  return r;
}

/// Pairs whose powers neither overflow nor vanish, random pairs, and all pairs of special numbers.
template <class T> void pairs(const std::string& name, int count, std::vector<T>& xs, std::vector<T>& ys) {
  using U = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::uniform_real_distribution<double> unit(-1, 1);
  const double top = sizeof(T) == 4 ? 150 : 1080;
  const auto put = [&](T x, T y) { xs.push_back(x), ys.push_back(y); };
  for (int i = 0; i < count; ++i) {
    const T x = std::bit_cast<T>(U(generator())), y = std::bit_cast<T>(U(generator()));
    put(x, y);
    const double l = std::log2(std::fabs(double(x)));
    if (name == "pow") {
      put(std::fabs(x), T(top * unit(generator) / l));
      put(std::fabs(T(1 + 0.5 * unit(generator))), T(top * 3 * unit(generator)));
      const T near = T(1 + std::ldexp(unit(generator), -1 - i % (sizeof(T) == 4 ? 24 : 53)));
      put(near, T(top * unit(generator) / std::log2(double(near))));
      put(x, std::round(T(5 * unit(generator))));
    } else {
      put(T(unit(generator)), T(unit(generator)));
      put(x, T(x * unit(generator)));
      put(T(x * unit(generator)), x);
      put(T(std::ldexp(unit(generator), -int(generator() % 200))),
          T(std::ldexp(unit(generator), -int(generator() % 200))));
    }
  }
  std::vector<T> special;
  for (const T s : {T(0),
                    T(1),
                    T(2),
                    T(0.5),
                    T(1.5),
                    T(3),
                    T(4),
                    T(1e10),
                    T(16777215),
                    T(16777216),
                    T(9007199254740991.0),
                    T(9007199254740992.0),
                    T(4503599627370497.5),
                    T(INFINITY),
                    T(NAN),
                    std::numeric_limits<T>::max(),
                    std::numeric_limits<T>::min(),
                    std::numeric_limits<T>::denorm_min(),
                    std::nextafter(T(1), T(0)),
                    std::nextafter(T(1), T(2))})
    special.insert(special.end(), {s, -s});
  for (const T x : special)
    for (const T y : special) put(x, y);
}

/// How many instructions each function records, which shows too that it compiles in the recording domain.
template <class T> void formula_lengths() {
  using V = Recorded<T>;
  const auto length = [](const char* name, auto f) {
    weft::detail::FormulaWriter writer;
    weft::detail::FormulaWriter::current() = &writer;
    const auto input = [&](std::uint64_t n) {
      return V::at(weft::detail::put(ScalarOp::input, dtype_of<T>, 0, 0, 0, n));
    };
    f(input(0), input(1));
    weft::detail::FormulaWriter::current() = nullptr;
    long work = 0;
    for (const Instruction& i : writer.formula.code) work += i.op > ScalarOp::constant;
    std::printf(" %s %ld", name, work);
  };
  std::printf("instructions of the %s formulas, without constants:", sizeof(T) == 4 ? "f32" : "f64");
#define WEFT_LENGTH(name) length(#name, [](V x, V) { math::name(x); });
  WEFT_LENGTH(exp)
  WEFT_LENGTH(exp2) WEFT_LENGTH(expm1) WEFT_LENGTH(log) WEFT_LENGTH(log2) WEFT_LENGTH(log1p) WEFT_LENGTH(sin)
      WEFT_LENGTH(cos) WEFT_LENGTH(tan) WEFT_LENGTH(tanh) WEFT_LENGTH(sigmoid) WEFT_LENGTH(erf) WEFT_LENGTH(rsqrt)
          WEFT_LENGTH(reciprocal) length("pow", [](V x, V y) { math::pow(x, y); });
  length("atan2", [](V y, V x) { math::atan2(y, x); });
  std::puts("");
}

bool report(const char* name, const char* type, const Result& r, double bound) {
  const bool good = r.worst <= bound && r.differing == 0;
  std::printf(
      "%-10s %s  max %7.4f  mean %6.4f ulp, %6.2f %% correctly rounded; %ld inputs, %ld differ between ISAs; worst %a, "
      "%a -> %a%s\n",
      name, type, r.worst, r.sum / r.count, 100.0 * r.exact / r.count, r.count, r.differing, r.x, r.y, r.got,
      good ? "" : "   <-- BAD");
  std::fflush(stdout);
  return good;
}

double bound_of(const std::string& name, bool single) {
  for (const Bound& b : bounds)
    if (name == b.name) return single ? b.f32 : b.f64;
  return 0;
}

template <class T> bool sweep(const char* only) {
  bool good = true;
  const bool single = sizeof(T) == 4;
  for (int f = 0; functions<T>(avx512)[f].name; ++f) {
    const auto& function = functions<T>(avx512)[f];
    if (only && std::strcmp(only, function.name) != 0) continue;
    Result r;
    std::vector<T> xs, ys;
    if (function.arity == 1)
      xs = samples<T>(single ? 2000 : 4000);
    else
      pairs(function.name, single ? 200000 : 100000, xs, ys);
    measure<T>(f, xs, ys, true, r);
    good &= report(function.name, single ? "f32" : "f64", r, bound_of(function.name, single));
  }
  return good;
}

bool exhaust(const char* only) {
  bool good = true;
  for (int f = 0; avx512.f32[f].name; ++f) {
    const auto& function = avx512.f32[f];
    if (function.arity != 1 || (only && std::strcmp(only, function.name) != 0)) continue;
    Result r;
    std::vector<float> xs(1 << 20);
    for (std::uint64_t i = 0; i < (1ull << 32); i += xs.size()) {
      for (std::size_t j = 0; j < xs.size(); ++j) xs[j] = std::bit_cast<float>(static_cast<std::uint32_t>(i + j));
      measure<float>(f, xs, {}, false, r);
    }
    good &= report(function.name, "f32", r, bound_of(function.name, true));
  }
  return good;
}

}  // namespace
}  // namespace weft::accuracy

int main(int argc, char** argv) {
  using namespace weft::accuracy;
  if (!__builtin_cpu_supports("avx512dq")) return std::puts("needs a CPU with AVX-512"), 2;
  if (argc > 1 && std::strcmp(argv[1], "--all") == 0) return !exhaust(argc > 2 ? argv[2] : nullptr);
  const char* only = argc > 1 ? argv[1] : nullptr;
  int errors = 0;
  if (!only)
    for (const auto& [build, name] : {std::pair{&base, "base"}, {&avx2, "avx2"}, {&avx512, "avx512"}}) {
      const int n = build->domain_errors();
      std::printf("%s: %d operations of the domain go wrong\n", name, n);
      errors += n;
    }
  if (!only) formula_lengths<float>(), formula_lengths<double>();
  const bool singles = sweep<float>(only), doubles = sweep<double>(only);
  return !(singles && doubles && errors == 0);
}
