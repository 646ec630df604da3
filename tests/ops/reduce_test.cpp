// Reductions: the order of kernels/reduce.h, written out naively, to the bit; axes, empty tensors, NaNs, ties.
#include <sys/mman.h>

#include <limits>

#include <weft/ops/compose.h>
#include <weft/ops/kernels/reduce.h>
#include <weft/ops/reduce.h>
#include <weft/tensor/parallel.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

template <class T> T combine(Reduction op, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
    if (op == Reduction::sum) return static_cast<T>(x + y);
    if (op == Reduction::prod) return static_cast<T>(x * y);
  } else {
    if (op == Reduction::sum) return a + b;
    if (op == Reduction::prod) return a * b;
  }
  switch (op) {
    case Reduction::max: return a > b || a != a ? a : b;
    case Reduction::min: return a < b || a != a ? a : b;
    case Reduction::any: return a || b;
    default: return a && b;
  }
}

template <class T> T identity(Reduction op) {
  using L = std::numeric_limits<T>;
  switch (op) {
    case Reduction::sum:
    case Reduction::any: return T(0);
    case Reduction::prod:
    case Reduction::all: return T(1);
    case Reduction::max: return L::has_infinity ? -L::infinity() : L::lowest();
    default: return L::has_infinity ? L::infinity() : L::max();
  }
}

// [outer, n, inner] in the order that kernels/reduce.h promises.
template <class T>
std::vector<T> naive(Reduction op, const std::vector<T>& x, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  const T start = identity<T>(op);
  std::vector<T> out;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t c = 0; c < inner; ++c) {
      const auto at = [&](std::int64_t r) { return x[static_cast<std::size_t>((o * n + r) * inner + c)]; };
      T total = start;
      const std::int64_t block = inner == 1 ? 4096 : 256;
      for (std::int64_t b = 0; b < n; b += block) {
        T part = start;
        const std::int64_t rows = std::min(block, n - b);
        if (inner == 1) {
          T p[16];
          std::fill(p, p + 16, start);
          for (std::int64_t r = 0; r < rows; ++r) p[r % 16] = combine<T>(op, p[r % 16], at(b + r));
          for (int half = 8; half > 0; half /= 2)
            for (int i = 0; i < half; ++i) p[i] = combine(op, p[i], p[i + half]);
          part = p[0];
        } else {
          for (std::int64_t r = 0; r < rows; ++r) part = combine<T>(op, part, at(b + r));
        }
        total = combine(op, total, part);
      }
      out.push_back(n ? total : start);
    }
  return out;
}

template <class Struct> constexpr Reduction kind_of() {
  if constexpr (std::is_same_v<Struct, Sum>)
    return Reduction::sum;
  else if constexpr (std::is_same_v<Struct, Prod>)
    return Reduction::prod;
  else if constexpr (std::is_same_v<Struct, Max>)
    return Reduction::max;
  else if constexpr (std::is_same_v<Struct, Min>)
    return Reduction::min;
  else if constexpr (std::is_same_v<Struct, Any>)
    return Reduction::any;
  else
    return Reduction::all;
}

template <class Struct, class T>
void check_order(Random& random, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  if ((kind_of<Struct>() == Reduction::max || kind_of<Struct>() == Reduction::min) && n == 0) return;
  INFO(Struct::name << " of " << name_of(dtype_of<T>) << "[" << outer << ", " << n << ", " << inner << "]");
  // products near 1, so that they neither vanish nor overflow; bools that are mostly what changes nothing
  const double spread = kind_of<Struct>() == Reduction::prod ? 0.01 : 1;
  Tensor x;
  if constexpr (std::is_same_v<T, bool>)
    x = filled({outer, n, inner}, DType::boolean,
               [&](std::int64_t) { return (random.below(50) == 0) == std::is_same_v<Struct, Any>; });
  else if constexpr (std::is_integral_v<T>)
    x = filled({outer, n, inner}, dtype_of<T>,
               [&](std::int64_t) { return static_cast<double>(random.below(200)) - (std::is_signed_v<T> ? 100 : 0); });
  else
    x = filled({outer, n, inner}, dtype_of<T>,
               [&](std::int64_t) { return (kind_of<Struct>() == Reduction::prod) + spread * random.uniform(-1, 1); });
  const Tensor got = apply<Struct>({x}, ReduceAttrs{1, 2});
  CHECK_SAME(got, from_vector(naive<T>(kind_of<Struct>(), x.to_vector<T>(), outer, n, inner), {outer, inner}));
}

template <class F> void each_reduction(F f) {
  each_op([&]<class Struct>() {
    if constexpr (std::is_base_of_v<ReductionBase, Struct>) f.template operator()<Struct>();
  });
}

}  // namespace

