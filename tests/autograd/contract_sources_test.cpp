// A tape's contract: targets, sources, and the structures they come in.
#include <functional>

#include "support.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("A variable's gradient comes back with the variable it belongs to", "[tape][1.5.3]") {
  const NoLeaks guard;
  struct One {
    Variable v;
    WEFT_MEMBERS(v)
  } model{scalar(1)};
  GradientTape tape;
  const Tensor y = model.v + 2 + 3;
  const Gradients g = tape.gradient(y, model);
  REQUIRE(g.size() == 1);
  CHECK(g.begin()->variable == model.v.state());
  CHECK_GRADIENT(g.begin()->gradient, 1);
}

TEST_CASE("Ops that change nothing give tensors of their own, whose gradients do not alias", "[tape][1.5.4]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  const std::vector<std::function<Tensor(const Tensor&)>> same{
      [](const Tensor& t) { return identity(t); }, [](const Tensor& t) { return t + 0; },
      [](const Tensor& t) { return t - 0; }, [](const Tensor& t) { return t * 1; }};
  for (const auto& op : same) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = op(x);
    CHECK_FALSE(y.same(x));
    const auto [dx, dy] = tape.gradient(y * 3, x, y);
    CHECK_GRADIENT(dx, 3);
    CHECK_GRADIENT(dy, 3);
  }
  GradientTape tape;  // of x itself, twice: 2
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(x + x, x), 2);
}

TEST_CASE("Two targets give each source its own gradient", "[tape][1.5.7]") {
  const NoLeaks guard;
  const Tensor x = scalar(2), y = scalar(3);
  GradientTape tape;
  tape.watch(x, y);
  const auto [dx, dy] = tape.gradient(std::vector{2 * x, 3 * y}, x, y);
  CHECK_GRADIENT(dx, 2);
  CHECK_GRADIENT(dy, 3);
}

TEST_CASE("Output gradients weigh targets, also one that is the source", "[tape][1.5.9]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(2);
  GradientTape tape;
  tape.watch(x, y);
  const GradientOptions weights{.output_gradients = {scalar(1), scalar(2)}};
  CHECK_GRADIENT(tape.gradient(std::tuple(x * y, x), x, weights), 2 * 1 + 2);
}

TEST_CASE("An output gradient of 2 through the identity is 2", "[tape][1.5.10]") {
  const NoLeaks guard;
  const Tensor x = scalar(1);
  GradientTape tape;
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(identity(x), x, GradientOptions{.output_gradients = {scalar(2)}}), 2);
}

TEST_CASE("Where the target is the source the gradient is 1", "[tape][1.5.16]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = x;
  GradientTape tape;
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(y, x), 1);
}

TEST_CASE("The gradient of the identity op is 1", "[tape][1.5.17]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return identity(x); }, scalar(3)), 1);
}

TEST_CASE("One of several targets may be the source", "[tape][1.5.19]") {
  const NoLeaks guard;
  const Tensor x = scalar(2);
  GradientTape tape;
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(std::vector{x, x * x}, x), 1 + 4);
}

TEST_CASE("All targets may be the source", "[tape][1.5.20]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = x;
  GradientTape tape;
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(std::vector{y, y}, x), 2);
}

TEST_CASE("Several targets that are sources each count for the other sources too", "[tape][1.5.21]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(5);
  GradientTape tape;
  tape.watch(x, y);
  const auto [dx, dy] = tape.gradient(std::vector{x, y, y * y}, x, y);
  CHECK_GRADIENT(dx, 1);
  CHECK_GRADIENT(dy, 1 + 10);
}

TEST_CASE("A target of no float type has no gradient", "[tape][1.5.22]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  CHECK_FALSE(tape.gradient(tensor<bool>({true}), x).defined());
}

TEST_CASE("A source and target of no float type have no gradient", "[tape][1.5.23]") {
  const NoLeaks guard;
  const Tensor flag = tensor<bool>({true});
  GradientTape tape;
  tape.watch(flag);
  CHECK_FALSE(tape.gradient(flag, flag).defined());
}

