// Mixed precision: layers compute in bf16 or f16 what they would in f32. Parameters, their gradients and updates stay
// f32. The precision belongs to the thread and to a compiled step's signature.
//
//     auto step = compile([&](const Tensor& x, const Tensor& y) {
//       const nn::PrecisionScope mixed(DType::bf16);
//       GradientTape tape;
//       const Tensor loss = mean(nn::softmax_cross_entropy(y, model(x)));
//       optimizer.apply(tape.gradient(loss, model));
//       return loss;
//     });
//
// Linear, convolutions, attention, recurrent layers and embeddings give 16 bits: they narrow their f32 inputs and
// weights. Norms give 16 bits too, but compute in f32 with f32 weights; losses give f32. What is no f32 stays as it is:
// f64 models are not touched. f16, whose small gradients vanish, wants a LossScale; bf16 has f32's range.
#pragma once

#include "../ops/arg.h"
#include "../ops/context.h"
#include "../tensor/site.h"

namespace weft::nn {

/// What layers make of f32: f32, unless a PrecisionScope lives.
inline DType precision() { return context().precision; }

/// While it lives, the thread's layers compute in f32, bf16 or f16; the innermost counts. DTypeError for others.
class PrecisionScope {
 public:
  [[nodiscard]] explicit PrecisionScope(DType precision, Site site = Site::current());
  ~PrecisionScope() { context().precision = previous_; }
  PrecisionScope(const PrecisionScope&) = delete;

 private:
  DType previous_;
};

/// precision() in place of f32; other types as they are.
inline DType narrowed(DType t) { return t == f32 ? precision() : t; }
/// An f32 tensor in the precision of layers; others as they are. For what a model computes with a parameter itself:
///     matmul(x, transpose(nn::narrow(tokens.weight)))
Tensor narrow(const Arg& x);
/// A tensor of the narrower precision() as f32; others as they are. What norms and losses begin with.
Tensor widen(const Arg& x);

}  // namespace weft::nn
