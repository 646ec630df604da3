// Every public function that takes axes: negative ones count from the end, one out of range or named twice is an error
// of the function's own name (bad-input row 8).
#include <weft/weft.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "declarations.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

using Tensors = std::vector<Tensor>;

/// A function of one axis, or of a list, with an error's name for it.
struct Along {
  const char* name;
  std::function<Tensors(std::int64_t)> f;
  int rank = 2;  // that the axis is one of
};
struct OverAxes {
  const char* name;
  std::function<Tensor(const Ints&)> f;
};

Tensor square_matrix() { return reshape(tensor({3.5, 7, -1, 2}), {2, 2}); }

std::vector<OverAxes> over_axes() {
  const Tensor x = square_matrix(), yes = x > 3, thin = ones({1, 1});
  return {
      {"sum", [=](auto& a) { return sum(x, a); }},
      {"prod", [=](auto& a) { return prod(x, a); }},
      {"max", [=](auto& a) { return max(x, a); }},
      {"min", [=](auto& a) { return min(x, a); }},
      {"any", [=](auto& a) { return any(yes, a); }},
      {"all", [=](auto& a) { return all(yes, a); }},
      {"mean", [=](auto& a) { return mean(x, a); }},
      {"var", [=](auto& a) { return var(x, a); }},
      {"stddev", [=](auto& a) { return stddev(x, a); }},
      {"nansum", [=](auto& a) { return nansum(x, a); }},
      {"count_nonzero", [=](auto& a) { return count_nonzero(yes, a); }},
      {"norm", [=](auto& a) { return norm(x, 2, a); }},
      {"logsumexp", [=](auto& a) { return logsumexp(x, a, true); }},
      {"median", [=](auto& a) { return median(x, a); }},
      {"quantile", [=](auto& a) { return quantile(x, 0.3, a); }},
      {"squeeze", [=](auto& a) { return squeeze(thin, a); }},
      {"flip", [=](auto& a) { return flip(x, a); }},
  };
}

std::vector<Along> along() {
  const Tensor x = square_matrix(), picks = tensor<std::int64_t>({1, 0}), each = tensor<std::int64_t>({{1, 0}, {0, 0}});
  const auto pair = [](const ValuesIndices& r) { return Tensors{r.values, r.indices}; };
  std::vector<Along> list = {
      {"transpose",
       [=](std::int64_t a) {
         return Tensors{transpose(x, Ints{a, a == 0 || a == -2 ? 1 : 0})};
       }},
      {"swap_axes",
       [=](std::int64_t a) {
         return Tensors{swap_axes(x, 0, a), swap_axes(x, a, 1)};
       }},
      {"diagonal", [=](std::int64_t a) { return Tensors{diagonal(x, 1, a, a == 0 || a == -2 ? 1 : 0)}; }},
      {"trace", [=](std::int64_t a) { return Tensors{trace(x, 1, a, a == 0 || a == -2 ? 1 : 0)}; }},
      {"tensordot",
       [=](std::int64_t a) {
         return Tensors{tensordot(x, x, {a}, {0}), tensordot(x, x, {1}, {a})};
       }},
      {"argmax",
       [=](std::int64_t a) {
         return Tensors{argmax(x, a), argmax(x, a, true)};
       }},
      {"argmin",
       [=](std::int64_t a) {
         return Tensors{argmin(x, a), argmin(x, a, true)};
       }},
      {"max_with_indices", [=](std::int64_t a) { return pair(max_with_indices(x, a)); }},
      {"min_with_indices", [=](std::int64_t a) { return pair(min_with_indices(x, a)); }},
      {"softmax", [=](std::int64_t a) { return Tensors{softmax(x, a)}; }},
      {"log_softmax", [=](std::int64_t a) { return Tensors{log_softmax(x, a)}; }},
      {"glu", [=](std::int64_t a) { return Tensors{glu(x, a)}; }},
      {"concat",
       [=](std::int64_t a) {
         return Tensors{concat({x, -x}, a)};
       }},
      {"stack",
       [=](std::int64_t a) {
         return Tensors{stack({x, -x}, a)};
       },
       3},
      {"expand", [=](std::int64_t a) { return Tensors{expand(x, a)}; }, 3},
      {"slice_axis", [=](std::int64_t a) { return Tensors{slice_axis(x, a, 0, 1)}; }},
      {"roll", [=](std::int64_t a) { return Tensors{roll(x, 1, a)}; }},
      {"repeat", [=](std::int64_t a) { return Tensors{repeat(x, 2, a)}; }},
      {"repeat",
       [=](std::int64_t a) {
         return Tensors{repeat(x, {1, 2}, a)};
       }},
      {"split", [=](std::int64_t a) { return split(x, 2, a); }},
      {"split",
       [=](std::int64_t a) {
         return split(x, {1, 1}, a);
       }},
      {"chunk", [=](std::int64_t a) { return chunk(x, 2, a); }},
      {"unstack", [=](std::int64_t a) { return unstack(x, a); }},
      {"cumsum", [=](std::int64_t a) { return Tensors{cumsum(x, a)}; }},
      {"cumprod", [=](std::int64_t a) { return Tensors{cumprod(x, a)}; }},
      {"cummax", [=](std::int64_t a) { return pair(cummax(x, a)); }},
      {"cummin", [=](std::int64_t a) { return pair(cummin(x, a)); }},
      {"linear_recurrence", [=](std::int64_t a) { return Tensors{linear_recurrence(x, x, a)}; }},
      {"sort", [=](std::int64_t a) { return Tensors{sort(x, a)}; }},
      {"argsort", [=](std::int64_t a) { return Tensors{argsort(x, a)}; }},
      {"topk", [=](std::int64_t a) { return pair(topk(x, 1, a)); }},
      {"cross",
       [=](std::int64_t a) {
         return Tensors{cross(ones({3, 3}), reshape(arange(0, 9), {3, 3}), a)};
       }},
      {"diff", [=](std::int64_t a) { return Tensors{diff(x, 1, a)}; }},
      {"gather", [=](std::int64_t a) { return Tensors{gather(x, picks, a)}; }},
      {"scatter_add", [=](std::int64_t a) { return Tensors{scatter_add(x, picks, x, a)}; }},
      {"scatter_set", [=](std::int64_t a) { return Tensors{scatter_set(x, picks, x, a)}; }},
      {"scatter_max", [=](std::int64_t a) { return Tensors{scatter_max(x, picks, x, a)}; }},
      {"scatter_min", [=](std::int64_t a) { return Tensors{scatter_min(x, picks, x, a)}; }},
      {"take_along_axis", [=](std::int64_t a) { return Tensors{take_along_axis(x, each, a)}; }},
      {"put_along_axis", [=](std::int64_t a) { return Tensors{put_along_axis(x, each, x, a)}; }},
      {"index_add", [=](std::int64_t a) { return Tensors{index_add(x, a, picks, x)}; }},
  };
  for (const OverAxes& one : over_axes())
    list.push_back({one.name, [f = one.f](std::int64_t a) { return Tensors{f({a})}; }});
  return list;
}

}  // namespace

