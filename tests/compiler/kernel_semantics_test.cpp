// kernel.h and formula.h by the letter: what each operation, conversion and reduction gives.
#include <array>
#include <bit>
#include <cmath>

#include <weft/compiler/interpreter.h>
#include <weft/compiler/jit/jit.h>

#include "random_kernel.h"

using namespace weft;
using namespace weft::test;

namespace {

// Runs a kernel of contiguous operands by the interpreter and at every level of the code generator; `check` sees the
// memory after each.
template <class Check> void run_everywhere(const Kernel& kernel, std::vector<std::vector<std::byte>> memory,
                                           std::int64_t rows, std::int64_t cols, Check&& check) {
  std::vector<std::int64_t> row_strides, col_strides;
  for (const KernelOperand& o : kernel.operands) {
    col_strides.push_back(static_cast<std::int64_t>(size_of(o.dtype)));
    row_strides.push_back(col_strides.back() * (o.step == ColumnStep::fixed ? 1 : cols));
  }
  const auto call = [&](const char* who, auto&& function) {
    INFO(who << ", " << rows << " x " << cols << "\n" << kernel.text());
    std::vector<std::vector<std::byte>> copy = memory;
    std::vector<void*> pointers;
    for (auto& m : copy) pointers.push_back(m.data());
    const KernelCall c{pointers.data(), row_strides.data(), col_strides.data(), rows, cols, nullptr};
    function(c);
    check(copy);
  };
  call("interpreter", [&](const KernelCall& c) { interpret(kernel, c); });
  Jit* jit = Jit::get();
  if (!jit) return;
  const Kernel* one = &kernel;
  for (Isa level : usable_levels()) {
    const KernelFunction function = jit->compile({&one, 1}, level)[0];
    REQUIRE(function);
    call(name_of(level), [&](const KernelCall& c) { function(&c); });
  }
}

template <class T> std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  for (std::size_t k = 0; k < values.size(); ++k) {
    const T x = values[k];
    std::memcpy(&bytes[k * sizeof(T)], &x, sizeof(T));
  }
  return bytes;
}
template <class T> T element(const std::vector<std::byte>& bytes, std::size_t k) {
  T x;
  std::memcpy(&x, &bytes[k * sizeof(T)], sizeof(T));
  return x;
}
template <class T> bool same(T a, T b) {
  return same_element(dtype_of<T>, reinterpret_cast<const std::byte*>(&a), reinterpret_cast<const std::byte*>(&b));
}

template <class T> std::vector<T> edges() {
  using L = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, bool>)
    return {false, true};
  else if constexpr (std::is_floating_point_v<T>)
    return {0,
            -T{0},
            L::infinity(),
            -L::infinity(),
            L::quiet_NaN(),
            L::denorm_min(),
            -L::denorm_min(),
            L::min(),
            L::max(),
            L::lowest(),
            1,
            -1,
            T(0.5),
            T(-0.5),
            T(1.5),
            T(2.5),
            T(-2.5),
            T(0.499999999999999),
            T(8388609),
            T(-3.75),
            T(2147483647.0),
            T(2147483648.0),
            T(-2147483648.0),
            T(-2147483649.0),
            T(9223372036854775807.0),
            T(-9223372036854775808.0),
            T(254.9),
            T(255),
            T(256),
            T(-0.9),
            3,
            T(1e-3),
            T(1) + L::epsilon()};
  else
    return {0,
            1,
            2,
            3,
            7,
            100,
            127,
            static_cast<T>(128),
            static_cast<T>(-1),
            static_cast<T>(-2),
            static_cast<T>(-7),
            L::min(),
            L::max(),
            static_cast<T>(L::max() - 1),
            static_cast<T>(L::min() + 1),
            static_cast<T>(0x12345678)};
}

