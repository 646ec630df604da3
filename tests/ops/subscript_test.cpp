// x[...]: NumPy's results, as views where NumPy gives views, and refusals.
#include <weft/ops/compose.h>
#include <weft/ops/indexing.h>
#include <weft/ops/rearrange.h>
#include <weft/ops/select.h>
#include <weft/ops/subscript.h>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

const Tensor x = reshape(arange(0, 24), {2, 3, 4});
Tensor ints(std::initializer_list<std::int64_t> v) { return from_vector(std::vector<std::int64_t>(v)); }

// NumPy's rule by the letter, element by element: what every entry of the brackets names for a position of the result.
struct Reference {
  std::vector<Index> list;  // no Ellipsis, no masks, one entry an axis (and new axes)
  Shape common;             // of the index tensors
  bool tensors = false, apart = false;

  // `ellipsis`: before which entry one stood, of no axis or some; -1: none did.
  Reference(std::vector<Index> entries, int ellipsis) : list(std::move(entries)) {
    int last = -1;
    for (int k = 0; k < static_cast<int>(list.size()); ++k) {
      if (const auto* t = std::get_if<Tensor>(&list[static_cast<std::size_t>(k)].value)) {
        tensors = true;
        common = broadcast_shapes(common, t->shape());
      }
    }
    for (int k = 0; k < static_cast<int>(list.size()); ++k) {
      if (!advanced(k)) continue;
      apart |= last >= 0 && (last != k - 1 || ellipsis == k);
      last = k;
    }
  }
  bool advanced(int k) const {
    const auto& v = list[static_cast<std::size_t>(k)].value;
    return std::holds_alternative<Tensor>(v) || (tensors && std::holds_alternative<std::int64_t>(v));
  }
  // The elements in row-major order, and the shape.
  std::pair<std::vector<double>, Shape> operator()(const Tensor& t) const {
    struct Loop {
      std::int64_t begin, step, size;
    };
    Shape shape;
    std::vector<Loop> loops;
    std::vector<int> axis_of;  // the result's axis that an entry walks, or -1
    int common_at = -1, axis = 0;
    if (tensors && apart) common_at = 0;
    if (tensors && apart)
      for (std::int64_t n : common) shape.push_back(n);
    for (int k = 0; k < static_cast<int>(list.size()); ++k) {
      const auto& v = list[static_cast<std::size_t>(k)].value;
      Loop loop{0, 1, 1};
      int walks = -1;
      if (advanced(k) && common_at < 0) {
        common_at = shape.size();
        for (std::int64_t n : common) shape.push_back(n);
      }
      if (std::holds_alternative<std::nullopt_t>(v)) {
        walks = shape.size();
        shape.push_back(1);
      } else if (const auto* s = std::get_if<Slice>(&v)) {
        const std::int64_t n = t.shape()[axis];
        std::vector<std::int64_t> taken;
        const auto place = [&](std::int64_t b) { return b < 0 ? b + n : b; };
        const std::int64_t low = s->step > 0 ? 0 : -1, high = s->step > 0 ? n : n - 1;
        std::int64_t i = s->begin ? std::clamp(place(*s->begin), low, high) : s->step > 0 ? 0 : n - 1;
        const std::int64_t e = s->end ? std::clamp(place(*s->end), low, high) : s->step > 0 ? n : -1;
        loop.begin = i;
        loop.step = s->step;
        loop.size = 0;
        for (; s->step > 0 ? i < e : i > e; i += s->step) ++loop.size;
        walks = shape.size();
        shape.push_back(loop.size);
      }
      loops.push_back(loop);
      axis_of.push_back(walks);
      if (!std::holds_alternative<std::nullopt_t>(v)) ++axis;
    }
    std::vector<double> values;
    const auto all = t.to_vector<double>();
    for (std::int64_t flat = 0; flat < count(shape); ++flat) {
      Ints at = shape;
      std::int64_t rest = flat;
      for (int i = shape.size(); i-- > 0;) {
        at[i] = rest % shape[i];
        rest /= shape[i];
      }
      std::int64_t offset = 0;
      axis = 0;
      for (std::size_t k = 0; k < list.size(); ++k) {
        const auto& v = list[k].value;
        if (std::holds_alternative<std::nullopt_t>(v)) continue;
        std::int64_t i = 0;
        if (const auto* number = std::get_if<std::int64_t>(&v)) {
          i = *number;
        } else if (const auto* tensor = std::get_if<Tensor>(&v)) {
          Shape own = tensor->shape();
          std::int64_t position = 0;
          for (int d = 0; d < own.size(); ++d) {
            const int c = common_at + common.size() - own.size() + d;
            position = position * own[d] + (own[d] == 1 ? 0 : at[c]);
          }
          i = static_cast<std::int64_t>(tensor->to_vector<double>()[static_cast<std::size_t>(position)]);
        } else {
          i = loops[k].begin + loops[k].step * at[axis_of[k]];
        }
        const std::int64_t n = t.shape()[axis++];
        offset = offset * n + (i < 0 ? i + n : i);
      }
      values.push_back(all[static_cast<std::size_t>(offset)]);
    }
    return {values, shape};
  }
};

}  // namespace

