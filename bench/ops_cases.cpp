// ops/NAME/eager, /compile, /eager_gradient, /compile_gradient for each op of the table and each function over them of
// which tests/functions.h and tests/losses.h have large operands: verified, then timed beside the least time that the
// machine allows.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <weft/weft.h>

#include <algorithm>
#include <functional>
#include <optional>

#include <weft/ops/trace.h>
#include <weft/tests/losses.h>

#include "cases.h"
#include "graph_work.h"
#include "made_once.h"
#include "op_inputs.h"
#include "report/compiled.h"
#include "report/machine.h"
#include "report/memory.h"
#include "report/outcome.h"

namespace bench {
namespace {

using namespace weft;
using benchmark::Counter;

using Tensors = std::vector<Tensor>;

using Function = std::function<Tensors(const Tensors&)>;

// What is called, and on what.
struct Made {
  Function f;
  Tensors in;
  bool large;                          // false: the time is what a call costs
  std::optional<OpWork> forward = {};  // its arithmetic, if it is known beforehand
};
struct OpCase {
  std::string name;
  std::uint32_t reads;  // by the gradient, as Op::reads
  bool differentiable, draws;
  std::function<Made()> make;
};

OpCase op_case(const Op& op, OpInput (*input)()) {
  return {std::string(op.name), op.reads, op.differentiable, op.draws, [&op, input] {
            const OpInput made = input();
            return Made{[&op, attrs = made.sample.attrs](const Tensors& in) {
                          return test::run(op, {attrs, in});
                        },
                        made.sample.in, made.large, made.work};
          }};
}

OpCase function_case(const test::PublicFunction& f) {
  return {f.name, reads::inputs, true, false, [&f] {
            test::Random random(1);
            return Made{[&f](const Tensors& in) -> Tensors { return {f.f(in)}; }, f.large(f32, random), true};
          }};
}

double bytes_of(const Tensors& tensors) {
  double bytes = 0;
  for (const Tensor& t : tensors) bytes += static_cast<double>(t.type().bytes());
  return bytes;
}

Tensors floats(const Tensors& tensors) {
  Tensors r;
  for (const Tensor& t : tensors)
    if (is_floating(t.dtype())) r.push_back(t);
  return r;
}

// Its gradients for cotangents that are given beside its inputs.
Tensors gradients(const Function& f, const Tensors& in, const Tensors& cotangents) {
  GradientTape tape;
  const Tensors sources = floats(in);
  tape.watch(sources);
  const Tensors out = f(in);
  return tape.gradient(out, sources, GradientOptions{.output_gradients = cotangents, .unconnected = Unconnected::zero});
}

// The arithmetic of forward, and backward if there are cotangents, for compiled code without what the results do not
// need; nothing where some of it is not counted.
std::optional<OpWork> work_in(const Made& made, const Tensors& cotangents, bool compiled) {
  Trace trace;
  const TraceScope scope(&trace);
  Tensors x, g(cotangents.size());
  for (const Tensor& t : made.in) x.push_back(trace.add_input(t.type()));
  for (std::size_t i = 0; i < g.size(); ++i)
    if (cotangents[i].defined()) g[i] = trace.add_input(cotangents[i].type());
  for (const Tensor& t : g.empty() ? made.f(x) : gradients(made.f, x, g))
    trace.graph.outputs.push_back(trace.value_of(t));
  return work_of(compiled ? without_dead_nodes(trace.graph) : trace.graph);
}

// What an iteration reads.
struct Call {
  Tensors in, cotangents;
};

// A half for each floating output.
Tensors cotangents_of(const Tensors& out) {
  Tensors r(out.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    if (is_floating(out[i].dtype())) r[i] = contiguous(broadcast_to(full({}, 0.5, out[i].dtype()), out[i].shape()));
  return r;
}

// The call and copies of it, so many that the last cache has lost the first when all have been made: of one it would
// hold much, and hand that over faster than memory can.
std::vector<Call> calls_past_caches(const OpCase& c, const Call& call, const Tensors& out) {
  constexpr std::size_t most = 8;
  const auto& levels = weft::bench::roofline().levels;
  const double bytes = bytes_of(call.in), enough = 4 * static_cast<double>(levels[levels.size() - 2].bytes);
  std::vector<Call> calls = {call};
  while (calls.size() < most && static_cast<double>(calls.size()) * bytes < enough)
    calls.push_back({c.make().in, call.cotangents.empty() ? Tensors{} : cotangents_of(out)});
  return calls;
}

// What a case reads and writes at least; for gradients, of forward and backward.
double least_bytes(std::uint32_t reads, const Tensors& in, const Tensors& out, bool gradient) {
  double bytes = bytes_of(in) + bytes_of(out);
  if (!gradient) return bytes;
  for (std::size_t i = 0; i < in.size(); ++i)
    if (reads & reads::in(i)) bytes += bytes_of({in[i]});
  for (std::size_t i = 0; i < out.size(); ++i)
    if (reads & reads::out(i)) bytes += bytes_of({out[i]});
  return bytes + bytes_of(floats(out)) + bytes_of(floats(in));
}

// Empty, or why the results are not those that f64 gives.
std::string wrong(const Tensors& got, const Tensors& wide) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i].size() == 0) continue;
    if (!is_floating(got[i].dtype())) {
      if (const std::string why = test::difference(got[i], wide[i]); !why.empty()) return why;
      continue;
    }
    const Tensor expected = cast(wide[i], got[i].dtype());
    const double scale = std::max(1.0, max(abs(cast(wide[i], f64))).item());
    const double off = max(abs(cast(got[i], f64) - cast(expected, f64))).item() / scale;
    if (!(off < 1e-4)) return fmt::format("output {} is off by {}", i, off);
  }
  return "";
}

