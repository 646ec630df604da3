#include "executable.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <set>

#include "../ops/apply.h"
#include "../ops/graph_interpreter.h"
#include "../ops/trace.h"
#include "../tensor/profile_log.h"
#include "concats.h"
#include "early_checks.h"
#include "epilogues.h"
#include "executable_frame.h"
#include "jit/jit.h"
#include "memory_plan.h"
#include "milliseconds.h"
#include "packing.h"
#include "recompute.h"
#include "simplify.h"
#include "verify.h"
#include "verify_steps.h"

namespace weft {
namespace {

/// The elements in row-major order: where they lie, or in one more copy.
std::byte* in_order(const View& view, std::vector<Storage>& copies) {
  if (view.contiguous()) return view.as<std::byte>();
  return const_cast<std::byte*>(detail::in_order(view, copies.emplace_back()));
}

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> made{0};
  return ++made;
}

}  // namespace

Executable::Executable(const Graph& graph, std::size_t args, std::size_t results, std::vector<std::size_t> written,
                       double trace_ms, bool logs, const Site& compiled_at)
    : Executable(graph, args, results, std::move(written), trace_ms, logs, compiled_at, true) {}

Executable::Executable(const Graph& graph, bool logs)
    : Executable(graph, graph.inputs.size(), graph.outputs.size(), {}, 0, logs, {}, false) {}

Executable::Executable(const Graph& graph, std::size_t args, std::size_t results, std::vector<std::size_t> written,
                       double trace_ms, bool logs, const Site& compiled_at, bool keeps)
    : log_(logs ? std::make_unique<PassLog>() : nullptr),
      graph_(simplify(graph, log_.get())),
      args_(args),
      results_(results),
      written_(std::move(written)),
      compiled_at_(compiled_at),
      number_(next_number()) {
  const detail::ProfilePhase phase("plan");
  stats_.trace_ms = trace_ms;
  const auto start = std::chrono::steady_clock::now();
  const Grouping grouping = group(keeps);
  build_steps(grouping);
  Flow flow;
  const auto made = [&](std::string_view pass) {
    if (log_) log_->after(pass, graph_, steps_, direct_);
    if (!verifies()) return;
    Flow now = verify(graph_, steps_, direct_);
    if (!flow.empty()) verify_same(pass, flow, now);
    flow = std::move(now);
  };
  made("build_steps");
  share_buffers(graph_, steps_, direct_);
  made("share_buffers");
  merge_launches(graph_, steps_, states(), log_.get());
  made("merge_launches");
  attach_epilogues(graph_, steps_, direct_, successors(), find_regions(graph_, steps_, states()), log_.get());
  made("attach_epilogues");
  regions_ = find_regions(graph_, steps_, states(), log_.get());
  if (verifies()) verify(graph_, steps_, regions_, states());
  plan();
  stats_.plan_ms = milliseconds_since(start);
  if (!log_) generate();
  stats_.nodes = graph_.nodes.size();
}

Executable::~Executable() = default;

Grouping Executable::group(bool keeps) {
  if (keeps) {
    graph_ = pack_weights(graph_, args_, written_);
    if (verifies()) graph_.verify();
    if (log_) log_->after("pack_weights", graph_);
  }
  if (written_.size() > 1) {
    graph_ = check_early(graph_, late_values());
    if (verifies()) graph_.verify();
    if (log_) log_->after("check_early", graph_);
  }
  Grouping grouping = group_nodes(graph_, late_values());
  if (verifies()) verify(graph_, grouping);
  Keeping keeping = keeps ? keep_values(graph_, grouping, args_, results_, written_) : Keeping();
  if (keeping.values.empty()) {
    if (log_) log_->after("group_nodes", graph_, grouping);
    return grouping;
  }
  graph_ = std::move(keeping.graph);
  written_ = std::move(keeping.written);
  for (const KeptValue& value : keeping.values) stats_.kept_bytes += value.graph->type(value.graph->outputs[0]).bytes();
  stats_.kept_values = keeping.values.size();
  kept_ = std::make_unique<KeptTensors>(std::move(keeping.values));
  grouping = group_nodes(graph_, late_values());
  if (verifies()) graph_.verify(), verify(graph_, grouping);
  if (log_) {
    log_->after("keep_values", graph_);
    log_->after("group_nodes", graph_, grouping);
  }
  return grouping;
}

