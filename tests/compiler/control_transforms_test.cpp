// Loops and branches under vmap and in forward mode: what a loop over the examples gives, and one loop all the same.
#include <weft/weft.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "differences.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

const Tensor w = tensor<double>({0.9, -0.4, 0.6});

Tensor counter() { return full({}, 0, i32); }
Tensor number(double x) { return full({}, x, f64); }

// Each from f64[3] to f64[3].
const std::vector<std::pair<const char*, Function>> functions = {
    {"scan over elements, with carry, ys and captures",
     [](const Tensor& x) {
       const auto [h, ys] =
           scan([&](const Tensor& c, const Tensor& e) { return std::pair(tanh(c * e + x), c * w); }, x * 0.5, x + w);
       return h + sum(ys, 0);
     }},
    {"scan backwards, whose carry meets the example in its third round",
     [](const Tensor& x) {
       const auto body = [&](const std::tuple<Tensor, Tensor, Tensor>& c, const Tensor& e) {
         const auto& [a, b, d] = c;
         return std::pair(std::tuple(a * 0.5 + e * x, sin(a), b * 2 + d), d + e);
       };
       const auto [c, ys] = scan(body, std::tuple(w * 1, w * 2, w * 3), w, {.reverse = true});
       return std::get<2>(c) + std::get<1>(c) + sum(ys, 0);
     }},
    {"while with as many rounds for all",
     [](const Tensor& x) {
       return while_loop([](const auto& c) { return c.first < 4; },
                         [&](const auto& c) { return std::pair(c.first + 1, sin(c.second) * x + w); },
                         std::pair(counter(), w), {.max_iterations = 6})
           .second;
     }},
    {"while with rounds of each example's own",
     [](const Tensor& x) {
       return while_loop([](const Tensor& c) { return sum(c * c) < 6; },
                         [&](const Tensor& c) { return c * 1.3 + x * w; }, x, {.max_iterations = 20});
     }},
    {"while without a bound, of each example's own rounds, more than are kept",
     [](const Tensor& x) {
       return while_loop([](const auto& c) { return c.first < 60 + 20 * sum(c.second * c.second); },
                         [&](const auto& c) { return std::pair(c.first + 1, cos(c.second) * x + w); },
                         std::pair(number(0), x))
           .second;
     }},
    {"while that its bound ends",
     [](const Tensor& x) {
       return while_loop([](const Tensor& c) { return sum(c * c) > 0; }, [&](const Tensor& c) { return sin(c) * x; },
                         x + 1, {.max_iterations = 3});
     }},
    {"cond by the example",
     [](const Tensor& x) {
       return cond(
           sum(x) > 0, [&] { return x * x * w; }, [&] { return sin(x); });
     }},
    {"cond by what all share, one branch without the example",
     [](const Tensor& x) {
       const Tensor y = cond(
           sum(w) > 0, [&] { return x * x; }, [&] { return w * 1; });
       return y + cond(
                      sum(w) < 0, [&] { return x * 3; }, [&] { return exp(w); });
     }},
    {"a loop in a branch in a loop",
     [](const Tensor& x) {
       const auto body = [&](const Tensor& c, const Tensor& e) {
         const Tensor next = cond(
             sum(c) * e > 0.2,
             [&] {
               return while_loop([](const Tensor& t) { return sum(t * t) < 2; },
                                 [&](const Tensor& t) { return t * 1.4 + e; }, c, {.max_iterations = 9});
             },
             [&] { return cos(c) + x * e; });
         return std::pair(next, std::tuple<>());
       };
       return scan(body, x, w).first;
     }},
    {"a compiled function",
     [](const Tensor& x) {
       auto f = compile([](const Tensor& t) {
         return scan([&](const Tensor& c, const Tensor& e) { return std::pair(sin(c) * e + t, c); }, t, w).first;
       });
       return f(x);
     }},
};

