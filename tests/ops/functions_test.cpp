// Compositions are as accurate as a rounding of each operand, and one of the result, lets them be.
#include "function_roundings.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("public functions are within a few roundings of exact arithmetic") {
  for (const PublicFunction& f : public_functions())
    for (const DType type : {f32, f64, DType::bf16, DType::f16}) {
      INFO(f.name << " of " << name_of(type));
      try {
        if (const auto r = roundings(f, type)) CHECK(r->worst <= promised_roundings);
      } catch (const DTypeError&) { CHECK(type != f32); }
    }
}
