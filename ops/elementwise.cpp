// The public side of elementwise ops: one dtype, one shape, then the door.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apply.h"
#include "composition.h"
#include "defs/elementwise.h"
#include "defs/shape.h"
#include "math.h"
#include "mismatch.h"
#include "recorder.h"

namespace weft {

Tensor Arg::literal_tensor(DType dtype) const {
  literal_.check(dtype);
  const Tensor t = Tensor::allocate({dtype, {}});
  literal_.write(dtype, t.view().data, 0, 1);
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

Tensor detail::elementwise(const Op& op, std::initializer_list<const Arg*> args, bool condition) {
  const std::size_t n = args.size(), data = condition ? 1 : 0;  // operands before `data` have their own dtype
  DType literal = f32;
  std::array<Tensor, 3> own;  // literals, and operands that are broadcast
  Borrowed<3> in;
  for (std::size_t i = n; i-- > data;)
    if (const Arg& a = *args.begin()[i]; a.given().defined()) literal = a.given().dtype();
  const auto shown = [&] {  // as they were given, not as they are broadcast
    constexpr const char* roles[2][3] = {{"lhs", "rhs"}, {"cond", "a", "b"}};
    std::vector<std::string> operands;
    for (std::size_t i = 0; i < n; ++i) operands.push_back(describe_operand(roles[condition][i], *args.begin()[i]));
    return operands;
  };
  const Site& site = (*args.begin())->site();
  const SiteScope scope(site);
  bool equal = true;
  named(op.name.data(), site, shown, [&] {
    bool defined = true;
    for (std::size_t i = 0; i < n; ++i) {
      const Arg& a = *args.begin()[i];
      if (a.is_number()) own[i] = a.tensor(i < data ? DType::boolean : literal);
      in.set(i, a.is_number() ? own[i] : a.given());
      defined &= in[i].defined();
    }
    for (std::size_t i = 1; i < n && defined; ++i) equal &= in[i].shape() == in[0].shape();
  });
  if (equal) return apply(op, {}, in.first(n));  // whose errors say more: an anomaly the operands' ranges
  return named(op.name.data(), site, shown, [&] {
    Shape broadcast = in[0].shape();
    for (std::size_t i = 1; i < n; ++i) broadcast = broadcast_shapes(broadcast, in[i].shape());
    for (std::size_t i = 0; i < n; ++i)
      if (in[i].shape() != broadcast) {
        own[i] = apply(op_of<BroadcastTo>(), ShapeAttrs{broadcast}, std::span(&in[i], 1));
        in.set(i, own[i]);
      }
    return apply(op, {}, in.first(n));
  });
}

void detail::infer_elementwise(Accepts accepts, bool boolean_result, bool condition, Types in, Type& out) {
  const std::size_t data = condition ? 1 : 0;
  const Type& main = *in[data];
  if (condition && in[0]->dtype != DType::boolean)
    throw DTypeError(fmt::format("the condition is {}, not bool", name_of(in[0]->dtype)),
                     "compare it, or cast it to bool");
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i > data && in[i]->dtype != main.dtype) throw dtypes_differ(main.dtype, in[i]->dtype);
    if (in[i]->shape != main.shape)
      throw ShapeError(fmt::format("shapes differ: {} and {}", main.shape.text(), in[i]->shape.text()));
  }
  const bool floating = is_floating(main.dtype), boolean = main.dtype == DType::boolean;
  if (accepts == Accepts::booleans ? !boolean : boolean)
    throw DTypeError(fmt::format("no meaning for {}", name_of(main.dtype)),
                     !boolean ? "compare it, or cast it to bool"
                     : accepts == Accepts::integers
                         ? "logical_and, logical_or, logical_xor; or cast it to a number type"
                         : "cast it to a number type");
  if (accepts == Accepts::floats && !floating)
    throw DTypeError(fmt::format("no meaning for {}", name_of(main.dtype)), "cast it to f32 or f64");
  if (accepts == Accepts::integers && floating)
    throw DTypeError(fmt::format("no meaning for {}", name_of(main.dtype)), "cast it to an integer type");
  out = {boolean_result ? DType::boolean : main.dtype, main.shape};
}

}  // namespace weft
