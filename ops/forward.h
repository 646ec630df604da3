// Forward: what a forward rule sees of the op it differentiates.
#pragma once

#include <span>

#include "op.h"

namespace weft {

/// Passed to Op::jvp, which gives each output the tangent that the inputs' tangents make. Few ops need one: an
/// elementwise op's gradient rule is its forward rule too, a linear op is its own, and of others it follows from two
/// gradient rules, at some cost. Rules are written in public ops, so that they differentiate and trace like anything
/// else.
///
///     static void jvp(Forward& f) { f.give(0, matmul(f.tangent(0), f.in(1)) + matmul(f.in(0), f.tangent(1))); }
class Forward {
 public:
  const Tensor& in(int i = 0) const { return in_[static_cast<std::size_t>(i)]; }
  const Tensor& out(int i = 0) const { return out_[static_cast<std::size_t>(i)]; }
  /// False if the i-th input depends on nothing that has a tangent.
  bool has_tangent(int i) const { return tangents_[static_cast<std::size_t>(i)].defined(); }
  /// The tangent of the i-th input, of its type; zeros where it has none.
  Tensor tangent(int i = 0) const;
  /// Adds to the tangent of the i-th output; an undefined one adds nothing.
  void give(int i, const Tensor& tangent);
  template <class T> const T& attrs() const { return attrs_.as<T>(); }
  const Attrs& attributes() const { return attrs_; }
  int inputs() const { return static_cast<int>(in_.size()); }
  int outputs() const { return static_cast<int>(out_.size()); }

  Forward(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out, std::span<const Tensor> tangents,
          std::span<Tensor> given)
      : attrs_(attrs), in_(in), out_(out), tangents_(tangents), given_(given) {}

 private:
  const Attrs& attrs_;
  std::span<const Tensor> in_;
  std::span<const Tensor> out_;
  std::span<const Tensor> tangents_;
  std::span<Tensor> given_;
};

}  // namespace weft
