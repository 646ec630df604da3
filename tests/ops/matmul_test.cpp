// Matrix products: their definition to the bit on every path, and a bound against exact arithmetic.
#include <weft/ops/kernels/matmul.h>
#include <weft/ops/kernels/matmul_plan.h>
#include <weft/tensor/isa.h>
#include <weft/tensor/parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"

using namespace weft;

namespace {

std::mt19937 random_bits(7);

template <class T> T draw() {
  if constexpr (dtype_of<T> == DType::f64)
    return std::normal_distribution<double>()(random_bits);
  else if constexpr (is_floating(dtype_of<T>))
    return T(std::normal_distribution<float>()(random_bits));
  else
    return static_cast<T>((std::uint64_t{random_bits()} << 32) | random_bits());
}

/// How an operand lies in memory: in rows, transposed, in rows with a gap, with both strides large, or one value for
/// all.
enum class Layout { rows, transposed, padded, strided, constant };
constexpr Layout layouts[] = {Layout::rows, Layout::transposed, Layout::padded, Layout::strided, Layout::constant};

template <class T> struct Operand {
  std::vector<T> data;
  std::int64_t batch, row, col;

  Operand(std::int64_t count, std::int64_t m, std::int64_t n, Layout layout, bool broadcast) {
    row = layout == Layout::rows ? n : layout == Layout::transposed ? 1 : layout == Layout::padded ? n + 5 : 3 * n + 1;
    col = layout == Layout::transposed ? m : layout == Layout::strided ? 3 : 1;
    if (layout == Layout::constant) row = col = 0;
    const std::int64_t each = std::max<std::int64_t>(1, m * n * 3 + 8 * m + n);
    batch = broadcast ? 0 : each;
    data.resize(static_cast<std::size_t>(each * (broadcast ? 1 : std::max<std::int64_t>(count, 1))));
    for (T& x : data) x = draw<T>();
  }
  T at(std::int64_t b, std::int64_t i, std::int64_t j) const { return data[b * batch + i * row + j * col]; }
};

template <class T> struct Problem {
  MatmulShape shape;
  Operand<T> a, b;

  Problem(std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k, Layout la = Layout::rows,
          Layout lb = Layout::rows, bool one_a = false, bool one_b = false)
      : a(batch, m, k, la, one_a), b(batch, k, n, lb, one_b) {
    shape = {batch, m, n, k, a.batch, a.row, a.col, b.batch, b.row, b.col, dtype_of<T>};
  }
  std::vector<T> run() const {
    std::vector<T> c(static_cast<std::size_t>(shape.batch * shape.m * shape.n), T(42));
    matmul(shape, a.data.data(), b.data.data(), c.data());
    return c;
  }
  std::vector<T> run(Isa level) const { return run(kernels::matmul_kernel(shape.dtype, level)); }
  std::vector<T> run(kernels::MatmulFn kernel) const {  // an entry point itself, on garbage scratch
    std::vector<T> c(static_cast<std::size_t>(shape.batch * shape.m * shape.n), T(42));
    const auto bytes = kernels::matmul_scratch_bytes(shape.dtype, shape.m, shape.n, shape.k);
    std::vector<double> scratch(static_cast<std::size_t>(bytes / 8 + 9), std::numeric_limits<double>::signaling_NaN());
    const auto aligned = (reinterpret_cast<std::uintptr_t>(scratch.data()) + 63) / 64 * 64;
    const MatmulShape& s = shape;
    kernel({s.batch, s.m, s.n, s.k, s.a_batch, s.a_row, s.a_col, s.b_batch, s.b_row, s.b_col, s.m * s.n, s.n,
            a.data.data(), b.data.data(), c.data(), reinterpret_cast<void*>(aligned)});
    return c;
  }

  /// The definition: acc = fma(a, b, acc) over k in order, from 0, in the compute type, rounded once at the end. Of
  /// bf16 in pairs, the odd one first, the last one of an odd number with zeros, and without subnormals.
  std::vector<T> defined() const {
    std::vector<T> c;
    for (std::int64_t q = 0; q < shape.batch; ++q) {
      for (std::int64_t i = 0; i < shape.m; ++i) {
        for (std::int64_t j = 0; j < shape.n; ++j) c.push_back(element(q, i, j));
      }
    }
    return c;
  }

 private:
  T element(std::int64_t q, std::int64_t i, std::int64_t j) const {
    if constexpr (dtype_of<T> == DType::bf16) {
      const auto normal = [](float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.f, x) : x; };
      float acc = 0;
      for (std::int64_t p = 0; p < (shape.k + 1) / 2 * 2; ++p) {
        const std::int64_t at = p ^ 1;
        const float x = at < shape.k ? normal(a.at(q, i, at)) : 0.f, y = at < shape.k ? normal(b.at(q, at, j)) : 0.f;
        acc = normal(std::fma(x, y, acc));
      }
      return T(acc);
    } else if constexpr (is_floating(dtype_of<T>)) {
      std::conditional_t<dtype_of<T> == DType::f64, double, float> acc = 0;
      for (std::int64_t p = 0; p < shape.k; ++p)
        acc = std::fma(decltype(acc)(a.at(q, i, p)), decltype(acc)(b.at(q, p, j)), acc);
      return T(acc);
    } else {
      std::uint64_t acc = 0;
      for (std::int64_t p = 0; p < shape.k; ++p)
        acc += static_cast<std::uint64_t>(a.at(q, i, p)) * static_cast<std::uint64_t>(b.at(q, p, j));
      return static_cast<T>(acc);
    }
  }
};