TEST_CASE("every public function that takes an axis is in the list of those given negative and wrong ones") {
  std::set<std::string> listed;
  for (const Along& fn : along()) listed.emplace(fn.name);
  int taking = 0;
  for (const Declaration& d : declared_functions()) {
    if (occurrences(d.parameters, "Axis axis") + occurrences(d.parameters, "const Axes& ") == 0) continue;
    INFO(d.name << "(" << d.parameters << ")");
    CHECK(listed.count(d.name) == 1);
    ++taking;
  }
  CHECK(taking > 35);
}

TEST_CASE("a negative axis counts from the end, of every function that takes one") {
  for (const Along& fn : along())
    for (int axis = 0; axis < fn.rank; ++axis) {
      INFO(fn.name << " along " << axis);
      const Tensors expected = fn.f(axis), results = fn.f(axis - fn.rank);
      REQUIRE(results.size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) CHECK_SAME(results[i], expected[i]);
      if (axis > 0 && expected[0].size() > 1) CHECK(difference(expected[0], fn.f(0)[0]) != "");
    }
}

TEST_CASE("an axis out of range is an error of the function's own name, of every function that takes one",
          "[bad-input.8]") {
  const auto refused = [](const char* name, std::int64_t a, int rank, const std::function<void()>& f) {
    INFO(name << " along " << a);
    try {
      f();
      FAIL("no error");
    } catch (const IndexError& e) {
      CHECK(e.op() == name);
      CHECK(e.rule() == "axis " + std::to_string(a) + " out of range for rank " + std::to_string(rank) + " [" +
                            std::to_string(-rank) + ", " + std::to_string(rank - 1) + "]");
    }
  };
  for (const Along& fn : along())
    for (const std::int64_t a : {std::int64_t{fn.rank}, std::int64_t{-fn.rank - 1}, INT64_MAX, INT64_MIN})
      refused(fn.name, a, fn.rank, [&] { fn.f(a); });
  for (const OverAxes& fn : over_axes())
    for (const std::int64_t a : {std::int64_t{2}, std::int64_t{-3}, INT64_MAX, INT64_MIN}) {
      refused(fn.name, a, 2, [&] { fn.f({0, a}); });
      refused(fn.name, a, 2, [&] { fn.f({a, 1}); });
    }
}

TEST_CASE("an axis named twice is an error of the function's own name, of every function that takes several",
          "[bad-input.8]") {
  std::vector<OverAxes> list = over_axes();
  const Tensor x = square_matrix();
  list.push_back({"transpose", [=](auto& a) { return transpose(x, a); }});
  list.push_back({"diagonal", [=](auto& a) { return diagonal(x, 0, a[0], a[1]); }});
  list.push_back({"trace", [=](auto& a) { return trace(x, 0, a[0], a[1]); }});
  list.push_back({"tensordot", [=](auto& a) { return tensordot(x, x, a, {0, 1}); }});
  list.push_back({"tensordot", [=](auto& a) { return tensordot(x, x, {0, 1}, a); }});
  for (const OverAxes& fn : list)
    for (const Ints& axes : {Ints{0, 0}, Ints{0, -2}, Ints{-1, 1}}) {
      INFO(fn.name << " over " << axes.text());
      try {
        fn.f(axes);
        FAIL("no error");
      } catch (const IndexError& e) {
        CHECK(e.op() == fn.name);
        CHECK(e.rule().find("axis ") != std::string::npos);
        CHECK(e.rule().find(" appears twice in ") != std::string::npos);
      }
    }
}
