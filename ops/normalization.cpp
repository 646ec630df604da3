#include "normalization.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "apply.h"
#include "check.h"
#include "compose.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"
#include "recorder.h"
#include "standardize.h"

namespace weft {
namespace {

// A normalisation's operands, and the errors that show them.
class Operands {
 public:
  Tensor x;

  Operands(const char* name, const Arg& input, double epsilon)
      : x(input.tensor()), name_(name), site_(input.site()), scope_(site_) {
    show("x", x);
    if (!x.defined()) fail(ArgumentError("x is undefined"));
    if (!is_floating(x.dtype()))
      fail(DTypeError(fmt::format("no meaning for {}", name_of(x.dtype())), "cast it to f32 or f64"));
    if (!(epsilon >= 0) || !std::isfinite(epsilon)) fail(ArgumentError(fmt::format("epsilon is {}", epsilon)));
  }

  template <class E> [[noreturn]] void fail(E error) const { detail::fail_in(name_, error, shown_); }

  // [N, C, ...]: the number of channels.
  std::int64_t channels() const {
    if (x.rank() < 2) fail(ShapeError(fmt::format("x is [N, C, ...], not {}", x.shape().text())));
    return x.shape()[1];
  }
  std::int64_t positions() const {
    std::int64_t n = x.size() > 0;  // of no elements the extents may be such that no number holds their product
    for (int i = 2; n > 0 && i < x.rank(); ++i) n *= x.shape()[i];
    return n;
  }
  // The last axes, which have to have these extents.
  Ints last_axes(const Shape& normalized) const {
    const int begin = x.rank() - normalized.size();
    bool same = begin >= 0 && !normalized.empty();
    for (int i = 0; same && i < normalized.size(); ++i) same = x.shape()[begin + i] == normalized[i];
    if (!same)
      fail(ShapeError(fmt::format("x is {}, whose last extents are not {}", x.shape().text(), normalized.text())));
    Ints axes;
    for (int i = begin; i < x.rank(); ++i) axes.push_back(i);
    return axes;
  }

  // An operand of this shape in the compute type, or undefined.
  Tensor parameter(const char* role, const Tensor& t, const Shape& shape) {
    if (!t.defined()) return t;
    show(role, t);
    if (t.dtype() != x.dtype()) fail(detail::dtypes_differ(x.dtype(), t.dtype()));
    if (t.shape() != shape)
      fail(ShapeError(fmt::format("{} has shape {}, not {}", role, t.shape().text(), shape.text())));
    return cast(t, compute_type(x.dtype()));
  }
  Tensor computed() const { return cast(x, compute_type(x.dtype())); }
  Tensor rounded(const Tensor& y) const { return cast(y, x.dtype()); }

 private:
  void show(const char* role, const Tensor& t) { shown_.push_back(describe_operand(fmt::format("{:<10}", role), t)); }

