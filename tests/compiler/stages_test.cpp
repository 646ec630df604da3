// Looking into a compiled function: why groups are apart, the picture, the checks of stages, and compiling ahead of
// time.
#include <weft/compiler/stages.h>
#include <weft/compiler/verify.h>
#include <weft/compiler/verify_steps.h>
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
        "groups 0 and 1: %2 = matmul is stored as a whole: it has few rows or columns\n");
  CHECK(fusion_of([](const Tensor& x) { return matmul(sin(x), transpose(x)); }, m) ==
        "groups 0 and 1: %3 = matmul runs as a whole: its kernel is no loop of ours\n");
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

TEST_CASE("explain_fusion says what became of products when all passes were done", "[fusion]") {
  const auto gradient = [](const Tensor& a, const Tensor& b) { return matmul(transpose(a), b); };
  const auto layer = [](const Tensor& a, const Tensor& b) { return relu(matmul(a, b) + 1); };
  const Type x{f32, {256, 1024}}, y{f32, {256, 4096}}, a{f32, {512, 512}}, b{f32, {512, 256}};
  Variable w = zeros({1024, 4096});
  CHECK(fusion_of([&](const Tensor& s, const Tensor& t) { w.assign_sub(gradient(s, t)); }, x, y) ==
        "groups 0 and 1: %4 = matmul goes to the loop strip by strip\n");
  CHECK(fusion_of(
            [&](const Tensor& s, const Tensor& t) {
              const Tensor g = gradient(s, t);
              w.assign_sub(g);
              return g;
            },
            x, y) == "groups 0 and 1: %4 = matmul is stored as a whole: it is a result, too\n");
  CHECK(fusion_of(layer, a, b) ==
        "groups 0 and 1: %4 = matmul is stored as a whole: the loop moves no more than the caches hold, so it waits "
        "for no "
        "memory\n");
  CHECK(fusion_of(layer, Type{f32, {4, 256, 64}}, Type{f32, {4, 64, 128}}) ==
        "groups 0 and 1: %4 = matmul is stored as a whole: it is a batch of products\n");
  CHECK(
      fusion_of([](const Tensor& s, const Tensor& t) { return softmax(matmul(s, t), 1); }, a, b) ==
      "groups 0 and 1: %2 = matmul is stored as a whole: what reads it is no pointwise loop over its elements in their "
      "order\n");
  CHECK(fusion_of(
            [](const Tensor& s, const Tensor& t) {
              const Tensor p = matmul(s, t);
              return std::pair(exp(p), exp(p[{Slice(0, 512, 2)}]));
            },
            a, b) ==
        "groups 0 and 1: %2 = matmul is stored as a whole: it is read more than once\n"
        "groups 0 and 2: %2 = matmul is stored as a whole: it is read more than once\n");
}

TEST_CASE("explain_fusion names launches that became one, and rows that go through several steps", "[fusion]") {
  Variable u = zeros({4}), v = zeros({7});
  CHECK(fusion_of(
            [&](const Tensor& a, const Tensor& b) {
              u.assign_sub(cast(a, f32));
              v.assign_sub(b);
            },
            Type{DType::bf16, {4}}, Type{f32, {7}}) == "groups 0, 1: one launch of 2 segments\n");
  CHECK(fusion_of(
            [](const Tensor& x) {
              const Tensor e = exp(x);
              return std::pair(e, exp(matmul(e, e)));
            },
            Type{f32, {8, 8}}) ==
        "groups 0 and 1: %2 = matmul runs as a whole: its kernel is no loop of ours\n"
        "groups 1 and 2: %2 = matmul is stored as a whole: it has few rows or columns\n"
        "group 0 and group 2: two launches, which might be one: one needs what a step between them does, or the other "
        "way "
        "round\n");
  CHECK(fusion_of(
            [](const Tensor& a, const Tensor& b) {
              const Tensor t = relu(matmul(a, b));
              return matmul(t, transpose(t));
            },
            Type{f32, {256, 64}}, Type{f32, {64, 128}}) ==
        "groups 0 and 1: %3 = matmul is stored as a whole: rows go through it and its neighbours at once\n"
        "groups 1 and 2: %8 = matmul runs as a whole: its kernel is no loop of ours\n"
        "group 0, group 1: each thread takes some of the 256 rows through all of them; not through group 2: each row "
        "of it "
        "needs all rows of what was made before\n");
}

