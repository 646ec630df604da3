#include "function.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "../ops/arg.h"
#include "../ops/trace.h"
#include "../tensor/profile_log.h"
#include "../tensor/warn.h"
#include "call.h"
#include "executable.h"
#include "milliseconds.h"
#include "stages.h"

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

// The graph with the tensors that were captured as constants, which passes may compute with; variables have their
// names.
Graph as_compiled(const Graph& graph, std::size_t args, const std::vector<Traced::Input>& captured) {
  std::vector<Tensor> constants(args);
  for (const Traced::Input& c : captured) constants.push_back(c.tensor);
  Graph compiled = with_constants(graph, constants, EqualNodes::merged);
  auto input = static_cast<std::uint32_t>(args);
  for (const Traced::Input& c : captured)
    if (c.variable) compiled.name_input(input++, c.variable->name.empty() ? "a variable" : c.variable->name);
  return compiled;
}

// What is traced is in the scopes that it opens itself: those around a call are another's at each.
class OutermostScope {
 public:
  OutermostScope() : before_(std::exchange(current_scope, nullptr)) {}
  ~OutermostScope() { current_scope = before_; }
  OutermostScope(const OutermostScope&) = delete;

 private:
  const Scope* before_;
};

// What a trace's variables are in a call that passes these: its own, but for those that were passed to it.
class Replaced {
 public:
  Replaced(const Variables& before, const Variables& now) : before_(before), now_(now) {}
  const std::shared_ptr<VariableState>& operator()(const std::shared_ptr<VariableState>& v) const {
    const auto at = std::find(before_.begin(), before_.end(), v);
    return at == before_.end() ? v : now_[static_cast<std::size_t>(at - before_.begin())];
  }

 private:
  const Variables &before_, &now_;
};

bool same_graph(const Graph& a, const Graph& b) {
  const auto same_value = [](const Graph::Value& x, const Graph::Value& y) {
    return x.type == y.type && x.kind == y.kind && x.index == y.index;
  };
  const auto same_node = [](const Graph::Node& x, const Graph::Node& y) {
    return x.op == y.op && x.in == y.in && x.out == y.out && x.attrs == y.attrs;
  };
  const auto same_constant = [](const Tensor& x, const Tensor& y) {
    return x.same(y) || (x.size() == 1 && x.type() == y.type() &&
                         std::memcmp(x.view().data, y.view().data, size_of(x.dtype())) == 0);
  };
  return a.inputs == b.inputs && a.outputs == b.outputs && std::ranges::equal(a.values, b.values, same_value) &&
         std::ranges::equal(a.nodes, b.nodes, same_node) && std::ranges::equal(a.constants, b.constants, same_constant);
}

// The traces do the same, each to the variables that it was passed.
bool same_but_for_variables(const Traced& a, const Traced& b) {
  const Replaced in_b(a.signature.variables(), b.signature.variables());
  const auto same = [&](const Traced::Input& x, const Traced::Input& y) {
    return x.variable ? in_b(x.variable) == y.variable : x.tensor.same(y.tensor);
  };
  return a.assigned == b.assigned && std::ranges::equal(a.captured, b.captured, same) &&
         same_graph(a.callee->graph(), b.callee->graph());
}

// The trace may stand for a call that passes these: none of them is one that it takes from elsewhere.
bool takes(const Traced& traced, const Variables& passed) {
  if (!traced.any_variables) return false;
  const Variables& own = traced.signature.variables();
  return std::none_of(traced.variables.begin(), traced.variables.end(), [&](const auto& v) {
    return std::find(own.begin(), own.end(), v) == own.end() &&
           std::find(passed.begin(), passed.end(), v) != passed.end();
  });
}

// A variable that it captured is no longer anybody's: the model was assigned to, as `net = Net()` does to the elements
// of a vector, or is gone; or it is another's, as after std::swap of two models. What the function reads now only a new
// trace can tell. (Where vectors of layers change places, each Variable stays where it is, and nothing shows it.)
bool is_stale(const Traced& traced) {
  return std::any_of(traced.owned.begin(), traced.owned.end(),
                     [](const auto& o) { return o.variable->owners == 0 || o.variable->moves != o.moves; });
}

// The variables are frozen, or not, as they were: a tape in it would record the same.
bool trains_the_same(const Traced& traced) {
  return std::all_of(traced.trainable.begin(), traced.trainable.end(),
                     [](const auto& known) { return known.first->trainable() == known.second; });
}

}  // namespace

