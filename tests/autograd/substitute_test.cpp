// A model called with other values than its variables have.
#include <weft/autograd/control_flow.h>
#include <weft/autograd/gradcheck.h>
#include <weft/autograd/substitute.h>
#include <weft/autograd/tape.h>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Affine {
  Variable w, b;
  WEFT_MEMBERS(w, b)
  Tensor operator()(const Tensor& x) const { return tanh(matmul(x, w) + b); }
};

}  // namespace

TEST_CASE("a model is called with other weights, and gradients go through these", "[substitute]") {
  Random r(3);
  const Affine model{random_tensor(r, {2, 3}, f64), random_tensor(r, {3}, f64)};
  const Tensor x = random_tensor(r, {4, 2}, f64), y = random_tensor(r, {4, 2}, f64);
  // The loss on y after a step on x: MAML.
  const auto after_step = [&] {
    GradientTape inner;
    const Tensor loss = sum(square(model(x)));
    Gradients values = inner.gradient(loss, model);
    for (auto& [v, t] : values) t = Variable::handle(v) - 0.1 * t;
    const SubstituteScope scope(values);
    return sum(square(model(y)));
  };
  const Tensor before = model.w.value();
  GradientTape tape;
  const Tensor loss = after_step();
  const Gradients g = tape.gradient(loss, model);
  CHECK_SAME(model.w.value(), before);
  constexpr double h = 1e-6;
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      const Tensor at = filled({2, 3}, f64, [&](std::int64_t k) { return k == i * 3 + j ? h : 0; });
      Affine model_w = model;
      const auto loss_with = [&](const Tensor& w) {
        Gradients moved;
        moved.add(model.w, w);
        const SubstituteScope scope(moved);
        GradientTape inner;
        inner.watch(w);
        const Tensor l = sum(square(model(x)));
        const auto [dw, db] = inner.gradient(l, w, model.b);
        Gradients values;
        values.add(model.w, w - 0.1 * dw);
        values.add(model.b, model.b - 0.1 * db);
        const SubstituteScope inside(values);
        return sum(square(model(y))).item();
      };
      const double slope = (loss_with(before + at) - loss_with(before - at)) / (2 * h);
      CHECK(g[model.w].at({i, j}) == Approx(slope).epsilon(1e-6).margin(1e-8));
    }
  }
}

TEST_CASE("substitutes nest, leave out what is undefined, and have to fit", "[substitute]") {
  const Variable v = full({2}, 1), other = full({2}, 5);
  Gradients two, three, wrong;
  two.add(v, full({2}, 2));
  two.add(other, Tensor());
  three.add(v, full({2}, 3));
  wrong.add(v, zeros({3}));
  {
    const SubstituteScope outer(two);
    CHECK_VALUES(v.value(), 2, 2);
    CHECK_VALUES(other.value(), 5, 5);
    {
      const SubstituteScope inner(three);
      CHECK_VALUES(v + other, 8, 8);
    }
    CHECK_VALUES(v.value(), 2, 2);
    CHECK_THROWS_AS(SubstituteScope(wrong), ShapeError);
    CHECK_VALUES(v.value(), 2, 2);
  }
  CHECK_VALUES(v.value(), 1, 1);
}

TEST_CASE("what is assigned where a substitute stands is made of what the variable holds", "[substitute]") {
  Variable w = full({2}, 3);
  Gradients ten;
  ten.add(w, full({2}, 10));
  const SubstituteScope scope(ten);
  w.assign_add(1);
  CHECK_VALUES(w.own_value(), 4, 4);
  cond(full({}, false, boolean), [&] { return w.assign(w * 2), w.value(); }, [&] { return w.value(); });
  CHECK_VALUES(w.own_value(), 4, 4);
  while_loop([](const Tensor& i) { return i < 0; }, [&](const Tensor& i) { return w.assign_sub(1), i + 1; }, zeros({}));
  CHECK_VALUES(w.own_value(), 4, 4);
  w.assign(w * 2);
  CHECK_VALUES(w.own_value(), 20, 20);
  CHECK_VALUES(w.value(), 10, 10);
}
