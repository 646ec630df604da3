// Public functions over ops that compute, and how each is called: tests of accuracy, docs/ops.md and the benchmarks go
// through this list. tests/losses.h has those of nn.
#pragma once

#include <functional>
#include <vector>

#include <weft/ops/attention.h>
#include <weft/ops/compose.h>
#include <weft/ops/conv.h>
#include <weft/ops/cumulative.h>
#include <weft/ops/decompose.h>
#include <weft/ops/diagonal.h>
#include <weft/ops/distances.h>
#include <weft/ops/images.h>
#include <weft/ops/indexing.h>
#include <weft/ops/linalg.h>
#include <weft/ops/manipulate.h>
#include <weft/ops/normalization.h>
#include <weft/ops/pool.h>
#include <weft/ops/products.h>
#include <weft/ops/rearrange.h>
#include <weft/ops/sort.h>
#include <weft/ops/special.h>
#include <weft/ops/subscript.h>

#include "support.h"

namespace weft::test {

struct PublicFunction {
  struct Operand {
    Shape small, large;  // of tests; of benchmarks: empty where there is none
    double low = -3, high = 3;
  };
  const char* name;
  std::vector<Operand> operands;  // floats of one dtype
  std::function<Tensor(const std::vector<Tensor>&)> f;
  bool elementwise = false;  // of one operand, and each result of its element alone

  /// Operands of this dtype.
  std::vector<Tensor> small(DType t, Random& r) const { return make(t, r, &Operand::small); }
  std::vector<Tensor> large(DType t, Random& r) const { return make(t, r, &Operand::large); }

