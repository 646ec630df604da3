#include "forward.h"

#include <fmt/format.h>

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/backward.h"
#include "../ops/forward.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/mismatch.h"

namespace weft {
namespace {

using Tensors = std::vector<Tensor>;

// What an op's gradient rule gives for these cotangents to the inputs that have tangents.
Tensors pull_back(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out,
                  std::span<const Tensor> cotangents, const bool* wants) {
  std::vector<Type> in_types, out_types;
  if (op.reads & reads::types)
    for (const Tensor& t : in) in_types.push_back(t.type());
  for (const Tensor& t : out) out_types.push_back(t.type());
  Tensors given(in.size());
  Backward b(op, attrs, in, in_types, out, out_types, cotangents, std::span(wants, in.size()), given);
  op.vjp(b);
  return given;
}

// The Jacobian of an elementwise op is diagonal, its own transpose.
Tensor by_pull_back(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out,
                    std::span<const Tensor> tangents) {
  Tensor sum;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!tangents[i].defined()) continue;
    const auto wants = std::make_unique<bool[]>(in.size());
    wants[i] = true;
    const Tensor t = pull_back(op, attrs, in, out, tangents.subspan(i, 1), wants.get())[i];
    if (t.defined()) sum = sum.defined() ? sum + t : t;
  }
  return sum;
}

// The pull-back u -> J'u is linear; its own pull-back, at any u, is t -> J t.
Tensors by_two_pull_backs(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out,
                          std::span<const Tensor> tangents) {
  GradientTape tape({.persistent = false, .watch_accessed_variables = false});
  Tensors u(out.size());
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!is_floating(out[k].dtype())) continue;
    u[k] = detail::zeros_like(out[k]);
    tape.watch(u[k]);
  }
  const auto wants = std::make_unique<bool[]>(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) wants[i] = tangents[i].defined();
  const Tensors given = pull_back(op, attrs, in, out, u, wants.get());
  Tensors targets, seeds;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!given[i].defined()) continue;
    targets.push_back(given[i]);
    seeds.push_back(tangents[i]);
  }
  return tape.gradient(targets, u, GradientOptions{.output_gradients = seeds});
}

// True if every input that has a tangent is one that the op is linear in; `all`: if those are all of them, too.
bool is_linear(const Op& op, std::span<const Tensor> in, std::span<const Tensor> tangents, bool all) {
  if (!op.linear) return false;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const bool linear = op.linear & linear::in(i);
    if (tangents[i].defined() ? !linear : linear && all) return false;
  }
  return true;
}

std::int64_t bytes_of(const Tensor& t) { return t.is_traced() ? 0 : t.type().bytes(); }

}  // namespace

Tensors detail::push_forward(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out,
                             std::span<const Tensor> tangents) {
  Tensors given(out.size());
  const bool elementwise = op.kind == OpKind::elementwise && op.vjp;
  if (op.jvp) {
    Forward f(attrs, in, out, tangents, given);
    op.jvp(f);
  } else if (is_linear(op, in, tangents, elementwise)) {
    Tensors operands(in.begin(), in.end());
    for (std::size_t i = 0; i < in.size(); ++i)
      if (op.linear & linear::in(i)) operands[i] = tangents[i].defined() ? tangents[i] : zeros_like(in[i]);
    apply(op, attrs, operands, given);
  } else if (!op.vjp) {
    throw GradError("the op has neither a gradient rule nor a forward rule",
                    "give its struct a vjp, or say `differentiable = false`");
  } else if (elementwise) {
    given[0] = by_pull_back(op, attrs, in, out, tangents);
  } else {
    given = by_two_pull_backs(op, attrs, in, out, tangents);
  }
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!given[k].defined()) continue;
    detail::check_same_type(given[k].type(), out[k].type(), [&] {
      return fmt::format("the tangent of output {} is {}, the output {}", k, given[k].type().text(),
                         out[k].type().text());
    });
  }
  return given;
}

ForwardAccumulator::ForwardAccumulator() { start(); }

ForwardAccumulator::~ForwardAccumulator() {
  if (recording_) pop_recorder(this);
}

namespace {
void check_thread(std::thread::id own) {
  if (std::this_thread::get_id() != own) throw GradError("an accumulator belongs to the thread that made it");
}
}  // namespace

void ForwardAccumulator::start() {
  if (recording_) throw GradError("the accumulator is already recording", "stop() it first");
  check_thread(thread_);
  recording_ = true;
  tracer_ = active_tracer();
  push_recorder(this);
}

void ForwardAccumulator::stop() {
  if (!recording_) throw GradError("the accumulator is not recording");
  check_thread(thread_);
  recording_ = false;
  pop_recorder(this);
}

