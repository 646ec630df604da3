#include "isa.h"

#include <cstdlib>
#include <string_view>

#include "warn.h"

namespace weft {
namespace {

Isa detect() {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
  return avx512 ? Isa::avx512 : avx2 ? Isa::avx2 : Isa::base;
}

Isa choose() {
  const Isa best = detect();
  const char* wish = std::getenv("WEFT_ISA");
  if (!wish || !*wish) return best;
  for (Isa level : {Isa::base, Isa::avx2, Isa::avx512}) {
    if (std::string_view(wish) != name_of(level)) continue;
    if (level > best) warn("WEFT_ISA={}: this CPU has only {}, which is used", wish, name_of(best));
    return level < best ? level : best;
  }
  warn("WEFT_ISA={}: not one of base, avx2, avx512; {} is used", wish, name_of(best));
  return best;
}

}  // namespace

Isa isa() {
  static const Isa level = choose();
  return level;
}

bool has_quick_bf16() {
  return isa() == Isa::avx512 && __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_is("intel");
}

const char* name_of(Isa level) {
  constexpr const char* names[] = {"base", "avx2", "avx512"};
  return names[static_cast<int>(level)];
}

}  // namespace weft
