// Accumulators: their identity, their combination, the 16 partials of a row and the tree over them.
#include <cmath>

#include "emit.h"

namespace weft::jit {
namespace {

using llvm::Value;

bool keeps_nans_apart(Reduction op, DType t) {
  return is_floating(t) && (op == Reduction::max || op == Reduction::min);
}

// a > b ? a : b, or a < b ? a : b: b where one is a NaN.
Value* larger(Builder& b, Reduction op, DType t, Value* x, Value* y) {
  const bool max = op == Reduction::max;
  if (is_floating(t)) return b.CreateSelect(max ? b.CreateFCmpOGT(x, y) : b.CreateFCmpOLT(x, y), x, y);
  if (t == DType::u8) return b.CreateSelect(max ? b.CreateICmpUGT(x, y) : b.CreateICmpULT(x, y), x, y);
  return b.CreateSelect(max ? b.CreateICmpSGT(x, y) : b.CreateICmpSLT(x, y), x, y);
}

Value* if_nan(Builder& b, Value* x, Value* y) { return b.CreateSelect(b.CreateFCmpUNO(x, x), x, y); }

// The NaN that a comparison's mask is below AVX-512: choosing it is one bitwise or.
llvm::Constant* all_ones(Builder& b, llvm::Type* type) {
  const unsigned bits = type->getScalarSizeInBits();
  llvm::Constant* ones = llvm::Constant::getAllOnesValue(b.vector_type(b.getIntNTy(bits)));
  return llvm::ConstantExpr::getBitCast(ones, type);
}

llvm::Type* accumulator_type(Builder& b, DType t) { return t == DType::boolean ? b.getInt8Ty() : b.scalar_type(t); }

}  // namespace

Value* identity(Builder& b, Reduction op, DType t, bool full) {
  llvm::Type* type = accumulator_type(b, t);
  const unsigned width = type->getScalarSizeInBits();
  const bool max = op == Reduction::max;
  llvm::Constant* c;
  if (op == Reduction::sum || op == Reduction::any)
    c = llvm::Constant::getNullValue(type);
  else if (op == Reduction::prod)
    c = is_floating(t) ? llvm::ConstantFP::get(type, 1) : llvm::ConstantInt::get(type, 1);
  else if (op == Reduction::all)
    c = t == DType::boolean ? b.getInt8(1) : llvm::Constant::getAllOnesValue(type);
  else if (is_floating(t))
    c = llvm::ConstantFP::getInfinity(type, max);
  else if (t == DType::u8)
    c = b.getInt8(max ? 0 : 255);
  else
    c = b.getInt(max ? llvm::APInt::getSignedMinValue(width) : llvm::APInt::getSignedMaxValue(width));
  return full ? llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(lanes), c) : c;
}

Value* combine(Builder& b, Reduction op, DType t, Value* left, Value* right) {
  const bool fp = is_floating(t);
  switch (op) {
    case Reduction::sum: return fp ? b.CreateFAdd(left, right) : b.CreateAdd(left, right);
    case Reduction::prod: return fp ? b.CreateFMul(left, right) : b.CreateMul(left, right);
    case Reduction::max:
    case Reduction::min: {
      Value* chosen = larger(b, op, t, left, right);
      return fp ? if_nan(b, left, chosen) : chosen;
    }
    case Reduction::any: return b.CreateOr(left, right);
    case Reduction::all: return b.CreateAnd(left, right);
  }
  return nullptr;
}

Partials initial_partials(Builder& b, Reduction op, DType t) {
  Partials p{identity(b, op, t, true), nullptr};
  if (keeps_nans_apart(op, t)) p.nan = llvm::Constant::getNullValue(p.value->getType());
  return p;
}

Value* to_accumulator(Builder& b, DType t, Value* value) {
  return t == DType::boolean ? b.CreateZExt(value, b.vector_type(b.getInt8Ty())) : value;
}

Value* from_accumulator(Builder& b, DType t, Value* total) {
  return t == DType::boolean ? b.CreateTrunc(total, b.like(b.getInt1Ty(), total)) : total;
}

Partials accumulate(Builder& b, Reduction op, DType t, Partials p, llvm::ArrayRef<Value*> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Value* value = to_accumulator(b, t, values[i]);
    // Of a NaN and what comes after it, x86's instruction takes the latter: p.nan remembers it. Two are looked at at
    // once.
    p.value = p.nan ? larger(b, op, t, p.value, value) : combine(b, op, t, p.value, value);
    if (!p.nan || (i % 2 == 0 && i + 1 < values.size())) continue;
    Value* nan = b.CreateFCmpUNO(values[i - i % 2], values[i]);
    p.nan = b.CreateSelect(nan, all_ones(b, p.nan->getType()), p.nan);
  }
  return p;
}

Partials accumulate_where(Builder& b, Reduction op, DType t, Partials p, Value* mask, Value* value) {
  const Partials next = accumulate(b, op, t, p, value);
  p.value = b.CreateSelect(mask, next.value, p.value);
  if (p.nan) p.nan = b.CreateSelect(mask, next.nan, p.nan);
  return p;
}

Value* tree(Builder& b, Reduction op, DType t, Partials p) {
  Value* v = p.value;
  for (unsigned n = lanes / 2; n >= 1; n /= 2) {
    Value *low = b.lanes_of(v, 0, n), *high = b.lanes_of(v, n, n);
    v = p.nan ? larger(b, op, t, low, high) : combine(b, op, t, low, high);
  }
  v = b.CreateExtractElement(v, std::uint64_t{0});
  if (!p.nan) return v;
  Value* nans = b.CreateBitCast(b.CreateFCmpUNO(p.nan, p.nan), b.getIntNTy(lanes));
  return b.CreateSelect(b.CreateIsNotNull(nans), llvm::ConstantFP::getNaN(v->getType()), v);
}

}  // namespace weft::jit