void ForwardAccumulator::record(const Op& op, const Attrs& attrs, std::span<const Tensor> in,
                                std::span<const Tensor> out) {
  if (!op.differentiable || tangents_.empty()) return;
  Tensors tangents;  // made when the first is found: most ops may have none
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!is_floating(in[i].dtype())) continue;
    const auto it = tangents_.find(in[i].id());
    if (it == tangents_.end()) continue;
    if (tangents.empty()) tangents.resize(in.size());
    tangents[i] = it->second.tangent;
  }
  if (tangents.empty() || std::none_of(out.begin(), out.end(), [](const Tensor& t) { return is_floating(t.dtype()); }))
    return;
  const HideFrom hidden(this);
  try {
    const Tensors given = detail::push_forward(op, attrs, in, out, tangents);
    for (std::size_t k = 0; k < out.size(); ++k)
      if (given[k].defined()) keep(out[k], given[k]);
  } catch (Error& error) {
    const std::source_location& site = SiteScope::current();
    error.locate(fmt::format("in the forward rule of {}", op.name), {}, site_text(site));
    throw;
  }
}

void ForwardAccumulator::read(const std::shared_ptr<VariableState>& variable, const Tensor& value) {
  for (const Watched& w : variables_)
    if (w.variable == variable && w.tangent.defined()) keep(value, w.tangent);
}

void ForwardAccumulator::keep(const Tensor& primal, const Tensor& tangent) {
  tangents_.insert_or_assign(primal.id(), Entry{primal, tangent});
  ++fresh_;
  fresh_bytes_ += bytes_of(primal) + bytes_of(tangent);
  if (fresh_ > std::max<std::size_t>(old_, 256) || fresh_bytes_ > std::max<std::int64_t>(old_bytes_, 1 << 20))
    drop_dead();
}

// A tensor on which there is no handle but ours can never be asked for again.
void ForwardAccumulator::drop_dead() {
  fresh_ = 0;
  fresh_bytes_ = old_bytes_ = 0;
  for (auto it = tangents_.begin(); it != tangents_.end();) {
    if (it->second.primal.sole_handle()) {
      it = tangents_.erase(it);
    } else {
      old_bytes_ += bytes_of(it->second.primal) + bytes_of(it->second.tangent);
      ++it;
    }
  }
  old_ = tangents_.size();
}

// ---- primals and results ----
namespace {
// The tangent of a primal that had one, perhaps, and gets another.
Tensor added(const Type& primal, const Tensor& before, const Tensor& tangent, bool known, bool once) {
  if (known && once) throw ArgumentError("a primal is watched multiple times", "add its tangents, or use watch()");
  if (!tangent.defined()) return before;
  if (!is_floating(primal.dtype))
    throw DTypeError(fmt::format("a primal of {} has no tangent", primal.text()), "leave it undefined");
  detail::check_same_type(tangent.type(), primal, [&] {
    return fmt::format("the tangent is {}, its primal {}", tangent.type().text(), primal.text());
  });
  return before.defined() ? before + tangent : tangent;
}
}  // namespace

void ForwardAccumulator::check_number(std::size_t primals, std::size_t tangents) {
  if (primals != tangents) throw ArgumentError(fmt::format("{} tangents for {} primals", tangents, primals));
}

void ForwardAccumulator::watch_leaf(const Tensor& primal, const Tensor& tangent, bool once) {
  if (!primal.defined()) throw ArgumentError("a primal is undefined");
  const HideFrom hidden(this);
  const auto it = tangents_.find(primal.id());
  const bool known = it != tangents_.end();
  const Tensor sum = added(primal.type(), known ? it->second.tangent : Tensor(), tangent, known, once);
  if (sum.defined()) keep(primal, sum);
}

void ForwardAccumulator::watch_leaf(const Variable& primal, const Tensor& tangent, bool once) {
  if (!primal.defined()) throw ArgumentError("a primal is an undefined variable");
  const HideFrom hidden(this);
  auto it = std::find_if(variables_.begin(), variables_.end(),
                         [&](const Watched& w) { return w.variable == primal.state(); });
  const bool known = it != variables_.end();
  const Tensor sum = added(primal.type(), known ? it->tangent : Tensor(), tangent, known, once);
  if (known)
    it->tangent = sum;
  else
    variables_.push_back({primal.state(), sum});
}

Tensor ForwardAccumulator::tangent_of(const Tensor& t, Unconnected unconnected) const {
  if (!t.defined()) return {};
  if (const auto it = tangents_.find(t.id()); it != tangents_.end()) return it->second.tangent;
  check_seen(tracer_, t);
  return unconnected == Unconnected::zero ? contiguous(detail::zeros_like(t)) : Tensor();
}

Tensor ForwardAccumulator::tangent_of(const Variable& v, Unconnected unconnected) const {
  if (!v.defined()) return {};
  for (const Watched& w : variables_)
    if (w.variable == v.state() && w.tangent.defined()) return w.tangent;
  return tangent_of(v.value(), unconnected);
}

}  // namespace weft