template <class To, class From> To converted(From x) {
  if constexpr (std::is_same_v<To, bool>)
    return x != 0;
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (std::isnan(x)) return 0;
    const long double y = std::trunc(static_cast<long double>(x));
    if (y < static_cast<long double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (y > static_cast<long double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(y);
  } else
    return static_cast<To>(x);
}

// By comparisons and exact products alone.
template <class T> std::pair<T, T> significand_and_exponent(T a) {
  using L = std::numeric_limits<T>;
  if (!(a >= 0)) return {L::quiet_NaN(), L::quiet_NaN()};
  if (a == 0 || a == L::infinity()) return {T{1}, a == 0 ? -L::infinity() : a};
  T e = 0;
  for (; a < T(0.75); a *= 2) --e;
  for (; a >= T(1.5); a /= 2) ++e;
  return {a, e};
}

template <class T> T expected(ScalarOp op, T a, T b, T c, int shift) {
  if constexpr (std::is_floating_point_v<T>) {
    switch (op) {
      case ScalarOp::add: return a + b;
      case ScalarOp::sub: return a - b;
      case ScalarOp::mul: return a * b;
      case ScalarOp::div: return a / b;
      case ScalarOp::neg: return -a;
      case ScalarOp::abs: return std::abs(a);
      case ScalarOp::fma: return std::fma(a, b, c);
      case ScalarOp::exponent: return significand_and_exponent(a).second;
      case ScalarOp::significand: return significand_and_exponent(a).first;
      case ScalarOp::sqrt: return std::sqrt(a);
      case ScalarOp::floor: return std::floor(a);
      case ScalarOp::ceil: return std::ceil(a);
      case ScalarOp::trunc: return std::trunc(a);
      default: return std::nearbyint(a);
    }
  } else if constexpr (std::is_same_v<T, bool>) {
    return op == ScalarOp::bit_and ? a && b : op == ScalarOp::bit_or ? a || b : op == ScalarOp::bit_xor ? a != b : !a;
  } else {
    using Wide = __int128;
    using U = std::make_unsigned_t<T>;
    const auto wrap = [](Wide x) { return static_cast<T>(x); };
    switch (op) {
      case ScalarOp::add: return wrap(Wide{a} + b);
      case ScalarOp::sub: return wrap(Wide{a} - b);
      case ScalarOp::mul: return wrap(Wide{a} * b);
      case ScalarOp::div: return b == 0 ? T{0} : wrap(Wide{a} / b);
      case ScalarOp::neg: return wrap(-Wide{a});
      case ScalarOp::abs: return wrap(a < 0 ? -Wide{a} : Wide{a});
      case ScalarOp::bit_and: return wrap(Wide{a} & b);
      case ScalarOp::bit_or: return wrap(Wide{a} | b);
      case ScalarOp::bit_xor: return wrap(Wide{a} ^ b);
      case ScalarOp::bit_not: return wrap(~Wide{a});
      case ScalarOp::shl: return wrap(Wide{a} << shift);
      case ScalarOp::shr: return static_cast<T>(static_cast<U>(static_cast<U>(a) >> shift));
      default: return static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> shift);
    }
  }
}

template <class T> bool compared(ScalarOp op, T a, T b) {
  return op == ScalarOp::lt ? a < b : op == ScalarOp::le ? a <= b : op == ScalarOp::eq ? a == b : a != b;
}

bool takes(ScalarOp op, DType t) {
  if (op == ScalarOp::scalb) return false;  // not of all operands: has a test of its own
  if (op <= ScalarOp::abs) return t != DType::boolean;
  if (op <= ScalarOp::nearest) return is_floating(t);
  if (op <= ScalarOp::le) return t != DType::boolean;
  if (op <= ScalarOp::ne) return true;
  if (op <= ScalarOp::bit_not) return !is_floating(t);
  return is_integer(t);  // shifts
}

// Three operands of type T, every pair of edge values in the first two.
template <class T> std::array<std::vector<T>, 3> edge_pairs() {
  const std::vector<T> e = edges<T>();
  std::array<std::vector<T>, 3> v;
  for (std::size_t i = 0; i < e.size(); ++i)
    for (std::size_t j = 0; j < e.size(); ++j) {
      v[0].push_back(e[i]), v[1].push_back(e[j]);
      v[2].push_back(e[(i * 5 + j * 3) % e.size()]);
    }
  return v;
}

const std::vector<DType> every_compute_type = {f32, f64, i32, i64, u8, DType::boolean};

