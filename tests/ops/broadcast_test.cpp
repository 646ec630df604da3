// Broadcasting, literals, and the messages of elementwise ops.
#include <weft/ops/compose.h>
#include <weft/ops/indexing.h>
#include <weft/ops/variable.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("operands broadcast as NumPy's do: every pair of shapes against explicit loops") {
  Random random;
  const std::vector<Shape> shapes = {{},        {1},       {4},       {3, 1}, {1, 4}, {3, 4}, {2, 1, 4},
                                     {2, 3, 1}, {2, 3, 4}, {1, 1, 1}, {0},    {0, 1}, {1, 0}};
  int pairs = 0;
  for (const Shape& sa : shapes)
    for (const Shape& sb : shapes) {
      INFO(sa.text() << " with " << sb.text());
      const int rank = std::max(sa.size(), sb.size());
      Shape out = Shape::filled(rank, 1);
      bool fits = true;
      const auto extent = [&](const Shape& s, int i) { return i < rank - s.size() ? 1 : s[i - (rank - s.size())]; };
      for (int i = 0; i < rank; ++i) {
        const auto x = extent(sa, i), y = extent(sb, i);
        fits &= x == y || x == 1 || y == 1;
        out[i] = x == 1 ? y : x;
      }
      const Tensor a = random_tensor(random, sa, f32), b = random_tensor(random, sb, f32);
      if (!fits) {
        CHECK_THROWS_AS(a - b, ShapeError);
        continue;
      }
      ++pairs;
      const auto va = a.to_vector<float>(), vb = b.to_vector<float>();
      std::vector<float> expected;
      for (std::int64_t k = 0; k < count(out); ++k) {
        std::int64_t rest = k, ia = 0, ib = 0, step_a = 1, step_b = 1;
        for (int i = rank; i-- > 0;) {
          const std::int64_t at = rest % out[i];
          rest /= out[i];
          ia += at % extent(sa, i) * step_a;
          ib += at % extent(sb, i) * step_b;
          step_a *= extent(sa, i);
          step_b *= extent(sb, i);
        }
        expected.push_back(va[static_cast<std::size_t>(ia)] - vb[static_cast<std::size_t>(ib)]);
      }
      CHECK_SAME(a - b, from_vector(expected, out));
    }
  CHECK(pairs > 80);
}

TEST_CASE("large operands that lie turned are read as if they lay in order") {
  Random random(17);
  const Tensor a = random_tensor(random, {70, 40, 50}, f32), b = random_tensor(random, {50, 40, 70}, f32),
               h = cast(random_tensor(random, {40, 70, 50}, f32), DType::bf16);
  const Tensor at = transpose(a, {2, 1, 0}), ht = transpose(h, {2, 0, 1}), line = slice_axis(b, 2, 0, 1);
  CHECK_SAME(at + b, contiguous(at) + b);
  CHECK_SAME(at * line, contiguous(at) * line);
  CHECK_SAME(exp(ht), exp(contiguous(ht)));
  const Tensor m = transpose(random_tensor(random, {300, 250}, f32)), many = random_tensor(random, {3, 250, 300}, f32);
  CHECK_SAME(many + m, many + contiguous(m));
  CHECK_SAME(expand(m, 1) + slice_axis(many, 0, 0, 1), expand(contiguous(m), 1) + slice_axis(many, 0, 0, 1));
  CHECK_SAME(where(at > 0, at, b), where(contiguous(at) > 0, contiguous(at), b));
}

TEST_CASE("where broadcasts all three operands") {
  const Tensor mask = tensor<bool>({{true}, {false}});
  CHECK_VALUES(where(mask, tensor({1, 2, 3}), -1), 1, 2, 3, -1, -1, -1);
  CHECK(where(mask, tensor(1), tensor({{{5}}, {{6}}})).shape() == Shape{2, 2, 1});
}

TEST_CASE("a literal takes the tensor's type, on either side") {
  for (DType t : {f32, f64, DType::bf16, DType::f16, i32, i64, u8}) {
    CHECK((ones({2}, t) + 1).dtype() == t);
    CHECK((1 - ones({2}, t)).dtype() == t);
    CHECK_VALUES(3 * ones({1}, t), 3);
  }
  CHECK((tensor<double>({1}) * 0.1).item() == 0.1);
  CHECK((tensor({1.0f}) * 0.1).item<float>() == 0.1f);
  CHECK((tensor<std::int32_t>({7}) > 6.0).item<bool>());
  CHECK_THROWS_AS(tensor<std::int32_t>({7}) + 0.5, DTypeError);
  CHECK_THROWS_AS(tensor<bool>({true}) & 2, DTypeError);
  CHECK(maximum(1, 2).dtype() == f32);
}

TEST_CASE("shapes that do not broadcast are named, with the dimension") {
  const Tensor x = zeros({2, 3}).named("x");
  CHECK(message_of<ShapeError>([&] { x + zeros({4}); }) ==
        "add: shapes do not broadcast: [2, 3] with [4] (3 vs 4 in dimension 1 from the back)\n"
        "  lhs  f32[2, 3]      \"x\"\n  rhs  f32[4]\n  at HERE");
  CHECK(message_of<ShapeError>([&] { where(zeros({5}, DType::boolean), x, 0); }) ==
        "where: shapes do not broadcast: [5] with [2, 3] (5 vs 3 in dimension 1 from the back)\n"
        "  cond bool[5]\n  a    f32[2, 3]      \"x\"\n  b    literal 0\n  at HERE");
}

