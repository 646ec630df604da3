#include "attention.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <vector>

#include "../tensor/create.h"
#include "apply.h"
#include "compose.h"
#include "composition.h"
#include "defs/attention.h"
#include "kernels/attention.h"
#include "linalg.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"
#include "recorder.h"
#include "reduce.h"
#include "work.h"

namespace weft {
namespace {

Shape without_last(const Shape& s, int n) {
  return Shape(std::span(s.begin(), static_cast<std::size_t>(s.size() - n)));
}
Shape with(Shape batch, std::initializer_list<std::int64_t> last) {
  for (const std::int64_t n : last) batch.push_back(n);
  return batch;
}

// What every operand of the two ops has to be; the first three and, if given, the mask at `mask`.
struct Geometry {
  Shape batch;
  std::int64_t queries, keys, depth, width;

  Geometry(Types in, std::size_t mask) {
    for (std::size_t i = 0; i < std::min(in.size(), mask); ++i) {
      if (in[i]->dtype != DType::f32 && in[i]->dtype != DType::f64)
        throw DTypeError(fmt::format("no meaning for {}", name_of(in[i]->dtype)), "cast it to f32 or f64");
      if (in[i]->dtype != in[0]->dtype) throw detail::dtypes_differ(in[0]->dtype, in[i]->dtype);
    }
    for (std::size_t i = 0; i < 3; ++i)
      if (in[i]->shape.size() < 2)
        throw ShapeError(fmt::format("operands are matrices or batches of them, not {}", in[i]->shape.text()));
    const Shape &q = in[0]->shape, &k = in[1]->shape, &v = in[2]->shape;
    batch = without_last(q, 2);
    queries = q[q.size() - 2], depth = q.back(), keys = k[k.size() - 2], width = v.back();
    if (k.back() != depth)
      throw ShapeError(
          fmt::format("a query has {} numbers and a key {}: {} and {}", depth, k.back(), q.text(), k.text()));
    if (v[v.size() - 2] != keys)
      throw ShapeError(fmt::format("{} keys and {} values: {} and {}", keys, v[v.size() - 2], k.text(), v.text()));
    require(*in[1], {keys, depth});
    require(*in[2], {keys, width});
    if (in.size() <= mask) return;
    if (in[mask]->dtype != DType::boolean)
      throw DTypeError(fmt::format("the mask is {}, not bool", name_of(in[mask]->dtype)));
    require(*in[mask], {queries, keys});
  }

  void require(const Type& t, std::initializer_list<std::int64_t> last) const {
    if (t.shape != with(batch, last))
      throw ShapeError(fmt::format("an operand is {}, not {}", t.shape.text(), with(batch, last).text()));
  }
};

Tensor turned(const Tensor& t) { return swap_axes(t, -1, -2); }

// A result [..., H, T, D] as its op gives it.
Type placed(const Attrs& attrs, Type t) {
  const int rank = t.shape.size();
  if (attrs.as<AttentionAttrs>().heads_inside) std::swap(t.shape[rank - 2], t.shape[rank - 3]);
  return t;
}

// What an op gave, as [..., H, T, D].
Tensor by_heads(const Attrs& attrs, const Tensor& t) {
  return attrs.as<AttentionAttrs>().heads_inside ? swap_axes(t, -2, -3) : t;
}
View by_heads(const Attrs& attrs, View v) {
  const int rank = v.shape.size();
  if (attrs.as<AttentionAttrs>().heads_inside) {
    std::swap(v.shape[rank - 2], v.shape[rank - 3]);
    std::swap(v.strides[rank - 2], v.strides[rank - 3]);
  }
  return v;
}

void put_heads_inside(Transposing& t) {
  const auto& a = t.node.attrs.as<AttentionAttrs>();
  if (t.swaps(2, 3)) t.give(AttentionAttrs{a.scale, a.causal, !a.heads_inside}, t.inputs());
}

// bool[queries, keys], or undefined: all.
Tensor seen_keys(const Geometry& g, bool causal, const Tensor& mask) {
  if (!causal) return mask;
  const Tensor query = expand(arange(g.queries), 1), key = arange(g.keys), below = key <= query;
  return mask.defined() ? mask & below : below;
}

}  // namespace

// So many products of queries with keys, of a causal attention about half, and of weights with values.
static OpWork attention_work(const Attrs& attrs, Types in, double with_keys, double with_values) {
  const auto pairs = static_cast<double>(count(in[0]->shape)) / static_cast<double>(in[0]->shape.back()) *
                     static_cast<double>(in[1]->shape[in[1]->shape.size() - 2]) *
                     (attrs.as<AttentionAttrs>().causal ? 0.5 : 1);
  return multiply_adds(pairs * (with_keys * static_cast<double>(in[0]->shape.back()) +
                                with_values * static_cast<double>(in[2]->shape.back())),
                       compute_type(in[0]->dtype));  // bf16 is widened
}
OpWork Attention::work(const Attrs& attrs, Types in, Types) { return attention_work(attrs, in, 1, 1); }
OpWork AttentionGradient::work(const Attrs& attrs, Types in, Types) { return attention_work(attrs, in, 3, 2); }

void Attention::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const Geometry g(in, 3);
  out[0] = placed(attrs, {in[0]->dtype, with(g.batch, {g.queries, g.width})});
  out[1] = {in[0]->dtype, with(g.batch, {g.queries})};
}