TEST_CASE("A source of no float type among others leaves theirs as they are", "[tape][1.5.24]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(5), flag = tensor<bool>({true});
  GradientTape tape;
  tape.watch(x, y, flag);
  const auto [dx, dy, dflag] = tape.gradient(std::tuple(x, y, y * y, flag), x, y, flag);
  CHECK_GRADIENT(dx, 1);
  CHECK_GRADIENT(dy, 11);
  CHECK_FALSE(dflag.defined());
}

TEST_CASE("The gradient of a variable that is only read is 1", "[tape][1.5.25]") {
  const NoLeaks guard;
  Variable v(scalar(3));
  GradientTape tape;
  const Tensor y = v.value();
  CHECK_GRADIENT(tape.gradient(y, v), 1);
}

TEST_CASE("A matrix as its own target gives ones and leaves no tensor", "[tape][1.5.26]") {
  const NoLeaks guard;
  const Tensor x = tensor({{1, 2}, {3, 4}});
  GradientTape tape;
  tape.watch(x);
  const auto before = live_tensors();
  CHECK_GRADIENT(tape.gradient(x, x), 1, 1, 1, 1);
  CHECK(live_tensors() == before);
}

TEST_CASE("A matrix that is both targets gives twos", "[tape][1.5.27]") {
  const NoLeaks guard;
  const Tensor x = tensor({{1, 2}, {3, 4}});
  GradientTape tape;
  tape.watch(x);
  CHECK_GRADIENT(tape.gradient(std::vector{x, x}, x), 2, 2, 2, 2);
}

TEST_CASE("A pullback maps an output gradient to the sources'", "[tape][1.5.39]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const Tensor y = x * x;
  CHECK(y.item() == 9);
  CHECK_GRADIENT(tape.gradient(y, x, GradientOptions{.output_gradients = {scalar(2)}}), 12);
}

TEST_CASE("A persistent tape's pullback may be called again", "[tape][1.5.40]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = x * x;
  tape.stop();
  CHECK_GRADIENT(tape.gradient(y, x, GradientOptions{.output_gradients = {scalar(2)}}), 12);
  CHECK_GRADIENT(tape.gradient(y, x, GradientOptions{.output_gradients = {scalar(3)}}), 18);
}

TEST_CASE("All arguments of a function are sources where all are asked for", "[tape][1.5.49]") {
  const NoLeaks guard;
  const auto args = std::tuple(scalar(4), scalar(5));
  GradientTape tape;
  tape.watch(args);
  const auto [da, db] = tape.gradient(std::get<0>(args) * std::get<1>(args), args);
  CHECK_GRADIENT(da, 5);
  CHECK_GRADIENT(db, 4);
}

TEST_CASE("A repeated source gets the whole gradient each time", "[tape][1.5.52]") {
  const NoLeaks guard;
  const Tensor x = scalar(3);
  GradientTape tape;
  tape.watch(x);
  const auto g = tape.gradient(2 * x, std::vector{x, x});
  REQUIRE(g.size() == 2);
  CHECK_GRADIENT(g[0], 2);
  CHECK_GRADIENT(g[1], 2);
}

TEST_CASE("A persistent tape takes repeated sources too, also where they are targets", "[tape][1.5.53]") {
  const NoLeaks guard;
  const Tensor x = scalar(3), y = scalar(5);
  GradientTape tape({.persistent = true});
  tape.watch(x, y);
  const Tensor z = x * x * y;  // dx 30, dy 9
  const auto [a, b] = tape.gradient(std::tuple(10 * x, x), x, x);
  CHECK_GRADIENT(a, 11);
  CHECK_GRADIENT(b, 11);
  const auto [c, d] = tape.gradient(std::tuple(3 * x, 11 * y), x, y);
  CHECK_GRADIENT(c, 3);
  CHECK_GRADIENT(d, 11);
  CHECK_GRADIENT(tape.gradient(z, x), 30);
}