void check_reads_variables() {
  if (substitutes)
    throw GuardError("lower: a SubstituteScope gives variables other values here", "compile before it begins");
}

PlainCall::~PlainCall() {
  pop_recorder(this);
  if (std::uncaught_exceptions() == exceptions_) return;
  for (auto it = before_.rbegin(); it != before_.rend(); ++it) it->first->value = std::move(it->second);
}

void PlainCall::assigned(const std::shared_ptr<VariableState>& variable, const Tensor&, const Tensor&) {
  if (!active_tracer()) before_.emplace_back(variable, variable->value);
}

FunctionCache::FunctionCache(CompileOptions options, const Site& site) : options_(options), site_(site) {
  called("compile", site, [&] {
    if (options.max_traces == 0) throw ArgumentError("max_traces is 0: there has to be room for one");
  });
}

std::shared_ptr<Traced> FunctionCache::find(Signature&& signature, const TraceBody& body) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < traces_.size(); ++i)
    if (traces_[i]->signature.same_words(signature) && traces_[i]->signature.variables() == signature.variables() &&
        !is_stale(*traces_[i]) && trains_the_same(*traces_[i]))
      return use(i);
  std::erase_if(traces_, [](const auto& traced) { return is_stale(*traced); });
  for (std::size_t i = 0; i < traces_.size(); ++i)
    if (traces_[i]->signature.same_words(signature) && takes(*traces_[i], signature.variables()) &&
        trains_the_same(*traces_[i]))
      return use(i);
  if (made_ >= warn_after && !warned_ && !traces_.empty()) {
    warned_ = true;
    warn("compile{}: {} traces of one function: {}", at_line(site_), made_ + 1,
         signature.difference(traces_.front()->signature));
  }
  const detail::ProfilePhase phase("compile");
  const auto start = std::chrono::steady_clock::now();
  auto traced = std::make_shared<Traced>();
  Trace trace(EqualNodes::kept);  // as a tape would record them
  std::vector<Tensor> placeholders;
  for (const Tensor& t : signature.tensors()) placeholders.push_back(trace.add_input(t.type()));
  const BodyResult result = [&] {
    const detail::ProfilePhase tracing("trace");
    const TraceScope scope(&trace);
    const OutermostScope outermost;
    return body(placeholders);
  }();
  traced->result = result.value;
  for (const Tensor& t : result.leaves) trace.graph.outputs.push_back(trace.value_of(t));
  traced->results = result.leaves.size();
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
  std::unordered_set<const VariableState*> known;
  for (const auto& v : signature.variables()) known.insert(v.get());
  for (const auto& v : traced->variables)
    if (v->owners > 0 && !known.contains(v.get())) traced->owned.push_back({v, v->moves});
  for (const auto* list : {&traced->variables, &trace.asked_trainable})
    for (const auto& v : *list)
      if (known.insert(v.get()).second) traced->trainable.emplace_back(v, v->trainable());
  const double trace_ms = milliseconds_since(start);
  traced->executable =
      std::make_shared<Executable>(as_compiled(trace.graph, placeholders.size(), traced->captured), placeholders.size(),
                                   result.leaves.size(), std::move(written), trace_ms, false, site_);
  traced->callee = std::make_shared<const Callee>(std::make_shared<const Graph>(std::move(trace.graph)));
  traced->signature = std::move(signature);
  traced->signature.forget_tensors();
  for (const auto& other : traces_)
    if (!result.names_variables && !trace.tells_variables_apart && other->signature.same_words(traced->signature) &&
        same_but_for_variables(*other, *traced))
      other->any_variables = traced->any_variables = true;
  traces_.insert(traces_.begin(), traced);
  ++made_;
  if (traces_.size() > options_.max_traces) traces_.pop_back();
  return traced;
}

std::shared_ptr<Traced> FunctionCache::use(std::size_t trace) {
  const auto at = traces_.begin() + static_cast<std::ptrdiff_t>(trace);
  std::rotate(traces_.begin(), at, at + 1);
  return traces_.front();
}

void FunctionCache::run(const Traced& traced, std::span<const Tensor> args, const Variables& passed,
                        std::span<Tensor> results, const std::function<std::vector<Tensor>()>& eager) {
  Variables replaced;
  if (passed != traced.signature.variables())
    for (const auto& v : traced.variables) replaced.push_back(Replaced(traced.signature.variables(), passed)(v));
  const Variables& variables = replaced.empty() ? traced.variables : replaced;
  for (const Tensor& t : args)
    if (t.is_traced()) throw GuardError("a traced tensor was used after its trace", "return it and use the result");
  if (options_.check) return check(traced, args, variables, results, eager);
  traced.executable->run(args, variables, results);
}