void Attention::run(const Attrs& attrs, Views in, Views out) {
  const auto& a = attrs.as<AttentionAttrs>();
  const View result[] = {by_heads(attrs, out[0]), out[1]};
  kernels::attention(in, result, a.scale, a.causal);
}

void Attention::vjp(Backward& b) {
  const Tensor g = by_heads(b.attributes(), b.grad(0));
  Tensor delta = sum(g * by_heads(b.attributes(), b.out(0)), -1);
  if (b.has_grad(1)) delta = delta - b.grad(1);
  std::vector<Tensor> in = {b.in(0), b.in(1), b.in(2), g, delta, b.out(1)};
  if (b.inputs() > 3) in.push_back(b.in(3));
  Tensor out[3];
  const auto& a = b.attrs<AttentionAttrs>();
  apply(op_of<AttentionGradient>(), AttentionAttrs{a.scale, a.causal}, in, out);
  for (int i = 0; i < 3; ++i) b.give(i, out[i]);
}

void AttentionGradient::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const Geometry g(in, 6);
  g.require(*in[3], {g.queries, g.width});
  g.require(*in[4], {g.queries});
  g.require(*in[5], {g.queries});
  for (std::size_t i = 0; i < 3; ++i) out[i] = placed(attrs, *in[i]);
}

void AttentionGradient::run(const Attrs& attrs, Views in, Views out) {
  const auto& a = attrs.as<AttentionAttrs>();
  const View results[] = {by_heads(attrs, out[0]), by_heads(attrs, out[1]), by_heads(attrs, out[2])};
  kernels::attention_gradient(in, results, a.scale, a.causal);
}

void Attention::transposed(Transposing& t) { put_heads_inside(t); }
void AttentionGradient::transposed(Transposing& t) { put_heads_inside(t); }

