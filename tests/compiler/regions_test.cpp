// Regions: a thread takes some rows through several steps. The bits are those of eager code, whatever the rows.
#include <weft/ops/parts.h>

#include <sstream>

#include "drawn.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

/// So many threads while it lives.
class Threads {
 public:
  explicit Threads(int n) { set_num_threads(n); }
  ~Threads() { set_num_threads(before_); }
  Threads(const Threads&) = delete;

 private:
  int before_ = num_threads();
};

template <class F> std::string plan_of(F f, const Tensor& x) {
  auto compiled = compile(f);
  compiled(x);
  return compiled.dump("plan");
}

/// Compiled, on one thread and on two, many times over: eager bits.
template <class F> void check_bits(F f, const Tensor& x) {
  const std::vector<Tensor> expected = detail::leaves_of(f(x));
  auto compiled = compile(f);
  for (const int threads : {1, 2}) {
    const Threads scope(threads);
    for (int i = 0; i < 20; ++i) {
      const std::vector<Tensor> y = detail::leaves_of(compiled(x));
      REQUIRE(y.size() == expected.size());
      for (std::size_t k = 0; k < y.size(); ++k) CHECK_SAME(y[k], expected[k]);
    }
  }
}

Tensor weight(Random& random, std::int64_t in, std::int64_t out) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return random_tensor(random, {in, out}, f32, -bound, bound);
}

}  // namespace

TEST_CASE("the layers of a small net are one region, forward and backward", "[compile][regions]") {
  Random random(1);
  const Tensor w = weight(random, 32, 64), v = weight(random, 64, 32), b = weight(random, 1, 64);
  const auto net = [&](const Tensor& x) { return matmul(tanh(matmul(x, w) + b), v); };
  const auto gradient = [&](const Tensor& x) { return grad([&](const Tensor& p) { return sum(square(net(p))); })(x); };
  const Tensor x = random_tensor(random, {100, 32}, f32);
  INFO(plan_of(gradient, x));
  CHECK(plan_of(gradient, x).find("steps 0 to 6: 100 rows at once\n") != std::string::npos);
  CHECK(plan_of(gradient, slice_axis(x, 0, 0, 15)).find("at once") == std::string::npos);  // too few
  check_bits(gradient, x);
  check_bits([&](const Tensor& t) { return std::pair(net(t), jvp(net, t, t)); }, x);
}

TEST_CASE("what goes from row to row ends a region", "[compile][regions]") {
  Random random(2);
  const Tensor w = weight(random, 64, 64), x = random_tensor(random, {64, 64}, f32);
  const auto regions = [&](auto f) {
    check_bits(f, x);
    std::vector<std::string> list;
    std::istringstream plan(plan_of(f, x));
    for (std::string line; std::getline(plan, line);)
      if (line.find("at once") != std::string::npos) list.push_back(line);
    return list;
  };
  using Lines = std::vector<std::string>;
  const auto layers = [&](Tensor t, int n) {
    for (int i = 0; i < n; ++i) t = relu(matmul(t, w));
    return t;
  };
  CHECK(regions([&](const Tensor& t) { return layers(t, 4); }) == Lines{"steps 0 to 7: 64 rows at once"});
  CHECK(regions([&](const Tensor& t) { return softmax(layers(t, 4)); }).size() == 1);  // along the rows
  CHECK(regions([&](const Tensor& t) { return layers(transpose(layers(t, 4)), 4); }) ==
        Lines{"steps 0 to 7: 64 rows at once", "steps 8 to 15: 64 rows at once"});
  CHECK(regions([&](const Tensor& t) { return matmul(w, layers(t, 4)); }) == Lines{"steps 0 to 7: 64 rows at once"});
  CHECK(regions([&](const Tensor& t) {
          const Tensor h = layers(t, 4);
          return layers(h - mean(h, 0), 4);
        }).size() == 2);
}

TEST_CASE("a deep net of small layers is several regions, and its arena stays small", "[compile][regions]") {
  Random random(3);
  const Tensor w = weight(random, 64, 64), x = random_tensor(random, {128, 64}, f32);
  auto deep = compile([&](Tensor t) {
    for (int i = 0; i < 100; ++i) t = tanh(matmul(t, w));
    return t;
  });
  deep(x);
  const std::string plan = deep.dump("plan");
  std::size_t regions = 0;
  for (std::size_t at = 0; (at = plan.find("at once", at)) != std::string::npos; ++at) ++regions;
  CHECK(regions > 5);
  CHECK(deep.stats().arena_bytes <= (256 << 10) + 2 * 4 * 128 * 64);
}

TEST_CASE("regions give the eager bits whatever the shapes, the types and the order of the weights",
          "[compile][regions]") {
  Random random(4);
  for (int round = 0; round < 25; ++round) {
    const std::int64_t rows = 16 + random.below(100), a = 1 + random.below(90), b = 1 + random.below(90),
                       c = 1 + random.below(90);
    const DType type = random.below(4) ? f32 : f64;
    INFO(round << ": " << rows << ", " << a << ", " << b << ", " << c << ", " << name_of(type));
    const auto matrix = [&](std::int64_t m, std::int64_t n) {
      return random.below(2) ? random_tensor(random, {m, n}, type, -1, 1)
                             : transpose(random_tensor(random, {n, m}, type, -1, 1));
    };
    const Tensor w1 = matrix(a, b), w2 = matrix(b, c), w3 = matrix(c, b), bias = random_tensor(random, {b}, type);
    const auto net = [&](const Tensor& x) {
      Tensor h = tanh(matmul(x, w1) + bias);
      for (int i = 0; i < 3; ++i) {
        const Tensor y = softmax(matmul(h, w2));
        h = sigmoid(matmul(y * y + sum(h, 1, true), w3) - bias) * h;
      }
      return h;
    };
    check_bits(
        [&](const Tensor& x) {
          GradientTape tape;
          tape.watch(x, bias);
          const Tensor y = net(x);
          return std::pair(y, tape.gradient(sum(y * y), x, bias));
        },
        random_tensor(random, {rows, a}, type));
  }
}

