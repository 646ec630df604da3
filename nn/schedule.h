// Schedules: the learning rate as a function of the step, from 0. They are plain functions of the host; a compiled step
// reads the rate that the optimizer was given, and is not traced again:
//
//     const auto schedule = nn::warm_up(100, nn::cosine(1e-3, 1000));
//     for (std::int64_t i = 0; i < 1000; ++i) { opt.set_learning_rate(schedule(i)); step(x, y); }
#pragma once

#include <cstdint>
#include <functional>

#include "../tensor/site.h"

namespace weft::nn {

/// ArgumentError, in each of these, for a rate that is negative or not finite.
using Schedule = std::function<double(std::int64_t step)>;

/// Always `rate`.
Schedule constant(double rate, Site site = Site::current());
/// `rate`, multiplied by `factor` after every `every` steps. ArgumentError if every < 1.
Schedule step_decay(double rate, std::int64_t every, double factor = 0.1, Site site = Site::current());
/// Half a cosine from `rate` at step 0 to `low` at step `steps` and after. ArgumentError if steps < 1.
/// Loshchilov and Hutter, arXiv:1608.03983.
Schedule cosine(double rate, std::int64_t steps, double low = 0, Site site = Site::current());
/// A straight line from `rate` at step 0 to `low` at step `steps` and after. ArgumentError if steps < 1.
Schedule linear(double rate, std::int64_t steps, double low = 0, Site site = Site::current());
/// Half a cosine from peak / 25 up to `peak` over the share `rising` of all steps, then half a cosine down to
/// peak / 250000 at the last step and after, as PyTorch's OneCycleLR. ArgumentError unless it rises for more than one
/// step and falls, too. Smith and Topin, arXiv:1708.07120.
Schedule one_cycle(double peak, std::int64_t steps, double rising = 0.3, Site site = Site::current());
/// A straight line up to `then`: step i < steps has (i + 1) / (steps + 1) of then(0), later ones then(i - steps).
/// ArgumentError if steps < 0.
Schedule warm_up(std::int64_t steps, Schedule then, Site site = Site::current());

}  // namespace weft::nn
