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

// What is wrong with labels or predictions, in the function that the user called.
template <class E> [[noreturn]] void fail(E error, const Tensor& labels, const Tensor& predictions) {
  weft::detail::fail_in({}, error,
                        {describe_operand("labels       ", labels), describe_operand("predictions  ", predictions)});
}

constexpr std::int64_t ignored = -1;  // for a class number

// Class numbers of labels; floats must be whole.
std::vector<std::int64_t> classes_of(const Tensor& labels, std::int64_t classes, const Tensor& l, const Tensor& p,
                                     const std::optional<std::int64_t>& ignore = {}) {
  std::vector<std::int64_t> r;
  if (is_floating(labels.dtype())) {
    for (const double v : labels.to_vector<double>()) {
      if (ignore && v == static_cast<double>(*ignore)) {
        r.push_back(ignored);
        continue;
      }
      if (classes != 2 || (v != 0 && v != 1))
        fail(DTypeError(classes == 2 ? fmt::format("a label is {}, where floats are 0 or 1 of two classes", v)
                                     : fmt::format("labels are floats, and there are {} classes", classes),
                        "cast class numbers to i64"),
             l, p);
      r.push_back(v == 1);
    }
    return r;
  }
  r = labels.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < r.size(); ++i)
    if (ignore && r[i] == *ignore)
      r[i] = ignored;
    else if (r[i] < 0 || r[i] >= classes)
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

// Of each example its class, and the one it was taken for.
struct Decisions {
  std::vector<std::int64_t> truth, guess;
};

// The classes of the labels, which fit the predictions; `rows`: these are scores [..., classes].
std::vector<std::int64_t> truth_of(const Tensor& labels, const Tensor& predictions, bool rows, std::int64_t classes,
                                   const std::optional<std::int64_t>& ignore) {
  const Shape &l = labels.shape(), &p = predictions.shape();
  const bool scores = is_floating(predictions.dtype());
  if (scores && !rows && l == p && l.size() > 1 && l.back() > 1)
    fail(ShapeError("labels of as many numbers a row as the scores are one-hot, or a label for each number",
                    "argmax(labels, -1), or reshape(labels, {-1}) and reshape(scores, {-1})"),
         labels, predictions);
  Shape examples = p;
  if (rows)
    examples.erase(p.size() - 1);
  else if (scores && classes != 2)
    fail(ShapeError(fmt::format("scores of {} classes have shape [..., {}], not {}", classes, classes, p.text())),
         labels, predictions);
  const bool fit = l == examples || without_unit(l) == examples ||
                   (!rows && (l == without_unit(examples) || without_unit(l) == without_unit(examples)));
  if (!fit)
    fail(ShapeError(fmt::format("labels of shape {} for predictions of {}", l.text(), p.text())), labels, predictions);
  return classes_of(labels, classes, labels, predictions, ignore);
}

Decisions decide(const Tensor& labels, const Tensor& predictions, bool rows, std::int64_t classes, double threshold,
                 const std::optional<std::int64_t>& ignore) {
  Decisions d{truth_of(labels, predictions, rows, classes, ignore), {}};
  if (rows) {
    d.guess = largest(predictions.to_vector<double>(), static_cast<std::size_t>(classes));
  } else if (is_floating(predictions.dtype())) {
    const double limit = predictions.dtype() == f64 ? threshold : static_cast<float>(threshold);  // as x > threshold
    for (const double v : predictions.to_vector<double>()) d.guess.push_back(v > limit);
  } else {
    d.guess = classes_of(predictions, classes, labels, predictions);
  }
  return d;
}

// Of the examples that are not ignored, the share of which right(i) holds; NaN of none.
template <class Right> double share(const std::vector<std::int64_t>& truth, Right&& right) {
  std::int64_t found = 0, counted = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] == ignored) continue;
    found += right(i);
    ++counted;
  }
  return counted ? static_cast<double>(found) / static_cast<double>(counted) : std::numeric_limits<double>::quiet_NaN();
}

void check_defined(const Tensor& labels, const Tensor& predictions) {
  if (!labels.defined() || !predictions.defined()) fail(ArgumentError("an operand is undefined"), labels, predictions);
}

// Scores of this many classes: an axis more than the labels have, or than they have without a last axis of 1.
bool are_rows(const Tensor& labels, const Tensor& predictions, std::int64_t classes) {
  const Shape &l = labels.shape(), &p = predictions.shape();
  return is_floating(predictions.dtype()) && !p.empty() && p.back() == classes &&
         (p.size() == l.size() + 1 || (p.size() == l.size() && l.back() == 1));
}

}  // namespace

using weft::detail::called;

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, double threshold, std::optional<std::int64_t> ignore, Site site)
    : classes_(classes), threshold_(threshold), ignore_(ignore) {
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
  check_defined(labels, predictions);
  const Decisions d =
      decide(labels, predictions, are_rows(labels, predictions, classes_), classes_, threshold_, ignore_);
  for (std::size_t i = 0; i < d.truth.size(); ++i)
    if (d.truth[i] != ignored) ++counts_[static_cast<std::size_t>(d.truth[i] * classes_ + d.guess[i])];
}