void FunctionCache::check(const Traced& traced, std::span<const Tensor> args, const Variables& variables,
                          std::span<Tensor> results, const std::function<std::vector<Tensor>()>& eager) {
  const auto lock = lock_variables();  // both runs start from the same state
  std::vector<Tensor> before, after;
  for (const auto& v : variables) before.push_back(v->value);
  const auto restore = [&] {
    for (std::size_t k = 0; k < before.size(); ++k) variables[k]->value = before[k];
  };
  try {
    const std::vector<Tensor> expected = eager();
    for (const auto& v : variables) after.push_back(v->value);
    restore();
    traced.executable->run(args, variables, results);
    if (expected.size() != results.size())
      throw GuardError(fmt::format("check: {} results are defined, {} in eager code", results.size(), expected.size()));
    for (std::size_t k = 0; k < expected.size(); ++k)
      if (const std::int64_t at = first_difference(expected[k], results[k]); at >= 0)
        throw GuardError(fmt::format("check: result {} differs from eager at element {}: {} against {}", k, at,
                                     results[k].to_vector<double>()[static_cast<std::size_t>(at)],
                                     expected[k].to_vector<double>()[static_cast<std::size_t>(at)]));
    for (std::size_t k = 0; k < after.size(); ++k)
      if (const std::int64_t at = first_difference(after[k], variables[k]->value); at >= 0)
        throw GuardError(fmt::format("check: variable \"{}\" differs from eager at element {}: {} against {}",
                                     variables[k]->name, at,
                                     variables[k]->value.to_vector<double>()[static_cast<std::size_t>(at)],
                                     after[k].to_vector<double>()[static_cast<std::size_t>(at)]));
  } catch (...) {
    restore();
    throw;
  }
}

void FunctionCache::run_recorded(const Traced& traced, std::span<const Tensor> args, const Variables& passed,
                                 std::span<Tensor> results) {
  const Replaced now(traced.signature.variables(), passed);
  const auto lock = traced.executable->state_lock();
  std::vector<Tensor> in(args.begin(), args.end());
  for (const Traced::Input& c : traced.captured)
    in.push_back(c.variable ? Variable::handle(now(c.variable)).value() : c.tensor);
  std::vector<Tensor> out = call(traced.callee, in);
  for (std::size_t k = 0; k < traced.results; ++k) results[k] = std::move(out[k]);
  for (std::size_t k = 0; k < traced.assigned.size(); ++k)
    Variable::handle(now(traced.variables[traced.assigned[k]])).assign(std::move(out[traced.results + k]));
}

std::shared_ptr<Traced> FunctionCache::latest() const {
  const std::lock_guard lock(mutex_);
  return traces_.empty() ? nullptr : traces_.front();
}

CompileStats FunctionCache::stats() const {
  const auto traced = latest();
  CompileStats s = traced ? traced->executable->stats() : CompileStats{};
  const std::lock_guard lock(mutex_);
  s.traces = made_;
  return s;
}

std::string FunctionCache::dump(std::string_view stage) const {
  check_stage(stage);
  const auto traced = latest();
  if (!traced) return stage.ends_with("dot") ? "digraph weft {}\n" : "not traced yet\n";
  if (!Executable::wants_log(stage)) return traced->executable->dump(stage);
  // Compiled once more, for its log.
  const Graph& graph = traced->callee->graph();
  const std::size_t args = graph.inputs.size() - traced->captured.size();
  return Executable(as_compiled(graph, args, traced->captured), args, traced->results, traced->assigned, 0, true)
      .dump(stage);
}

std::vector<std::string> FunctionCache::captures() const {
  std::vector<std::string> list;
  const auto traced = latest();
  if (!traced) return list;
  for (const auto& v : traced->variables)
    list.push_back(fmt::format("{} {}", v->name.empty() ? "variable" : "\"" + v->name + "\"", v->type.text()));
  for (const auto& [t, variable] : traced->captured)
    if (!variable && t.rank() > 0)
      list.push_back(fmt::format("{} {}", t.name().empty() ? "tensor" : "\"" + t.name() + "\"", t.type().text()));
  return list;
}

}  // namespace weft::detail
