// What loops and kernels become, drawn: to the left a graph, to the right its steps in memory. "%5@64" is a value in
// the arena, from that byte on; one without lies where the caller has it.
#include <weft/compiler/memory_plan.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {
const Type x4{f32, {4}}, x7{f32, {7}}, matrix{f32, {64, 64}};
}  // namespace

TEST_CASE("steps: the parts of a concat are stored where they end up", "[pass][concat]") {
  CHECK_DRAWN(drawn_plan(traced(
                  [](const Tensor& x, const Tensor& y) {
                    return concat({exp(x), sin(y)}, 1);
                  },
                  Type{f32, {2, 3}}, Type{f32, {2, 2}})),
              R"(
%0 = input f32[2, 3]                 | step 0: kernel, 1 segment %0 -> %4
%1 = input f32[2, 2]                 | step 1: kernel, 1 segment %1 -> %4
%2 = exp f32[2, 3] %0                | arena 0 bytes
%3 = sin f32[2, 2] %1                |
%4 = concat f32[2, 5] %2 %3 {axis=1} |
return %4                            |
)");
}

TEST_CASE("steps: a part that is needed elsewhere, or is none of a loop's, is copied into the concat",
          "[pass][concat]") {
  CHECK_DRAWN(drawn_plan(traced(
                  [](const Tensor& x) {
                    const Tensor e = exp(x);
                    return std::pair{concat({e, sin(x)}, 0), e};
                  },
                  x4)),
              R"(
%0 = input f32[4]                 | step 0: kernel, 1 segment %0 -> %1 -> %2@0
%1 = exp f32[4] %0                | step 1: concat %1 %2@0 -> %3
%2 = sin f32[4] %0                | arena 64 bytes
%3 = concat f32[8] %1 %2 {axis=0} |
return %3 %1                      |
)");
  CHECK_DRAWN(drawn_plan(traced(
                  [](const Tensor& x) {
                    return concat({exp(x), x}, 0);
                  },
                  x4)),
              R"(
%0 = input f32[4]                 | step 0: kernel, 1 segment %0 -> %1@0
%1 = exp f32[4] %0                | step 1: concat %1@0 %0 -> %2
%2 = concat f32[8] %1 %0 {axis=0} | arena 64 bytes
return %2                         |
)");
}

TEST_CASE("steps: a kernel that computes in place gets its operand's memory if nobody needs that afterwards",
          "[pass][in_place]") {
  const auto added = [](const Tensor& x, const Tensor& i) { return sum(scatter_add(exp(x), i, x)); };
  CHECK_DRAWN(drawn_plan(traced(added, x4, Type{i64, {4}})), R"(
%0 = input f32[4]                         | step 0: kernel, 1 segment %0 -> %3@0
%1 = input i64[4]                         | step 1: scatter_add %3@0 %1 %0 -> %3@0
%2 = exp f32[4] %0                        | step 2: kernel, 1 segment %3@0 -> %4
%3 = scatter_add f32[4] %2 %1 %0 {axis=0} | arena 64 bytes
%4 = sum f32[] %3 {begin=0, end=1}        |
return %4                                 |
)");
}

TEST_CASE("steps: an operand that is needed afterwards is copied", "[pass][in_place]") {
  const auto added = [](const Tensor& x, const Tensor& i) {
    const Tensor e = exp(x);
    return sum(scatter_add(e, i, x) * e);
  };
  CHECK_DRAWN(drawn_plan(traced(added, x4, Type{i64, {4}})), R"(
%0 = input f32[4]                         | step 0: kernel, 1 segment %0 -> %2@0
%1 = input i64[4]                         | step 1: scatter_add %2@0 %1 %0 -> %3@64
%2 = exp f32[4] %0                        | step 2: kernel, 1 segment %3@64 %2@0 -> %5
%3 = scatter_add f32[4] %2 %1 %0 {axis=0} | arena 128 bytes
%4 = mul f32[4] %3 %2                     |
%5 = sum f32[] %4 {begin=0, end=1}        |
return %5                                 |
)");
}

