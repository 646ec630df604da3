#include "sparse_ops.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <vector>

#include "../ops/define.h"
#include "../ops/defs/indexing.h"
#include "../ops/index_list.h"

namespace weft {
namespace {

// The indices in [0, n). The error is that of the scatter which users wrote.
detail::IndexList checked(const View& indices, std::int64_t n, const Op& scatter) {
  try {
    return {indices, n, -n};
  } catch (Error& e) {
    e.locate(scatter.name, {"idx  " + Type{indices.dtype, indices.shape}.text()}, "");
    throw;
  }
}

struct ScatterIndices {
  static constexpr auto name = "scatter_indices";
  static constexpr auto operand_names = "idx";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static void run(const Attrs& attrs, Views in, Views out) {
    const auto& [n, of] = attrs.as<ScatterIndicesAttrs>();
    checked(in[0], n, *of);
    copy_elements(in[0], out[0]);
  }
};

struct UniqueRows {
  static constexpr auto name = "unique_rows";
  static constexpr auto operand_names = "idx";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr int outputs = 2;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = out[1] = {i64, in[0]->shape}; }
  static void run(const Attrs& attrs, Views in, Views out) {
    const auto indices = checked(in[0], attrs.as<UniqueRowsAttrs>().n, op_of<ScatterAdd>());
    auto *rows = out[0].as<std::int64_t>(), *slots = out[1].as<std::int64_t>();
    // An open-addressing table of slots, at most half full.
    const std::size_t size = std::bit_ceil(2 * indices.size() + 2), mask = size - 1;
    std::vector<std::int64_t> table(size, -1);
    for (std::size_t k = 0; k < indices.size(); ++k) {
      std::uint64_t h = 0;
      detail::mix(h, static_cast<std::uint64_t>(indices[k]));
      std::size_t at = (h >> 32) & mask;
      while (table[at] >= 0 && rows[table[at]] != indices[k]) at = (at + 1) & mask;
      const bool first = table[at] < 0;
      if (first) table[at] = static_cast<std::int64_t>(k);
      rows[k] = first ? indices[k] : -1;
      slots[k] = table[at];
    }
  }
};

struct SetRows {
  static constexpr auto name = "set_rows";
  static constexpr auto operand_names = "x rows y";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool in_place = true;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static void run(const Attrs&, Views in, Views out) {
    if (in[0].data != out[0].data) copy_elements(in[0], out[0]);
    Storage copy;
    const std::byte* y = detail::in_order(in[2], copy);
    const auto* rows = in[1].as<std::int64_t>();
    const std::size_t bytes = static_cast<std::size_t>(count(out[0].shape) / out[0].shape[0]) * size_of(out[0].dtype);
    for (std::int64_t k = 0; k < in[1].shape[0]; ++k, y += bytes)
      if (rows[k] >= 0) std::memcpy(out[0].as<std::byte>() + static_cast<std::size_t>(rows[k]) * bytes, y, bytes);
  }
};

struct SubScalar {
  static constexpr auto name = "sub_scalar";
  static constexpr auto operand_names = "x s";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool in_place = true;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static void run(const Attrs&, Views in, Views out) {
    if (in[0].data != out[0].data) copy_elements(in[0], out[0]);
    if (is_positive_zero(in[1])) return;
    visit_dtype(in[1].dtype, [&](auto zero) {
      using T = decltype(zero);
      const T s = *in[1].as<T>();
      T tile[1024];
      const std::int64_t all = count(out[0].shape);
      for (std::int64_t i = 0; i < all; i += std::ssize(tile)) {
        const Shape n = {std::min(all - i, std::ssize(tile))};
        const View part{
            out[0].dtype, n, {1}, out[0].as<std::byte>() + i * static_cast<std::int64_t>(size_of(out[0].dtype))};
        const View wide{in[1].dtype, n, {1}, tile};
        copy_elements(part, wide);
        for (std::int64_t k = 0; k < n[0]; ++k) tile[k] = static_cast<T>(tile[k] - s);
        copy_elements(wide, part);
      }
    });
  }
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::ScatterIndices);
WEFT_DEFINE_OP(weft::UniqueRows);
WEFT_DEFINE_OP(weft::SetRows);
WEFT_DEFINE_OP(weft::SubScalar);

namespace weft {

bool is_positive_zero(const View& number) {
  const std::uint64_t zero = 0;
  return !std::memcmp(number.data, &zero, size_of(number.dtype));
}

const Op& scatter_indices_op() { return op_of<ScatterIndices>(); }
const Op& unique_rows_op() { return op_of<UniqueRows>(); }
const Op& set_rows_op() { return op_of<SetRows>(); }
const Op& sub_scalar_op() { return op_of<SubScalar>(); }

}  // namespace weft