const Tensor xs = tensor<double>({{0.5, -1.0, 0.7}, {0.9, 0.3, -0.2}, {-0.6, 0.2, -0.1}, {1.5, 1.1, 0.8}});
const Tensor ds = tensor<double>({{0.3, 0.1, -0.4}, {0.2, -0.5, 0.6}, {1.0, 0.7, 0.1}, {-0.3, 0.2, 0.5}});

Tensor row(const Tensor& t, std::int64_t i) { return squeeze(slice_axis(t, 0, i, i + 1), Ints{0}); }
Tensor one_by_one(const Function& f, const Tensor& batch) {
  std::vector<Tensor> rows;
  for (std::int64_t i = 0; i < batch.shape()[0]; ++i) rows.push_back(f(row(batch, i)));
  return stack(rows);
}
Function loss_of(Function f) {
  return [f](const Tensor& x) { return sum(f(x) * w); };
}

class CountOps : private Recorder {
 public:
  CountOps() { push_recorder(this); }
  ~CountOps() override { pop_recorder(this); }
  std::map<std::string_view, int> ops;
  int all = 0;

 private:
  void record(const Op& op, const Attrs&, std::span<const Tensor>, std::span<const Tensor>) override {
    ++ops[op.name];
    ++all;
  }
};

std::size_t times(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++n;
  return n;
}

}  // namespace

TEST_CASE("loops and branches under vmap give what each example gives, compiled and nested too", "[control][vmap]") {
  for (const auto& [name, f] : functions) {
    INFO(name);
    const Tensor expected = one_by_one(f, xs);
    CHECK_NEAR(vmap(f)(xs), expected, 1e-14);
    CHECK_NEAR(compile(vmap(f))(xs), expected, 1e-14);
    const Tensor nested = vmap([&](const Tensor& t) { return vmap(f)(t); })(reshape(xs, {2, 2, 3}));
    CHECK_NEAR(nested, reshape(expected, {2, 2, 3}), 1e-14);
    CHECK_NEAR(vmap(f, {.in_axes = {1}, .out_axes = {1}})(transpose(xs)), transpose(expected), 1e-14);
    CHECK(vmap(f)(zeros({0, 3}, f64)).shape() == Shape{0, 3});
  }
}

TEST_CASE("gradients in and around a vmap of loops and branches are the examples'", "[control][vmap]") {
  for (const auto& [name, f] : functions) {
    INFO(name);
    const Tensor expected = one_by_one(grad(loss_of(f)), xs);
    const auto around = grad([f = f](const Tensor& x) { return sum(vmap(f)(x) * w); });
    CHECK_NEAR(vmap(grad(loss_of(f)))(xs), expected, 1e-13);
    CHECK_NEAR(around(xs), expected, 1e-13);
    CHECK_NEAR(compile(vmap(grad(loss_of(f))))(xs), expected, 1e-13);
    CHECK_NEAR(compile(around)(xs), expected, 1e-13);
    const auto second = [&](const Tensor& x) { return hvp(loss_of(f), x, w); };
    CHECK_NEAR(vmap(second)(xs), one_by_one(second, xs), 1e-12);
  }
}

TEST_CASE("vmap of loops and branches is as many ops for any batch, and one loop", "[control][vmap]") {
  for (const auto& [name, f] : functions) {
    INFO(name);
    const auto count = [&, f = f](std::int64_t n) {
      const Tensor batch = broadcast_to(row(xs, 0), {n, 3});
      const CountOps counted;
      vmap(grad(loss_of(f)))(batch);
      return counted.all;
    };
    CHECK(count(2) == count(50));
  }
  CountOps counted;
  vmap(functions[0].second)(xs);
  CHECK(counted.ops["scan"] == 1);
  auto compiled = compile(vmap(functions[3].second));
  compiled(xs);
  CHECK(times(compiled.dump("graph"), "= while_loop") == 1);
}

