// What every elementwise op struct inherits: type rule, formula, loops. A struct adds its name, `eval` over a domain V,
// its gradient rule and where it may be sampled.
#pragma once

#include <utility>

#include "../backward.h"
#include "../math.h"
#include "../recorded.h"
#include "../scalar_math.h"

namespace weft {

/// The element types that an elementwise op has a meaning for.
enum class Accepts : std::uint8_t { floats, integers, numbers, booleans };

/// Where tests may sample an input, so that the result is finite and smooth.
struct Interval {
  double low = -3, high = 3;
};

namespace detail {
void infer_elementwise(Accepts accepts, bool boolean_result, bool condition, Types in, Type& out);

template <class Struct, class V> inline constexpr int arity_of = requires(V v) { Struct::eval(v); }
? 1 : requires(V v) { Struct::eval(v, v); }
? 2 : 3;
/// True for `where`: its first operand is a mask.
template <class Struct> inline constexpr bool has_condition = requires { Struct::condition; };
}  // namespace detail

template <class Struct> struct Elementwise {
  static constexpr OpKind kind = OpKind::elementwise;
  static constexpr Accepts accepts = Accepts::floats;
  static constexpr std::uint32_t reads = reads::nothing;
  static constexpr bool differentiable = true;
  static constexpr bool boolean_result = false;
  static constexpr Interval domain{};
  static constexpr Interval domain1 = domain;

  static void infer(const Attrs&, Types in, std::span<Type> out) {
    detail::infer_elementwise(Struct::accepts, Struct::boolean_result, detail::has_condition<Struct>, in, out[0]);
  }

  static Formula formula(const Attrs&, Types in) {
    detail::FormulaWriter writer;
    auto* const outer = std::exchange(detail::FormulaWriter::current(), &writer);
    visit_dtype(compute_type(in.back()->dtype), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (Struct::accepts == Accepts::booleans) {
        if constexpr (std::is_same_v<T, bool>) write<RecordedMask<std::uint8_t>>(writer, DType::boolean);
      } else if constexpr (!std::is_same_v<T, bool> && !std::is_same_v<T, bfloat16> && !std::is_same_v<T, float16> &&
                           (Struct::accepts == Accepts::numbers ||
                            std::is_floating_point_v<T> == (Struct::accepts == Accepts::floats))) {
        write<Recorded<T>>(writer, dtype_of<T>);
      }
    });
    detail::FormulaWriter::current() = outer;
    return std::move(writer.formula);
  }

 private:
  template <class V> static void write(detail::FormulaWriter& writer, DType type) {
    const auto input = [&](unsigned i, DType t) { return writer.put(ScalarOp::input, t, 0, 0, 0, i); };
    const auto value = [&](std::uint16_t id) {
      if constexpr (requires { V::at(id); })
        return V::at(id);
      else
        return V{id};
    };
    if constexpr (detail::has_condition<Struct>) {
      const Mask<V> m{input(0, DType::boolean)};
      const V a = value(input(1, type)), b = value(input(2, type));
      writer.formula.result = Struct::eval(m, a, b).id;
    } else if constexpr (detail::arity_of<Struct, V> == 1) {
      writer.formula.result = Struct::eval(value(input(0, type))).id;
    } else {
      const V a = value(input(0, type)), b = value(input(1, type));
      writer.formula.result = Struct::eval(a, b).id;
    }
  }
};

}  // namespace weft

/// Before every `eval`: inlined into loops compiled for one ISA, so that no shared copy of it exists.
#define WEFT_EVAL template <class V> [[gnu::always_inline]] static inline auto eval
