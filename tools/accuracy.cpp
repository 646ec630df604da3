// How accurate each elementwise op of the table is: the largest and the mean error in ulp, the special values, and that
// every instruction set gives the same bits. f32 against double, f64 against MPFR; tests/ops/true_values.h has the true
// values and the bounds. Exits with 1 if a bound is broken.
//
//   accuracy FILE           sweeps every op and writes the table to FILE; some minutes
//   accuracy --op NAME      sweeps one op
//   accuracy --all NAME     all 2^32 inputs of a unary op in f32; some minutes
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "../ops/kernels/elementwise.h"
#include "../ops/table.h"
#include "../tests/ops/true_values.h"
#include "mpfr_real.h"
#include "samples.h"

namespace weft::accuracy {
namespace {

/// The type of the true values, and the one that errors are computed in.
template <class T> using Real = std::conditional_t<single<T>, double, Mpfr>;
template <class T> using Wide = std::conditional_t<single<T>, double, long double>;

/// The distance in units of the last place of T at `want`; infinite if one is NaN, or the signs differ.
template <class T> double ulps(T got, Wide<T> want) {
  using W = Wide<T>;
  using L = std::numeric_limits<T>;
  if (want != want || got != got) return want != want && got != got ? 0 : INFINITY;
  if (std::signbit(got) != std::signbit(want)) return INFINITY;
  const W limit = std::ldexp(W(1), L::max_exponent);  // an infinity stands for the number after the largest
  const W a = std::isinf(got) ? limit : std::fabs(static_cast<W>(got)), b = std::fmin(std::fabs(want), limit);
  int exponent = L::min_exponent;
  if (b != 0) std::frexp(b, &exponent);
  exponent = std::min(std::max(exponent, L::min_exponent), L::max_exponent);
  return static_cast<double>(std::ldexp(std::fabs(a - b), L::digits - exponent));
}

struct Errors {
  double worst = 0, sum = 0, x = 0, y = 0, got = 0;
  long count = 0;  // of the mean: results that are numbers but 0
  double mean() const { return count ? sum / static_cast<double>(count) : 0; }
  void add(double e, double in, double in2, double out) {
    if (out != 0 && std::isfinite(out) && e < INFINITY) ++count, sum += e;
    if (e > worst) worst = e, x = in, y = in2, got = out;
  }
};

struct Result {
  Errors promised, other;  // other: where true_values.h promises nothing
  long wrong_specials = 0, differing = 0;
  double bound = 0;
  bool good() const { return promised.worst <= bound && wrong_specials == 0 && differing == 0; }
};

/// One op's loops of T, for each instruction set that this machine has.
template <class Struct, class T> class Measured {
 public:
  static constexpr bool binary = detail::arity_of<Struct, Recorded<T>> == 2;

  Measured(int index, Result& r) : value_(test::true_values<Real<T>>().at(Struct::name)), result_(r) {
    __builtin_cpu_init();
    const auto k = static_cast<std::size_t>(dtype_of<T>);
    loops_.push_back(native_loops_base(index)->by_type[k]);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      loops_.push_back(native_loops_avx2(index)->by_type[k]);
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
      loops_.push_back(native_loops_avx512(index)->by_type[k]);
    r.bound = single<T> ? value_.f32 : value_.f64;
  }

  void run(const std::vector<T>& x, const std::vector<T>& y, bool special = false, bool compare = true) {
    std::vector<Out> got(x.size()), other(x.size());
    const void* in[] = {x.data(), y.data()};
    loops_.back()(in, got.data(), static_cast<std::int64_t>(x.size()), false);
    for (std::size_t i = 0; compare && i + 1 < loops_.size(); ++i) {
      loops_[i](in, other.data(), static_cast<std::int64_t>(x.size()), false);
      for (std::size_t k = 0; k < x.size(); ++k) result_.differing += !same(got[k], other[k]);
    }
    for (std::size_t k = 0; k < x.size(); ++k) {
      const T b = binary ? y[k] : T(0);
      const Real<T> rx(x[k]), ry(b);
      const double e = ulps(static_cast<T>(got[k]), static_cast<Wide<T>>(value_.f(rx, ry)));
      const bool promised = !value_.promised || value_.promised(rx, ry);
      (promised ? result_.promised : result_.other).add(e, x[k], b, static_cast<double>(got[k]));
      if (special && promised && e > result_.bound) ++result_.wrong_specials;
    }
  }

 private:
  using Out = std::conditional_t<Struct::boolean_result, std::uint8_t, T>;
  static bool same(Out a, Out b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

  const test::TrueValue<Real<T>>& value_;
  Result& result_;
  std::vector<ElementwiseLoop> loops_;
};

template <class Struct, class T> Result sweep(int index) {
  Result r;
  Measured<Struct, T> measured(index, r);
  std::mt19937_64 generator(1);
  const std::vector<T> special = special_values<T>();
  if constexpr (Measured<Struct, T>::binary) {
    const Pairs<T> p = pairs<T>(single<T> ? 100'000 : 20'000, generator);
    measured.run(p.x, p.y);
    for (const T y : special) measured.run(special, std::vector<T>(special.size(), y), true);
  } else {
    measured.run(samples<T>(single<T> ? 2000 : 1000, generator), {});
    measured.run(special, {}, true);
  }
  return r;
}

template <class Struct> Result exhaust(int index) {
  Result r;
  Measured<Struct, float> measured(index, r);
  std::vector<float> x(1 << 20);
  for (std::uint64_t i = 0; i < (1ull << 32); i += x.size()) {
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = std::bit_cast<float>(static_cast<std::uint32_t>(i + j));
    measured.run(x, {}, false, i % (std::uint64_t{1} << 26) == 0);  // the instruction sets on a part
  }
  return r;
}

bool report(std::string_view name, const char* type, const Result& r) {
  const Errors& p = r.promised;
  std::printf("%-14.*s %s  max %7.4f  mean %6.4f ulp of %ld; worst %a, %a -> %a", static_cast<int>(name.size()),
              name.data(), type, p.worst, p.mean(), p.count, p.x, p.y, p.got);
  if (r.other.count) std::printf("; elsewhere %.3g at %a, %a", r.other.worst, r.other.x, r.other.y);
  if (r.wrong_specials) std::printf("; %ld special values wrong", r.wrong_specials);
  if (r.differing) std::printf("; %ld differ between instruction sets", r.differing);
  std::puts(r.good() ? "" : "   <-- BAD");
  std::fflush(stdout);
  return r.good();
}

std::string row(std::string_view name, const Result& f32, const Result& f64, const char* domain) {
  char text[400];
  const bool partly = f32.other.count + f64.other.count > 0;
  std::string where = partly ? domain : "all";
  if (partly) {
    std::snprintf(text, sizeof text, "; else %.3g, %.3g", f32.other.worst, f64.other.worst);
    where += text;
  }
  std::snprintf(text, sizeof text, "| %.*s | %.3f | %.3f | %.3f | %.3f | %s | %s |\n", static_cast<int>(name.size()),
                name.data(), f32.promised.worst, f32.promised.mean(), f64.promised.worst, f64.promised.mean(),
                f32.wrong_specials + f64.wrong_specials ? "no" : "yes", where.c_str());
  return text;
}

constexpr const char* heading = R"(# Accuracy

Written by `./run accuracy`. Errors are in units of the last place, against MPFR (f64) and double (f32), over numbers of
every exponent and sign, denser where functions bend, and pairs of them; 0.5 is correctly rounded. bf16 and f16 compute
in f32 and round once. Special values: zeros, infinities, NaN, subnormals and their like give what C99's Annex F says,
NumPy or Python where it says nothing. Every instruction set gives the same bits.

Promised: 1 ulp in f32 of exp, log, tanh, sigmoid and erf; 2 ulp of the others, in f32 and f64, but in f64 3 of lgamma, 4
of i0 and i1, 6 of digamma and erfinv. Where a domain is named, the columns are about that; the largest errors elsewhere
(f32, f64) follow it: there a function has zeros that no formula of its own format finds.

| op | f32 max | f32 mean | f64 max | f64 mean | special values | domain |
|---|---:|---:|---:|---:|---|---|
)";

template <class F, class... Struct> void each_op(OpList<Struct...>, F f) {
  int index = 0;
  (f.template operator()<Struct>(index++), ...);
}

enum class What { file, one, exhaustive };

int run(What what, const char* name) {
  bool good = true, found = false;
  std::string table = heading;
  each_op(BuiltinOps{}, [&]<class Struct>(int index) {
    if constexpr (Struct::kind == OpKind::elementwise && !requires { Struct::run; } && !detail::has_condition<Struct>) {
      if constexpr (Struct::accepts == Accepts::floats || Struct::accepts == Accepts::numbers) {
        if (what != What::file && Struct::name != std::string_view(name)) return;
        found = true;
        if (what == What::exhaustive) {
          if constexpr (!Measured<Struct, float>::binary) good &= report(Struct::name, "f32", exhaust<Struct>(index));
          return;
        }
        const Result singles = sweep<Struct, float>(index), doubles = sweep<Struct, double>(index);
        good &= report(Struct::name, "f32", singles);
        good &= report(Struct::name, "f64", doubles);
        table += row(Struct::name, singles, doubles, test::true_values<double>().at(Struct::name).domain);
      }
    }
  });
  if (!found) return std::printf("there is no elementwise op %s\n", name), 2;
  if (what == What::file) {
    std::FILE* file = std::fopen(name, "w");
    if (!file || std::fputs(table.c_str(), file) < 0 || std::fclose(file) != 0) return std::perror(name), 2;
  }
  return !good;
}

}  // namespace
}  // namespace weft::accuracy

int main(int argc, char** argv) {
  using namespace weft::accuracy;
  if (argc == 3 && std::strcmp(argv[1], "--op") == 0) return run(What::one, argv[2]);
  if (argc == 3 && std::strcmp(argv[1], "--all") == 0) return run(What::exhaustive, argv[2]);
  if (argc == 2 && argv[1][0] != '-') return run(What::file, argv[1]);
  std::puts("accuracy FILE | --op NAME | --all NAME");
  return 2;
}