TEST_CASE("each example of a batch ends its loop in its own round", "[control][vmap][while]") {
  const auto power = vmap([](const Tensor& n) {  // no bound
    return while_loop([](const auto& c) { return c.first > 0; },
                      [](const auto& c) { return std::pair(c.first - 1, c.second * 2); },
                      std::pair(n, full({}, 1, i32)))
        .second;
  });
  const Tensor n = tensor<std::int32_t>({0, 5, 2, 1});
  CHECK(power(n).to_vector<int>() == std::vector<int>{1, 32, 4, 2});
  CHECK(compile(power)(n).to_vector<int>() == std::vector<int>{1, 32, 4, 2});
  const auto flags = vmap([](const Tensor& t) {  // a carry of bools
    return while_loop([](const auto& c) { return c.first < 3; },
                      [](const auto& c) { return std::pair(c.first + 1, !c.second); }, std::pair(t, t > 5))
        .second;
  });
  CHECK(flags(tensor<std::int32_t>({0, 1, 7})).to_vector<bool>() == std::vector<bool>{true, false, true});
}

TEST_CASE("a branch or a round that is not for an example does not check its values, nor run on for it",
          "[control][vmap][bad]") {
  const Tensor table = tensor<double>({10, 20, 30});
  const auto look_up = [&](const Tensor& i) {
    return cond(
        i < 3, [&] { return gather(table, i); }, [&] { return assert_finite(1 / cast(i - 1, f64)); });
  };
  const auto all = vmap(look_up);
  CHECK_VALUES(all(tensor<std::int64_t>({0, 2, 5, 1})), 10, 30, 0.25, 20);
  CHECK_VALUES(compile(all)(tensor<std::int64_t>({0, 2, 5, 1})), 10, 30, 0.25, 20);
  CHECK_THROWS_AS(all(tensor<std::int64_t>({0, -4})), IndexError);
  const auto walk = vmap([&](const Tensor& start) {  // to the end of the table, and no further
    return while_loop([](const auto& c) { return c.first < 3; },
                      [&](const auto& c) { return std::pair(c.first + 1, c.second + gather(table, c.first)); },
                      std::pair(start, full({}, 0, f64)))
        .second;
  });
  CHECK_VALUES(walk(tensor<std::int64_t>({0, 2, 7, 1})), 60, 30, 0, 50);
  const auto steps = vmap([](const Tensor& step) {  // without end for steps of 0
    return cond(
        step > 0,
        [&] {
          return while_loop([](const Tensor& c) { return c < 10; }, [&](const Tensor& c) { return c + step; }, step);
        },
        [&] { return step; });
  });
  CHECK_VALUES(steps(tensor({3, 0, 20, 4})), 12, 0, 20, 12);
}

TEST_CASE("an infinite derivative in a branch or a round that is not for an example leaves its gradient alone",
          "[control][vmap]") {
  const auto root = [](const Tensor& x) {
    return cond(
        x > 0, [&] { return sqrt(x); }, [&] { return x * 3; });
  };
  const auto roots = [](const Tensor& x) {
    return while_loop([](const Tensor& c) { return c > 1; }, [](const Tensor& c) { return sqrt(c - 1); }, x,
                      {.max_iterations = 4});
  };
  const Tensor x = tensor<double>({0, 4}), y = tensor<double>({1, 2, 5});
  for (const Function& f :
       {Function(grad([&](const Tensor& t) { return sum(vmap(root)(t)); })), Function(vmap(grad(root))),
        Function(vmap([&](const Tensor& t) { return jvp(root, t, ones({}, f64)).second; }))}) {
    CHECK_VALUES(f(x), 3, 0.25);
    CHECK_VALUES(compile(f)(x), 3, 0.25);
  }
  for (const Function& f :
       {Function(grad([&](const Tensor& t) { return sum(vmap(roots)(t)); })), Function(vmap(grad(roots)))}) {
    CHECK_VALUES(f(y), 1, 0.5, 0.125);
    CHECK_VALUES(compile(f)(y), 1, 0.5, 0.125);
  }
}

