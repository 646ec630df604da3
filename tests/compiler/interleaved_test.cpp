// Reductions over an axis between others: their rows lie interleaved. Bit for bit what eager code computes.
#include "../catch.h"
#include "../support.h"

#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using test::difference;

namespace {

using Tensors = std::vector<Tensor>;

void check_same(const Tensors& found, const Tensors& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(difference(found[i], expected[i]) == "");
}

template <class F> void check_same(const F& f, const std::vector<Shape>& shapes, DType t = f32) {
  Tensors in;
  for (const Shape& s : shapes) in.push_back(cast(random::normal(s), t));
  CAPTURE(shapes[0].text(), std::string(name_of(t)));
  auto compiled = compile(f);
  check_same(compiled(in), f(in));
}

}  // namespace

TEST_CASE("a softmax over a middle axis is one loop", "[compile][fusion]") {
  const auto f = [](const Tensors& x) { return Tensors{softmax(x[0], 1)}; };
  auto compiled = compile(f);
  compiled(Tensors{random::normal({2, 5, 40})});
  CHECK_THAT(compiled.dump("groups"), Catch::Matchers::StartsWith("group 0: [2, 40] rows of [5]"));
  CHECK_THAT(compiled.dump("plan"), !containing("step 1"));
  for (const DType t : {f32, f64, DType::bf16, DType::f16})
    for (const Shape& s : {Shape{2, 5, 40}, Shape{3, 2, 16}, Shape{2, 300, 64}, Shape{1, 2, 7, 5, 129}, Shape{9, 7, 15},
                           Shape{4, 2100, 17}, Shape{2, 3, 4, 130}, Shape{60, 1500}, Shape{3, 40'000}})
      check_same([&](const Tensors& x) { return Tensors{softmax(x[0], s.size() < 3 ? 0 : 1)}; }, {s}, t);
}

TEST_CASE("rows that lie interleaved: all reductions, broadcasts from every side, gradients", "[compile][fusion]") {
  const Shape s = {3, 20, 2, 40};
  check_same(
      [](const Tensors& x) {
        const Tensor y = x[0] * x[1] + x[2] * x[3];  // a channel's, a position's, an image's
        const Tensor m = mean(y, {1}, true), d = y - m;
        return Tensors{d * rsqrt(mean(square(d), {1}, true) + 1e-5),
                       max(y, {1}) - min(y, {1}),
                       prod(y, {1}),
                       any(y > 2, {1}),
                       all(y > -3, {1}),
                       sum(cast(y, i32), {1})};
      },
      {s, {20, 1, 1}, {3, 1, 2, 40}, {3, 1, 1, 1}});
  check_same(
      [](const Tensors& x) {
        GradientTape tape;
        tape.watch(x[0]);
        return Tensors{tape.gradient(sum(log_softmax(x[0], 1) * x[1]), x[0])};
      },
      {s, s});
}

TEST_CASE("NaNs and infinities go through interleaved rows as through eager code", "[compile][fusion]") {
  Tensor x = random::normal({2, 6, 33});
  x = where(x > 1, std::numeric_limits<double>::infinity(), where(x < -1.5, std::nan(""), x));
  const auto f = [](const Tensor& t) { return Tensors{max(t, {1}, true) + t, min(t, {1}), sum(t, {1}, true) * t}; };
  check_same(compile(f)(x), f(x));
}