TEST_CASE("types never mix silently: the message says what to cast") {
  CHECK(message_of<DTypeError>([] { zeros({2}) + zeros({2}, f64); }) ==
        "add: dtypes differ: f32 and f64\n  lhs  f32[2]\n  rhs  f64[2]\n  at HERE\n"
        "  hint: cast one: the f32 to f64, or the f64 to f32");
  CHECK(message_of<DTypeError>([] { zeros({2}, i32) * zeros({2}); }) ==
        "mul: dtypes differ: i32 and f32\n  lhs  i32[2]\n  rhs  f32[2]\n  at HERE\n  hint: cast one: cast(x, f32)");
  CHECK(message_of<DTypeError>([] { zeros({2}, i32) / 2; }) ==
        "div: no meaning for i32\n  lhs  i32[2]\n  rhs  literal 2\n  at HERE\n  hint: cast it to f32 or f64");
  CHECK(message_of<DTypeError>([] { zeros({}, DType::boolean) + 1; }) ==
        "add: no meaning for bool\n  lhs  bool[]\n  rhs  bool[]\n  at HERE\n  hint: cast it to a number type");
  CHECK(message_of<DTypeError>([] { zeros({2}) & zeros({2}); }) ==
        "logical_and: no meaning for f32\n  lhs  f32[2]\n  rhs  f32[2]\n  at HERE\n  hint: compare it, or cast it to "
        "bool");
  CHECK(message_of<DTypeError>([] { zeros({2}, i64) + 0.5; }) ==
        "add: the literal 0.5 does not fit a tensor of i64\n  lhs  i64[2]\n  rhs  literal 0.5\n  at HERE\n"
        "  hint: cast the tensor to a float type");
  CHECK(message_of<DTypeError>([] { where(zeros({1}), 1, 2); }) ==
        "where: the condition is f32, not bool\n  cond f32[1]\n  a    literal 1\n  b    literal 2\n  at HERE\n  hint: "
        "compare it, or cast it to bool");
}

