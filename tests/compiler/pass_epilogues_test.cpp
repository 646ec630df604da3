// Which products go to the loop that reads them, drawn. Loops here move 48 MB and more: smaller ones wait for no
// memory.
#include <weft/weft.h>

#include "drawn.h"

using namespace weft;
using namespace weft::test;

namespace {

const Type x{f32, {256, 1024}}, y{f32, {256, 4096}}, w{f32, {1024, 4096}};

Tensor gradient(const Tensor& a, const Tensor& b) { return matmul(transpose(a), b); }

}  // namespace

TEST_CASE("epilogues: the update of a weight takes its gradient, which is stored nowhere", "[pass][epilogues]") {
  CHECK_DRAWN(
      drawn_plan(traced([](const Tensor& a, const Tensor& b, const Tensor& v) { return v - gradient(a, b); }, x, y, w),
                 1),
      R"(
%0 = input f32[256, 1024]                      | step 0: matmul, strip by strip to a kernel %0 %1 %2 -> %5
%1 = input f32[256, 4096]                      | variable 0: in place
%2 = input f32[1024, 4096]                     | arena 0 bytes
%3 = transpose f32[1024, 256] %0 {axes=[1, 0]} |
%4 = matmul f32[1024, 4096] %3 %1              |
%5 = sub f32[1024, 4096] %2 %4                 |
return %5                                      |
)");
}

TEST_CASE("epilogues: products go to the segments of what would be one launch", "[pass][epilogues]") {
  CHECK_DRAWN(drawn_plan(traced([](const Tensor& a, const Tensor& b, const Tensor& v,
                                   const Tensor& u) { return std::pair(v - gradient(a, b), u - gradient(a, sin(b))); },
                                x, y, w, w),
                         2),
              R"(
%0 = input f32[256, 1024]                      | step 0: kernel, 1 segment %1 -> %4@0
%1 = input f32[256, 4096]                      | step 1: matmul, strip by strip to a kernel %0 %4@0 %3 -> %7
%2 = input f32[1024, 4096]                     | step 2: matmul, strip by strip to a kernel %0 %1 %2 -> %9
%3 = input f32[1024, 4096]                     | variable 0: in place
%4 = sin f32[256, 4096] %1                     | variable 1: in place
%5 = transpose f32[1024, 256] %0 {axes=[1, 0]} | arena 4194304 bytes
%6 = matmul f32[1024, 4096] %5 %4              |
%7 = sub f32[1024, 4096] %3 %6                 |
%8 = matmul f32[1024, 4096] %5 %1              |
%9 = sub f32[1024, 4096] %2 %8                 |
return %9 %7                                   |
)");
}

TEST_CASE("epilogues: a product of what is overwritten until then does not wait", "[pass][epilogues]") {
  CHECK_DRAWN(
      drawn_plan(traced([](const Tensor& e, const Tensor& u,
                           const Tensor& v) { return std::pair(u - matmul(e, v), v - matmul(transpose(e), u)); },
                        Type{f32, {4096, 512}}, Type{f32, {4096, 2048}}, Type{f32, {512, 2048}}),
                 2),
      R"(
%0 = input f32[4096, 512]                      | step 0: matmul %0 %1 -> %4@33554432
%1 = input f32[4096, 2048]                     | step 1: matmul %0 %2 -> %6@0
%2 = input f32[512, 2048]                      | step 2: kernel, 2 segments %2 %4@33554432 -> %5 %1 %6@0 -> %7
%3 = transpose f32[512, 4096] %0 {axes=[1, 0]} | variable 0: in place
%4 = matmul f32[512, 2048] %3 %1               | variable 1: in place
%5 = sub f32[512, 2048] %2 %4                  | arena 37748736 bytes
%6 = matmul f32[4096, 2048] %0 %2              |
%7 = sub f32[4096, 2048] %1 %6                 |
return %7 %5                                   |
)");
}

TEST_CASE("epilogues: one that is returned, too, is stored", "[pass][epilogues]") {
  CHECK_DRAWN(drawn_plan(traced(
                             [](const Tensor& a, const Tensor& b, const Tensor& v) {
                               const Tensor g = gradient(a, b);
                               return std::pair(g, v - g);
                             },
                             x, y, w),
                         1),
              R"(
%0 = input f32[256, 1024]                      | step 0: matmul %0 %1 -> %4
%1 = input f32[256, 4096]                      | step 1: kernel, 1 segment %2 %4 -> %5
%2 = input f32[1024, 4096]                     | variable 0: in place
%3 = transpose f32[1024, 256] %0 {axes=[1, 0]} | arena 0 bytes
%4 = matmul f32[1024, 4096] %3 %1              |
%5 = sub f32[1024, 4096] %2 %4                 |
return %4 %5                                   |
)");
}
