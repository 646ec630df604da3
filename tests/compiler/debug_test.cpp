// Anomaly mode and debug::print, eager, in gradients and compiled.
#include <sstream>

#include "support.h"

using namespace weft;
using namespace weft::test;

#include <weft/ops/own_op.h>

// An op whose effect is all there is to it: it never throws, and nobody needs its result.
struct Note {
  static constexpr auto name = "note";
  static constexpr OpKind kind = OpKind::kernel;
  static constexpr bool effect = true;
  static inline std::vector<double> notes;
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static void run(const Attrs&, Views in, Views out) {
    copy_elements(in[0], out[0]);
    notes.push_back(*in[0].as<double>());
  }
};
WEFT_DEFINE_OP(Note);

namespace {
std::string here(std::string text) {
  for (std::size_t at; (at = text.find(".cpp:")) != std::string::npos;) {
    const std::size_t begin = text.find_last_of(" (", at) + 1;
    text.replace(begin, text.find_first_not_of("0123456789", at + 5) - begin, "HERE");
  }
  return text;
}

// What print() writes while f runs.
template <class F> std::string printed(F&& f) {
  std::ostringstream out;
  debug::print_to(&out);
  f();
  debug::print_to(nullptr);
  return here(out.str());
}
}  // namespace

TEST_CASE("an anomaly names the op, its line, its operands and their ranges", "[anomaly]") {
  const NoLeaks guard;
  const debug::AnomalyScope scope;
  const Tensor x = tensor({-1, 4, 2}).named("x");
  CHECK(here(message_of<NumericsError>([&] { log(x) * 2; })) ==
        "log: 1 of 3 elements are nan, and no operand's is\n"
        "  in0  f32[3]         \"x\"   -1 to 4\n"
        "  at HERE\n  hint: found by debug::AnomalyScope");
  CHECK(here(message_of<NumericsError>([&] {
          x / tensor({1, 0, 2});
        })) ==
        "div: 1 of 3 elements are inf, and no operand's is\n"
        "  in0  f32[3]         \"x\"   -1 to 4\n"
        "  in1  f32[3]   0 to 2\n"
        "  at HERE\n  hint: found by debug::AnomalyScope");
  CHECK_VALUES(x * 2, -2, 8, 4);
}

TEST_CASE("what operands already have is no anomaly", "[anomaly]") {
  const NoLeaks guard;
  const Tensor mask = tensor({-INFINITY, 0}), bad = log(tensor({-1, 1}));
  const debug::AnomalyScope scope;
  CHECK_VALUES(exp(mask), 0, 1);
  CHECK(std::isnan((bad * 2).to_vector<double>()[0]));
  CHECK(sum(where(tensor<bool>({false, true}), mask, 3)).item() == 3);
  CHECK_THROWS_AS(mask - mask, NumericsError);  // inf - inf: a NaN where there was none
}

TEST_CASE("an anomaly in a gradient names the op whose gradient it is, and that op's line", "[anomaly]") {
  const NoLeaks guard;
  const Tensor x = tensor({0, 4});
  const debug::AnomalyScope scope;
  GradientTape tape;
  tape.watch(x);
  const Tensor y = sqrt(x);
  const std::string said = here(message_of<NumericsError>([&] { tape.gradient(y, x); }));
  CHECK(said.find("in the gradient of sqrt: ") == 0);
  CHECK(said.find("1 of 2 elements are inf, and no operand's is\n") != std::string::npos);
  CHECK(said.find("\n  at HERE\n") != std::string::npos);
}

TEST_CASE("without the scope nothing is checked, and scopes nest", "[anomaly]") {
  const NoLeaks guard;
  const Tensor x = scalar(-1);
  {
    const debug::AnomalyScope outer;
    {
      const debug::AnomalyScope inner;
      CHECK_THROWS_AS(log(x), NumericsError);
    }
    CHECK_THROWS_AS(log(x), NumericsError);
  }
  CHECK(std::isnan(log(x).item()));
  CHECK_FALSE(context().anomaly);
}

TEST_CASE("another thread's ops are not checked", "[anomaly]") {
  const NoLeaks guard;
  const debug::AnomalyScope scope;
  double seen = 0;
  std::thread([&] { seen = log(scalar(-1)).item(); }).join();
  CHECK(std::isnan(seen));
}

TEST_CASE("a compiled step under anomaly mode: the same message, and variables as they were", "[anomaly][compile]") {
  const NoLeaks guard;
  Variable w = tensor({1, 4}), count(scalar(0), false);
  auto step = compile([&](const Tensor& x) {
    count.assign_add(1);
    GradientTape tape;
    const Tensor loss = sum(sqrt(w * x));
    w.assign_sub(tape.gradient(loss, w));
    return loss;
  });
  step(ones({2}));
  const Tensor before = w.value();
  {
    const debug::AnomalyScope scope;
    const std::string said = here(message_of<NumericsError>([&] { step(tensor({0, 1})); }));
    CHECK(said.find("in the gradient of sqrt: ") == 0);
    CHECK_SAME(w.value(), before);
    CHECK(count.value().item() == 1);
    step(tensor({2, 1}));
    CHECK(count.value().item() == 2);
  }
  CHECK(step.stats().traces == 1);
  step(tensor({0, 1}));  // outside the scope nobody asks
  CHECK_FALSE(std::isfinite(w.value().to_vector<double>()[0]));
}

