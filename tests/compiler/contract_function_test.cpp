// Compiled functions' contract: calls, variables, state, captures.
#include "support.h"

using namespace weft;
using namespace weft::test;

// ---- basics ----
TEST_CASE("A compiled product is the product", "[compile][1.7.basics]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& a, const Tensor& b) { return matmul(a, b); });
  const Tensor a = tensor({{1, 0}, {0, 1}});
  CHECK_SAME(f(a, a), a);
  CHECK_SAME(f(a, f(a, a)), a);
}

TEST_CASE("Nested structures go in and come out as they are", "[compile][1.7.basics]") {
  const NoLeaks guard;
  using In = std::tuple<Tensor, std::vector<std::pair<Tensor, Tensor>>>;
  auto f = compile([](const In& in) {
    const auto& [a, list] = in;
    return std::map<std::string, std::vector<Tensor>>{{"first", {a, a + list[0].first}}, {"second", {list[1].second}}};
  });
  const auto out = f(In{scalar(1), {{scalar(2), scalar(3)}, {scalar(4), scalar(5)}}});
  CHECK(out.at("first")[0].item() == 1);
  CHECK(out.at("first")[1].item() == 3);
  CHECK(out.at("second")[0].item() == 5);
}

TEST_CASE("A function may return nothing, an absent optional, or an empty list", "[compile][1.7.basics]") {
  const NoLeaks guard;
  Variable v = zeros({2});
  auto none = compile([&](const Tensor& x) { v.assign_add(x); });
  none(ones({2}));
  CHECK_VALUES(v.value(), 1, 1);
  auto maybe = compile([](const Tensor& x, bool give) { return give ? std::optional(x * 2) : std::nullopt; });
  CHECK_FALSE(maybe(scalar(1), false).has_value());
  CHECK(maybe(scalar(1), true)->item() == 2);
  auto empty = compile([](const Tensor&) { return std::vector<Tensor>(); });
  CHECK(empty(scalar(1)).empty());
}

TEST_CASE("Numbers are taken for tensor parameters, structures of tensors for lists", "[compile][1.7.basics]") {
  const NoLeaks guard;
  auto clip_by_norm = compile([](const std::vector<Tensor>& list, const Tensor& limit) {
    Tensor total = scalar(0);
    for (const Tensor& t : list) total = total + sum(square(t));
    const Tensor scale = minimum(limit / sqrt(total), 1);
    std::vector<Tensor> out;
    for (const Tensor& t : list) out.push_back(t * scale);
    return out;
  });
  const auto out = clip_by_norm(std::vector{tensor({3, 0}), tensor({0, 4})}, 10);
  CHECK_VALUES(out[0], 3, 0);
  CHECK_VALUES(out[1], 0, 4);
}

namespace {
template <class F>
concept CanBeCompiled = requires(F f) {
  compile(f)(Tensor());
};
}  // namespace

TEST_CASE("What can't be called can't be compiled", "[compile][1.7.callable]") {
  static_assert(CanBeCompiled<Tensor (*)(const Tensor&)>);
  auto function = compile(+[](const Tensor& x) { return x + 1; });
  CHECK(function(scalar(1)).item() == 2);
}

// ---- side effects ----
TEST_CASE("The host's side effects happen while it is traced, once a signature", "[compile][1.4][1.7.side-effects]") {
  const NoLeaks guard;
  std::vector<int> log;
  auto f = compile([&](const Tensor& x) {
    log.push_back(x.rank());
    return x + 1;
  });
  for (int i = 0; i < 3; ++i) f(scalar(i));
  CHECK(log == std::vector<int>{0});
  f(ones({2}));
  f(scalar(7));
  CHECK(log == std::vector<int>{0, 1});
}

TEST_CASE("What the host destroys at the end of a call is destroyed once a trace", "[compile][1.7.side-effects]") {
  const NoLeaks guard;
  int ends = 0;
  auto f = compile([&](const Tensor& x) {
    const std::shared_ptr<void> at_exit(nullptr, [&](void*) { ++ends; });
    return x * 2;
  });
  for (int i = 0; i < 4; ++i) f(scalar(i));
  CHECK(ends == 1);
}

