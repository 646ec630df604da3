#include "attention.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/linalg.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/parts.h"
#include "../ops/recorder.h"
#include "../tensor/site.h"
#include "layer_scope.h"
#include "precision.h"

namespace weft::nn {
namespace {

// width, once it is known that the heads divide it.
std::int64_t checked(std::int64_t width, std::int64_t heads, const Site& site) {
  return weft::detail::called("MultiHeadAttention", site, [&] {
    if (width < 1 || heads < 1 || width % heads != 0)
      throw ArgumentError(fmt::format("{} heads do not divide a width of {}", heads, width));
    return width;
  });
}

// [B, T, heads d] to [B, heads, T, d].
Tensor by_heads(const Tensor& x, std::int64_t heads) {
  return swap_axes(reshape(x, {x.shape()[0], x.shape()[1], heads, x.shape()[2] / heads}), 1, 2);
}

Tensor checked_input(const char* role, const Arg& x, const MultiHeadAttention& layer) {
  const Tensor t = x.tensor(layer.project.weight.dtype());
  const std::int64_t width = layer.project.weight.shape()[0];
  if (t.defined() && (t.rank() != 3 || t.shape()[2] != width))
    weft::detail::fail_in("MultiHeadAttention",
                          ShapeError(fmt::format("{} takes [B, T, {}], not {}", layer.text(), width, t.shape().text())),
                          {describe_operand(role, t)});
  return t;
}

// A mask of floats is added to scores in the layer's precision.
AttentionOptions narrowed_mask(AttentionOptions options) {
  options.mask = narrow(options.mask);
  return options;
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t width, std::int64_t heads_, Flag bias,
                                       init::Initializer initializer, DType dtype, random::Generator& generator,
                                       Site site)
    : qkv(checked(width, heads_, site), 3 * width, bias, initializer, dtype, generator, site),
      project(width, width, bias, initializer, dtype, generator, site),
      heads(heads_) {}

Tensor MultiHeadAttention::operator()(const Arg& x, const AttentionOptions& options) const {
  const LayerScope layer("MultiHeadAttention", &qkv.weight, 2);
  const SiteScope scope(x.site());
  const Tensor input = checked_input("x", x, *this);
  const auto part = weft::detail::equal_parts(qkv(input), 3, 2);
  const Tensor y = scaled_dot_product_attention(by_heads(part[0], heads), by_heads(part[1], heads),
                                                by_heads(part[2], heads), narrowed_mask(options));
  return project(reshape(swap_axes(y, 1, 2), input.shape()));
}

Tensor MultiHeadAttention::operator()(const Arg& x, const Arg& memory, const AttentionOptions& options) const {
  const LayerScope layer("MultiHeadAttention", &qkv.weight, 2);
  const SiteScope scope(x.site());
  const Tensor input = checked_input("x", x, *this), other = checked_input("memory", memory, *this);
  const std::int64_t width = project.weight.shape()[0];
  const auto mapped = [&](const Tensor& t, std::int64_t begin, std::int64_t end) {
    const Tensor y = matmul(narrow(t), narrow(slice_axis(qkv.weight, 1, begin * width, end * width)));
    return qkv.bias ? y + narrow(slice_axis(*qkv.bias, 0, begin * width, end * width)) : y;
  };
  const auto both = weft::detail::equal_parts(mapped(other, 1, 3), 2, 2);
  const Tensor y = scaled_dot_product_attention(by_heads(mapped(input, 0, 1), heads), by_heads(both[0], heads),
                                                by_heads(both[1], heads), narrowed_mask(options));
  return project(reshape(swap_axes(y, 1, 2), input.shape()));
}

std::string MultiHeadAttention::text() const {
  return fmt::format("MultiHeadAttention {}, {} heads", project.weight.shape()[0], heads);
}

}  // namespace weft::nn
