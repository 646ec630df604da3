// dot, outer, inner, tensordot, kron, einsum: values, a fuzz of einsum against plain loops in f64, refusals.
#include <map>

#include <weft/ops/products.h>
#include <weft/ops/subscript.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

const Tensor a = tensor({{1, 2, 3}, {4, 5, 6}}), b = tensor({{1, 0}, {2, 1}, {0, 3}});

// The sum by the letter: over all values of all labels, of the products of the elements that they name.
std::vector<double> by_loops(const std::vector<std::string>& terms, const std::string& result,
                             const std::vector<Tensor>& operands) {
  std::map<char, std::int64_t> extents;
  for (std::size_t i = 0; i < terms.size(); ++i)
    for (std::size_t k = 0; k < terms[i].size(); ++k) {
      std::int64_t& n = extents[terms[i][k]];
      n = std::max(n, operands[i].shape()[static_cast<int>(k)]);
    }
  std::vector<std::vector<double>> values;
  for (const Tensor& t : operands) values.push_back(t.to_vector<double>());
  std::int64_t size = 1, all = 1;
  for (char l : result) size *= extents[l];
  for (const auto& [l, n] : extents) all *= n;
  std::vector<double> sums(static_cast<std::size_t>(size));
  for (std::int64_t flat = 0; flat < all; ++flat) {
    std::map<char, std::int64_t> at;
    std::int64_t rest = flat;
    for (const auto& [l, n] : extents) {
      at[l] = rest % n;
      rest /= n;
    }
    double product = 1;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      std::int64_t offset = 0;
      for (std::size_t k = 0; k < terms[i].size(); ++k) {
        const std::int64_t n = operands[i].shape()[static_cast<int>(k)];
        offset = offset * n + (n == 1 ? 0 : at[terms[i][k]]);
      }
      product *= values[i][static_cast<std::size_t>(offset)];
    }
    std::int64_t offset = 0;
    for (char l : result) offset = offset * extents[l] + at[l];
    sums[static_cast<std::size_t>(offset)] += product;
  }
  return sums;
}

}  // namespace

TEST_CASE("einsum does what its string says") {
  CHECK_VALUES(einsum("ij,jk->ik", {a, b}), 5, 11, 14, 23);
  CHECK_VALUES(einsum("ij,jk", {a, b}), 5, 11, 14, 23);
  CHECK_VALUES(einsum(" i j , j k -> k i ", {a, b}), 5, 14, 11, 23);
  CHECK_VALUES(einsum("ij->ji", {a}), 1, 4, 2, 5, 3, 6);
  CHECK_VALUES(einsum("ba", {a}), 1, 4, 2, 5, 3, 6);
  CHECK_VALUES(einsum("ij->", {a}), 21);
  CHECK_VALUES(einsum("ij->j", {a}), 5, 7, 9);
  CHECK_VALUES(einsum("ii", {tensor({{1, 2}, {3, 4}})}), 5);
  CHECK_VALUES(einsum("ii->i", {tensor({{1, 2}, {3, 4}})}), 1, 4);
  CHECK_VALUES(einsum("i,j->ij", {tensor({1, 2}), tensor({3, 4})}), 3, 4, 6, 8);
  CHECK_VALUES(einsum("i,i->i", {tensor({1, 2}), tensor({3, 4})}), 3, 8);
  CHECK_VALUES(einsum(",i->i", {tensor(2), tensor({3, 4})}), 6, 8);
  CHECK_VALUES(einsum("...j,j", {a, tensor({1, 0, 1})}), 4, 10);
  CHECK_VALUES(einsum("...,...", {a, tensor({1, 0, 1})}), 1, 0, 3, 4, 0, 6);
  CHECK(einsum("i...,j...->...ij", {zeros({2, 5, 3}), zeros({4, 1, 3})}).shape() == Shape{5, 3, 2, 4});
  CHECK(einsum("bhqd,bhkd->bhqk", {zeros({2, 3, 4, 5}), zeros({2, 3, 6, 5})}).shape() == Shape{2, 3, 4, 6});
  CHECK_VALUES(einsum("ij,ij->i", {a, tensor({{2, 0, 1}})}), 5, 14);  // an extent of 1 broadcasts
  CHECK(einsum("ij,jk->ik", {zeros({2, 0}), zeros({0, 3})}).shape() == Shape{2, 3});
  CHECK_VALUES(einsum("ij,jk->ik", {tensor<std::int32_t>({{2}}), tensor<std::int32_t>({{3}})}), 6);
}

TEST_CASE("einsum sums a label alone whose other axes broadcast") {
  const Tensor a = cast(reshape(arange(9), {3, 3}), f32), b = tensor({{1, 10}}),
               c = cast(reshape(arange(4), {2, 1, 2}), f32);
  CHECK_VALUES(einsum("cc,Ba,dca->a", {a, b, c}), 24, 480);
}

