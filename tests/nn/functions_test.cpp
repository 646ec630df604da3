// Losses are as accurate as a rounding of each operand, and one of the result, lets them be.
#include "function_roundings.h"
#include "losses.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("losses are within a few roundings of exact arithmetic") {
  for (const PublicFunction& f : losses())
    for (const DType type : {f32, DType::bf16, DType::f16}) {
      INFO(f.name << " of " << name_of(type));
      CHECK(roundings(f, type)->worst <= promised_roundings);
    }
}