// The row's reduction as kernel.h describes it.
template <class T> T combined(Reduction op, T a, T b) {
  switch (op) {
    case Reduction::sum: return expected(ScalarOp::add, a, b, b, 0);
    case Reduction::prod: return expected(ScalarOp::mul, a, b, b, 0);
    case Reduction::max: return a > b || a != a ? a : b;
    case Reduction::min: return a < b || a != a ? a : b;
    case Reduction::any: return a || b;  // of booleans only
    default: return a && b;
  }
}
template <class T> T neutral(Reduction op) {
  using L = std::numeric_limits<T>;
  const T highest = L::has_infinity ? L::infinity() : L::max();
  const T lowest = L::has_infinity ? static_cast<T>(-L::infinity()) : L::min();
  return op == Reduction::prod || op == Reduction::all ? T{1}
         : op == Reduction::max                        ? lowest
         : op == Reduction::min                        ? highest
                                                       : T{0};
}
template <class T> T row_reduction(Reduction op, const std::vector<T>& values, std::size_t row, std::size_t n) {
  const auto x = values.begin() + static_cast<std::ptrdiff_t>(row * n);
  T total = neutral<T>(op);
  for (std::size_t begin = 0; begin < n; begin += 4096) {
    T partial[16];
    std::fill_n(partial, 16, neutral<T>(op));
    for (std::size_t c = begin; c < std::min(n, begin + 4096); ++c)
      partial[c % 16] = combined<T>(op, partial[c % 16], x[static_cast<std::ptrdiff_t>(c)]);
    for (std::size_t half : {8u, 4u, 2u, 1u})
      for (std::size_t i = 0; i < half; ++i) partial[i] = combined(op, partial[i], partial[i + half]);
    total = combined(op, total, partial[0]);
  }
  return total;
}

}  // namespace

TEST_CASE("every scalar operation gives the defined value at the edges of every type", "[kernel]") {
  for (DType t : every_compute_type)
    visit_dtype(t, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (!std::is_class_v<T>) {
        const std::array<std::vector<T>, 3> v = edge_pairs<T>();
        const std::size_t n = v[0].size();
        // One kernel for all operations on T: three inputs, and an output for each.
        Kernel k;
        std::vector<std::vector<std::byte>> memory;
        for (std::uint64_t i = 0; i < 3; ++i) {
          k.operands.push_back({t, ColumnStep::contiguous, false});
          k.code.push_back({{ScalarOp::input, t, 0, 0, 0, i}});
          memory.push_back(bytes_of(v[i]));
        }
        for (int o = static_cast<int>(ScalarOp::add); o <= static_cast<int>(ScalarOp::sar); ++o) {
          const auto op = static_cast<ScalarOp>(o);
          if (!takes(op, t)) continue;
          for (std::size_t shift : {std::size_t{0}, std::size_t{1}, 8 * sizeof(T) - 1}) {
            if (shift > 0 && op < ScalarOp::shl) break;
            k.code.push_back({{op, t, 0, 1, 2, shift}});
            k.operands.push_back({result_type(k.code.back().scalar), ColumnStep::contiguous, true});
            k.stores.push_back(
                {static_cast<std::uint16_t>(k.code.size() - 1), static_cast<std::uint16_t>(k.operands.size() - 1)});
            memory.emplace_back(n * size_of(k.operands.back().dtype));
          }
        }
        run_everywhere(k, memory, 1, static_cast<std::int64_t>(n), [&](const auto& after) {
          for (const KernelStore& s : k.stores) {
            const Instruction& i = k.code[s.value].scalar;
            for (std::size_t c = 0; c < n; ++c) {
              const T x = v[0][c], y = v[1][c], z = v[2][c];
              INFO(name_of(i.op) << " " << i.imm << " of " << +x << " " << +y << " " << +z);
              if (i.op >= ScalarOp::lt && i.op <= ScalarOp::ne) {
                if (element<bool>(after[s.operand], c) != compared(i.op, x, y)) FAIL("comparison");
              } else {
                const T got = element<T>(after[s.operand], c), want = expected(i.op, x, y, z, static_cast<int>(i.imm));
                if (!same(got, want)) FAIL(+got << " where " << +want << " is right");
              }
            }
          }
        });
      }
    });
}

