// Checkpoints of GPT-2's small sibling, and batches of a table.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include <weft/weft.h>

#include "cases.h"
#include "models.h"
#include "report/memory.h"
#include "report/outcome.h"

namespace bench {
namespace {

using namespace weft;
using weft::bench::MemoryWatch;

// A model of 64 MiB and where it is saved; the file goes with it.
struct Saved {
  nn::Linear layer = linear("checkpoint.w", 4096, 4095);
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("weft-bench-" + std::to_string(getpid()) + ".safetensors");
  WEFT_MEMBERS(layer)

  ~Saved() { std::filesystem::remove(path); }

  void report(benchmark::State& state, const MemoryWatch& memory) const {
    memory.report(state, 1);
    const auto bytes = static_cast<double>(std::filesystem::file_size(path));
    state.counters["B/s"] =
        benchmark::Counter(bytes * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  }
  // What the file holds is what the model had.
  bool is_right() {
    const Tensor before = layer.weight.value();
    layer.weight.assign(zeros(before.shape()));
    io::load(path, *this);
    return all(equal(layer.weight.value(), before)).item<bool>();
  }
};

void checkpoint_save(benchmark::State& state) {
  Saved model;
  io::save(model.path, model);
  if (!model.is_right()) return state.SkipWithError("the file is not the model");
  const MemoryWatch memory;
  for (auto _ : state) io::save(model.path, model);
  model.report(state, memory);
}

void checkpoint_load(benchmark::State& state) {
  Saved model;
  io::save(model.path, model);
  if (!model.is_right()) return state.SkipWithError("the file is not the model");
  const MemoryWatch memory;
  for (auto _ : state) io::load(model.path, model);
  model.report(state, memory);
}

// An epoch of shuffled batches of MNIST's size.
void batches(benchmark::State& state) {
  constexpr std::int64_t rows = 6000;
  const Tensor x = uniform("batches.x", {rows, 784}), y = classes("batches.y", {rows}, 10);
  const data::Batches epochs({.size = 64, .seed = 1}, x, y);
  std::int64_t seen = 0, sum_of_labels = 0;
  for (const auto& [bx, by] : epochs.epoch(0)) seen += bx.shape()[0], sum_of_labels += sum(by).item<std::int64_t>();
  if (seen != rows || sum_of_labels != sum(y).item<std::int64_t>()) return state.SkipWithError("rows are missing");
  int epoch = 0;
  const MemoryWatch memory;
  for (auto _ : state)
    for (const auto& [bx, by] : epochs.epoch(epoch++)) seen += bx.shape()[0];
  if (seen != (epoch + 1) * rows) throw Error("rows are missing");
  memory.report(state, 1);
  const double samples = static_cast<double>(state.iterations()) * rows;
  state.counters["samples/s"] = benchmark::Counter(samples, benchmark::Counter::kIsRate);
  state.counters["B/s"] = benchmark::Counter(samples * (784 * 4 + 8), benchmark::Counter::kIsRate);
}

}  // namespace

void register_io() {
  const auto add = [](const char* name, void (*f)(benchmark::State&)) {
    benchmark::RegisterBenchmark(name, weft::bench::caught(f))->Unit(benchmark::kMillisecond)->UseRealTime();
  };
  add("system/checkpoint_save", checkpoint_save);
  add("system/checkpoint_load", checkpoint_load);
  add("system/batches", batches);
}

}  // namespace bench
