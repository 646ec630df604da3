// ops/NAME/eager, /compile, /eager_gradient, /compile_gradient for each op of the table: verified, then timed beside
// the least time that the machine allows.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <weft/weft.h>

#include "cases.h"
#include "op_inputs.h"
#include "report/machine.h"
#include "report/memory.h"

namespace bench {
namespace {

using namespace weft;
using benchmark::Counter;

using Tensors = std::vector<Tensor>;

struct OpCase {
  const Op* op;
  OpInput (*input)();
};

double bytes_of(const Tensors& tensors) {
  double bytes = 0;
  for (const Tensor& t : tensors) bytes += static_cast<double>(t.size()) * static_cast<double>(size_of(t.dtype()));
  return bytes;
}

Tensors floats(const Tensors& tensors) {
  Tensors r;
  for (const Tensor& t : tensors)
    if (is_floating(t.dtype())) r.push_back(t);
  return r;
}

// The op, or its gradients for cotangents that are given beside its inputs.
Tensors run(const Op& op, const Attrs& attrs, const Tensors& in) { return test::run(op, {attrs, in}); }
Tensors gradients(const Op& op, const Attrs& attrs, const Tensors& in, const Tensors& cotangents) {
  GradientTape tape;
  const Tensors sources = floats(in);
  tape.watch(sources);
  const Tensors out = run(op, attrs, in);
  return tape.gradient(out, sources, GradientOptions{.output_gradients = cotangents, .unconnected = Unconnected::zero});
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
    calls.push_back({c.input().sample.in, call.cotangents.empty() ? Tensors{} : cotangents_of(out)});
  return calls;
}

// What a case reads and writes at least; for gradients, of forward and backward.
double least_bytes(const Op& op, const Tensors& in, const Tensors& out, bool gradient) {
  double bytes = bytes_of(in) + bytes_of(out);
  if (!gradient) return bytes;
  for (std::size_t i = 0; i < in.size(); ++i)
    if (op.reads >> i & 1) bytes += bytes_of({in[i]});
  for (std::size_t i = 0; i < out.size(); ++i)
    if (op.reads >> (16 + i) & 1) bytes += bytes_of({out[i]});
  return bytes + bytes_of(floats(out)) + bytes_of(floats(in));
}

// Empty, or why the first elements are not those that f64 gives.
std::string wrong(const Tensors& got, const Tensors& wide) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!is_floating(got[i].dtype()) || got[i].size() == 0) continue;
    const Tensor expected = cast(wide[i], got[i].dtype());
    const double scale = std::max(1.0, max(abs(cast(wide[i], f64))).item());
    const double off = max(abs(cast(got[i], f64) - cast(expected, f64))).item() / scale;
    if (!(off < 1e-4)) return fmt::format("output {} is off by {}", i, off);
  }
  return "";
}

void run_case(benchmark::State& state, const OpCase& c, bool compiled, bool gradient) {
  const Op& op = *c.op;
  const OpInput input = c.input();
  const Attrs& attrs = input.sample.attrs;
  const Tensors& in = input.sample.in;
  const Tensors out = run(op, attrs, in);
  const Call call{in, gradient ? cotangents_of(out) : Tensors{}};
  Call wide;
  for (const Tensor& t : in) wide.in.push_back(is_floating(t.dtype()) ? cast(t, f64) : t);
  for (const Tensor& t : call.cotangents) wide.cotangents.push_back(t.defined() ? cast(t, f64) : t);

  const auto plain = [&](const Tensors& x, const Tensors& g) {
    return gradient ? gradients(op, attrs, x, g) : run(op, attrs, x);
  };
  auto fused = compile(plain);
  const auto step = [&](const Call& x) { return compiled ? fused(x.in, x.cotangents) : plain(x.in, x.cotangents); };

  const Tensors results = step(call);
  if (!op.draws) {
    if (const std::string why = wrong(results, plain(wide.in, wide.cotangents)); !why.empty())
      return state.SkipWithError(why.c_str());
  }
  if (compiled) {
    const Tensors eager = plain(in, call.cotangents);
    for (std::size_t i = 0; i < results.size(); ++i)
      if (const std::string why = test::difference(results[i], eager[i]); !why.empty())
        return state.SkipWithError(("compiled is not eager: " + why).c_str());
  }
  const std::vector<Call> calls = input.large ? calls_past_caches(c, call, out) : std::vector{call};
  for (const Call& x : calls) step(x);
  const weft::bench::MemoryWatch memory;
  std::size_t turn = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(step(calls[turn]));
    if (++turn == calls.size()) turn = 0;
  }
  memory.report(state, 1);
  if (const std::size_t kernels = fused.stats().kernels; kernels > 0)
    state.counters["kernels"] = static_cast<double>(kernels);

  const auto iterations = static_cast<double>(state.iterations());
  const double bytes = least_bytes(op, in, out, gradient);
  const double arrays = static_cast<double>(calls.size()) * bytes_of(in) + bytes_of(out);
  double elements = 0;
  for (const Tensors& list : {in, out})
    for (const Tensor& t : list) elements = std::max(elements, static_cast<double>(t.size()));
  state.counters["B/s"] = Counter(bytes * iterations, Counter::kIsRate);
  if (input.arithmetic.operations > 0 && !gradient)
    state.counters["op/s"] = Counter(input.arithmetic.operations * iterations, Counter::kIsRate);
  if (!input.large) return;
  state.counters["per_element"] = Counter(iterations * elements, Counter::kIsRate | Counter::kInvert);
  // 1 is as fast as memory and arithmetic units let it be
  const double least = weft::bench::roofline().seconds(bytes, arrays, gradient ? Arithmetic{} : input.arithmetic);
  state.counters["roof"] = Counter(least * iterations, Counter::kIsRate);
}

}  // namespace

void register_ops(int threads) {
  test::each_op([&]<class Struct>() {
    const OpCase c{&op_of<Struct>(), op_input<Struct>};
    for (const bool gradient : {false, true})
      for (const bool compiled : {false, true}) {
        if (gradient && !c.op->differentiable) continue;
        const std::string name =
            fmt::format("ops/{}/{}{}", c.op->name, compiled ? "compile" : "eager", gradient ? "_gradient" : "");
        auto* const made = benchmark::RegisterBenchmark(
            name.c_str(), [=](benchmark::State& state) { run_case(state, c, compiled, gradient); });
        made->Unit(benchmark::kMicrosecond);
        if (threads > 1) made->UseRealTime();  // of one thread the time that it computes, whatever else runs
      }
  });
}

}  // namespace bench