TEST_CASE("random einsums give what plain loops give") {
  Random random(61);
  for (int round = 0; round < 400; ++round) {
    const std::string letters = "aBcdE";
    std::int64_t extents[5];
    for (std::int64_t& n : extents) n = 1 + random.below(3);
    const int operands = 1 + static_cast<int>(random.below(round % 40 == 0 ? 10 : 4));
    std::vector<std::string> terms(static_cast<std::size_t>(operands));
    std::vector<Tensor> tensors;
    std::string spec, result, seen;
    for (std::string& term : terms) {
      Shape shape;
      const std::int64_t rank = random.below(operands > 4 ? 3 : 4);
      for (std::int64_t k = 0; k < rank; ++k) {
        const auto l = static_cast<std::size_t>(random.below(5));
        term += letters[l];
        const bool one = random.below(12) == 0 && term.find(letters[l]) == term.size() - 1 &&
                         term.rfind(letters[l]) == term.size() - 1;
        shape.push_back(one ? 1 : extents[l]);
      }
      for (std::size_t k = 0; k < term.size(); ++k)  // a repeated label has one extent in its operand
        shape[static_cast<int>(k)] = shape[static_cast<int>(term.rfind(term[k]))] =
            std::max(shape[static_cast<int>(k)], shape[static_cast<int>(term.rfind(term[k]))]);
      tensors.push_back(random_tensor(random, shape, f64));
      spec += (spec.empty() && &term == &terms[0] ? "" : ",") + term;
      for (char l : term)
        if (seen.find(l) == std::string::npos) seen += l;
    }
    const bool written = random.below(4) != 0;
    for (char l : std::string("BEacd")) {
      if (seen.find(l) == std::string::npos) continue;
      const bool kept = written ? random.below(2) == 1 : std::count(spec.begin(), spec.end(), l) == 1;
      if (kept)
        result.insert(result.begin() + (written ? random.below(std::ssize(result) + 1) : std::ssize(result)), l);
    }
    const std::string text = written ? spec + "->" + result : spec;
    INFO(text);
    const Tensor got = einsum(text, tensors);
    const std::vector<double> wanted = by_loops(terms, result, tensors), values = got.to_vector<double>();
    REQUIRE(got.rank() == static_cast<int>(result.size()));
    REQUIRE(values.size() == wanted.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(std::abs(values[i] - wanted[i]) <= 1e-11 * (1 + std::abs(wanted[i])));
  }
}

TEST_CASE("einsum contracts in the cheap order: long chains stay small") {
  // From the left it would take 10^4 x 10^4 products; that much memory is not there.
  const Tensor column = ones({20'000, 1}), row = ones({1, 20'000});
  CHECK_VALUES((einsum("ij,jk,kl->il", {column, row, column})[{0, 0}]), 20'000);
  std::vector<Tensor> many(12, row);
  std::string spec = "aA,";
  for (int i = 0; i < 12; ++i) spec += std::string(1, 'A') + static_cast<char>('b' + i) + (i < 11 ? "," : "->a");
  many.insert(many.begin(), column);
  CHECK(einsum(spec, many).shape() == Shape{20'000});
}

TEST_CASE("dot, inner, outer, tensordot and kron follow NumPy") {
  const Tensor u = tensor({1, 2, 3}), v = tensor({4, 5, 6});
  CHECK_VALUES(dot(u, v), 32);
  CHECK_VALUES(dot(a, b), 5, 11, 14, 23);
  CHECK_VALUES(dot(a, v), 32, 77);
  CHECK_VALUES(dot(2, u), 2, 4, 6);
  CHECK(dot(zeros({2, 3, 4}), zeros({5, 4, 6})).shape() == Shape{2, 3, 5, 6});
  CHECK_VALUES(inner(a, a), 14, 32, 32, 77);
  CHECK(inner(zeros({2, 4}), zeros({3, 5, 4})).shape() == Shape{2, 3, 5});
  CHECK_VALUES(outer(tensor({1, 2}), tensor({{3, 4}})), 3, 4, 6, 8);
  CHECK_VALUES(tensordot(a, a), 91);
  CHECK_VALUES(tensordot(a, b, 1), 5, 11, 14, 23);
  CHECK(tensordot(zeros({2, 3, 4}), zeros({4, 2, 5}), {0, -1}, {1, 0}).shape() == Shape{3, 5});
  CHECK(tensordot(zeros({2, 3}), zeros({4}), 0).shape() == Shape{2, 3, 4});
  CHECK_VALUES(kron(tensor({1, 10}), tensor({{1, 2}, {3, 4}})), 1, 2, 10, 20, 3, 4, 30, 40);
}

TEST_CASE("cross is the vector product, along any axis of three") {
  const Tensor u = tensor({1, 2, 3}), v = tensor({4, 5, 7});
  CHECK_VALUES(cross(u, v), -1, 5, -3);
  CHECK_VALUES(cross(tensor({{1, 2, 3}, {0, 0, 1}}), v), -1, 5, -3, -5, 4, 0);
  CHECK_VALUES(cross(reshape(u, {3, 1}), reshape(v, {3, 1}), 0), -1, 5, -3);
  CHECK(cross(zeros({3, 0}), zeros({3, 1}), 0).shape() == Shape{3, 0});
  CHECK(message_of<ShapeError>([&] { cross(u, tensor({1, 2}) * 1); }).find("cross: ") == 0);
  CHECK(message_of<ShapeError>([&] {
          cross(tensor({1, 2}), tensor({1, 2}));
        }) == "cross: axis -1 of [2] has not 3 elements\n  lhs  f32[2]\n  rhs  f32[2]\n  at HERE");
  CHECK_THROWS_AS(cross(u, 1), ShapeError);
  CHECK_THROWS_AS(cross(reshape(u, {1, 3}), ones({1, 1})), ShapeError);
  CHECK_THROWS_AS(cross(u, v, 1), IndexError);
  CHECK_THROWS_AS(cross(u, cast(v, f64)), DTypeError);
}

TEST_CASE("an einsum that can't be names the position or the label", "[golden]") {
  const auto refused = [](const char* spec, std::vector<Tensor> t) {
    return message_of<ArgumentError>([&] { einsum(spec, t); });
  };
  CHECK(refused("ij,j$->i", {a, b}) ==
        "einsum: at position 4 of \"ij,j$->i\": '$', which is no label\n  in0  f32[2, 3]\n  in1  f32[3, 2]\n  at HERE");
  CHECK(refused("ij->i->j", {a}).find("einsum: at position 5 of \"ij->i->j\": a second \"->\"") == 0);
  CHECK(refused("ij->i,j", {a}).find("einsum: at position 5 of \"ij->i,j\": ',' after \"->\"") == 0);
  CHECK(refused("ij->ii", {a}).find("einsum: at position 4 of \"ij->ii\": label 'i' twice in the result") == 0);
  CHECK(refused("ij->ik", {a}).find("einsum: at position 5 of \"ij->ik\": label 'k' of the result is no operand's") ==
        0);
  CHECK(refused("ij,jkl", {a, b}).find("einsum: at position 3 of \"ij,jkl\": a term of 3 labels for rank 2") == 0);
  CHECK(refused("i..j", {a}).find("einsum: at position 1 of \"i..j\": '.', which is no label") == 0);
  CHECK(refused("......", {a}).find("einsum: at position 3 of \"......\": a second \"...\" in one term") == 0);
  CHECK(refused("...j->j", {a})
            .find("einsum: at position 6 of \"...j->j\": the result lacks \"...\", which stands for axes here") == 0);
  CHECK(refused("i-j", {a}).find("einsum: at position 1") == 0);
  CHECK(refused("ij", {a, b}).find("einsum: \"ij\" names 1 operands, there are 2") == 0);
  CHECK(refused(std::string(1'000'000, 'i').c_str(), {a}).size() < 300);
  CHECK(refused("", {}) == "einsum: \"\" names 1 operands, there are 0\n  at HERE");
  CHECK(refused("ij", {Tensor()}).find("einsum: operand 0 is undefined") == 0);
  CHECK(message_of<ShapeError>([] {
          einsum("ij,jk", {a, a});
        }) == "einsum: label 'j' at position 3 has extent 2, before 3\n  in0  f32[2, 3]\n  in1  f32[2, 3]\n  at HERE");
  CHECK(message_of<ShapeError>([] {
          einsum("...,...", {a, tensor({1, 2})});
        }).find("einsum: \"...\" at position 4 has extent 2, before 3") == 0);
  CHECK_THROWS_AS(einsum("ij,jk", {a, cast(b, f64)}), DTypeError);
  CHECK_THROWS_AS(einsum("ii", {a}), ShapeError);
  CHECK(message_of<ShapeError>([&] {
          einsum("ii->i", {zeros({1, 3})});
        }).find("einsum: label 'i' at position 1 has extent 3, before 1") == 0);
}

TEST_CASE("products of shapes that do not fit are refused", "[golden]") {
  CHECK(message_of<ShapeError>([] { dot(a, a); }) ==
        "dot: axis 1 of [2, 3] and axis 0 of [2, 3] differ\n  lhs  f32[2, 3]\n  rhs  f32[2, 3]\n  at HERE");
  CHECK(message_of<ShapeError>([] { tensordot(a, b, 3); }) ==
        "tensordot: 3 axes of ranks 2 and 2\n  lhs  f32[2, 3]\n  rhs  f32[3, 2]\n  at HERE");
  CHECK_THROWS_AS(tensordot(a, b, {0}, {0, 1}), ShapeError);
  CHECK_THROWS_AS(tensordot(a, a, {0, 0}, {0, 1}), IndexError);
  CHECK_THROWS_AS(tensordot(a, b, {2}, {0}), IndexError);
  CHECK_THROWS_AS(inner(a, b), ShapeError);
  CHECK_THROWS_AS(outer(a, cast(b, f64)), DTypeError);
  CHECK_THROWS_AS(dot(Tensor(), a), ArgumentError);
}
