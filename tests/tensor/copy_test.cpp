// copy_elements against one element at a time, over layouts, types and sizes on both sides of a cache line.
#include <algorithm>
#include <cstring>
#include <numeric>

#include <weft/tensor/convert.h>
#include <weft/tensor/threads.h>

#include "../support.h"

using namespace weft;

namespace {

// A buffer and a view of it: axes in a random order in memory, some reversed, some repeated (of a source), gaps
// between.
struct Layout {
  std::vector<std::byte> memory;
  View view;

  Layout(test::Random& random, const Shape& shape, DType dtype, bool source, bool dense) {
    std::vector<int> order(static_cast<std::size_t>(shape.size()));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
    Ints strides = Ints::filled(shape.size(), 0);
    std::int64_t step = 1, first = 0;
    for (const int axis : order) {
      if (source && !dense && random.below(8) == 0) continue;  // stride 0
      const bool reversed = !dense && random.below(6) == 0;
      strides[axis] = reversed ? -step : step;
      if (reversed) first += step * (shape[axis] - 1);
      step *= shape[axis] + (dense ? 0 : random.below(3));
    }
    memory.resize(static_cast<std::size_t>(step + 16) * size_of(dtype));
    for (std::byte& b : memory) b = static_cast<std::byte>(random.below(2));  // any bytes are no bools
    view = {dtype, shape, strides, memory.data() + static_cast<std::size_t>(first) * size_of(dtype)};
  }
};

void one_by_one(const View& from, const View& to) {
  for (std::int64_t i = 0; i < count(from.shape); ++i) {
    std::int64_t a = 0, b = 0, rest = i;
    for (int k = from.shape.size(); k-- > 0; rest /= from.shape[k]) {
      a += rest % from.shape[k] * from.strides[k];
      b += rest % from.shape[k] * to.strides[k];
    }
    detail::convert_elements(from.dtype, from.as<std::byte>() + a * static_cast<std::int64_t>(size_of(from.dtype)), 0,
                             to.dtype, to.as<std::byte>() + b * static_cast<std::int64_t>(size_of(to.dtype)), 0, 1);
  }
}

void check(const Layout& from, const Layout& to) {
  Layout got = to, want = to;
  const auto at = [&](Layout& l) {
    return View{to.view.dtype, to.view.shape, to.view.strides,
                l.memory.data() + (to.view.as<std::byte>() - to.memory.data())};
  };
  copy_elements(from.view, at(got));
  one_by_one(from.view, at(want));
  INFO(from.view.shape.text() << " " << from.view.strides.text() << " " << name_of(from.view.dtype) << " to "
                              << to.view.strides.text() << " " << name_of(to.view.dtype));
  CHECK(got.memory == want.memory);  // the gaps, too
}

constexpr DType types[] = {f32, f64, DType::bf16, DType::f16, i32, i64, u8, DType::boolean};

}  // namespace

TEST_CASE("elements are copied from any layout to any other, and nothing beside them", "[copy]") {
  test::Random random(11);
  for (int round = 0; round < 600; ++round) {
    Shape shape;
    for (std::int64_t rank = random.below(5); rank > 0; --rank) shape.push_back(random.below(round % 3 ? 7 : 40));
    const DType type = types[random.below(8)], other = random.below(4) ? type : types[random.below(8)];
    const bool dense = random.below(2);
    check(Layout(random, shape, type, true, dense), Layout(random, shape, other, false, dense));
  }
}

TEST_CASE("a transpose larger than the caches", "[copy]") {
  for (const std::int64_t rows : {3000, 2999}) {  // stored around them, or not: lines that are not aligned
    const std::int64_t columns = 3001;
    std::vector<float> from(static_cast<std::size_t>(rows * columns)), to(from.size());
    std::iota(from.begin(), from.end(), 0.0f);
    copy_elements({f32, {columns, rows}, {1, columns}, from.data()}, {f32, {columns, rows}, {rows, 1}, to.data()});
    bool same = true;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t k = 0; k < columns; ++k)
        same &= to[static_cast<std::size_t>(k * rows + i)] == from[static_cast<std::size_t>(i * columns + k)];
    CHECK(same);
  }
}

TEST_CASE("long rows move as a whole", "[copy]") {
  test::Random random(13);
  for (const DType type : {f32, u8}) {
    Layout from(random, {6, 9, 100}, type, false, true), to(random, {6, 9, 100}, type, false, true);
    from.view = {type, {6, 9, 100}, {100, 600, 1}, from.memory.data()};
    to.view = {type, {6, 9, 100}, {900, 100, 1}, to.memory.data()};
    check(from, to);
  }
}

TEST_CASE("transposes of every type, with ragged ends, on one thread and on all", "[copy]") {
  test::Random random(12);
  const int before = num_threads();
  for (const int threads : {1, before}) {
    set_num_threads(threads);
    for (const DType type : types)
      for (const auto& [rows, columns] :
           {std::pair{1, 1}, {3, 5}, {16, 16}, {64, 64}, {65, 63}, {17, 2000}, {700, 531}}) {
        Layout from(random, {columns, rows}, type, false, true), to(random, {rows, columns}, type, false, true);
        from.view = {type, {rows, columns}, {1, rows}, from.memory.data()};
        to.view = {type, {rows, columns}, {columns, 1}, to.memory.data()};
        check(from, to);
      }
  }
  set_num_threads(before);
}