TEST_CASE("nor the gradient of what all examples share", "[control][vmap]") {
  using Carry = std::pair<Tensor, Tensor>;
  const auto branch = [](const Tensor& x, const Tensor& v) {
    return cond(
        x > 0, [&] { return log(x) * v; }, [&] { return v * x; });
  };
  const auto loop = [](const Tensor& x, const Tensor& v) {
    return while_loop([](const Carry& c) { return c.second > 0.5; },
                      [&](const Carry& c) { return Carry(c.first + 1, sqrt(c.second - 0.5) * v); }, Carry(counter(), x),
                      {.max_iterations = 12})
        .second;
  };
  for (const auto& [f, xs] :
       {std::pair<std::function<Tensor(const Tensor&, const Tensor&)>, Tensor>{branch, tensor<double>({1, -1, 0, 2})},
        {branch, tensor<double>({-1, 0})},
        {loop, tensor<double>({0.51, 5, 0.2, 100})}}) {
    const Tensor v = number(0.9);
    Tensor want = number(0);
    for (std::int64_t i = 0; i < xs.size(); ++i) want = want + grad<1>(f)(row(xs, static_cast<int>(i)), v);
    const auto all = [&, f = f, xs = xs](const Tensor& t) {
      return sum(vmap(f, {.in_axes = {0, std::nullopt}})(xs, t));
    };
    CHECK_NEAR(grad(all)(v), want, 1e-12);
    CHECK_NEAR(compile(grad(all))(v), want, 1e-12);
    const Variable shared = v;
    GradientTape tape;
    const Tensor y = sum(vmap([&, f = f](const Tensor& x) { return f(x, shared); })(xs));
    CHECK_NEAR(tape.gradient(y, shared), want, 1e-12);
  }
}

TEST_CASE("an example's own value assigned inside a loop or branch is an error", "[control][vmap][bad]") {
  Variable v(full({}, 1.0, f64));
  const auto in_scan = vmap([&](const Tensor& x) {
    return scan(
               [&](const Tensor& c, const Tensor& e) {
                 v.assign_add(e);
                 return std::pair(c + e, c);
               },
               full({}, 0.0, f64), x)
        .first;
  });
  const auto in_cond = vmap([&](const Tensor& x) {
    return cond(
        sum(x) > 0,
        [&] {
          v.assign(3.0);
          return sum(x);
        },
        [&] { return sum(x); });
  });
  CHECK_THROWS_AS(in_scan(xs), GuardError);
  CHECK_THROWS_AS(in_cond(xs), GuardError);
  CHECK(v.value().item() == 1);
  const auto shared = vmap([&](const Tensor& x) {
    return scan(
               [&](const Tensor& c, const Tensor& e) {
                 v.assign_add(1.0);
                 return std::pair(c + e * v, c);
               },
               full({}, 0.0, f64), x)
        .first;
  });
  CHECK_VALUES(shared(ones({2, 3}, f64)), 9, 9);
  CHECK(v.value().item() == 4);
}

TEST_CASE("random numbers in a loop under vmap are each example's own", "[control][vmap][random]") {
  random::Generator g(3);
  const auto walk = vmap([&](const Tensor& x) {
    return scan(
               [&](const Tensor& c, const Tensor& e) {
                 const Tensor u = random::uniform({}, 0, 1, f64, g);
                 return std::pair(c + e, u);
               },
               full({}, 0.0, f64), x)
        .second;
  });
  const std::vector<double> u = walk(zeros({5, 4}, f64)).to_vector<double>();
  CHECK(std::set<double>(u.begin(), u.end()).size() == 20);
}