void ConfusionMatrix::check_class(std::int64_t c) const {
  if (c < 0 || c >= classes_) throw IndexError(fmt::format("class {} must be within [0, {}]", c, classes_ - 1));
}

std::int64_t ConfusionMatrix::at(std::int64_t label, std::int64_t prediction, Site site) const {
  return called("at", site, [&] {
    check_class(label);
    check_class(prediction);
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

double ConfusionMatrix::precision(std::int64_t c, Site site) const {
  called("precision", site, [&] { check_class(c); });
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < classes_; ++i) n += at(i, c);
  return n ? static_cast<double>(at(c, c)) / static_cast<double>(n) : 0;
}

double ConfusionMatrix::recall(std::int64_t c, Site site) const {
  called("recall", site, [&] { check_class(c); });
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < classes_; ++i) n += at(c, i);
  return n ? static_cast<double>(at(c, c)) / static_cast<double>(n) : 0;
}

double ConfusionMatrix::f1(std::int64_t c, Site site) const {
  called("f1", site, [&] { check_class(c); });
  const double p = precision(c), r = recall(c);
  return p + r > 0 ? 2 * p * r / (p + r) : 0;
}

void AUC::update(const Tensor& labels, const Tensor& scores, Site site) {
  called("update", site, [&] {
    check_defined(labels, scores);
    if (!is_floating(scores.dtype()))
      fail(DTypeError(fmt::format("scores are {}, not floats", name_of(scores.dtype()))), labels, scores);
    const auto one_each = [](const Shape& s) { return s.size() <= 1 || (s.size() == 2 && s.back() == 1); };
    if (!one_each(labels.shape()) || !one_each(scores.shape()) || labels.size() != scores.size())
      fail(ShapeError(fmt::format("labels of shape {} for scores of {}, both [n] or [n, 1]", labels.shape().text(),
                                  scores.shape().text())),
           labels, scores);
    const std::vector<std::int64_t> classes = classes_of(labels, 2, labels, scores);
    const std::vector<double> values = scores.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i)
      if (std::isnan(values[i])) fail(ArgumentError(fmt::format("the score at {} is NaN", i)), labels, scores);
    for (std::size_t i = 0; i < values.size(); ++i) scores_[static_cast<std::size_t>(classes[i])].push_back(values[i]);
  });
}

double AUC::result() const {
  std::vector<double> zeros = scores_[0], ones = scores_[1];
  std::sort(zeros.begin(), zeros.end());
  std::sort(ones.begin(), ones.end());
  double pairs = 0;
  auto below = zeros.begin(), up_to = zeros.begin();
  for (const double score : ones) {
    while (below != zeros.end() && *below < score) ++below;
    while (up_to != zeros.end() && *up_to <= score) ++up_to;
    pairs += static_cast<double>((below - zeros.begin()) + (up_to - zeros.begin())) / 2;
  }
  return pairs / (static_cast<double>(zeros.size()) * static_cast<double>(ones.size()));
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

double top_k_accuracy(const Tensor& labels, const Tensor& scores, std::int64_t k, std::optional<std::int64_t> ignore,
                      Site site) {
  return called("top_k_accuracy", site, [&] {
    check_defined(labels, scores);
    if (k < 1) throw ArgumentError(fmt::format("the first {} classes", k));
    const std::int64_t classes = scores.rank() > 0 ? scores.shape().back() : 0;
    if (!is_floating(scores.dtype()) || classes < 1 || !are_rows(labels, scores, classes))
      fail(ShapeError("labels are class numbers [...], scores floats [..., classes]"), labels, scores);
    const std::vector<std::int64_t> truth = truth_of(labels, scores, true, classes, ignore);
    const std::vector<double> all = scores.to_vector<double>();
    const auto above = [](double a, double b) { return a > b || (std::isnan(a) && !std::isnan(b)); };
    return share(truth, [&](std::size_t i) {
      const double *const row = all.data() + i * static_cast<std::size_t>(classes), mine = row[truth[i]];
      std::int64_t before = 0;
      for (std::int64_t c = 0; c < classes; ++c)
        before += above(row[c], mine) || (c < truth[i] && !above(mine, row[c]));
      return before < k;
    });
  });
}

double accuracy(const Tensor& labels, const Tensor& predictions, double threshold, std::optional<std::int64_t> ignore,
                Site site) {
  return called("accuracy", site, [&] {
    check_defined(labels, predictions);
    const std::int64_t last = predictions.rank() > 0 ? predictions.shape().back() : 0;
    const bool rows = last > 1 && are_rows(labels, predictions, last);
    const std::int64_t any = std::numeric_limits<std::int64_t>::max();
    const std::int64_t classes = rows ? last : is_floating(predictions.dtype()) ? 2 : any;
    const Decisions d = decide(labels, predictions, rows, classes, threshold, ignore);
    return share(d.truth, [&](std::size_t i) { return d.truth[i] == d.guess[i]; });
  });
}

}  // namespace weft::nn
