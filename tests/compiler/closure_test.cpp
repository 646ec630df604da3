// Closures: everything a function takes from its surroundings becomes an input of its graph.
#include <weft/ops/closure.h>
#include <weft/weft.h>

#include "../catch.h"

using namespace weft;

TEST_CASE("a closure's graph takes what was captured as inputs", "[closure]") {
  const Tensor a = full({2}, 3.f);
  const Variable w(full({2}, 5.f));
  const Type type{f32, {2}};
  const Closure c = close_over(std::span(&type, 1), [&](std::span<const Tensor> x) {
    return std::vector<Tensor>{x[0] * a + w, x[0] + 1};
  });
  CHECK(c.arguments == 1);
  CHECK(c.results == 2);
  REQUIRE(c.captured.size() == 2);
  CHECK((c.captured[0].same(a) || c.captured[1].same(a)));
  CHECK(c.graph->inputs.size() == 3);
  const Tensor x = full({2}, 2.f);
  const std::vector<Tensor> y = replay(*c.graph, c.inputs(std::span(&x, 1)));
  CHECK(y[0].to_vector<float>() == std::vector<float>{11, 11});
  CHECK(y[1].to_vector<float>() == std::vector<float>{3, 3});
}

TEST_CASE("replaying a closure shows its ops to a tape", "[closure]") {
  const Tensor a = full({}, 3.f), x = full({}, 2.f);
  const Variable w(full({}, 5.f));
  GradientTape tape;
  tape.watch(a, x);
  const Type type = x.type();
  const Closure c =
      close_over(std::span(&type, 1), [&](std::span<const Tensor> in) { return std::vector<Tensor>{in[0] * a * w}; });
  const Tensor y = replay(*c.graph, c.inputs(std::span(&x, 1)))[0];
  const auto [da, dx, dw] = tape.gradient(y, a, x, w);
  CHECK(da.item() == 10);
  CHECK(dx.item() == 15);
  CHECK(dw.item() == 6);
}

TEST_CASE("a closure inside a trace captures the outer trace's tensors", "[closure]") {
  const auto f = compile([](const Tensor& x) {
    const Tensor outer = x * 2;
    const Type type = x.type();
    const Closure c =
        close_over(std::span(&type, 1), [&](std::span<const Tensor> in) { return std::vector<Tensor>{in[0] + outer}; });
    return replay(*c.graph, c.inputs(std::span(&x, 1)))[0];
  });
  auto g = f;
  CHECK(g(full({3}, 1.f)).to_vector<float>() == std::vector<float>{3, 3, 3});
}

TEST_CASE("variables that a closure assigns are outputs after its results", "[closure]") {
  Variable w(full({}, 5.f));
  const Closure c = close_over({}, [&](std::span<const Tensor>) {
    w.assign_add(1);
    return std::vector<Tensor>{w * 2};
  });
  REQUIRE(c.assigned.size() == 1);
  CHECK(c.assigned_from == std::vector<std::size_t>{0});
  CHECK(w.value().item() == 5);
  const std::vector<Tensor> y = replay(*c.graph, c.inputs({}));
  CHECK(y[0].item() == 12);
  CHECK(y[1].item() == 6);
}
