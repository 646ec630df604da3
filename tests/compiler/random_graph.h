// Functions drawn from a seed: ops of the table on values of a pool, compositions, and the gradients of it all. What is
// drawn depends on types alone, never on values: so eager, traced and compiled it is the same function.
#pragma once

#include <weft/weft.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../op_samples.h"

namespace weft::test {

class RandomGraph {
 public:
  RandomGraph(std::uint64_t seed, int steps) : random_(seed), steps_(steps) {
    constexpr DType types[] = {f32, f32, f32, f32, f32, f64, f64, DType::bf16, DType::f16};
    main_ = types[random_.below(std::size(types))];
    const bool small = random_.below(4) > 0;
    const auto extent = [&](std::int64_t n) { return 1 + random_.below(small ? 6 : n); };
    const std::int64_t a = extent(40), b = extent(70), c = extent(20);
    for (const Shape& shape : {Shape{a, b}, Shape{b, a}, Shape{b}, Shape{a, 1}, Shape{c, a, b}, Shape{}})
      inputs.push_back(random_tensor(random_, shape, main_, -2, 2));
    constexpr DType integers[] = {i32, i64, u8};
    inputs.push_back(random_tensor(random_, {a, b}, types[random_.below(std::size(types))], -2, 2));
    inputs.push_back(random_tensor(random_, {a, b}, integers[random_.below(std::size(integers))]));
    inputs.push_back(random_tensor(random_, {b}, DType::boolean));
  }

  std::vector<Tensor> inputs;

  /// Each value that was drawn, and the gradients of their sum for the inputs.
  std::vector<Tensor> operator()(const std::vector<Tensor>& in) const {
    GradientTape tape;
    for (const Tensor& t : in)
      if (is_floating(t.dtype())) tape.watch(t);
    Builder b{*this, random_, in};
    for (int k = 0; k < steps_; ++k) b.grow();
    std::vector<Tensor> results(b.pool.begin() + static_cast<std::ptrdiff_t>(in.size()), b.pool.end());
    const DType wide = main_ == f64 ? f64 : f32;
    Tensor loss = mean(cast(in[0], wide));
    for (const Tensor& t : results)
      if (is_floating(t.dtype()) && t.size() > 0) loss = loss + mean(cast(t, wide)) * 0.3;
    results.push_back(loss);
    for (const Tensor& g : tape.gradient(loss, in, GradientOptions{.unconnected = Unconnected::zero}))
      results.push_back(g);
    return results;
  }

 private:
  struct Builder {
    const RandomGraph& graph;
    Random random;
    std::vector<Tensor> pool;

