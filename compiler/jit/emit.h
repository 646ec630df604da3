// How a Kernel becomes LLVM IR. Inside libweft_jit.so only.
//
// Every full value is a vector of 16 lanes whatever its type, every row value a scalar; a mask is <16 x i1> or i1. The
// IR has no fast-math flag and is never vectorised, contracted or reassociated: it says what is computed, bit for bit.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <string>

#include "../../tensor/isa.h"
#include "../kernel.h"

namespace weft::jit {

inline constexpr unsigned lanes = 16;

/// Adds the function `name`, a KernelFunction, to the module.
llvm::Function* emit_kernel(const Kernel& kernel, const std::string& name, llvm::Module& module, Isa isa);

/// An IRBuilder that knows the compute types: value types as DType, f32 to boolean without the 16-bit floats.
struct Builder : llvm::IRBuilder<> {
  Builder(llvm::LLVMContext& context, Isa level) : IRBuilder(context), isa(level) {}
  const Isa isa;

  llvm::Type* scalar_type(DType t);
  llvm::Type* type(DType t, bool full) { return full ? vector_type(scalar_type(t)) : scalar_type(t); }
  llvm::Type* vector_type(llvm::Type* element) { return llvm::FixedVectorType::get(element, lanes); }
  /// Of elements of another type, a vector where `shape` is one.
  llvm::Type* like(llvm::Type* element, llvm::Value* shape) {
    return shape->getType()->isVectorTy() ? vector_type(element) : element;
  }
  /// Lanes [begin, begin + n).
  llvm::Value* lanes_of(llvm::Value* vector, unsigned begin, unsigned n);
  llvm::Value* splat(llvm::Value* scalar) { return CreateVectorSplat(lanes, scalar); }
  llvm::Value* byte_offset(llvm::Value* pointer, llvm::Value* bytes) { return CreateGEP(getInt8Ty(), pointer, bytes); }
  llvm::Value* byte_offset(llvm::Value* pointer, std::int64_t bytes) { return byte_offset(pointer, getInt64(bytes)); }
  /// c * bytes of one element of t.
  llvm::Value* bytes_of(llvm::Value* count, DType t) { return CreateMul(count, getInt64(size_of(t))); }
};

/// A constant of type t from its bits.
llvm::Value* emit_constant(Builder& b, DType t, std::uint64_t bits, bool full);

/// One scalar operation but input and constant. `source` is the type of operand a (convert, comparisons, bitcast).
llvm::Value* emit_scalar(Builder& b, const Instruction& i, DType source, llvm::Value* x, llvm::Value* y,
                         llvm::Value* z);

/// Between an element as stored (bf16, f16: i16; boolean: i8) and its compute type; scalars and vectors.
llvm::Type* stored_type(Builder& b, DType t);
llvm::Value* decode(Builder& b, DType t, llvm::Value* stored);
llvm::Value* encode(Builder& b, DType t, llvm::Value* value);

// Loads and stores of elements as stored.
llvm::Value* load_one(Builder& b, DType t, llvm::Value* pointer);
void store_one(Builder& b, DType t, llvm::Value* stored, llvm::Value* pointer);
llvm::Value* load_full(Builder& b, DType t, llvm::Value* pointer);
void store_full(Builder& b, DType t, llvm::Value* stored, llvm::Value* pointer);
/// The first n lanes, n known (1 to 16); the others are zero, or left alone.
llvm::Value* load_first(Builder& b, DType t, llvm::Value* pointer, unsigned n);
void store_first(Builder& b, DType t, llvm::Value* stored, llvm::Value* pointer, unsigned n);
/// Lane k at k * stride bytes, the first n lanes.
llvm::Value* load_strided(Builder& b, DType t, llvm::Value* pointer, llvm::Value* stride, unsigned n);
void store_strided(Builder& b, DType t, llvm::Value* stored, llvm::Value* pointer, llvm::Value* stride, unsigned n);
/// Copies n elements between memory and a 64-byte aligned buffer of `vectors` whole vectors, n known only at run time;
/// the rest of the buffer is zero or what it was.
void copy_ragged(Builder& b, DType t, llvm::Value* memory, llvm::Value* buffer, llvm::Value* n, unsigned vectors,
                 bool to_buffer);

/// <16 x i1>: lane < n (an i64), in the shape that suits a select on vectors of type t.
llvm::Value* lane_mask(Builder& b, DType t, llvm::Value* n);

// Reductions. Accumulators of booleans are bytes: masks make poor loop variables below AVX-512.
llvm::Value* identity(Builder& b, Reduction op, DType t, bool full);
llvm::Value* combine(Builder& b, Reduction op, DType t, llvm::Value* left, llvm::Value* right);
llvm::Value* to_accumulator(Builder& b, DType t, llvm::Value* value);    // a vector
llvm::Value* from_accumulator(Builder& b, DType t, llvm::Value* total);

/// The 16 partials of a row reduction. A float max or min keeps the numbers and the NaNs apart: the chain from one
/// element to the next is then one instruction long.
struct Partials {
  llvm::Value *value = nullptr, *nan = nullptr;
};
Partials initial_partials(Builder& b, Reduction op, DType t);
/// Takes vectors of 16 elements, in order.
Partials accumulate(Builder& b, Reduction op, DType t, Partials partials, llvm::ArrayRef<llvm::Value*> values);
/// Takes 16 elements where `mask` is on; elsewhere a partial stays what it is.
Partials accumulate_where(Builder& b, Reduction op, DType t, Partials partials, llvm::Value* mask, llvm::Value* value);
/// Combines them to one accumulator.
llvm::Value* tree(Builder& b, Reduction op, DType t, Partials partials);

}  // namespace weft::jit
