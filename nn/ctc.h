// Connectionist temporal classification: the loss of sequences whose labels have no places. Graves et al., ICML 2006.
#pragma once

#include <cstdint>

#include "../ops/arg.h"

namespace weft::nn {

/// What becomes of a batch's losses: nothing; their sum; the mean, each over its number of labels (1 if it has none).
enum class CtcReduction : std::uint8_t { none, sum, mean };

struct CtcOptions {
  std::int64_t blank = 0;  ///< the class that stands for no label
  CtcReduction reduction = CtcReduction::mean;
  bool zero_infinity = false;  ///< 0 instead of inf for labels that can't be aligned
};

/// -log of the probability that the steps spell the labels, summed over all ways to: a label may last for several
/// steps, blanks lie between, and have to between equal labels. As PyTorch's: log_probs [T, N, classes] are logarithms
/// of probabilities (log_softmax), labels [N, S] class numbers, i32 or i64, of which label_lengths [N] count, as
/// input_lengths [N] of the T steps do; what lies beyond is not looked at. [N], or one number.
///
/// It is inf, with gradient 0, where there is no way (PyTorch's gradient is NaN, or 0 with zero_infinity). The gradient
/// is that of the formula, of any order; PyTorch's takes the log_softmax into account, after which both are the same.
///
/// ShapeError, DTypeError; IndexError for a label that is the blank or no class, and a length that is negative or
/// longer than there is room for; ArgumentError if the blank is no class.
Tensor ctc_loss(const Arg& labels, const Arg& log_probs, const Arg& label_lengths, const Arg& input_lengths,
                const CtcOptions& options = {});

}  // namespace weft::nn
