// Ops that address by index tensors. Indices are checked before anything is written.
#pragma once

#include <vector>

#include "../backward.h"
#include "../batching.h"
#include "../indexing.h"

namespace weft {

struct AxisAttrs {
  int axis;
  void each(auto&& f) const { f("axis", axis); }
};

struct Gather {
  static constexpr auto name = "gather";
  static constexpr auto operand_names = "x idx";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::in1 | reads::types;
  static constexpr std::uint32_t linear = linear::in0;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

struct ScatterAdd {
  static constexpr auto name = "scatter_add";
  static constexpr auto operand_names = "x idx upd";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr std::uint32_t reads = reads::in1;
  static constexpr std::uint32_t linear = linear::in0 | linear::in2;
  static constexpr bool checks = true;
  static constexpr bool in_place = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

struct CheckAttrs {
  std::int64_t n;
  void each(auto&& f) const { f("n", n); }
};
struct CheckIndices {
  static constexpr auto name = "check_indices";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool differentiable = false;
  static constexpr bool checks = true;
  static void infer(const Attrs&, Types in, std::span<Type> out);
  static void run(const Attrs&, Views in, Views out);
  static void batch(Batching& b) { b.apply(b.attributes()); }
};

namespace detail {
/// All indices as i64 in [0, n), in row-major order; IndexError names the first that is not in [low, n).
std::vector<std::int64_t> read_indices(const View& view, std::int64_t n, std::int64_t low);
/// The elements in row-major order: where they lie, or in `copy`.
const std::byte* in_order(const View& view, Storage& copy);
}  // namespace detail

}  // namespace weft
