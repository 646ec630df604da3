#include "parts.h"

#include <memory>

#include "apply.h"
#include "backward.h"
#include "batching.h"
#include "closure.h"
#include "define.h"
#include "inlined.h"
#include "manipulate.h"

namespace weft {
namespace {

struct PartsAttrs {
  int axis;
  std::shared_ptr<const Graph> graph;
  void each(auto&& f) const { f("axis", axis), f("graph", graph); }
};

struct Parts : Inlined<PartsAttrs> {
  static constexpr auto name = "equal_parts";
  static constexpr std::uint32_t reads = reads::nothing;
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::Parts);

namespace weft {

void Parts::vjp(Backward& b) {
  std::vector<Tensor> parts;
  for (int k = 0; k < b.outputs(); ++k) parts.push_back(b.grad(k));
  b.give(0, concat(parts, b.attrs<PartsAttrs>().axis));
}

void Parts::batch(Batching& b) {
  const auto& a = b.attrs<PartsAttrs>();
  const auto parts = detail::equal_parts(b.in(), static_cast<std::int64_t>(a.graph->outputs.size()), a.axis + 1);
  for (std::size_t k = 0; k < parts.size(); ++k) b.give(static_cast<int>(k), parts[k]);
}

std::vector<Tensor> detail::equal_parts(const Tensor& x, std::int64_t n, int axis) {
  const Type type = x.type();
  const std::int64_t each = type.shape[axis] / n;
  const Closure slices = close_over(std::span(&type, 1), [&](std::span<const Tensor> in) {
    std::vector<Tensor> parts;
    for (std::int64_t k = 0; k < n; ++k) parts.push_back(slice_axis(in[0], axis, k * each, (k + 1) * each));
    return parts;
  });
  std::vector<Tensor> parts(static_cast<std::size_t>(n));
  apply(op_of<Parts>(), PartsAttrs{axis, slices.graph}, std::span(&x, 1), parts);
  return parts;
}

}  // namespace weft