// Written out. With P and E as in the header, W = g value^T, and a, b, c the cotangents of the three outputs:
//   E' = scale (a key^T + query b^T),  W' = E' P,  P' = E' (W - delta) + g c^T,  S' = P' P
void AttentionGradient::vjp(Backward& b) {
  const auto& attrs = b.attrs<AttentionAttrs>();
  const Tensor &query = b.in(0), &key = b.in(1), &value = b.in(2), &g = b.in(3);
  const Tensor a = by_heads(b.attributes(), b.grad(0)), c_key = by_heads(b.attributes(), b.grad(1)),
               c = by_heads(b.attributes(), b.grad(2));
  const Tensor mask = b.inputs() > 6 ? b.in(6) : Tensor();
  const std::array types = {&query.type(), &key.type(), &value.type()};
  const Tensor seen = seen_keys(Geometry(types, 3), attrs.causal, mask);
  Tensor scores = matmul(query, turned(key)) * attrs.scale - expand(b.in(5), -1);
  if (seen.defined()) scores = where(seen, scores, -INFINITY);
  const Tensor p = exp(scores), difference = matmul(g, turned(value)) - expand(b.in(4), -1), e = p * difference;
  const Tensor de = (matmul(a, turned(key)) + matmul(query, turned(c_key))) * attrs.scale, dw = de * p,
               ds = (de * difference + matmul(g, turned(c))) * p;
  if (b.wants(0)) b.give(0, (matmul(e, c_key) + matmul(ds, key)) * attrs.scale);
  if (b.wants(1)) b.give(1, (matmul(turned(e), a) + matmul(turned(ds), query)) * attrs.scale);
  if (b.wants(2)) b.give(2, matmul(turned(dw), g));
  if (b.wants(3)) b.give(3, matmul(p, c) + matmul(dw, value));
  if (b.wants(4)) b.give(4, -sum(dw, -1));
  if (b.wants(5)) b.give(5, -sum(ds, -1));
}

Tensor scaled_dot_product_attention(const Arg& query, const Arg& key, const Arg& value,
                                    const AttentionOptions& options) {
  const Tensor& mask = options.mask;
  const std::initializer_list<detail::Operand> given = {{"query ", query}, {"key   ", key}, {"value ", value}};
  const auto shown = [&] {
    std::vector<std::string> lines = detail::describe(given);
    if (mask.defined()) lines.push_back(describe_operand("mask  ", mask));
    return lines;
  };
  return detail::named("scaled_dot_product_attention", query.site(), shown, [&] {
    detail::check_defined(given);
    const Tensor q = query.tensor(), k = key.tensor(), v = value.tensor();
    std::vector<Tensor> in = {q, k, v};
    for (const Tensor& t : in) {
      if (!is_floating(t.dtype())) throw DTypeError(fmt::format("no meaning for {}", name_of(t.dtype())));
      if (t.dtype() != q.dtype()) throw detail::dtypes_differ(q.dtype(), t.dtype());
      if (t.rank() < 2)
        throw ShapeError(fmt::format("operands are matrices or batches of them, not {}", t.shape().text()));
    }
    const double scale = options.scale.value_or(1 / std::sqrt(std::max(1.0, static_cast<double>(q.shape().back()))));
    if (!std::isfinite(scale)) throw ArgumentError(fmt::format("scale is {}", scale));
    const DType type = compute_type(q.dtype());
    Shape batch = broadcast_shapes(broadcast_shapes(without_last(q.shape(), 2), without_last(k.shape(), 2)),
                                   without_last(v.shape(), 2));
    for (Tensor& t : in) t = broadcast_to(cast(t, type), with(batch, {t.shape()[t.rank() - 2], t.shape().back()}));
    const std::int64_t queries = q.shape()[q.rank() - 2], keys = k.shape()[k.rank() - 2];
    if (mask.defined()) {
      if (mask.dtype() != DType::boolean && mask.dtype() != q.dtype())
        throw DTypeError(fmt::format("the mask is {}, not bool or {}", name_of(mask.dtype()), name_of(q.dtype())));
      in.push_back(broadcast_to(mask, with(batch, {queries, keys})));
    }
    const AttentionAttrs attrs{scale, options.causal};
    if (mask.defined() && mask.dtype() != DType::boolean) {
      std::array types = {&in[0].type(), &in[1].type(), &in[2].type()};
      const Tensor seen = seen_keys(Geometry(types, 3), attrs.causal, {});
      Tensor scores = matmul(in[0], turned(in[1])) * scale + cast(in[3], type);
      if (seen.defined()) scores = where(seen, scores, -INFINITY);
      const Tensor sees = any(not_equal(scores, -INFINITY), -1, true);
      return cast(matmul(where(sees, softmax(where(sees, scores, 0)), 0), in[2]), q.dtype());
    }
    Tensor out[2];
    apply(op_of<Attention>(), attrs, in, out);
    return cast(out[0], q.dtype());
  });
}

}  // namespace weft
