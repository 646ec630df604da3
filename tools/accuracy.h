// What accuracy.cpp and accuracy_isa.cpp share.
#pragma once

namespace weft::accuracy {

/// A function over arrays; n is a multiple of 16. Unary ones ignore y.
template <class T> struct Function {
  const char* name;
  int arity;
  void (*run)(const T* x, const T* y, T* out, long n);
};

/// All functions as one ISA computes them; the lists end with a null name.
struct Build {
  const Function<float>* f32;
  const Function<double>* f64;
  int (*domain_errors)();  // compares every operation of the domain with plain C++; prints what differs
};

}  // namespace weft::accuracy
