// The text of each stage of a whole step, as it was planned: the same on every instruction set and number of threads. A
// change here is a change of what runs: it is to be meant. What a stage does alone is drawn in pass_*_test.cpp.
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("every stage of a training step prints as it was planned", "[golden][dump]") {
  Variable w(ones({3}), true, "w");
  auto step = compile([&](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(square(x * w - y));
    w.assign_sub(0.5 * tape.gradient(loss, w));
    return loss;
  });
  step(ones({8, 3}), ones({8, 3}));
  CHECK_DRAWN("\n" + step.dump("graph"), R"(
%0 = input f32[8, 3]
%1 = input f32[8, 3]
%2 = input f32[3] "w"
%3 = constant f32[] 24
%4 = constant f32[] 0.0416666679
%5 = constant f32[] 2
%6 = constant f32[] 0.5
%7 = broadcast_to f32[8, 3] %2 {shape=[8, 3]}
%8 = mul f32[8, 3] %0 %7
%9 = sub f32[8, 3] %8 %1
%10 = square f32[8, 3] %9
%11 = sum f32[] %10 {begin=0, end=2}
%12 = div f32[] %11 %3
%13 = reshape f32[1, 1] %4 {shape=[1, 1]}
%14 = broadcast_to f32[8, 3] %13 {shape=[8, 3]}
%15 = broadcast_to f32[8, 3] %5 {shape=[8, 3]}
%16 = mul f32[8, 3] %9 %15
%17 = mul f32[8, 3] %14 %16
%18 = mul f32[8, 3] %17 %0
%19 = sum f32[3] %18 {begin=0, end=1}
%20 = contiguous f32[3] %19
%21 = broadcast_to f32[3] %6 {shape=[3]}
%22 = mul f32[3] %21 %20
%23 = sub f32[3] %2 %22
return %12 %23
)");
  CHECK_DRAWN("\n" + step.dump("groups"), R"(
group 0: [8] rows of [3]
  %8 = mul f32[8, 3]
  %9 = sub f32[8, 3]
  %10 = square f32[8, 3]
  %16 = mul f32[8, 3]
  %17 = mul f32[8, 3]
  %18 = mul f32[8, 3]
  %19 = sum f32[3]  column
group 1: [] rows of [8, 3]
  %11 = sum f32[]  row
  %12 = div f32[]  row
group 2: loop over [3]
  %22 = mul f32[3]
  %23 = sub f32[3]
)");
  CHECK_DRAWN("\n" + step.explain_fusion(), R"(
groups 0 and 1: they cut [8, 3] otherwise: rows of [3] and of [8, 3]
groups 0 and 2: their loops differ: [8, 3] and [3]
)");
  CHECK_DRAWN("\n" + step.dump("plan"), R"(
step 0: kernel, 1 segment %0 %2 %1 -> %10@0 %4 -> %19@128
step 1: kernel, 1 segment %10@0 %3 -> %12
step 2: kernel, 1 segment %19@128 %2 -> %23
variable 0: in place
arena 192 bytes
)");
  CHECK_DRAWN("\n" + step.dump("kernels"), R"(
step 0:
cols 3
@0 in f32 contiguous
@1 in f32 contiguous
@2 in f32 contiguous
@3 out f32 contiguous
@4 in f32 fixed
@5 out f32 contiguous
%0 = input f32 @0, full at 0
%1 = input f32 @1, full at 0
%2 = mul f32 %0 %1, full at 0
%3 = input f32 @2, full at 0
%4 = sub f32 %2 %3, full at 0
%5 = mul f32 %4 %4, full at 0
%6 = constant f32 #0x40000000, row at 0
%7 = mul f32 %4 %6, full at 0
%8 = input f32 @4, row at 0
%9 = mul f32 %8 %7, full at 0
%10 = mul f32 %9 %0, full at 0
r0 = sum f32 %10 columns @5
store %5 @3
step 1:
cols any
@0 in f32 contiguous
@1 in f32 fixed
@2 out f32 fixed
%0 = input f32 @0, full at 0
%1 = reduced f32 r0, row at 1
%2 = input f32 @1, row at 0
%3 = div f32 %1 %2, row at 1
r0 = sum f32 %0 row
store %3 @2
step 2:
cols any
@0 in f32 contiguous
@1 in f32 contiguous
@2 out f32 contiguous
%0 = constant f32 #0x3f000000, row at 0
%1 = input f32 @0, full at 0
%2 = mul f32 %0 %1, full at 0
%3 = input f32 @1, full at 0
%4 = sub f32 %3 %2, full at 0
store %4 @2
)");
  for (const char* stage : {"llvm", "assembly"}) {
    const std::string text = step.dump(stage);
    CHECK(text.find("kernel") != std::string::npos);
    CHECK(step.dump(stage) == text);
  }
}
