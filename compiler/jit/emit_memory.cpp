// Elements as stored: conversions to and from the compute types, and every way of loading and storing sixteen of them.
#include <llvm/IR/IntrinsicsX86.h>

#include <bit>

#include "emit.h"

namespace weft::jit {
namespace {

using llvm::Align;
using llvm::Value;

Value* number(Builder& b, Value* shape, std::uint32_t c) {
  return llvm::ConstantInt::get(b.like(b.getInt32Ty(), shape), c);
}

Value* f32_to_bf16(Builder& b, Value* x) {
  llvm::Type* i32 = b.like(b.getInt32Ty(), x);
  Value* u = b.CreateBitCast(x, i32);
  Value* high = b.CreateLShr(u, number(b, x, 16));
  Value* round = b.CreateAdd(b.CreateAnd(high, number(b, x, 1)), number(b, x, 0x7fff));
  Value* rounded = b.CreateLShr(b.CreateAdd(u, round), number(b, x, 16));
  Value* quiet = b.CreateOr(high, number(b, x, 0x40));
  return b.CreateTrunc(b.CreateSelect(b.CreateFCmpUNO(x, x), quiet, rounded), b.like(b.getInt16Ty(), x));
}

// Without F16C, in integers. float16's rounding for values below 2^-14 is one addition: 0.5 + |x| has the last bit of
// an f16 subnormal as its own, and rounds the same way.
Value* f32_to_f16_by_integers(Builder& b, Value* x) {
  llvm::Type *i32 = b.like(b.getInt32Ty(), x), *f32 = x->getType();
  Value* u = b.CreateBitCast(x, i32);
  Value* sign = b.CreateAnd(b.CreateLShr(u, number(b, x, 16)), number(b, x, 0x8000));
  Value* a = b.CreateAnd(u, number(b, x, 0x7fffffff));
  Value* odd = b.CreateAnd(b.CreateLShr(a, number(b, x, 13)), number(b, x, 1));
  Value* shifted = b.CreateAdd(b.CreateSub(a, number(b, x, 112u << 23)), b.CreateAdd(odd, number(b, x, 0xfff)));
  Value* normal = b.CreateLShr(shifted, number(b, x, 13));
  Value* sum = b.CreateFAdd(b.CreateBitCast(a, f32), llvm::ConstantFP::get(f32, 0.5));
  Value* tiny = b.CreateSub(b.CreateBitCast(sum, i32), number(b, x, 126u << 23));
  Value* r = b.CreateSelect(b.CreateICmpUGE(a, number(b, x, 0x38800000)), normal, tiny);
  r = b.CreateSelect(b.CreateICmpUGE(a, number(b, x, 0x477ff000)), number(b, x, 0x7c00), r);
  r = b.CreateSelect(b.CreateICmpUGT(a, number(b, x, 0x7f800000)), number(b, x, 0x7e00), r);
  return b.CreateTrunc(b.CreateOr(sign, r), b.like(b.getInt16Ty(), x));
}

Value* f16_to_f32_by_integers(Builder& b, Value* h) {
  llvm::Type *i32 = b.like(b.getInt32Ty(), h), *f32 = b.like(b.getFloatTy(), h);
  Value* u = b.CreateZExt(h, i32);
  Value* sign = b.CreateShl(b.CreateAnd(u, number(b, h, 0x8000)), number(b, h, 16));
  Value* rest = b.CreateAnd(u, number(b, h, 0x7fff));
  Value* bits = b.CreateShl(rest, number(b, h, 13));
  Value* normal = b.CreateAdd(bits, number(b, h, 112u << 23));
  Value* special = b.CreateOr(bits, number(b, h, 0x7f800000));
  Value* tiny = b.CreateBitCast(b.CreateFMul(b.CreateSIToFP(rest, f32), llvm::ConstantFP::get(f32, 0x1p-24)), i32);
  Value* r = b.CreateSelect(b.CreateICmpUGE(rest, number(b, h, 0x400)), normal, tiny);
  r = b.CreateSelect(b.CreateICmpUGE(rest, number(b, h, 0x7c00)), special, r);
  return b.CreateBitCast(b.CreateOr(sign, r), f32);
}

// F16C rounds as float16 does and keeps subnormals whatever MXCSR says; only a NaN's payload may differ. Of vectors by
// calls that LLVM does not look into: it would compare and choose halves, for which there are no instructions, one by
// one.
Value* f32_to_f16(Builder& b, Value* x) {
  if (b.isa == Isa::base) return f32_to_f16_by_integers(b, x);
  if (x->getType()->isVectorTy() && b.isa == Isa::avx512) {
    Value* none = llvm::Constant::getNullValue(b.vector_type(b.getInt16Ty()));
    return b.CreateIntrinsic(llvm::Intrinsic::x86_avx512_mask_vcvtps2ph_512, {},
                             {x, b.getInt32(0), none, b.getInt16(0xffff)});
  }
  if (x->getType()->isVectorTy()) {
    const auto half = [&](unsigned at) {
      return b.CreateIntrinsic(llvm::Intrinsic::x86_vcvtps2ph_256, {}, {b.lanes_of(x, at, 8), b.getInt32(0)});
    };
    llvm::SmallVector<int, lanes> all(lanes);
    for (unsigned k = 0; k < lanes; ++k) all[k] = static_cast<int>(k);
    return b.CreateShuffleVector(half(0), half(8), all);
  }
  return b.CreateBitCast(b.CreateFPTrunc(x, b.like(b.getHalfTy(), x)), b.like(b.getInt16Ty(), x));
}

Value* f16_to_f32(Builder& b, Value* h) {
  if (b.isa == Isa::base) return f16_to_f32_by_integers(b, h);
  if (h->getType()->isVectorTy() && b.isa == Isa::avx512) {
    Value* none = llvm::Constant::getNullValue(b.vector_type(b.getFloatTy()));
    constexpr unsigned current = 4;  // rounding: there is none
    return b.CreateIntrinsic(llvm::Intrinsic::x86_avx512_mask_vcvtph2ps_512, {},
                             {h, none, b.getInt16(0xffff), b.getInt32(current)});
  }
  if (h->getType()->isVectorTy())
    return b.CreateConstrainedFPCast(llvm::Intrinsic::experimental_constrained_fpext,
                                     b.CreateBitCast(h, b.like(b.getHalfTy(), h)), b.like(b.getFloatTy(), h), {}, "",
                                     nullptr, {}, llvm::fp::ebIgnore);
  return b.CreateFPExt(b.CreateBitCast(h, b.like(b.getHalfTy(), h)), b.like(b.getFloatTy(), h));
}

llvm::Constant* mask_of(Builder& b, unsigned n) {
  llvm::SmallVector<llvm::Constant*, lanes> bits(lanes);
  for (unsigned k = 0; k < lanes; ++k) bits[k] = b.getInt1(k < n);
  return llvm::ConstantVector::get(bits);
}

// Pieces of 8, 4, 2 and 1 lanes that make n.
template <class Visit> void pieces(unsigned n, Visit visit) {
  for (unsigned at = 0, size = lanes; size >= 1; size /= 2)
    if (n & size) visit(at, size), at += size;
}

// No prefetcher of the CPU's follows masked loads and stores: the sum of [1.7M, 7] down its columns on Zen 5 takes 4.0
// ms without this and 1.2 with it.
void fetch_ahead(Builder& b, Value* pointer, bool write) {
  b.CreateIntrinsic(llvm::Intrinsic::prefetch, {b.getPtrTy()},
                    {b.byte_offset(pointer, 2048), b.getInt32(write), b.getInt32(3), b.getInt32(1)});
}

}  // namespace

llvm::Type* stored_type(Builder& b, DType t) {
  if (t == DType::bf16 || t == DType::f16) return b.getInt16Ty();
  return t == DType::boolean ? b.getInt8Ty() : b.scalar_type(t);
}

Value* decode(Builder& b, DType t, Value* stored) {
  if (t == DType::boolean) return b.CreateIsNotNull(stored);
  if (t == DType::f16) return f16_to_f32(b, stored);
  if (t != DType::bf16) return stored;
  Value* high = b.CreateShl(b.CreateZExt(stored, b.like(b.getInt32Ty(), stored)), number(b, stored, 16));
  return b.CreateBitCast(high, b.like(b.getFloatTy(), stored));
}

Value* encode(Builder& b, DType t, Value* value) {
  if (t == DType::boolean) return b.CreateZExt(value, b.like(b.getInt8Ty(), value));
  if (t == DType::f16) return f32_to_f16(b, value);
  return t == DType::bf16 ? f32_to_bf16(b, value) : value;
}

Value* load_one(Builder& b, DType t, Value* pointer) {
  return b.CreateAlignedLoad(stored_type(b, t), pointer, Align(size_of(t)));
}
void store_one(Builder& b, DType t, Value* stored, Value* pointer) {
  b.CreateAlignedStore(stored, pointer, Align(size_of(t)));
}
Value* load_full(Builder& b, DType t, Value* pointer) {
  return b.CreateAlignedLoad(b.vector_type(stored_type(b, t)), pointer, Align(size_of(t)));
}
void store_full(Builder& b, DType t, Value* stored, Value* pointer) {
  b.CreateAlignedStore(stored, pointer, Align(size_of(t)));
}

Value* load_first(Builder& b, DType t, Value* pointer, unsigned n) {
  if (n == lanes) return load_full(b, t, pointer);
  llvm::Type* vector = b.vector_type(stored_type(b, t));
  Value* v = llvm::Constant::getNullValue(vector);
  if (b.isa == Isa::avx512) {
    fetch_ahead(b, pointer, false);
    return b.CreateMaskedLoad(vector, pointer, Align(size_of(t)), mask_of(b, n), v);
  }
  pieces(n, [&](unsigned at, unsigned size) {
    llvm::SmallVector<int, lanes> widen(lanes), merge(lanes);
    for (unsigned k = 0; k < lanes; ++k) {
      const bool inside = k >= at && k < at + size;
      widen[k] = inside ? static_cast<int>(k - at) : 0;
      merge[k] = static_cast<int>(inside ? lanes + k : k);
    }
    llvm::Type* part = llvm::FixedVectorType::get(stored_type(b, t), size);
    Value* piece = b.CreateAlignedLoad(part, b.byte_offset(pointer, at * size_of(t)), Align(size_of(t)));
    v = b.CreateShuffleVector(v, b.CreateShuffleVector(piece, widen), merge);
  });
  return v;
}

void store_first(Builder& b, DType t, Value* stored, Value* pointer, unsigned n) {
  if (n == lanes) return store_full(b, t, stored, pointer);
  if (b.isa == Isa::avx512 && std::popcount(n) > 2) {  // two plain stores are sooner done than a masked one
    fetch_ahead(b, pointer, true);
    b.CreateMaskedStore(stored, pointer, Align(size_of(t)), mask_of(b, n));
    return;
  }
  pieces(n, [&](unsigned at, unsigned size) {
    b.CreateAlignedStore(b.lanes_of(stored, at, size), b.byte_offset(pointer, at * size_of(t)), Align(size_of(t)));
  });
}

// Element by element: what gathers and scatters are made of anyway, and no prefetcher follows those (exp of a flipped
// [60000, 65] on Zen 5: 3.3 ns an element by gathers, .3 so; x[..., 0] * x[..., 1] of [1.5M, 4]: 2.2 ms and .6).
Value* load_strided(Builder& b, DType t, Value* pointer, Value* stride, unsigned n) {
  Value* v = llvm::Constant::getNullValue(b.vector_type(stored_type(b, t)));
  for (unsigned k = 0; k < n; ++k)
    v = b.CreateInsertElement(v, load_one(b, t, b.byte_offset(pointer, b.CreateMul(stride, b.getInt64(k)))), k);
  return v;
}

void store_strided(Builder& b, DType t, Value* stored, Value* pointer, Value* stride, unsigned n) {
  for (unsigned k = 0; k < n; ++k)
    store_one(b, t, b.CreateExtractElement(stored, k), b.byte_offset(pointer, b.CreateMul(stride, b.getInt64(k))));
}

void copy_ragged(Builder& b, DType t, Value* memory, Value* buffer, Value* n, unsigned vectors, bool to_buffer) {
  if (b.isa != Isa::avx512) {
    Value *to = to_buffer ? buffer : memory, *from = to_buffer ? memory : buffer;
    b.CreateMemCpy(to, Align(size_of(t)), from, Align(size_of(t)), b.bytes_of(n, t));
    return;
  }
  llvm::Type* vector = b.vector_type(stored_type(b, t));
  for (unsigned u = 0; u < vectors; ++u) {
    const auto offset = static_cast<std::int64_t>(u * lanes * size_of(t));
    Value* mask = lane_mask(b, t, b.CreateSub(n, b.getInt64(u * lanes)));
    Value *there = b.byte_offset(memory, offset), *here = b.byte_offset(buffer, offset);
    if (to_buffer) {
      Value* zero = llvm::Constant::getNullValue(vector);
      b.CreateAlignedStore(b.CreateMaskedLoad(vector, there, Align(size_of(t)), mask, zero), here, Align(16));
    } else {
      b.CreateMaskedStore(b.CreateAlignedLoad(vector, here, Align(16)), there, Align(size_of(t)), mask);
    }
  }
}

Value* lane_mask(Builder& b, DType t, Value* n) {
  const unsigned bits = b.isa == Isa::avx512 ? 32 : static_cast<unsigned>(8 * size_of(t));
  llvm::SmallVector<llvm::Constant*, lanes> index(lanes);
  for (unsigned k = 0; k < lanes; ++k) index[k] = b.getIntN(bits, k);
  Value* limit = b.splat(b.CreateTrunc(n, b.getIntNTy(bits)));
  return b.CreateICmpSLT(llvm::ConstantVector::get(index), limit);
}

}  // namespace weft::jit