template <class T> bool same_bits(const std::vector<T>& x, const std::vector<T>& y) {
  return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0);
}

std::string name(const MatmulShape& s) {
  return std::to_string(s.batch) + "x " + std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) +
         " strides " + std::to_string(s.a_row) + "," + std::to_string(s.a_col) + " " + std::to_string(s.b_row) + "," +
         std::to_string(s.b_col);
}

template <class T> void check_everywhere(const Problem<T>& p) {
  INFO(std::string(name_of(p.shape.dtype)) << " " << name(p.shape));
  const auto want = p.defined();
  CHECK(same_bits(p.run(), want));
  for (Isa level : {Isa::base, Isa::avx2, Isa::avx512}) {
    if (level > isa() || !kernels::matmul_kernel(p.shape.dtype, level)) continue;
    INFO(name_of(level));
    CHECK(same_bits(p.run(level), want));
  }
  if (p.shape.dtype != DType::bf16 || isa() != Isa::avx512) return;  // which has two, of which the CPU prefers one
  CHECK(same_bits(p.run(kernels::matmul_bf16_avx512), want));
  if (__builtin_cpu_supports("avx512bf16")) CHECK(same_bits(p.run(kernels::matmul_bf16_avx512bf16), want));
}

std::int64_t any_extent(std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(0, 3)(random_bits) == 0
             ? std::uniform_int_distribution<std::int64_t>(0, 3)(random_bits)
             : std::uniform_int_distribution<std::int64_t>(1, most)(random_bits);
}

}  // namespace

TEMPLATE_TEST_CASE("matmul is the sum of fmas over k in order, to the bit, at every ISA level", "[matmul]", float,
                   double, bfloat16, std::int32_t, std::int64_t, std::uint8_t) {
  for (int i = 0; i < 150; ++i) {
    const Layout la = layouts[i % 5], lb = layouts[i / 5 % 5];
    check_everywhere(Problem<TestType>(1, any_extent(70), any_extent(70), any_extent(40), la, lb));
  }
}

TEMPLATE_TEST_CASE("matmul keeps its bits when k is cut and operands are packed", "[matmul][once]", float, double,
                   bfloat16) {
  const std::int64_t shapes[][3] = {{3, 5, 2000},   {1, 40, 1700},  {40, 1, 1700}, {530, 3, 1701},
                                    {130, 35, 900}, {15, 300, 801}, {29, 2100, 60}};
  for (const auto& [m, n, k] : shapes) {
    for (Layout la : {Layout::rows, Layout::transposed, Layout::strided}) {
      for (Layout lb : {Layout::rows, Layout::transposed, Layout::strided}) {
        const Problem<TestType> p(1, m, n, k, la, lb);
        INFO(name(p.shape));
        check_everywhere(p);
      }
    }
  }
}

