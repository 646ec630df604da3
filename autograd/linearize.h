// linearize: the derivative of a function at a point, as a function of tangents that does not run it again.
#pragma once

#include <functional>
#include <span>
#include <unordered_set>
#include <vector>

#include "../ops/closure.h"
#include "transforms.h"

namespace weft {

namespace detail {
/// What linearize keeps: a graph of the tangents, with what it takes from the primals.
using PushForward = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

/// DTypeError if there is no float among them.
void check_floats(std::span<const Tensor> primals);

/// Notes each op that depends on the primals, with all that it touches.
class Linearizer : private Recorder {
 public:
  explicit Linearizer(std::vector<Tensor> primals);
  ~Linearizer() override;
  Linearizer(const Linearizer&) = delete;
  /// Ends it; then come the others.
  void stop();
  /// From the primals' tangents to those of `results`.
  PushForward push_forward(std::span<const Tensor> results) const;
  /// The tangents of `results` that these of the primals make (undefined: 0), in the trace that has them; undefined
  /// where there are none.
  std::vector<Tensor> tangents(std::span<const Tensor> dx, std::span<const Tensor> results) const;

 private:
  struct Step {
    const Op* op;
    Attrs attrs;
    Origin site;
    std::vector<Tensor> in, out;
  };
  void record(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) override;
  std::vector<Tensor> primals_;
  std::vector<Step> steps_;
  std::unordered_set<std::uint64_t> known_;  // ids of what depends on a primal
};
}  // namespace detail

/// f(x...) and its push-forward at x: from tangents of x... to those of the result, any number of times, without
/// running f again: what does not depend on tangents is computed once, now. Arguments are tensors and structures of
/// tensors.
///
///     auto [y, push] = linearize([](const Tensor& x) { return sin(x); }, x);
///     Tensor dy = push(dx);
template <class F, class... X> auto linearize(F f, X&&... x) {
  static_assert(!(detail::refers<X> || ...), "linearize: pass the values of variables, not the variables");
  auto parameters = detail::take_all<detail::Numbers<>>(f, x...);
  std::vector<Tensor> primals;
  std::apply([&](const auto&... p) { (each_leaf(p, [&](const Tensor& t) { primals.push_back(t); }), ...); },
             parameters);
  detail::Linearizer linearizer(primals);
  auto y = std::apply(f, std::as_const(parameters));
  linearizer.stop();
  static_assert(Structured<decltype(y)>, "linearize: the function returns a Tensor or a structure of tensors");
  auto push = [run = linearizer.push_forward(detail::leaves_of(y)),
               form = map_leaves(y, [](const auto&) { return Tensor(); })](const auto&... tangents) {
    std::vector<Tensor> list;
    (each_leaf(tangents, [&](const auto& leaf) { list.push_back(leaf); }), ...);
    const std::vector<Tensor> results = run(list);
    std::size_t next = 0;
    return map_leaves(form, [&](const Tensor&) { return results[next++]; });
  };
  return std::pair(std::move(y), std::move(push));
}

}  // namespace weft
