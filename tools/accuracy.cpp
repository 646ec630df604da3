// How accurate each elementwise op of the table is: the largest and the mean error in ulp, the special values, and that
// every instruction set gives the same bits. f32 against double, f64 against MPFR; tests/ops/true_values.h has the true
// values and the bounds. Exits with 1 if a bound is broken.
//
//   accuracy FILE           sweeps every op and writes the table to FILE; some minutes
//   accuracy --op NAME      sweeps one op
//   accuracy --all [NAME...] [--to FILE]
//                           all 2^32 inputs of unary ops in f32, of all of them by default, on all cores: a minute or
//                           two an op. With --to the figures go into FILE's table, which was written before.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../ops/kernels/elementwise.h"
#include "../ops/table.h"
#include "../tensor/parallel.h"
#include "../tests/ops/ulps.h"
#include "mpfr_real.h"
#include "samples.h"

namespace weft::accuracy {
namespace {

/// The type of the true values, and the one that errors are computed in.
template <class T> using Real = std::conditional_t<single<T>, double, Mpfr>;
template <class T> using Wide = std::conditional_t<single<T>, double, long double>;

template <class T> double ulps(T got, Wide<T> want) {
  return test::ulps(static_cast<Wide<T>>(got), want, test::format_of<T>);
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

template <class Struct> constexpr bool measurable() {
  if constexpr (Struct::kind == OpKind::elementwise && !requires { Struct::run; } && !detail::has_condition<Struct>)
    return Struct::accepts == Accepts::floats || Struct::accepts == Accepts::numbers;
  else
    return false;
}

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

/// All 2^32 inputs of an op in f32. They are held against the op's own loop in f64, which is much quicker than the true
/// value and has 29 digits more; that is held against the true value itself on every 61st input and wherever an error
/// is the largest so far.
template <class Struct> class Exhaustive {
 public:
  explicit Exhaustive(int index)
      : value_(test::true_values<double>().at(Struct::name)),
        singles_(best_loop(index, DType::f32)),
        doubles_(best_loop(index, DType::f64)),
        base_(native_loops_base(index)->by_type[static_cast<int>(DType::f32)]) {}

  Result run() {
    constexpr std::int64_t parts = (std::int64_t{1} << 32) / size;
    result_.bound = value_.f32;
    parallel_for(parts, num_threads(), [&](std::int64_t part) {
      const Result r = of_part(static_cast<std::uint32_t>(part * size), part % 64 == 0);
      const std::lock_guard lock(mutex_);
      merge(result_.promised, r.promised);
      merge(result_.other, r.other);
      result_.wrong_specials += r.wrong_specials;
      result_.differing += r.differing;
    });
    return result_;
  }

 private:
  static constexpr std::int64_t size = 1 << 14;
  static ElementwiseLoop best_loop(int index, DType type) {
    __builtin_cpu_init();
    const NativeLoops* const loops =
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") ? native_loops_avx512(index)
        : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")        ? native_loops_avx2(index)
                                                                                 : native_loops_base(index);
    return loops->by_type[static_cast<int>(type)];
  }
  static void merge(Errors& to, const Errors& part) {
    const Errors before = to;
    if (part.worst > to.worst) to = part;
    to.sum = before.sum + part.sum;
    to.count = before.count + part.count;
  }

  // ulps(), without a call for normal numbers of one sign.
  static double quick_ulps(float got, double want) {
    const auto bits = std::bit_cast<std::uint64_t>(want);
    const std::uint64_t exponent = bits >> 52 & 0x7ff;
    const bool normal = exponent >= 1023 - 126 && exponent <= 1023 + 127;
    if (!normal || !(std::fabs(got) < INFINITY) || std::signbit(got) != std::signbit(want)) return ulps(got, want);
    return std::fabs(got - want) * std::bit_cast<double>((2 * 1023 + 23 - exponent) << 52);
  }

  Result of_part(std::uint32_t first, bool compare) const {
    alignas(64) float x[size], got[size], other[size];
    alignas(64) double wide[size], reference[size];
    for (std::int64_t k = 0; k < size; ++k)
      wide[k] = x[k] = std::bit_cast<float>(first + static_cast<std::uint32_t>(k));
    const void *const in[] = {x}, *const wide_in[] = {wide};
    singles_(in, got, size, false);
    doubles_(wide_in, reference, size, false);
    Result r;
    if (compare) {  // the instruction sets on a part
      base_(in, other, size, false);
      for (std::int64_t k = 0; k < size; ++k)
        r.differing +=
            std::memcmp(got + k, other + k, sizeof(float)) != 0 && (got[k] == got[k] || other[k] == other[k]);
    }
    for (std::int64_t k = 0; k < size; ++k) {
      const bool promised = !value_.promised || value_.promised(wide[k], 0.0);
      Errors& errors = promised ? r.promised : r.other;
      double e = quick_ulps(got[k], reference[k]);
      if ((first + k) % 61 == 0 || e > errors.worst) {
        const double value = value_.f(wide[k], 0.0);
        const double off = std::abs(value - reference[k]);
        r.wrong_specials += promised && !(off <= 8e-16 * std::abs(value) || off < 1e-300) && value == value &&
                            !(std::abs(value) > 1e300 && value == reference[k]);
        e = ulps(got[k], value);
      }
      errors.add(e, x[k], 0, got[k]);
    }
    return r;
  }

  const test::TrueValue<double>& value_;
  const ElementwiseLoop singles_, doubles_, base_;
  Result result_;
  std::mutex mutex_;
};

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

// The largest errors of bf16 and f16, as far as true_values.h promises something.
struct Narrow {
  double bf16, f16, bound;
  bool good() const { return bf16 <= bound && f16 <= bound; }
};

template <class Struct> Narrow narrow() {
  constexpr int operands = Measured<Struct, float>::binary ? 2 : 1;
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

template <class F, class... Struct> void each_op(OpList<Struct...>, F f) {
  int index = 0;
  (f.template operator()<Struct>(index++), ...);
}

// The figures of --all: a section of its own at the end of the document, a line for each op.
constexpr const char* exhaustive_heading = R"(
## All inputs of f32

Written by `./run accuracy --all`: the largest and the mean error over all 2^32 inputs, and where the largest is, against
the op's loop in f64, itself against double's true value on every 61st input and where an error is the largest. An op that
is missing here was not run.

| op | max | mean | at |
|---|---:|---:|---:|
)";

// The document up to that section, and its lines by op.
struct Document {
  std::string before;
  std::map<std::string, std::string, std::less<>> lines;

  explicit Document(const std::string& path) {
    std::ifstream in(path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto section = text.find("\n## All inputs of f32");
    before = text.substr(0, section);
    if (section == std::string::npos) return;
    std::istringstream rest(text.substr(section));
    for (std::string line; std::getline(rest, line);)
      if (line.starts_with("| ")) lines[line.substr(2, line.find(' ', 2) - 2)] = line + "\n";
  }
};

template <class Struct> constexpr bool exhaustible() {
  if constexpr (measurable<Struct>())
    return !Measured<Struct, float>::binary && !Struct::boolean_result;
  else
    return false;
}

// The section, empty while it has no line; in the order of the table of ops.
std::string section_of(const Document& document) {
  std::string text;
  each_op(BuiltinOps{}, [&]<class Struct>(int) {
    if constexpr (exhaustible<Struct>())
      if (const auto at = document.lines.find(Struct::name); at != document.lines.end()) text += at->second;
  });
  return text.empty() ? text : exhaustive_heading + text;
}

bool write(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  return static_cast<bool>(out.flush());
}

enum class What { file, one };

int run(What what, const char* name) {
  bool good = true, found = false;
  std::string table = heading;
  each_op(BuiltinOps{}, [&]<class Struct>(int index) {
    if constexpr (measurable<Struct>()) {
      if (what != What::file && Struct::name != std::string_view(name)) return;
      found = true;
      const Result singles = sweep<Struct, float>(index), doubles = sweep<Struct, double>(index);
      good &= report(Struct::name, "f32", singles);
      good &= report(Struct::name, "f64", doubles);
      const Narrow narrowed = narrow<Struct>();
      good &= narrowed.good();
      table += row(Struct::name, singles, doubles, narrowed, test::true_values<double>().at(Struct::name).domain);
    }
  });
  if (!found) return std::printf("there is no elementwise op %s\n", name), 2;
  if (what == What::file && !write(name, table + section_of(Document(name)))) return std::perror(name), 2;
  return !good;
}

int run_exhaustive(const std::vector<std::string>& names, const std::string& path) {
  bool good = true, written = true;
  std::size_t found = 0;
  Document document(path);
  each_op(BuiltinOps{}, [&]<class Struct>(int index) {
    if constexpr (exhaustible<Struct>()) {
      if (!names.empty() && std::ranges::count(names, Struct::name) == 0) return;
      ++found;
      const Result r = Exhaustive<Struct>(index).run();
      good &= report(Struct::name, "f32", r);
      char text[200];
      std::snprintf(text, sizeof text, "| %s | %.4f | %.4f | %a |\n", std::string(Struct::name).c_str(),
                    r.promised.worst, r.promised.mean(), r.promised.x);
      document.lines[std::string(Struct::name)] = text;
      if (!path.empty()) written &= write(path, document.before + section_of(document));  // now: it may be stopped
    }
  });
  if (found < std::max<std::size_t>(names.size(), 1)) return std::puts("there is no such unary op of floats"), 2;
  if (!written) return std::perror(path.c_str()), 2;
  return !good;
}

}  // namespace
}  // namespace weft::accuracy

int main(int argc, char** argv) {
  using namespace weft::accuracy;
  if (argc == 3 && std::strcmp(argv[1], "--op") == 0) return run(What::one, argv[2]);
  if (argc >= 2 && std::strcmp(argv[1], "--all") == 0) {
    std::vector<std::string> names(argv + 2, argv + argc);
    std::string path;
    if (names.size() >= 2 && names[names.size() - 2] == "--to") {
      path = names.back();
      names.resize(names.size() - 2);
    }
    return run_exhaustive(names, path);
  }
  if (argc == 2 && argv[1][0] != '-') return run(What::file, argv[1]);
  std::puts("accuracy FILE | --op NAME | --all [NAME...] [--to FILE]");
  return 2;
}
