// The one switch from scalar operations to LLVM.
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/ValueSymbolTable.h>

#include <limits>

#include "emit.h"

namespace weft::jit {
namespace {

using llvm::Value;

Value* integer(Value* shape, std::int64_t c) {
  return llvm::ConstantInt::get(shape->getType(), static_cast<std::uint64_t>(c), true);
}

// x86 has no vector division of integers. Through the next wider float it is exact after truncation: the quotient of
// two n-bit integers is an integer or at least 2^-n away from one.
Value* divide_by_float(Builder& b, DType t, Value* x, Value* y) {
  llvm::Type* wide = b.like(t == DType::u8 ? b.getFloatTy() : b.getDoubleTy(), x);
  if (t == DType::u8)
    return b.CreateFPToUI(b.CreateFDiv(b.CreateUIToFP(x, wide), b.CreateUIToFP(y, wide)), x->getType());
  return b.CreateFPToSI(b.CreateFDiv(b.CreateSIToFP(x, wide), b.CreateSIToFP(y, wide)), x->getType());
}

Value* divide_integers(Builder& b, DType t, Value* x, Value* y) {
  Value* zero = b.CreateICmpEQ(y, integer(y, 0));
  if (t == DType::u8) {
    Value* quotient = divide_by_float(b, t, x, b.CreateSelect(zero, integer(y, 1), y));
    return b.CreateSelect(zero, integer(y, 0), quotient);
  }
  Value* minus_one = b.CreateICmpEQ(y, integer(y, -1));
  Value* safe = b.CreateSelect(b.CreateOr(zero, minus_one), integer(y, 1), y);
  Value* quotient = t == DType::i64 ? b.CreateSDiv(x, safe) : divide_by_float(b, t, x, safe);
  return b.CreateSelect(zero, integer(y, 0), b.CreateSelect(minus_one, b.CreateNeg(x), quotient));
}

Value* arithmetic(Builder& b, const Instruction& i, Value* x, Value* y) {
  const bool fp = is_floating(i.type);
  switch (i.op) {
    case ScalarOp::add: return fp ? b.CreateFAdd(x, y) : b.CreateAdd(x, y);
    case ScalarOp::sub: return fp ? b.CreateFSub(x, y) : b.CreateSub(x, y);
    case ScalarOp::mul: return fp ? b.CreateFMul(x, y) : b.CreateMul(x, y);
    default: return fp ? b.CreateFDiv(x, y) : divide_integers(b, i.type, x, y);
  }
}

Value* compare(Builder& b, ScalarOp op, DType source, Value* x, Value* y) {
  const bool fp = is_floating(source), is_unsigned = source == DType::u8 || source == DType::boolean;
  switch (op) {
    case ScalarOp::lt: return fp ? b.CreateFCmpOLT(x, y) : is_unsigned ? b.CreateICmpULT(x, y) : b.CreateICmpSLT(x, y);
    case ScalarOp::le: return fp ? b.CreateFCmpOLE(x, y) : is_unsigned ? b.CreateICmpULE(x, y) : b.CreateICmpSLE(x, y);
    case ScalarOp::eq: return fp ? b.CreateFCmpOEQ(x, y) : b.CreateICmpEQ(x, y);
    default: return fp ? b.CreateFCmpUNE(x, y) : b.CreateICmpNE(x, y);
  }
}

// llvm.fptosi.sat would say the same, but on x86 it is taken apart lane by lane. A conversion out of range is poison in
// LLVM, which a select that does not choose it stops.
Value* float_to_integer(Builder& b, DType to, Value* x) {
  const auto constant = [&](double c) { return llvm::ConstantFP::get(x->getType(), c); };
  const auto clamp_below = [&](double low) {
    return b.CreateSelect(b.CreateFCmpOGT(x, constant(low)), x, constant(low));
  };
  if (to == DType::u8) {  // a NaN clamps to 0
    Value* y = clamp_below(0);
    y = b.CreateSelect(b.CreateFCmpOLT(y, constant(255)), y, constant(255));
    return b.CreateTrunc(b.CreateFPToSI(y, b.like(b.getInt32Ty(), x)), b.like(b.getInt8Ty(), x));
  }
  const double beyond = to == DType::i32 ? 0x1p31 : 0x1p63;
  llvm::Type* type = b.like(b.scalar_type(to), x);
  Value* largest = llvm::ConstantInt::get(type, llvm::APInt::getSignedMaxValue(type->getScalarSizeInBits()));
  Value* y = b.CreateFPToSI(clamp_below(-beyond), type);
  y = b.CreateSelect(b.CreateFCmpOGE(x, constant(beyond)), largest, y);
  return b.CreateSelect(b.CreateFCmpUNO(x, x), llvm::Constant::getNullValue(type), y);
}

Value* convert(Builder& b, DType to, DType from, Value* x) {
  llvm::Type* type = b.like(b.scalar_type(to), x);
  if (compute_type(to) != to) return decode(b, to, encode(b, to, x));  // from f32
  if (to == from) return x;
  if (to == DType::boolean) return compare(b, ScalarOp::ne, from, x, llvm::Constant::getNullValue(x->getType()));
  const bool is_unsigned = from == DType::u8 || from == DType::boolean;
  if (is_floating(from)) return is_floating(to) ? b.CreateFPCast(x, type) : float_to_integer(b, to, x);
  if (is_floating(to)) return is_unsigned ? b.CreateUIToFP(x, type) : b.CreateSIToFP(x, type);
  return b.CreateIntCast(x, type, !is_unsigned);
}

Value* absolute(Builder& b, DType t, Value* x) {
  if (is_floating(t)) return b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  return t == DType::u8 ? x : b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, x, b.getFalse());
}

// A stack variable of the function's, one for each name.
Value* variable(Builder& b, const char* name, llvm::Type* type) {
  llvm::Function* function = b.GetInsertBlock()->getParent();
  if (Value* known = function->getValueSymbolTable()->lookup(name)) return known;
  llvm::IRBuilder<> entry(&function->getEntryBlock(), function->getEntryBlock().begin());
  llvm::AllocaInst* made = entry.CreateAlloca(type, nullptr, name);
  made->setAlignment(llvm::Align(64));
  return made;
}

// Where there is no instruction, LLVM makes a vector's fma sixteen calls with all that goes around them: half a second
// of code generation for a page of formulas. This is one call.
Value* fma_by_library(Builder& b, Value* x, Value* y, Value* z) {
  const bool single = x->getType()->getScalarType()->isFloatTy();
  const char* const names[2][3] = {{"fma.x64", "fma.y64", "fma.z64"}, {"fma.x32", "fma.y32", "fma.z32"}};
  Value *operands[] = {x, y, z}, *at[3];
  for (int k = 0; k < 3; ++k) {
    at[k] = variable(b, names[single][k], x->getType());
    b.CreateStore(operands[k], at[k]);
  }
  auto* type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getPtrTy(), b.getPtrTy()}, false);
  llvm::Module* module = b.GetInsertBlock()->getModule();
  b.CreateCall(module->getOrInsertFunction(single ? "weft_fma_f32" : "weft_fma_f64", type), at);
  return b.CreateLoad(x->getType(), at[0]);
}

