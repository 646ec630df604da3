// Control flow as ops: what a compiled function decides or repeats by values that are not known while it is traced.
// The functions passed are traced once; what they take from their surroundings, variables too, differentiates. In vmap
// and in forward mode a loop is one loop still. Where the examples of a vmap decide for themselves, a loop goes on
// until all have ended and both branches run: whom a branch or a round is not for takes part in it with the numbers of
// one it is for (debug::print shows them); what comes of that is dropped, and its values are not checked.
//
//     auto [h, ys] = scan([&](const Tensor& h, const Tensor& x) {
//       Tensor next = tanh(matmul(x, w) + matmul(h, u));
//       return std::pair(next, next);
//     }, h0, xs);  // one loop over the rows of xs, not a copy of the body for each
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "../ops/arg.h"
#include "../ops/closure.h"
#include "structure.h"

namespace weft {

struct WhileOptions {
  /// The loop ends after so many rounds; negative: it has no bound. A gradient keeps the carries of so many rounds; of
  /// a loop without a bound those of 64 (fewer of more than 1 MB), evenly apart, and computes the others again: where
  /// there are many rounds, a bound is quicker.
  std::int64_t max_iterations = -1;
};

struct ScanOptions {
  bool reverse = false;      ///< from the last element to the first; ys keep their places
  std::int64_t length = -1;  ///< the number of rounds; by default that of xs
};

namespace detail {

std::vector<Tensor> cond(const Arg& predicate, const TensorFunction& then, const TensorFunction& otherwise);
std::vector<Tensor> while_loop(const TensorFunction& condition, const TensorFunction& body, std::vector<Tensor> init,
                               const WhileOptions& options, const std::source_location& site);
/// The body takes carries and xs, and gives carries and ys; so does this.
std::vector<Tensor> scan(const TensorFunction& body, std::span<const Tensor> init, std::span<const Tensor> xs,
                         const ScanOptions& options, const std::source_location& site);

template <class S> auto rebuild(const S& like, std::span<const Tensor> leaves) {
  std::size_t next = 0;
  return map_leaves(like, [&](const auto&) { return leaves[next++]; });
}
/// S with Tensors for leaves.
template <class S> using Tensors = decltype(rebuild(std::declval<const S&>(), std::span<const Tensor>()));

}  // namespace detail

/// then() where the predicate (bool[]) holds, else otherwise(): both give the same structure of the same types. The
/// branch not taken is traced, not run. ShapeError, DTypeError.
template <class Then, class Else> auto cond(const Arg& predicate, Then then, Else otherwise) {
  std::optional<detail::Tensors<std::invoke_result_t<Then&>>> form;
  const auto traced = [&form](auto& branch) {
    return [&](std::span<const Tensor>) {
      const auto r = branch();
      const std::vector<Tensor> leaves = detail::leaves_of(r);
      form = detail::rebuild(r, leaves);
      return leaves;
    };
  };
  const std::vector<Tensor> out = detail::cond(predicate, traced(then), traced(otherwise));
  return detail::rebuild(*form, out);
}

/// While condition(carry) (bool[]) holds: carry = body(carry), of the same types. ShapeError, DTypeError.
template <class Condition, class Body, Structured Carry>
auto while_loop(Condition condition, Body body, const Carry& init, const WhileOptions& options = {},
                const std::source_location& site = std::source_location::current()) {
  const auto start = map_leaves(init, [](const auto& leaf) { return Tensor(leaf); });
  const std::vector<Tensor> out = detail::while_loop(
      [&](std::span<const Tensor> c) { return std::vector<Tensor>{condition(detail::rebuild(start, c))}; },
      [&](std::span<const Tensor> c) { return detail::leaves_of(body(detail::rebuild(start, c))); },
      detail::leaves_of(start), options, site);
  return detail::rebuild(start, out);
}

/// For each element x of xs along its first axis: (carry, y) = body(carry, x). Gives the last carry and the ys,
/// stacked. xs and the ys may be any structures; all xs have the same first extent, or there are none and
/// options.length says how many rounds: then x is an empty tuple. What no round changes is computed once, before them.
/// Where a tape records, the loop keeps of each round what the tape would; scan(recompute(body), ...) keeps the carries
/// alone, and its gradient computes a round again. ShapeError, DTypeError, ArgumentError.
template <class Body, Structured Carry, Structured Xs>
auto scan(Body body, const Carry& init, const Xs& xs, const ScanOptions& options = {},
          const std::source_location& site = std::source_location::current()) {
  const auto start = map_leaves(init, [](const auto& leaf) { return Tensor(leaf); });
  const auto inputs = map_leaves(xs, [](const auto& leaf) { return Tensor(leaf); });
  const std::vector<Tensor> carries = detail::leaves_of(start);
  using Step = std::invoke_result_t<Body&, decltype(start), decltype(inputs)>;
  std::optional<detail::Tensors<typename Step::second_type>> form;
  const std::vector<Tensor> out = detail::scan(
      [&](std::span<const Tensor> in) {
        const auto step = body(detail::rebuild(start, in), detail::rebuild(inputs, in.subspan(carries.size())));
        std::vector<Tensor> leaves = detail::leaves_of(step.first);
        if (leaves.size() != carries.size()) throw ShapeError("scan: the body returns another carry than it takes");
        const std::vector<Tensor> ys = detail::leaves_of(step.second);
        form = detail::rebuild(step.second, ys);
        leaves.insert(leaves.end(), ys.begin(), ys.end());
        return leaves;
      },
      carries, detail::leaves_of(inputs), options, site);
  return std::pair(detail::rebuild(start, out), detail::rebuild(*form, std::span(out).subspan(carries.size())));
}

}  // namespace weft
