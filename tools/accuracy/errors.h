// Errors of the loops of elementwise ops, in ulp, and what is promised of them.
#pragma once

#include <cmath>
#include <string_view>

#include "../../ops/table.h"
#include "../../tests/ops/ulps.h"
#include "mpfr_real.h"
#include "samples.h"

namespace weft::accuracy {

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

/// Prints a line, and says whether all is as promised.
bool report(std::string_view name, const char* type, const Result& r);

/// Whether an op has loops of floats, and a true value.
template <class Struct> constexpr bool measurable() {
  if constexpr (Struct::kind == OpKind::elementwise && !requires { Struct::run; } && !detail::has_condition<Struct>)
    return Struct::accepts == Accepts::floats || Struct::accepts == Accepts::numbers;
  else
    return false;
}

template <class Struct, class T> inline constexpr bool is_binary = detail::arity_of<Struct, Recorded<T>> == 2;

/// Calls f.template operator()<Struct>(its place in the table) for each op.
template <class F, class... Struct> void each_op(OpList<Struct...>, F f) {
  int index = 0;
  (f.template operator()<Struct>(index++), ...);
}

}  // namespace weft::accuracy
