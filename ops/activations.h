// Activations: plain functions over the primitives, as PyTorch defines them. On bf16 and f16 they compute in f32 and
// round once at the end. Floats; relu and relu6 also of integers.
#pragma once

#include "arg.h"
#include "axes.h"
#include "flag.h"

namespace weft {

/// max(x, 0); gradient 0 at 0; NaN stays NaN
Tensor relu(const Arg& x);
/// min(max(x, 0), 6); gradient 0 at 0 and 6. Krizhevsky, CIFAR-10 technical report, 2010.
Tensor relu6(const Arg& x);
/// x, or slope x where x <= 0; gradient `slope` at 0. Maas et al., ICML workshop 2013.
Tensor leaky_relu(const Arg& x, double slope = 0.01);
/// x, or weight x where x <= 0; gradient `weight` at 0. The weight is one element for all, or one for each entry of
/// x's axis 1, the channels. ShapeError, DTypeError. He et al., arXiv:1502.01852.
Tensor prelu(const Arg& x, const Arg& weight);
/// x, or alpha (e^x - 1) where x <= 0; gradient alpha at 0. Clevert et al., arXiv:1511.07289.
Tensor elu(const Arg& x, double alpha = 1);
/// scale elu(x, alpha), scale 1.0507.., alpha 1.6732..; gradient scale alpha at 0. Klambauer et al., arXiv:1706.02515.
Tensor selu(const Arg& x);
/// x, or alpha (e^(x / alpha) - 1) where x <= 0; gradient 1 at 0. ArgumentError if alpha is 0. Barron,
/// arXiv:1704.07483.
Tensor celu(const Arg& x, double alpha = 1);
/// x Phi(x): exact by erf, or by the tanh approximation. Hendrycks and Gimpel, arXiv:1606.08415.
Tensor gelu(const Arg& x, Flag approximate = false);
/// x sigmoid(x)
Tensor silu(const Arg& x);
/// x tanh(softplus(x)). Misra, arXiv:1908.08681.
Tensor mish(const Arg& x);
/// log(1 + e^x), without overflow
Tensor softplus(const Arg& x);
/// x / (1 + |x|)
Tensor softsign(const Arg& x);
/// log(sigmoid(x)), without overflow
Tensor log_sigmoid(const Arg& x);
/// relu6(x + 3) / 6; gradient 0 at -3 and 3
Tensor hard_sigmoid(const Arg& x);
/// x relu6(x + 3) / 6; gradient 0 at -3 and 1 at 3. Howard et al., arXiv:1905.02244.
Tensor hard_swish(const Arg& x);
/// The first half of x along an axis times the sigmoid of the second. ShapeError if the extent is odd, IndexError.
/// Dauphin et al., arXiv:1612.08083.
Tensor glu(const Arg& x, Axis axis = -1);

}  // namespace weft
