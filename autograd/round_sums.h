// What the rounds of a loop give to its constants, summed: the gradient of a recurrent net's weights.
#pragma once

#include "control_ops.h"

namespace weft {

/// For a loop whose body, (carries, elements, constants) -> (carries, ys, gifts), ends with what a round gives to each
/// constant: a loop that sums them, in further carries. But a gift transpose(a) b, or a sum of such, the product of a
/// matrix, is not made in each round: a and b are stacked, and the sum is one product after the loop, as
/// transpose(a0) b0 + transpose(a1) b1 = transpose([a0; a1]) [b0; b1].
class RoundSums {
 public:
  RoundSums(const Graph& round, std::size_t carries, std::size_t elements, std::size_t gifts);

  /// (carries, sums, elements, constants) -> (carries, sums, ys, operands of products)
  const Body& body() const { return body_; }
  /// Of the sums that are carries.
  const std::vector<Type>& sums() const { return sums_; }
  /// What all rounds give, from the elements of the loop and what it gave.
  std::vector<Tensor> totals(std::span<const Tensor> elements, std::span<const Tensor> given) const;

 private:
  struct Operand {  // a matrix of each round
    bool element;   // one of the elements; else of what the loop gives
    std::size_t index;
    std::int64_t rows, columns;
  };
  struct Product {
    Operand left, right;
  };

  Body body_;
  std::size_t carries_;
  std::vector<Type> sums_;
  std::vector<std::vector<Product>> products_;  // by gift; none: it is summed in a carry
};

}  // namespace weft