namespace {
struct Inner {
  Tensor c;
  std::vector<Tensor> rest;
  WEFT_MEMBERS(c, rest)
};
struct Outer {
  Tensor a;
  Inner inner;
  double scale = 2;  // no leaf: passed over, kept
  WEFT_MEMBERS(a, inner)
};
}  // namespace

TEST_CASE("Gradients come in the structure of their sources", "[tape][1.5.54]") {
  const NoLeaks guard;
  const Tensor x = scalar(1), y = scalar(2), z = scalar(3);
  GradientTape tape({.persistent = true});
  tape.watch(x, y, z);
  const Tensor t = x + 2 * y + 3 * z;
  SECTION("one tensor") { CHECK_GRADIENT(tape.gradient(t, x), 1); }
  SECTION("a tuple in a tuple") {
    const auto [dx, rest] = tape.gradient(t, std::tuple(x, std::tuple(y, z)));
    CHECK_GRADIENT(dx, 1);
    CHECK_GRADIENT(std::get<0>(rest), 2);
    CHECK_GRADIENT(std::get<1>(rest), 3);
  }
  SECTION("a pair, an array, a vector") {
    const auto [pair, array] = tape.gradient(t, std::pair(x, y), std::array{y, z});
    CHECK_GRADIENT(pair.first, 1);
    CHECK_GRADIENT(pair.second, 2);
    CHECK_GRADIENT(array[0], 2);
    CHECK_GRADIENT(array[1], 3);
    CHECK_GRADIENT(tape.gradient(t, std::vector<std::vector<Tensor>>{{}, {z}})[1][0], 3);
  }
  SECTION("a map and an optional") {
    const auto g = tape.gradient(t, std::map<std::string, std::optional<Tensor>>{{"y", y}, {"none", std::nullopt}});
    CHECK_FALSE(g.at("none").has_value());
    CHECK_GRADIENT(g.at("y").value(), 2);
  }
  SECTION("a user's struct in another") {
    const Outer g = tape.gradient(t, Outer{x, {y, {z, z}}, 7});
    CHECK_GRADIENT(g.a, 1);
    CHECK_GRADIENT(g.inner.c, 2);
    CHECK_GRADIENT(g.inner.rest[1], 3);
    CHECK(g.scale == 7);
  }
}

TEST_CASE("A variable times itself has twice its value as gradient", "[tape][1.5.63]") {
  const NoLeaks guard;
  Variable v(scalar(1));
  GradientTape tape;
  CHECK_GRADIENT(tape.gradient(v * v, v), 2);
}

TEST_CASE("The value and the gradients of all arguments come from one recording", "[tape][1.5.71]") {
  const NoLeaks guard;
  const Tensor a = scalar(3), b = scalar(5);
  GradientTape tape;
  tape.watch(a, b);
  const Tensor y = a * b;
  const auto [da, db] = tape.gradient(y, a, b);
  CHECK(y.item() == 15);
  CHECK_GRADIENT(da, 5);
  CHECK_GRADIENT(db, 3);
}

TEST_CASE("The value and the gradient of the second argument alone", "[tape][1.5.72]") {
  const NoLeaks guard;
  const Tensor a = scalar(3), b = scalar(5);
  GradientTape tape;
  tape.watch(a, b);
  const Tensor y = a * b;
  const auto only = tape.gradient(y, std::tuple(b));
  CHECK(y.item() == 15);
  CHECK_GRADIENT(std::get<0>(only), 3);
}

TEST_CASE("The gradient of x times x at 3 is 6", "[tape][1.5.78]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return x * x; }, scalar(3)), 6);
}

