// ForwardAccumulator: forward-mode differentiation of what runs while it records.
//
//     ForwardAccumulator acc(x, dx);
//     Tensor y = tanh(matmul(x, w));
//     Tensor dy = acc.jvp(y);  // the derivative of y along dx
//
// One pass gives the derivatives of everything along one direction; a tape gives those of one thing along all. Both
// nest in each other: an accumulator around a tape's gradient gives a Hessian times a vector.
#pragma once

#include <memory>
#include <span>
#include <thread>
#include <unordered_map>
#include <vector>

#include "../ops/recorder.h"
#include "gradients.h"
#include "structure.h"
#include "tape.h"

namespace weft {

namespace detail {
/// The tangents of an op's outputs, from those of its inputs (undefined: 0; one at least is defined): by its forward
/// rule, by its being linear, by its gradient rule if it is elementwise, else by two gradient rules. Undefined where an
/// output has none. GradError if the op has no rule.
std::vector<Tensor> push_forward(const Op& op, const Attrs& attrs, std::span<const Tensor> in,
                                 std::span<const Tensor> out, std::span<const Tensor> tangents);
}  // namespace detail

class ForwardAccumulator : private Recorder {
 public:
  /// Records from here on, on this thread; watch() says what.
  ForwardAccumulator();
  /// Watches primals (tensors, variables, structures of them), each with its tangent: of the same type, in the same
  /// order. An undefined tangent is 0. A model's tangents may be Gradients. ArgumentError if a primal comes multiple
  /// times or their numbers differ, ShapeError, DTypeError: of the function `name`.
  template <Structured Primals, class Tangents>
  ForwardAccumulator(const Primals& primals, const Tangents& tangents, Site site = Site::current(),
                     const char* name = "ForwardAccumulator")
      : ForwardAccumulator() {
    detail::called(name, site, [&] { watch_all(primals, tangents, true); });
  }
  ~ForwardAccumulator() override;
  ForwardAccumulator(const ForwardAccumulator&) = delete;

  /// Watches more; the tangent of what is watched already is added to.
  template <Structured Primals, class Tangents>
  void watch(const Primals& primals, const Tangents& tangents, Site site = Site::current()) {
    detail::called("watch", site, [&] { watch_all(primals, tangents, false); });
  }

  /// The tangent of each leaf of the target, in its structure; a model's are Gradients. Undefined, or zeros of its
  /// type, where it depends on no primal.
  template <class Target>
  requires Structured<Target> || std::is_same_v<Target, Gradients>
  auto jvp(const Target& target, Unconnected unconnected = Unconnected::none) const {
    return map_leaves(target, [&](const auto& leaf) { return tangent_of(leaf, unconnected); });
  }

  /// Ends the recording; start() goes on with it. GradError if it is not recording, or already is.
  void stop();
  void start();
  bool recording() const { return recording_; }
  /// How many tensors have tangents now. A tangent goes when its tensor has gone: not at once, but before the dead ones
  /// are more than the living.
  std::size_t size() const { return tangents_.size(); }

 private:
  struct Entry {
    Tensor primal, tangent;
  };
  struct Watched {
    std::shared_ptr<VariableState> variable;
    Tensor tangent;
  };

  void record(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) override;
  void read(const std::shared_ptr<VariableState>& variable, const Tensor& value) override;

  template <class Primals, class Tangents> void watch_all(const Primals& primals, const Tangents& tangents, bool once) {
    if constexpr (std::is_same_v<Tangents, Gradients>) {
      for (const auto& item : tangents) watch_leaf(Variable::handle(item.variable), item.gradient, once);
    } else {
      static_assert(Structured<Tangents>, "ForwardAccumulator: tangents are a structure of tensors, or Gradients");
      const std::vector<Tensor> list = detail::leaves_of(tangents);
      std::size_t primal = 0;
      each_leaf(primals, [&](const auto&) { ++primal; });
      check_number(primal, list.size());
      primal = 0;
      each_leaf(primals, [&](const auto& leaf) { watch_leaf(leaf, list[primal++], once); });
    }
  }
  static void check_number(std::size_t primals, std::size_t tangents);
  void watch_leaf(const Tensor& primal, const Tensor& tangent, bool once);
  void watch_leaf(const Variable& primal, const Tensor& tangent, bool once);
  Tensor tangent_of(const Tensor& t, Unconnected unconnected) const;
  Tensor tangent_of(const Variable& v, Unconnected unconnected) const;
  void keep(const Tensor& primal, const Tensor& tangent);
  void drop_dead();

  bool recording_ = false;
  const Tracer* tracer_ = nullptr;  // in which the recording began
  std::thread::id thread_ = std::this_thread::get_id();
  std::unordered_map<std::uint64_t, Entry> tangents_;  // by the primal's id
  std::vector<Watched> variables_;
  // Kept since the dead were last dropped, and left then: entries, and bytes of both tensors.
  std::size_t fresh_ = 0, old_ = 0;
  std::int64_t fresh_bytes_ = 0, old_bytes_ = 0;
};

}  // namespace weft
