// Metrics of classifiers. They keep counts on the host; call update() with results, outside compiled steps.
//
//     nn::ConfusionMatrix m(3);
//     for (const auto& [x, y] : batches.epoch(0)) m.update(y, model(x));
//     std::printf("%.3f %.3f\n", m.accuracy(), m.f1());
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../tensor/site.h"
#include "../tensor/tensor.h"

namespace weft::nn {

/// Counts of (label, prediction) pairs, and what follows from them.
///
/// Predictions for labels of shape [...] are scores [..., classes], the largest of which counts (the first of equals,
/// NaN above all); or, of two classes, one score an example, [n] or [..., 1]: class 1 if it is above the threshold,
/// which is 0 for logits and 0.5 for probabilities; or class numbers, i32 or i64, [...]. Labels are class numbers, or 0
/// and 1 as floats for two classes, [...] or [..., 1]. (Of one-hot labels the class numbers are argmax(labels, -1).)
/// Examples labelled `ignore`, a number that may be no class, are not counted.
class ConfusionMatrix {
 public:
  /// ArgumentError for fewer than two classes.
  explicit ConfusionMatrix(std::int64_t classes, double threshold = 0, std::optional<std::int64_t> ignore = {},
                           Site site = Site::current());

  /// ShapeError, DTypeError; IndexError for a class that does not exist. Nothing is counted then.
  void update(const Tensor& labels, const Tensor& predictions, Site site = Site::current());
  void reset();

  std::int64_t classes() const { return classes_; }
  /// Examples counted.
  std::int64_t total() const;
  /// How many of class `label` were taken for class `prediction`.
  std::int64_t at(std::int64_t label, std::int64_t prediction, Site site = Site::current()) const;
  /// All counts: i64[classes, classes], labels down.
  Tensor result() const;

  /// The share of right ones; NaN of nothing.
  double accuracy() const;
  /// Of those taken for the class, the share that is of it; 0 if none was.
  double precision(std::int64_t c, Site site = Site::current()) const;
  /// Of those of the class, the share found; 0 if there is none.
  double recall(std::int64_t c, Site site = Site::current()) const;
  /// 2 / (1 / precision + 1 / recall), 0 where either is 0.
  double f1(std::int64_t c, Site site = Site::current()) const;
  /// The plain means over the classes (macro).
  double precision() const;
  double recall() const;
  double f1() const;

  /// A table with the given names of the classes, or their numbers.
  std::string text(const std::vector<std::string>& names = {}) const;

 private:
  void count(const Tensor& labels, const Tensor& predictions);
  void check_class(std::int64_t c) const;
  std::int64_t classes_;
  double threshold_;
  std::optional<std::int64_t> ignore_;
  std::vector<std::int64_t> counts_;
};

/// Single numbers of a ConfusionMatrix, by the usual three calls.
template <double (*of)(const ConfusionMatrix&)> class ConfusionMetric {
 public:
  explicit ConfusionMetric(std::int64_t classes = 2, double threshold = 0, std::optional<std::int64_t> ignore = {},
                           Site site = Site::current())
      : matrix_(classes, threshold, ignore, site) {}
  void update(const Tensor& labels, const Tensor& predictions, Site site = Site::current()) {
    matrix_.update(labels, predictions, site);
  }
  double result() const { return of(matrix_); }
  void reset() { matrix_.reset(); }

 private:
  ConfusionMatrix matrix_;
};
namespace detail {
inline double accuracy_of(const ConfusionMatrix& m) { return m.accuracy(); }
// of two classes those of class 1, of more the mean over the classes
inline double precision_of(const ConfusionMatrix& m) { return m.classes() == 2 ? m.precision(1) : m.precision(); }
inline double recall_of(const ConfusionMatrix& m) { return m.classes() == 2 ? m.recall(1) : m.recall(); }
inline double f1_of(const ConfusionMatrix& m) { return m.classes() == 2 ? m.f1(1) : m.f1(); }
}  // namespace detail
using Accuracy = ConfusionMetric<detail::accuracy_of>;
/// Of class 1 where there are two classes, else the mean over the classes; so too Recall and F1.
using Precision = ConfusionMetric<detail::precision_of>;
using Recall = ConfusionMetric<detail::recall_of>;
using F1 = ConfusionMetric<detail::f1_of>;

/// The area under the ROC curve of two classes: how often an example of class 1 has a higher score than one of class 0,
/// of all such pairs; ties count half. Exact: it keeps all labels and scores. Hanley and McNeil, 1982.
class AUC {
 public:
  /// Labels are 0 and 1, of any dtype, and scores floats, both [n] or [n, 1]. ShapeError, DTypeError; IndexError for
  /// another label, ArgumentError for a score that is NaN. Nothing is kept then.
  void update(const Tensor& labels, const Tensor& scores, Site site = Site::current());
  double result() const;  ///< NaN without examples of both classes
  void reset() { *this = AUC(); }

 private:
  std::vector<double> scores_[2];  // by class
};

/// The mean of numbers, for losses over batches: update(loss, examples).
class Mean {
 public:
  void update(double value, double weight = 1) {
    sum_ += value * weight;
    weight_ += weight;
  }
  double result() const { return sum_ / weight_; }  ///< NaN of nothing
  void reset() { *this = Mean(); }

 private:
  double sum_ = 0, weight_ = 0;
};

/// The share of examples whose label is among the k classes of the highest scores, of equals the first: labels [...] are
/// class numbers, scores floats [..., classes]. ArgumentError for k < 1; else as ConfusionMatrix.
double top_k_accuracy(const Tensor& labels, const Tensor& scores, std::int64_t k = 5,
                      std::optional<std::int64_t> ignore = {}, Site site = Site::current());
/// The share of right predictions, as ConfusionMatrix counts them; any number of classes.
double accuracy(const Tensor& labels, const Tensor& predictions, double threshold = 0,
                std::optional<std::int64_t> ignore = {}, Site site = Site::current());

}  // namespace weft::nn