CompileStats Executable::stats() const {
  CompileStats s = stats_;
  if (kept_) s.kept_made = kept_->made();
  return s;
}

std::vector<bool> Executable::late_values() const {
  const std::vector<Access> accesses = find_accesses(graph_);
  std::vector<bool> late(graph_.values.size());
  for (std::size_t s = 0; s < written_.size(); ++s) late[accesses[graph_.outputs[results_ + s]].base] = true;
  for (auto n = graph_.nodes.rbegin(); n != graph_.nodes.rend(); ++n)
    if (n->op->in_place && late[n->out]) late[accesses[n->in[0]].base] = true;
  return late;
}

void Executable::build_steps(const Grouping& grouping) {
  const std::vector<bool> stored = stored_values(graph_, grouping);
  Places places(graph_.values.size());
  for (ValueId v = 0; v < stored.size(); ++v)
    if (stored[v]) places[v] = Access{v, 0, graph_.type(v).shape, contiguous_strides(graph_.type(v).shape)};
  const std::vector<bool> joined = join_in_place(graph_, grouping, places);

  // Outputs that a step can write itself; the others are copied at the end.
  direct_.assign(graph_.outputs.size(), no_value);
  std::vector<bool> claimed(graph_.values.size());
  for (std::size_t k = graph_.outputs.size(); k-- > 0;) {  // new states first: they may overwrite in place
    const Access& a = grouping.accesses[graph_.outputs[k]];
    const bool computed = graph_.values[a.base].kind == Graph::Value::computed;
    if (!computed || claimed[a.base] || !is_whole(a, graph_.type(a.base))) continue;
    claimed[a.base] = true;
    direct_[k] = a.base;
  }
  for (const Group& g : grouping.groups) {
    if (g.fused) {
      steps_.push_back(LaunchStep{{lower_group(graph_, grouping, g, places)}});
      ++stats_.groups;
    } else if (!joined[g.nodes[0]]) {
      const Graph::Node& n = graph_.nodes[g.nodes[0]];
      NodeStep step{g.nodes[0], {}, n.out, {}, {}};
      if (n.op->graphs)
        for (const auto& body : n.op->graphs(n.attrs)) {
          step.bodies.push_back(std::make_shared<Executable>(*body, log_ != nullptr));
          step.runners.push_back(step.bodies.back().get());
        }
      for (const ValueId v : n.in) step.in.push_back(grouping.accesses[v]);
      steps_.push_back(std::move(step));
      ++stats_.library_calls;
    }
  }
  for (std::size_t k = 0; k < graph_.outputs.size(); ++k)
    if (direct_[k] == no_value) steps_.push_back(CopyStep{grouping.accesses[graph_.outputs[k]], k});
}

std::vector<bool> Executable::states() const {
  std::vector<bool> list(graph_.values.size());
  for (std::size_t k = results_; k < direct_.size(); ++k)
    if (direct_[k] != no_value) list[direct_[k]] = true;
  return list;
}

std::vector<ValueId> Executable::successors() const {
  std::vector<ValueId> list(graph_.values.size(), no_value);
  for (std::size_t s = 0; s < written_.size(); ++s) list[graph_.inputs[args_ + written_[s]]] = direct_[results_ + s];
  return list;
}