TEST_CASE("a training step of a small net has the eager bits on two threads", "[compile][regions][state]") {
  const auto train = [](bool compiled) {
    Random random(5);
    Variable w1(weight(random, 40, 64)), b1(zeros({64})), w2(weight(random, 64, 40)), w3(weight(random, 40, 40));
    const Tensor x = random_tensor(random, {96, 40}, f32);
    const auto step = [&](const Tensor& t) {
      GradientTape tape;
      const Tensor h = matmul(tanh(matmul(t, w1) + b1), w2);
      const Tensor loss = mean(square(matmul(relu(h), w3) - t));
      const auto [g1, gb, g2, g3] = tape.gradient(loss, w1, b1, w2, w3);
      w1.assign_sub(0.1 * g1), b1.assign_sub(0.1 * gb), w2.assign_sub(0.1 * g2), w3.assign_sub(0.1 * g3);
      w3.assign(matmul(w3, w3));  // a state that a product writes
      return std::pair(loss, h);
    };
    std::vector<Tensor> seen;
    auto fast = compile(step);
    for (int i = 0; i < 10; ++i) {
      const auto [loss, h] = compiled ? fast(x) : step(x);
      seen.insert(seen.end(), {loss, h});
    }
    for (const Variable* v : {&w1, &b1, &w2, &w3}) seen.push_back(*v);
    return seen;
  };
  const Threads scope(2);
  const std::vector<Tensor> a = train(true), b = train(false);
  for (std::size_t k = 0; k < a.size(); ++k) CHECK_SAME(a[k], b[k]);
}

TEST_CASE("threads take rows through all rounds of a loop, unless a row needs another of the round before",
          "[compile][regions][control]") {
  using Round = std::function<std::pair<Tensor, Tensor>(const Tensor& h, const Tensor& x, const Tensor& w)>;
  struct Case {
    const char* name;
    bool by_rows;
    Round round;
  };
  const std::vector<Case> cases = {
      {"a recurrent net", true,
       [](const Tensor& h, const Tensor& x, const Tensor& w) {
         const Tensor next = tanh(matmul(h, w) + x);
         return std::pair{next, next};
       }},
      {"columns change places, rows do not", true,
       [](const Tensor& h, const Tensor& x, const Tensor& w) {
         const auto parts = detail::equal_parts(matmul(h, w), 2, 1);
         return std::pair{concat({tanh(parts[1]), sin(parts[0])}, 1), h * x};
       }},
      {"rows in another order", false,
       [](const Tensor& h, const Tensor& x, const Tensor& w) {
         return std::pair{tanh(matmul(x, w) + flip(h, 0)), h};
       }},
      {"a carry as the right operand", false,
       [](const Tensor& h, const Tensor& x, const Tensor& w) {
         return std::pair{tanh(matmul(matmul(x, w), h)), x};
       }},
      {"a carry turned", false,
       [](const Tensor& h, const Tensor& x, const Tensor& w) {
         return std::pair{tanh(matmul(transpose(h), w) + x), x};
       }},
      {"a sum over the rows", false,
       [](const Tensor& h, const Tensor& x, const Tensor& w) {
         return std::pair{tanh(matmul(x, w) + sum(h, 0)), x};
       }},
  };
  Random random(6);
  const Threads two(2);
  const Tensor h0 = random_tensor(random, {64, 64}, f32, -1, 1), xs = random_tensor(random, {5, 64, 64}, f32, -1, 1),
               w = weight(random, 64, 64);
  for (const Case& c : cases) {
    INFO(c.name);
    const Type t = h0.type();
    Executable body(without_dead_nodes(inline_graphs(traced(c.round, t, t, t))), 3, 2, {});
    const Tensor between = Tensor::allocate(t), out = Tensor::allocate(t);
    const std::vector<View> in = {h0.view(), h0.view(), w.view()};
    const bool by_rows = body.run_rounds(1, 2, in, [&](std::int64_t, std::span<View> from, std::span<View> to) {
      from[0] = h0.view(), from[1] = w.view(), to[0] = between.view(), to[1] = out.view();
    });
    CHECK(by_rows == c.by_rows);
    check_bits(
        [&](const Tensor& start) {
          const auto loop = [&](const Tensor& a) {
            return scan([&](const Tensor& h, const Tensor& x) { return c.round(h, x, w); }, a, xs, {.reverse = true});
          };
          GradientTape tape;
          tape.watch(start);
          const auto [h, ys] = loop(start);
          return std::tuple{h, ys, loop(broadcast_to(slice_axis(start, 0, 0, 1), {64, 64})).first,
                            tape.gradient(sum(square(ys)) + sum(h), start)};
        },
        h0);
  }
}