TEST_CASE("A function of any number of arguments differentiates for each", "[tape][1.5.81]") {
  const NoLeaks guard;
  const auto product = [](const auto&... x) { return (x * ...); };
  const Tensor a = scalar(2), b = scalar(3), c = scalar(5);
  GradientTape tape;
  tape.watch(a, b, c);
  const auto [da, db, dc] = tape.gradient(product(a, b, c), a, b, c);
  CHECK_GRADIENT(da, 15);
  CHECK_GRADIENT(db, 10);
  CHECK_GRADIENT(dc, 6);
}

TEST_CASE("A function with one argument bound differentiates for the other", "[tape][1.5.82]") {
  const NoLeaks guard;
  const auto product = [](const Tensor& a, const Tensor& b) { return a * b; };
  const auto five_times = std::bind(product, scalar(5), std::placeholders::_1);
  CHECK_GRADIENT(gradient_of(five_times, scalar(3)), 5);
}

TEST_CASE("A function may return its argument among its results", "[tape][1.5.83]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return std::tuple(x, 2 * x); }, scalar(3)), 3);
}

TEST_CASE("Several results of vectors are summed element by element", "[tape][1.5.86]") {
  const NoLeaks guard;
  CHECK_GRADIENT(gradient_of([](const Tensor& x) { return std::tuple(x + 2, x * x); }, tensor({0, 1, 2})), 1, 3, 5);
}

TEST_CASE("The same value for two arguments has a gradient for each", "[tape][1.5.88]") {
  const NoLeaks guard;
  const auto check = [](const auto& x, double product) {
    // each argument a tensor of its own, as a function's parameters are
    GradientTape tape;
    tape.watch(x);
    const Tensor a = identity(x), b = identity(x);
    const auto [da, db, dx] = tape.gradient(a * b + 3 * a, a, b, x);
    for (double v : da.template to_vector<double>()) CHECK(v == product + 3);
    for (double v : db.template to_vector<double>()) CHECK(v == product);
    for (double v : dx.template to_vector<double>()) CHECK(v == 2 * product + 3);
  };
  check(scalar(2), 2);
  check(full({2, 2}, 5), 5);
  Variable v(scalar(4));
  check(v, 4);
}

namespace {
// What can be a target: a call that returns nothing gives none, so it does not compile.
template <class T>
concept CanBeTarget = requires(GradientTape& tape, const T& target, const Tensor& x) {
  tape.gradient(target, x);
};
}  // namespace

TEST_CASE("What is no tensor is no target", "[tape][1.5.93]") {
  static_assert(CanBeTarget<Tensor> && CanBeTarget<Variable> && CanBeTarget<std::vector<Tensor>>);
  static_assert(!CanBeTarget<std::nullptr_t> && !CanBeTarget<double> && !CanBeTarget<std::string>);
  const NoLeaks guard;
  GradientTape tape;
  const Tensor x = scalar(1);
  tape.watch(x);
  CHECK(
      message_of<GradError>([&] { tape.gradient(Tensor(), x); }) ==
      "gradient: target 0 is undefined\n  tape  made at HERE\n  hint: the gradient of a gradient that does not exist?");
}

TEST_CASE("Two constants of one value are two sources", "[tape][1.5.96]") {
  const NoLeaks guard;
  const Tensor x1 = scalar(3), x2 = scalar(3);
  GradientTape tape;
  tape.watch(x1, x2);
  const Tensor y = x1 + x2;
  CHECK_GRADIENT(tape.gradient(y, x1), 1);
}

TEST_CASE("Variables and constants give the same gradients, to the bit", "[tape][1.5.97]") {
  const NoLeaks guard;
  const Tensor a = tensor({{1, 2}, {3, 4}}), b = tensor({{5, 6}, {7, 8}});
  const auto f = [](const Tensor& x, const Tensor& y) { return sum(tanh(matmul(x, y)) * x); };
  GradientTape tape({.persistent = true});
  tape.watch(a, b);
  const auto [da, db] = tape.gradient(f(a, b), a, b);
  Variable va(a), vb(b);
  const auto [wa, wb] = tape.gradient(f(va, vb), va, vb);
  CHECK_SAME(wa, da);
  CHECK_SAME(wb, db);
}