void Executable::plan() {
  const std::vector<NewState> states = new_states();
  in_place_ = find_overwrites(graph_, steps_, states, !written_.empty());
  if (written_.empty()) keep_carries_apart(states);

  std::vector<int> first(graph_.values.size(), -1), last(graph_.values.size(), -1);
  auto region = regions_.begin();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (region != regions_.end() && i == region->end) ++region;
    const bool inside = region != regions_.end() && i >= region->begin;  // all steps of a region are one
    each_use(graph_, steps_[i], [&](ValueId v, bool) {
      if (first[v] < 0) first[v] = static_cast<int>(inside ? region->begin : i);
      last[v] = static_cast<int>(inside ? region->end - 1 : i);
    });
  }
  std::vector<bool> elsewhere(graph_.values.size());
  for (const ValueId v : direct_)
    if (v != no_value) elsewhere[v] = true;
  std::vector<PlannedBuffer> buffers;
  std::vector<ValueId> owners;
  for (ValueId v = 0; v < graph_.values.size(); ++v) {
    if (first[v] < 0 || elsewhere[v] || graph_.values[v].kind != Graph::Value::computed) continue;
    buffers.push_back({graph_.type(v).bytes(), first[v], last[v]});
    owners.push_back(v);
  }
  stats_.arena_bytes = plan_memory(buffers);
  if (verifies()) verify(buffers, stats_.arena_bytes);
  arena_offset_.assign(graph_.values.size(), -1);
  for (std::size_t k = 0; k < owners.size(); ++k) arena_offset_[owners[k]] = buffers[k].offset;
  if (verifies()) verify(graph_, steps_, regions_, memory(), direct_);
}

std::vector<NewState> Executable::new_states() const {
  std::vector<NewState> list;
  for (std::size_t s = 0; s < written_.size(); ++s)
    list.push_back({graph_.inputs[args_ + written_[s]], direct_[results_ + s]});
  for (std::size_t k = 0; written_.empty() && k < std::min(args_, results_); ++k) {
    const ValueId old = graph_.inputs[k], fresh = direct_[k];
    list.push_back({old, fresh != no_value && graph_.type(old) == graph_.type(fresh) ? fresh : no_value});
  }
  return list;
}

// Rows of a region go through its steps one after the other: a step may see what a later one wrote of other rows.
void Executable::keep_carries_apart(std::span<const NewState> carries) {
  std::vector<bool> in_region(graph_.values.size());
  for (const Region& r : regions_)
    for (std::size_t i = r.begin; i < r.end; ++i)
      each_use(graph_, steps_[i], [&](ValueId v, bool output) {
        if (output) in_region[v] = true;
      });
  for (std::size_t k = 0; k < carries.size(); ++k)
    if (carries[k].fresh != no_value && in_region[carries[k].fresh]) in_place_[k] = false;
}

bool Executable::overwrites(std::size_t k) const {
  const bool carry = written_.empty() && k < in_place_.size();
  return carry && (in_place_[k] || graph_.outputs[k] == graph_.inputs[k]);  // the copy of it has nothing to do
}

std::vector<Place> Executable::memory() const {
  std::vector<Place> places;
  for (ValueId v = 0; v < graph_.values.size(); ++v) {
    const std::int64_t bytes = graph_.type(v).bytes();
    const std::int64_t at = arena_offset_[v];
    places.push_back(at >= 0 ? Place{-1, at, at + bytes} : Place{v, 0, bytes});
  }
  const std::vector<NewState> states = new_states();
  for (std::size_t s = 0; s < states.size(); ++s)
    if (in_place_[s] && states[s].fresh != no_value) places[states[s].fresh] = places[states[s].old];
  return places;
}

void Executable::generate() {
  const auto start = std::chrono::steady_clock::now();
  std::vector<const Kernel*> kernels;  // of each launch its own, each once
  std::vector<std::pair<Launch*, std::size_t>> loops;
  std::set<std::string> distinct;
  for (Step& step : steps_)
    if (LaunchStep* launch = launch_of(step)) {
      ++stats_.launches;
      const std::size_t first = kernels.size();
      for (Launch& l : launch->segments) {
        std::size_t k = first;
        while (k < kernels.size() && *kernels[k] != l.kernel) ++k;
        if (k == kernels.size()) {
          kernels.push_back(&l.kernel);
          distinct.insert(l.kernel.text());
        }
        loops.emplace_back(&l, k);
      }
    }
  stats_.kernels = distinct.size();
  if (!kernels.empty()) {
    const detail::ProfilePhase phase("codegen");
    if (Jit* jit = Jit::get()) {
      const std::vector<KernelFunction> functions = jit->compile(kernels);
      for (const auto& [loop, k] : loops) loop->function = functions[k];
    }
  }
  if (kept_) kept_->compile();
  stats_.codegen_ms = milliseconds_since(start);
}

