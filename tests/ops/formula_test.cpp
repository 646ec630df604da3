// An op's Formula says what its loops do: a plain evaluator of formulas, one element at a time, gives the same bits as
// the loops of each instruction set that this machine has.
#include <emmintrin.h>

#include <bit>
#include <cmath>
#include <limits>

#include <weft/ops/kernels/elementwise.h>
#include <weft/ops/kernels/formula_fold.h>
#include <weft/tensor/isa.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

template <class T> T from_word(std::uint64_t bits) {
  if constexpr (std::is_same_v<T, bool>) return bits != 0;  // an operand that is not used may hold anything
  T x;
  std::memcpy(static_cast<void*>(&x), &bits, sizeof x);
  return x;
}
template <class T> std::uint64_t to_word(T x) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &x, sizeof x);
  return bits;
}

/// logb counts from 1 to 2, this from 3/4 to 3/2.
template <class T> T three_quarters_exponent(T a) {
  if (!(a >= 0)) return std::numeric_limits<T>::quiet_NaN();
  const T e = std::logb(a);
  return std::isfinite(e) && std::scalbn(a, -static_cast<int>(e)) >= T(1.5) ? e + 1 : e;
}

/// One instruction over T; operands and result as words.
template <class T> std::uint64_t step(const Instruction& i, std::uint64_t wa, std::uint64_t wb, std::uint64_t wc) {
  const T a = from_word<T>(wa), b = from_word<T>(wb), c = from_word<T>(wc);
  const auto unsigned_width = static_cast<int>(sizeof(T) * 8);
  const auto u = [](T x) { return to_word(x); };
  const auto t = [](std::uint64_t x) { return to_word(from_word<T>(x)); };  // the lower bits
  switch (i.op) {
    case ScalarOp::lt: return a < b;
    case ScalarOp::le: return a <= b;
    case ScalarOp::eq: return a == b;
    case ScalarOp::ne: return a != b;
    default: break;
  }
  if constexpr (std::is_floating_point_v<T>) {
    switch (i.op) {
      case ScalarOp::add: return u(a + b);
      case ScalarOp::sub: return u(a - b);
      case ScalarOp::mul: return u(a * b);
      case ScalarOp::div: return u(a / b);
      case ScalarOp::neg: return u(-a);
      case ScalarOp::abs: return u(std::fabs(a));
      case ScalarOp::fma: return u(std::fma(a, b, c));
      case ScalarOp::scalb: return u(std::isnan(b) ? b : std::scalbn(a, static_cast<int>(b)));
      case ScalarOp::exponent: return u(three_quarters_exponent(a));
      case ScalarOp::significand:
        return u(std::isfinite(a) && a > 0 ? std::scalbn(a, -static_cast<int>(three_quarters_exponent(a)))
                 : a >= 0                  ? T{1}
                                           : std::numeric_limits<T>::quiet_NaN());
      case ScalarOp::sqrt: return u(std::sqrt(a));
      case ScalarOp::floor: return u(std::floor(a));
      case ScalarOp::ceil: return u(std::ceil(a));
      case ScalarOp::trunc: return u(std::trunc(a));
      case ScalarOp::nearest: return u(std::nearbyint(a));
      default: break;
    }
  } else {
    switch (i.op) {
      case ScalarOp::add: return t(wa + wb);
      case ScalarOp::sub: return t(wa - wb);
      case ScalarOp::mul: return t(wa * wb);
      case ScalarOp::div:
        if constexpr (!std::is_same_v<T, bool>)
          return b == 0 ? 0 : std::is_signed_v<T> && b == T(-1) ? t(0 - wa) : u(static_cast<T>(a / b));
        break;
      case ScalarOp::neg: return t(0 - wa);
      case ScalarOp::abs: return std::is_signed_v<T> && a < T{} ? t(0 - wa) : wa;
      case ScalarOp::bit_and: return wa & wb;
      case ScalarOp::bit_or: return wa | wb;
      case ScalarOp::bit_xor: return wa ^ wb;
      case ScalarOp::bit_not: return std::is_same_v<T, bool> ? !wa : t(~wa);
      case ScalarOp::shl: return t(wa << i.imm);
      case ScalarOp::shr: return t(wa) >> i.imm;
      case ScalarOp::sar:
        return u(static_cast<T>(a >> std::min<std::uint64_t>(i.imm, static_cast<std::uint64_t>(unsigned_width - 1))));
      default: break;
    }
  }
  FAIL("the evaluator does not know " << name_of(i.op) << " of " << name_of(i.type));
  return 0;
}

