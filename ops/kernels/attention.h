// Attention by panels of queries, and the loops over a panel's weights, compiled once per instruction set.
//
// A panel's scores lie transposed, [keys, panel]: a vector is of so many queries, and goes down the keys without any
// sum across its lanes. So both products around them, key query^T before and weights value after, read every operand as
// it lies; and a query's sum is over the keys in order, in blocks of 128, whatever the instruction set. The products'
// sums are over the keys, or the queries, in order, from the first to the last that a group of 16 queries sees.
//
// Of few queries, as when a model writes word by word, most of a panel would be empty: their scores lie in rows.
#pragma once

#include "../../tensor/dtype.h"
#include "../../tensor/isa.h"
#include "../op.h"

namespace weft::kernels {

inline constexpr std::int64_t panel = 32, group = 16, few_queries = 4;

/// Rows of memory, `step` bytes apart, of `width` bytes.
struct AttentionRows {
  const std::byte* at;
  std::int64_t step, width, rows;
};

/// The weights of one panel: element (key, query) at key * panel + query.
struct AttentionPanel {
  std::int64_t keys[panel / group];  // of each group: its weights for those after are not touched, and not read
  std::int64_t queries;              // that there are; the weights of others are not read
  std::int64_t diagonal;             // query i sees the keys below diagonal + i; keys and more: all
  const bool* seen;                  // a bool for each weight, or null
  double scale;
  const AttentionRows *ahead, *ahead_end;  // what to fetch into L2 meanwhile: the next panel's
};

/// The weights of one query, in a row.
struct AttentionRow {
  std::int64_t keys;  // weights from here to the next multiple of 16 are touched: nothing of theirs matters
  const bool* seen;   // a bool for each, false up to that multiple; or null
  double scale;
};

struct AttentionLoops {
  /// Scores to weights: e^(scale s - the largest of its query), 0 where the key is not seen. `inverse`: 1 over a
  /// query's sum, 0 where that is 0; `log`: the logarithm of the sum of e^(scale s).
  void (*weights)(const AttentionPanel&, void* scores, void* inverse, void* log);
  /// The same of a row, to one `inverse` and one `log`.
  void (*row)(const AttentionRow&, void* scores, void* inverse, void* log);
  /// Scores to weights e^(scale s - log); slopes to weights * (slopes - delta) * scale.
  void (*slopes)(const AttentionPanel&, void* scores, void* slopes, const void* log, const void* delta);
  /// Each of `rows` rows of x, `columns` long and `step` apart, times its factor.
  void (*scale_rows)(void* x, std::int64_t step, const void* factors, std::int64_t rows, std::int64_t columns);
};
/// Of f32 or f64.
const AttentionLoops& attention_loops(DType, Isa);

const AttentionLoops& attention_loops_base(DType);
const AttentionLoops& attention_loops_avx2(DType);
const AttentionLoops& attention_loops_avx512(DType);

/// What the ops' `run` do: operands as in ../defs/attention.h, results with their last axis contiguous.
void attention(Views in, Views out, double scale, bool causal);
void attention_gradient(Views in, Views out, double scale, bool causal);

}  // namespace weft::kernels