Value* fma(Builder& b, Value* x, Value* y, Value* z) {
  if (b.isa == Isa::base && x->getType()->isVectorTy()) return fma_by_library(b, x, y, z);
  return b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, z});
}

// An instruction of AVX-512 on a vector of f32, or on each half of one of f64: its operands, then what it shall leave
// where a mask is off, a mask, and the rounding.
Value* by_instruction(Builder& b, llvm::Intrinsic::ID f32, llvm::Intrinsic::ID f64, llvm::ArrayRef<Value*> vectors,
                      Value* immediate = nullptr) {
  const bool single = vectors.front()->getType()->getScalarType()->isFloatTy();
  const auto call = [&](llvm::SmallVector<Value*, 6> operands) {
    Value* nothing = llvm::Constant::getNullValue(operands.front()->getType());
    if (immediate) operands.push_back(immediate);
    Value* mask = single ? b.getInt16(0xffff) : b.getInt8(0xff);
    operands.append({nothing, mask, b.getInt32(4)});  // 4: as MXCSR has it, to nearest
    return b.CreateIntrinsic(single ? f32 : f64, {}, operands);
  };
  if (single) return call({vectors.begin(), vectors.end()});
  constexpr unsigned half = lanes / 2;
  const auto of = [&](unsigned begin) {
    llvm::SmallVector<Value*, 6> halves;
    for (Value* v : vectors) halves.push_back(b.lanes_of(v, begin, half));
    return call(halves);
  };
  Value *low = of(0), *high = of(half);
  llvm::SmallVector<int, lanes> both(lanes);
  for (unsigned k = 0; k < lanes; ++k) both[k] = static_cast<int>(k);
  return b.CreateShuffleVector(low, high, both);
}