TEST_CASE("integers, slices, Ellipsis and NewAxis give views") {
  CHECK_VALUES((x[{1, 2}]), 20, 21, 22, 23);
  CHECK_VALUES((x[{-1, -1, -1}]), 23);
  CHECK(x[{-1, -1, -1}].rank() == 0);
  CHECK(x[{1, Slice(0, 5, 2), Ellipsis, NewAxis}].shape() == Shape{2, 4, 1});
  CHECK_VALUES((x[{1, Slice(0, 5, 2), 0}]), 12, 20);
  CHECK_VALUES((x[{Ellipsis, 1}]), 1, 5, 9, 13, 17, 21);
  CHECK_VALUES((x[{0, Ellipsis, Slice(None, None, -1)}][0]), 3, 2, 1, 0);
  CHECK_VALUES((x[{0, 0, Slice({}, -1)}]), 0, 1, 2);
  CHECK_VALUES((x[{0, 0, Slice(-2, {})}]), 2, 3);
  CHECK(x[{NewAxis, Slice(), None}].shape() == Shape{1, 2, 1, 3, 4});
  CHECK(x[{Slice(2, 2)}].shape() == Shape{0, 3, 4});
  CHECK(x[Slice(1, 100)].shape() == Shape{1, 3, 4});
  CHECK_SAME(x[Ellipsis], x);
  CHECK(x[{1, Slice({}, {}, 2), NewAxis, Slice(3, {}, -2)}].storage() == x.storage());
  CHECK_VALUES(tensor(5)[Ellipsis], 5);
  const Variable v(x);
  CHECK_SAME(v[0], x[0]);
  CHECK_SAME((v[{Ellipsis, 1}]), (x[{Ellipsis, 1}]));
}

TEST_CASE("index tensors take their common shape's place, or the front where they stand apart") {
  CHECK_VALUES((x[{ints({1, 0}), ints({2, -3})}]), 20, 21, 22, 23, 0, 1, 2, 3);
  CHECK(x[{Slice(), tensor<std::int64_t>({{0}, {2}}), ints({1, 3, 0})}].shape() == Shape{2, 2, 3});
  CHECK(x[{ints({0, 1}), Slice(), ints({1, 3})}].shape() == Shape{2, 3});
  CHECK_VALUES((x[{ints({0, 1}), Slice(), ints({1, 3})}]), 1, 5, 9, 15, 19, 23);
  CHECK(x[{0, Slice(), ints({1, 3})}].shape() == Shape{2, 3});  // NumPy: the integer counts as an index tensor
  CHECK_VALUES((x[{0, Slice(), ints({1, 3})}]), 1, 5, 9, 3, 7, 11);
  CHECK_VALUES((x[{0, ints({1, 2}), 3}]), 7, 11);
  CHECK(x[{ints({0}), NewAxis, ints({1, 2})}].shape() == Shape{2, 1, 4});
  CHECK(x[zeros({2, 0}, i64)].shape() == Shape{2, 0, 3, 4});
  // NumPy: an Ellipsis parts them, of no axis too
  CHECK((x[{NewAxis, 1, Ellipsis, 2, ints({0, 3})}]).shape() == Shape{2, 1});
  CHECK((x[{NewAxis, 1, 2, ints({0, 3}), Ellipsis}]).shape() == Shape{1, 2});
  CHECK((x[{NewAxis, Ellipsis, 1, 2, ints({0, 3})}]).shape() == Shape{1, 2});
  CHECK_VALUES((x[{tensor<std::int32_t>(1), ints({0}), ints({0})}]), 12);
}

TEST_CASE("masks pick in row-major order, also of several axes and beside other indices") {
  CHECK_VALUES(x[x > 20], 21, 22, 23);
  CHECK_VALUES((x[{tensor<bool>({false, true}), 0, Slice(0, 2)}]), 12, 13);
  const Tensor rows = x[{Slice(), Slice(), 0}] > 8;  // [2, 3]: (1, 0), (1, 1), (1, 2)
  CHECK(x[rows].shape() == Shape{3, 4});
  CHECK_VALUES((x[{Slice(), tensor<bool>({true, false, true}), ints({0, 3})}]), 0, 11, 12, 23);
  CHECK(x[x > 100].shape() == Shape{0});
  CHECK_VALUES((x[{Ellipsis, tensor<bool>({false, false, false, true})}]), 3, 7, 11, 15, 19, 23);
}

