// The numbers that every contender computes on (bench/peers/common.py is the reference): a counter hash, so that
// weights and data are the same in any language.
#pragma once

#include <span>
#include <string_view>

#include <weft/weft.h>

namespace bench {

/// f32 numbers in [low, high), row-major. Element i is low + (high - low) u, where u is the top 24 bits of splitmix64's
/// i-th output, seeded with the FNV-1a hash of the tag, over 2^24; in f64, rounded once.
weft::Tensor uniform(std::string_view tag, const weft::Shape& shape, double low = -1, double high = 1);

/// A dense layer's weights [in, out], in ±1/sqrt(in).
weft::Tensor weight(std::string_view tag, std::int64_t in, std::int64_t out);

/// i64 labels in [0, n): floor(u n) of the same stream.
weft::Tensor classes(std::string_view tag, const weft::Shape& shape, std::int64_t n);

/// One number for the results of a step: a lone scalar is itself. Else the results end to end, scalars left out, times
/// uniform("check", their count), summed in f64.
double check(std::span<const weft::Tensor> results);

}  // namespace bench
