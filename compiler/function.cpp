#include "function.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "../ops/arg.h"
#include "../ops/trace.h"
#include "../tensor/warn.h"
#include "call.h"
#include "executable.h"

namespace weft::detail {
namespace {

constexpr std::size_t warn_after = 8;

// The number of the first element (row-major) whose bits differ, NaNs being equal; -1 if none.
std::int64_t first_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  const std::size_t size = size_of(a.dtype());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] != x[i] && y[i] != y[i]) continue;
    if (x[i] != y[i] || std::signbit(x[i]) != std::signbit(y[i])) return static_cast<std::int64_t>(i);
  }
  if (a.dtype() == i64) return std::memcmp(a.view().data, b.view().data, x.size() * size) ? 0 : -1;
  return -1;
}

// The graph with the tensors that were captured as constants, which passes may compute with.
Graph with_constants(const Graph& graph, std::size_t args, const std::vector<Traced::Input>& captured) {
  GraphCopy copy(graph);
  for (std::size_t k = 0; k < graph.inputs.size(); ++k) {
    const ValueId v = graph.inputs[k];
    if (k < args || captured[k - args].variable)
      copy.input(v);
    else
      copy.set(v, copy.to.add_constant(captured[k - args].tensor));
  }
  for (const Graph::Node& n : graph.nodes) copy.node(n);
  for (const ValueId v : graph.outputs) copy.to.outputs.push_back(copy(v));
  return std::move(copy.to);
}

}  // namespace

PlainCall::~PlainCall() {
  pop_recorder(this);
  if (std::uncaught_exceptions() == exceptions_) return;
  for (auto it = before_.rbegin(); it != before_.rend(); ++it) it->first->value = std::move(it->second);
}

void PlainCall::assigned(const std::shared_ptr<VariableState>& variable, const Tensor&, const Tensor&) {
  if (!active_tracer()) before_.emplace_back(variable, variable->value);
}

void Signature::add_tensor(const Tensor& t) {
  if (!t.defined()) {
    add_word(~std::uint64_t{0});
    return;
  }
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    if (tensors_[i].same(t)) return add_word(0x100 | i << 16);
  add_word(0x200 | static_cast<std::uint64_t>(t.dtype()) << 16 | static_cast<std::uint64_t>(t.rank()) << 24);
  for (const std::int64_t n : t.shape()) add_word(static_cast<std::uint64_t>(n));
  tensors_.push_back(t);
  types_.push_back(t.type());
}

void Signature::add_variable(const Variable& v) {
  add_word(0x300);
  add_word(reinterpret_cast<std::uintptr_t>(v.state().get()));
}

std::string Signature::difference(const Signature& before) const {
  for (std::size_t i = 0; i < types_.size() && i < before.types_.size(); ++i)
    if (types_[i] != before.types_[i])
      return fmt::format("tensor {} was {}, is {}", i, before.types_[i].text(), types_[i].text());
  if (types_.size() != before.types_.size())
    return fmt::format("{} distinct tensors were passed, now {}", before.types_.size(), types_.size());
  return "a host number, a variable or the context changed; pass a number that changes as a Tensor";
}

std::shared_ptr<Traced> FunctionCache::find(Signature&& signature, const TraceBody& body) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < traces_.size(); ++i) {
    if (!traces_[i]->signature.same_words(signature)) continue;
    if (i)
      std::rotate(traces_.begin(), traces_.begin() + static_cast<std::ptrdiff_t>(i),
                  traces_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return traces_.front();
  }
  if (++made_ > warn_after && !warned_ && !traces_.empty()) {
    warned_ = true;
    warn("compile: {} traces of one function: {}", made_, signature.difference(traces_.front()->signature));
  }
  const auto start = std::chrono::steady_clock::now();
  auto traced = std::make_shared<Traced>();
  Trace trace;
  std::vector<Tensor> placeholders, leaves;
  for (const Tensor& t : signature.tensors()) placeholders.push_back(trace.add_input(t.type()));
  {
    const auto lock = Executable::lock_state();  // the trace looks at variables that another function may be writing
    const TraceScope scope(&trace);
    traced->result = body(placeholders, leaves);
  }
  for (const Tensor& t : leaves) {
    if (!t.defined())
      throw GuardError("a compiled function returned an undefined tensor",
                       "a gradient that does not exist? Unconnected::zero gives zeros");
    trace.graph.outputs.push_back(trace.value_of(t));
  }
  traced->results = leaves.size();
  std::vector<std::size_t> written;
  for (const Trace::Capture& c : trace.captures) {
    traced->captured.push_back({c.tensor, c.variable});
    if (!c.variable) continue;
    if (c.assigned) {
      written.push_back(traced->variables.size());
      trace.graph.outputs.push_back(c.assigned_value);
    }
    traced->variables.push_back(c.variable);
  }
  traced->assigned = written;
  const double trace_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  traced->executable = std::make_shared<Executable>(with_constants(trace.graph, placeholders.size(), traced->captured),
                                                    placeholders.size(), leaves.size(), std::move(written), trace_ms);
  traced->callee = std::make_shared<const Callee>(std::make_shared<const Graph>(std::move(trace.graph)));
  traced->signature = std::move(signature);
  traced->signature.forget_tensors();
  traces_.insert(traces_.begin(), traced);
  if (traces_.size() > options_.max_traces) traces_.pop_back();
  return traced;
}