// ---- variables ----
TEST_CASE("A later assignment is seen by the next call", "[compile][1.7.variables]") {
  const NoLeaks guard;
  Variable v = scalar(1);
  auto f = compile([&] { return v * 3; });
  CHECK(f().item() == 3);
  v.assign(5);
  CHECK(f().item() == 15);
  CHECK(f.stats().traces == 1);
}

TEST_CASE("A variable passed as an argument is assigned through it", "[compile][1.7.variables]") {
  const NoLeaks guard;
  Variable v = scalar(1);
  auto f = compile([](Variable& w) { return w.assign_add(1).value(); });
  CHECK(f(v).item() == 2);
  CHECK(f(v).item() == 3);
  CHECK(v.value().item() == 3);
  CHECK(f.stats().traces == 1);
}

TEST_CASE("Two functions share a variable", "[compile][1.7.variables]") {
  const NoLeaks guard;
  Variable v = scalar(1);
  auto add = compile([&](const Tensor& x) { v.assign_add(x); });
  auto triple = compile([&] { return v * 3; });
  add(2);
  CHECK(triple().item() == 9);
  add(1);
  CHECK(triple().item() == 12);
}

TEST_CASE("A function's captures are listed, those of the functions it calls too", "[compile][1.7.variables]") {
  const NoLeaks guard;
  Variable v(scalar(1), true, "v"), w(ones({2}), true, "w");
  auto inner = compile([&](const Tensor& x) { return x * v; });
  auto outer = compile([&](const Tensor& x) {
    const Tensor y = inner(x);
    return y + w;
  });
  CHECK_VALUES(outer(2), 3, 3);
  CHECK(outer.captures() == std::vector<std::string>{"\"v\" f32[]", "\"w\" f32[2]"});
}

TEST_CASE("The same variable twice is another signature than two variables", "[compile][1.4][1.7.variables]") {
  const NoLeaks guard;
  Variable a = scalar(2), b = scalar(3);
  auto f = compile([](Variable& x, Variable& y) {
    x.assign_add(10);
    return x * y;
  });
  CHECK(f(a, b).item() == 36);
  CHECK(f(b, b).item() == 169);
  CHECK(f(a, b).item() == 22 * 13);
  CHECK(a.value().item() == 22);
}

TEST_CASE("Another variable of the same type in the same place is the same trace, once a second one has shown it",
          "[compile][1.4][1.7.variables]") {
  const NoLeaks guard;
  auto f = compile([](Variable& v) {
    v.assign_add(v);
    return v * 2;
  });
  for (int i = 0; i < 5; ++i) {
    Variable v = scalar(i);
    CHECK(f(v).item() == 4 * i);
    CHECK(v.value().item() == 2 * i);
    CHECK(f.stats().traces == std::min<std::size_t>(i + 1, 2));
  }
  Variable wide = tensor<double>({1, 2});
  CHECK_SAME(f(wide), tensor<double>({4, 8}));
  CHECK(f.stats().traces == 3);
}

TEST_CASE("Which variables are the same, and which the function takes from around it, is part of the signature",
          "[compile][1.4][1.7.variables]") {
  const NoLeaks guard;
  Variable w = scalar(10);
  auto f = compile([&](Variable& a, const Variable& b) {
    a.assign_add(1);
    w.assign_add(b);
    return a * 100 + w;
  });
  const auto check = [&](Variable& a, const Variable& b) {
    Variable x = a, y = b, z = w;  // the same by hand; who is who stays
    Variable& other = a.state() == w.state() ? z : x;
    other.assign_add(1);
    z.assign_add(b.state() == a.state() ? other : b.state() == w.state() ? z : y);
    const double expected = (other * 100 + z).item();
    CHECK(f(a, b).item() == expected);
    CHECK(w.value().item() == z.value().item());
  };
  Variable p = scalar(1), q = scalar(2), r = scalar(3), s = scalar(4);
  for (int again = 0; again < 2; ++again) {
    check(p, q);
    check(r, s);
    check(q, p);
    check(s, s);
    check(p, p);
    check(w, q);
    check(p, w);
    check(w, w);
  }
  // a function that is another for another variable stays traced for each
  std::map<const VariableState*, float> rates = {{p.state().get(), 2}, {q.state().get(), 3}};
  auto g = compile([&](const Variable& v) { return v * rates.at(v.state().get()); });
  for (int again = 0; again < 2; ++again) {
    CHECK(g(p).item() == p.value().item() * 2);
    CHECK(g(q).item() == q.value().item() * 3);
  }
}