    std::int64_t below(std::int64_t n) { return random.below(n); }
    bool coin() { return below(2) == 0; }
    Tensor pick() { return pool[static_cast<std::size_t>(below(static_cast<std::int64_t>(pool.size())))]; }
    Tensor pick_float() {
      const Tensor t = pick();
      return is_floating(t.dtype()) ? t : cast(t, graph.main_);
    }
    void put(const Tensor& t) {
      if (t.size() <= 20'000) pool.push_back(t);
    }

    /// More values, or none where what was picked does not fit together.
    void grow() {
      const std::vector<SampledOp>& ops = sampled_ops();
      const bool composed = below(3) == 0;
      const SampledOp& drawn = ops[static_cast<std::size_t>(below(static_cast<std::int64_t>(ops.size())))];
      try {
        if (composed)
          compose();
        else if (drawn.op->kind == OpKind::elementwise && !drawn.op->run)
          elementwise(drawn);
        else
          other(drawn);
      } catch (const ShapeError&) {
      } catch (const DTypeError&) {
      } catch (const ArgumentError&) {  // the largest of nothing
      }
    }

    DType type_for(const SampledOp& s) {
      std::vector<DType> all;
      for (const DType t : all_dtypes)
        if (s.accepts(t)) all.push_back(t);
      if (s.accepts(graph.main_) && below(4) > 0) return graph.main_;
      return all[static_cast<std::size_t>(below(static_cast<std::int64_t>(all.size())))];
    }
    std::vector<OpSample> samples_of(const SampledOp& s) {
      const TraceScope outside(nullptr);  // a sample is a value, in a trace too
      return s.samples(type_for(s), random);
    }
    Tensor as(const Tensor& t, DType dtype) { return t.dtype() == dtype ? t : cast(t, dtype); }

    static bool broadcast(const Shape& a, const Shape& b) {
      for (int i = 1; i <= std::min(a.size(), b.size()); ++i)
        if (const std::int64_t n = a[a.size() - i], m = b[b.size() - i]; n != m && n != 1 && m != 1) return false;
      return true;
    }

    // Values of any shapes, which broadcast, or are made to.
    void elementwise(const SampledOp& s) {
      const std::vector<OpSample> samples = samples_of(s);
      const OpSample& sample = samples[0];
      std::vector<Tensor> in;
      for (const Tensor& t : sample.in) in.push_back(within(as(pick(), t.dtype()), t, coin()));
      // The sign of a NaN is nobody's promise, and these two show it.
      if (s.op == &op_of<CopySign>() || s.op == &op_of<SignBit>())
        for (Tensor& t : in) t = where(equal(t, t), t, 0);
      Shape shape;
      for (Tensor& t : in) {
        if (!broadcast(shape, t.shape())) {
          if (t.size() == 0 || count(shape) == 0) return;
          t = fitted(t, shape);
        }
        shape = broadcast_shapes(shape, t.shape());
      }
      if (count(shape) > 20'000) return;
      for (Tensor& t : in) t = broadcast_to(t, shape);
      apply_to(*s.op, sample.attrs, in);
    }

    // One of the samples, with values of the pool in its operands' places.
    void other(const SampledOp& s) {
      const std::vector<OpSample> samples = samples_of(s);
      OpSample sample = samples[static_cast<std::size_t>(below(static_cast<std::int64_t>(samples.size())))];
      for (Tensor& t : sample.in) {
        if (!is_floating(t.dtype()) || below(4) == 0) continue;  // indices stay what they are
        const Tensor picked = as(pick_float(), t.dtype());
        if (picked.size() == 0) continue;
        const Tensor v = fitted(picked, t.shape());
        // What looks at values would refuse others, and matrices must be well conditioned: they hang in the graph by a
        // zero.
        t = s.op->checks || s.of_matrices ? t + where(abs(v) < 100, v, 0) * 0 : within(v, t, true);
      }
      apply_to(*s.op, sample.attrs, sample.in);
    }

    void apply_to(const Op& op, const Attrs& attrs, const std::vector<Tensor>& in) {
      std::vector<Tensor> out(static_cast<std::size_t>(op.outputs));
      apply(op, attrs, in, out);
      for (const Tensor& t : out) put(t);
    }

    // v pressed into the interval that `like` fills, where the op is finite and smooth.
    Tensor within(const Tensor& v, const Tensor& like, bool pressed) {
      if (!pressed || !is_floating(v.dtype()) || like.size() == 0) return v;
      const std::vector<double> x = like.to_vector<double>();
      const auto [low, high] = std::minmax_element(x.begin(), x.end());
      return sigmoid(v) * (*high - *low) + *low;
    }

    // v's elements in order in another shape, as often as it takes.
    Tensor fitted(const Tensor& v, const Shape& shape) {
      const std::int64_t n = count(shape);
      if (v.size() == 1 || n == 0) return broadcast_to(reshape(slice_axis(reshape(v, {-1}), 0, 0, 1), {}), shape);
      if (v.shape() == shape) return v;
      Tensor flat = reshape(v, {-1});
      while (flat.size() < n) flat = concat({flat, flat});
      return reshape(slice_axis(flat, 0, 0, n), shape);
    }

    // What users write, and what fusion has rules for.
    void compose() {
      const Tensor a = pick_float();
      const bool axes = a.rank() > 0;
      const auto axis = [&](const Tensor& t) { return below(t.rank()); };
      switch (below(22)) {
        case 0: return put(a + as(pick(), a.dtype()));
        case 1: return put(a * as(pick(), a.dtype()));
        case 2: return put(exp(clip(a, -3, 3)));
        case 3: return axes ? put(sum(a, axis(a))) : void();
        case 4: return axes ? put(sum(a, axis(a), true)) : void();
        case 5: return axes ? put(max(a, -1, true)) : void();
        case 6: return axes ? put(softmax(a, axis(a))) : void();
        case 7: return axes ? put(swap_axes(a, axis(a), axis(a))) : void();
        case 8: {
          const Tensor b = as(pick(), a.dtype());
          if (a.rank() >= 2 && b.rank() >= 2 && b.shape()[b.rank() - 2] == a.shape().back()) put(matmul(a, b) * 0.1);
          return;
        }
        case 9: {
          const Tensor b = as(pick(), a.dtype()), c = as(pick(), a.dtype());
          return put(where(a > b, a, c));
        }
        case 10: return axes ? put(slice_axis(a, axis(a), below(3), 5 + below(50), 1 + below(2))) : void();
        case 11: return axes ? put(log_softmax(a, -1)) : void();
        case 12: return put(reshape(a, {-1}));
        case 13: return put(expand(a, below(a.rank() + 1)));
        case 14: return put(mean(a));
        case 15: return axes ? put(var(a, -1, true)) : void();
        case 16: return put(a / (abs(as(pick(), a.dtype())) + 1));
        case 17: return axes ? put(concat({a, a * 2}, axis(a))) : void();
        case 18: return axes ? put(pad(a, Ints::filled(a.rank(), 1), Ints::filled(a.rank(), 1), 0.5)) : void();
        case 19: return axes ? put(prod(clip(a, 0.9, 1.1), -1)) : void();
        case 20: {  // indices that were computed
          const Tensor b = pick();
          return axes && b.rank() > 0 && b.size() > 0 && a.shape()[0] >= b.shape()[0] ? put(gather(a, argmax(b, 0)))
                                                                                      : void();
        }
        default: return put(cast(cast(a * 3, i32), a.dtype()) * 0.2);
      }
    }
  };

  Random random_;
  int steps_;
  DType main_;
};

}  // namespace weft::test
