#include "wave.h"

#include <weft/ops/own_op.h>

using namespace weft;

namespace {
struct Wave : Elementwise<Wave> {
  static constexpr auto name = "wave";
  static constexpr auto reads = reads::in0 | reads::in1;
  WEFT_EVAL(V x, V y) { return y * x * x + x * y * y; }  // a compiler that contracted it would change its bits
  static void vjp(Backward& b) {
    const Tensor &x = b.in(0), &y = b.in(1);
    if (b.wants(0)) b.give(0, b.grad() * (2 * x * y + y * y));
    if (b.wants(1)) b.give(1, b.grad() * (x * x + 2 * x * y));
  }
};
}  // namespace
WEFT_DEFINE_OP(Wave);

Tensor wave(const Arg& x, const Arg& y) { return detail::binary<Wave>(x, y); }