TEST_CASE("A tape around a function differentiates for the variable that was passed", "[compile][1.4][1.7.gradients]") {
  const NoLeaks guard;
  auto f = compile([](const Variable& v, const Tensor& x) { return v * v * x; });
  for (int i = 1; i < 5; ++i) {
    const Variable v = scalar(i);
    GradientTape tape;
    const Tensor y = f(v, 3);
    CHECK(tape.watched_variables() == std::vector{v.state()});
    CHECK(tape.gradient(y, v).item() == 6 * i);
  }
  CHECK(f.stats().traces == 2);
}

TEST_CASE("Only the variables that are trainable are watched by a tape inside", "[compile][1.7.variables]") {
  const NoLeaks guard;
  Variable v(scalar(3)), fixed(scalar(5), false);
  auto f = compile([&] {
    GradientTape tape;
    const Tensor y = v * v * fixed;
    CHECK(tape.watched_variables() == std::vector{v.state()});
    return tape.gradient(y, v);
  });
  CHECK(f().item() == 30);
}

TEST_CASE("A tape or an accumulator from outside does not know what a traced function computes, and says so",
          "[compile][1.7.gradients]") {
  Variable w(tensor({1, 2}));
  const Tensor x = tensor({1, 1});
  const auto says = [](auto&& f) {
    const std::string said = message_of<GuardError>(f);
    INFO(said);
    CHECK(said.find("the value was computed in a function that is traced, where what records outside sees no op") !=
          std::string::npos);
    CHECK(said.find("hint: record inside it, or ask outside") != std::string::npos);
  };
  GradientTape tape({.persistent = true});
  auto gradient = compile([&](const Tensor& t) {
    return tape.gradient(sum(w * w * t), w, GradientOptions{.unconnected = Unconnected::zero});
  });
  says([&] { gradient(x); });
  says([&] { compile([&](const Tensor& t) { return tape.explain(sum(w * t), w), t; })(x); });
  const ForwardAccumulator accumulator(x, x);
  says([&] { compile([&](const Tensor& t) { return accumulator.jvp(t * t); })(x); });

  // Of what it saw it answers inside, too.
  const Tensor loss = sum(w * w * x);
  CHECK_VALUES(compile([&](const Tensor& t) { return t * tape.gradient(loss, w); })(x), 2, 4);
}

TEST_CASE("Gathering from a variable inside", "[compile][1.7.variables]") {
  const NoLeaks guard;
  Variable table = tensor({{1, 2}, {3, 4}, {5, 6}});
  auto f = compile([&](const Tensor& rows) { return gather(table, rows); });
  CHECK_VALUES(f(tensor<std::int64_t>({2, 0})), 5, 6, 1, 2);
}

// ---- creation ----
TEST_CASE("A variable is not made inside: the error says where to make it, and nothing is spoilt",
          "[compile][1.4][1.7.creation]") {
  const NoLeaks guard;
  std::optional<Variable> v;
  auto f = compile([&](const Tensor& x) {
    if (!v) v.emplace(ones({2}));
    return x * *v;
  });
  CHECK(message_of<GuardError>([&] { f(ones({2})); }) ==
        "Variable: a variable was made while a function is traced\n"
        "  hint: make variables before; a model that is copied, as one passed by value, is made of new ones");
  CHECK_FALSE(v.has_value());
  v.emplace(full({2}, 3));
  CHECK_VALUES(f(ones({2})), 3, 3);
}

