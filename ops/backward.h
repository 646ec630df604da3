// Backward: what a gradient rule sees of the op it differentiates.
#pragma once

#include <span>

#include "op.h"

namespace weft {

/// Passed to Op::vjp. A rule reads what its op declares in `reads`, and gives a cotangent to each input that wants one,
/// of that input's type. Rules are written in public ops, so that they differentiate and trace like anything else.
class Backward {
 public:
  /// The i-th input or output; an undeclared read throws.
  const Tensor& in(int i = 0) const;
  const Tensor& out(int i = 0) const;
  /// The type of the i-th input, where `reads` has reads::types.
  const Type& in_type(int i = 0) const;
  /// The cotangent of the i-th output; zeros where nothing came back to it.
  Tensor grad(int i = 0) const;
  /// False if nothing came back to the i-th output.
  bool has_grad(int i) const { return grads_[static_cast<std::size_t>(i)].defined(); }
  /// Whether a cotangent for the i-th input is of use.
  bool wants(int i) const;
  /// Adds to the cotangent of the i-th input; an undefined one says that there is none.
  void give(int i, const Tensor& cotangent);
  template <class T> const T& attrs() const { return attrs_.as<T>(); }
  const Attrs& attributes() const { return attrs_; }
  /// True once the rule has given anything.
  bool answered() const { return answered_; }
  int inputs() const { return static_cast<int>(given_.size()); }
  int outputs() const { return static_cast<int>(grads_.size()); }

  Backward(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Type> in_types,
           std::span<const Tensor> out, std::span<const Type> out_types, std::span<const Tensor> grads,
           std::span<const bool> wants, std::span<Tensor> given)
      : op_(op),
        attrs_(attrs),
        in_(in),
        in_types_(in_types),
        out_(out),
        out_types_(out_types),
        grads_(grads),
        wants_(wants),
        given_(given) {}

 private:
  const Op& op_;
  const Attrs& attrs_;
  std::span<const Tensor> in_;
  std::span<const Type> in_types_;
  std::span<const Tensor> out_;
  std::span<const Type> out_types_;
  std::span<const Tensor> grads_;
  std::span<const bool> wants_;
  std::span<Tensor> given_;
  bool answered_ = false;
};

}  // namespace weft
