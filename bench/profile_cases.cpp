// What a running profiler costs: a step beside the same one while a profiler looks on, in turns.
#include <weft/tensor/scope.h>

#include "cases.h"
#include "numbers.h"
#include "report/outcome.h"
#include "step.h"
#include "turns.h"

namespace bench {
namespace {

using namespace weft;

constexpr int chain_calls = 20, chain_ops = 5;

// Five eager ops on n elements: about a microsecond each where n is some thousands.
Step chain(std::int64_t n) {
  return repeated_step(
      Mode::eager, chain_calls, [](const Tensor& x) { return tanh(exp(x * 0.5) + 1) - x; }, uniform("profile.x", {n}));
}

Step profiled(const Step& step, bool on) {
  Step switched = step;
  switched.run = [=] {
    // The one that looks on all the time is told of nothing.
    if (!on) weft::detail::watchers.fetch_sub(weft::detail::one_profiler);
    step.run();
    if (!on) weft::detail::watchers.fetch_add(weft::detail::one_profiler);
  };
  return switched;
}

void compare(benchmark::State& state, const std::function<Step()>& make, int repeats) {
  const Profiler profiler;
  time_in_turns(state, {"on_time", profiled(make(), true), repeats}, {"off_time", profiled(make(), false), repeats},
                1e-3);
}

}  // namespace

void register_profile() {
  const auto add = [](const std::string& name, const std::function<Step()>& make, int repeats, int iterations) {
    benchmark::RegisterBenchmark(("profile/" + name).c_str(),
                                 weft::bench::caught([=](benchmark::State& state) { compare(state, make, repeats); }))
        ->UseManualTime()
        ->Iterations(iterations);
  };
  for (const Work& work : works({"W1", "W2"}))
    add(
        work.name + "/compile", [=] { return work.make(Mode::compile); }, work.per_step, 1000);
  for (const Work& work : works({"W10"}))
    add(
        work.name + "/eager", [=] { return work.make(Mode::eager); }, work.per_step, 1000);
  for (const std::int64_t n : {10, 4096, 65536})
    add(
        "chain/" + std::to_string(n), [=] { return chain(n); }, chain_calls * chain_ops, 1000);
}

}  // namespace bench
