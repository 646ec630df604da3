// Attention: every query's mean of the values, weighted by how well its key fits.
#pragma once

#include <optional>

#include "arg.h"

namespace weft {

struct AttentionOptions {
  /// Broadcast to [..., queries, keys]. Of bools: true where a query sees a key. Of floats of the operands' dtype:
  /// added to the scaled scores, and has a gradient; the weights are then kept whole.
  Tensor mask = {};
  bool causal = false;               ///< query i sees the keys up to i
  std::optional<double> scale = {};  ///< of the scores; by default 1 / sqrt(D)
};

/// softmax(scale query key^T) value over the keys: [..., Tq, D], [..., Tk, D], [..., Tk, E] to [..., Tq, E], the axes
/// before them broadcast. It works on a few queries at a time, and its gradient computes the weights again: nothing of
/// the size [Tq, Tk] is kept. A query that sees no key gets 0, and gives no gradient. Floats of one dtype; bf16 and f16
/// compute in f32. ShapeError, DTypeError. Vaswani et al., arXiv:1706.03762; Rabe and Staats, arXiv:2112.05682.
///     scaled_dot_product_attention(q, k, v, {.causal = true})
Tensor scaled_dot_product_attention(const Arg& query, const Arg& key, const Arg& value,
                                    const AttentionOptions& options = {});

}  // namespace weft
