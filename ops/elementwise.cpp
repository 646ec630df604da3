// The public side of elementwise ops: one dtype, one shape, then the door.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "../tensor/literal.h"
#include "apply.h"
#include "composition.h"
#include "defs/elementwise.h"
#include "defs/shape.h"
#include "math.h"
#include "recorder.h"

namespace weft {

Tensor Arg::literal_tensor(DType dtype) const {
  const bool largest = integral_ && number_ == 0x1p63 && dtype == i64;  // INT64_MAX, rounded: the conversion saturates
  if (!largest) detail::check_literal(dtype, number_);
  const Tensor t = Tensor::allocate({dtype, {}});
  copy_elements({f64, {}, {}, const_cast<double*>(&number_)}, t.view());
  return t;
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  Shape out = a.size() >= b.size() ? a : b;
  const int shift_a = out.size() - a.size(), shift_b = out.size() - b.size();
  for (int i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < shift_a ? 1 : a[i - shift_a], y = i < shift_b ? 1 : b[i - shift_b];
    if (x != y && x != 1 && y != 1)
      throw ShapeError(fmt::format("shapes do not broadcast: {} with {} ({} vs {} in dimension {} from the back)",
                                   a.text(), b.text(), x, y, out.size() - i));
    out[i] = x == 1 ? y : x;
  }
  return out;
}

Tensor broadcast_to(const Arg& x, const Shape& shape) {
  const SiteScope scope(x.site());
  const Tensor t = x.tensor();
  return t.defined() && t.shape() == shape ? t : apply<BroadcastTo>({t}, ShapeAttrs{shape});
}

Tensor detail::zeros_like(const Tensor& x) { return broadcast_to(Arg(0).tensor(x.dtype()), x.shape()); }

// What ops of numbers are of bools, as NumPy's: equal, not_equal, ~ and identity. Undefined for others.
static Tensor of_bools(const Op& op, const Arg& a, const Arg& b) {
  const auto logic = [&](auto f) { return detail::composed(op.name, {{"lhs", a}, {"rhs", b}}, f); };
  if (&op == &op_of<Equal>()) return logic([&] { return logical_not(logical_xor(a, b)); });
  if (&op == &op_of<NotEqual>()) return logic([&] { return logical_xor(a, b); });
  if (&op == &op_of<BitwiseNot>()) return logical_not(a);
  if (&op == &op_of<Identity>()) return logical_or(a, a);
  return {};
}

Tensor detail::elementwise(const Op& op, std::initializer_list<const Arg*> args, bool condition) {
  const Arg &first = **args.begin(), &last = **(args.end() - 1);
  if (const Tensor& t = first.is_number() ? last.given() : first.given(); t.defined() && t.dtype() == DType::boolean)
    if (Tensor r = of_bools(op, first, last); r.defined()) return r;
  const SiteScope scope(first.site());
  const std::size_t n = args.size(), data = condition ? 1 : 0;  // operands before `data` have their own dtype

  DType literal = f32;
  std::array<Tensor, 3> own;  // literals, and operands that are broadcast
  Borrowed<3> in;
  for (std::size_t i = n; i-- > data;)
    if (const Arg& a = *args.begin()[i]; a.given().defined()) literal = a.given().dtype();
  const Shape* shape = nullptr;
  Shape broadcast;
  bool equal = true, defined = true;
  try {
    for (std::size_t i = 0; i < n; ++i) {
      const Arg& a = *args.begin()[i];
      if (a.is_number()) own[i] = a.tensor(i < data ? DType::boolean : literal);
      in.set(i, a.is_number() ? own[i] : a.given());
      defined &= in[i].defined();
    }
    if (defined && n > 1) {
      shape = &in[0].shape();
      for (std::size_t i = 1; i < n; ++i) equal &= in[i].shape() == *shape;
      if (!equal) {
        broadcast = *shape;
        for (std::size_t i = 1; i < n; ++i) broadcast = broadcast_shapes(broadcast, in[i].shape());
      }
    }
  } catch (Error& e) {
    constexpr const char* names[2][3] = {{"lhs", "rhs", ""}, {"cond", "a", "b"}};
    std::vector<std::string> operands;
    for (std::size_t i = 0; i < n; ++i) {
      const Arg& a = *args.begin()[i];
      operands.push_back(a.is_number() ? fmt::format("{:<5}literal {}", names[condition][i], a.number())
                                       : describe_operand(names[condition][i], in[i].defined() ? in[i] : a.given()));
    }
    e.locate(op.name, operands, site_text(SiteScope::current()));
    throw;
  }
  if (!equal)
    for (std::size_t i = 0; i < n; ++i)
      if (in[i].shape() != broadcast) {
        own[i] = apply(op_of<BroadcastTo>(), ShapeAttrs{broadcast}, std::span(&in[i], 1));
        in.set(i, own[i]);
      }
  return apply(op, {}, in.first(n));
}

Tensor where(const Arg& condition, const Arg& a, const Arg& b) {
  const auto is_mask = [](const Arg& x) { return x.given().defined() && x.given().dtype() == DType::boolean; };
  if ((is_mask(a) && (is_mask(b) || b.is_number())) || (is_mask(b) && a.is_number())) {
    const SiteScope scope(condition.site());
    return logical_or(logical_and(condition, a), logical_and(logical_not(condition), b));
  }
  return detail::elementwise(op_of<Where>(), {&condition, &a, &b}, true);
}

void detail::infer_elementwise(Accepts accepts, bool boolean_result, bool condition, Types in, Type& out) {
  const std::size_t data = condition ? 1 : 0;
  const Type& main = *in[data];
  if (condition && in[0]->dtype != DType::boolean)
    throw DTypeError(fmt::format("the condition is {}, not bool", name_of(in[0]->dtype)),
                     "compare it, or cast it to bool");
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i > data && in[i]->dtype != main.dtype)
      throw DTypeError(
          fmt::format("dtypes differ: {} and {}", name_of(main.dtype), name_of(in[i]->dtype)),
          fmt::format("cast one: cast(x, {})", name_of(is_floating(main.dtype) ? main.dtype : in[i]->dtype)));
    if (in[i]->shape != main.shape)
      throw ShapeError(fmt::format("shapes differ: {} and {}", main.shape.text(), in[i]->shape.text()));
  }
  const bool floating = is_floating(main.dtype), boolean = main.dtype == DType::boolean;
  if (accepts == Accepts::booleans ? !boolean : boolean)
    throw DTypeError(fmt::format("no meaning for {}", name_of(main.dtype)),
                     boolean ? "cast it to a number type" : "compare it, or cast it to bool");
  if (accepts == Accepts::floats && !floating)
    throw DTypeError(fmt::format("no meaning for {}", name_of(main.dtype)), "cast it to f32 or f64");
  if (accepts == Accepts::integers && floating)
    throw DTypeError(fmt::format("no meaning for {}", name_of(main.dtype)), "cast it to an integer type");
  out = {boolean_result ? DType::boolean : main.dtype, main.shape};
}

}  // namespace weft
