// Looking into a compiled function: why groups are apart, the picture, the checks of stages, and compiling ahead of
// time.
#include <weft/compiler/verify.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

template <class F, class... T> std::string fusion_of(F f, const T&... x) {
  auto compiled = compile(f);
  compiled.lower(x...);
  return compiled.explain_fusion();
}

}  // namespace

TEST_CASE("explain_fusion says what keeps two groups apart", "[fusion]") {
  const Type m{f32, {6, 4}};
  CHECK(fusion_of([](const Tensor& x) { return exp(matmul(x, transpose(x))); }, m) ==
        "groups 0 and 1: %2 = matmul runs as a whole: its kernel is no loop of ours\n");
  CHECK(fusion_of([](const Tensor& x) { return exp(sum(x, 0)); }, m) ==
        "groups 0 and 1: their loops differ: [6, 4] and [4]\n");
  CHECK(fusion_of([](const Tensor& x) { return exp(x) - sum(exp(x), 0); }, m) ==
        "groups 0 and 1: %4 = sub reads %3, a reduction down the columns: known when all rows are done\n");
  CHECK(fusion_of([](const Tensor& x) { return exp(x) - transpose(sin(exp(x))); }, Type{f32, {4, 4}}) ==
        "groups 0 and 1: %4 = sub reads %3, which lies otherwise than the loop runs\n");
  CHECK(fusion_of([](const Tensor& x) { return exp(x) - mean(exp(x), 0); }, m) ==
        "groups 0 and 1: their loops differ: [6, 4] and [4]\n"
        "groups 0 and 2: another group has to run between them\n"
        "groups 1 and 2: their loops differ: [4] and [6, 4]\n");
  CHECK(fusion_of(
            [](const Tensor& x) {
              return sum(exp(x), 1) + sum(x, {0, 1});
            },
            m) == "groups 0 and 1: they cut [6, 4] otherwise: rows of [6, 4] and of [4]\n");
  CHECK(fusion_of([](const Tensor& x) { return exp(x) * 2; }, Type{DType::bf16, {4}}) == "");
  CHECK(fusion_of([](const Tensor& x) { return softmax(x, -1); }, m) == "");
}

TEST_CASE("the picture of a graph shows its groups, inputs and outputs", "[dump]") {
  auto f = compile([](const Tensor& x) { return exp(matmul(x, x) * 2); });
  f.lower(Type{f32, {3, 3}});
  CHECK_DRAWN("\n" + f.dump("dot"), R"(
digraph weft {
  v0 [shape=ellipse, label="input 0 f32[3, 3]"]
  v1 [shape=plaintext, label="2 f32[]"]
  subgraph cluster_0 {
    label="group 0"; style=dashed
    v2 [shape=box, label="matmul f32[3, 3]"]
  }
  subgraph cluster_1 {
    label="group 1"; style=filled
    v4 [shape=box, label="mul f32[3, 3]"]
    v5 [shape=box, label="exp f32[3, 3]"]
  }
  v0 -> v2
  v0 -> v2
  v3 [shape=box, label="broadcast_to f32[3, 3] shape=[3, 3]"]
  v1 -> v3
  v2 -> v4
  v3 -> v4
  v4 -> v5
  output0 [shape=ellipse]
  v5 -> output0
}
)");
}

TEST_CASE("a function compiled ahead of time runs nothing, and then is not traced again", "[lower]") {
  int traced = 0;
  Variable w(ones({3}), true, "w");
  auto step = compile([&](const Tensor& x, double rate) {
    ++traced;
    w.assign_sub(rate * sum(x, 0));
    return sum(x);
  });
  const CompileStats stats = step.lower(Type{f32, {2, 3}}, 0.5);
  CHECK(stats.traces == 1);
  CHECK(stats.launches > 0);
  CHECK(traced == 1);
  CHECK(w.value().to_vector<float>() == std::vector<float>{1, 1, 1});
  CHECK(step(ones({2, 3}), 0.5).item() == 6);
  CHECK(w.value().to_vector<float>() == std::vector<float>{0, 0, 0});
  CHECK(traced == 1);
  step.lower(ones({2, 3}), 0.5);  // a tensor stands for its type
  CHECK(traced == 1);
  step.lower(Type{f32, {2, 3}}, 0.25);
  CHECK(traced == 2);
  CHECK_THROWS_AS(step.lower(Type{f64, {2, 3}}, 0.5), DTypeError);
  CHECK(step(ones({2, 3}), 0.5).item() == 6);
}

TEST_CASE("lower takes a model by reference: the same variables", "[lower]") {
  const std::vector<Variable> model = {ones({3, 2}), zeros({2})};
  auto f = compile([](const std::vector<Variable>& m, const Tensor& x) { return matmul(x, m[0]) + m[1]; });
  f.lower(model, Type{f32, {4, 3}});
  f(model, ones({4, 3}));
  CHECK(f.stats().traces == 1);
}

TEST_CASE("the checks of stages find what is wrong", "[verify]") {
  const Graph graph = traced([](const Tensor& x) { return sum(exp(x), 0); }, Type{f32, {4, 3}});
  const std::vector<bool> late(graph.values.size());
  const Grouping right = group_nodes(graph, late);
  CHECK_NOTHROW(verify(graph, right));
  Grouping twice = right, none = right, elsewhere = right;
  twice.groups[0].nodes.push_back(0);
  CHECK_THROWS_WITH(verify(graph, twice), containing("groups: %1 = exp: in 2 groups"));
  none.groups.clear();
  CHECK_THROWS_WITH(verify(graph, none), containing("in 0 groups"));
  elsewhere.group_of[0] = 7;
  CHECK_THROWS_WITH(verify(graph, elsewhere), containing("noted as in another"));

  const Graph two = traced([](const Tensor& x) { return exp(matmul(x, x)); }, Type{f32, {3, 3}});
  Grouping backwards = group_nodes(two, std::vector<bool>(two.values.size()));
  REQUIRE(backwards.groups.size() == 2);
  std::swap(backwards.groups[0], backwards.groups[1]);
  for (int& g : backwards.group_of) g = g < 0 ? g : 1 - g;
  CHECK_THROWS_WITH(verify(two, backwards), containing("group 0 runs before group 1, which it needs"));

  std::vector<PlannedBuffer> buffers = {{100, 0, 1}, {64, 1, 2}, {64, 2, 3}};
  const std::int64_t bytes = plan_memory(buffers);
  CHECK_NOTHROW(verify(buffers, bytes));
  CHECK_THROWS_WITH(verify(buffers, bytes - 64), containing("of an arena of"));
  buffers[1].offset = 64;
  CHECK_THROWS_WITH(verify(buffers, bytes), containing("alive at the same step"));
}
