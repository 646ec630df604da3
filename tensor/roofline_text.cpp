#include "roofline_text.h"

#include <fmt/format.h>

namespace weft {

std::string level_text(const Roofline& machine, std::size_t level) {
  const Roofline::Level& l = machine.levels[level];
  const std::string text = fmt::format("{} {:.0f} GB/s", l.name, 1e-9 * l.bytes_per_second);
  if (level + 1 == machine.levels.size()) return text;
  const Roofline::Level& next = machine.levels[level + 1];
  return l.bytes_per_second == next.bytes_per_second ? text + " (measured slower: taken as " + next.name + ")" : text;
}

std::string roofline_text(const Roofline& machine) {
  std::string text =
      fmt::format("{:.0f} GFLOP/s by fma, {:.0f} in bf16, {:.1f} G divisions/s", 2e-9 * machine.products_per_second,
                  2e-9 * machine.halves_per_second, 1e-9 * machine.divisions_per_second);
  for (std::size_t k = 0; k < machine.levels.size(); ++k) text += ", " + level_text(machine, k);
  return text;
}

}  // namespace weft
