// Graph, attributes, recorders: what stands under tapes and traces.
#include <weft/ops/apply.h>
#include <weft/ops/define.h>
#include <weft/ops/graph.h>
#include <weft/ops/recorder.h>
#include <weft/ops/table.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {
struct Log : Recorder {
  std::vector<std::string> seen;
  void record(const Op& op, const Attrs&, std::span<const Tensor>, std::span<const Tensor>) override {
    seen.emplace_back(op.name);
  }
  void read(const std::shared_ptr<VariableState>& v, const Tensor&) override { seen.push_back("read " + v->name); }
};
struct Pushed : Log {
  Pushed() { push_recorder(this); }
  ~Pushed() override { pop_recorder(this); }
};
ValueId add(Graph& g, const Op& op, std::vector<ValueId> in, const Type& out, const Attrs& attrs = {}) {
  return g.add(op, attrs, in, std::span(&out, 1));
}
}  // namespace

TEST_CASE("equal nodes of a graph are one, equal scalars too") {
  Graph g;
  const Type t{f32, {2}};
  const ValueId x = g.add_input(t), y = g.add_input(t);
  const ValueId a = add(g, op_of<Add>(), {x, y}, t), b = add(g, op_of<Add>(), {x, y}, t);
  CHECK(a == b);
  CHECK(add(g, op_of<Add>(), {y, x}, t) != a);
  CHECK(add(g, op_of<Sub>(), {x, y}, t) != a);
  const Type s{f32, {}};
  CHECK(add(g, op_of<Sum>(), {x}, s, ReduceAttrs{0, 1}) == add(g, op_of<Sum>(), {x}, s, ReduceAttrs{0, 1}));
  CHECK(g.add_constant(tensor(2)) == g.add_constant(tensor(2)));
  CHECK(g.add_constant(tensor(0.0)) != g.add_constant(tensor(-0.0)));
  CHECK(g.add_constant(tensor(1)) != g.add_constant(full({}, 1, i32)));
  const Tensor big = ones({2});
  CHECK(g.add_constant(big) == g.add_constant(big));
  CHECK(g.add_constant(big) != g.add_constant(ones({2})));
}

TEST_CASE("a graph prints and verifies", "[golden]") {
  Graph g;
  const Type t{f32, {2, 3}}, s{f32, {2}};
  const ValueId x = g.add_input(t), y = g.add_input(t), two = g.add_constant(tensor(2));
  const ValueId wide = add(g, op_of<BroadcastTo>(), {two}, t, ShapeAttrs{{2, 3}});
  const ValueId product = add(g, op_of<Mul>(), {x, wide}, t);
  add(g, op_of<Exp>(), {y}, t);
  g.outputs = {add(g, op_of<Sum>(), {product}, s, ReduceAttrs{1, 2})};
  CHECK(g.text() ==
        "%0 = input f32[2, 3]\n%1 = input f32[2, 3]\n%2 = constant f32[] 2\n%3 = broadcast_to f32[2, 3] %2 {shape=[2, "
        "3]}\n"
        "%4 = mul f32[2, 3] %0 %3\n%5 = exp f32[2, 3] %1\n%6 = sum f32[2] %4 {begin=1, end=2}\nreturn %6\n");
  g.verify();
  Graph wrong = g;
  wrong.values[product].type.shape = {3, 2};
  CHECK_THROWS_AS(wrong.verify(), Error);
  Graph late = g;
  late.nodes[0].in[0] = g.outputs[0];
  CHECK_THROWS_AS(late.verify(), ArgumentError);
}

TEST_CASE("attributes compare, hash and print by their members") {
  const Attrs a = SliceAttrs{{1}, {2}, {3}}, b = SliceAttrs{{1}, {2}, {3}}, c = SliceAttrs{{1}, {2}, {4}};
  CHECK(a == b);
  CHECK(a.hash() == b.hash());
  CHECK_FALSE(a == c);
  CHECK(a.text() == "begin=[1], step=[2], size=[3]");
  CHECK_FALSE(Attrs(AxisAttrs{1}) == Attrs(ConcatAttrs{1}));  // another struct
  CHECK_FALSE(Attrs(EmbedAttrs{{}, {}, {}, 0.0}) == Attrs(EmbedAttrs{{}, {}, {}, -0.0}));
  CHECK(Attrs(EmbedAttrs{{}, {}, {}, NAN}) == Attrs(EmbedAttrs{{}, {}, {}, NAN}));
  CHECK(Attrs().empty());
  CHECK_FALSE(Attrs() == a);
}

TEST_CASE("recorders are told of every op and every read, oldest first, until they leave") {
  Variable v(tensor(1), true, "v");
  Pushed outer;
  {
    Pushed inner;
    v + 1;
    CHECK(inner.seen == std::vector<std::string>{"read v", "add"});
  }
  exp(tensor(1));
  CHECK(outer.seen == std::vector<std::string>{"read v", "add", "exp"});
}

TEST_CASE("a recorder that works is seen only by those before it") {
  Pushed outer, inner;
  {
    const HideFrom hide(&inner);
    exp(tensor(1));
  }
  CHECK(outer.seen == std::vector<std::string>{"exp"});
  CHECK(inner.seen.empty());
  exp(tensor(1));
  CHECK(inner.seen.size() == 1);
}

TEST_CASE("a trace hides older recorders, not those made inside it") {
  Pushed outer;
  {
    const TraceScope scope(nullptr);
    exp(tensor(1));
    Pushed inside;
    log(tensor(1));
    CHECK(inside.seen == std::vector<std::string>{"log"});
  }
  CHECK(outer.seen.empty());
  exp(tensor(1));
  CHECK(outer.seen.size() == 1);
}

TEST_CASE("an op that throws is told to nobody") {
  Pushed log;
  CHECK_THROWS_AS(zeros({2}) + zeros({3}), ShapeError);
  CHECK_THROWS_AS(zeros({2}, i32) / 2, DTypeError);
  CHECK(log.seen == std::vector<std::string>{"broadcast_to"});  // of the literal, before the division was refused
}
