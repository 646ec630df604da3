#include "metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../ops/apply.h"

namespace weft::nn {
namespace {

// The shape without a last axis of 1.
Shape without_unit(Shape s) {
  if (!s.empty() && s.back() == 1) s.erase(s.size() - 1);
  return s;
}

template <class E> [[noreturn]] void fail(E error, const Tensor& labels, const Tensor& predictions) {
  error.locate("update", {describe_operand("labels       ", labels), describe_operand("predictions  ", predictions)},
               site_text(SiteScope::current()));
  throw error;
}

// Class numbers of labels; floats must be whole.
std::vector<std::int64_t> classes_of(const Tensor& labels, std::int64_t classes, const Tensor& l, const Tensor& p) {
  std::vector<std::int64_t> r;
  if (is_floating(labels.dtype())) {
    for (const double v : labels.to_vector<double>()) {
      if (classes != 2 || (v != 0 && v != 1))
        fail(DTypeError(fmt::format("a label is {}, where floats are 0 or 1 of two classes", v),
                        "cast class numbers to i64"),
             l, p);
      r.push_back(v == 1);
    }
    return r;
  }
  r = labels.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < r.size(); ++i)
    if (r[i] < 0 || r[i] >= classes)
      fail(IndexError(fmt::format("class {} at {} must be within [0, {}]", r[i], i, classes - 1)), l, p);
  return r;
}

std::vector<std::int64_t> largest(const std::vector<double>& scores, std::size_t classes) {
  std::vector<std::int64_t> r(scores.size() / classes);
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double* row = scores.data() + i * classes;
    std::size_t best = 0;
    for (std::size_t c = 1; c < classes && row[best] == row[best]; ++c)
      if (row[c] > row[best] || row[c] != row[c]) best = c;
    r[i] = static_cast<std::int64_t>(best);
  }
  return r;
}

}  // namespace

using weft::detail::called;

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, double threshold, Site site)
    : classes_(classes), threshold_(threshold) {
  called("ConfusionMatrix", site, [&] {
    if (classes < 2 || classes > 1 << 14) throw ArgumentError(fmt::format("{} classes, from 2 to 16384", classes));
  });
  reset();
}

void ConfusionMatrix::reset() { counts_.assign(static_cast<std::size_t>(classes_ * classes_), 0); }

void ConfusionMatrix::update(const Tensor& labels, const Tensor& predictions, Site site) {
  called("update", site, [&] { count(labels, predictions); });
}

void ConfusionMatrix::count(const Tensor& labels, const Tensor& predictions) {
  if (!labels.defined() || !predictions.defined()) fail(ArgumentError("an operand is undefined"), labels, predictions);
  const Shape& s = predictions.shape();
  const bool scores = is_floating(predictions.dtype());
  const bool rows = scores && !s.empty() && s.back() == classes_ && s.size() == labels.rank() + 1;
  Shape examples = s;
  if (rows)
    examples.erase(s.size() - 1);
  else if (scores && classes_ != 2)
    fail(ShapeError(fmt::format("scores of {} classes have shape [..., {}], not {}", classes_, classes_, s.text())),
         labels, predictions);
  const bool fits = labels.shape() == examples || (!rows && without_unit(labels.shape()) == without_unit(examples));
  if (!fits)
    fail(ShapeError(fmt::format("labels of shape {} for predictions of {}", labels.shape().text(), s.text())), labels,
         predictions);

  const auto truth = classes_of(labels, classes_, labels, predictions);
  std::vector<std::int64_t> guess;
  if (rows)
    guess = largest(predictions.to_vector<double>(), static_cast<std::size_t>(classes_));
  else if (scores)
    for (const double v : predictions.to_vector<double>()) guess.push_back(v > threshold_);
  else
    guess = classes_of(predictions, classes_, labels, predictions);
  for (std::size_t i = 0; i < truth.size(); ++i) ++counts_[static_cast<std::size_t>(truth[i] * classes_ + guess[i])];
}

