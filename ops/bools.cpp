// Ops of numbers that mean something of bools, too: made of the logical ones there.
#include "composition.h"
#include "defs/binary.h"
#include "defs/bitwise.h"
#include "defs/unary.h"
#include "math.h"

namespace weft {
namespace {

bool is_mask(const Arg& x) { return x.given().defined() && x.given().dtype() == DType::boolean; }
bool are_masks(const Arg& a, const Arg& b) {
  return (is_mask(a) && (is_mask(b) || b.is_number())) || (is_mask(b) && a.is_number());
}

// Of numbers the op, of masks what logic() makes of them.
template <class Struct, class F> Tensor or_logic(const Arg& a, const Arg& b, F logic) {
  if (!are_masks(a, b)) return detail::binary<Struct>(a, b);
  return detail::composed(Struct::name, {{"lhs", a}, {"rhs", b}}, logic);
}

}  // namespace

Tensor equal(const Arg& a, const Arg& b) {
  return or_logic<Equal>(a, b, [&] { return logical_not(logical_xor(a, b)); });
}
Tensor not_equal(const Arg& a, const Arg& b) {
  return or_logic<NotEqual>(a, b, [&] { return logical_xor(a, b); });
}
Tensor bitwise_and(const Arg& a, const Arg& b) {
  return or_logic<BitwiseAnd>(a, b, [&] { return logical_and(a, b); });
}
Tensor bitwise_or(const Arg& a, const Arg& b) {
  return or_logic<BitwiseOr>(a, b, [&] { return logical_or(a, b); });
}
Tensor bitwise_xor(const Arg& a, const Arg& b) {
  return or_logic<BitwiseXor>(a, b, [&] { return logical_xor(a, b); });
}
Tensor bitwise_not(const Arg& x) { return is_mask(x) ? logical_not(x) : detail::unary<BitwiseNot>(x); }

Tensor identity(const Arg& x) { return is_mask(x) ? logical_or(x, x) : detail::unary<Identity>(x); }

Tensor where(const Arg& condition, const Arg& a, const Arg& b) {
  if (!are_masks(a, b)) return detail::elementwise(op_of<Where>(), {&condition, &a, &b}, true);
  const SiteScope scope(condition.site());
  return logical_or(logical_and(condition, a), logical_and(logical_not(condition), b));
}

}  // namespace weft
