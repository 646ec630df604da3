// Plateau: whether a number that should go down, or up, has stopped doing so.
//
//     nn::Plateau plateau({.patience = 5});
//     for (int epoch = 0; epoch < 100; ++epoch) {
//       ...
//       if (plateau.update(validation_loss)) break;  // or opt.set_learning_rate(opt.learning_rate() / 2), plateau.wait()
//       if (plateau.improved()) best = model;
//     }
#pragma once

#include <cmath>
#include <cstdint>

#include "../tensor/site.h"

namespace weft::nn {

struct PlateauOptions {
  std::int64_t patience = 10;  ///< so many updates in a row may bring no improvement
  double least = 0;            ///< an improvement is by more than this
  bool rises = false;          ///< higher is better, as of an accuracy
};

class Plateau {
 public:
  /// ArgumentError for a patience below 0, or a `least` that is negative or NaN.
  explicit Plateau(PlateauOptions options = {}, Site site = Site::current());

  /// One more result. True if it is the (patience + 1)th in a row, or a later one, that does not improve on the best
  /// before it. NaN never does.
  bool update(double value);
  /// Whether the last result was the best so far.
  bool improved() const { return improved_; }
  double best() const { return best_; }  ///< NaN before there is one
  /// Counts anew, as after the rate has been lowered; the best stays.
  void wait() { without_ = 0; }

 private:
  PlateauOptions options_;
  double best_ = NAN;
  std::int64_t without_ = 0;  // results in a row that were no improvement
  bool improved_ = false;
};

}  // namespace weft::nn