 private:
  std::vector<Tensor> make(DType t, Random& r, Shape Operand::*shape) const {
    std::vector<Tensor> in;
    for (const Operand& o : operands) in.push_back(random_tensor(r, o.*shape, t, o.low, o.high));
    return in;
  }
};

namespace detail_ {
/// [n, n] with 8 added along the diagonal: far from singular.
inline Tensor regular(const Tensor& x) {
  const std::int64_t n = x.shape().back();
  return x + cast(equal(reshape(arange(n), {n, 1}), arange(n)), x.dtype()) * 8;
}
/// `rows` of the numbers below n, in no order, some of them twice.
inline Tensor picked(std::int64_t rows, std::int64_t n) { return remainder(arange(rows) * 7919, n - 1); }
}  // namespace detail_

inline const std::vector<PublicFunction>& public_functions() {
  using In = const std::vector<Tensor>&;
  using Operand = PublicFunction::Operand;
  constexpr std::int64_t million = 1 << 20;
  const Operand any{{5, 40}, {8 * million}, -6, 6}, rows{{5, 40}, {8192, 1024}, -6, 6}, few{{40}, {1024}, -1, 1},
      channels{{4}, {64}, -1, 1}, positive{{4}, {64}, 0.5, 2}, images{{2, 4, 6, 5}, {32, 64, 64, 64}, -3, 3},
      matrix{{6, 6}, {1024, 1024}, -1, 1}, sequences{{2, 9, 5}, {32, 64, 4096}},
      volumes{{2, 3, 5, 4, 4}, {4, 32, 32, 32, 32}}, table{{50, 4}, {8192, 256}}, picks{{9, 4}, {4096, 256}};
  static const std::vector<PublicFunction> all = {
      // activations
      {"relu", {any}, [](In x) { return relu(x[0]); }, true},
      {"relu6", {any}, [](In x) { return relu6(x[0]); }, true},
      {"leaky_relu", {any}, [](In x) { return leaky_relu(x[0]); }, true},
      {"prelu", {images, channels}, [](In x) { return prelu(x[0], x[1]); }},
      {"elu", {any}, [](In x) { return elu(x[0]); }, true},
      {"selu", {any}, [](In x) { return selu(x[0]); }, true},
      {"celu", {any}, [](In x) { return celu(x[0]); }, true},
      {"gelu", {any}, [](In x) { return gelu(x[0]); }, true},
      {"gelu_tanh", {any}, [](In x) { return gelu(x[0], true); }, true},
      {"silu", {any}, [](In x) { return silu(x[0]); }, true},
      {"mish", {any}, [](In x) { return mish(x[0]); }, true},
      {"softplus", {any}, [](In x) { return softplus(x[0]); }, true},
      {"softsign", {any}, [](In x) { return softsign(x[0]); }, true},
      {"log_sigmoid", {any}, [](In x) { return log_sigmoid(x[0]); }, true},
      {"hard_sigmoid", {any}, [](In x) { return hard_sigmoid(x[0]); }, true},
      {"hard_swish", {any}, [](In x) { return hard_swish(x[0]); }, true},
      {"glu", {rows}, [](In x) { return glu(x[0]); }},
      // element by element
      {"frac", {any}, [](In x) { return frac(x[0]); }, true},
      {"clip", {any}, [](In x) { return clip(x[0], -1, 2); }, true},
      {"lerp", {any, any, {{5, 40}, {8 * million}, 0, 1}}, [](In x) { return lerp(x[0], x[1], x[2]); }},
      {"trigamma", {{{5, 40}, {million}, 0.1, 6}}, [](In x) { return trigamma(x[0]); }},
      // along rows
      {"sum", {rows}, [](In x) { return sum(x[0], -1); }},
      {"prod", {rows}, [](In x) { return prod(x[0], -1); }},
      {"max", {rows}, [](In x) { return max(x[0], -1); }},
      {"min", {rows}, [](In x) { return min(x[0], -1); }},
      {"mean", {rows}, [](In x) { return mean(x[0], -1); }},
      {"var", {rows}, [](In x) { return var(x[0], -1); }},
      {"stddev", {rows}, [](In x) { return stddev(x[0], -1); }},
      {"nansum", {rows}, [](In x) { return nansum(x[0], -1); }},
      {"norm", {rows}, [](In x) { return norm(x[0], 2, -1); }},
      {"nan_to_num", {rows}, [](In x) { return nan_to_num(x[0]); }},
      {"softmax", {rows}, [](In x) { return softmax(x[0]); }},
      {"log_softmax", {rows}, [](In x) { return log_softmax(x[0]); }},
      {"logsumexp", {rows}, [](In x) { return logsumexp(x[0], -1); }},
      {"cummax", {rows}, [](In x) { return cummax(x[0]).values; }},
      {"cummin", {rows}, [](In x) { return cummin(x[0]).values; }},
      {"max_with_indices", {rows}, [](In x) { return max_with_indices(x[0], -1).values; }},
      {"min_with_indices", {rows}, [](In x) { return min_with_indices(x[0], -1).values; }},
      {"sort", {{{5, 40}, {256, 1024}}}, [](In x) { return sort(x[0]); }},
      {"topk", {{{5, 40}, {1024, 1024}}}, [](In x) { return topk(x[0], 7).values; }},
      {"median", {{{5, 40}, {million}}}, [](In x) { return median(x[0]); }},
      {"quantile", {{{5, 40}, {million}}}, [](In x) { return quantile(x[0], 0.3); }},
      {"diff", {rows}, [](In x) { return diff(x[0]); }},
      // normalisation
      {"layer_norm", {rows, few, few}, [](In x) { return layer_norm(x[0], {x[0].shape().back()}, x[1], x[2]); }},
      {"rms_norm", {rows, few}, [](In x) { return rms_norm(x[0], {x[0].shape().back()}, x[1]); }},
      {"group_norm", {images, channels, channels}, [](In x) { return group_norm(x[0], 2, x[1], x[2]); }},
      {"instance_norm", {images, channels, channels}, [](In x) { return instance_norm(x[0], x[1], x[2]); }},
      {"batch_norm",
       {images, channels, positive, channels, channels},
       [](In x) { return batch_norm(x[0], x[1], x[2], x[3], x[4]); }},
      {"batch_norm_training",
       {images, channels, channels},
       [](In x) { return batch_norm_training(x[0], x[1], x[2]).output; }},
      // products
      {"dot", {{{40}, {8 * million}, -1, 1}, {{40}, {8 * million}, -1, 1}}, [](In x) { return dot(x[0], x[1]); }},
      {"outer", {{{40}, {4096}, -1, 1}, {{40}, {4096}, -1, 1}}, [](In x) { return outer(x[0], x[1]); }},
      {"inner", {matrix, matrix}, [](In x) { return inner(x[0], x[1]); }},
      {"tensordot", {matrix, matrix}, [](In x) { return tensordot(x[0], x[1], 1); }},
      {"kron", {{{3, 2}, {64, 32}}, {{2, 4}, {64, 32}}}, [](In x) { return kron(x[0], x[1]); }},
      {"cross", {{{7, 3}, {million, 3}, -1, 1}, {{7, 3}, {million, 3}, -1, 1}}, [](In x) { return cross(x[0], x[1]); }},
      {"einsum",
       {matrix, matrix},
       [](In x) {
         return einsum("ij,kj->ik", {x[0], x[1]});
       }},
      {"cdist", {{{7, 3}, {1024, 16}}, {{5, 3}, {1024, 16}}}, [](In x) { return cdist(x[0], x[1]); }},
      {"trace", {{{6, 6}, {4096, 4096}}}, [](In x) { return trace(x[0]); }},
      {"inv", {{{6, 6}, {256, 256}}}, [](In x) { return inv(detail_::regular(x[0])); }},
      {"scaled_dot_product_attention",
       {{{2, 5, 4}, {8, 8, 256, 64}, -1, 1}, {{2, 6, 4}, {8, 8, 256, 64}, -1, 1}, {{2, 6, 3}, {8, 8, 256, 64}, -1, 1}},
       [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }},
      {"conv1d", {sequences, {{4, 9, 3}, {64, 64, 3}, -1, 1}}, [](In x) { return conv1d(x[0], x[1]); }},
      {"conv2d",
       {{{2, 4, 6, 5}, {16, 64, 32, 32}}, {{3, 4, 3, 3}, {64, 64, 3, 3}, -1, 1}},
       [](In x) { return conv2d(x[0], x[1], {.padding = 1}); }},
      {"conv3d", {volumes, {{2, 3, 2, 2, 2}, {32, 32, 3, 3, 3}, -1, 1}}, [](In x) { return conv3d(x[0], x[1]); }},
      {"conv_transpose1d",
       {sequences, {{9, 4, 3}, {64, 64, 3}, -1, 1}},
       [](In x) { return conv_transpose1d(x[0], x[1]); }},
      {"conv_transpose2d",
       {{{2, 4, 6, 5}, {16, 64, 32, 32}}, {{4, 3, 3, 3}, {64, 64, 3, 3}, -1, 1}},
       [](In x) { return conv_transpose2d(x[0], x[1], {.stride = 2}); }},
      {"conv_transpose3d",
       {volumes, {{3, 2, 2, 2, 2}, {32, 32, 3, 3, 3}, -1, 1}},
       [](In x) { return conv_transpose3d(x[0], x[1]); }},
      // windows
      {"max_pool1d", {sequences}, [](In x) { return max_pool1d(x[0], 2); }},
      {"max_pool2d", {images}, [](In x) { return max_pool2d(x[0], 2); }},
      {"max_pool3d", {volumes}, [](In x) { return max_pool3d(x[0], 2); }},
      {"avg_pool1d", {sequences}, [](In x) { return avg_pool1d(x[0], 2); }},
      {"avg_pool2d", {images}, [](In x) { return avg_pool2d(x[0], 2); }},
      {"avg_pool3d", {volumes}, [](In x) { return avg_pool3d(x[0], 2); }},
      {"adaptive_max_pool1d", {sequences}, [](In x) { return adaptive_max_pool1d(x[0], 3); }},
      {"adaptive_max_pool2d", {images}, [](In x) { return adaptive_max_pool2d(x[0], 3); }},
      {"adaptive_max_pool3d", {volumes}, [](In x) { return adaptive_max_pool3d(x[0], 3); }},
      {"adaptive_avg_pool1d", {sequences}, [](In x) { return adaptive_avg_pool1d(x[0], 3); }},
      {"adaptive_avg_pool2d", {images}, [](In x) { return adaptive_avg_pool2d(x[0], 3); }},
      {"adaptive_avg_pool3d", {volumes}, [](In x) { return adaptive_avg_pool3d(x[0], 3); }},
      {"global_max_pool", {images}, [](In x) { return global_max_pool(x[0]); }},
      {"global_avg_pool", {images}, [](In x) { return global_avg_pool(x[0]); }},
      {"unfold",
       {images},
       [](In x) {
         return unfold(x[0], {2, 2});
       }},
      {"fold",
       {{{1, 8, 4}, {64, 512, 961}}},
       [](In x) {
         const std::int64_t side = x[0].shape().back() == 4 ? 3 : 32;
         return fold(x[0], {side, side}, {2, 2});
       }},
      {"interpolate",
       {images},
       [](In x) {
         return interpolate(x[0], {x[0].shape()[2] * 2, x[0].shape()[3] * 2}, Interpolation::linear);
       }},
      {"pixel_shuffle", {images}, [](In x) { return pixel_shuffle(x[0], 2); }},
      {"pixel_unshuffle",
       {{{2, 3, 6, 4}, {32, 64, 64, 64}}},
       [](In x) { return pixel_unshuffle(x[0], 2); }},
      // what moves elements
      {"pad",
       {rows},
       [](In x) {
         return pad(x[0], {1, 2}, {0, 3}, 2);
       }},
      {"flip", {rows}, [](In x) { return flip(x[0], -1); }},
      {"roll", {rows}, [](In x) { return roll(x[0], 3, -1); }},
      {"repeat", {rows}, [](In x) { return repeat(x[0], 2, 0); }},
      {"tile",
       {rows},
       [](In x) {
         return tile(x[0], {2, 1});
       }},
      {"stack",
       {rows, rows},
       [](In x) {
         return stack({x[0], x[1]}, 1);
       }},
      {"tril", {{{6, 6}, {4096, 4096}}}, [](In x) { return tril(x[0]); }},
      {"triu", {{{6, 6}, {4096, 4096}}}, [](In x) { return triu(x[0]); }},
      {"diagonal", {{{6, 6}, {4096, 4096}}}, [](In x) { return diagonal(x[0]); }},
      {"diag", {few}, [](In x) { return diag(x[0]); }},
      {"swap_axes", {rows}, [](In x) { return swap_axes(x[0], 0, 1); }},
      {"slice_axis", {rows}, [](In x) { return slice_axis(x[0], -1, 3, 33); }},
      {"expand", {rows}, [](In x) { return expand(x[0], 1); }},
      {"squeeze", {{{5, 1, 40}, {8192, 1, 1024}}}, [](In x) { return squeeze(x[0], 1); }},
      // by index
      {"masked_fill", {rows}, [](In x) { return masked_fill(x[0], x[0] < 0, 7); }},
      {"take_along_axis",
       {table},
       [](In x) {
         const std::int64_t n = x[0].shape()[0];
         return take_along_axis(x[0], expand(detail_::picked(n, n), 1), 0);
       }},
      {"put_along_axis",
       {table, table},
       [](In x) {
         const std::int64_t n = x[0].shape()[0];
         return put_along_axis(x[0], broadcast_to(expand(detail_::picked(n, n), 1), x[0].shape()), x[1], 0);
       }},
      {"index_add",
       {table, picks},
       [](In x) { return index_add(x[0], 0, detail_::picked(x[1].shape()[0], x[0].shape()[0]), x[1]); }},
      {"index_put",
       {table, picks},
       [](In x) {
         return index_put(x[0], {detail_::picked(x[1].shape()[0], x[0].shape()[0])}, x[1]);
       }},
      {"subscript",
       {table},
       [](In x) {
         return x[0][{Slice({}, {}, 2), Slice(1, {})}];
       }},
  };
  return all;
}

}  // namespace weft::test