// As kernels/native.h has it.
Value* scalb(Builder& b, DType t, Value* x, Value* n) {
  if (b.isa == Isa::avx512 && x->getType()->isVectorTy())
    return by_instruction(b, llvm::Intrinsic::x86_avx512_mask_scalef_ps_512,
                          llvm::Intrinsic::x86_avx512_mask_scalef_pd_512, {x, n});
  const bool single = t == DType::f32;
  const double rounder = single ? 0x1.8p23 + 254 : 0x1.8p52 + 2046;
  llvm::Type* integers = b.like(single ? b.getInt32Ty() : b.getInt64Ty(), x);
  Value* exponents = b.CreateBitCast(b.CreateFAdd(n, llvm::ConstantFP::get(x->getType(), rounder)), integers);
  Value* mantissa = integer(exponents, single ? 23 : 52);
  Value* first = b.CreateShl(b.CreateLShr(exponents, integer(exponents, 1)), mantissa);
  Value* second = b.CreateSub(b.CreateShl(exponents, mantissa), first);
  return b.CreateFMul(b.CreateFMul(x, b.CreateBitCast(first, x->getType())), b.CreateBitCast(second, x->getType()));
}

// Both as kernels/native.h has them.
class Parts {
 public:
  Parts(Builder& builder, DType t, Value* x)
      : b_(builder),
        x_(x),
        single_(t == DType::f32),
        by_instruction_(b_.isa == Isa::avx512 && x->getType()->isVectorTy()) {
    if (by_instruction_) return;
    llvm::Type* integers = b_.like(single_ ? b_.getInt32Ty() : b_.getInt64Ty(), x);
    subnormal_ = b_.CreateFCmpOLT(x, number(single_ ? 0x1p-126 : 0x1p-1022));
    Value* scaled = b_.CreateSelect(subnormal_, b_.CreateFMul(x, number(single_ ? 0x1p23 : 0x1p52)), x);
    Value* bits = b_.CreateBitCast(scaled, integers);
    three_quarters_ = integer(bits, single_ ? 0x3f400000 : std::int64_t{0x7fd} << 51);
    above_ = b_.CreateSub(bits, three_quarters_);
    inside_ = b_.CreateAnd(b_.CreateFCmpOGT(x, number(0)), b_.CreateFCmpOLT(x, number(infinity)));
  }
  Value* significand() {
    if (by_instruction_) {
      Value* from_three_quarters_positive = b_.getInt32(3 | 3 << 2);
      return by_instruction(b_, llvm::Intrinsic::x86_avx512_mask_getmant_ps_512,
                            llvm::Intrinsic::x86_avx512_mask_getmant_pd_512, {x_}, from_three_quarters_positive);
    }
    Value* below = integer(above_, (std::int64_t{1} << mantissa()) - 1);
    Value* m = b_.CreateBitCast(b_.CreateAdd(b_.CreateAnd(above_, below), three_quarters_), x_->getType());
    Value* ends = b_.CreateSelect(b_.CreateFCmpOGE(x_, number(0)), number(1), number(not_a_number));
    return b_.CreateSelect(inside_, m, ends);
  }
  Value* exponent() {
    if (by_instruction_) {
      const auto of = [&](Value* v) {
        return by_instruction(b_, llvm::Intrinsic::x86_avx512_mask_getexp_ps_512,
                              llvm::Intrinsic::x86_avx512_mask_getexp_pd_512, {v});
      };
      return b_.CreateFSub(of(x_), of(significand()));
    }
    Value* i = b_.CreateAShr(above_, integer(above_, mantissa()));
    Value* e = nullptr;
    if (single_)
      e = b_.CreateSIToFP(i, x_->getType());
    else
      e = b_.CreateFSub(b_.CreateBitCast(b_.CreateAdd(i, integer(i, std::int64_t{0x867} << 51)), x_->getType()),
                        number(0x1.8p52));
    e = b_.CreateSelect(subnormal_, b_.CreateFSub(e, number(mantissa())), e);
    Value* ends = b_.CreateSelect(b_.CreateFCmpOEQ(x_, number(infinity)), x_, number(not_a_number));
    ends = b_.CreateSelect(b_.CreateFCmpOEQ(x_, number(0)), number(-infinity), ends);
    return b_.CreateSelect(inside_, e, ends);
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity(),
                          not_a_number = std::numeric_limits<double>::quiet_NaN();
  Value* number(double c) { return llvm::ConstantFP::get(x_->getType(), c); }
  int mantissa() const { return single_ ? 23 : 52; }

  Builder& b_;
  Value* x_;
  bool single_, by_instruction_;
  Value *subnormal_ = nullptr, *three_quarters_ = nullptr, *above_ = nullptr, *inside_ = nullptr;
};

}  // namespace

