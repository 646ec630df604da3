// Tensors made, read back, and refused.
#include <cmath>
#include <sstream>

#include <weft/tensor/create.h>

#include "catch.h"

using namespace weft;

namespace {
template <class F> std::string text_of(F&& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "nothing thrown";
}
using Values = std::vector<double>;
constexpr DType all[] = {f32, f64, DType::bf16, DType::f16, i32, i64, u8, DType::boolean};
}  // namespace

TEST_CASE("zeros, ones, full and eye, of every type") {
  for (DType t : all) {
    INFO(name_of(t));
    CHECK(zeros({2, 2}, t).to_vector<double>() == Values{0, 0, 0, 0});
    CHECK(ones({3}, t).to_vector<double>() == Values{1, 1, 1});
    CHECK(ones({3}, t).dtype() == t);
    CHECK(eye(2, t).to_vector<double>() == Values{1, 0, 0, 1});
    CHECK(zeros_like(ones({2}, t)).to_vector<double>() == Values{0, 0});
    CHECK(ones_like(zeros({2}, t)).type() == Type{t, {2}});
  }
  CHECK_THROWS_AS(full({2}, 3.7, i32), DTypeError);
  CHECK(std::signbit(full({1}, -0.0).to_vector<double>()[0]));
  CHECK(eye(0).shape() == Shape{0, 0});
}

TEST_CASE("whole numbers keep the bits that a double has not") {
  constexpr std::int64_t big = (std::int64_t{1} << 53) + 1;
  const Tensor x = arange(big, big + 6, 2, i64);
  CHECK(x.to_vector<std::int64_t>() == std::vector<std::int64_t>{big, big + 2, big + 4});
  CHECK(x.at<std::int64_t>({1}) == big + 2);
  CHECK(arange(INT64_MAX, INT64_MIN, -INT64_MAX, i64).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{INT64_MAX, 0, -INT64_MAX});
  CHECK(arange(INT64_MAX - 1, 1e300, 1, i64).size() == 1);
  CHECK_THROWS_AS(arange(INT64_MIN, INT64_MAX, 1, i64), weft::Error);
}

TEST_CASE("arange and linspace compute each element anew, rounded once") {
  CHECK(arange(0, 1, 0.25).to_vector<double>() == Values{0, 0.25, 0.5, 0.75});
  CHECK(arange(5, 0, -2).to_vector<double>() == Values{5, 3, 1});
  CHECK(arange(3, 3).size() == 0);
  CHECK(arange(3, 0).size() == 0);
  CHECK(arange(std::int64_t{3}).dtype() == i64);
  CHECK(arange(0, 1000, 1).to_vector<double>()[999] == 999);
  CHECK(arange(0, 1, 0.1, f64).to_vector<double>()[3] == 3 * 0.1);
  CHECK(arange(5, 2.5, -1, i32).to_vector<double>() == Values{5, 4, 3});
  CHECK(arange(0, 2.5, 1, i64).to_vector<double>() == Values{0, 1, 2});
  CHECK(arange(-2, 3, 1, f32).to_vector<double>() == Values{-2, -1, 0, 1, 2});
  CHECK(linspace(0, 1, 5).to_vector<double>() == Values{0, 0.25, 0.5, 0.75, 1});
  CHECK(linspace(2, 7, 1).to_vector<double>() == Values{2});
  CHECK(linspace(0.1, 0.7, 7, f64).to_vector<double>().back() == 0.7);
  CHECK(linspace(0, 1, 0).size() == 0);
  CHECK_THROWS_AS(arange(0, 1, 0), ArgumentError);
  CHECK_THROWS_AS(arange(0, 1, 0, i64), ArgumentError);
  CHECK_THROWS_AS(arange(0, 1, 0.25, i32), DTypeError);
  CHECK_THROWS_AS(arange(0, 300, 1, u8), DTypeError);
  CHECK(arange(0, 256, 1, u8).at({255}) == 255);
  CHECK_THROWS_AS(arange(0, INFINITY), ArgumentError);
  CHECK_THROWS_AS(arange(NAN, 1), ArgumentError);
  CHECK_THROWS_AS(linspace(0, 1, -1), ArgumentError);
}