TEST_CASE("steps: a variable is updated in place by a loop that reads it once, element by element",
          "[pass][in_place]") {
  CHECK_DRAWN(drawn_plan(traced([](const Tensor& g, const Tensor& v) { return v - 0.1 * g; }, x4, x4), 1), R"(
%0 = input f32[4]                       | step 0: kernel, 1 segment %2 %0 %1 -> %5
%1 = input f32[4]                       | variable 0: in place
%2 = constant f32[] 0.100000001         | arena 0 bytes
%3 = broadcast_to f32[4] %2 {shape=[4]} |
%4 = mul f32[4] %3 %0                   |
%5 = sub f32[4] %1 %4                   |
return %5                               |
)");
}

TEST_CASE("steps: a variable that is read in another order gets a new buffer", "[pass][in_place]") {
  CHECK_DRAWN(drawn_plan(traced([](const Tensor& v) { return v + transpose(v); }, Type{f32, {4, 4}}), 1), R"(
%0 = input f32[4, 4]                      | step 0: kernel, 1 segment %0 %0 -> %2
%1 = transpose f32[4, 4] %0 {axes=[1, 0]} | variable 0: a new buffer
%2 = add f32[4, 4] %0 %1                  | arena 0 bytes
return %2                                 |
)");
}

TEST_CASE("steps: nor is a variable overwritten before what may still throw", "[pass][in_place]") {
  CHECK_DRAWN(drawn_plan(traced(
                             [](const Tensor& i, const Tensor& v) {
                               return std::pair{gather(exp(v) * 2, i), v * 2};
                             },
                             Type{i64, {2}}, x4),
                         1),
              R"(
%0 = input i64[2]                       | step 0: kernel, 1 segment %1 -> %5@0 -> %7
%1 = input f32[4]                       | step 1: gather %5@0 %0 -> %6
%2 = exp f32[4] %1                      | variable 0: a new buffer
%3 = constant f32[] 2                   | arena 64 bytes
%4 = broadcast_to f32[4] %3 {shape=[4]} |
%5 = mul f32[4] %2 %4                   |
%6 = gather f32[2] %5 %0 {axis=0}       |
%7 = mul f32[4] %1 %4                   |
return %6 %7                            |
)");
}

TEST_CASE("steps: the same loop over other buffers is the same launch", "[pass][launches]") {
  const auto update = [](const Tensor& g, const Tensor& h, const Tensor& v, const Tensor& w) {
    return std::pair{v - 0.1 * g, w - 0.1 * h};
  };
  CHECK_DRAWN(drawn_plan(traced(update, x4, x7, x4, x7), 2), R"(
%0 = input f32[4]                       | step 0: kernel, 2 segments %4 %0 %2 -> %7 %4 %1 %3 -> %10
%1 = input f32[7]                       | variable 0: in place
%2 = input f32[4]                       | variable 1: in place
%3 = input f32[7]                       | arena 0 bytes
%4 = constant f32[] 0.100000001         |
%5 = broadcast_to f32[4] %4 {shape=[4]} |
%6 = mul f32[4] %5 %0                   |
%7 = sub f32[4] %2 %6                   |
%8 = broadcast_to f32[7] %4 {shape=[7]} |
%9 = mul f32[7] %8 %1                   |
%10 = sub f32[7] %3 %9                  |
return %7 %10                           |
)");
}

TEST_CASE("steps: it joins that launch past others that have nothing to do with it", "[pass][launches]") {
  const auto update = [](const Tensor& g, const Tensor& h, const Tensor& v, const Tensor& w, const Tensor& u) {
    return std::tuple{v - 0.1 * g, u * u, w - 0.1 * h};
  };
  CHECK_DRAWN(drawn_plan(traced(update, x4, x7, x4, x7, Type{f32, {5}})), R"(
%0 = input f32[4]                        | step 0: kernel, 2 segments %5 %0 %2 -> %8 %5 %1 %3 -> %12
%1 = input f32[7]                        | step 1: kernel, 1 segment %4 -> %9
%2 = input f32[4]                        | arena 0 bytes
%3 = input f32[7]                        |
%4 = input f32[5]                        |
%5 = constant f32[] 0.100000001          |
%6 = broadcast_to f32[4] %5 {shape=[4]}  |
%7 = mul f32[4] %6 %0                    |
%8 = sub f32[4] %2 %7                    |
%9 = mul f32[5] %4 %4                    |
%10 = broadcast_to f32[7] %5 {shape=[7]} |
%11 = mul f32[7] %10 %1                  |
%12 = sub f32[7] %3 %11                  |
return %8 %9 %12                         |
)");
}

