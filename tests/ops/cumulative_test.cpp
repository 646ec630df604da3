// cumsum, cumprod, cummax, cummin, linear_recurrence: values, their order of additions, every layout, refusals.
#include <weft/ops/cumulative.h>
#include <weft/ops/rearrange.h>
#include <weft/ops/subscript.h>
#include <weft/tensor/threads.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("cumulative sums and products run along any axis, either way") {
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK_VALUES(cumsum(x), 1, 3, 6, 4, 9, 15);
  CHECK_VALUES(cumsum(x, 0), 1, 2, 3, 5, 7, 9);
  CHECK_VALUES(cumsum(x, 1, true), 6, 5, 3, 15, 11, 6);
  CHECK_VALUES(cumsum(x, 0, true), 5, 7, 9, 4, 5, 6);
  CHECK_VALUES(cumprod(x), 1, 2, 6, 4, 20, 120);
  CHECK_VALUES(cumprod(transpose(x), 1, true), 4, 4, 10, 5, 18, 6);
  CHECK_VALUES(cumsum(tensor<std::uint8_t>({200, 100})), 200, 44);
  CHECK(std::signbit(cumsum(tensor({-0.0}))[0].item()));
  CHECK(cumsum(zeros({0, 3}), 0).shape() == Shape{0, 3});
}

TEST_CASE("cumsum adds in blocks of 1024, on any number of threads, along either kind of axis") {
  Random random(51);
  const int before = num_threads();
  for (DType t : {f32, f64, DType::bf16}) {
    const Tensor x = random_tensor(random, {7 * 1024 + 5}, t);
    visit_dtype(compute_type(t), [&](auto zero) {
      using A = std::conditional_t<(sizeof zero > 4), double, float>;
      const auto v = x.to_vector<double>();
      std::vector<double> wanted;
      A blocks = 0, sum = 0;
      for (std::size_t i = 0; i < v.size(); ++i) {
        if (i > 0 && i % 1024 == 0) blocks += sum, sum = 0;
        sum += static_cast<A>(v[i]);
        wanted.push_back(static_cast<double>(blocks + sum));
      }
      const Tensor expected = cast(from_vector(wanted), t);
      for (const int threads : {1, std::min(2, before)}) {
        set_num_threads(threads);
        CHECK_SAME(cumsum(x), expected);
        CHECK_SAME(flip(cumsum(flip(x), 0, true)), expected);
        for (const std::int64_t columns : {3, 16, 37}) {
          const Tensor wide = contiguous(broadcast_to(reshape(x, {x.size(), 1}), {x.size(), columns}));
          CHECK_SAME((cumsum(wide, 0)[{Slice(), columns - 1}]), expected);
          CHECK_SAME(cumsum(transpose(wide), 1)[1], expected);
        }
      }
    });
  }
  set_num_threads(before);
}

TEST_CASE("cummax and cummin keep the first of equals, and the first NaN from there on") {
  const Tensor x = tensor({1, 3, 3, 2, NAN, 5, NAN});
  const auto [most, at] = cummax(x);
  CHECK_VALUES(at, 0, 1, 1, 1, 4, 4, 4);
  CHECK_VALUES(most[Slice(0, 4)], 1, 3, 3, 3);
  CHECK_VALUES(cummin(tensor({{2, 1}, {1, 4}}), 0).values, 2, 1, 1, 1);
  CHECK_VALUES(cummax(tensor({1, 3, 3, 2}), 0, true).indices, 2, 2, 2, 3);
  CHECK_VALUES(cummin(tensor<std::int32_t>({5, 4, 4, 6})).indices, 0, 1, 1, 1);
}

TEST_CASE("linear_recurrence carries its state along the axis") {
  CHECK_VALUES(linear_recurrence(tensor({9, 2, 3}), tensor({1, 1, 1})), 1, 3, 10);
  CHECK_VALUES(linear_recurrence(tensor({2, 3, 9}), tensor({1, 1, 1}), 0, true), 9, 4, 1);
  CHECK_VALUES(linear_recurrence(tensor({{1, 2}, {3, 4}}), tensor({{1, 1}, {1, 1}}), 0), 1, 1, 4, 5);
}

TEST_CASE("cumulative functions refuse a bad axis, bools and operands that differ", "[golden][bad-input.8]") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of<IndexError>([&] { cumsum(x, 2); }) ==
        "cumsum: axis 2 out of range for rank 2 [-2, 1]\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<DTypeError>([&] { cumprod(x > 0, 0); }) ==
        "cumprod: no meaning for bool\n  in0  bool[2, 3]\n  at HERE\n  hint: cast it to a number type");
  CHECK(message_of<ShapeError>([&] {
          linear_recurrence(x, zeros({3, 2}));
        }) == "linear_recurrence: shapes differ: [2, 3] and [3, 2]\n  a    f32[2, 3]\n  b    f32[3, 2]\n  at HERE");
  CHECK_THROWS_AS(linear_recurrence(x, zeros({2, 3}, f64)), DTypeError);
  CHECK_THROWS_AS(cumsum(tensor(1)), IndexError);
  CHECK_THROWS_AS(cummax(Tensor()), ArgumentError);
}