TEST_CASE("a number that the tensor's dtype does not hold is refused, in arithmetic and in comparisons") {
  for (const auto op : {add, sub, mul, maximum, minimum, remainder, floor_divide, less, less_equal, greater,
                        greater_equal, equal, not_equal}) {
    const auto refuse = [&](DType t, const Arg& n) {
      CHECK_THROWS_AS(op(zeros({2}, t), n), DTypeError);
      CHECK_THROWS_AS(op(n, zeros({2}, t)), DTypeError);
    };
    refuse(u8, 256);
    refuse(u8, -1);
    refuse(i32, 3'000'000'000);
    refuse(i32, -2147483649);
    refuse(i32, INT64_MAX);
    for (const DType t : {u8, i32, i64}) {
      refuse(t, 0x1p63);
      refuse(t, UINT64_MAX);
      refuse(t, INFINITY);
      refuse(t, NAN);
      refuse(t, -1e300);
    }
  }
  CHECK(
      message_of<DTypeError>([] { zeros({2}, i32) + 3'000'000'000; }) ==
      "add: the literal 3000000000 does not fit a tensor of i32\n  lhs  i32[2]\n  rhs  literal 3000000000\n  at HERE\n"
      "  hint: cast the tensor to i64");
  CHECK_THROWS_AS(where(ones({1}) > 0, zeros({1}, u8), 300), DTypeError);
  CHECK_THROWS_AS(masked_fill(zeros({1}, i32), ones({1}) > 0, INT64_MAX), DTypeError);
  CHECK(message_of<DTypeError>([] { pad(arange(3), {1}, {1}, 7.5); }) ==
        "pad: the literal 7.5 does not fit a tensor of i64\n  in0  i64[3]\n  at HERE\n  hint: cast the tensor to a "
        "float type");
  const auto only = [](const Tensor& t) { return t.to_vector<std::int64_t>()[0]; };
  CHECK(only(zeros({1}, u8) + 255) == 255);
  CHECK(only(zeros({1}, i32) + INT32_MIN) == INT32_MIN);
  CHECK(only(maximum(zeros({1}, i64), INT64_MAX)) == INT64_MAX);
  CHECK(only(minimum(zeros({1}, i64), INT64_MIN)) == INT64_MIN);
  CHECK_VALUES(zeros({1}) + INFINITY, INFINITY);
}

TEST_CASE("full holds what its dtype does") {
  CHECK(message_of<DTypeError>([] { full({1}, 300, u8); }) ==
        "full: the literal 300 does not fit a tensor of u8\n  at HERE\n  hint: cast the tensor to i64");
  CHECK_THROWS_AS(full({1}, NAN, i32), DTypeError);
  CHECK_THROWS_AS(full({0}, 0.5, i64), DTypeError);
  CHECK_THROWS_AS(full({1}, 2, DType::boolean), DTypeError);
  CHECK_VALUES(full({2}, -0x1p63, i64), -0x1p63, -0x1p63);
  CHECK_VALUES(full({1}, 1, DType::boolean), 1);
}

TEST_CASE("a whole number keeps its 64 bits") {
  constexpr std::int64_t n = 9'007'199'254'740'993;  // 2^53 + 1: no double
  const auto only = [](const Tensor& t) { return t.item<std::int64_t>(); };
  const Tensor zero = zeros({}, i64);
  CHECK(only(zero + n) == n);
  CHECK(only(n - zero) == n);
  CHECK(only(full({1}, n, i64)) == n);
  CHECK(only(slice(pad(zeros({1}, i64), {1}, {0}, n), {0}, {1})) == n);
  CHECK(only(where(zeros({1}) > 1, zero, INT64_MAX - 1)) == INT64_MAX - 1);
  CHECK(only(clip(full({}, INT64_MAX, i64), 0, n)) == n);
  CHECK(equal(full({}, n, i64), n - 1).item<bool>() == false);
  Variable v = zero;
  v.assign(n).assign_add(n);
  CHECK(only(v) == 2 * n);
  CHECK((zeros({}) + 0x2000'0020'0000'0001).item() == 0x2000'0040'0000'0000);  // rounded once: its double is a tie
  CHECK(
      message_of<DTypeError>([&] { zeros({1}, i32) + n; }) ==
      "add: the literal 9007199254740993 does not fit a tensor of i32\n  lhs  i32[1]\n  rhs  literal 9007199254740993\n"
      "  at HERE\n  hint: cast the tensor to i64");
}

TEST_CASE("bools are equal or not, turned by ~ and kept by identity") {
  const Tensor a = tensor<bool>({false, false, true, true}), b = tensor<bool>({false, true, false, true});
  CHECK_SAME(equal(a, b), tensor<bool>({true, false, false, true}));
  CHECK_SAME(not_equal(a, b), tensor<bool>({false, true, true, false}));
  CHECK_SAME(equal(true, b), b);
  CHECK_SAME(not_equal(reshape(a, {4, 1}), b), reshape(a, {4, 1}) ^ b);
  CHECK_SAME(~b, !b);
  CHECK_SAME(bitwise_not(b), !b);
  CHECK_SAME(identity(b), b);
  CHECK(message_of<DTypeError>([&] { equal(a, zeros({4})); }) ==
        "equal: dtypes differ: bool and f32\n  lhs  bool[4]\n  rhs  f32[4]\n  at HERE\n  hint: cast one: cast(x, f32)");
  CHECK_THROWS_AS(equal(a, 2), DTypeError);
  CHECK_THROWS_AS(less(a, b), DTypeError);
  CHECK_THROWS_AS(neg(a), DTypeError);
}

TEST_CASE("an undefined operand is named by its place") {
  const Tensor none;
  CHECK(message_of<ArgumentError>([&] { exp(none); }).substr(0, 29) == "exp: operand 0 is undefined\n ");
  CHECK(message_of<ArgumentError>([&] { tensor({1}) + none; }).substr(0, 29) == "add: operand 1 is undefined\n ");
  CHECK_THROWS_AS(Variable() + 1, ArgumentError);
}

TEST_CASE("an error's line is that of the user's call, in an expression and in a function") {
  const auto line_of = [](auto f) {
    try {
      f();
    } catch (const ShapeError& e) { return e.site().substr(e.site().find("broadcast_test.cpp")); }
    return std::string("nothing thrown");
  };
  const Tensor a = zeros({2}), b = zeros({3});
  CHECK(line_of([&] { return (a + a) * b; }) == "broadcast_test.cpp:" + std::to_string(__LINE__));
  CHECK(line_of([&] { return where(b > 0, a, 0); }) == "broadcast_test.cpp:" + std::to_string(__LINE__));
  CHECK(line_of([&] { return reshape(a, {7}); }) == "broadcast_test.cpp:" + std::to_string(__LINE__));
  CHECK(line_of([&] { return Variable(a).assign(b); }) == "broadcast_test.cpp:" + std::to_string(__LINE__));
}

TEST_CASE("long shapes, names and lists are shortened in messages") {
  const Tensor x = zeros(Shape::filled(12, 1)).named(std::string(10'000, 'n'));
  const std::string text = message_of<ShapeError>([&] {
    x + zeros({2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}) + zeros({5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  });
  CHECK(text.size() < 1000);
  CHECK(message_of<DTypeError>([&] { x + zeros({}, f64); }).size() < 700);
}

TEST_CASE("a message shows operands as they were given, not as they were broadcast") {
  CHECK(message_of<DTypeError>([] { ones({2}, i64) * tensor(3); }) ==
        "mul: dtypes differ: i64 and f32\n  lhs  i64[2]\n  rhs  f32[]\n  at HERE\n  hint: cast one: cast(x, f32)");
  CHECK(message_of<DTypeError>([] { where(tensor(1), ones({2}), zeros({2})); }).find("cond f32[]\n") !=
        std::string::npos);
}