void FunctionCache::run(const Traced& traced, std::span<const Tensor> args, std::span<Tensor> results,
                        const std::function<std::vector<Tensor>()>& eager) {
  if (!options_.check) return traced.executable->run(args, traced.variables, results);
  std::vector<Tensor> before, after;
  for (const auto& v : traced.variables) before.push_back(v->value);
  const std::vector<Tensor> expected = eager();
  for (std::size_t k = 0; k < before.size(); ++k) {
    after.push_back(traced.variables[k]->value);
    traced.variables[k]->value = before[k];
  }
  traced.executable->run(args, traced.variables, results);
  for (std::size_t k = 0; k < expected.size(); ++k)
    if (const std::int64_t at = first_difference(expected[k], results[k]); at >= 0)
      throw GuardError(fmt::format("check: result {} differs from eager at element {}: {} against {}", k, at,
                                   results[k].to_vector<double>()[static_cast<std::size_t>(at)],
                                   expected[k].to_vector<double>()[static_cast<std::size_t>(at)]));
  for (std::size_t k = 0; k < after.size(); ++k)
    if (const std::int64_t at = first_difference(after[k], traced.variables[k]->value); at >= 0)
      throw GuardError(fmt::format("check: variable \"{}\" differs from eager at element {}: {} against {}",
                                   traced.variables[k]->name, at,
                                   traced.variables[k]->value.to_vector<double>()[static_cast<std::size_t>(at)],
                                   after[k].to_vector<double>()[static_cast<std::size_t>(at)]));
}

void FunctionCache::run_recorded(const Traced& traced, std::span<const Tensor> args, std::span<Tensor> results) {
  const auto lock = traced.executable->state_lock();
  std::vector<Tensor> in(args.begin(), args.end());
  for (const Traced::Input& c : traced.captured)
    in.push_back(c.variable ? Variable::handle(c.variable).value() : c.tensor);
  std::vector<Tensor> out = call(traced.callee, in);
  for (std::size_t k = 0; k < traced.results; ++k) results[k] = std::move(out[k]);
  for (std::size_t k = 0; k < traced.assigned.size(); ++k)
    Variable::handle(traced.variables[traced.assigned[k]]).assign(std::move(out[traced.results + k]));
}

std::shared_ptr<Traced> FunctionCache::latest() const {
  const std::lock_guard lock(mutex_);
  return traces_.empty() ? nullptr : traces_.front();
}

CompileStats FunctionCache::stats() const {
  const auto traced = latest();
  CompileStats s = traced ? traced->executable->stats() : CompileStats{};
  s.traces = made_;
  return s;
}

std::string FunctionCache::dump(std::string_view stage) const {
  const auto traced = latest();
  return traced ? traced->executable->dump(stage) : "not traced yet\n";
}

std::vector<std::string> FunctionCache::captures() const {
  std::vector<std::string> list;
  if (const auto traced = latest())
    for (const auto& v : traced->variables)
      list.push_back(
          fmt::format("{} {}", v->name.empty() ? "variable" : "\"" + v->name + "\"", v->value.type().text()));
  if (const auto traced = latest())
    for (const Tensor& t : traced->executable->constants())
      if (t.rank() > 0)
        list.push_back(fmt::format("{} {}", t.name().empty() ? "tensor" : "\"" + t.name() + "\"", t.type().text()));
  return list;
}

}  // namespace weft::detail
