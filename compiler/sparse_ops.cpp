#include "sparse_ops.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <vector>

#include "../ops/define.h"
#include "../ops/defs/indexing.h"
#include "../ops/index_list.h"
#include "../ops/kernels/reduce.h"
#include "../ops/kernels/tile_ops.h"

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

// In the order of kernels/reduce.h. What it leaves out is +0 added to a sum that begins with +0: it changes no bit.
struct SumRows {
  static constexpr auto name = "sum_rows";
  static constexpr auto operand_names = "rows y";
  static constexpr OpKind kind = OpKind::kernel;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = {in[1]->dtype, {}}; }
  static void run(const Attrs&, Views in, Views out) {
    const DType type = in[1].dtype;
    const std::size_t size = size_of(type);
    const auto* rows = in[0].as<std::int64_t>();
    std::vector<std::pair<std::int64_t, std::int64_t>> places;  // in the table and in y, in the table's order
    for (std::int64_t k = 0; k < in[0].shape[0]; ++k)
      if (rows[k] >= 0) places.emplace_back(rows[k], k);
    std::sort(places.begin(), places.end());
    Storage copy;
    const std::byte* y = detail::in_order(in[1], copy);
    const std::int64_t width = places.empty() ? 0 : count(in[1].shape) / in[1].shape[0];
    alignas(64) std::byte partials[row_partials * 8];
    alignas(64) std::byte lined_up[(row_partials + row_block) * 8];
    std::vector<std::byte> sums;  // of the blocks
    std::int64_t block = -1;
    const auto end_block = [&] {
      if (block < 0) return;
      tile::tree(Reduction::sum, type, partials);
      sums.insert(sums.end(), partials, partials + size);
    };
    for (const auto& [row, k] : places)
      for (std::int64_t i = 0; i < width;) {
        const std::int64_t at = row * width + i, n = std::min(width - i, row_block - at % row_block);
        if (at / row_block != block) {
          end_block();
          block = at / row_block;
          tile::clear(Reduction::sum, type, row_partials, partials);
        }
        const std::size_t before = static_cast<std::size_t>(at % row_partials) * size,
                          bytes = static_cast<std::size_t>(n) * size;
        std::memset(lined_up, 0, before);
        std::memcpy(lined_up + before, y + static_cast<std::size_t>(k * width + i) * size, bytes);
        tile::accumulate(Reduction::sum, type, (before + bytes) / size, partials, lined_up);
        i += n;
      }
    end_block();
    combine_blocks(Reduction::sum, type, sums.data(), static_cast<std::int64_t>(sums.size() / size), 1, out[0].data);
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
WEFT_DEFINE_OP(weft::SumRows);
WEFT_DEFINE_OP(weft::SubScalar);

namespace weft {

bool is_positive_zero(const View& number) {
  const std::uint64_t zero = 0;
  return !std::memcmp(number.data, &zero, size_of(number.dtype));
}

const Op& scatter_indices_op() { return op_of<ScatterIndices>(); }
const Op& unique_rows_op() { return op_of<UniqueRows>(); }
const Op& set_rows_op() { return op_of<SetRows>(); }
const Op& sum_rows_op() { return op_of<SumRows>(); }
const Op& sub_scalar_op() { return op_of<SubScalar>(); }

}  // namespace weft
