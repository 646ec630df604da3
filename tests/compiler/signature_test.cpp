// What is part of a signature: a call of another one runs what was traced for it, never what was traced for this one.
#include <map>
#include <string>
#include <thread>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

// Calls of each argument in turn, twice: compiled gives what f gives, and each has a trace of its own.
template <class F, class... A> void check_told_apart(F f, const A&... arguments) {
  auto compiled = compile(f);
  const auto check = [&](const auto& x) { CHECK(compiled(x).item() == f(x).item()); };
  for (int round = 0; round < 2; ++round) (check(arguments), ...);
  CHECK(compiled.stats().traces == sizeof...(A));
}

const Tensor one = scalar(1), two = scalar(2), three = scalar(3);

enum class Way { there, back };

struct Scaled {
  Tensor x;
  double by = 1;
  bool negative = false;
  Way way = Way::there;
  std::string name = "";
  std::vector<int> powers = {};
  WEFT_MEMBERS(x, by, negative, way, name, powers)
};

struct Either {
  std::optional<Tensor> a, b;
  WEFT_MEMBERS(a, b)
};

struct Powered {
  Variable w = scalar(3);
  double power = 1;
  Tensor shift = scalar(0);
  WEFT_MEMBERS(w, power, shift)
};

struct Weight {
  Variable w = scalar(3);
  WEFT_MEMBERS(w)
};

}  // namespace

TEST_CASE("How a list of lists is parted is part of the signature", "[compile][signature]") {
  using Lists = std::vector<std::vector<Tensor>>;
  check_told_apart(
      [](const Lists& lists) {
        Tensor total = scalar(0);
        for (std::size_t i = 0; i < lists.size(); ++i)
          for (const Tensor& t : lists[i]) total = total + t * (i == 0 ? 1 : 10);
        return total;
      },
      Lists{{one, two}, {three}}, Lists{{one}, {two, three}}, Lists{{}, {one, two, three}});
  using Pair = std::pair<std::vector<Tensor>, std::vector<Tensor>>;
  check_told_apart(
      [](const Pair& p) {
        Tensor total = scalar(0);
        for (const Tensor& t : p.first) total = total + t;
        for (const Tensor& t : p.second) total = total - t;
        return total;
      },
      Pair{{one, two}, {three}}, Pair{{one}, {two, three}});
}

TEST_CASE("A map's keys are part of the signature", "[compile][signature]") {
  using Named = std::map<std::string, Tensor>;
  check_told_apart([](const Named& m) { return m.contains("mask") ? -m.at("mask") : m.begin()->second; },
                   Named{{"x", one}}, Named{{"mask", one}}, Named{{"a name of over eight letters", one}});
  using Numbered = std::map<int, Tensor>;
  check_told_apart([](const Numbered& m) { return m.begin()->second * m.begin()->first; }, Numbered{{1, two}},
                   Numbered{{2, two}});
}

TEST_CASE("Numbers, texts and optionals that a struct lists are part of the signature", "[compile][signature]") {
  check_told_apart(
      [](const Scaled& s) {
        Tensor r = s.x * s.by * (s.negative ? -1 : 1) * (s.way == Way::back ? 7 : 1) * (s.name == "double" ? 2 : 1);
        for (const int p : s.powers) r = r * p;
        return r;
      },
      Scaled{two}, Scaled{two, 5}, Scaled{two, 1, true}, Scaled{two, 1, false, Way::back},
      Scaled{.x = two, .name = "double"}, Scaled{.x = two, .powers = {3}}, Scaled{.x = two, .powers = {3, 4}});
  check_told_apart([](const Either& e) { return e.a ? *e.a * 2 : *e.b * 3; }, Either{one, {}}, Either{{}, one});
}

TEST_CASE("Of a model numbers are part of the signature, and which tensors it holds", "[compile][signature]") {
  const auto f = [](const Powered& m, const Tensor& x) { return pow(m.w, m.power) * x + m.shift; };
  auto compiled = compile(f);
  Powered m;
  const auto check = [&] { CHECK(compiled(m, two).item() == f(m, two).item()); };
  check();
  m.power = 2, check();
  m.shift = scalar(10), check();
  m.w.assign(4), check();
  CHECK(compiled.stats().traces == 3);
}

