// What a tensor stands on: random bits and the choice of an ISA (parallel_test.cpp has the parallel loop).
#include <array>
#include <cstdlib>
#include <string>

#include <weft/tensor/isa.h>
#include <weft/tensor/philox.h>

#include "catch.h"

using namespace weft;

TEST_CASE("philox gives the known answers of its authors") {  // Random123, kat_vectors: philox4x32 10
  using Block = std::array<std::uint32_t, 4>;
  CHECK(philox(0, 0, 0) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox(~0ull, ~0ull, ~0ull) == Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  static_assert(philox(1, 2, 3) == philox(1, 2, 3));
}

TEST_CASE("the ISA is at most what the CPU has and what WEFT_ISA allows") {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) CHECK(isa() == Isa::base);
  if (!__builtin_cpu_supports("avx512f")) CHECK(isa() <= Isa::avx2);
  if (const char* wish = std::getenv("WEFT_ISA")) {
    for (Isa level : {Isa::base, Isa::avx2, Isa::avx512})
      if (std::string(wish) == name_of(level)) CHECK(isa() <= level);
  }
  CHECK(std::string(name_of(Isa::avx512)) == "avx512");
}
