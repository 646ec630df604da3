#include "batches.h"

#include <fmt/format.h>

#include <cstring>
#include <numeric>
#include <utility>

#include "../tensor/philox.h"
#include "../tensor/profile_log.h"
#include "../tensor/warn.h"

namespace weft::data {

std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed, std::uint64_t stream) {
  if (n < 0) throw ArgumentError(fmt::format("a permutation of {}", n));
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::uint64_t i = static_cast<std::uint64_t>(n); i > 1; --i) {  // Fisher and Yates
    const auto w = philox(seed, stream + 1, i);                        // counters of stream 0 are a generator's
    const std::uint64_t random = std::uint64_t{w[0]} << 32 | w[1];
    const auto j = static_cast<std::uint64_t>((static_cast<unsigned __int128>(random) * i) >> 64);
    std::swap(order[i - 1], order[j]);
  }
  return order;
}

Tensor take_rows(const Tensor& t, std::span<const std::int64_t> rows) {
  const weft::detail::ProfilePhase phase("take_rows");
  if (!t.defined()) throw ArgumentError("take_rows of an undefined tensor");
  if (t.rank() == 0) throw ShapeError("take_rows of a scalar");
  if (t.is_traced())
    throw GuardError("take_rows of a traced tensor, which has no elements to read", "gather(x, rows) is an op");
  Shape shape = t.shape();
  const std::int64_t n = t.shape()[0];
  shape[0] = static_cast<std::int64_t>(rows.size());
  const Tensor result = Tensor::allocate({t.dtype(), shape});
  View from = t.view(), to = result.view();
  from.shape.erase(0);
  from.strides.erase(0);
  to.shape.erase(0);
  to.strides.erase(0);
  const bool plain = from.contiguous();
  const auto element = static_cast<std::ptrdiff_t>(size_of(t.dtype())),
             row_bytes = static_cast<std::ptrdiff_t>(count(from.shape)) * element;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (rows[k] < 0 || rows[k] >= n)
      throw IndexError(fmt::format("take_rows: row {} must be within [0, {}]", rows[k], n - 1));
    if (row_bytes == 0) continue;
    from.data = t.view().as<std::byte>() + rows[k] * t.strides()[0] * element;
    to.data = result.view().as<std::byte>() + static_cast<std::ptrdiff_t>(k) * row_bytes;
    if (plain)
      std::memcpy(to.data, from.data, static_cast<std::size_t>(row_bytes));
    else
      copy_elements(from, to);
  }
  return result;
}

std::int64_t detail::common_rows(std::span<const Tensor> tensors, const BatchOptions& options) {
  if (options.size < 1) throw ArgumentError(fmt::format("batches of {} rows", options.size), "at least 1");
  for (const Tensor& t : tensors) {
    if (!t.defined()) throw ArgumentError("batches of an undefined tensor");
    if (t.rank() == 0 || t.shape()[0] != tensors[0].shape()[0])
      throw ShapeError(
          fmt::format("batches of tensors of different rows: {} and {}", tensors[0].type().text(), t.type().text()));
  }
  const std::int64_t rows = tensors.empty() ? 0 : tensors[0].shape()[0];
  if (options.drop_last && rows < options.size)
    warn("batches of {} of {} rows: there are none, as drop_last leaves out what makes no full one", options.size, rows);
  return rows;
}

}  // namespace weft::data
