#include "plateau.h"

#include <fmt/format.h>

namespace weft::nn {

Plateau::Plateau(PlateauOptions options, Site site) : options_(options) {
  weft::detail::called("Plateau", site, [&] {
    if (options.patience < 0) throw ArgumentError(fmt::format("a patience of {}", options.patience));
    if (!(options.least >= 0)) throw ArgumentError(fmt::format("improvements by more than {}", options.least));
  });
}

bool Plateau::update(double value) {
  const double gain = options_.rises ? value - best_ : best_ - value;
  improved_ = std::isnan(best_) ? !std::isnan(value) : gain > options_.least;
  without_ = improved_ ? 0 : without_ + 1;
  if (improved_) best_ = value;
  return without_ > options_.patience;
}

}  // namespace weft::nn