// A case of which the results are known to be right.
struct Verified {
  std::function<Tensors(const Call&)> step;
  std::function<CompileStats()> stats = nullptr;
  std::vector<Call> calls = {};
  std::string wrong = {};
  bool large = false;
  double elements = 0, bytes = 0, arrays = 0;  // the largest tensor's elements; moved by a call; of all calls
  std::optional<OpWork> work = {};             // nothing: not known
};

Verified verified(const OpCase& c, bool compiled, bool gradient) {
  const Made made = c.make();
  const Tensors& in = made.in;
  const Tensors out = made.f(in);
  const Call call{in, gradient ? cotangents_of(out) : Tensors{}};
  Call wide;
  for (const Tensor& t : in) wide.in.push_back(is_floating(t.dtype()) ? cast(t, f64) : t);
  for (const Tensor& t : call.cotangents) wide.cotangents.push_back(t.defined() ? cast(t, f64) : t);

  const auto plain = [f = made.f, gradient](const Tensors& x, const Tensors& g) {
    return gradient ? gradients(f, x, g) : f(x);
  };
  auto fused = compile(plain);
  Verified v{.step = [plain](const Call& x) { return plain(x.in, x.cotangents); }, .large = made.large};
  if (compiled) {
    v.step = [fused](const Call& x) mutable { return fused(x.in, x.cotangents); };
    v.stats = [fused] { return fused.stats(); };
  }

  const Tensors results = v.step(call);
  if (!c.draws) v.wrong = wrong(results, plain(wide.in, wide.cotangents));
  if (compiled && v.wrong.empty()) {
    const Tensors eager = plain(in, call.cotangents);
    for (std::size_t i = 0; i < results.size(); ++i)
      if (const std::string why = test::difference(results[i], eager[i]); !why.empty())
        v.wrong = "compiled is not eager: " + why;
  }
  v.calls = made.large ? calls_past_caches(c, call, out) : std::vector{call};
  for (const Call& x : v.calls) v.step(x);

  for (const Tensors& list : {in, out})
    for (const Tensor& t : list) v.elements = std::max(v.elements, static_cast<double>(t.size()));
  v.bytes = least_bytes(c.reads, in, out, gradient);
  v.arrays = static_cast<double>(v.calls.size()) * bytes_of(in) + bytes_of(out);
  v.work = gradient || !made.forward ? work_in(made, call.cotangents, compiled) : made.forward;
  return v;
}

void run_case(benchmark::State& state, const Verified& v) {
  if (!v.wrong.empty()) throw Error(v.wrong);
  const weft::bench::MemoryWatch memory;
  std::size_t turn = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(v.step(v.calls[turn]));
    if (++turn == v.calls.size()) turn = 0;
  }
  memory.report(state, 1);
  if (v.stats) weft::bench::report(state, v.stats());

  const auto iterations = static_cast<double>(state.iterations());
  state.counters["B/s"] = Counter(v.bytes * iterations, Counter::kIsRate);
  if (v.work && v.work->flops > 0) state.counters["FLOP/s"] = Counter(v.work->flops * iterations, Counter::kIsRate);
  if (!v.large) return;
  state.counters["per_element"] = Counter(iterations * v.elements, Counter::kIsRate | Counter::kInvert);
  if (!v.work) return;
  // 1 is as fast as memory and arithmetic units let it be
  const double least = weft::bench::roofline().seconds(v.bytes, v.arrays, *v.work);
  state.counters["roof"] = Counter(least * iterations, Counter::kIsRate);
}

void register_case(const OpCase& c, int threads) {
  for (const bool gradient : {false, true})
    for (const bool compiled : {false, true}) {
      if (gradient && !c.differentiable) continue;
      const std::string name =
          fmt::format("ops/{}/{}{}", c.name, compiled ? "compile" : "eager", gradient ? "_gradient" : "");
      auto* const made = benchmark::RegisterBenchmark(
          name.c_str(), weft::bench::caught([=](benchmark::State& state) {
            run_case(state, made_once<Verified>(name, [&] { return verified(c, compiled, gradient); }));
          }));
      made->Unit(benchmark::kMicrosecond);
      if (threads > 1) made->UseRealTime();  // of one thread the time that it computes, whatever else runs
    }
}

bool is_op(std::string_view name) {
  return std::ranges::any_of(all_ops(), [&](const Op* op) { return op->name == name; });
}

}  // namespace

void register_ops(int threads) {
  test::each_op([&]<class Struct>() { register_case(op_case(op_of<Struct>(), op_input<Struct>), threads); });
  for (const auto* const list : {&test::public_functions(), &test::losses()})
    for (const test::PublicFunction& f : *list)
      if (!f.operands[0].large.empty() && !is_op(f.name)) register_case(function_case(f), threads);
}

}  // namespace bench
