// Embedding: rows of a table, looked up by number.
#pragma once

#include <cstdint>
#include <string>

#include "../autograd/structure.h"
#include "../ops/arg.h"
#include "init.h"

namespace weft::nn {

/// Rows of a table [rows, ...] by number: indices [...] to [..., ...]. Numbers in [-rows, rows), negative ones from the
/// end: IndexError. DTypeError for other types than i32 and i64.
Tensor embedding(const Arg& indices, const Arg& table);

/// Maps integers i32 or i64 of any shape to rows of a table: [...] to [..., width]. The weight is [rows, width].
/// Its gradient is as large. In a compiled step an update that consumes it is computed on the rows used alone, where it
/// leaves others as they are (SGD); momentum, Adam and weight decay change every row.
///     nn::Embedding words(10000, 64);
///     Tensor x = words(ids);  // i64[batch, length] -> f32[batch, length, 64]
struct Embedding {
  Variable weight;

  /// ArgumentError if an extent is below 1.
  Embedding(std::int64_t rows, std::int64_t width, init::Initializer initializer = init::uniform, DType dtype = f32,
            random::Generator& generator = random::default_generator(), Site site = Site::current());

  /// embedding(indices, weight).
  Tensor operator()(const Arg& indices) const;

  /// "Embedding 10000 x 64"
  std::string text() const;

  WEFT_MEMBERS(weight)
};

}  // namespace weft::nn
