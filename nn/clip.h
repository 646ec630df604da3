// Clipping gradients, before an optimizer applies them.
#pragma once

#include <vector>

#include "../autograd/gradients.h"
#include "../tensor/site.h"

namespace weft::nn {

/// Scales all gradients by max_norm / norm if their norm, taken over all of them together, is above max_norm. Returns
/// the norm as it was, 0-d; a NaN reaches all gradients but elements that are 0. Undefined gradients are passed over.
/// ArgumentError if max_norm is not above 0, DTypeError for gradients that are no floats.
Tensor clip_by_global_norm(Gradients& gradients, double max_norm, Site site = Site::current());
/// The same for loose ones.
Tensor clip_by_global_norm(std::vector<Tensor>& gradients, double max_norm, Site site = Site::current());

}  // namespace weft::nn