TEST_CASE("rows are reduced in the promised order: 16 partials, a tree, blocks of 4096") {
  Random random;
  each_reduction([&]<class Struct>() {
    if constexpr (Sampler<Struct>::of_bools) {
      for (std::int64_t n : {0, 1, 15, 16, 17, 70, 4097}) check_order<Struct, bool>(random, 3, n, 1);
    } else {
      for (std::int64_t n = 0; n <= 70; ++n) check_order<Struct, float>(random, 2, n, 1);
      for (std::int64_t n : {4095, 4096, 4097, 10000}) check_order<Struct, float>(random, 3, n, 1);
      for (std::int64_t n : {0, 1, 7, 8, 9, 31, 33, 70, 4095, 4096, 4097, 10000}) {
        check_order<Struct, double>(random, 2, n, 1);
        check_order<Struct, std::int32_t>(random, 2, n, 1);
        check_order<Struct, std::int64_t>(random, 2, n, 1);
        check_order<Struct, std::uint8_t>(random, 2, n, 1);
      }
    }
  });
}

TEST_CASE("columns are reduced in the promised order: rows one by one, blocks of 256") {
  Random random;
  each_reduction([&]<class Struct>() {
    if constexpr (Sampler<Struct>::of_bools) {
      for (std::int64_t inner : {2, 65}) check_order<Struct, bool>(random, 2, 300, inner);
    } else {
      for (std::int64_t n : {0, 1, 2, 255, 256, 257, 600})
        for (std::int64_t inner : {2, 3, 16, 17, 67, 200}) check_order<Struct, float>(random, 2, n, inner);
      check_order<Struct, float>(random, 1, 3, 2050);  // several panels
      for (std::int64_t n : {0, 1, 257})
        for (std::int64_t inner : {2, 9, 35}) {
          check_order<Struct, double>(random, 2, n, inner);
          check_order<Struct, std::int32_t>(random, 2, n, inner);
          check_order<Struct, std::int64_t>(random, 2, n, inner);
          check_order<Struct, std::uint8_t>(random, 2, n, inner);
        }
    }
  });
}

