// Batching: how a graph of one example is applied to a batch of them at once (vmap, jacobians). Its nodes go through
// the door again, each on operands whose axis 0 is the batch; nodes that no batched value reaches stay as they are.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "closure.h"

namespace weft {

/// A tensor; if `batched`, its axis 0 is the batch.
struct Batched {
  Tensor value;
  bool batched = false;
};

/// The tensor with the batch, of `size` examples, in front: repeated if it has none.
Tensor batch_in_front(const Batched& b, std::int64_t size);

/// `a` of the examples for which `chosen`, bool[size], holds, `b` of the others.
Tensor choose_examples(const Tensor& chosen, const Batched& a, const Batched& b, std::int64_t size);

/// While it lives, random numbers are drawn once on this thread and not for each example: the batch is of rows of one
/// derivative, and what it replays has been drawn.
class SharedDraws {
 public:
  SharedDraws() : before_(std::exchange(alive, true)) {}
  ~SharedDraws() { alive = before_; }
  SharedDraws(const SharedDraws&) = delete;
  static inline thread_local bool alive = false;

 private:
  bool before_;
};

/// Passed to Op::batch: an application of the op, of which some operands are batched. A rule gives every output.
class Batching {
 public:
  /// The extent of the batch.
  std::int64_t size() const { return size_; }
  /// The examples that count, bool[size]; undefined: all. The others take part because a branch or a round is for some
  /// examples alone; what they get is dropped.
  const Tensor& active() const { return active_; }
  int inputs() const { return static_cast<int>(in_.size()); }
  bool batched(int i = 0) const { return in_[static_cast<std::size_t>(i)].batched; }
  /// An operand as it is: with the batch axis in front if batched(i).
  const Tensor& in(int i = 0) const { return in_[static_cast<std::size_t>(i)].value; }
  /// An operand with the batch axis in front: repeated if it has none.
  Tensor front(int i = 0) const;
  /// The shape that an operand has for one example.
  Shape shape(int i = 0) const;
  /// A shape of one example, of all of them.
  Shape with_batch(Shape example) const;
  template <class T> const T& attrs() const { return attrs_.as<T>(); }
  const Attrs& attributes() const { return attrs_; }

  void give(const Tensor& output) { give(0, output); }
  void give(int i, const Tensor& output, bool batched = true) { out_[static_cast<std::size_t>(i)] = {output, batched}; }
  /// Gives what the op with these attributes makes of all operands with the batch in front.
  void apply(const Attrs& attrs);
  /// Gives what the op makes of one example after the other, stacked.
  void one_by_one();

  Batching(const Op& op, const Attrs& attrs, std::span<const Batched> in, std::span<Batched> out, std::int64_t size,
           const Tensor& active)
      : op_(op), attrs_(attrs), in_(in), out_(out), size_(size), active_(active) {}

 private:
  const Op& op_;
  const Attrs& attrs_;
  std::span<const Batched> in_;
  std::span<Batched> out_;
  std::int64_t size_;
  Tensor active_;
};

/// Applies an op to a batch: as it is if no operand is batched, by its rule, by its kind, or, if it has neither, to one
/// example after the other. An op that checks values finds 0 for the examples that are not active.
void apply_batched(const Op& op, const Attrs& attrs, std::span<const Batched> in, std::span<Batched> out,
                   std::int64_t size, const Tensor& active = {});

/// Applies the nodes of a graph of one example to a batch of `size`, through the door. The outputs.
std::vector<Batched> replay_batched(const Graph& graph, std::span<const Batched> inputs, std::int64_t size,
                                    const Tensor& active = {});

/// What replay_batched does, as a graph.
struct BatchedClosure {
  Closure closure;            // from inputs that are batched, or not, as these; it may capture `active`
  std::vector<bool> batched;  // by result
};
/// `front(k)`: whether output k has its batch in front even where it is the same for all examples.
BatchedClosure batch_graph(
    const Graph& graph, std::span<const Batched> inputs, std::int64_t size, const Tensor& active,
    const std::function<bool(std::size_t)>& front = [](std::size_t) { return false; });

}  // namespace weft
