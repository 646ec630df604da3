// Benches a model of your own and reports it as Weft reports its own: verified, then timed by Google Benchmark, with
// GFLOP/s, GB/s, allocations and peak memory, beside what this machine can do at most.
//
//     #include <weft/bench/bench.h>
//
//     int main(int argc, char** argv) {
//       Model model;
//       weft::bench::add("mine", [&](const Tensor& x, const Tensor& y) { ... return loss; }, x, y);
//       return weft::bench::run(argc, argv);
//     }
//
// or in one call: return weft::bench::report("mine", step, x, y). In CMake: find_package(weft REQUIRED COMPONENTS
// bench), and link weft::bench; or pkg-config weft-bench.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <weft/weft.h>

namespace weft::bench {

/// What a report should know of a step. A call's flops and bytes are counted, op by op or kernel by kernel, as a
/// Profiler counts them; where you know what the step needs at least, say that here, and the roofline is held against
/// it.
struct Facts {
  double items = 1;   ///< samples of a step
  double flops = 0;   ///< floating-point operations; 0: as counted
  double bytes = 0;   ///< that have to be read and written at least; 0: as counted
  int repeats = 1;    ///< times and figures are for one of so many equal parts of the step
  int threads = 0;    ///< at most so many compute it, and are what it is held against; 0: as many as --threads says
  DType dtype = f32;  ///< of what `flops` multiply
};

/// A benchmark made ready.
struct Case {
  std::function<void()> step;                ///< what is timed
  std::function<std::string()> verify = {};  ///< called once, after five steps: empty, or what is wrong
  std::function<CompileStats()> stats = {};  ///< of a compiled step
};

/// Adds a benchmark. `make` is called when its turn comes; one case at a time is alive.
void add_case(const std::string& name, const Facts& facts, std::function<Case()> make);

/// Runs what was added, prints the table and writes bench.json (Google's schema), bench.md and roofline.svg. Takes
/// --threads, --out FOLDER (else the current one, or with --benchmark_out=FILE.json that file alone) and Google's
/// --benchmark_*; by default five repetitions of 0.05 s. A benchmark that is wrong, or throws, has no times, and its
/// row says why; the others run. 0; 1 if a benchmark was wrong or failed; 2 for arguments that cannot be, or a folder
/// that cannot be written.
int run(int argc, char** argv);

namespace detail {
std::string not_finite(const std::vector<Tensor>& results);  // empty, or which

template <class F, class... Input> void call_and_keep(std::vector<Tensor>& results, F& f, const Input&... inputs) {
  if constexpr (std::is_void_v<decltype(f(inputs...))>) {
    f(inputs...);
  } else {
    auto result = f(inputs...);
    results.clear();
    each_leaf(result, [&](const Tensor& t) { results.push_back(t); });
  }
}
}  // namespace detail

/// Adds NAME/eager and NAME/compile: f(inputs...), as it is and compiled. Its results, if any, have to be finite, and
/// those of compiled code, variables that it writes included, equal to eager ones in every bit. The inputs of all cases
/// live, and are in each one's peak, until the run is over; results are their case's.
template <class F, class... Input>
requires std::invocable<F&, Input&...>
void add(const std::string& name, const Facts& facts, F f, Input... inputs) {
  const auto call = std::make_shared<F>(std::move(f));
  add_case(name + "/eager", facts, [=] {
    const auto last = std::make_shared<std::vector<Tensor>>();  // goes with its case
    return Case{[=] { detail::call_and_keep(*last, *call, inputs...); }, [=] { return detail::not_finite(*last); }};
  });
  add_case(name + "/compile", facts, [=] {
    const auto last = std::make_shared<std::vector<Tensor>>();
    const auto compiled = std::make_shared<Compiled<F>>(compile(*call));
    const auto verify = [=] {
      compile(*call, {.check = true})(inputs...);  // throws where a bit differs
      return detail::not_finite(*last);
    };
    return Case{[=] { detail::call_and_keep(*last, *compiled, inputs...); }, verify, [=] { return compiled->stats(); }};
  });
}
template <class F, class... Input>
requires std::invocable<F&, Input&...>
void add(const std::string& name, F f, Input... inputs) { add(name, Facts{}, std::move(f), std::move(inputs)...); }

/// add and run in one call, without arguments of the command line.
template <class... Args> int report(const std::string& name, Args... args) {
  add(name, std::move(args)...);
  return run(0, nullptr);
}

}  // namespace weft::bench
