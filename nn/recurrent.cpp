#include "recurrent.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "../autograd/control_flow.h"
#include "../ops/activations.h"
#include "../ops/apply.h"
#include "../ops/compose.h"
#include "../ops/composition.h"
#include "../ops/linalg.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/mismatch.h"
#include "../ops/parts.h"
#include "../ops/recorder.h"
#include "../tensor/create.h"
#include "../tensor/site.h"
#include "init.h"
#include "layer_scope.h"
#include "precision.h"

namespace weft::nn {
namespace {

// The weights of a cell that has `gates` of them, and its biases if it is to have any.
template <class Cell> void make(Cell& cell, const char* name, std::int64_t in, std::int64_t hidden, std::int64_t gates,
                                std::initializer_list<std::pair<const char*, std::optional<Variable>*>> biases,
                                bool with_bias, DType dtype, random::Generator& generator, const Site& site) {
  weft::detail::called(name, site, [&] {
    if (in < 1 || hidden < 1) throw ArgumentError(fmt::format("{} -> {}", in, hidden), "both extents are at least 1");
    const double bound = 1 / std::sqrt(static_cast<double>(hidden));
    const auto drawn = [&](const Shape& shape) { return init::within(bound, shape, dtype, generator); };
    cell.weight_ih = Variable(drawn({in, gates * hidden}), true, "weight_ih");
    cell.weight_hh = Variable(drawn({hidden, gates * hidden}), true, "weight_hh");
    if (!with_bias) return;
    for (const auto& [role, bias] : biases) bias->emplace(drawn({gates * hidden}), true, role);
  });
}

// A call's input and states, and the errors that show them.
class Call {
 public:
  template <class Cell> Call(const char* name, const Cell& cell, const Arg& x, int rank)
      : name_(name),
        in_(cell.weight_ih.shape()[0]),
        hidden_(cell.weight_hh.shape()[0]),
        dtype_(narrowed(cell.weight_ih.dtype())) {
    x_ = narrow(x.tensor(cell.weight_ih.dtype()));
    shown_.push_back(describe_operand("x", x_));
    if (!x_.defined()) fail(ArgumentError("x is undefined"));
    if (x_.rank() != rank || x_.shape().back() != in_)
      fail(ShapeError(fmt::format("{} -> {} takes [{}, {}], not {}", in_, hidden_, rank == 3 ? "B, T" : "B", in_,
                                  x_.shape().text())));
    if (rank == 3 && x_.shape()[1] == 0) fail(ShapeError(fmt::format("a sequence of no steps: {}", x_.shape().text())));
    if (x_.dtype() != dtype_) fail(weft::detail::dtypes_differ(x_.dtype(), dtype_));
  }
  const Tensor& x() const { return x_; }

  // A part of the first state: 0 if it is not given.
  Tensor state(const char* role, const Tensor* given) {
    const Type type{dtype_, {x_.shape()[0], hidden_}};
    if (!given) return zeros(type.shape, type.dtype);
    shown_.push_back(describe_operand(role, *given));
    if (!given->defined()) fail(ArgumentError(fmt::format("{} is undefined", role)));
    const Tensor h = narrow(*given);
    if (h.shape() != type.shape)
      fail(ShapeError(fmt::format("{} has shape {}, not {}", role, h.shape().text(), type.shape.text())));
    if (h.dtype() != type.dtype)
      fail(DTypeError(fmt::format("{} is {}, not {}", role, name_of(h.dtype()), name_of(type.dtype))));
    return h;
  }
  LSTMState state(const std::optional<LSTMState>& s) {
    return {state("h", s ? &s->h : nullptr), state("c", s ? &s->c : nullptr)};
  }
  Tensor state(const std::optional<Tensor>& h) { return state("h", h ? &*h : nullptr); }

