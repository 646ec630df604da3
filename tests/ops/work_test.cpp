// What an application of an op is said to cost.
#include <weft/ops/table.h>
#include <weft/ops/work.h>

#include "catch.h"

using namespace weft;

namespace {

template <class Struct> OpWork work(std::vector<Type> in, const Attrs& attrs = {}) {
  std::vector<const Type*> inputs;
  for (const Type& t : in) inputs.push_back(&t);
  Type out;
  op_of<Struct>().infer(attrs, inputs, std::span(&out, 1));
  const Type* const output = &out;
  return work_of(op_of<Struct>(), attrs, inputs, std::span(&output, 1));
}

}  // namespace

TEST_CASE("work counts a formula's operations by the units that do them", "[work]") {
  const Type single{f32, {10}}, wide{f64, {10}};
  const OpWork mul = work<Mul>({single, single});
  CHECK((mul.operations == 10 && mul.products == 10 && mul.sums == 0));
  const OpWork add = work<Add>({wide, wide});
  CHECK((add.operations == 20 && add.products == 0 && add.sums == 20));
  const OpWork integers = work<Add>({{i32, {10}}, {i32, {10}}});
  CHECK((integers.operations == 10 && integers.sums == 0));
  const OpWork sqrt = work<Sqrt>({single});
  CHECK((sqrt.operations == 10 && sqrt.roots == 10 && sqrt.divisions == 0));
  // Both bounds of x are one instruction each; a subtraction, scalb, whether it is 0; nine fmas.
  const OpWork exp = work<Exp>({single});
  CHECK((exp.operations == 150 && exp.products == 90 && exp.sums == 40 && exp.comparisons == 10));
  // x >= y, x != x, their union, the choice.
  const OpWork maximum = work<Maximum>({single, single});
  CHECK((maximum.operations == 40 && maximum.comparisons == 20 && maximum.sums == 0));
}

TEST_CASE("a conversion costs what its wider side needs", "[work]") {
  const Type single{f32, {10}}, wide{f64, {10}};
  CHECK(work<Cast>({single}, CastAttrs{f64}).sums == 20);
  CHECK(work<Cast>({wide}, CastAttrs{f32}).sums == 20);
  CHECK(work<Cast>({single}, CastAttrs{i32}).sums == 10);
}
