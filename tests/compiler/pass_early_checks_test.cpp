// Which indices are checked before variables are overwritten, drawn.
#include <weft/compiler/early_checks.h>
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

// What computes the second output is a variable's new value.
Graph second_is_late(const Graph& g) {
  std::vector<bool> late(g.values.size());
  late[g.outputs[1]] = true;
  return check_early(g, late);
}

const Type x4{f32, {4}}, i2{i64, {2}}, y2{f32, {2}};

}  // namespace

TEST_CASE("early checks: the indices of a scatter that computes a variable's new value, not those of another",
          "[pass][early_checks]") {
  const auto set = [](const Tensor& x, const Tensor& y, const Tensor& i, const Tensor& j) {
    return std::pair{scatter_set(x, i, y), scatter_set(x, j, y)};
  };
  CHECK_DRAWN(drawn(second_is_late, traced(set, x4, y2, i2, i2)), R"(
%0 = input f32[4]                         | %0 = input f32[4]
%1 = input f32[2]                         | %1 = input f32[2]
%2 = input i64[2]                         | %2 = input i64[2]
%3 = input i64[2]                         | %3 = input i64[2]
%4 = scatter_set f32[4] %0 %2 %1 {axis=0} | %4 = scatter_set f32[4] %0 %2 %1 {axis=0}
%5 = scatter_set f32[4] %0 %3 %1 {axis=0} | %5 = scatter_indices i64[2] %3 {n=4}
return %4 %5                              | %6 = scatter_set f32[4] %0 %5 %1 {axis=0}
                                          | return %4 %6
)");
}

TEST_CASE("several variables are scattered into in place, and a bad index of the last leaves all as they were",
          "[compile][early_checks][atomic]") {
  const auto checked = [](auto scatter) {
    std::vector<Variable> caches;
    for (int k = 0; k < 3; ++k) caches.emplace_back(ones({40, 2}));
    auto step = compile([&](const Tensor& i, const Tensor& j) {
      Tensor last;
      for (std::size_t k = 0; k < caches.size(); ++k) {
        caches[k].assign(scatter(caches[k], k < 2 ? i : j, full({1, 2}, 5.0 + static_cast<double>(k))));
        last = sum(caches[k], 0);
      }
      return last;
    });
    step(full({1}, 3, i64), full({1}, -1, i64));
    const std::string plan = step.dump("plan");
    for (const char* line : {"variable 0: in place", "variable 1: in place", "variable 2: in place"})
      CHECK(plan.find(line) != std::string::npos);
    std::vector<Tensor> before;
    for (const Variable& v : caches) before.push_back(v.value() + 0);
    CHECK_THROWS_AS(step(full({1}, 4, i64), full({1}, 40, i64)), IndexError);
    for (std::size_t k = 0; k < 3; ++k) CHECK_SAME(caches[k].value(), before[k]);
    step(full({1}, 4, i64), full({1}, 39, i64));
    return caches;
  };
  const auto put = checked([](const Tensor& x, const Tensor& i, const Tensor& y) { return index_put(x, {i}, y); });
  const auto added = checked([](const Tensor& x, const Tensor& i, const Tensor& y) { return scatter_add(x, i, y); });
  CHECK(put[2].value().at({39, 0}) == 7);
  CHECK(added[0].value().at({4, 1}) == 6);
  CHECK(added[2].value().at({39, 1}) == 15);
}

TEST_CASE("an index that is checked early is refused as the scatter that it is for", "[compile][early_checks]") {
  Variable a(ones({4})), b(ones({4}));
  auto step = compile([&](const Tensor& i) {
    a.assign(scatter_add(a, i, ones({1})));
    b.assign(scatter_max(b, i + 1, full({1}, 2)));
  });
  const auto message = [&](std::int64_t i) -> std::string {
    try {
      step(full({1}, i, i64));
    } catch (const IndexError& e) { return e.what(); }
    return "";
  };
  CHECK(message(4).starts_with("scatter_add: index 4 at [0] must be within [-4, 3]\n  idx  i64[1]\n  at "));
  CHECK(message(3).starts_with("scatter_max: index 4 at [0] must be within [-4, 3]\n  idx  i64[1]\n  at "));
  CHECK(message(2).empty());
}