  // The mask of a sequence's steps as [B, T, 1]; what it leaves out becomes 0 in x.
  std::optional<Tensor> mask(const std::optional<Tensor>& given) {
    if (!given) return {};
    shown_.push_back(describe_operand("mask", *given));
    if (!given->defined()) fail(ArgumentError("mask is undefined"));
    const Shape steps{x_.shape()[0], x_.shape()[1]};
    if (given->shape() != steps)
      fail(ShapeError(fmt::format("mask has shape {}, not {}", given->shape().text(), steps.text())));
    if (given->dtype() != boolean)
      fail(DTypeError(fmt::format("mask is {}, not bool", name_of(given->dtype())), "sequence_mask(lengths, steps)"));
    const Tensor m = expand(*given, -1);
    x_ = where(m, x_, 0);  // whatever stands there, NaN too, has no part in gradients
    return m;
  }

 private:
  template <class E> [[noreturn]] void fail(E error) const { weft::detail::fail_in(name_, error, shown_); }
  const char* name_;
  std::int64_t in_, hidden_;
  DType dtype_;
  Tensor x_;
  std::vector<std::string> shown_;
};

Tensor product(const Tensor& x, const Variable& weight, const std::optional<Variable>& bias) {
  const Tensor y = matmul(x, narrow(weight));
  return bias ? y + narrow(*bias) : y;
}

// What a step makes of the inputs' part of the gates, and its output.
LSTMState step(const LSTMCell& cell, const Tensor& inputs, const LSTMState& s) {
  const auto in = weft::detail::equal_parts(inputs, 4, 1),
             hidden = weft::detail::equal_parts(matmul(s.h, narrow(cell.weight_hh)), 4, 1);
  const auto gate = [&](std::size_t k) { return in[k] + hidden[k]; };
  const Tensor c = sigmoid(gate(1)) * s.c + sigmoid(gate(0)) * tanh(gate(2));
  return {sigmoid(gate(3)) * tanh(c), c};
}
Tensor step(const GRUCell& cell, const Tensor& inputs, const Tensor& h) {
  const auto in = weft::detail::equal_parts(inputs, 3, 1),
             hidden = weft::detail::equal_parts(product(h, cell.weight_hh, cell.bias_hh), 3, 1);
  const Tensor reset = sigmoid(in[0] + hidden[0]), update = sigmoid(in[1] + hidden[1]),
               fresh = tanh(in[2] + reset * hidden[2]);
  return fresh + update * (h - fresh);
}
Tensor step(const RNNCell& cell, const Tensor& inputs, const Tensor& h) {
  const Tensor sum = inputs + matmul(h, narrow(cell.weight_hh));
  return cell.relu ? relu(sum) : tanh(sum);
}
const Tensor& output_of(const LSTMState& s) { return s.h; }
const Tensor& output_of(const Tensor& h) { return h; }

// The next state where the mask [B, 1] holds, the old one elsewhere.
Tensor chosen(const Tensor& mask, const Tensor& next, const Tensor& old) { return where(mask, next, old); }
LSTMState chosen(const Tensor& mask, const LSTMState& next, const LSTMState& old) {
  return {where(mask, next.h, old.h), where(mask, next.c, old.c)};
}

template <class Cell, class State> State one_step(const char* name, const Cell& cell,
                                                  const std::optional<Variable>& bias, const Arg& x,
                                                  const std::optional<State>& given) {
  const SiteScope scope(x.site());
  Call call(name, cell, x, 2);
  const State state = call.state(given);
  return step(cell, product(call.x(), cell.weight_ih, bias), state);
}

template <class Cell, class State>
std::pair<Tensor, State> sequence(const char* name, const Cell& cell, const std::optional<Variable>& bias, const Arg& x,
                                  const std::optional<State>& given, const std::optional<Tensor>& given_mask) {
  const SiteScope scope(x.site());
  Call call(name, cell, x, 3);
  const State state = call.state(given);
  const std::optional<Tensor> mask = call.mask(given_mask);
  // Of no sequences one step says what all do.
  const std::int64_t batch = call.x().shape()[0], steps = call.x().shape()[1];
  const auto by_steps = [&](const Tensor& t) { return swap_axes(batch ? t : slice_axis(t, 1, 0, 1), 0, 1); };
  const Tensor inputs = product(by_steps(call.x()), cell.weight_ih, bias);  // [T, B, gates]
  const std::optional<Tensor> masks = mask ? std::optional(by_steps(*mask)) : std::nullopt;
  const auto [last, outputs] = scan(
      [&](const State& s, const std::pair<Tensor, std::optional<Tensor>>& in) {
        const auto& [x_part, here] = in;
        const State made = step(cell, x_part, s), next = here ? chosen(*here, made, s) : made;
        return std::pair(next, here ? where(*here, output_of(next), 0) : output_of(next));
      },
      state, std::pair(inputs, masks), {}, x.site());
  const Tensor all = batch ? outputs : broadcast_to(outputs, {steps, batch, outputs.shape().back()});
  return {swap_axes(all, 0, 1), last};
}

template <class Cell> std::string text_of(const char* name, const Cell& cell) {
  return fmt::format("{} {} -> {}", name, cell.weight_ih.shape()[0], cell.weight_hh.shape()[0]);
}

}  // namespace

Tensor sequence_mask(const Arg& lengths, std::int64_t steps) {
  return weft::detail::composed("sequence_mask", {{"lengths", lengths}}, [&] {
    const Tensor n = lengths.tensor(i64);
    if (n.dtype() != i32 && n.dtype() != i64)
      throw DTypeError(fmt::format("lengths are {}, not i32 or i64", name_of(n.dtype())));
    if (steps < 0) throw ArgumentError(fmt::format("{} steps", steps));
    return less(cast(arange(steps), n.dtype()), expand(n, -1));
  });
}

LSTMCell::LSTMCell(std::int64_t in, std::int64_t hidden, Flag with_bias, DType dtype, random::Generator& generator,
                   Site site) {
  make(*this, "LSTM", in, hidden, 4, {{"bias", &bias}}, with_bias, dtype, generator, site);
}
LSTMState LSTMCell::operator()(const Arg& x, const std::optional<LSTMState>& state) const {
  const LayerScope layer("LSTMCell", &weight_ih);
  return one_step("LSTMCell", *this, bias, x, state);
}
std::string LSTMCell::text() const { return text_of("LSTMCell", *this); }
std::pair<Tensor, LSTMState> LSTM::operator()(const Arg& x, const std::optional<LSTMState>& state,
                                              const std::optional<Tensor>& mask) const {
  const LayerScope layer("LSTM", &weight_ih);
  return sequence("LSTM", *this, bias, x, state, mask);
}
std::string LSTM::text() const { return text_of("LSTM", *this); }

GRUCell::GRUCell(std::int64_t in, std::int64_t hidden, Flag with_bias, DType dtype, random::Generator& generator,
                 Site site) {
  make(*this, "GRU", in, hidden, 3, {{"bias_ih", &bias_ih}, {"bias_hh", &bias_hh}}, with_bias, dtype, generator,
       site);
}
Tensor GRUCell::operator()(const Arg& x, const std::optional<Tensor>& h) const {
  const LayerScope layer("GRUCell", &weight_ih);
  return one_step("GRUCell", *this, bias_ih, x, h);
}
std::string GRUCell::text() const { return text_of("GRUCell", *this); }
std::pair<Tensor, Tensor> GRU::operator()(const Arg& x, const std::optional<Tensor>& h,
                                          const std::optional<Tensor>& mask) const {
  const LayerScope layer("GRU", &weight_ih);
  return sequence("GRU", *this, bias_ih, x, h, mask);
}
std::string GRU::text() const { return text_of("GRU", *this); }

RNNCell::RNNCell(std::int64_t in, std::int64_t hidden, Flag with_relu, Flag with_bias, DType dtype,
                 random::Generator& generator, Site site)
    : relu(with_relu) {
  make(*this, "RNN", in, hidden, 1, {{"bias", &bias}}, with_bias, dtype, generator, site);
}
Tensor RNNCell::operator()(const Arg& x, const std::optional<Tensor>& h) const {
  const LayerScope layer("RNNCell", &weight_ih);
  return one_step("RNNCell", *this, bias, x, h);
}
std::string RNNCell::text() const { return text_of("RNNCell", *this); }
std::pair<Tensor, Tensor> RNN::operator()(const Arg& x, const std::optional<Tensor>& h,
                                          const std::optional<Tensor>& mask) const {
  const LayerScope layer("RNN", &weight_ih);
  return sequence("RNN", *this, bias, x, h, mask);
}
std::string RNN::text() const { return text_of("RNN", *this); }

}  // namespace weft::nn