TEST_CASE("what was traced, and what each pass made of it, can be seen", "[dump]") {
  auto f = compile([](const Tensor& x) { return x + exp(tensor(0)); });
  CHECK(f.dump("passes") == "not traced yet\n");
  CHECK(f.dump("graph.dot") == "digraph weft {}\n");
  f.lower(Type{f32, {}});
  CHECK_DRAWN("\n" + f.dump("traced"), R"(
%0 = input f32[]
%1 = constant f32[] 0
%2 = exp f32[] %1
%3 = add f32[] %0 %2
return %3
)");
  CHECK_DRAWN("\n" + f.dump("passes"), R"(
---- traced
%0 = input f32[]
%1 = constant f32[] 0
%2 = exp f32[] %1
%3 = add f32[] %0 %2
return %3
---- fold_constants
%0 = input f32[]
%1 = constant f32[] 0
%2 = constant f32[] 1
%3 = add f32[] %0 %2
return %3
---- turn_late
%0 = input f32[]
%1 = constant f32[] 1
%2 = add f32[] %0 %1
return %2
---- group_nodes
group 0: loop over []
  %2 = add f32[]
---- build_steps
step 0: kernel, 1 segment %0 -> %2
)");
  CHECK_DRAWN("\n" + f.dump("plan.dot"), R"(
digraph weft {
  v0 [shape=ellipse, label="input 0 f32[]"]
  s0 [shape=box, label="step 0: kernel, 1 segment"]
  v0 -> s0 [label="%0 f32[]"]
  output0 [shape=ellipse]
  s0 -> output0 [label="%2 f32[]"]
}
)");
}

TEST_CASE("inputs that are variables are named", "[dump]") {
  const Variable w(ones({2}), true, "fc.weight"), other = ones({2});
  auto f = compile([&](const Tensor& x) {
    const Tensor product = x * w;
    return product + other;
  });
  f.lower(Type{f32, {2}});
  CHECK_DRAWN("\n" + f.dump("graph"), R"(
%0 = input f32[2]
%1 = input f32[2] "fc.weight"
%2 = input f32[2] "a variable"
%3 = mul f32[2] %0 %1
%4 = add f32[2] %3 %2
return %4
)");
  CHECK(f.dump("graph.dot").find("fc.weight") != std::string::npos);
}

TEST_CASE("each stage that is a graph is a picture, too, and an unknown one is told which there are", "[dump]") {
  auto f = compile([](const Tensor& x) {
    return scan([](const Tensor& c, const Tensor& r) { return std::pair(sin(c) * r, c); }, x, ones({3, 4}));
  });
  f.lower(Type{f32, {4}});
  for (const std::string_view stage : dump_stages()) {
    INFO(stage);
    const std::string text = f.dump(stage);
    CHECK(!text.empty());
    if (stage.ends_with("dot")) {
      CHECK(text.find("digraph weft {") != std::string::npos);
      CHECK(text.find("// body of step 0, scan:\n") != std::string::npos);
    }
  }
  CHECK_THROWS_WITH(f.dump("nonsense"),
                    "dump: no stage \"nonsense\"\n  hint: one of traced, passes, graph, groups, plan, traced.dot, "
                    "passes.dot, graph.dot, groups.dot, plan.dot, dot, fusion, kernels, llvm, assembly");
}