std::uint64_t evaluate(const Formula& f, const std::vector<std::uint64_t>& in) {
  std::vector<std::uint64_t> v;
  for (const Instruction& i : f.code) {
    const std::uint64_t a = v.empty() ? 0 : v[i.a], b = v.empty() ? 0 : v[i.b], c = v.empty() ? 0 : v[i.c];
    if (i.op == ScalarOp::input)
      v.push_back(in[i.imm]);
    else if (i.op == ScalarOp::constant)
      v.push_back(i.imm);
    else if (i.op == ScalarOp::select)
      v.push_back(a ? b : c);
    else if (i.op == ScalarOp::bitcast)
      v.push_back(a);
    else if (i.op == ScalarOp::convert) {
      const DType from = result_type(f.code[i.a]);
      v.push_back(visit_dtype(from, [&](auto x) {
        return visit_dtype(
            i.type, [&](auto y) { return to_word(detail::convert_element<decltype(y)>(from_word<decltype(x)>(a))); });
      }));
    } else {
      v.push_back(visit_dtype(i.type, [&](auto zero) -> std::uint64_t {
        using T = decltype(zero);
        if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>)
          return 0;  // no compute types
        else
          return step<T>(i, a, b, c);
      }));
    }
  }
  return v[f.result];
}

// Inputs of the op's domain, and the values at which formulas branch.
template <class Struct> OpSample rich_sample(DType t, Random& random, std::int64_t n) {
  OpSample s = Sampler<Struct>::sample({n}, t, random);
  if (!is_floating(t)) return s;
  const double edges[] = {0.0,    -0.0, INFINITY, -INFINITY, NAN,  1,    -1,  0.5,  2,   1e-40, -1e-40,
                          1e-310, 88.8, -104,     710,       -746, 1e30, 0.3, 1e-5, 2.5, 3.5};
  std::int64_t i = 0;
  for (Tensor& x : s.in) {
    if (x.dtype() != t) continue;
    const auto values = x.to_vector<double>();
    const std::int64_t shift = i++;
    x = filled({n}, t, [&](std::int64_t k) {
      return k % 3 == 0   ? edges[(k / 3 + shift * (k / 63)) % 21]
             : k % 3 == 1 ? random.uniform(-100, 100)
                          : values[static_cast<std::size_t>(k)];
    });
  }
  return s;
}

Tensor by_loop(const Op& op, ElementwiseLoop loop, const OpSample& s) {
  std::vector<const Type*> types;
  std::vector<const void*> in;
  for (const Tensor& t : s.in) types.push_back(&t.type()), in.push_back(t.view().data);
  Type type;
  op.infer(s.attrs, types, std::span(&type, 1));
  const Tensor out = Tensor::allocate(type);
  const Tensor past = Tensor::allocate(type);
  loop(in.data(), out.view().data, out.size(), false);
  loop(in.data(), past.view().data, out.size(), true);
  _mm_sfence();
  CHECK_SAME(past, out);
  return out;
}

// With some of its operands known a formula gives what it gives of them all, and reads the others only. A NaN is one.
void check_folded(const Formula& f, const std::vector<std::uint64_t>& in, std::uint64_t result) {
  const DType type = result_type(f.code[f.result]);
  const auto is_nan = [&](std::uint64_t w) {
    return is_floating(type) && (type == f32 ? std::isnan(from_word<float>(w)) : std::isnan(from_word<double>(w)));
  };
  for (std::size_t known = 1; known < std::size_t{1} << in.size(); ++known) {
    std::vector<KnownOperand> operands;
    std::vector<std::uint64_t> others = in;
    for (std::size_t k = 0; k < in.size(); ++k)
      if (known >> k & 1) operands.push_back({k, in[k]}), others[k] = ~in[k];
    const Formula g = folded(f, operands);
    const std::uint64_t r = evaluate(g, others);
    if (!(is_nan(r) && is_nan(result))) CHECK(r == result);
    CHECK(g.code.size() <= f.code.size());
    if (operands.size() == in.size()) CHECK(g.code.size() == 1);
  }
}

Tensor by_formula(const Op& op, const OpSample& s) {
  std::vector<const Type*> types;
  std::vector<std::vector<std::uint64_t>> words;
  for (const Tensor& t : s.in) {
    types.push_back(&t.type());
    words.emplace_back();
    for (std::int64_t i = 0; i < t.size(); ++i) {
      const auto size = size_of(t.dtype());
      words.back().push_back(0);
      std::memcpy(&words.back().back(), t.view().as<std::byte>() + static_cast<std::size_t>(i) * size, size);
    }
  }
  Type type;
  op.infer(s.attrs, types, std::span(&type, 1));
  const Formula f = op.formula(s.attrs, types);
  const Tensor out = Tensor::allocate(type);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    std::vector<std::uint64_t> in;
    for (const auto& w : words) in.push_back(w[static_cast<std::size_t>(i)]);
    const std::uint64_t r = evaluate(f, in);
    if (i % 7 == 0) check_folded(f, in, r);
    std::memcpy(out.view().as<std::byte>() + static_cast<std::size_t>(i) * size_of(type.dtype), &r,
                size_of(type.dtype));
  }
  return out;
}