TEST_CASE("braces give the shape of their nesting") {
  CHECK(tensor({{1, 2, 3}, {4, 5, 6}}).shape() == Shape{2, 3});
  CHECK(tensor({{1, 2, 3}}).shape() == Shape{1, 3});
  CHECK(tensor({{{1}}}).shape() == Shape{1, 1, 1});
  CHECK(tensor({1}).shape() == Shape{1});
  CHECK(tensor(1).shape() == Shape{});
  CHECK(tensor({}).shape() == Shape{0});
  CHECK(tensor({1, 2.5}).dtype() == f32);
  CHECK(tensor<double>({0.1}).item() == 0.1);
  CHECK(tensor<bool>({{true, false}, {false, true}}).to_vector<bool>() == std::vector<bool>{true, false, false, true});
  CHECK(tensor<bfloat16>({1, 2}).dtype() == DType::bf16);
  CHECK_THROWS_AS(tensor({{1, 2}, {3}}), ShapeError);
  CHECK_THROWS_AS(tensor({{1, 2}, 3}), ShapeError);
}

TEST_CASE("from memory: vectors, spans, a writer; the count must fit") {
  const std::vector<float> v = {1, 2, 3, 4};
  CHECK(from_vector(v).shape() == Shape{4});
  CHECK(from_vector(v, {2, 2}).at({1, 0}) == 3);
  CHECK(from_span(std::span<const std::int64_t>(), {0, 3}).dtype() == i64);
  CHECK(from_vector(std::vector<bool>{true, false}).dtype() == DType::boolean);
  CHECK(from_writer<float>({2, 2}, [](std::span<float> out) { out[3] = 7; }).to_vector<double>() == Values{0, 0, 0, 7});
  CHECK(text_of([&] { from_vector(v, {3}); }).find("from_vector: 4 numbers for shape [3], which has 3\n  at ") == 0);
  CHECK_THROWS_AS(from_writer<float>({1}, [](std::span<float>) { throw std::runtime_error("mine"); }),
                  std::runtime_error);
}

TEST_CASE("elements are read as item, span, vector and by index, converted where asked") {
  const Tensor t = tensor({{1.5, 2}, {3, -4}});
  CHECK(t.span<float>()[3] == -4);
  CHECK(t.to_vector<int>() == std::vector<int>{1, 2, 3, -4});
  CHECK(t.at({1, -1}) == -4);
  CHECK(tensor({2.5}).item<int>() == 2);
  CHECK(tensor(2.5).item() == 2.5);
  CHECK(zeros({1, 1}).item<bool>() == false);
  CHECK(text_of([&] { t.item(); }).starts_with("item: f32[2, 2] has 4 elements, not one\n  at "));
  CHECK(text_of([&] { t.item(); }).find("tensor_test.cpp:") != std::string::npos);
  CHECK(text_of([&] { t.span<double>(); }).starts_with("span: f64 of a tensor f32[2, 2]\n  at "));
  CHECK(text_of([&] { t.at({2, 0}); }).starts_with("at: index 2 out of range for extent 2 of axis 0\n  at "));
  CHECK(text_of([&] { Tensor().item(); }).starts_with("item: the tensor is undefined\n  at "));
  CHECK_THROWS_AS(zeros({0}).item(), ShapeError);
  CHECK_THROWS_AS(t.at({2, 0}), IndexError);
  CHECK_THROWS_AS(t.at({0, -3}), IndexError);
  CHECK_THROWS_AS(t.at({0}), IndexError);
  CHECK_THROWS_AS(Tensor().to_vector<float>(), ArgumentError);
  CHECK_THROWS_AS(Tensor().item(), ArgumentError);
  CHECK_THROWS_AS(Tensor().named("x"), ArgumentError);
}

TEST_CASE("elements that do not lie in order are read in order, but not as a span") {
  const Tensor base = tensor({1, 2, 3, 4, 5, 6});
  const Tensor t = Tensor::on(base.storage(), {f32, {3, 2}, {1, 3}, base.view().data});  // its transpose as [3, 2]
  CHECK_FALSE(t.is_contiguous());
  CHECK(t.to_vector<double>() == Values{1, 4, 2, 5, 3, 6});
  CHECK_THROWS_AS(t.span<float>(), ArgumentError);
  const Tensor back = Tensor::on(base.storage(), {f32, {2, 2}, {0, -2}, base.view().as<float>() + 5});
  CHECK(back.to_vector<int>() == std::vector<int>{6, 4, 6, 4});
}

TEST_CASE("a traced tensor has a type and nothing to read") {
  const Tensor t = Tensor::placeholder({f32, {2, 3}});
  CHECK(t.is_traced());
  CHECK(t.size() == 6);
  CHECK(t.text() == "f32[2, 3] (traced)");
  CHECK(text_of([&] { t.item(); }).starts_with("item: a traced tensor has no elements to read\n  at "));
  CHECK_THROWS_AS(t.item(), GuardError);
  CHECK_THROWS_AS(t.to_vector<float>(), GuardError);
  CHECK_THROWS_AS(t.span<float>(), GuardError);
}