TEST_CASE("the picture of a graph shows its groups, inputs and outputs", "[dump]") {
  auto f = compile([](const Tensor& x) { return exp(matmul(x, x) * 2); });
  f.lower(Type{f32, {5, 5}});
  CHECK_DRAWN("\n" + f.dump("dot"), R"(
digraph weft {
  v0 [shape=ellipse, label="input 0 f32[5, 5]"]
  v1 [shape=plaintext, label="2 f32[]"]
  subgraph cluster_0 {
    label="group 0"; style=dashed
    v2 [shape=box, label="matmul f32[5, 5]"]
  }
  subgraph cluster_1 {
    label="group 1"; style=filled
    v4 [shape=box, label="mul f32[5, 5]"]
    v5 [shape=box, label="exp f32[5, 5]"]
  }
  v0 -> v2
  v0 -> v2
  v3 [shape=box, label="broadcast_to f32[5, 5] shape=[5, 5]"]
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

namespace {

// A graph's steps before any pass, of loops and of nodes that run as a whole.
struct Listed {
  Graph graph;
  Grouping grouping;
  std::vector<Step> steps;
  std::vector<ValueId> direct;

  explicit Listed(Graph traced)
      : graph(std::move(traced)), grouping(group_nodes(graph, none())), direct(graph.outputs) {
    Places places(graph.values.size());
    for (ValueId v = 0; v < places.size(); ++v)
      places[v] = Access{v, 0, graph.type(v).shape, contiguous_strides(graph.type(v).shape)};
    for (const Group& g : grouping.groups) {
      const Graph::Node& n = graph.nodes[g.nodes[0]];
      if (g.fused) {
        steps.push_back(LaunchStep{{lower_group(graph, grouping, g, places)}});
        continue;
      }
      NodeStep step{g.nodes[0], {}, n.out, {}, {}};
      for (const ValueId v : n.in) step.in.push_back(grouping.accesses[v]);
      steps.push_back(step);
    }
  }
  std::vector<bool> none() const { return std::vector<bool>(graph.values.size()); }
  Flow flow() const { return verify(graph, steps, direct); }
  std::vector<Place> apart() const {
    std::vector<Place> places;
    for (ValueId v = 0; v < graph.values.size(); ++v) places.push_back({v, 0, 64});
    return places;
  }
};

}  // namespace

TEST_CASE("the checks of steps find what is read before it is there, runs twice, or is left out", "[verify]") {
  const Listed right(traced([](const Tensor& x) { return exp(matmul(exp(x), x)); }, Type{f32, {8, 8}}));
  REQUIRE(right.steps.size() == 3);
  CHECK(right.flow().size() == 3);
  Listed early = right, twice = right, none = right, lost = right;
  std::swap(early.steps[0], early.steps[1]);
  CHECK_THROWS_WITH(early.flow(), containing("steps: step 0: it reads %1, which no earlier step writes"));
  twice.steps.push_back(twice.steps[1]);
  CHECK_THROWS_WITH(twice.flow(), containing("steps: step 3: matmul runs twice"));
  none.steps.pop_back();
  CHECK_THROWS_WITH(none.flow(), containing("%3 is an output, which no step writes"));
  none.direct.clear();
  CHECK_THROWS_WITH(verify_same("a pass", right.flow(), none.flow()), containing("a pass: 3 loops and nodes became 2"));
  CHECK_NOTHROW(verify_same("a pass", right.flow(), right.flow()));
}

TEST_CASE("the checks of steps find a read that sees what a pass moved before it", "[verify]") {
  // Added in place to %2, of which the sum is taken before that.
  Listed listed(traced(
      [](const Tensor& x, const Tensor& i) {
        const Tensor e = exp(x);
        return std::pair(sum(matmul(e, e)), scatter_add(e, i, x));
      },
      Type{f32, {8, 8}}, Type{i64, {8}}));
  const Flow before = listed.flow();
  std::size_t product = 0, added = 0;
  for (std::size_t s = 0; s < listed.steps.size(); ++s)
    if (const auto* node = std::get_if<NodeStep>(&listed.steps[s]))
      (listed.graph.nodes[node->node].op->in_place ? added : product) = s;
  auto& in_place = std::get<NodeStep>(listed.steps[added]);
  const ValueId from = in_place.in[0].base;
  // As share_buffers would have it, though the product still reads what was there.
  for (auto& o : std::get<LaunchStep>(listed.steps[0]).segments[0].operands)
    o.value = o.value == from ? in_place.out : o.value;
  for (Access& a : std::get<NodeStep>(listed.steps[product]).in) a.base = in_place.out;
  in_place.in[0].base = in_place.out;
  if (product < added) std::swap(listed.steps[product], listed.steps[added]);
  CHECK_THROWS_WITH(verify_same("share_buffers", before, verify(listed.graph, listed.steps, {})),
                    containing("does not read what it read before"));
}

TEST_CASE("the checks of steps find segments that touch, and strips that are not the loop's operand", "[verify]") {
  const Listed two(traced([](const Tensor& x, const Tensor& y) { return std::pair(exp(x), exp(y)); }, Type{f32, {4}},
                          Type{f32, {7}}));
  REQUIRE(two.steps.size() == 2);
  Listed merged = two;
  merge_launches(merged.graph, merged.steps, merged.none());
  REQUIRE(merged.steps.size() == 1);
  CHECK_NOTHROW(verify_same("merge_launches", two.flow(), merged.flow()));
  auto& segments = std::get<LaunchStep>(merged.steps[0]).segments;
  segments[1].operands[0].value = segments[0].operands[1].value;
  CHECK_THROWS_WITH(merged.flow(), containing("a segment writes %2, which another uses"));

  Listed strips(traced([](const Tensor& x, const Tensor& y) { return sin(y) - matmul(x, y); }, Type{f32, {8, 8}},
                       Type{f32, {8, 8}}));
  const Flow before = strips.flow();
  REQUIRE(strips.steps.size() == 2);
  auto& loop = std::get<LaunchStep>(strips.steps[1]);
  const auto& product = std::get<NodeStep>(strips.steps[0]);
  std::size_t operand = 0;
  while (loop.segments[0].operands[operand].value != product.out) ++operand;
  strips.steps = {EpilogueStep{product, loop, operand}};
  CHECK_NOTHROW(verify_same("attach_epilogues", before, strips.flow()));
  std::get<EpilogueStep>(strips.steps[0]).operand = 1 - operand;
  CHECK_THROWS_WITH(strips.flow(), containing("the product %2 is operand"));
}

TEST_CASE("the checks of steps find regions of the wrong steps", "[verify]") {
  const Listed net(traced([](const Tensor& x, const Tensor& w) { return exp(matmul(exp(matmul(x, w)), w)); },
                          Type{f32, {64, 64}}, Type{f32, {64, 64}}));
  REQUIRE(net.steps.size() == 4);
  const auto check = [&](const std::vector<Region>& regions) { verify(net.graph, net.steps, regions, net.none()); };
  CHECK_NOTHROW(check({{0, 2, 64, 1}, {2, 4, 64, 1}}));
  CHECK_THROWS_WITH(check({{0, 3, 64, 1}, {2, 4, 64, 1}}), containing("a region of 2 to 4"));
  CHECK_THROWS_WITH(check({{3, 5, 64, 1}}), containing("a region of 3 to 5"));
  CHECK_THROWS_WITH(check({{0, 2, 32, 1}}), containing("a product of other rows"));
  std::vector<bool> states = net.none();
  states[net.direct[0]] = true;
  CHECK_THROWS_WITH(verify(net.graph, net.steps, std::vector<Region>{{2, 4, 64, 1}}, states),
                    containing("a variable's new value"));
}

TEST_CASE("the checks of memory find a value that was overwritten too early", "[verify]") {
  const Listed net(traced([](const Tensor& x, const Tensor& w) { return exp(matmul(exp(matmul(x, w)), w)); },
                          Type{f32, {64, 64}}, Type{f32, {64, 64}}));
  const auto check = [&](const std::vector<Place>& places, const std::vector<Region>& regions) {
    verify(net.graph, net.steps, regions, places, net.direct);
  };
  CHECK_NOTHROW(check(net.apart(), {}));
  std::vector<Place> reused = net.apart(), early = reused, late = reused;  // %2 to %5, one made of the other
  reused[4] = reused[2];
  CHECK_NOTHROW(check(reused, {}));
  CHECK_THROWS_WITH(check(reused, {{0, 4, 64, 1}}), containing("%2 is written over %4, which is in use"));
  early[3] = early[1];  // w is read once more
  CHECK_THROWS_WITH(check(early, {}), containing("step 2: %1 no longer lies where it is read"));
  late[4] = late[3];  // a product does not work in place
  CHECK_THROWS_WITH(check(late, {}), containing("step 2: %4 is written over %3, which is in use"));
}
