// Multi-head attention.
#pragma once

#include <cstdint>
#include <string>

#include "../ops/attention.h"
#include "../ops/flag.h"
#include "linear.h"

namespace weft::nn {

/// [B, T, width] to the same: `heads` attentions side by side, each on width / heads columns of its own, between two
/// linear maps. The columns of qkv are queries, keys and values, and those of each its heads one after another.
///     nn::MultiHeadAttention attention(768, 12);
///     Tensor y = attention(x, {.causal = true});
struct MultiHeadAttention {
  Linear qkv, project;
  std::int64_t heads;

  /// ArgumentError if an extent is below 1 or heads does not divide width.
  MultiHeadAttention(std::int64_t width, std::int64_t heads, Flag bias = true,
                     init::Initializer initializer = init::glorot_uniform, DType dtype = f32,
                     random::Generator& generator = random::default_generator(), Site site = Site::current());

  /// Of x by itself. A mask is broadcast to [B, heads, T, T].
  Tensor operator()(const Arg& x, const AttentionOptions& options = {}) const;
  /// Queries of x [B, T, width], keys and values of memory [B, S, width].
  Tensor operator()(const Arg& x, const Arg& memory, const AttentionOptions& options = {}) const;

  /// "MultiHeadAttention 768, 12 heads"
  std::string text() const;

  WEFT_MEMBERS(qkv, project)
  WEFT_OPTIONS(heads)
};

}  // namespace weft::nn