TEST_CASE("an anomaly inside a loop or a branch names the op inside, and its line", "[anomaly][control]") {
  const NoLeaks guard;
  const debug::AnomalyScope scope;
  const auto line_of = [](const std::string& text) {
    const std::size_t at = text.find("_test.cpp:") + 10;
    return std::stoi(text.substr(at));
  };
  const auto message = [](auto f) -> std::string {
    try {
      f();
    } catch (const NumericsError& e) { return e.what(); }
    return "nothing thrown";
  };
  int line = 0;
  const auto in_scan = [&](const Tensor& xs) {
    return scan(
        [&](const Tensor& c, const Tensor& x) {
          const Tensor half = x * 0.5;
          line = __LINE__ + 1;
          const Tensor root = log(half);
          return std::pair(c + root, root);
        },
        scalar(0), xs);
  };
  const std::string said = message([&] { in_scan(tensor({1, 2, -4})); });
  CHECK(here(said) ==
        "log: 1 of 1 elements are nan, and no operand's is\n"
        "  in0  f32[]   -2 to -2\n"
        "  at HERE\n  hint: found by debug::AnomalyScope");
  CHECK(line_of(said) == line);
  CHECK_NOTHROW(in_scan(tensor({1, 2, 4})));

  const std::string in_while = message([&] {
    while_loop([](const Tensor& c) { return c > -1; },
               [&](const Tensor& c) {
                 line = __LINE__ + 1;
                 return c - 1 + 0 / c;
               },
               scalar(2), {.max_iterations = 5});
  });
  CHECK(in_while.find("div: 1 of 1 elements are nan") == 0);
  CHECK(line_of(in_while) == line);

  const std::string in_cond = message([&] {
    const Tensor x = scalar(-1);
    cond(
        x < 0,
        [&] {
          line = __LINE__ + 1;
          return sqrt(x);
        },
        [&] { return x; });
  });
  CHECK(in_cond.find("sqrt: 1 of 1 elements are nan") == 0);
  CHECK(line_of(in_cond) == line);
}

TEST_CASE("an anomaly in the gradient of a loop names the line of the op whose gradient it is, compiled too",
          "[anomaly][control][compile]") {
  const NoLeaks guard;
  const Tensor xs = tensor({4, 0, 1});
  const auto loss = [](const Tensor& x) {
    const auto body = [](const Tensor& c, const Tensor& e) {
      const Tensor root = sqrt(e);
      return std::pair(c + root, c);
    };
    return scan(body, scalar(0), x).first;
  };
  const auto bad_line = __LINE__ - 5;
  auto step = compile(grad(loss));
  CHECK_NOTHROW(step(xs));
  const debug::AnomalyScope scope;
  for (const bool compiled : {false, true}) {
    std::string said;
    try {
      compiled ? step(xs) : grad(loss)(xs);
    } catch (const NumericsError& e) { said = e.what(); }
    CHECK(said.find("in the gradient of scan: ") == 0);
    CHECK(said.find("are inf, and no operand's is") != std::string::npos);
    CHECK(said.find("debug_test.cpp:" + std::to_string(bad_line)) != std::string::npos);
  }
}

TEST_CASE("gradients that are right at kinks raise no alarm", "[anomaly][kinks]") {
  const NoLeaks guard;
  const debug::AnomalyScope scope;
  const auto quiet = [](auto f, const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    CHECK_NOTHROW(tape.gradient(f(x), x));
  };
  quiet([](const Tensor& x) { return norm(x); }, zeros({3}));
  quiet([](const Tensor& x) { return prod(x); }, tensor({0, 5, 0}));
  quiet([](const Tensor& x) { return pow(x, 2); }, zeros({2}));
  quiet([](const Tensor& x) { return pow(2, x); }, zeros({2}));
  quiet([](const Tensor& x) { return softplus(x) + sigmoid(x) + tanh(x); }, tensor({-1000, 1000}));
  quiet([](const Tensor& x) { return logsumexp(x) + sum(softmax(x)) + sum(log_softmax(x)); }, tensor({-1000, 1000}));
  quiet([](const Tensor& x) { return var(x); }, ones({1}));
}

// ---- print ----
TEST_CASE("print shows few elements whole, of many the range", "[print]") {
  const NoLeaks guard;
  CHECK(printed([] { debug::print(scalar(0.5), "loss"); }) == "loss: 0.5  f32[] (HERE)\n");
  CHECK(printed([] { debug::print(tensor<std::int32_t>({3, 4})); }) == "[3, 4]  i32[2] (HERE)\n");
  CHECK(printed([] {
          debug::print(concat({arange(0, 20, 1), tensor({NAN, INFINITY, -INFINITY})}), "x");
        }) == "x: 0 to 19, 1 nan, 2 inf  f32[23] (HERE)\n");
  CHECK(printed([] { debug::print(zeros({0, 3}), "nothing"); }) == "nothing: []  f32[0, 3] (HERE)\n");
}