Storage Executable::allocate_arena() const {
  const detail::ProfilePhase phase("arena");
  try {
    return Storage::allocate(static_cast<std::size_t>(stats_.arena_bytes));
  } catch (OutOfMemory& e) {
    ValueId largest = 0;
    const auto size = [&](ValueId v) { return arena_offset_[v] < 0 ? -1 : graph_.type(v).bytes(); };
    for (ValueId v = 0; v < graph_.values.size(); ++v)
      if (size(v) > size(largest)) largest = v;
    throw OutOfMemory(fmt::format("no memory for what a compiled function computes, {} bytes, the largest of it {}: {}",
                                  stats_.arena_bytes, graph_.type(largest).text(), e.rule()));
  }
}

std::unique_ptr<Executable::Frame> Executable::take_frame() {
  std::unique_ptr<Frame> frame;
  {
    const std::lock_guard lock(frames_mutex_);
    if (!frames_.empty()) {
      frame = std::move(frames_.back());
      frames_.pop_back();
    }
  }
  if (!frame) frame = make_frame();
  if (!frame->arena) frame->arena = detail::take_arena(frame.get());
  if (!frame->arena) {
    frame->arena = allocate_arena();
    for (ValueId v = 0; v < graph_.values.size(); ++v)
      if (arena_offset_[v] >= 0) frame->slots[v] = frame->arena.data() + arena_offset_[v];
  }
  return frame;
}

std::unique_ptr<Executable::Frame> Executable::make_frame() const {
  auto frame = std::make_unique<Frame>();
  frame->slots.assign(graph_.values.size(), nullptr);
  for (ValueId v = 0; v < graph_.values.size(); ++v) {
    if (graph_.values[v].kind == Graph::Value::constant)
      frame->slots[v] = graph_.constants[graph_.values[v].index].view().as<std::byte>();
  }
  frame->views.resize(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const auto* node = std::get_if<NodeStep>(&steps_[i]);
    if (!node) continue;
    const Graph::Node& n = graph_.nodes[node->node];
    for (std::size_t k = 0; k < node->in.size(); ++k)
      frame->views[i].push_back({graph_.type(n.in[k]).dtype, node->in[k].shape, node->in[k].strides, nullptr});
    for (const ValueId v : n.values()) {
      const Type& t = graph_.type(v);  // node->out may be another that lies there
      frame->views[i].push_back({t.dtype, t.shape, contiguous_strides(t.shape), nullptr});
    }
  }
  return frame;
}

void Executable::run(std::span<const Tensor> args, std::span<const std::shared_ptr<VariableState>> variables,
                     std::span<Tensor> results) {
  detail::ProfileSpan span;
  if (detail::profiled()) [[unlikely]]
    profile_call(span);
  std::unique_lock<std::recursive_mutex> lock;
  if (!variables.empty()) lock = lock_variables();
  std::unique_ptr<Frame> frame = take_frame();
  std::byte** const slots = frame->slots.data();

  std::vector<Storage> copies;  // of arguments that do not lie in order
  for (std::size_t k = 0; k < args_; ++k) slots[graph_.inputs[k]] = in_order(args[k].view(), copies);
  // A kept value is one more variable. A call that throws has taken those that it would write: none is held then.
  const std::shared_ptr<KeptTensors::Set> kept = kept_ ? kept_->take(variables, !written_.empty()) : nullptr;
  const auto variable = [&](std::size_t k) -> Tensor& {
    return k < variables.size() ? variables[k]->value : kept->values[k - variables.size()];
  };
  for (std::size_t k = args_; k < graph_.inputs.size(); ++k)
    slots[graph_.inputs[k]] = variable(k - args_).view().as<std::byte>();
  std::vector<Tensor> read;  // what others may assign anew meanwhile
  if (lock && written_.empty()) {
    for (const auto& v : variables) read.push_back(v->value);
    lock.unlock();
  }
  // Every buffer is had before anything is written.
  std::vector<Tensor> states(written_.size());
  for (std::size_t k = 0; k < results_; ++k) results[k] = Tensor::allocate(graph_.type(graph_.outputs[k]));
  for (std::size_t s = 0; s < written_.size(); ++s) {
    const Tensor& value = variable(written_[s]);
    if (!in_place_[s] || !value.sole_owner()) states[s] = Tensor::allocate(value.type());
  }
  const auto buffer_of = [&](std::size_t output) {
    if (output < results_) return results[output].view();
    const std::size_t s = output - results_;
    return (states[s].defined() ? states[s] : variable(written_[s])).view();
  };
  run_steps(*frame, buffer_of);

  for (std::size_t s = 0; s < written_.size(); ++s) {
    Tensor& value = variable(written_[s]);
    if (states[s].defined()) {
      states[s].take_name(value);
      value = std::move(states[s]);
    } else {
      value.renew();
    }
  }
  if (kept && !written_.empty()) kept_->give_back(kept, variables);
  put_back(std::move(frame));
}