TEST_CASE("scalb rounds once for every exponent, into subnormals and to infinity", "[kernel]") {
  const auto test = [](auto zero) {
    using T = decltype(zero);
    using L = std::numeric_limits<T>;
    const int most = sizeof(T) == 4 ? 250 : 2000;
    std::vector<T> a, n;
    for (int exponent = -most; exponent <= most; ++exponent)
      for (const T size : {T{0}, L::infinity(), L::quiet_NaN(), T{1}, T{2}, 1 + L::epsilon(), 2 - L::epsilon(), T(1.5),
                           T(0.7), T(1.3), T(2. / 3), 3 * T(0x1p-50), 1 - L::epsilon(), T(0x1p-50)})
        for (const T x : {size, -size}) a.push_back(x), n.push_back(static_cast<T>(exponent));
    a.push_back(L::quiet_NaN()), n.push_back(L::quiet_NaN());
    for (const bool by_rows : {false, true}) {  // as vectors, and as the single values of a row
      const ColumnStep step = by_rows ? ColumnStep::fixed : ColumnStep::contiguous;
      Kernel k;
      k.operands = {{dtype_of<T>, step, false}, {dtype_of<T>, step, false}, {dtype_of<T>, step, true}};
      k.code = {{{ScalarOp::input, dtype_of<T>, 0, 0, 0, 0}, -1, !by_rows},
                {{ScalarOp::input, dtype_of<T>, 0, 0, 0, 1}, -1, !by_rows},
                {{ScalarOp::scalb, dtype_of<T>, 0, 1}, -1, !by_rows}};
      k.stores = {{2, 2}};
      const auto count = static_cast<std::int64_t>(a.size());
      run_everywhere(k, {bytes_of(a), bytes_of(n), std::vector<std::byte>(a.size() * sizeof(T))}, by_rows ? count : 1,
                     by_rows ? 1 : count, [&](const auto& memory) {
                       for (std::size_t i = 0; i < a.size(); ++i) {
                         const long double exact =
                             static_cast<long double>(a[i]) * std::exp2(static_cast<long double>(n[i]));
                         const T got = element<T>(memory[2], i), want = static_cast<T>(exact);
                         if (!same(got, want)) FAIL(a[i] << " 2^" << n[i] << " is " << got << ", not " << want);
                       }
                     });
    }
  };
  test(float{}), test(double{});
}

TEST_CASE("conversions between every two compute types are C's, and saturate from floats to integers", "[kernel]") {
  for (DType from : every_compute_type)
    for (DType to : every_compute_type)
      visit_dtype(from, [&](auto x) {
        visit_dtype(to, [&](auto y) {
          using From = decltype(x);
          using To = decltype(y);
          if constexpr (!std::is_class_v<From> && !std::is_class_v<To>) {
            Kernel k;
            k.operands = {{from, ColumnStep::contiguous, false}, {to, ColumnStep::contiguous, true}};
            k.code = {{{ScalarOp::input, from}}, {{ScalarOp::convert, to, 0}}};
            k.stores = {{1, 1}};
            const std::vector<From> v = edges<From>();
            run_everywhere(k, {bytes_of(v), std::vector<std::byte>(v.size() * sizeof(To))}, 1,
                           static_cast<std::int64_t>(v.size()), [&](const auto& memory) {
                             for (std::size_t i = 0; i < v.size(); ++i) {
                               INFO(+v[i]);
                               CHECK(same(element<To>(memory[1], i), converted<To>(v[i])));
                             }
                           });
          }
        });
      });
}

TEST_CASE("bf16 and f16 load exactly and round as dtype.h does", "[kernel]") {
  const auto test = [](auto zero) {
    using H = decltype(zero);
    Kernel load, store;
    load.operands = {{dtype_of<H>, ColumnStep::contiguous, false}, {f32, ColumnStep::contiguous, true}};
    store.operands = {{f32, ColumnStep::contiguous, false}, {dtype_of<H>, ColumnStep::contiguous, true}};
    load.code = store.code = {{{ScalarOp::input, f32}}};
    load.stores = store.stores = {{0, 1}};
    std::vector<H> halves(65536);
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i].bits = static_cast<std::uint16_t>(i);
    run_everywhere(load, {bytes_of(halves), std::vector<std::byte>(65536 * 4)}, 1, 65536, [&](const auto& memory) {
      for (std::size_t i = 0; i < halves.size(); ++i)
        if (!same(element<float>(memory[1], i), static_cast<float>(halves[i]))) FAIL("bits " << i);
    });
    std::vector<float> floats;
    for (std::uint64_t u = 0; u <= 0xffffffffu; u += 4093)
      floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(u)));
    for (const H& h : halves)  // around every value and every midpoint
      for (int d : {-1, 0, 1})
        for (std::uint32_t half : {0u, dtype_of<H> == DType::bf16 ? 0x8000u : 0x1000u})
          floats.push_back(std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(h)) + half +
                                                static_cast<std::uint32_t>(d)));
    run_everywhere(store, {bytes_of(floats), std::vector<std::byte>(floats.size() * 2)}, 1,
                   static_cast<std::int64_t>(floats.size()), [&](const auto& memory) {
                     for (std::size_t i = 0; i < floats.size(); ++i)
                       if (!same(element<H>(memory[1], i), H(floats[i]))) FAIL(floats[i]);
                   });
  };
  test(bfloat16{});
  test(float16{});
}

