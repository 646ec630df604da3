// Shapes: checked arithmetic, axes, ranks.
#include <weft/tensor/create.h>

#include "catch.h"

using namespace weft;

namespace {
constexpr std::int64_t huge = std::int64_t{1} << 62;
template <class F> std::string text_of(F&& f) {
  try {
    f();
  } catch (const Error& e) { return (e.op().empty() ? "" : e.op() + ": ") + e.rule(); }
  return "nothing thrown";
}
}  // namespace

TEST_CASE("the element count is checked before anything is allocated", "[bad-input.1]") {
  const auto before = memory_stats().allocations;
  const std::int64_t n = std::int64_t{1} << 32;
  CHECK_THROWS_AS(zeros({n, n}), ShapeError);
  CHECK(text_of([&] { zeros({n, n}); }) == "zeros: element count overflows in [4294967296, 4294967296]");
  CHECK_THROWS_AS(Tensor::placeholder({f32, {n, n, n}}), ShapeError);
  CHECK_THROWS_AS(zeros({INT64_MAX}, f64), ShapeError);
  CHECK_THROWS_AS(eye(std::int64_t{1} << 40), ShapeError);
  CHECK_THROWS_AS(arange(0, 1e30, 1), ShapeError);
  CHECK(memory_stats().allocations == before);
}

TEST_CASE("negative extents are named", "[bad-input.2]") {
  CHECK(text_of([] { zeros({2, -1}); }) == "zeros: extent -1 of dimension 1 is negative in [2, -1]");
  CHECK(text_of([] { full({INT64_MIN}, 1); }) ==
        "full: extent -9223372036854775808 of dimension 0 is negative in [-9223372036854775808]");
  CHECK_THROWS_AS(Tensor::allocate({f32, {0, -5}}), ShapeError);
  CHECK_THROWS_AS(eye(-1), ShapeError);
}

TEST_CASE("an extent of 0 makes any shape legal and empty", "[bad-input.3]") {
  for (const Shape& s : {Shape{0, huge}, Shape{huge, 0}, Shape{huge, 4, 0, huge}}) {
    const Tensor t = zeros(s);
    CHECK(t.size() == 0);
    CHECK(t.is_contiguous());
    CHECK(t.to_vector<float>().empty());
    CHECK(t.view().contiguous());
  }
}

TEST_CASE("more than 12 dimensions are refused", "[bad-input.4]") {
  CHECK(text_of([] { Shape(std::vector<std::int64_t>(65, 1)); }) ==
        "rank 65 is more than the 12 dimensions a tensor may have");
  CHECK_THROWS_AS(Shape(std::vector<std::int64_t>(1'000'000, 1)), ShapeError);
  Shape s = Shape::filled(12, 1);
  CHECK(zeros(s).rank() == 12);
  CHECK_THROWS_AS(s.push_back(1), ShapeError);
  CHECK_THROWS_AS(s.insert(0, 1), ShapeError);
  CHECK(s.size() == 12);
}

TEST_CASE("an axis counts from either end, and out of range it says the range", "[bad-input.8]") {
  CHECK(normal_axis(1, 2) == 1);
  CHECK(normal_axis(-2, 2) == 0);
  CHECK(text_of([] { normal_axis(2, 2); }) == "axis 2 out of range for rank 2 [-2, 1]");
  CHECK(text_of([] { normal_axis(-3, 2); }) == "axis -3 out of range for rank 2 [-2, 1]");
  CHECK(text_of([] { normal_axis(0, 0); }) == "axis 0 out of range for rank 0, which has no axes");
  CHECK_THROWS_AS(normal_axis(INT64_MIN, 2), IndexError);
  CHECK(normal_axes({2, 0, -2}, 3) == Ints{0, 1, 2});
  CHECK(text_of([] { normal_axes({0, -3}, 3); }) == "axis 0 appears twice in [0, -3]");
}

TEST_CASE("lists of integers insert, erase, compare and print") {
  const Shape counted{4, 5, 6};
  CHECK(counted[-1] == 6);
  CHECK(counted[-3] == 4);
  std::ostringstream printed;
  printed << counted;
  CHECK(printed.str() == "[4, 5, 6]");
  Ints a{1, 2, 3};
  a.insert(1, 9);
  CHECK(a == Ints{1, 9, 2, 3});
  a.erase(0);
  CHECK(a.text() == "[9, 2, 3]");
  CHECK(a.back() == 3);
  CHECK(a.contains(2));
  CHECK(a != Ints{9, 2});
  CHECK(Ints{}.text() == "[]");
  CHECK(contiguous_strides({2, 3, 4}) == Ints{12, 4, 1});
  CHECK(Type{DType::bf16, {2, 3}}.text() == "bf16[2, 3]");
  CHECK(count({}) == 1);
}

TEST_CASE("an error's parts are machine-readable, and what is there stays") {
  ShapeError e("too wide", "make it narrow");
  CHECK(std::string(e.what()) == "too wide\n  hint: make it narrow");
  e.locate("widen", {"lhs  f32[2]"}, "a.cpp:1");
  e.locate("other", {}, "b.cpp:2");
  CHECK(std::string(e.what()) == "widen: too wide\n  lhs  f32[2]\n  at a.cpp:1\n  hint: make it narrow");
  CHECK((e.op() == "widen" && e.rule() == "too wide" && e.site() == "a.cpp:1" && e.hint() == "make it narrow" &&
         e.operands().size() == 1));
  CHECK(shortened(std::string(1000, 'x'), 20) == "xxxxxxxxxx ... xxxxxxxxxx");
  CHECK(std::string(ArgumentError(std::string(1'000'000, 'x')).what()).size() < 3000);
}