// The index-th op of the table.
void check_loops(const Op& op, int index, DType t, const OpSample& s) {
  INFO(op.name << " of " << name_of(t));
  const auto k = static_cast<int>(t);
  const Tensor base = by_loop(op, native_loops_base(index)->by_type[k], s);
  CHECK_SAME(by_formula(op, s), base);
  if (isa() >= Isa::avx2) CHECK_SAME(by_loop(op, native_loops_avx2(index)->by_type[k], s), base);
  if (isa() >= Isa::avx512) CHECK_SAME(by_loop(op, native_loops_avx512(index)->by_type[k], s), base);
  CHECK_SAME(apply(op, {}, s.in), base);
}

}  // namespace

TEST_CASE("formulas and the loops of every instruction set give the same bits", "[once]") {
  Random random;
  int index = -1;
  each_op([&]<class Struct>() {
    ++index;
    if constexpr (is_plain_elementwise<Struct>) {
      const Op& op = op_of<Struct>();
      for (DType t : all_dtypes) {
        if (!Sampler<Struct>::accepts(t) || compute_type(t) != t) continue;
        check_loops(op, index, t, rich_sample<Struct>(t, random, 1003));  // whole vectors and a ragged end
      }
    }
  });
}

TEST_CASE("a power that is known comes to a product") {
  const Type t{f32, {}};
  const Type* types[] = {&t, &t};
  const Formula f = op_of<Pow>().formula({}, std::span(types));
  const auto number = [](float y) { return KnownOperand{1, std::bit_cast<std::uint32_t>(y)}; };
  for (const float y : {1.f, 2.f, 3.f}) {
    const KnownOperand exponent = number(y);
    CHECK(folded(f, std::span(&exponent, 1)).code.size() <= 16);
  }
  const KnownOperand other = number(1.7f);
  CHECK(folded(f, std::span(&other, 1)).code.size() > 40);
}

TEST_CASE("2^n is multiplied in with one rounding, for every n, on every instruction set", "[once]") {
  int index = -1;
  each_op([&]<class Struct>() {
    ++index;
    if constexpr (std::is_same_v<Struct, Exp2>) {
      for (DType t : {f32, f64}) {
        const int least = t == f32 ? -160 : -1085, most = t == f32 ? 140 : 1040;
        constexpr double fractions[] = {0, 0.25, -0.3, 0.4999, -0.4999, 1e-3, 0.125};  // several with every exponent
        const Tensor x = filled({7 * (most - least)}, t,
                                [&](std::int64_t k) { return static_cast<double>(least + k / 7) + fractions[k % 7]; });
        check_loops(op_of<Exp2>(), index, t, {{}, {concat({x, cast(tensor<double>({INFINITY, -INFINITY, NAN}), t)})}});
      }
    }
  });
}

TEST_CASE("a loop writes its n elements and no more, for every n around a vector's length") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      const DType t = Sampler<Struct>::any_type;
      const OpSample s = Sampler<Struct>::sample({80}, t, random);
      const Tensor whole = run(op_of<Struct>(), s)[0];
      const std::size_t size = size_of(whole.dtype());
      for (std::int64_t n : {1, 3, 4, 7, 8, 15, 16, 17, 31, 63, 65}) {
        std::vector<const void*> in;
        for (const Tensor& x : s.in) in.push_back(x.view().data);
        std::vector<std::byte> out(80 * size, std::byte{0x5a});
        op_of<Struct>().loops()->by_type[static_cast<int>(t)](in.data(), out.data(), n, false);
        INFO(Struct::name << " of " << n);
        const auto end = static_cast<std::size_t>(n) * size;
        CHECK(std::memcmp(out.data(), whole.view().data, end) == 0);
        CHECK(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(end), out.end(),
                          [](std::byte b) { return b == std::byte{0x5a}; }));
      }
    }
  });
}

TEST_CASE("a formula prints as a listing and counts its operations") {
  const Type type{f32, {}};
  const std::vector<const Type*> in = {&type, &type};
  CHECK(op_of<Mul>().formula({}, in).text() == "%0 = input f32 0\n%1 = input f32 1\n%2 = mul f32 %0 %1  -> result\n");
  CHECK(op_of<Mul>().formula({}, in).flops() == 1);
  CHECK(op_of<Equal>().formula({}, in).flops() == 0);
}

TEST_CASE("cast's formula converts as the eager op does") {
  Random random;
  for (DType from : {f32, f64, i32, i64, u8, DType::boolean})
    for (DType to : {f32, f64, i32, i64, u8, DType::boolean}) {
      INFO(name_of(from) << " to " << name_of(to));
      OpSample s{CastAttrs{to}, {cast(random_tensor(random, {200}, f64, -300, 300), from)}};
      if (is_floating(from))
        s.in[0] = concat(
            {s.in[0], cast(tensor<double>({NAN, INFINITY, -INFINITY, 1e300, -1e300, 2147483648.0, -0.5, 0.5}), from)});
      CHECK_SAME(by_formula(op_of<Cast>(), s), run(op_of<Cast>(), s)[0]);
    }
}