TEST_CASE("steps: it does not, past one that computes what it reads", "[pass][launches]") {
  const auto chain = [](const Tensor& g, const Tensor& v, const Tensor& h, const Tensor& w) {
    const auto first = [](const Tensor& x) { return x[{Slice(0, 1)}]; };
    const Tensor a = v - first(g), b = h * first(a);
    return std::tuple{a, b, w - first(b)};
  };
  CHECK_DRAWN(drawn_plan(traced(chain, x4, x4, x7, Type{f32, {5}})), R"(
%0 = input f32[4]                                     | step 0: kernel, 1 segment %1 %0 -> %6
%1 = input f32[4]                                     | step 1: kernel, 1 segment %2 %6 -> %9
%2 = input f32[7]                                     | step 2: kernel, 1 segment %3 %9 -> %12
%3 = input f32[5]                                     | arena 0 bytes
%4 = slice f32[1] %0 {begin=[0], step=[1], size=[1]}  |
%5 = broadcast_to f32[4] %4 {shape=[4]}               |
%6 = sub f32[4] %1 %5                                 |
%7 = slice f32[1] %6 {begin=[0], step=[1], size=[1]}  |
%8 = broadcast_to f32[7] %7 {shape=[7]}               |
%9 = mul f32[7] %2 %8                                 |
%10 = slice f32[1] %9 {begin=[0], step=[1], size=[1]} |
%11 = broadcast_to f32[5] %10 {shape=[5]}             |
%12 = sub f32[5] %3 %11                               |
return %6 %9 %12                                      |
)");
}

TEST_CASE("steps: the same loop with another number in it is the same launch", "[pass][launches]") {
  const auto update = [](const Tensor& g, const Tensor& h, const Tensor& v, const Tensor& w) {
    return std::pair{v - 0.1 * g, w - 0.2 * h};
  };
  CHECK_DRAWN(drawn_plan(traced(update, x4, x7, x4, x7), 2), R"(
%0 = input f32[4]                       | step 0: kernel, 2 segments %4 %0 %2 -> %8 %5 %1 %3 -> %11
%1 = input f32[7]                       | variable 0: in place
%2 = input f32[4]                       | variable 1: in place
%3 = input f32[7]                       | arena 0 bytes
%4 = constant f32[] 0.100000001         |
%5 = broadcast_to f32[4] %4 {shape=[4]} |
%6 = mul f32[4] %5 %0                   |
%7 = sub f32[4] %2 %6                   |
%8 = constant f32[] 0.200000003         |
%9 = broadcast_to f32[7] %8 {shape=[7]} |
%10 = mul f32[7] %9 %1                  |
%11 = sub f32[7] %3 %10                 |
return %7 %11                           |
)");
}

TEST_CASE("steps: a thread takes its rows through products and loops", "[pass][regions]") {
  CHECK_DRAWN(drawn_plan(traced([](const Tensor& x, const Tensor& w) { return matmul(tanh(matmul(x, w)), w); }, matrix,
                                matrix)),
              R"(
%0 = input f32[64, 64]        | step 0: matmul %0 %1 -> %2@0
%1 = input f32[64, 64]        | step 1: kernel, 1 segment %2@0 -> %3@16384
%2 = matmul f32[64, 64] %0 %1 | step 2: matmul %3@16384 %1 -> %4
%3 = tanh f32[64, 64] %2      | steps 0 to 2: 64 rows at once
%4 = matmul f32[64, 64] %3 %1 | arena 32768 bytes
return %4                     |
)");
}