TEST_CASE("Each object's own function has its own traces", "[compile][1.7.creation]") {
  const NoLeaks guard;
  struct Layer {
    Variable w;
    Tensor call(const Tensor& x) const { return x * w; }
  };
  const Layer one{Variable(scalar(2))}, two{Variable(scalar(3))};
  auto f = compile([&](const Tensor& x) { return one.call(x); });
  auto g = compile([&](const Tensor& x) { return two.call(x); });
  CHECK(f(10).item() == 20);
  CHECK(g(10).item() == 30);
  CHECK(f.stats().traces == 1);
  CHECK(g.stats().traces == 1);
}

// ---- ordering of state ----
TEST_CASE("Assignments and reads keep the order of the program, thirty times over", "[compile][1.4][1.7.state-order]") {
  const NoLeaks guard;
  Variable v = scalar(0);
  auto f = compile([&](const Tensor& x) {
    v.assign(x);
    const Tensor first = v.value();
    v.assign_add(1);
    return std::pair(first, v.value());
  });
  for (int i = 0; i < 30; ++i) {
    const auto [first, second] = f(i);
    REQUIRE(first.item() == i);
    REQUIRE(second.item() == i + 1);
    REQUIRE(v.value().item() == i + 1);
  }
}

TEST_CASE("What a call has read stays, whatever is written later", "[compile][1.7.state-order]") {
  const NoLeaks guard;
  Variable v = ones({4});
  auto read = compile([&] { return v.value(); });
  for (int i = 0; i < 30; ++i) {
    const Tensor before = read();
    v.assign_add(1);
    for (double e : before.to_vector<double>()) REQUIRE(e == i + 1);
  }
}

TEST_CASE("State changed by an inner function is seen by the outer one", "[compile][1.7.state-order]") {
  const NoLeaks guard;
  Variable v = scalar(1);
  auto add = compile([&] { v.assign_add(1); });
  auto f = compile([&] {
    add();
    v.assign(v * 2);
    return v.value();
  });
  CHECK(f().item() == 4);
  CHECK(v.value().item() == 4);
}

// ---- captures ----
TEST_CASE("A tensor captured and returned is the tensor's value", "[compile][1.7.captures]") {
  const NoLeaks guard;
  const Tensor t = tensor({1, 2}), whole = tensor<std::int32_t>({3});
  auto f = compile([&] { return std::pair(t, whole); });
  const auto [a, b] = f();
  CHECK_SAME(a, t);
  CHECK_SAME(b, whole);
}

TEST_CASE("Large captured tensors are kept by reference, small ones written into the graph",
          "[compile][1.4][1.7.captures]") {
  const NoLeaks guard;
  const Tensor small = scalar(2), large = ones({256}).named("large");
  auto f = compile([&](const Tensor& x) { return x * small + large; });
  CHECK(f(ones({256})).at({0}) == 3);
  CHECK(f.captures() == std::vector<std::string>{"\"large\" f32[256]"});
  CHECK(f.dump("graph").find("constant f32[] 2") != std::string::npos);
}

TEST_CASE("A host number captured is the one of the trace", "[compile][1.4][1.7.captures]") {
  const NoLeaks guard;
  double factor = 2;
  auto f = compile([&](const Tensor& x) { return x * factor; });
  CHECK(f(1).item() == 2);
  factor = 3;
  CHECK(f(1).item() == 2);        // the documented trap
  CHECK_VALUES(f(ones({1})), 3);  // a new signature is a new trace
}

TEST_CASE("constants are computed as the thread that calls treats denormals", "[compile]") {
  const Tensor tiny = full({}, 1e-40);
  auto f = compile([&](const Tensor& x) { return x + cast(tiny * 0.5f > 0, f32); });
  CHECK(f(zeros({})).item() == 1);
  set_flush_denormals(true);
  CHECK(f(zeros({})).item() == 0);
  set_flush_denormals(false);
  CHECK(f(zeros({})).item() == 1);
  CHECK(f.stats().traces == 2);
}
