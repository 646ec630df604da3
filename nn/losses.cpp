#include "losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "../ops/apply.h"
#include "../ops/compose.h"
#include "../ops/indexing.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/mismatch.h"
#include "../ops/recorder.h"
#include "../tensor/create.h"
#include "../tensor/site.h"
#include "precision.h"

namespace weft::nn {
namespace {

// A loss's call, its two operands, and the errors that show them.
struct Operands {
  SiteScope scope;
  const char* name;
  const char* second;
  Tensor labels, outputs;
  std::source_location site;

  Operands(const char* loss, const char* outputs_name, const Arg& l, const Arg& o)
      : scope(l.site(), loss), name(loss), second(outputs_name), site(l.site()) {
    const DType literal = o.given().defined() ? o.given().dtype() : l.given().defined() ? l.given().dtype() : f32;
    labels = widen(l.tensor(literal));
    outputs = widen(o.tensor(literal));
    if (!labels.defined()) fail(ArgumentError("the labels are undefined"));
    if (!outputs.defined()) fail(ArgumentError(fmt::format("the {} are undefined", second)));
  }

  template <class E> [[noreturn]] void fail(E error) const {
    const std::size_t column = std::max<std::size_t>(13, std::string_view(second).size() + 1);
    const auto shown = [&](const char* role, const Tensor& t) {
      return describe_operand(fmt::format("{:<{}}", role, column), t);
    };
    weft::detail::fail_in(name, error, {shown("labels", labels), shown(second, outputs)});
  }

  // Both float, of one dtype and shape.
  void check_same() const {
    if (!is_floating(outputs.dtype()))
      fail(DTypeError(fmt::format("{} are {}, not floats", second, name_of(outputs.dtype())), "cast them to f32"));
    if (labels.dtype() != outputs.dtype()) fail(weft::detail::dtypes_differ(labels.dtype(), outputs.dtype()));
    if (labels.shape() != outputs.shape())
      fail(ShapeError(fmt::format("shapes differ: {} and {}", labels.shape().text(), outputs.shape().text()),
                      labels.size() == outputs.size() ? "a loss never broadcasts: reshape one of them" : ""));
  }