TEST_CASE("a mask behind an Ellipsis has the extents of its axes") {
  const Tensor t = reshape(arange(0, 12), {3, 4});
  CHECK_VALUES((t[{Ellipsis, tensor<bool>({false, true, false, false})}]), 1, 5, 9);
  CHECK_THROWS_AS((t[{Ellipsis, tensor<bool>({false, true})}]), IndexError);
  CHECK_THROWS_AS((t[{Ellipsis, tensor<bool>({false, true, false, false, false, false})}]), IndexError);
  CHECK_THROWS_AS((index_put(t, {Ellipsis, tensor<bool>({true, false})}, -1)), IndexError);
}

TEST_CASE("random brackets give what NumPy's rule gives, element by element") {
  Random random(31);
  for (int round = 0; round < 2000; ++round) {
    Shape shape;
    std::vector<Index> brackets, spelled;
    const int rank = 1 + static_cast<int>(random.below(4));
    for (int i = 0; i < rank; ++i) shape.push_back(1 + random.below(4));
    int ellipsis = -1;
    for (int axis = 0; axis < rank; ++axis) {
      const std::int64_t n = shape[axis];
      while (random.below(6) == 0 && spelled.size() < 8) {
        brackets.push_back(NewAxis);
        spelled.push_back(NewAxis);
      }
      const std::int64_t kind = random.below(5);
      if (kind == 0 && ellipsis < 0) {  // stands for this axis and some after it, or for none
        ellipsis = static_cast<int>(spelled.size());
        brackets.push_back(Ellipsis);
        const int taken = static_cast<int>(random.below(rank - axis + 1));
        spelled.insert(spelled.end(), static_cast<std::size_t>(taken), Index(Slice()));
        axis += taken - 1;
        continue;
      }
      const auto bound = [&]() -> std::optional<std::int64_t> {
        return random.below(3) ? std::optional(random.below(12) - 6) : std::nullopt;
      };
      Index i = random.below(2 * n) - n;
      if (kind == 2) i = Slice(bound(), bound(), random.below(2) ? 1 + random.below(3) : -1 - random.below(3));
      if (kind >= 3) {
        const Shape shapes[] = {{}, {3}, {2, 1}, {1}, {2, 3}};
        i = random_tensor(random, shapes[random.below(5)], random.below(2) ? i64 : i32, static_cast<double>(-n),
                          static_cast<double>(n));
      }
      brackets.push_back(i);
      spelled.push_back(i);
    }
    const Tensor t = random_tensor(random, shape, f64);
    const auto [values, wanted] = Reference(spelled, ellipsis)(t);
    const Tensor got = subscript(t, brackets);
    CHECK(got.shape() == wanted);
    CHECK(got.to_vector<double>() == values);
  }
}

TEST_CASE("index_put sets and adds where the brackets point, and leaves x as it was") {
  const Tensor z = zeros({2, 3});
  CHECK_VALUES(index_put(z, {1, Slice(0, 2)}, tensor({5, 6})), 0, 0, 0, 5, 6, 0);
  CHECK_VALUES(index_put(z, {ints({0, 0, 1}), ints({1, 1, 2})}, tensor({1, 2, 3})), 0, 2, 0, 0, 0, 3);
  CHECK_VALUES(index_put(z, {ints({0, 0, 1}), ints({1, 1, 2})}, tensor({1, 2, 3}), true), 0, 3, 0, 0, 0, 3);
  CHECK_VALUES(index_put(tensor({1, -2, -3}), {tensor({1, -2, -3}) < 0}, 0), 1, 0, 0);
  // A mask alone, of all axes or of the first, and values that fit every place; else as many values as places.
  const Tensor rows = tensor<bool>({true, false}), x = tensor({{1, 2, 3}, {4, 5, 6}});
  CHECK_VALUES(index_put(x, {rows}, 7), 7, 7, 7, 4, 5, 6);
  CHECK_VALUES(index_put(x, {rows}, tensor({7, 8, 9})), 7, 8, 9, 4, 5, 6);
  CHECK_VALUES(index_put(x, {rows}, tensor({{7, 8, 9}})), 7, 8, 9, 4, 5, 6);
  CHECK_VALUES(index_put(x, {rows}, tensor({7, 8, 9}), true), 8, 10, 12, 4, 5, 6);
  CHECK_VALUES(index_put(x, {Slice(), tensor<std::int64_t>({{-1, 0}})}, reshape(tensor({7, 8, 9, 0}), {2, 1, 2})), 8, 2,
               7, 0, 5, 9);
  CHECK_VALUES(index_put(x, {Ellipsis, ints({1, 1})}, tensor({7, 8}), true), 1, 17, 3, 4, 20, 6);
  CHECK_VALUES(index_put(x, {Slice({}, {}, -1), ints({0})}, tensor({{7}, {8}})), 8, 2, 3, 7, 5, 6);
  CHECK_VALUES(index_put(x, {x > 2}, tensor({7, 8, 9, 10})), 1, 2, 7, 8, 9, 10);
  CHECK_VALUES(index_put(x, {x > 2}, tensor({1}), true), 1, 2, 4, 5, 6, 7);
  CHECK_VALUES(index_put(x, {x > 2, NewAxis}, 0), 1, 2, 0, 0, 0, 0);
  CHECK_THROWS_AS(index_put(x, {x > 2}, tensor({7, 8})), ShapeError);
  CHECK_THROWS_AS(index_put(x, {x[{Slice(0, 1)}] > 2}, 7), IndexError);
  CHECK_VALUES(z, 0, 0, 0, 0, 0, 0);
  CHECK_THROWS_AS(index_put(z, {0}, zeros({2})), ShapeError);
}

