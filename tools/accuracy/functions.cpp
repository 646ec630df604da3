// Functions over ops: errors in roundings, of tests/functions.h and tests/losses.h.
#include <fmt/format.h>

#include <cstdio>

#include "../../tests/function_roundings.h"
#include "../../tests/losses.h"
#include "sections.h"

namespace weft::accuracy {
namespace {

constexpr const char* heading = R"(
## Functions over these ops

Largest errors in roundings, as above. Functions that act element by element (those with an f64 column) are held against
their true values in long double, over numbers of every exponent and all of bf16 and f16; others, of small operands,
against themselves in f64. Where a result is below the least normal number 2^-10 of that is let pass. 16-bit floats
compute in f32 and round once. Promised: 5.

| function | f32 | f64 | bf16 | f16 |
|---|---:|---:|---:|---:|
)";

}  // namespace

Section of_functions(const char* only) {
  Section section{heading};
  for (const auto& list : {test::public_functions(), test::losses()})
    for (const test::PublicFunction& f : list) {
      if (only && f.name != std::string_view(only)) continue;
      std::string line = fmt::format("| {} |", f.name);
      bool good = true;
      for (const DType type : {f32, f64, DType::bf16, DType::f16}) {
        try {
          const auto r = test::roundings(f, type, 100);
          line += r ? fmt::format(" {:.2f} |", r->worst) : " |";
          good &= !r || r->worst <= test::promised_roundings;
        } catch (const DTypeError&) { line += " |"; }
      }
      std::printf("%s%s\n", line.c_str(), good ? "" : "   <-- BAD");
      std::fflush(stdout);
      section.good &= good;
      section.add(line + "\n");
    }
  return section;
}

}  // namespace weft::accuracy