  // f(labels, outputs) in the compute type, rounded once.
  template <class F> Tensor compute(F f) const {
    const DType type = compute_type(outputs.dtype());
    return cast(f(is_floating(labels.dtype()) ? cast(labels, type) : labels, cast(outputs, type)), outputs.dtype());
  }
};

}  // namespace

Tensor mse(const Arg& labels, const Arg& predictions) {
  const Operands o("mse", "predictions", labels, predictions);
  o.check_same();
  return o.compute([](const Tensor& y, const Tensor& p) { return mean(square(p - y)); });
}

Tensor mae(const Arg& labels, const Arg& predictions) {
  const Operands o("mae", "predictions", labels, predictions);
  o.check_same();
  return o.compute([](const Tensor& y, const Tensor& p) { return mean(abs(p - y)); });
}

Tensor huber(const Arg& labels, const Arg& predictions, double delta) {
  const Operands o("huber", "predictions", labels, predictions);
  const bool wide = o.labels.dtype() == f64;
  if (!(delta > 0 && delta <= (wide ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max())))
    o.fail(ArgumentError(fmt::format("delta is {}, not above 0 and a finite {}", delta, wide ? "f64" : "f32")));
  o.check_same();
  return o.compute([&](const Tensor& y, const Tensor& p) {
    // d^2 / 2 up to delta, then (|d| - delta / 2) delta; so written the gradient of an infinite d is delta, too.
    const Tensor size = abs(p - y), within = minimum(size, delta);
    return mean(within * (size - within * 0.5));
  });
}

Tensor sigmoid_cross_entropy_with_logits(const Arg& labels, const Arg& logits) {
  const Operands o("sigmoid_cross_entropy_with_logits", "logits", labels, logits);
  o.check_same();
  return o.compute([](const Tensor& z, const Tensor& x) {
    // Two selections instead of max(x, 0) and -|x|: their gradients at 0 would not make sigmoid(0) - z together.
    const Tensor positive = x >= 0;
    return where(positive, x, 0) - x * z + log1p(exp(where(positive, -x, x)));
  });
}

Tensor binary_cross_entropy(const Arg& labels, const Arg& probabilities) {
  const Operands o("binary_cross_entropy", "probabilities", labels, probabilities);
  o.check_same();
  return o.compute([](const Tensor& z, const Tensor& p) {
    // What is held does not reach a logarithm: slopes of any order are finite. NaN and negative numbers do.
    const Tensor low = logical_and(p >= 0, p <= std::exp(-100.0)), at_1 = equal(p, 1);
    const Tensor log_p = where(low, -100, log(where(low, 1, p)));
    const Tensor log_1_p = where(at_1, -100, log1p(where(at_1, 0, -p)));
    return (z - 1) * log_1_p - z * log_p + 0;  // of a right certainty 0, not -0
  });
}

Tensor kl_divergence(const Arg& labels, const Arg& probabilities) {
  const Operands o("kl_divergence", "probabilities", labels, probabilities);
  o.check_same();
  if (o.outputs.rank() == 0) o.fail(ShapeError("probabilities are [..., classes], not one number"));
  return o.compute([](const Tensor& p, const Tensor& q) { return sum(xlogy(p, p) - xlogy(p, q), -1); });
}

Tensor softmax_cross_entropy(const Arg& labels, const Arg& logits, const CrossEntropyOptions& options) {
  const Operands o("softmax_cross_entropy", "logits", labels, logits);
  const Shape& shape = o.outputs.shape();
  if (!is_floating(o.outputs.dtype()))
    o.fail(DTypeError(fmt::format("logits are {}, not floats", name_of(o.outputs.dtype())),
                      is_floating(o.labels.dtype()) ? "labels come first" : "cast them to f32"));
  if (shape.empty() || shape.back() == 0)
    o.fail(ShapeError(fmt::format("logits are [..., classes], not {}", shape.text())));
  const std::int64_t classes = shape.back();
  Shape examples = shape;
  examples.erase(shape.size() - 1);
  const double smoothing = options.label_smoothing;
  if (!(smoothing >= 0 && smoothing <= 1))
    o.fail(ArgumentError(fmt::format("label_smoothing {} is not in [0, 1]", smoothing)));
  Tensor weights = options.class_weights;
  if (weights.defined()) {
    weights = widen(weights);
    if (weights.dtype() != o.outputs.dtype())
      o.fail(DTypeError(fmt::format("class_weights are {}, not {} as the logits", name_of(weights.dtype()),
                                    name_of(o.outputs.dtype()))));
    if (weights.shape() != Shape{classes})
      o.fail(ShapeError(fmt::format("class_weights have shape {}, not [{}]", weights.shape().text(), classes)));
    weights = cast(weights, compute_type(weights.dtype()));
  }

  if (is_floating(o.labels.dtype())) {
    if (o.labels.shape() == examples && examples != shape)
      o.fail(DTypeError(fmt::format("class numbers are {}, not i32 or i64", name_of(o.labels.dtype())),
                        "cast(labels, i64)"));
    o.check_same();
    if (options.ignore) o.fail(ArgumentError("ignore is a class number, and the labels are probabilities"));
    return o.compute([&](const Tensor& labels, const Tensor& x) {
      Tensor p = smoothing > 0 ? labels * (1 - smoothing) + smoothing / static_cast<double>(classes) : labels;
      const Tensor shifted = x - stop_gradient(max(x, -1, true));
      const Tensor log_p = shifted - log(sum(exp(shifted), -1, true));
      // 0 log 0 = 0: a class that neither the label, or a weight of 0, nor the model allows
      if (weights.defined()) p = p * weights;
      const Tensor impossible = logical_and(equal(p, 0), equal(log_p, -INFINITY));
      return -sum(p * where(impossible, 0, log_p), -1);
    });
  }
  if (o.labels.dtype() != i32 && o.labels.dtype() != i64)
    o.fail(DTypeError(fmt::format("labels are {}, not class numbers (i32, i64) or probabilities ({})",
                                  name_of(o.labels.dtype()), name_of(o.outputs.dtype())),
                      "cast(labels, i64)"));
  if (o.labels.shape() != examples)
    o.fail(ShapeError(fmt::format("class numbers of shape {} for logits of {}: they have shape {}",
                                  o.labels.shape().text(), shape.text(), examples.text()),
                      o.labels.size() == count(examples) ? "a loss never broadcasts: squeeze the labels"
                      : o.labels.shape() == shape        ? "cast one-hot labels to the logits' dtype"
                                                         : ""));
  try {
    return o.compute([&](const Tensor& given, const Tensor& logits) {
      if (logits.size() == 0) return sum(logits, -1);  // no example: the classes' numbers are for nothing
      Tensor y = given, x = logits, ignored;
      if (options.ignore) {
        ignored = equal(cast(y, i64), *options.ignore);
        y = where(ignored, 0, y);
        x = where(expand(ignored, -1), 0, x);
      }
      const Tensor numbers = arange(0, classes, 1, y.dtype());
      const Tensor mine = equal(expand(check_indices(y, classes), -1), numbers);
      // log(sum(e^x)) - x[label], both less the largest. A selection, not a product: -inf elsewhere gives no NaN.
      const Tensor shifted = x - stop_gradient(max(x, -1, true));
      const Tensor log_sum = log(sum(exp(shifted), -1));
      // A weight of 0 leaves nothing of an infinite loss either.
      const auto weighted = [](const Tensor& l, const Tensor& w) { return where(equal(w, 0), 0, l * w); };
      Tensor loss = log_sum - sum(where(mine, shifted, 0), -1);
      if (weights.defined()) loss = weighted(loss, sum(where(mine, weights, 0), -1));
      if (smoothing > 0) {
        const Tensor each = expand(log_sum, -1) - shifted;
        const Tensor of_all =
            sum(weights.defined() ? weighted(each, weights) : each, -1) * (smoothing / static_cast<double>(classes));
        loss = smoothing < 1 ? loss * (1 - smoothing) + of_all : of_all;
      }
      return options.ignore ? where(ignored, 0, loss) : loss;
    });
  } catch (IndexError& e) { o.fail(IndexError("a label is no class: " + e.rule(), e.hint())); }
}

}  // namespace weft::nn