TEST_CASE("matmul of bf16 gives a piece of the columns the bits that it has in the whole", "[matmul]") {
  constexpr std::int64_t m = 20, n = 2100, k = 1610, cut = 1201;
  std::vector<bfloat16> a(m * k), b(k * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i * 37 % 101) / 64 - 0.75f;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i * 53 % 211) / 128 - 0.8f;
  const auto columns = [&](std::int64_t from, std::int64_t count, std::int64_t top, std::int64_t rows) {
    std::vector<bfloat16> c(static_cast<std::size_t>(rows * count));
    matmul({1, rows, count, k, 0, k, 1, 0, n, 1, DType::bf16}, a.data() + top * k, b.data() + from, c.data());
    return c;
  };
  const auto whole = columns(0, n, 0, m);
  for (const auto& [from, count] : {std::pair{std::int64_t{0}, cut}, std::pair{cut, n - cut}}) {
    const auto piece = columns(from, count, 3, m - 3);
    for (std::int64_t i = 3; i < m; ++i)
      CHECK(std::memcmp(&piece[(i - 3) * count], &whole[i * n + from], count * sizeof(bfloat16)) == 0);
  }
}

TEMPLATE_TEST_CASE("matmul multiplies batches, and one operand for a whole batch", "[matmul]", float, double,
                   std::int32_t, bfloat16, float16) {
  for (int i = 0; i < 60; ++i) {
    const Problem<TestType> p(any_extent(9), any_extent(20), any_extent(20), any_extent(20), layouts[i % 4],
                              layouts[i / 4 % 4], i % 3 == 1, i % 3 == 2);
    INFO(name(p.shape));
    CHECK(same_bits(p.run(), p.defined()));
  }
}

TEMPLATE_TEST_CASE("matmul in 16 bits is summed in f32 and rounded once", "[matmul]", bfloat16, float16) {
  for (int i = 0; i < 50; ++i) {
    const Problem<TestType> p(1, any_extent(40), any_extent(40), any_extent(90), layouts[i % 5], layouts[i / 5 % 5]);
    INFO(name(p.shape));
    CHECK(same_bits(p.run(), p.defined()));
  }
}

TEMPLATE_TEST_CASE("matmul in 16 bits of one operand that is widened in pieces", "[matmul]", bfloat16, float16) {
  for (const auto& [m, n, k] : {std::array{1, 1000, 301}, {1000, 3, 300}, {16, 700, 400}, {601, 1, 1000}})
    for (const Layout a : {Layout::rows, Layout::transposed})
      for (const Layout b : {Layout::rows, Layout::transposed}) {
        const Problem<TestType> p(1, m, n, k, a, b);
        INFO(name(p.shape));
        CHECK(same_bits(p.run(), p.defined()));
      }
}

TEST_CASE("matmul stays within the bound of its summation", "[matmul]") {
  for (int i = 0; i < 40; ++i) {
    const Problem<float> p(1, any_extent(50), any_extent(50), any_extent(1500), layouts[i % 4], layouts[i / 4 % 4]);
    const auto c = p.run();
    double worst = 0;  // |error| <= k eps sum |a b|, since each of the k fmas rounds once (Higham, 3.1)
    for (std::int64_t r = 0; r < p.shape.m; ++r) {
      for (std::int64_t j = 0; j < p.shape.n; ++j) {
        double exact = 0, size = 0;
        for (std::int64_t q = 0; q < p.shape.k; ++q) {
          const double x = double{p.a.at(0, r, q)} * double{p.b.at(0, q, j)};
          exact += x;
          size += std::abs(x);
        }
        const double bound = 1.01 * static_cast<double>(p.shape.k) * 0x1p-24 * size + 1e-45;
        worst = std::max(worst, std::abs(c[r * p.shape.n + j] - exact) / bound);
      }
    }
    INFO(name(p.shape));
    CHECK(worst <= 1);
  }
}

