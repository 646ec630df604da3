// How the cost grows with the work: a batch, and a depth, that double from line to line.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <vector>

#include <weft/bench/report/compiled.h>
#include <weft/bench/report/memory.h>

#include "cases.h"
#include "models.h"

namespace bench {
namespace {

using namespace weft;

// Equal layers, so that all of the work is in proportion to their number.
struct Deep {
  std::vector<nn::Linear> layers;
  WEFT_MEMBERS(layers)

  explicit Deep(std::int64_t depth) {
    for (std::int64_t i = 0; i < depth; ++i) layers.push_back(linear("sweep.w" + std::to_string(i), 256, 256));
  }
  Tensor operator()(Tensor x) const {
    for (const nn::Linear& layer : layers) x = relu(layer(x));
    return x;
  }
};

// The gradient of W2's net. Without the update, whose cost no batch changes.
auto gradient_of_batch() {
  return [model = std::make_shared<MnistMlp>()](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = cross_entropy(y, (*model)(x));
    return std::pair(loss, tape.gradient(loss, model->fc1.weight, model->fc2.weight, model->fc3.weight));
  };
}

auto step_of_depth(std::int64_t depth) {
  auto model = std::make_shared<Deep>(depth);
  auto optimizer = std::make_shared<nn::Adam>(*model, nn::AdamOptions{.learning_rate = 1e-3});
  return [model, optimizer](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = nn::mse(y, (*model)(x));
    optimizer->apply(tape.gradient(loss, *model));
    return loss;
  };
}

Tensor batch_of(std::int64_t n, std::int64_t width) { return uniform("sweep.x", {n, width}, -unit, unit); }

template <class F> void time(benchmark::State& state, Mode mode, const F& f, const Tensor& x, const Tensor& y) try {
  compile(f, {.check = true})(x, y);  // compiled or eager, it is the same to the bit
  auto compiled = compile(f);
  const auto step = [&] {
    if (mode == Mode::compile)
      benchmark::DoNotOptimize(compiled(x, y));
    else
      benchmark::DoNotOptimize(f(x, y));
  };
  for (int i = 0; i < 3; ++i) step();
  const weft::bench::MemoryWatch memory;
  for (auto _ : state) step();
  memory.report(state, 1);
  if (mode == Mode::compile) weft::bench::report(state, compiled.stats());
  const double sizes = static_cast<double>(state.iterations()) * static_cast<double>(state.range(0));
  state.counters["per_size"] = benchmark::Counter(sizes, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetComplexityN(state.range(0));
} catch (const Error& e) { state.SkipWithError(e.what()); }

// Tracing, planning and what code is not there yet, of a new function each time.
void compiling(benchmark::State& state) {
  const auto f = step_of_depth(state.range(0));
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const CompileStats stats = compile(f).lower(Type{f32, {64, 256}}, Type{f32, {64, 256}});
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (stats.traces != 1) return state.SkipWithError("nothing was traced");
  }
  state.SetComplexityN(state.range(0));
}

void sweep(const std::string& name, std::int64_t from, std::int64_t to, void (*run)(benchmark::State&, Mode),
           Mode mode) {
  benchmark::RegisterBenchmark(("sweeps/" + name + "/" + name_of(mode)).c_str(),
                               [=](benchmark::State& state) { run(state, mode); })
      ->RangeMultiplier(2)
      ->Range(from, to)
      ->Complexity(benchmark::oN)
      ->Unit(benchmark::kMicrosecond)
      ->UseRealTime();
}

}  // namespace

void register_sweeps() {
  for (const Mode mode : {Mode::eager, Mode::compile}) {
    sweep(
        "batch", 64, 1024,
        [](benchmark::State& state, Mode m) {
          const std::int64_t n = state.range(0);
          time(state, m, gradient_of_batch(), batch_of(n, 784), classes("sweep.y", {n}, 10));
        },
        mode);
    sweep(
        "depth", 2, 32,
        [](benchmark::State& state, Mode m) {
          time(state, m, step_of_depth(state.range(0)), batch_of(64, 256), batch_of(64, 256));
        },
        mode);
  }
  benchmark::RegisterBenchmark("sweeps/compiling", compiling)
      ->RangeMultiplier(2)
      ->Range(2, 32)
      ->Complexity(benchmark::oN)
      ->Unit(benchmark::kMicrosecond)
      ->UseManualTime();
}

}  // namespace bench
