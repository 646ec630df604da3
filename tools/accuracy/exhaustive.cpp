// All 2^32 inputs of unary ops in f32: a minute or two an op.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>

#include "../../ops/kernels/elementwise.h"
#include "../../tensor/parallel.h"
#include "errors.h"
#include "sections.h"

namespace weft::accuracy {
namespace {

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
    return !is_binary<Struct, float> && !Struct::boolean_result;
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

}  // namespace

bool write(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  return static_cast<bool>(out.flush());
}

std::string all_inputs_of(const std::string& path) { return section_of(Document(path)); }

int sweep_all_inputs(const std::vector<std::string>& names, const std::string& path) {
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

}  // namespace weft::accuracy