TEST_CASE("steps: a product of what other threads make ends a region", "[pass][regions]") {
  CHECK_DRAWN(drawn_plan(traced(
                  [](const Tensor& x, const Tensor& w) {
                    const Tensor h = matmul(tanh(matmul(x, w)), w);
                    return matmul(x, h);
                  },
                  matrix, matrix)),
              R"(
%0 = input f32[64, 64]        | step 0: matmul %0 %1 -> %2@0
%1 = input f32[64, 64]        | step 1: kernel, 1 segment %2@0 -> %3@16384
%2 = matmul f32[64, 64] %0 %1 | step 2: matmul %3@16384 %1 -> %4@32768
%3 = tanh f32[64, 64] %2      | step 3: matmul %0 %4@32768 -> %5
%4 = matmul f32[64, 64] %3 %1 | steps 0 to 2: 64 rows at once
%5 = matmul f32[64, 64] %0 %4 | arena 49152 bytes
return %5                     |
)");
}

TEST_CASE("memory: buffers that are never alive together share their place, the largest first", "[pass][memory]") {
  // bytes, and at which steps each is alive | its place
  std::vector<PlannedBuffer> buffers = {{100, 0, 1}, {64, 1, 2}, {256, 2, 3}, {64, 3, 4}, {10, 0, 4}};
  const auto text = [&](auto line) {
    std::string s;
    for (const PlannedBuffer& b : buffers) s += line(b) + "\n";
    return s;
  };
  const std::string lives = text([](const PlannedBuffer& b) {
    std::string life = ".....";
    for (int i = b.first; i <= b.last; ++i) life[static_cast<std::size_t>(i)] = '#';
    return std::to_string(b.bytes) + std::string(4 - std::to_string(b.bytes).size(), ' ') + life;
  });
  const std::int64_t arena = plan_memory(buffers);
  const std::string places = text([](const PlannedBuffer& b) { return "at " + std::to_string(b.offset); });
  CHECK_DRAWN(beside(lives, places + "arena " + std::to_string(arena)), R"(
100 ##... | at 0
64  .##.. | at 256
256 ..##. | at 0
64  ...## | at 256
10  ##### | at 320
          | arena 384
)");
}

TEST_CASE("steps: a loop with 2 in it, or another number that better code is made of, is a launch of its own",
          "[pass][launches]") {
  const auto steps = [](double a, double b) {
    auto f = compile([=](const Tensor& x, const Tensor& y) { return std::pair{exp(x) * a, exp(y) * b}; });
    f.lower(Type{f32, {4}}, Type{f32, {7}});
    return f.stats().launches;
  };
  CHECK(steps(3, 5) == 1);
  CHECK(steps(3, 2) == 2);
  CHECK(steps(0.5, 3) == 2);
}

TEST_CASE("steps: updates are one launch, whatever their loops", "[pass][launches]") {
  Variable v = ones({4}), w = ones({7});
  auto step = compile([&](const Tensor& g, const Tensor& h) {
    v.assign_sub(0.1 * g);
    w.assign_sub(exp(h) * 2);
  });
  step.lower(x4, x7);
  CHECK(step.stats().launches == 1);
  CHECK(step.stats().kernels == 2);
}

TEST_CASE("A new batch size needs no new code", "[codegen]") {
  const auto written_for = [](std::int64_t first, std::int64_t second) {
    Variable w = full({16, 8}, 0.25), b = zeros({8});
    auto step = compile([&](const Tensor& x, const Tensor& y) {
      GradientTape tape;
      const Tensor loss = -mean(take_along_axis(log_softmax(matmul(x, w) + b, 1), y, 1));
      const auto [dw, db] = tape.gradient(loss, w, b);
      w.assign_sub(0.1 * dw);
      b.assign_sub(0.1 * db);
      return loss;
    });
    step.lower(Type{f32, {first, 16}}, Type{i64, {first, 1}});
    const std::string before = step.dump("kernels");
    step.lower(Type{f32, {second, 16}}, Type{i64, {second, 1}});
    CHECK(step.stats().traces == 2);
    return step.dump("kernels") == before;
  };
  CHECK(written_for(64, 65));
  CHECK(written_for(65, 250));
}