TEST_CASE("one thread and two reduce to the same bits") {
  Random random;
  const int before = num_threads();
  for (const Shape& shape : {Shape{1, 200'000, 1}, Shape{50, 3000, 1}, Shape{1, 700, 300}, Shape{8, 5000, 7}}) {
    const Tensor x = random_tensor(random, shape, f32);
    set_num_threads(1);
    const Tensor one = apply<Sum>({x}, ReduceAttrs{1, 2}), largest = apply<Max>({x}, ReduceAttrs{1, 2});
    set_num_threads(std::min(2, before));
    CHECK_SAME(apply<Sum>({x}, ReduceAttrs{1, 2}), one);
    CHECK_SAME(apply<Max>({x}, ReduceAttrs{1, 2}), largest);
  }
  set_num_threads(before);
}

namespace {

std::vector<const ReduceLoops*> reduce_levels() {
  __builtin_cpu_init();
  std::vector<const ReduceLoops*> levels = {reduce_loops_base()};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) levels.push_back(reduce_loops_avx2());
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) levels.push_back(reduce_loops_avx512());
  return levels;
}

// Memory with a page behind it that nobody may touch.
class Guarded {
 public:
  explicit Guarded(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)) {
    all_ = (bytes_ + page - 1) / page * page + page;
    memory_ =
        static_cast<std::byte*>(::mmap(nullptr, all_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(memory_ != MAP_FAILED);
    REQUIRE(::mprotect(memory_ + all_ - page, page, PROT_NONE) == 0);
  }
  ~Guarded() { ::munmap(memory_, all_); }
  Guarded(const Guarded&) = delete;
  std::byte* data() const { return memory_ + all_ - page - bytes_; }

 private:
  static constexpr std::size_t page = 4096;
  std::size_t bytes_, all_ = 0;
  std::byte* memory_ = nullptr;
};

}  // namespace

TEST_CASE("reduction loops read and write nothing behind their operands") {
  for (const ReduceLoops* l : reduce_levels())
    for (int op = 0; op < 6; ++op)
      for (DType t : {f32, f64, u8, DType::boolean}) {
        const auto rows = l->rows[op][static_cast<int>(t)];
        const auto columns = l->columns[op][static_cast<int>(t)];
        if (!rows) continue;
        const auto size = static_cast<std::int64_t>(size_of(t));
        for (std::int64_t n : {0, 1, 3, 15, 17, 33}) {
          const Guarded in(2 * n * size), out(2 * size);
          rows(in.data(), out.data(), n, 2);
          const Guarded wide(2 * 3 * n * size), sums(2 * n * size);
          columns(wide.data(), sums.data(), {2, 3 * n, 3, n, n});
        }
        const Guarded none(0), one(size);
        rows(none.data(), one.data(), 0, 1);
      }
  SUCCEED("no fault");
}

TEST_CASE("every instruction set's reduction loops give the same bits") {
  Random random;
  const std::vector<const ReduceLoops*> levels = reduce_levels();
  for (int op = 0; op < 6; ++op)
    for (DType t : {f32, f64, i32, i64, u8, DType::boolean}) {
      if (!levels[0]->rows[op][static_cast<int>(t)]) continue;
      INFO(name_of(static_cast<Reduction>(op)) << " of " << name_of(t));
      for (std::int64_t n : {0, 1, 3, 16, 17, 100, 4096}) {
        const Tensor x = random_tensor(random, {3, n}, t, 0.9, 1.2);
        const Tensor wide = random_tensor(random, {2, 5, n + 1}, t, 0.9, 1.2);
        std::vector<Tensor> rows, columns;
        for (const ReduceLoops* l : levels) {
          rows.push_back(zeros({3}, t));
          l->rows[op][static_cast<int>(t)](x.view().data, rows.back().view().data, n, 3);
          columns.push_back(zeros({2, n}, t));
          l->columns[op][static_cast<int>(t)](wide.view().data, columns.back().view().data,
                                              {2, 5 * (n + 1), 5, n + 1, n});
        }
        for (std::size_t i = 1; i < levels.size(); ++i) {
          CHECK_SAME(rows[i], rows[0]);
          CHECK_SAME(columns[i], columns[0]);
        }
      }
    }
}

TEST_CASE("a large tensor that does not lie in order is reduced piece by piece, to the same bits") {
  Random random(9);
  const Tensor x = random_tensor(random, {130, 3, 70, 40}, f32);
  for (const Ints& order : {Ints{3, 2, 1, 0}, {1, 0, 3, 2}, {0, 2, 3, 1}}) {
    const Tensor turned = transpose(x, order), copied = contiguous(turned);
    for (const Ints& axes : {Ints{3}, {2, 3}, {1}, {1, 2, 3}, {2}, {0, 3}})
      CHECK_SAME(sum(turned, axes), sum(copied, axes));
    CHECK_SAME(max(turned, {3}), max(copied, {3}));
  }
}

TEST_CASE("axes are named from either end, in any order, and kept as 1 where asked") {
  const Tensor x = reshape(arange(0, 24, 1), {2, 3, 4});
  CHECK(sum(x).item() == 276);
  CHECK(sum(x).rank() == 0);
  CHECK(sum(x, {}, true).shape() == Shape{1, 1, 1});
  CHECK_VALUES(sum(x, {0, 2}), 60, 92, 124);
  CHECK_SAME(sum(x, {2, 0}), sum(x, {0, 2}));
  CHECK_SAME(sum(x, {-1, -3}), sum(x, {0, 2}));
  CHECK(sum(x, 1, true).shape() == Shape{2, 1, 4});
  CHECK_VALUES(sum(x, {1, 2}), 66, 210);
  CHECK_SAME(sum(x, Ints{}), x);
  CHECK_VALUES(max(x, {0, 1}), 20, 21, 22, 23);
  CHECK_VALUES(prod(tensor({{1, 2, 3}, {4, 5, 6}}), 1), 6, 120);
  CHECK(any(x > 22, {0, 1}).to_vector<bool>() == std::vector<bool>{false, false, false, true});
  CHECK(all(x > 0, {0, 1}).to_vector<bool>() == std::vector<bool>{false, true, true, true});
}

TEST_CASE("a reduction over axes of one element each is the elements, if the op has a meaning for them") {
  const Tensor x = reshape(arange(0, 6, 1), {2, 1, 3, 1});
  CHECK_SAME(sum(x, {1, 3}), reshape(x, {2, 3}));
  CHECK_SAME(max(x, 1, true), x);
  CHECK_SAME(sum(x, {1, 2}), sum(reshape(x, {2, 3, 1}), 1));
  CHECK_SAME(prod(zeros({1, 0})), tensor(1));
  CHECK_THROWS_AS(sum(x > 0, 1), DTypeError);
  CHECK_THROWS_AS(any(x, 1), DTypeError);
}

TEST_CASE("adjacent reduced axes are one: their sum has the bits of the flat one, others go last first") {
  Random random;
  const Tensor x = random_tensor(random, {3, 50, 70, 4}, f32);
  CHECK_SAME(sum(x), sum(reshape(x, {42'000})));
  CHECK_SAME(sum(x, {1, 2, 3}), sum(reshape(x, {3, 14'000}), 1));
  CHECK_SAME(sum(x, {0, 1}), sum(reshape(x, {150, 70, 4}), 0));
  CHECK_SAME(sum(x, {0, 1, 3}), sum(sum(x, 3), {0, 1}));
}

TEST_CASE("reductions of nothing give the identity, max and min refuse") {
  CHECK(sum(zeros({0})).item() == 0);
  CHECK(prod(zeros({0, 3})).item() == 1);
  CHECK_VALUES(prod(zeros({0, 3}), 0), 1, 1, 1);
  CHECK(sum(zeros({3, 0}), 0).shape() == Shape{0});
  CHECK(sum(zeros({0, std::int64_t{1} << 62})).item() == 0);
  CHECK(sum(zeros({std::int64_t{1} << 62, 4, 0}), {0, 1}).shape() == Shape{0});
  CHECK(std::isnan(mean(zeros({0, std::int64_t{1} << 62})).item()));
  CHECK_SAME(mean(zeros({2, 0}), 1), full({2}, NAN));
  CHECK_FALSE(any(zeros({0}, DType::boolean)).item<bool>());
  CHECK(all(zeros({0}, DType::boolean)).item<bool>());
  CHECK_THROWS_AS(max(zeros({0})), ArgumentError);
  CHECK_THROWS_AS(min(zeros({3, 0}), 1), ArgumentError);
  CHECK(max(zeros({3, 0}), 0).shape() == Shape{0});
  CHECK_THROWS_AS(argmax(zeros({0}), 0), ArgumentError);
}

TEST_CASE("max and min are NaN where a NaN is, wherever it stands") {
  for (int at : {0, 1, 15, 16, 40}) {
    std::vector<float> v(41, 1);
    v[static_cast<std::size_t>(at)] = NAN;
    CHECK(std::isnan(max(from_vector(v)).item()));
    CHECK(std::isnan(min(from_vector(v)).item()));
    CHECK(std::isnan(max(from_vector(v, {41, 1}), 0).item()));
    CHECK(argmax(from_vector(v), 0).item<int>() == at);
    CHECK(argmin(from_vector(v), 0).item<int>() == at);
  }
}

TEST_CASE("argmax and argmin of all elements are NumPy's") {
  const Tensor x = tensor({{1, 5, 2}, {7, 0, 7}});
  CHECK(argmax(x).item<std::int64_t>() == 3);
  CHECK(argmin(x).item<std::int64_t>() == 4);
  CHECK(argmax(transpose(x)).item<std::int64_t>() == 1);
  CHECK(argmax(tensor(3)).item<std::int64_t>() == 0);
  CHECK(argmax(x).shape() == Shape{});
  CHECK(message_of<ArgumentError>([&] { argmax(zeros({0, 2})); }).find("argmax: of no elements") == 0);
  CHECK_THROWS_AS(argmin(Tensor()), ArgumentError);
}

TEST_CASE("argmax and argmin give the first of equals and the first NaN") {
  CHECK(argmax(tensor({1, 3, 3, 2}), 0).item() == 1);
  CHECK(argmin(tensor({1, 0, 3, 0}), -1).item() == 1);
  CHECK(argmax(tensor({5, NAN, 9, NAN}), 0).item() == 1);
  CHECK_VALUES(argmax(tensor({{1, 5, 2}, {7, 0, 7}}), 1), 1, 0);
  CHECK_VALUES(argmax(tensor({{1, 5, 2}, {7, 0, 7}}), 0), 1, 0, 1);
  CHECK(argmax(tensor({{1, 5}}), 1, true).shape() == Shape{1, 1});
  CHECK(argmax(tensor<std::uint8_t>({3, 200, 4}), 0).dtype() == i64);
  CHECK(argmax(cast(tensor({-2, -1, -3}), DType::bf16), 0).item() == 1);
}

TEST_CASE("sums of 16-bit floats are added in f32 and rounded once") {
  for (DType t : {DType::bf16, DType::f16}) CHECK(sum(full({4096}, 1, t)).item() == 4096);
  Random random;
  const Tensor x = random_tensor(random, {7, 300}, DType::bf16);
  CHECK_SAME(sum(x, 1), cast(sum(cast(x, f32), 1), DType::bf16));
}

TEST_CASE("a bad axis is an IndexError that says what there is") {
  const Tensor x = zeros({2, 3});
  CHECK(message_of<IndexError>([&] { sum(x, 3); }) ==
        "sum: axis 3 out of range for rank 2 [-2, 1]\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<IndexError>([&] { argmax(x, -3); }) ==
        "argmax: axis -3 out of range for rank 2 [-2, 1]\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<IndexError>([&] {
          max(x, {0, -2});
        }) == "max: axis 0 appears twice in [0, -2]\n  in0  f32[2, 3]\n  at HERE");
  CHECK_THROWS_AS(sum(zeros({}), 0), IndexError);
  CHECK_THROWS_AS(sum(x, std::int64_t{1} << 40), IndexError);
}