TEST_CASE("brackets that can't be are refused", "[golden][bad-input.7][bad-input.13]") {
  const auto refused = [](std::vector<Index> i) { return message_of<IndexError>([&] { subscript(x, i); }); };
  CHECK(message_of<IndexError>([] {
          x[{0, 3}];
        }) == "index: index 3 along axis 1 must be within [-3, 2]\n  x    f32[2, 3, 4]\n  at HERE");
  CHECK(message_of<IndexError>([] {
          x[{Slice(), ints({0, 7})}];
        }) == "index: index 7 at [1] must be within [-3, 2]\n  x    f32[2, 3, 4]\n  idx  i64[2]\n  at HERE");
  CHECK(refused({ints({0}), ints({-4})}).find("index: index -4 at [0] must be within [-3, 2]") == 0);
  CHECK(refused({0, 0, 0, 0}) == "index: 4 indices for rank 3\n  x    f32[2, 3, 4]\n  at HERE");
  CHECK(refused({Ellipsis, 0, Ellipsis}) == "index: more than one Ellipsis\n  x    f32[2, 3, 4]\n  at HERE");
  CHECK(refused({Slice(0, 2, 0)}) == "index: step 0 along axis 0\n  x    f32[2, 3, 4]\n  at HERE");
  CHECK(refused({tensor<bool>({true, false, true})}) ==
        "index: a mask of [3] for axes 0 to 0 of [2, 3, 4]\n  x    f32[2, 3, 4]\n  idx  bool[3]\n  at HERE");
  CHECK(message_of<IndexError>([] {
          zeros({0, 2})[0];
        }) == "index: index 0 along axis 0 of no elements\n  x    f32[0, 2]\n  at HERE");
  CHECK_THROWS_AS((x[{ints({0, 1}), ints({0, 1, 2})}]), ShapeError);
  CHECK_THROWS_AS(x[tensor({0.5f})], DTypeError);
  CHECK_THROWS_AS(x[Tensor()], ArgumentError);
  CHECK_THROWS_AS(Tensor()[0], ArgumentError);
  CHECK_THROWS_AS(x[INT64_MIN], IndexError);
}

TEST_CASE("nonzero, argwhere, masked_select and unique read values and shape their results by them") {
  const Tensor m = tensor({{0, 2, 0}, {3, 0, NAN}});
  CHECK_VALUES(nonzero(m)[0], 0, 1, 1);
  CHECK_VALUES(nonzero(m)[1], 1, 0, 2);
  CHECK_VALUES(nonzero(transpose(m))[0], 0, 1, 2);
  CHECK_VALUES(argwhere(m), 0, 1, 1, 0, 1, 2);
  CHECK(argwhere(tensor(3)).shape() == Shape{1, 0});
  CHECK(nonzero(zeros({0, 3})).size() == 2);
  CHECK_VALUES(masked_select(tensor({{1, 2}, {3, 4}}), tensor<bool>({true, false})), 1, 3);
  CHECK_VALUES(masked_select(tensor({1, 2}), tensor<bool>({{true, false}, {true, true}})), 1, 1, 2);
  const auto u = unique(tensor({{3, NAN, 1}, {-0.0, NAN, 3}, {0, 1, 1}}));
  CHECK(u.values.shape() == Shape{4});
  CHECK_VALUES(u.values[Slice(0, 3)], 0, 1, 3);
  CHECK_VALUES(u.first, 3, 2, 0, 1);
  CHECK_VALUES(u.counts, 2, 3, 2, 2);
  CHECK_VALUES(u.inverse, 2, 3, 1, 0, 3, 2, 0, 1, 1);
  CHECK(unique(zeros({0, 2}, i32)).values.shape() == Shape{0});
  CHECK_THROWS_AS(masked_select(x, tensor({1, 0})), DTypeError);
  CHECK_THROWS_AS(masked_select(x, tensor<bool>({true, false, true})), ShapeError);
}