TEMPLATE_TEST_CASE("matmul gives the same bits on 1 and 2 threads", "[matmul][threads]", float, double, bfloat16,
                   std::int32_t) {
  const std::int64_t shapes[][4] = {{1, 128, 128, 128}, {1, 64, 512, 157}, {1, 1, 3000, 500}, {1, 3000, 1, 500},
                                    {1, 7, 9, 20000},   {1, 333, 77, 129}, {40, 30, 30, 30},  {3, 100, 100, 100},
                                    {1, 17, 2500, 40},  {1, 10, 17, 8001}};
  for (const auto& [batch, m, n, k] : shapes) {
    for (Layout la : {Layout::rows, Layout::transposed}) {
      for (Layout lb : {Layout::rows, Layout::transposed}) {
        const Problem<TestType> p(batch, m, n, k, la, lb);
        const int before = num_threads();
        set_num_threads(1);
        const auto one = p.run();
        set_num_threads(before);
        INFO(name(p.shape) << " threads " << before);
        CHECK(same_bits(one, p.run()));
      }
    }
  }
}

TEMPLATE_TEST_CASE("matmul gives an epilogue each element once, with the bits that it would store", "[matmul]", float,
                   double, bfloat16) {
  struct Taken {
    std::vector<TestType> c;
    std::vector<int> times;
    std::int64_t n;
  };
  const MatmulEpilogue epilogue{[](const void* context, std::int64_t row, std::int64_t column, std::int64_t rows,
                                   std::int64_t columns, void* c, std::int64_t c_row) {
                                  Taken& t = **static_cast<Taken* const*>(context);
                                  for (std::int64_t i = 0; i < rows; ++i) {
                                    for (std::int64_t j = 0; j < columns; ++j) {
                                      const auto at = static_cast<std::size_t>((row + i) * t.n + column + j);
                                      t.c[at] = static_cast<const TestType*>(c)[i * c_row + j];
                                      ++t.times[at];
                                    }
                                  }
                                },
                                nullptr};
  std::vector<std::array<std::int64_t, 3>> shapes = {{128, 64, 8},   {131, 77, 9},     {700, 500, 33}, {150, 2200, 20},
                                                     {129, 96, 400}, {1624, 136, 700}, {300, 170, 399}};
  for (int i = 0; i < 4; ++i) shapes.push_back({128 + any_extent(500), 64 + any_extent(200), 8 + any_extent(392)});
  for (const auto& [m, n, k] : shapes) {
    for (Layout la : {Layout::rows, Layout::transposed, Layout::strided}) {
      for (Layout lb : {Layout::rows, Layout::transposed, Layout::strided}) {
        const Problem<TestType> p(1, m, n, k, la, lb);
        if (dtype_of<TestType> == DType::bf16 && !kernels::matmul_kernel(DType::bf16, isa())) continue;
        if (k == 700 && (sizeof(TestType) == 8 || la != lb || isa() == Isa::base)) continue;  // too long
        REQUIRE(!epilogue_obstacle(p.shape));
        Taken taken{std::vector<TestType>(static_cast<std::size_t>(m * n)),
                    std::vector<int>(static_cast<std::size_t>(m * n)), n};
        Taken* const to = &taken;
        matmul(p.shape, p.a.data.data(), p.b.data.data(), MatmulEpilogue{epilogue.run, &to});
        INFO(name(p.shape));
        CHECK(same_bits(taken.c, p.run()));
        CHECK(std::all_of(taken.times.begin(), taken.times.end(), [](int t) { return t == 1; }));
      }
    }
  }
}

TEST_CASE("matmul's cut for threads covers the product in as many pieces as asked", "[matmul]") {
  for (std::int64_t pieces : {1, 2, 3, 4, 6, 7, 12, 64}) {
    for (auto [m, n] : {std::pair<std::int64_t, std::int64_t>{1, 1000}, {1000, 1}, {512, 512}, {64, 4096}}) {
      const auto cut = detail::matmul_cut(m, n, pieces);
      CHECK(cut.rows * cut.columns == pieces);
      if (m == 1) CHECK(cut.rows == 1);
      if (n == 1) CHECK(cut.columns == 1);
    }
  }
}

