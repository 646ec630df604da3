// Control flow under vmap: the bodies are batched, once, and there is still one loop or branch. Where examples decide
// for themselves they take part in all rounds and in both branches, and those that should not keep what they had.
#include "../ops/batching.h"
#include "../ops/closure.h"
#include "../ops/define.h"
#include "../ops/defs/elementwise.h"
#include "../ops/indexing.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/reduce.h"
#include "control_ops.h"

namespace weft {
namespace {

// The value; its gradient where the gate is open, 0 elsewhere.
struct Gated : Elementwise<Gated> {
  static constexpr auto name = "gated";
  static constexpr auto operand_names = "value gate";
  static constexpr auto reads = reads::in1;
  WEFT_EVAL(V value, V) { return value; }
  static int forwards(const Attrs&) { return 0; }
  static void infer(const Attrs&, Types in, std::span<Type> out) { out[0] = *in[0]; }
  static void vjp(Backward& b) { b.give(0, where(b.in(1), b.grad(), 0)); }
};

}  // namespace
}  // namespace weft

WEFT_DEFINE_OP(weft::Gated);

namespace weft {
namespace {

using namespace control;
using Tensors = std::vector<Tensor>;

std::vector<bool> batched_inputs(const Batching& b) {
  std::vector<bool> in;
  for (int k = 0; k < b.inputs(); ++k) in.push_back(b.batched(k));
  return in;
}

// The inputs of a body, with the batch in front where `batched` says so, then which examples count.
std::vector<Type> types_of_inputs(const Graph& body, const std::vector<bool>& batched, const Batching& b) {
  std::vector<Type> types;
  for (std::size_t k = 0; k < body.inputs.size(); ++k) {
    types.push_back(body.type(body.inputs[k]));
    if (batched[k]) types[k].shape.insert(0, b.size());
  }
  if (b.active().defined()) types.push_back(b.active().type());
  return types;
}
Tensor active_of(std::span<const Tensor> args, const Batching& b) {
  return b.active().defined() ? args.back() : Tensor();
}

std::vector<Batched> paired(std::span<const Tensor> values, const std::vector<bool>& batched) {
  std::vector<Batched> list;
  for (std::size_t k = 0; k < batched.size(); ++k) list.push_back({values[k], batched[k]});
  return list;
}

// The operands of what is for active examples alone: the others run on those of the first active one, through which
// no gradient goes. On their own ones a derivative may be infinite, and 0 times that is NaN, in the gradient of what
// all share, too.
std::vector<Batched> without_others(const Tensor& active, std::vector<Batched> operands) {
  if (active.size() == 0) return operands;
  const Tensor first = argmax(cast(active, i32), 0);
  for (Batched& b : operands) {
    if (!b.batched) continue;
    const Tensor other = gather(b.value, first);
    b.value =
        choose_examples(active, b, {is_floating(other.dtype()) ? stop_gradient(other) : other, false}, active.size());
  }
  return operands;
}

// Output k is a generator's state after a draw: the same for all examples, who draw all that any of them needs.
bool is_drawn(const Graph& g, std::size_t k) {
  ValueId v = g.outputs[k];
  const Graph::Node* n = g.producer(v);
  for (; n && n->op->forwards; n = g.producer(v)) v = n->in[size(n->op->forwards(n->attrs)) + (v - n->out)];
  return n && !n->op->graphs && has(&Op::draws, *n->op, n->attrs) && v != n->out;
}

}  // namespace

// ---- cond ----
void Cond::batch(Batching& b) {
  const auto& a = b.attrs<CondAttrs>();
  const Body branches[2] = {a.then, a.otherwise};
  std::vector<bool> in = batched_inputs(b);
  const bool each = in[0];
  in.erase(in.begin());
  Tensors operands;
  for (int k = 1; k < b.inputs(); ++k) operands.push_back(b.in(k));
  if (each) {
    const std::vector<Batched> values = paired(operands, in);
    const auto run = [&](const Graph& branch, const Tensor& chosen) {
      const Tensor active = b.active().defined() ? chosen & b.active() : chosen;
      std::vector<Batched> own = without_others(active, values);
      for (Batched& v : own)  // where the branch is for nobody what all share has no gradient by it
        if (!v.batched && is_floating(v.value.dtype()))
          v.value = apply(op_of<Gated>(), {}, {{v.value, broadcast_to(any(active), v.value.shape())}});
      return replay_batched(branch, own, b.size(), active);
    };
    const auto x = run(*a.then, b.in(0)), y = run(*a.otherwise, !b.in(0));
    for (std::size_t k = 0; k < x.size(); ++k)
      if (!x[k].batched && !y[k].batched && (is_drawn(*a.then, k) || is_drawn(*a.otherwise, k)))
        b.give(static_cast<int>(k), maximum(x[k].value, y[k].value), false);
      else
        b.give(static_cast<int>(k), choose_examples(b.in(0), x[k], y[k], b.size()));
    return;
  }
  std::vector<bool> out(a.then->outputs.size());
  Body batched[2];
  for (const bool known : {false, true})  // which results have the batch in either branch
    for (int i = 0; i < 2; ++i) {
      const Closure c = close_over(types_of_inputs(*branches[i], in, b), [&](std::span<const Tensor> args) {
        Tensors results;
        const auto y = replay_batched(*branches[i], paired(args, in), b.size(), active_of(args, b));
        for (std::size_t k = 0; k < y.size(); ++k) {
          if (y[k].batched) out[k] = true;
          results.push_back(out[k] ? batch_in_front(y[k], b.size()) : y[k].value);
        }
        return results;
      });
      if (known) batched[i] = c.self_contained();
    }
  operands.insert(operands.begin(), b.in(0));
  if (b.active().defined()) operands.push_back(b.active());
  const Tensors y = apply_cond({batched[0], batched[1]}, operands);
  for (std::size_t k = 0; k < y.size(); ++k) b.give(static_cast<int>(k), y[k], out[k]);
}

// ---- scan ----
void Scan::batch(Batching& b) {
  ScanAttrs a = b.attrs<ScanAttrs>();
  const std::size_t carries = size(a.carries), xs = size(a.xs), results = a.body->outputs.size();
  std::vector<bool> in = batched_inputs(b), out(results);
  Body body;
  while (!body) {  // again if a carry gets the batch in the body that it did not have before
    bool settled = true;
    const Closure c = close_over(types_of_inputs(*a.body, in, b), [&](std::span<const Tensor> args) {
      Tensors values;
      const auto y = replay_batched(*a.body, paired(args, in), b.size(), active_of(args, b));
      for (std::size_t k = 0; k < results; ++k) {
        out[k] = y[k].batched || (k < carries && in[k]);
        values.push_back(out[k] ? batch_in_front(y[k], b.size()) : y[k].value);
        if (k >= carries || in[k] == out[k]) continue;
        in[k] = true;
        settled = false;
      }
      return values;
    });
    if (settled) body = c.self_contained();
  }
  Tensors operands;
  for (int k = 0; k < b.inputs(); ++k) {
    const bool element = size(k) >= carries && size(k) < carries + xs;
    if (element)
      operands.push_back(b.batched(k) ? swap_axes(b.in(k), 0, 1) : b.in(k));
    else
      operands.push_back(in[size(k)] ? b.front(k) : b.in(k));
  }
  if (b.active().defined()) operands.push_back(b.active());
  a.body = body;
  const Tensors y = apply_scan(a, operands);
  for (std::size_t k = 0; k < y.size(); ++k) {
    const bool has = out[k < results ? k : k - results];
    b.give(static_cast<int>(k), has && k >= carries ? swap_axes(y[k], 0, 1) : y[k], has);
  }
}

// ---- while ----
void While::batch(Batching& b) {
  WhileAttrs a = b.attrs<WhileAttrs>();
  const std::size_t carries = size(a.carries);
  std::vector<bool> in = batched_inputs(b);
  bool each = b.active().defined();  // whether each example has rounds of its own
  for (bool settled = false; !settled;) {
    settled = true;
    close_over(types_of_inputs(*a.body, in, b), [&](std::span<const Tensor> args) {
      const std::vector<Batched> operands = paired(args, in);
      const auto test = replay_batched(*a.condition, operands, b.size());
      const auto next = replay_batched(*a.body, operands, b.size());
      settled = each || !test[0].batched;
      each |= test[0].batched;
      for (std::size_t k = 0; k < carries; ++k) {
        if (in[k] || !(next[k].batched || (each && a.body->outputs[k] != a.body->inputs[k] && !is_drawn(*a.body, k))))
          continue;
        in[k] = true;
        settled = false;
      }
      return Tensors();
    });
  }
  Tensors operands;
  for (int k = 0; k < b.inputs(); ++k) operands.push_back(in[size(k)] ? b.front(k) : b.in(k));

  // Where each has its own, one more carry says which examples go on; and, if rounds are kept, one how many it had.
  const bool counts = each && a.slots;
  const std::size_t own = (each ? 1 : 0) + (counts ? 1 : 0), flag = carries, count = carries + 1;
  const auto test = [&](std::span<const Tensor> values, const Tensor& active) {
    const auto holds = replay_batched(*a.condition, paired(values, in), b.size(), active)[0];
    if (!each) return holds.value;
    const Tensor all = batch_in_front(holds, b.size());
    return active.defined() ? all & active : all;
  };
  if (each) operands.insert(operands.begin() + a.carries, test(operands, b.active()));
  if (counts) operands.insert(operands.begin() + a.carries + 1, broadcast_to(Arg(0).tensor(i64), {b.size()}));
  const auto without_own = [&](std::span<const Tensor> args) {
    Tensors values(args.begin(), args.end());
    values.erase(values.begin() + a.carries, values.begin() + a.carries + static_cast<std::ptrdiff_t>(own));
    return values;
  };
  const std::vector<Type> types = types_of(operands);
  const Closure condition =
      close_over(types, [&](std::span<const Tensor> args) { return Tensors{each ? any(args[flag]) : test(args, {})}; });
  const Closure body = close_over(types, [&](std::span<const Tensor> args) {
    Tensors values = without_own(args);
    const Tensor active = each ? args[flag] : Tensor();
    std::vector<Batched> operands_now = paired(values, in);
    if (each) operands_now = without_others(active, std::move(operands_now));
    const auto next = replay_batched(*a.body, operands_now, b.size(), active);
    for (std::size_t k = 0; k < carries; ++k) {
      if (in[k])
        values[k] =
            each ? choose_examples(active, next[k], {values[k], true}, b.size()) : batch_in_front(next[k], b.size());
      else
        values[k] = next[k].value;
    }
    Tensors results(values.begin(), values.begin() + a.carries);
    if (each) results.push_back(test(values, active));
    if (counts) results.push_back(args[count] + cast(active, i64));
    return results;
  });
  const Tensors y = apply_while(
      {condition.self_contained(), body.self_contained(), a.carries + static_cast<int>(own), a.max_iterations, a.slots},
      operands);
  for (std::size_t k = 0; k < carries; ++k) b.give(static_cast<int>(k), y[k], in[k]);
  if (!a.slots) return;
  const std::size_t rounds = carries + own, kept = rounds + 2;
  b.give(a.carries, counts ? y[count] : y[rounds], counts);
  b.give(a.carries + 1, y[rounds + 1], false);
  for (std::size_t k = 0; k < carries; ++k)
    b.give(a.carries + 2 + static_cast<int>(k), in[k] ? swap_axes(y[kept + k], 0, 1) : y[kept + k], in[k]);
}

}  // namespace weft
