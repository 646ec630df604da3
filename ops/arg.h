// Arg: how public ops take an operand. It converts from Tensor, Variable and numbers and notes the caller's line, which
// reaches messages and tape entries for `x + y` too. It refers to the tensor: a parameter, never kept.
#pragma once

#include <concepts>
#include <source_location>

#include "../tensor/literal.h"
#include "../tensor/tensor.h"
#include "variable.h"

namespace weft {

class Arg {
 public:
  Arg(const Tensor& t, std::source_location site = std::source_location::current()) : given_(&t), site_(site) {}
  Arg(const Variable& v, std::source_location site = std::source_location::current())
      : own_(v.value(site)), given_(&own_), site_(site) {}
  template <class Number>
  requires std::is_arithmetic_v<Number> Arg(Number n, std::source_location site = std::source_location::current())
      : given_(&own_), literal_(n), is_number_(true), site_(site) {}

  Arg(const Arg&) = delete;

  /// A literal: it takes the other operand's dtype.
  bool is_number() const { return is_number_; }
  const Literal& literal() const { return literal_; }
  const std::source_location& site() const { return site_; }
  /// The tensor; a literal becomes a 0-d constant of this dtype. DTypeError if the dtype can't hold it.
  Tensor tensor(DType literal = f32) const { return is_number_ ? literal_tensor(literal) : *given_; }
  /// The tensor itself, undefined for a literal.
  const Tensor& given() const { return *given_; }

 private:
  Tensor literal_tensor(DType dtype) const;
  Tensor own_;
  const Tensor* given_;
  Literal literal_ = 0;
  bool is_number_ = false;
  std::source_location site_;
};

}  // namespace weft