TEMPLATE_TEST_CASE("matmul of nothing: k = 0 gives zeros, an empty result touches nothing", "[matmul]", float, double,
                   bfloat16, float16, std::int32_t, std::int64_t, std::uint8_t) {
  for (const TestType x : Problem<TestType>(2, 3, 4, 0).run()) CHECK(x == TestType(0));
  TestType canary = TestType(5);
  for (auto [batch, m, n] : {std::array<std::int64_t, 3>{0, 3, 4}, {1, 0, 4}, {1, 3, 0}}) {
    matmul({batch, m, n, 6, 0, 6, 1, 0, n, 1, dtype_of<TestType>}, nullptr, nullptr, &canary);
  }
  CHECK(canary == TestType(5));
}

TEST_CASE("matmul carries infinities, NaNs and signed zeros as fma does", "[matmul]") {
  Problem<float> p(1, 20, 20, 3);
  const float inf = std::numeric_limits<float>::infinity();
  p.a.data[0] = inf, p.a.data[4] = std::nanf(""), p.b.data[1] = 0.f;
  const auto c = p.run(), want = p.defined();
  for (std::size_t i = 0; i < c.size(); ++i) CHECK((c[i] == want[i] || (std::isnan(c[i]) && std::isnan(want[i]))));
  const float minus = -0.f, one = 1.f;
  float zero = 7;
  matmul({1, 1, 1, 1, 0, 1, 1, 0, 1, 1, f32}, &minus, &one, &zero);
  CHECK((zero == 0 && !std::signbit(zero)));  // fma(-0, 1, +0) is +0
}

TEST_CASE("matmul of bf16 carries infinities and NaNs", "[matmul]") {
  Problem<bfloat16> p(1, 20, 40, 5);
  const float inf = std::numeric_limits<float>::infinity();
  p.a.data[0] = inf, p.a.data[9] = std::nanf(""), p.b.data[1] = -inf, p.b.data[4 * 40 + 7] = inf;
  const auto c = p.run(), want = p.defined();
  for (std::size_t i = 0; i < c.size(); ++i)
    CHECK((c[i].bits == want[i].bits || (std::isnan(float(c[i])) && std::isnan(float(want[i])))));
  CHECK(std::isinf(float(c[2 * 40 + 7])));
}

namespace {
float bf16_product(const std::vector<float>& x, const std::vector<float>& y) {
  const std::vector<bfloat16> a(x.begin(), x.end()), b(y.begin(), y.end());
  const auto k = static_cast<std::int64_t>(a.size());
  bfloat16 c = 7;
  matmul({1, 1, 1, k, 0, k, 1, 0, 1, 1, DType::bf16}, a.data(), b.data(), &c);
  return float(c);
}
}  // namespace

TEST_CASE("matmul of bf16 takes subnormals for zeros, as operands, as sums and between the two of a pair", "[matmul]") {
  CHECK(bf16_product({0x1p-130f}, {0x1p20f}) == 0);
  CHECK(bf16_product({0x1p-70f}, {0x1p-60f}) == 0);
  CHECK(bf16_product({0x1p-126f}, {1}) == 0x1p-126f);                                  // the least that is none
  CHECK(bf16_product({0x1p-63f, 0x1.8p-63f}, {0x1p-63f, -0x1p-63f}) == 0);             // -1.5 2^-126 + 2^-126
  CHECK(bf16_product({0x1.8p-63f, 0x1p-63f}, {-0x1p-63f, 0x1p-64f}) == -0x1.8p-126f);  // 2^-127 first
}

TEST_CASE("matmul of bf16 adds the odd one of two products first", "[matmul]") {
  CHECK(bf16_product({1, 0x1p24f, -0x1p24f, 1}, {1, 1, 1, 1}) == 0);  // 2^24 + 1 is 2^24; in the order of k it were 1
  CHECK(bf16_product({0x1p24f, 1, 1, -0x1p24f}, {1, 1, 1, 1}) == 1);
}

TEST_CASE("matmul refuses bool", "[matmul]") {
  bool x[1] = {};
  CHECK_THROWS_AS(matmul({1, 1, 1, 1, 0, 1, 1, 0, 1, 1, DType::boolean}, x, x, x), std::invalid_argument);
}