TEST_CASE("A function that is a template has a trace for each type that it is called with", "[compile][signature]") {
  auto f = compile([](const Tensor& x, auto k) {
    if constexpr (std::is_floating_point_v<decltype(k)>)
      return std::pair(x + 100, x);
    else
      return x + 1;
  });
  CHECK(f(one, 0.0).first.item() == 101);
  CHECK(f(one, 0).item() == 2);
  CHECK(f(one, 0.0).first.item() == 101);
}

TEST_CASE("Gradients are those of their variables", "[compile][signature]") {
  const auto gradients = [](const Weight& m) {
    GradientTape tape;
    return tape.gradient(m.w * m.w, m);
  };
  Weight a, b, c;
  b.w.assign(4), c.w.assign(5);
  auto of_a = compile([&](const Gradients& g) { return g[a.w] * 2; });
  CHECK(of_a(gradients(a)).item() == 12);
  CHECK_THROWS_AS(of_a(gradients(b)), ArgumentError);

  // One trace serves several models; what it returns is of the model that was passed.
  auto compiled = compile(gradients);
  for (const Weight* m : {&a, &b, &c}) CHECK(compiled(*m)[m->w].item() == 2 * m->w.value().item());
}

TEST_CASE("A function that asks which variable it was given has a trace for each", "[compile][signature]") {
  Variable weights[] = {Variable(ones({}), true, "first"), Variable(ones({}), true, "second"),
                        Variable(ones({}), true, "bias")};
  auto decay = compile([](Variable& v, const Tensor& x) {
    if (v.name() != "bias") v.assign_sub(x);
    return v.value();
  });
  for (Variable& w : weights) decay(w, scalar(0.25));
  CHECK(weights[0].item() == 0.75);
  CHECK(weights[1].item() == 0.75);
  CHECK(weights[2].item() == 1);
  // of others one trace for two stands for all
  auto add = compile([](Variable& v, const Tensor& x) { v.assign_add(x); });
  for (Variable& w : weights) add(w, scalar(1));
  CHECK(weights[2].item() == 2);
  CHECK(add.stats().traces == 2);
}

TEST_CASE("A long double keeps its bits", "[compile][signature]") {
  auto f = compile([](const Tensor& x, long double y) { return x + (y == 1.0L ? 1 : 2); });
  CHECK(f(one, 1.0L).item() == 2);
  CHECK(f(one, 1.0L + 1e-19L).item() == 3);
}

TEST_CASE("What is traced may ask for the function's own statistics", "[compile]") {
  std::size_t seen = 7;
  std::function<std::size_t()> traces;
  auto f = compile([&](const Tensor& x) {
    seen = traces();
    return x + 1;
  });
  traces = [&] { return f.stats().traces; };
  CHECK(f(1).item() == 2);
  CHECK(seen <= 1);
}

TEST_CASE("What is traced may wait for a thread whose compiled function writes a variable", "[compile][threads]") {
  Variable count = scalar(0);
  auto add = compile([&](const Tensor& x) { count.assign_add(x); });
  auto f = compile([&](const Tensor& x) {
    std::thread([&] { add(1); }).join();
    return x + 1;
  });
  CHECK(f(1).item() == 2);
  CHECK(count.value().item() == 1);
}

TEST_CASE("A compiled function keeps at least one trace", "[compile]") {
  CHECK(message_of<ArgumentError>([] { compile([](const Tensor& x) { return x; }, {.max_traces = 0}); }) ==
        "compile: max_traces is 0: there has to be room for one\n  at HERE");
}

TEST_CASE("a compiled function is called where it is const", "[compile][signature]") {
  const auto twice = compile([](const Tensor& x) { return x * 2; });
  const auto outer = [twice](const Tensor& x) { return twice(x) + 1; };
  CHECK(outer(one).item() == 3);
}