  const char* name_;
  std::source_location site_;
  SiteScope scope_;
  std::vector<std::string> shown_;
};

Tensor scaled(Tensor y, const Tensor& weight, const Tensor& bias) {
  if (weight.defined()) y = y * weight;
  return bias.defined() ? y + bias : y;
}

// [C] over [N, C, ...].
Tensor by_channel(const Tensor& t, int rank) {
  if (!t.defined()) return t;
  Shape shape = Shape::filled(rank - 1, 1);
  shape[0] = t.size();
  return reshape(t, shape);
}

Ints all_but_channels(int rank) {
  Ints axes;
  for (int i = 0; i < rank; ++i)
    if (i != 1) axes.push_back(i);
  return axes;
}

Tensor by_groups(Operands& o, std::int64_t groups, const Tensor& weight, const Tensor& bias, double epsilon) {
  const std::int64_t channels = o.channels();
  if (groups < 1 || channels % groups != 0)
    o.fail(ArgumentError(fmt::format("{} groups do not divide {} channels", groups, channels)));
  const Tensor w = o.parameter("weight", weight, {channels}), b = o.parameter("bias", bias, {channels});
  const Shape& shape = o.x.shape();
  const std::int64_t size = channels / groups, positions = o.positions();
  // The weights are applied to groups of channels, too: the compiler then has one loop over a group.
  const auto in_groups = [&](const Tensor& t) { return t.defined() ? reshape(t, {groups, size, 1}) : t; };
  const Tensor x = reshape(o.computed(), {shape[0], groups, size, positions});
  const Tensor y = scaled(detail::standardize(x, {2, 3}, epsilon).output, in_groups(w), in_groups(b));
  return o.rounded(reshape(y, shape));
}

}  // namespace

Tensor layer_norm(const Arg& x, const Shape& normalized, const Tensor& weight, const Tensor& bias, double epsilon) {
  Operands o("layer_norm", x, epsilon);
  const Ints axes = o.last_axes(normalized);
  const Tensor w = o.parameter("weight", weight, normalized), b = o.parameter("bias", bias, normalized);
  return o.rounded(scaled(detail::standardize(o.computed(), axes, epsilon).output, w, b));
}

Tensor rms_norm(const Arg& x, const Shape& normalized, const Tensor& weight, double epsilon) {
  Operands o("rms_norm", x, epsilon);
  const Ints axes = o.last_axes(normalized);
  const Tensor w = o.parameter("weight", weight, normalized), t = o.computed();
  return o.rounded(scaled(t * rsqrt(mean(square(t), axes, true) + epsilon), w, {}));
}

Tensor group_norm(const Arg& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double epsilon) {
  Operands o("group_norm", x, epsilon);
  return by_groups(o, groups, weight, bias, epsilon);
}

Tensor instance_norm(const Arg& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  Operands o("instance_norm", x, epsilon);
  if (o.x.rank() < 3)
    o.fail(ShapeError(fmt::format("x is [N, C, positions...], not {}", o.x.shape().text()),
                      "of a single number nothing is left when its mean is taken off"));
  return by_groups(o, std::max<std::int64_t>(1, o.channels()), weight, bias, epsilon);
}

Tensor batch_norm(const Arg& x, const Tensor& mean, const Tensor& variance, const Tensor& weight, const Tensor& bias,
                  double epsilon) {
  Operands o("batch_norm", x, epsilon);
  const Shape channels = {o.channels()};
  const Tensor m = o.parameter("mean", mean, channels), v = o.parameter("variance", variance, channels),
               w = o.parameter("weight", weight, channels), b = o.parameter("bias", bias, channels);
  if (!m.defined() || !v.defined())
    o.fail(ArgumentError(fmt::format("{} is undefined", m.defined() ? "variance" : "mean")));
  try {
    assert_finite(sqrt(v));  // the root of a negative number is NaN
  } catch (const NumericsError& e) {
    o.fail(NumericsError("a variance is negative or not finite: of their roots " + e.rule()));
  }
  const int rank = o.x.rank();
  const Tensor y = (o.computed() - by_channel(m, rank)) * by_channel(rsqrt(v + epsilon), rank);
  return o.rounded(scaled(y, by_channel(w, rank), by_channel(b, rank)));
}

BatchNormed batch_norm_training(const Arg& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  Operands o("batch_norm_training", x, epsilon);
  const Shape channels = {o.channels()};
  const Tensor w = o.parameter("weight", weight, channels), b = o.parameter("bias", bias, channels);
  const int rank = o.x.rank();
  if (channels[0] > 0 && o.x.size() / channels[0] < 2)
    o.fail(ArgumentError(
        fmt::format("{} values a channel: the variance in training needs two", o.x.size() / channels[0])));
  const detail::Standardized s = detail::standardize(o.computed(), all_but_channels(rank), epsilon);
  return {o.rounded(scaled(s.output, by_channel(w, rank), by_channel(b, rank))), o.rounded(reshape(s.mean, channels)),
          o.rounded(reshape(s.variance, channels))};
}

}  // namespace weft
