// Concats in compiled code: loops store the parts where they end up.
#include <weft/weft.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Case {
  const char* name;
  std::function<Tensor(const Tensor& a, const Tensor& b)> f;
  int copies;  // concats that run
};
const std::vector<Case> cases = {
    {"along columns",
     [](const Tensor& a, const Tensor& b) {
       return matmul(concat({exp(a), sin(b)}, 1), transpose(concat({sin(b), exp(a)}, 1)));
     },
     2},
    {"along columns, each part once",
     [](const Tensor& a, const Tensor& b) {
       return concat({exp(a), sin(b), a * 2}, 1);
     },
     0},
    {"along rows",
     [](const Tensor& a, const Tensor& b) {
       return concat({exp(a), sin(b)}, 0);
     },
     0},
    {"what is read again",
     [](const Tensor& a, const Tensor& b) {
       const Tensor c = concat({exp(a), sin(b)}, 1);
       return c + flip(c, 1);
     },
     0},
    {"a part twice",
     [](const Tensor& a, const Tensor&) {
       return concat({exp(a), exp(a)}, 1);
     },
     1},
    {"a part that is needed elsewhere",
     [](const Tensor& a, const Tensor& b) {
       const Tensor e = exp(a);
       return concat({e, sin(b)}, 1) + sum(sin(e));
     },
     1},
    {"a part as it came",
     [](const Tensor& a, const Tensor& b) {
       return concat({exp(a), b}, 1);
     },
     1},
    {"a part turned",
     [](const Tensor& a, const Tensor& b) {
       return concat({transpose(exp(transpose(a))), sin(b)}, 1);
     },
     1},
    {"a part of a loop that reduces",
     [](const Tensor& a, const Tensor& b) {
       return concat({softmax(a), sin(b)}, 1);
     },
     1},
    {"columns of one element",
     [](const Tensor& a, const Tensor& b) {
       return concat({exp(slice_axis(a, 1, 2, 3)), sin(b)}, 1);
     },
     1},
    {"three axes, in the middle",
     [](const Tensor& a, const Tensor& b) {
       return concat({exp(reshape(a, {3, 2, 3})), sin(reshape(b, {3, 2, 3}))}, 1);
     },
     0},
    {"a concat of concats",
     [](const Tensor& a, const Tensor& b) {
       return concat({concat({exp(a), sin(b)}, 1), concat({cos(a), tanh(b)}, 1)}, 0);
     },
     1},
};

}  // namespace

TEST_CASE("the parts of a concat are computed in place where nothing else needs them, with eager bits",
          "[compile][concat]") {
  Random random(71);
  for (const DType dtype : {f32, f64, i32})
    for (const Case& c : cases) {
      INFO(c.name << ", " << name_of(dtype));
      const Tensor a = random_tensor(random, {3, 6}, f32), b = random_tensor(random, {3, 6}, f32);
      const auto f = [&](const Tensor& x, const Tensor& y) { return cast(c.f(x, y) * 3, dtype); };
      auto compiled = compile(f);
      CHECK_SAME(compiled(a, b), f(a, b));
      int copies = 0;
      const std::string plan = compiled.dump("plan");
      INFO(plan);
      for (std::size_t at = 0; (at = plan.find(": concat", at)) != std::string::npos; ++at) ++copies;
      CHECK(copies == c.copies);
    }
}

TEST_CASE("a variable that is given a concat of its own parts keeps what other parts still read", "[compile][concat]") {
  Random random(72);
  const Tensor start = random_tensor(random, {4, 6}, f32);
  for (const int axis : {0, 1}) {
    Variable eager(start), compiled(start);
    const auto turn = [axis](Variable& v) {
      const std::int64_t n = v.shape()[axis];
      const Tensor x = v.value();
      v.assign(concat({exp(slice_axis(x, axis, n / 2, n)), sin(slice_axis(x, axis, 0, n / 2))}, axis) * 1.0);
      v.assign(concat({exp(slice_axis(v.value(), axis, n / 2, n)), sin(slice_axis(v.value(), axis, 0, n / 2))}, axis));
    };
    auto step = compile([&] { turn(compiled); });
    for (int i = 0; i < 3; ++i) {
      turn(eager);
      step();
      CHECK_SAME(compiled.value(), eager.value());
    }
  }
}
