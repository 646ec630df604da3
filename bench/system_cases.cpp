#include <benchmark/benchmark.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "cases.h"
#include "json_lines.h"
#include "models.h"
#include "numbers.h"

namespace bench {
namespace {

using namespace weft;
using benchmark::Counter;

constexpr int chain_length = 100;

void per_op(benchmark::State& state) {
  state.counters["op_time"] =
      Counter(static_cast<double>(state.iterations()) * chain_length, Counter::kIsRate | Counter::kInvert);
}

// x + 1 + 1 + ...: 100 + x.
Tensor hundred_adds(Tensor x, const Tensor& one) {
  for (int i = 0; i < chain_length; ++i) x = x + one;
  return x;
}

// An eager op of one element: all of it is the way through the door.
void dispatch(benchmark::State& state) {
  const Tensor x = ones({1});
  if (hundred_adds(x, x).item() != chain_length + 1) return state.SkipWithError("wrong sum");
  for (auto _ : state) benchmark::DoNotOptimize(hundred_adds(x, x));
  per_op(state);
}

// The same under a tape.
void tape_record(benchmark::State& state) {
  const Tensor x = ones({1});
  for (auto _ : state) {
    GradientTape tape;
    tape.watch(x);
    benchmark::DoNotOptimize(hundred_adds(x, x));
    if (tape.size() != chain_length) return state.SkipWithError("the tape missed an op");
  }
  per_op(state);
}

// And replayed.
void tape_gradient(benchmark::State& state) {
  const Tensor x = ones({1});
  for (auto _ : state) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = hundred_adds(x, x);
    const Tensor dx = tape.gradient(y, x);
    if (dx.item() != chain_length + 1) return state.SkipWithError("wrong gradient");
  }
  per_op(state);
}

void allocator(benchmark::State& state) {
  const std::int64_t system =
      (Storage::allocate(static_cast<std::size_t>(state.range(0))), memory_stats().system_allocations);
  for (auto _ : state) {
    const Storage s = Storage::allocate(static_cast<std::size_t>(state.range(0)));
    benchmark::DoNotOptimize(s.data());
  }
  if (memory_stats().system_allocations != system) state.SkipWithError("a freed block was not used again");
}

// A compiled function of one kernel: what a call costs.
void compiled_call(benchmark::State& state) {
  auto f = compile([](const Tensor& a, const Tensor& b) { return a + b; });
  const Tensor x = ones({1});
  if (f(x, x).item() != 2) return state.SkipWithError("wrong sum");
  for (auto _ : state) benchmark::DoNotOptimize(f(x, x));
}

// A step of an embedding of which 256 rows are used: SGD's costs the same however many there are.
template <class Optimizer> void embedding_step(benchmark::State& state) {
  const nn::Embedding table(state.range(0), 64);
  Optimizer opt(table);
  auto step = compile([&](const Tensor& ids, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(square(table(ids) - y));
    opt.apply(tape.gradient(loss, table));
    return loss;
  });
  const Tensor ids = cast(floor(random::uniform({256}, 0, static_cast<double>(state.range(0)))), i64);
  const Tensor y = ones({256, 64});
  const double first = step(ids, y).item();
  for (auto _ : state) step(ids, y);
  if (!(step(ids, y).item() < first)) return state.SkipWithError("the loss did not fall");
  state.counters["arena_MiB"] = static_cast<double>(step.stats().arena_bytes) / (1 << 20);
}

double seconds(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The first call in a new process: code generator loaded, function traced, code generated, step run. If `kept`, an
// earlier process has left its code on the disk.
void cold(benchmark::State& state, const Work& work, int threads, bool kept) {
  const auto folder = std::filesystem::temp_directory_path() / ("weft-bench-" + std::to_string(getpid()));
  const std::string settings = kept ? "WEFT_CACHE=1 WEFT_CACHE_DIR='" + folder.string() + "'" : "WEFT_CACHE=0";
  if (kept) first_call_seconds(work, Mode::compile, threads, settings);
  for (auto _ : state) {
    const double s = first_call_seconds(work, Mode::compile, threads, settings);
    if (s < 0) return state.SkipWithError("the process failed");
    state.SetIterationTime(s);
  }
  std::filesystem::remove_all(folder);
}

// The same with the code generator already there.
void warm(benchmark::State& state, const Work& work) {
  CompileStats stats;
  for (auto _ : state) {
    const Step step = work.make(Mode::compile);
    state.SetIterationTime(seconds(step.run));
    stats = step.stats();
  }
  state.counters["trace_ms"] = stats.trace_ms;
  state.counters["plan_ms"] = stats.plan_ms;
  state.counters["codegen_ms"] = stats.codegen_ms;
}

// A batch size that was not there before: traced again, but its kernels are there.
void retrace(benchmark::State& state) {
  auto step = compile(adam_step<MnistMlp>(cross_entropy));
  const auto of_batch = [&](std::int64_t n) { return step.lower(Type{f32, {n, 784}}, Type{i64, {n}}); };
  of_batch(64);
  std::int64_t n = 64;
  double codegen = 0;
  for (auto _ : state) codegen += of_batch(++n).codegen_ms;
  state.counters["codegen_ms"] = codegen / static_cast<double>(state.iterations());
}

}  // namespace

void register_system(int threads) {
  benchmark::RegisterBenchmark("system/dispatch", dispatch);
  benchmark::RegisterBenchmark("system/tape_record", tape_record);
  benchmark::RegisterBenchmark("system/tape_gradient", tape_gradient);
  benchmark::RegisterBenchmark("system/allocator", allocator)->Arg(64)->Arg(1 << 20)->Arg(64 << 20);
  benchmark::RegisterBenchmark("system/compiled_call", compiled_call);
  benchmark::RegisterBenchmark("system/embedding_step/sgd", embedding_step<nn::SGD>)->Arg(1000)->Arg(100'000);
  benchmark::RegisterBenchmark("system/embedding_step/adam", embedding_step<nn::Adam>)->Arg(1000)->Arg(100'000);
  benchmark::RegisterBenchmark("system/retrace", retrace)->Unit(benchmark::kMillisecond);
  for (const Work& work : works({"W1", "W2"})) {
    for (const bool kept : {false, true})
      benchmark::RegisterBenchmark(((kept ? "system/compile_kept/" : "system/compile_cold/") + work.name).c_str(),
                                   [=](benchmark::State& s) { cold(s, work, threads, kept); })
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime()
          ->Iterations(5);
    benchmark::RegisterBenchmark(("system/compile_warm/" + work.name).c_str(),
                                 [=](benchmark::State& s) { warm(s, work); })
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime()
        ->Iterations(10);
  }
}

}  // namespace bench