TEST_CASE("print is the identity, with its gradient", "[print]") {
  const NoLeaks guard;
  const Tensor x = tensor({1, 2});
  printed([&] {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = debug::print(x * x, "y");
    CHECK_VALUES(y, 1, 4);
    CHECK_VALUES(tape.gradient(y * 3, x), 6, 12);
  });
}

TEST_CASE("compiled code prints on each call, in program order, used or not", "[print][compile]") {
  const NoLeaks guard;
  Variable w = scalar(10);
  auto f = compile([&](const Tensor& x) {
    debug::print(x, "x");
    const Tensor y = debug::print(x * w, "y");
    debug::print(x, "again");
    w.assign_add(1);
    debug::print(3, "three");
    debug::print(w, "w");
    return exp(y * 0);
  });
  for (int i = 0; i < 2; ++i) {
    const std::string text = printed([&] { CHECK(f(i).item() == 1); });
    const std::string n = std::to_string(i), product = std::to_string(i * 10 + i * i), next = std::to_string(11 + i);
    const std::string end = ".  f32[] (HERE)\n";
    CHECK(text ==
          "x: " + n + end + "y: " + product + end + "again: " + n + end + "three: 3" + end + "w: " + next + end);
  }
}

TEST_CASE("a gradient goes through a compiled print", "[print][compile]") {
  const NoLeaks guard;
  auto f = compile([](const Tensor& x) {
    GradientTape tape;
    tape.watch(x);
    return tape.gradient(square(debug::print(x, "x")), x);
  });
  CHECK(printed([&] { CHECK(f(3).item() == 6); }) == "x: 3.  f32[] (HERE)\n");
}

TEST_CASE("under a tape a compiled print prints once a call, not again for the gradient", "[print][compile]") {
  const NoLeaks guard;
  Variable w = scalar(2);
  auto f = compile([&](const Tensor& x) { return exp(debug::print(x * w, "inner")) * w; });
  for (int i = 0; i < 2; ++i) {
    const std::string text = printed([&] {
      GradientTape tape;
      const Tensor y = f(0);
      CHECK(tape.gradient(y, w).item() == 1);
    });
    CHECK(text == "inner: 0.  f32[] (HERE)\n");
  }
}

TEST_CASE("effects in branches and loops stay in compiled code, in program order, as often as eagerly",
          "[print][compile][control]") {
  const auto note = [](const Tensor& x) { return apply<Note>({x}); };
  const auto f = [&](const Tensor& x) {
    note(x);
    cond(
        x > 0, [&] { return note(x + 1); }, [&] { return x; });
    note(x + 2);
    note(x + 2);
    scan([&](const Tensor& c, std::tuple<>) { return std::pair(note(c) + 1, std::tuple()); }, x + 3, std::tuple(),
         {.length = 2});
    cond(
        Arg(true).tensor(DType::boolean), [&] { return note(full({}, 6.0, f64)); }, [&] { return full({}, 7.0, f64); });
    while_loop([&](const Tensor& c) { return c < 9; }, [&](const Tensor& c) { return note(c) + 1; }, x + 6);
    note(x + 8);
    return x;
  };
  auto compiled = compile(f);
  for (int i = 0; i < 2; ++i) {
    Note::notes.clear();
    f(full({}, 1.0, f64));
    const std::vector<double> eager = std::exchange(Note::notes, {});
    compiled(full({}, 1.0, f64));
    CHECK(eager == std::vector<double>{1, 2, 3, 3, 4, 5, 6, 7, 8, 9});
    CHECK(Note::notes == eager);
  }
}

TEST_CASE("a tape around a compiled function computes nothing of it again", "[print]") {
  Variable w = random::normal({3, 3});
  const auto f = compile([&](const Tensor& x) {
    const Tensor h = debug::print(matmul(x, w), "h");
    return sum(sin(h)) + sum(sin(h) * max(h));  // cos(h) and what equals the maximum are computed by the gradient alone
  });
  const Tensor x = ones({2, 3});
  const std::string once = printed([&] { f(x); });
  CHECK(once.find("h: ") == 0);
  CHECK(printed([&] {
          GradientTape tape;
          tape.watch(x);
          tape.gradient(f(x), x, w);
        }) == once);
}

TEST_CASE("an AnomalyScope in a traced function would see no numbers: it is refused", "[debug]") {
  auto inside = compile([](const Tensor& x) {
    const debug::AnomalyScope scope;
    return sqrt(x);
  });
  CHECK_THROWS_AS(inside(tensor({4, -1})), GuardError);
  auto plain = compile([](const Tensor& x) { return sqrt(x); });
  const debug::AnomalyScope around;
  CHECK_THROWS_AS(plain(tensor({4, -1})), NumericsError);
}
