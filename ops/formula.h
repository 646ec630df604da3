// A Formula is what an elementwise op computes, as data: a short list of instructions over some 30 scalar operations.
// The tile interpreter, the LLVM lowering, the cache key, flop counts and the docs all read it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../tensor/dtype.h"

namespace weft {

/// The scalar operations. Types: T is the instruction's own type, M a mask (DType::boolean), I the signed integer as
/// wide as T. All arithmetic is IEEE, round to nearest even; nothing is contracted or reassociated.
enum class ScalarOp : std::uint8_t {
  input,     // the imm-th operand of the formula, of type T
  constant,  // imm holds the bits of a T
  add,
  sub,
  mul,
  div,  // T x T -> T; integers wrap, div of integers truncates (x / 0 = 0, min / -1 = min)
  neg,
  abs,    // T -> T; integers wrap
  fma,    // a * b + c, rounded once; floats
  scalb,  // a 2^b, rounded once; floats. a: 0, inf, or 2^-50 <= |a| <= 2; b: an integer, |b| <= 250 (f64: 2000); or NaN
          // both. So it is two multiplications where there is no instruction. Of other operands: any number
  exponent,
  significand,  // floats: a = significand 2^exponent for a > 0, 3/4 <= significand < 3/2, the exponent an integer as
                // a T. Of 0 -inf and 1, of inf inf and 1; else NaN both. A logarithm needs no more special cases
  sqrt,
  floor,
  ceil,
  trunc,
  nearest,  // floats; nearest = round half to even
  lt,
  le,
  eq,
  ne,  // a ? b of type T (the operands' type) -> M; eq, ne also on masks; NaN: only ne holds
  bit_and,
  bit_or,
  bit_xor,  // on integers or masks
  bit_not,
  shl,
  shr,
  sar,      // integers, by the constant imm; shr is logical, sar arithmetic
  select,   // a (M) ? b : c
  bitcast,  // between T and the type as wide: type is the result's
  convert,  // a's type -> T as C does; float -> integer truncates and saturates, NaN -> 0; to boolean: a != 0
};

/// Name of an operation: "fma".
std::string_view name_of(ScalarOp op);
/// How many operands an operation takes: 0 to 3.
int arity(ScalarOp op);

/// One instruction; a, b, c are the indices of earlier instructions of the same formula.
struct Instruction {
  ScalarOp op;
  DType type;  // of the result (comparisons: of the operands; their result is a mask)
  std::uint16_t a = 0, b = 0, c = 0;
  std::uint64_t imm = 0;  // constant: its bits, zero-extended; input: its number; shifts: the distance

  bool operator==(const Instruction&) const = default;
};

/// The type that an instruction's result has.
constexpr DType result_type(const Instruction& i) {
  return i.op >= ScalarOp::lt && i.op <= ScalarOp::ne ? DType::boolean : i.type;
}

/// Instructions in order; the result is `result`. Types are compute types: f32, f64, i32, i64, u8, boolean.
struct Formula {
  std::vector<Instruction> code;
  std::uint16_t result = 0;

  bool operator==(const Formula&) const = default;
  /// A listing, one instruction a line: "%2 = fma f32 %0 %1 %1".
  std::string text() const;
  /// Floating-point operations of one evaluation (an fma counts two, div and sqrt one).
  int flops() const;
};

}  // namespace weft