Value* Builder::lanes_of(Value* vector, unsigned begin, unsigned n) {
  llvm::SmallVector<int, lanes> index(n);
  for (unsigned k = 0; k < n; ++k) index[k] = static_cast<int>(begin + k);
  return CreateShuffleVector(vector, index);
}

llvm::Type* Builder::scalar_type(DType t) {
  switch (compute_type(t)) {
    case DType::f32: return getFloatTy();
    case DType::f64: return getDoubleTy();
    case DType::i32: return getInt32Ty();
    case DType::i64: return getInt64Ty();
    case DType::u8: return getInt8Ty();
    default: return getInt1Ty();
  }
}

Value* emit_constant(Builder& b, DType t, std::uint64_t bits, bool full) {
  llvm::Type* type = b.scalar_type(t);
  const unsigned width = type->getScalarSizeInBits();
  llvm::Constant* c = llvm::ConstantInt::get(b.getIntNTy(width), width == 64 ? bits : bits & ((1ull << width) - 1));
  if (is_floating(t)) c = llvm::ConstantExpr::getBitCast(c, type);
  return full ? llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(lanes), c) : c;
}

Value* emit_scalar(Builder& b, const Instruction& i, DType source, Value* x, Value* y, Value* z) {
  switch (i.op) {
    case ScalarOp::add:
    case ScalarOp::sub:
    case ScalarOp::mul:
    case ScalarOp::div: return arithmetic(b, i, x, y);
    case ScalarOp::neg: return is_floating(i.type) ? b.CreateFNeg(x) : b.CreateNeg(x);
    case ScalarOp::abs: return absolute(b, i.type, x);
    case ScalarOp::fma: return fma(b, x, y, z);
    case ScalarOp::scalb: return scalb(b, i.type, x, y);
    case ScalarOp::exponent: return Parts(b, i.type, x).exponent();
    case ScalarOp::significand: return Parts(b, i.type, x).significand();
    case ScalarOp::sqrt: return b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
    case ScalarOp::floor: return b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, x);
    case ScalarOp::ceil: return b.CreateUnaryIntrinsic(llvm::Intrinsic::ceil, x);
    case ScalarOp::trunc: return b.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, x);
    case ScalarOp::nearest: return b.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, x);
    case ScalarOp::lt:
    case ScalarOp::le:
    case ScalarOp::eq:
    case ScalarOp::ne: return compare(b, i.op, source, x, y);
    case ScalarOp::bit_and: return b.CreateAnd(x, y);
    case ScalarOp::bit_or: return b.CreateOr(x, y);
    case ScalarOp::bit_xor: return b.CreateXor(x, y);
    case ScalarOp::bit_not: return b.CreateNot(x);
    case ScalarOp::shl: return b.CreateShl(x, integer(x, static_cast<std::int64_t>(i.imm)));
    case ScalarOp::shr: return b.CreateLShr(x, integer(x, static_cast<std::int64_t>(i.imm)));
    case ScalarOp::sar: return b.CreateAShr(x, integer(x, static_cast<std::int64_t>(i.imm)));
    case ScalarOp::select: return b.CreateSelect(x, y, z);
    case ScalarOp::bitcast: return b.CreateBitCast(x, b.like(b.scalar_type(i.type), x));
    case ScalarOp::convert: return convert(b, i.type, source, x);
    case ScalarOp::input:
    case ScalarOp::constant: break;
  }
  return nullptr;
}

}  // namespace weft::jit