TEST_CASE("a row reduction goes by 16 partials, blocks of 4096 and the tree 8, 4, 2, 1", "[kernel]") {
  Random random(11);
  for (DType t : every_compute_type)
    for (int o = 0; o < 6; ++o) {
      const auto op = static_cast<Reduction>(o);
      if ((t == DType::boolean) != (op >= Reduction::any)) continue;
      visit_dtype(t, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (!std::is_class_v<T>) {
          Kernel k;
          k.operands = {{t, ColumnStep::contiguous, false}, {t, ColumnStep::fixed, true}};
          k.code = {{{ScalarOp::input, t}}, {{ScalarOp::input, t}, 0, false, 1}};
          k.reductions = {{op, t, 0, false, 0}};
          k.stores = {{1, 1}};
          for (std::size_t cols : {0u, 1u, 7u, 16u, 17u, 64u, 100u, 4095u, 4096u, 4097u, 8200u}) {
            for (bool exact : {false, true}) {
              if (exact && (cols == 0 || cols > 64)) continue;
              k.small_cols = exact ? static_cast<std::int32_t>(cols) : 0;
              std::vector<T> x(3 * cols);
              // Ordinary numbers; numbers where the sign of a zero decides; anything, with NaNs.
              for (std::size_t i = 0; i < x.size(); ++i) {
                x[i] = random_element<T>(random, i < 2 * cols);
                if (i >= cols && i < 2 * cols && std::is_floating_point_v<T>)
                  x[i] = chance(random, 0.5) ? T{0} : static_cast<T>(-T{0});
                if (op == Reduction::prod && std::is_floating_point_v<T> && i < cols) x[i] = T(0.9) + x[i] / 50;
              }
              run_everywhere(k, {bytes_of(x), std::vector<std::byte>(3 * sizeof(T))}, 3,
                             static_cast<std::int64_t>(cols), [&](const auto& memory) {
                               for (std::size_t r = 0; r < 3; ++r) {
                                 const T got = element<T>(memory[1], r), want = row_reduction(op, x, r, cols);
                                 INFO("row " << r << ": " << +got << " against " << +want);
                                 CHECK(same(got, want));
                               }
                             });
            }
          }
        }
      });
    }
}

TEST_CASE("a column reduction starts at the identity and takes its rows in order", "[kernel]") {
  Random random(12);
  for (DType t : {f32, f64, i32, u8})
    for (Reduction op : {Reduction::sum, Reduction::prod, Reduction::max, Reduction::min})
      visit_dtype(t, [&](auto zero) {
        using T = decltype(zero);
        if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
          Kernel k;
          k.operands = {{t, ColumnStep::contiguous, false}, {t, ColumnStep::contiguous, true}};
          k.code = {{{ScalarOp::input, t}}};
          k.reductions = {{op, t, 0, true, 1}};
          for (std::size_t cols : {1u, 31u, 64u, 200u})
            for (std::size_t rows : {0u, 1u, 50u}) {
              k.small_cols = cols == 31 ? 31 : 0;
              std::vector<T> x(rows * cols);
              for (T& e : x) e = random_element<T>(random, cols != 64);
              run_everywhere(k, {bytes_of(x), std::vector<std::byte>(cols * sizeof(T), std::byte{0x77})},
                             static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols), [&](const auto& memory) {
                               for (std::size_t c = 0; c < cols; ++c) {
                                 T want = neutral<T>(op);
                                 for (std::size_t r = 0; r < rows; ++r) want = combined(op, want, x[r * cols + c]);
                                 CHECK(same(element<T>(memory[1], c), want));
                               }
                             });
            }
        }
      });
}

TEST_CASE("Large results go around the caches where rows are whole pairs of cache lines, or long",
          "[compile][kernel]") {
  const auto goes_around = [](std::int64_t rows, std::int64_t columns, bool cut = false) {
    auto f = compile([&](const Tensor& x, const Tensor& row) {
      return cut ? x[{Slice(), Slice(0, columns)}] * 2 : x + row;
    });
    f.lower(Type{f32, {rows, columns + cut}}, Type{f32, {columns}});
    return f.dump("kernels").find("out f32 contiguous past caches") != std::string::npos;
  };
  CHECK(goes_around(60'000, 96));
  CHECK(goes_around(60'000, 96, true));
  CHECK_FALSE(goes_around(60'000, 100));
  CHECK_FALSE(goes_around(60'000, 80));
  CHECK_FALSE(goes_around(60'000, 99, true));
  CHECK_FALSE(goes_around(100, 96));
  CHECK(goes_around(300, 20'001));
}
