#include "debug.h"

#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <mutex>

#include "anomaly.h"
#include "apply.h"
#include "context.h"
#include "defs/debug.h"

namespace weft {
namespace {

constexpr std::int64_t few = 8;  // as many elements are shown

std::mutex stream_mutex;
std::ostream* stream = &std::cerr;

struct Range {
  double low = INFINITY, high = -INFINITY;
  std::int64_t n = 0, nan = 0, inf = 0;

  explicit Range(const View& v) : n(count(v.shape)) {
    std::vector<double> x(static_cast<std::size_t>(n));
    copy_elements(v, {f64, v.shape, contiguous_strides(v.shape), x.data()});
    for (const double e : x) {
      if (std::isfinite(e)) {
        low = std::min(low, e);
        high = std::max(high, e);
      } else {
        ++(std::isnan(e) ? nan : inf);
      }
    }
  }

  std::string text() const {
    std::string s = low > high ? n ? "none finite" : "empty" : fmt::format("{:.4g} to {:.4g}", low, high);
    if (nan) s += fmt::format(", {} nan", nan);
    if (inf) s += fmt::format(", {} inf", inf);
    return s;
  }
};

// Whether some element is not finite, quickly.
bool any_not_finite(const View& v) {
  if (!is_floating(v.dtype)) return false;
  if (!v.contiguous()) {
    const Range r(v);
    return r.nan + r.inf > 0;
  }
  bool found = false;
  visit_dtype(v.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* x = v.as<T>();
    for (std::int64_t i = 0, n = count(v.shape); i < n; ++i) found |= !std::isfinite(static_cast<double>(x[i]));
  });
  return found;
}

}  // namespace

void find_anomaly(const Op& op, const std::source_location& site, Views in, Views out,
                  const std::function<std::string(std::size_t)>& describe) {
  if (op.kind == OpKind::view) return;  // shows what was checked before
  for (const View& v : out) {
    if (!any_not_finite(v)) continue;
    std::int64_t nan = 0, inf = 0;
    std::vector<std::string> operands;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Range r(in[i]);
      if (is_floating(in[i].dtype)) {
        nan += r.nan;
        inf += r.inf;
      }
      if (i < few) operands.push_back(fmt::format("{}   {}", describe(i), r.text()));
    }
    const Range result(v);
    const bool new_nan = result.nan && !nan, new_inf = result.inf && !nan && !inf;
    if (!new_nan && !new_inf) continue;
    NumericsError error(fmt::format("{} of {} elements are {}, and no operand's is", new_nan ? result.nan : result.inf,
                                    result.n, new_nan ? "nan" : "inf"),
                        "found by debug::AnomalyScope");
    error.locate(op.name, std::move(operands), site_text(site));
    throw error;
  }
}

void Print::run(const Attrs& attrs, Views in, Views out) {
  copy_elements(in[0], out[0]);
  const std::lock_guard lock(stream_mutex);
  if (!stream) return;
  const PrintAttrs::Label& l = *attrs.as<PrintAttrs>().label;
  const std::int64_t n = count(in[0].shape);
  std::string shown;
  if (n <= few) {
    const Tensor copy = Tensor::allocate({in[0].dtype, in[0].shape});
    copy_elements(in[0], copy.view());
    shown = copy.text();
  } else {
    shown = Range(in[0]).text() + "  " + Type{in[0].dtype, in[0].shape}.text();
  }
  *stream << fmt::format("{}{}{} ({})\n", l.label, l.label.empty() ? "" : ": ", shown, l.site) << std::flush;
}

namespace debug {

Tensor print(const Arg& x, std::string_view label) {
  const SiteScope scope(x.site());
  return apply<Print>({x.tensor()}, PrintAttrs{std::make_shared<const PrintAttrs::Label>(
                                        PrintAttrs::Label{std::string(label), site_text(SiteScope::current())})});
}

void print_to(std::ostream* to) {
  const std::lock_guard lock(stream_mutex);
  stream = to;
}

AnomalyScope::AnomalyScope() : previous_(context().anomaly) {
  if (active_tracer())
    throw GuardError("AnomalyScope: a function that is traced has no numbers to look at yet",
                     "make it around the call of the compiled function");
  context().anomaly = true;
  push_recorder(this);
}

AnomalyScope::~AnomalyScope() {
  pop_recorder(this);
  context().anomaly = previous_;
}

void AnomalyScope::record(const Op& op, const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
  std::vector<View> operands, results;
  for (const Tensor& t : out) {
    if (t.is_traced()) return;
    results.push_back(t.view());
  }
  for (const Tensor& t : in) operands.push_back(t.view());
  find_anomaly(op, SiteScope::current(), operands, results,
               [&](std::size_t i) { return describe_operand(fmt::format("in{}", i), in[i]); });
}

}  // namespace debug
}  // namespace weft
