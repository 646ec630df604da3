#include <benchmark/benchmark.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "cases.h"
#include "json_lines.h"
#include "models.h"
#include "numbers.h"
#include "report/compiled.h"
#include "report/memory.h"
#include "report/outcome.h"

namespace bench {
namespace {

using namespace weft;
using benchmark::Counter;
using weft::bench::MemoryWatch;

constexpr int chain_length = 100;

// Of a chain's ops, one.
void per_op(benchmark::State& state, const MemoryWatch& memory) {
  memory.report(state, chain_length);
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
  const MemoryWatch memory;
  for (auto _ : state) benchmark::DoNotOptimize(hundred_adds(x, x));
  per_op(state, memory);
}

// The same under a tape.
void tape_record(benchmark::State& state) {
  const Tensor x = ones({1});
  const MemoryWatch memory;
  for (auto _ : state) {
    GradientTape tape;
    tape.watch(x);
    benchmark::DoNotOptimize(hundred_adds(x, x));
    if (tape.size() != chain_length) return state.SkipWithError("the tape missed an op");
  }
  per_op(state, memory);
}

// And replayed.
void tape_gradient(benchmark::State& state) {
  const Tensor x = ones({1});
  const MemoryWatch memory;
  for (auto _ : state) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = hundred_adds(x, x);
    const Tensor dx = tape.gradient(y, x);
    if (dx.item() != chain_length + 1) return state.SkipWithError("wrong gradient");
  }
  per_op(state, memory);
}

void allocator(benchmark::State& state) {
  const std::int64_t system =
      (Storage::allocate(static_cast<std::size_t>(state.range(0))), memory_stats().system_allocations);
  const MemoryWatch memory;
  for (auto _ : state) {
    const Storage s = Storage::allocate(static_cast<std::size_t>(state.range(0)));
    benchmark::DoNotOptimize(s.data());
  }
  if (memory_stats().system_allocations != system) throw Error("a freed block was not used again");
  memory.report(state, 1);
}

// A compiled function of one kernel: what a call costs.
void compiled_call(benchmark::State& state) {
  auto f = compile([](const Tensor& a, const Tensor& b) { return a + b; });
  const Tensor x = ones({1});
  if (f(x, x).item() != 2) return state.SkipWithError("wrong sum");
  const MemoryWatch memory;
  for (auto _ : state) benchmark::DoNotOptimize(f(x, x));
  memory.report(state, 1);
  weft::bench::report(state, f.stats());
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
  step(ids, y);
  const MemoryWatch memory;
  for (auto _ : state) step(ids, y);
  memory.report(state, 1);
  if (!(step(ids, y).item() < first)) throw Error("the loss did not fall");
  weft::bench::report(state, step.stats());
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
  const std::shared_ptr<void> removed(nullptr, [&](void*) { std::filesystem::remove_all(folder); });
  if (kept) first_call_seconds(work, Mode::compile, threads, settings);
  for (auto _ : state) state.SetIterationTime(first_call_seconds(work, Mode::compile, threads, settings));
}

// The same with the code generator already there.
void warm(benchmark::State& state, const Work& work) {
  CompileStats stats;
  const MemoryWatch memory;
  for (auto _ : state) {
    const Step step = work.make(Mode::compile);
    state.SetIterationTime(seconds(step.run));
    stats = step.stats();
    for (int i = 1; i < 5; ++i) step.run();
    if (const double value = check(step.results()); !agrees(work, value)) throw Error(wrong_check(work, value));
  }
  memory.report(state, 1);
  weft::bench::report(state, stats);
  state.counters["trace_ms"] = stats.trace_ms;
  state.counters["plan_ms"] = stats.plan_ms;
  if (stats.codegen_ms > 0) state.counters["codegen_ms"] = stats.codegen_ms;
}

// A batch size that was not there before: traced again, but its kernels are there. What is made of one computes what an
// eager step does.
void retrace(benchmark::State& state) {
  const auto of_batch = [](auto& step, std::int64_t n) { return step.lower(Type{f32, {n, 784}}, Type{i64, {n}}); };
  const auto loss_of = [](auto&& step, std::int64_t n) {
    return step(uniform("W2.x", {n, 784}, -unit, unit), classes("W2.y", {n}, 10)).item();
  };
  auto verified = compile(adam_step<MnistMlp>(cross_entropy));
  of_batch(verified, 64), of_batch(verified, 65);
  if (loss_of(verified, 65) != loss_of(adam_step<MnistMlp>(cross_entropy), 65))
    throw Error("the loss is not the eager one");
  if (verified.stats().traces != 2) throw Error("the trace was not used");

  auto step = compile(adam_step<MnistMlp>(cross_entropy));
  of_batch(step, 64);
  std::int64_t n = 64;
  double codegen = 0;
  CompileStats stats;
  for (auto _ : state) codegen += (stats = of_batch(step, ++n)).codegen_ms;
  if (codegen > 0) state.counters["codegen_ms"] = codegen / static_cast<double>(state.iterations());
  weft::bench::report(state, stats);
}

}  // namespace

void register_system(int threads) {
  const auto add_manual = [](const std::string& name, const auto& f) {
    return benchmark::RegisterBenchmark(("system/" + name).c_str(), weft::bench::caught(f))->UseManualTime();
  };
  const auto add = [=](const std::string& name, const auto& f) {
    auto* const made = benchmark::RegisterBenchmark(("system/" + name).c_str(), weft::bench::caught(f));
    return threads > 1 ? made->UseRealTime() : made;  // of one thread the time that it computes, whatever else runs
  };
  add("dispatch", dispatch);
  add("tape_record", tape_record);
  add("tape_gradient", tape_gradient);
  add("allocator", allocator)->Arg(64)->Arg(1 << 20)->Arg(64 << 20);
  add("compiled_call", compiled_call);
  add("embedding_step/sgd", embedding_step<nn::SGD>)->Arg(1000)->Arg(100'000);
  add("embedding_step/adam", embedding_step<nn::Adam>)->Arg(1000)->Arg(100'000);
  add("retrace", retrace)->Unit(benchmark::kMillisecond);
  for (const Work& work : works({"W1", "W2"})) {
    for (const bool kept : {false, true})
      add_manual((kept ? "compile_kept/" : "compile_cold/") + work.name,
                 [=](benchmark::State& s) { cold(s, work, threads, kept); })
          ->Unit(benchmark::kMillisecond)
          ->Iterations(5);
    add_manual("compile_warm/" + work.name, [=](benchmark::State& s) { warm(s, work); })
        ->Unit(benchmark::kMillisecond)
        ->Iterations(10);
  }
}

}  // namespace bench
