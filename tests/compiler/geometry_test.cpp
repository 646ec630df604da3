// Where operands and cotangents lie, of every op of the table with its gradients: in any layout, repeated by strides of
// 0, or one for several, they give the bits of tensors of their own in row-major order, eager and compiled.
#include <weft/autograd/tape.h>
#include <weft/compiler/compile.h>
#include <weft/ops/compose.h>

#include "../op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {
using Tensors = std::vector<Tensor>;

// An op as a function of its operands, and then a cotangent for each of its outputs that has one: its outputs, and the
// gradients for the operands.
struct Derived {
  const Op& op;
  Attrs attrs;
  std::size_t operands;

  Tensors operator()(const Tensors& all) const {
    const Tensors in(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(operands));
    GradientTape tape;
    for (const Tensor& t : in)
      if (is_floating(t.dtype())) tape.watch(t);
    Tensors out = run(op, {attrs, in}), differentiable;
    for (const Tensor& t : out)
      if (is_floating(t.dtype())) differentiable.push_back(t);
    GradientOptions options{.unconnected = Unconnected::zero};
    options.output_gradients.assign(all.begin() + static_cast<std::ptrdiff_t>(operands), all.end());
    const Tensors gradients = tape.gradient(differentiable, in, options);
    out.insert(out.end(), gradients.begin(), gradients.end());
    return out;
  }
};

// Calls f(the function, its compiled self, what it takes) for each sample of each differentiable op.
template <class F> void each_derived(std::initializer_list<DType> types, F f) {
  Random random(12);
  for (const SampledOp& sampled : sampled_ops()) {
    if (!sampled.op->differentiable) continue;
    for (const DType t : types) {
      if (!sampled.accepts(t)) continue;
      for (const OpSample& s : sampled.samples(t, random)) {
        INFO(sampled.op->name << " " << s.attrs.text() << " of " << s.in[0].type().text());
        Tensors all = s.in;
        for (const Tensor& y : run(*sampled.op, s))
          if (is_floating(y.dtype())) all.push_back(random_tensor(random, y.shape(), y.dtype()));
        const Derived derived{*sampled.op, s.attrs, s.in.size()};
        f(derived, compile(derived), all);
      }
    }
  }
}

void check_same(const Tensors& results, const Tensors& expected) {
  REQUIRE(results.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK_SAME(results[i], expected[i]);
}

// What f gives; nothing where it refuses the values: matrices of equal columns, say.
template <class F> Tensors unless_refused(F&& f, const Tensors& in) {
  try {
    return f(in);
  } catch (const NumericsError&) { return {}; } catch (const IndexError&) {
    return {};
  }
}
}  // namespace

TEST_CASE("the layouts of operands and cotangents change no bit of any gradient, eager or compiled",
          "[compile][table][geometry]") {
  each_derived({f32, f64, DType::bf16}, [](const Derived& f, auto compiled, const Tensors& all) {
    const Tensors expected = f(all);
    check_same(compiled(all), expected);
    Tensors together[6];
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Tensors others = laid_out_otherwise(all[i]);
      for (std::size_t k = 0; k < std::size(together); ++k) together[k].push_back(others[k % others.size()]);
      // one alone, each layout in turn
      Tensors in = all;
      in[i] = others[(i + expected.size()) % others.size()];
      INFO("operand " << i);
      check_same(f(in), expected);
      check_same(compiled(in), expected);
    }
    for (std::size_t k = 0; k < std::size(together); ++k) {
      INFO("layout " << k);
      check_same(f(together[k]), expected);
      check_same(compiled(together[k]), expected);
    }
  });
}

TEST_CASE("an operand or cotangent of stride 0 changes no bit of any gradient, eager or compiled",
          "[compile][table][geometry][once]") {
  each_derived({f32}, [](const Derived& f, auto compiled, Tensors all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Tensor kept = all[i];
      if (kept.size() == 0) continue;
      Tensors stretched;
      for (int axis = 0; axis < kept.rank(); ++axis)
        stretched.push_back(broadcast_to(slice_axis(kept, axis, 0, 1), kept.shape()));
      stretched.push_back(broadcast_to(reshape(slice_axis(reshape(kept, {-1}), 0, 0, 1), {}), kept.shape()));
      for (const Tensor& t : stretched) {
        INFO("operand " << i);
        all[i] = contiguous(t);
        const Tensors expected = unless_refused(f, all);
        check_same(unless_refused(compiled, all), expected);
        all[i] = t;
        check_same(unless_refused(f, all), expected);
        check_same(unless_refused(compiled, all), expected);
      }
      all[i] = kept;
    }
  });
}

TEST_CASE("one tensor as several operands, or as operand and cotangent: the gradients of as many that are equal",
          "[compile][table][geometry][once]") {
  int pairs = 0;
  each_derived({f32}, [&](const Derived& f, auto compiled, const Tensors& all) {
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t k = 0; k < i; ++k) {
        if (all[i].type() != all[k].type()) continue;
        INFO("operands " << k << " and " << i);
        Tensors alias = all, copies = all;
        alias[i] = all[k];
        copies[i] = Tensor::allocate(all[k].type());
        copy_elements(all[k].view(), copies[i].view());
        Tensors expected = unless_refused(f, copies);
        if (expected.empty()) continue;
        if (i < f.operands) {  // each has the gradients of both
          Tensor &a = expected[expected.size() - f.operands + i], &b = expected[expected.size() - f.operands + k];
          if (is_floating(a.dtype())) a = b = b + a;
        }
        check_same(f(alias), expected);
        check_same(compiled(alias), expected);
        ++pairs;
      }
  });
  CHECK(pairs > 100);
}