std::int64_t ConfusionMatrix::at(std::int64_t label, std::int64_t prediction, Site site) const {
  return called("at", site, [&] {
    if (label < 0 || label >= classes_ || prediction < 0 || prediction >= classes_)
      throw IndexError(fmt::format("class {} or {} must be within [0, {}]", label, prediction, classes_ - 1));
    return counts_[static_cast<std::size_t>(label * classes_ + prediction)];
  });
}

std::int64_t ConfusionMatrix::total() const {
  std::int64_t n = 0;
  for (const std::int64_t c : counts_) n += c;
  return n;
}

Tensor ConfusionMatrix::result() const {
  const Tensor t = Tensor::allocate({i64, {classes_, classes_}});
  std::copy(counts_.begin(), counts_.end(), t.view().as<std::int64_t>());
  return t;
}

double ConfusionMatrix::accuracy() const {
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < classes_; ++c) right += at(c, c);
  const std::int64_t n = total();
  return n ? static_cast<double>(right) / static_cast<double>(n) : std::numeric_limits<double>::quiet_NaN();
}

double ConfusionMatrix::precision(std::int64_t c) const {
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < classes_; ++i) n += at(i, c);
  return n ? static_cast<double>(at(c, c)) / static_cast<double>(n) : 0;
}

double ConfusionMatrix::recall(std::int64_t c) const {
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < classes_; ++i) n += at(c, i);
  return n ? static_cast<double>(at(c, c)) / static_cast<double>(n) : 0;
}

double ConfusionMatrix::f1(std::int64_t c) const {
  const double p = precision(c), r = recall(c);
  return p + r > 0 ? 2 * p * r / (p + r) : 0;
}

namespace {
template <class F> double mean_over(std::int64_t classes, F f) {
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += f(c);
  return sum / static_cast<double>(classes);
}
}  // namespace

double ConfusionMatrix::precision() const {
  return mean_over(classes_, [&](std::int64_t c) { return precision(c); });
}
double ConfusionMatrix::recall() const {
  return mean_over(classes_, [&](std::int64_t c) { return recall(c); });
}
double ConfusionMatrix::f1() const {
  return mean_over(classes_, [&](std::int64_t c) { return f1(c); });
}

std::string ConfusionMatrix::text(const std::vector<std::string>& names) const {
  const auto name = [&](std::int64_t c) {
    return static_cast<std::size_t>(c) < names.size() ? shortened(names[static_cast<std::size_t>(c)], 24)
                                                      : std::to_string(c);
  };
  std::size_t width = std::to_string(total()).size(), first = 5;
  for (std::int64_t c = 0; c < classes_; ++c) {
    width = std::max(width, name(c).size());
    first = std::max(first, name(c).size());
  }
  std::string text = fmt::format("{:<{}}", "label", first);
  for (std::int64_t c = 0; c < classes_; ++c) text += fmt::format("  {:>{}}", name(c), width);
  text += "  precision  recall     f1\n";
  for (std::int64_t i = 0; i < classes_; ++i) {
    text += fmt::format("{:<{}}", name(i), first);
    for (std::int64_t c = 0; c < classes_; ++c) text += fmt::format("  {:>{}}", at(i, c), width);
    text += fmt::format("  {:>9.3f}  {:>6.3f}  {:>5.3f}\n", precision(i), recall(i), f1(i));
  }
  return text;
}

double accuracy(const Tensor& labels, const Tensor& predictions, double threshold, Site site) {
  return called("accuracy", site, [&] {
    const Shape& s = predictions.shape();
    const bool rows = is_floating(predictions.dtype()) && s.size() == labels.rank() + 1 && s.back() > 1;
    std::int64_t classes = rows ? s.back() : 2;
    if (!is_floating(predictions.dtype()))
      for (const Tensor& t : {labels, predictions})
        for (const std::int64_t c : t.to_vector<std::int64_t>()) classes = std::max(classes, c + 1);
    ConfusionMatrix m(classes, threshold);
    m.update(labels, predictions);
    return m.accuracy();
  });
}

}  // namespace weft::nn