TEST_CASE("where examples decide for themselves they draw for themselves", "[control][vmap][random]") {
  random::Generator g(1);
  const auto noisy = [&](const Tensor& t) { return t + random::uniform({}, 0, 1, f64, g); };
  const auto branch = [&](const Tensor& t) {
    return cond(
        t > 0, [&] { return noisy(t); }, [&] { return t; });
  };
  const auto loop = [&](const Tensor& t) { return while_loop([](const Tensor& c) { return c < 3; }, noisy, t); };
  const Tensor xs = tensor<double>({1, -1, 2, 5});
  for (const bool compiled : {false, true}) {
    const auto run = [&](const auto& f) {
      return compiled ? compile([&](const Tensor& t) { return vmap(f)(t); })(xs) : vmap(f)(xs);
    };
    const std::vector<double> a = run(branch).template to_vector<double>(),
                              b = run(branch).template to_vector<double>(), c = run(loop).template to_vector<double>();
    CHECK(a[1] == -1);
    CHECK(a[3] - 5 != a[0] - 1);  // numbers of their own
    CHECK(a[0] != b[0]);          // and others at the next call
    CHECK(std::set<double>(c.begin(), c.end()).size() == 4);
    CHECK(*std::min_element(c.begin(), c.end()) >= 3);
    CHECK(c[3] == 5);
  }
}

TEST_CASE("print under vmap prints the batch, once", "[print][vmap]") {
  std::ostringstream out;
  debug::print_to(&out);
  const Tensor x = tensor({1, -2});
  vmap([](const Tensor& t) { return debug::print(t * 2, "t") + 1; })(x);
  CHECK(out.str().find("t: [ 2., -4.]  f32[2] (") == 0);
  out.str("");
  vmap([](const Tensor& t) {  // both branches run, each for all: whom it is not for, with the numbers of one it is for
    return cond(
        t > 0, [&] { return debug::print(t, "yes"); }, [&] { return debug::print(-t, "no"); });
  })(x);
  CHECK(times(out.str(), "yes: [1., 1.]") == 1);
  CHECK(times(out.str(), "no: [2., 2.]") == 1);
  CHECK(times(out.str(), "\n") == 2);
  debug::print_to(nullptr);
}

// ---- forward mode ----
TEST_CASE("tangents of loops and branches are those of differences, whatever is around", "[control][forward]") {
  for (const auto& [name, f] : functions) {
    INFO(name);
    for (std::int64_t i = 0; i < 4; ++i) {
      const Tensor x = row(xs, i), d = row(ds, i);
      const Tensor expected = along(f, x, d);
      const auto forward = [f = f, d](const Tensor& t) { return jvp(f, t, d).second; };
      CHECK_NEAR(forward(x), expected, 1e-9);
      CHECK_NEAR(linearize(f, x).second(d), expected, 1e-9);
      CHECK_NEAR(compile(forward)(x), forward(x), 1e-13);
      // Forward over reverse, reverse over forward, forward over forward.
      const auto gradient = grad(loss_of(f));
      CHECK_NEAR(jvp(gradient, x, d).second, along(gradient, x, d), 1e-8);
      CHECK_NEAR(grad(loss_of(forward))(x), along(gradient, x, d), 1e-8);
      CHECK_NEAR(jvp(forward, x, d).second, along(forward, x, d), 1e-8);
      CHECK_NEAR(compile(grad(loss_of(forward)))(x), grad(loss_of(forward))(x), 1e-12);
    }
    const auto both = vmap([f = f](const Tensor& t, const Tensor& d) { return jvp(f, t, d).second; });
    CHECK_NEAR(both(xs, ds), jvp(vmap(f), xs, ds).second, 1e-13);
  }
}

