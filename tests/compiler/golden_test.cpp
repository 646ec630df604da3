// The text of each stage of a whole step, as it was planned: the same on every instruction set and number of threads. A
// change here is a change of what runs: it is to be meant.
#include <weft/weft.h>

#include "catch.h"

using namespace weft;

TEST_CASE("every stage of a training step prints as it was planned", "[golden][dump]") {
  Variable w(ones({3}), true, "w");
  auto step = compile([&](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(square(x * w - y));
    w.assign_sub(0.5 * tape.gradient(loss, w));
    return loss;
  });
  step(ones({8, 3}), ones({8, 3}));
  CHECK(step.dump("graph") ==
        "%0 = input f32[8, 3]\n"
        "%1 = input f32[8, 3]\n"
        "%2 = input f32[3]\n"
        "%3 = constant f32[] 24\n"
        "%4 = constant f32[] 0.0416666679\n"
        "%5 = constant f32[] 2\n"
        "%6 = constant f32[] 0.5\n"
        "%7 = broadcast_to f32[8, 3] %2 {shape=[8, 3]}\n"
        "%8 = mul f32[8, 3] %0 %7\n"
        "%9 = sub f32[8, 3] %8 %1\n"
        "%10 = square f32[8, 3] %9\n"
        "%11 = sum f32[] %10 {begin=0, end=2}\n"
        "%12 = div f32[] %11 %3\n"
        "%13 = reshape f32[1, 1] %4 {shape=[1, 1]}\n"
        "%14 = broadcast_to f32[8, 3] %13 {shape=[8, 3]}\n"
        "%15 = broadcast_to f32[8, 3] %5 {shape=[8, 3]}\n"
        "%16 = mul f32[8, 3] %9 %15\n"
        "%17 = mul f32[8, 3] %14 %16\n"
        "%18 = mul f32[8, 3] %17 %0\n"
        "%19 = sum f32[3] %18 {begin=0, end=1}\n"
        "%20 = contiguous f32[3] %19\n"
        "%21 = broadcast_to f32[3] %6 {shape=[3]}\n"
        "%22 = mul f32[3] %21 %20\n"
        "%23 = sub f32[3] %2 %22\n"
        "return %12 %23\n");
  CHECK(step.dump("groups") ==
        "group 0: [8] rows of [3]\n"
        "  %8 = mul f32[8, 3]\n"
        "  %9 = sub f32[8, 3]\n"
        "  %10 = square f32[8, 3]\n"
        "  %16 = mul f32[8, 3]\n"
        "  %17 = mul f32[8, 3]\n"
        "  %18 = mul f32[8, 3]\n"
        "  %19 = sum f32[3]  column\n"
        "group 1: [] rows of [8, 3]\n"
        "  %11 = sum f32[]  row\n"
        "  %12 = div f32[]  row\n"
        "group 2: loop over [3]\n"
        "  %22 = mul f32[3]\n"
        "  %23 = sub f32[3]\n");
  CHECK(step.explain_fusion() ==
        "groups 0 and 1: they cut [8, 3] otherwise: rows of [3] and of [8, 3]\n"
        "groups 0 and 2: their loops differ: [8, 3] and [3]\n");
  CHECK(step.dump("plan") ==
        "step 0: kernel, 1 segment %0 %2 %1 -> %10@0 -> %19@128\n"
        "step 1: kernel, 1 segment %10@0 -> %12\n"
        "step 2: kernel, 1 segment %19@128 %2 -> %23\n"
        "variable 0: in place\n"
        "arena 192 bytes\n");
  CHECK(step.dump("kernels") ==
        "step 0:\n"
        "cols 3\n"
        "@0 in f32 contiguous\n"
        "@1 in f32 contiguous\n"
        "@2 in f32 contiguous\n"
        "@3 out f32 contiguous\n"
        "@4 out f32 contiguous\n"
        "%0 = input f32 @0, full at 0\n"
        "%1 = input f32 @1, full at 0\n"
        "%2 = mul f32 %0 %1, full at 0\n"
        "%3 = input f32 @2, full at 0\n"
        "%4 = sub f32 %2 %3, full at 0\n"
        "%5 = mul f32 %4 %4, full at 0\n"
        "%6 = constant f32 #0x40000000, row at 0\n"
        "%7 = mul f32 %4 %6, full at 0\n"
        "%8 = constant f32 #0x3d2aaaab, row at 0\n"
        "%9 = mul f32 %8 %7, full at 0\n"
        "%10 = mul f32 %9 %0, full at 0\n"
        "r0 = sum f32 %10 columns @4\n"
        "store %5 @3\n"
        "step 1:\n"
        "cols any\n"
        "@0 in f32 contiguous\n"
        "@1 out f32 fixed\n"
        "%0 = input f32 @0, full at 0\n"
        "%1 = reduced f32 r0, row at 1\n"
        "%2 = constant f32 #0x41c00000, row at 0\n"
        "%3 = div f32 %1 %2, row at 1\n"
        "r0 = sum f32 %0 row\n"
        "store %3 @1\n"
        "step 2:\n"
        "cols any\n"
        "@0 in f32 contiguous\n"
        "@1 in f32 contiguous\n"
        "@2 out f32 contiguous\n"
        "%0 = constant f32 #0x3f000000, row at 0\n"
        "%1 = input f32 @0, full at 0\n"
        "%2 = mul f32 %0 %1, full at 0\n"
        "%3 = input f32 @1, full at 0\n"
        "%4 = sub f32 %3 %2, full at 0\n"
        "store %4 @2\n");
  for (const char* stage : {"llvm", "assembly"}) {
    const std::string text = step.dump(stage);
    CHECK(text.find("kernel") != std::string::npos);
    CHECK(step.dump(stage) == text);
  }
}