void Executable::run(Views in, Views out) {
  std::unique_ptr<Frame> frame = take_frame();
  std::vector<Storage> copies;
  for (std::size_t k = 0; k < in.size(); ++k) frame->slots[graph_.inputs[k]] = in_order(in[k], copies);
  run_steps(*frame, [&](std::size_t k) -> const View& { return out[k]; });
  put_back(std::move(frame));
}

std::unique_lock<std::recursive_mutex> Executable::state_lock() const {
  return written_.empty() ? std::unique_lock<std::recursive_mutex>() : lock_variables();
}

void Executable::put_back(std::unique_ptr<Frame> frame) {
  if (frame->arena.bytes() >= detail::shared_arena) detail::keep_arena(frame.get(), std::move(frame->arena));
  const std::lock_guard lock(frames_mutex_);
  frames_.push_back(std::move(frame));
}

template <class BufferOf> void Executable::run_steps(Frame& frame, BufferOf&& buffer_of) {
  std::byte** const slots = frame.slots.data();
  for (std::size_t k = 0; k < direct_.size(); ++k)
    if (direct_[k] != no_value) slots[direct_[k]] = buffer_of(k).template as<std::byte>();

  const bool profiled = detail::profiled();
  auto region = regions_.begin();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    detail::ProfileSpan span;
    if (region != regions_.end() && i == region->begin) {
      const Region& r = *region++;
      if (const int threads = threads_for(r); threads > 1) {
        if (profiled) profile_steps(span, r.begin, r.end);
        run_region(r, threads, graph_, steps_, slots);
        i = r.end - 1;
        continue;
      }
    }
    if (profiled) profile_steps(span, i, i + 1);
    if (const auto* launch = std::get_if<LaunchStep>(&steps_[i])) {
      run_launch(*launch, slots);
    } else if (const auto* with = std::get_if<EpilogueStep>(&steps_[i])) {
      run_epilogue(*with, graph_, slots);
    } else if (const auto* node = std::get_if<NodeStep>(&steps_[i])) {
      const Graph::Node& n = graph_.nodes[node->node];
      std::vector<View>& views = frame.views[i];
      const std::size_t inputs = node->in.size();
      for (std::size_t k = 0; k < inputs; ++k)
        views[k].data =
            slots[node->in[k].base] + node->in[k].offset * static_cast<std::int64_t>(size_of(views[k].dtype));
      for (std::size_t k = inputs; k < views.size(); ++k)
        views[k].data = slots[node->out + static_cast<ValueId>(k - inputs)];
      try {
        const Views in = Views(views).first(inputs), out = Views(views).subspan(inputs);
        if (n.op->run_graphs)
          n.op->run_graphs(n.attrs, node->runners, in, out);
        else
          run_op(*n.op, n.attrs, in, out);
      } catch (Error& e) {
        locate(e, n, Views(views).first(inputs));
        throw;
      }
    } else {
      const auto& copy = std::get<CopyStep>(steps_[i]);
      const View to = buffer_of(copy.output);
      if (to.data == slots[copy.from.base]) continue;  // a carry that stays what it is
      const auto size = static_cast<std::int64_t>(size_of(to.dtype));
      copy_elements({to.dtype, copy.from.shape, copy.from.strides, slots[copy.from.base] + copy.from.offset * size},
                    to);
    }
  }
}

}  // namespace weft