TEST_CASE("the push-forward of a loop is one loop, without pull-backs", "[control][forward]") {
  const auto f = [](const Tensor& x) {
    return scan([&](const Tensor& c, const Tensor& e) { return std::pair(tanh(c * e), c); }, x, w).first;
  };
  const auto g = [](const Tensor& x) {
    return while_loop([](const Tensor& c) { return sum(c) < 9; }, [&](const Tensor& c) { return c * 2 + x; }, x);
  };
  auto loop = compile([&](const Tensor& x) { return jvp(f, x, w).second; });
  auto unbounded = compile([&](const Tensor& x) { return jvp(g, x, w).second; });
  const Tensor x = row(xs, 3);
  CHECK_NEAR(loop(x), along(f, x, w), 1e-9);
  CHECK_NEAR(unbounded(x), along(g, x, w), 1e-9);
  CHECK(times(loop.dump("graph"), "scan ") == 1);
  CHECK(times(unbounded.dump("graph"), "while_loop ") == 1);
}

TEST_CASE("jacobians and hessians go through loops and branches", "[control][jacobian]") {
  for (const auto& [name, f] : functions) {
    INFO(name);
    const Tensor x = row(xs, 1);
    std::vector<Tensor> columns, second;
    for (int i = 0; i < 3; ++i) {
      const Tensor e = row(eye(3, f64), i);
      columns.push_back(along(f, x, e));
      second.push_back(along(grad(loss_of(f)), x, e));
    }
    CHECK_NEAR(jacobian(f)(x), stack(columns, 1), 1e-9);
    CHECK_NEAR(hessian(loss_of(f))(x), stack(second, 1), 1e-8);
    CHECK_NEAR(compile([f = f](const Tensor& t) { return jacobian(f)(t); })(x), jacobian(f)(x), 1e-13);
  }
}

TEST_CASE("a jacobian of what draws random numbers is of one draw, also inside loops and branches",
          "[control][jacobian][random]") {
  const Tensor x = tensor<double>({1, 2, 3});
  const auto function = [&](random::Generator& g, int kind) {
    return [&g, kind](const Tensor& t) -> Tensor {
      const auto draw = [&](const Tensor& h) { return h * random::uniform({3}, 1, 2, f64, g); };
      if (kind == 0) return draw(t);
      if (kind == 1)
        return scan([&](const Tensor& h, const Tensor& e) { return std::pair(draw(h), e); }, t, zeros({3})).first;
      if (kind == 2)
        return cond(
            sum(t) > 0, [&] { return draw(t); }, [&] { return t; });
      return recompute(draw)(t);
    };
  };
  for (const int kind : {0, 1, 2, 3}) {
    INFO(kind);
    random::Generator drawn(3);
    const Tensor factors = diag(function(drawn, kind)(x) / x);
    for (const JacobianMode mode : {JacobianMode::forward, JacobianMode::reverse}) {
      random::Generator a(3), b(3);
      CHECK_NEAR(jacobian(function(a, kind), mode)(x), factors, 1e-14);
      CHECK_NEAR(compile(jacobian(function(b, kind), mode))(x), factors, 1e-14);
    }
    for (const bool vectorized : {true, false}) {
      random::Generator g(3);
      GradientTape tape({.persistent = true});
      tape.watch(x);
      const Tensor y = function(g, kind)(x);
      tape.stop();
      CHECK_NEAR(tape.jacobian(y, x, JacobianOptions{.vectorized = vectorized}), factors, 1e-14);
    }
  }
}

