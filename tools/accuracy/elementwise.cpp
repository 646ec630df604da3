// Elementwise ops: the largest and the mean error in ulp over numbers of every exponent, the special values, and that
// every instruction set gives the same bits. f32 against double, f64 against MPFR; tests/ops/true_values.h has the true
// values and the bounds.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "../../ops/kernels/elementwise.h"
#include "errors.h"
#include "sections.h"

namespace weft::accuracy {
namespace {

/// One op's loops of T, for each instruction set that this machine has.
template <class Struct, class T> class Measured {
 public:
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
      const T b = is_binary<Struct, T> ? y[k] : T(0);
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
  if constexpr (is_binary<Struct, T>) {
    const Pairs<T> p = pairs<T>(single<T> ? 100'000 : 20'000, generator);
    measured.run(p.x, p.y);
    for (const T y : special) measured.run(special, std::vector<T>(special.size(), y), true);
  } else {
    measured.run(samples<T>(single<T> ? 2000 : 1000, generator), {});
    measured.run(special, {}, true);
  }
  return r;
}

// The largest errors of bf16 and f16, as far as true_values.h promises something.
struct Narrow {
  double bf16, f16, bound;
  bool good() const { return bf16 <= bound && f16 <= bound; }
};

template <class Struct> Narrow narrow() {
  constexpr int operands = is_binary<Struct, float> ? 2 : 1;
  const Narrow r{test::narrow_error<Struct, operands>(DType::bf16), test::narrow_error<Struct, operands>(DType::f16),
                 test::narrow_bound(test::true_values<double>().at(Struct::name))};
  std::printf("%-14s bf16 max %7.4f  f16 max %7.4f%s\n", std::string(Struct::name).c_str(), r.bf16, r.f16,
              r.good() ? "" : "   <-- BAD");
  return r;
}

std::string row(std::string_view name, const Result& f32, const Result& f64, const Narrow& narrow, const char* domain) {
  char text[400];
  const bool partly = f32.other.count + f64.other.count > 0;
  std::string where = partly ? domain : "all";
  if (partly) {
    std::snprintf(text, sizeof text, "; else %.3g, %.3g", f32.other.worst, f64.other.worst);
    where += text;
  }
  std::snprintf(text, sizeof text, "| %.*s | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %s | %s |\n",
                static_cast<int>(name.size()), name.data(), f32.promised.worst, f32.promised.mean(), f64.promised.worst,
                f64.promised.mean(), narrow.bf16, narrow.f16, f32.wrong_specials + f64.wrong_specials ? "no" : "yes",
                where.c_str());
  return text;
}

constexpr const char* heading = R"(# Accuracy

Written by `./run accuracy`. Errors are in units of the last place, against MPFR (f64) and double (f32), over numbers of
every exponent and sign, denser where functions bend, and pairs of them; 0.5 is correctly rounded. bf16 and f16 compute
in f32 and round once; their errors are over all numbers that they have, or each with three others. Special values:
zeros, infinities, NaN, subnormals and their like give what C99's Annex F says, NumPy or Python where it says nothing.
Every instruction set gives the same bits.

Promised: 1 ulp in f32 of exp, log, tanh, sigmoid and erf; 2 ulp of the others, in f32 and f64; 0.501 ulp in bf16 and f16.
Where a domain is named, the columns are about that; the largest errors elsewhere (f32, f64) follow it: there the function
has zeros at which its parts cancel, and an f64 is as good as these parts.

| op | f32 max | f32 mean | f64 max | f64 mean | bf16 max | f16 max | special values | domain |
|---|---:|---:|---:|---:|---:|---:|---|---|
)";

}  // namespace

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

Section of_elementwise_ops(const char* only) {
  Section section{heading};
  each_op(BuiltinOps{}, [&]<class Struct>(int index) {
    if constexpr (measurable<Struct>()) {
      if (only && Struct::name != std::string_view(only)) return;
      const Result singles = sweep<Struct, float>(index), doubles = sweep<Struct, double>(index);
      section.good &= report(Struct::name, "f32", singles);
      section.good &= report(Struct::name, "f64", doubles);
      const Narrow narrowed = narrow<Struct>();
      section.good &= narrowed.good();
      section.add(row(Struct::name, singles, doubles, narrowed, test::true_values<double>().at(Struct::name).domain));
    }
  });
  return section;
}

}  // namespace weft::accuracy
