#include "standardize.h"

#include <memory>

#include "apply.h"
#include "backward.h"
#include "batching.h"
#include "closure.h"
#include "compose.h"
#include "define.h"
#include "inlined.h"
#include "math.h"

namespace weft {
namespace {

struct StandardizeAttrs {
  Ints axes;
  double epsilon;
  std::shared_ptr<const Graph> graph;
  void each(auto&& f) const { f("axes", axes), f("epsilon", epsilon), f("graph", graph); }
};

struct Standardize : Inlined<StandardizeAttrs> {
  static constexpr auto name = "standardize";
  static constexpr int outputs = 3;
  static void vjp(Backward& b);
  static void batch(Batching& b);
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::Standardize);

namespace weft {
namespace {

struct Centred {
  Tensor difference, mean, variance;
};
Centred centred(const Tensor& x, const Ints& axes) {
  const Tensor m = mean(x, axes, true), d = x - m;
  return {d, m, mean(square(d), axes, true)};
}

Tensor deviation(const Tensor& variance, double epsilon) { return rsqrt(variance + epsilon); }

}  // namespace

// With d = x - mean and r = 1 / sqrt(variance + epsilon), r (g - mean(g)) - d
// r^3 mean(g d), and what comes back to the statistics. Ioffe and Szegedy,
// arXiv:1502.03167, section 3.
void Standardize::vjp(Backward& b) {
  const auto& a = b.attrs<StandardizeAttrs>();
  const auto [d, m, variance] = centred(b.in(), a.axes);
  if (b.has_grad(0)) {
    const Tensor g = b.grad(0), r = deviation(variance, a.epsilon);
    b.give(0, (g - mean(g, a.axes, true)) * r - d * (r * square(r) * mean(g * d, a.axes, true)));
  }
  const double n = static_cast<double>(d.size()) / static_cast<double>(m.size());
  if (b.has_grad(1)) b.give(0, broadcast_to(b.grad(1) / n, d.shape()));
  if (b.has_grad(2)) b.give(0, d * (b.grad(2) * (2 / n)));
}

void Standardize::batch(Batching& b) {
  const auto& a = b.attrs<StandardizeAttrs>();
  Ints axes;
  for (const std::int64_t axis : a.axes) axes.push_back(axis + 1);
  const auto [output, mean, variance] = detail::standardize(b.in(), axes, a.epsilon);
  b.give(0, output);
  b.give(1, mean);
  b.give(2, variance);
}

detail::Standardized detail::standardize(const Tensor& x, const Ints& axes, double epsilon) {
  const Ints normal = normal_axes(axes, x.rank());
  const Type type = x.type();
  const Closure formula = close_over(std::span(&type, 1), [&](std::span<const Tensor> in) {
    const auto [d, m, variance] = centred(in[0], normal);
    return std::vector<Tensor>{d * deviation(variance, epsilon), m, variance};
  });
  Tensor out[3];
  apply(op_of<Standardize>(), StandardizeAttrs{normal, epsilon, formula.self_contained()}, std::span(&x, 1), out);
  return {out[0], out[1], out[2]};
}

}  // namespace weft