TEST_CASE("a named tensor is the same value with a name") {
  const Tensor t = tensor({1, 2}), n = t.named("fc.bias");
  CHECK(n.name() == "fc.bias");
  CHECK(t.name().empty());
  CHECK(n.id() == t.id());
  CHECK(n.storage() == t.storage());
}

TEST_CASE("strides decide what is contiguous; extents of 1 have none that matter") {
  const auto contiguous = [](const Shape& s, const Ints& strides) {
    return View{f32, s, strides, nullptr}.contiguous();
  };
  CHECK(contiguous({2, 3}, {3, 1}));
  CHECK_FALSE(contiguous({2, 3}, {1, 2}));
  CHECK(contiguous({1, 3}, {77, 1}));
  CHECK(contiguous({3, 1}, {1, -5}));
  CHECK_FALSE(contiguous({3}, {-1}));
  CHECK_FALSE(contiguous({3}, {0}));
  CHECK(contiguous({1}, {0}));
  CHECK(contiguous({0, 3}, {9, 9}));
  CHECK(contiguous({}, {}));
}

TEST_CASE("tensors print as NumPy's do", "[golden]") {
  const auto text = [](const Tensor& t) {
    std::ostringstream out;
    out << t;
    return out.str();
  };
  CHECK(text(tensor({1, 2, 3})) == "[1., 2., 3.]  f32[3]");
  CHECK(text(tensor({{1.5, 2}, {-3, 4}})) == "[[ 1.5,  2.0],\n [-3.0,  4.0]]  f32[2, 2]");
  CHECK(text(tensor({0.1, 0.123456, -12.5})) == "[  0.1000,   0.1235, -12.5000]  f32[3]");
  CHECK(text(tensor({1e-5, 1})) == "[1.0000e-05, 1.0000e+00]  f32[2]");
  CHECK(text(tensor({NAN, INFINITY, -INFINITY, 1})) == "[ nan,  inf, -inf,   1.]  f32[4]");
  CHECK(text(tensor<std::int32_t>({1, -20, 300})) == "[  1, -20, 300]  i32[3]");
  CHECK(text(tensor<std::int64_t>({INT64_MIN})) == "[-9223372036854775808]  i64[1]");
  CHECK(text(tensor<bool>({true, false})) == "[ true, false]  bool[2]");
  CHECK(text(tensor(0.25)) == "0.25  f32[]");
  CHECK(text(zeros({0, 3})) == "[]  f32[0, 3]");
  CHECK(text(Tensor()) == "undefined");
  CHECK(text(from_vector(std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2})) ==
        "[[[1, 2],\n  [3, 4]],\n\n [[5, 6],\n  [7, 8]]]  u8[2, 2, 2]");
}

TEST_CASE("long tensors print their edges, long rows are wrapped", "[golden]") {
  CHECK(arange(0, 2000, 1).text() == "[   0.,    1.,    2., ..., 1997., 1998., 1999.]  f32[2000]");
  CHECK(zeros({7, 200}, u8).text() ==
        "[[0, 0, 0, ..., 0, 0, 0],\n [0, 0, 0, ..., 0, 0, 0],\n [0, 0, 0, ..., 0, 0, 0],\n ...,\n"
        " [0, 0, 0, ..., 0, 0, 0],\n [0, 0, 0, ..., 0, 0, 0],\n [0, 0, 0, ..., 0, 0, 0]]  u8[7, 200]");
  CHECK(arange(0, 20, 1).text() ==
        "[ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13., 14., 15.,\n 16., 17., 18., 19.]  "
        "f32[20]");
  CHECK(zeros({std::int64_t{1} << 20}).text().size() < 100);
}

TEST_CASE("braces become a tensor of any dtype") {
  const Tensor x = tensor({{1, 2}, {3, 4.5}}, f64);
  CHECK(x.type() == Type{f64, {2, 2}});
  CHECK(x.at({1, 1}) == 4.5);
  CHECK(tensor({0.1}, f64).item() == 0.1);
  CHECK(tensor(7, i32).type() == Type{i32, {}});
  CHECK(tensor({INT64_MAX, INT64_MIN + 1}, i64).to_vector<std::int64_t>() ==
        std::vector<std::int64_t>{INT64_MAX, INT64_MIN + 1});
  CHECK(tensor({true, false}, DType::boolean).to_vector<bool>() == std::vector<bool>{true, false});
  CHECK(tensor({1.00390625, -2}, DType::bf16).to_vector<float>() == std::vector<float>{1, -2});
  CHECK(tensor({}, f64).shape() == Shape{0});
  CHECK_THROWS_WITH(tensor({1, 0.5}, i64), containing("tensor: "));
  CHECK_THROWS_AS(tensor({256}, u8), DTypeError);
  CHECK_THROWS_AS(tensor({{1, 2}, {3}}, f64), ShapeError);
}