// y = x v, then v = y, twice, summed: what the second round reads is the variable's, whose assigned value depends on x.
TEST_CASE("state stops gradients from one round of a loop to the next, as in a loop of C++", "[control][variable]") {
  using Carry = std::pair<Tensor, Tensor>;
  const Tensor x = number(3);
  const auto round = [](Variable& v, const Tensor& t) {
    const Tensor y = t * v;
    v.assign(y);
    return y;
  };
  const std::vector<std::function<Tensor(Variable&, const Tensor&)>> loops = {
      [&](Variable& v, const Tensor& t) {
        const Tensor y = round(v, t);
        return y + round(v, t);
      },
      [&](Variable& v, const Tensor& t) {
        return scan([&](const Tensor& s, const Tensor&) { return std::pair(s + round(v, t), s); }, number(0),
                    zeros({2}))
            .first;
      },
      [&](Variable& v, const Tensor& t) {
        return while_loop([](const Carry& c) { return c.first < 2; },
                          [&](const Carry& c) { return Carry(c.first + 1, c.second + round(v, t)); },
                          Carry(counter(), number(0)), {.max_iterations = 4})
            .second;
      },
      [&](Variable& v, const Tensor& t) {
        return while_loop([](const Carry& c) { return c.first < 2; },
                          [&](const Carry& c) { return Carry(c.first + 1, c.second + round(v, t)); },
                          Carry(counter(), number(0)))
            .second;
      }};
  for (std::size_t k = 0; k < loops.size(); ++k) {
    INFO(k);
    const auto gradients = [&](Variable& v, const Tensor& t) {
      GradientTape tape;
      tape.watch(t);
      const Tensor y = loops[k](v, t);
      return tape.gradient(y, t, v);
    };
    Variable a = number(2), b = number(2), c = number(2), d = number(2);
    const auto [dx, dv] = gradients(a, x);
    CHECK(dx.item() == 8);
    CHECK(dv.item() == 6);
    const auto [cx, cv] = compile([&](const Tensor& t) { return gradients(b, t); })(x);
    CHECK(cx.item() == 8);
    CHECK(cv.item() == 6);
    auto f = compile([&](const Tensor& t) { return loops[k](c, t); });
    GradientTape tape;
    tape.watch(x);
    CHECK(tape.gradient(f(x), x).item() == 8);
    ForwardAccumulator forward(x, number(1));
    CHECK(forward.jvp(loops[k](d, x)).item() == 8);
    CHECK(a.item() == 18);
    CHECK(b.item() == 18);
  }
}

TEST_CASE("variables of every dtype may be assigned in loops and branches", "[control][variable]") {
  for (const DType t : {DType::boolean, DType::u8, i32, i64, DType::bf16, DType::f16, f32, f64}) {
    INFO(name_of(t));
    Variable v = zeros({2}, t);
    const Tensor one = ones({2}, t), zero = zeros({2}, t);
    cond(
        tensor(1) > 0, [&] { return v.assign(one), tensor(0); }, [] { return tensor(0); });
    CHECK_SAME(v.value(), one);
    scan([&](const Tensor& c, const Tensor&) { return v.assign(zero), std::pair(c, c); }, tensor(0), zeros({2}));
    CHECK_SAME(v.value(), zero);
    while_loop([](const Tensor& c) { return c < 2; }, [&](const Tensor& c) { return v.assign(one), c + 1; }, tensor(0));
    CHECK_SAME(v.value(), one);
    vmap([&](const Tensor& x) { return v.assign(zero), x; })(ones({3}));
    CHECK_SAME(v.value(), zero);
    compile([&](const Tensor& x) {
      return cond(
          x > 0, [&] { return v.assign(one), x; }, [&] { return x; });
    })(tensor(1));
    CHECK_SAME(v.value(), one);
  }
}

TEST_CASE("compiled functions are functions to every transform", "[transforms]") {
  const Tensor x = tensor<double>({1, 2, 3});
  auto square = compile([](const Tensor& t) { return t * t; });
  auto cubes = compile([](const Tensor& t) { return sum(t * t * t); });
  CHECK_NEAR(vmap(square)(x), x * x, 0);
  CHECK_NEAR(jacobian(square)(x), diag(2 * x), 0);
  CHECK_NEAR(hessian(cubes)(x), diag(6 * x), 0);
}

TEST_CASE("loops and branches of no results at all run", "[control]") {
  const Tensor x = ones({2});
  using None = std::vector<Tensor>;
  CHECK(cond(
            sum(x) > 0, [] { return None{}; }, [] { return None{}; })
            .empty());
  CHECK(while_loop([](const None&) { return tensor(1) < 0; }, [](const None& c) { return c; }, None{}).empty());
  GradientTape tape;
  tape.watch(x);
  compile([](const Tensor& t) { (void)(t * 2); })(x);
}
