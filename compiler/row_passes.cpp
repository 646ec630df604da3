#include "row_passes.h"

#include <algorithm>

namespace weft {
namespace {

// What a pass computes is what its reductions and stores need, walking back over the uses; a kept value that was
// computed before ends the walk.
void plan_full(const Kernel& kernel, std::vector<bool> needed, std::vector<bool>& computed, KernelPass& pass) {
  for (std::size_t n = kernel.code.size(); n-- > 0;) {
    const KernelInstruction& i = kernel.code[n];
    if (!needed[n] || !i.full) continue;
    if (i.kept && computed[n]) {
      pass.fetched.push_back(static_cast<std::uint16_t>(n));
      continue;
    }
    pass.full.push_back(static_cast<std::uint16_t>(n));
    computed[n] = true;
    const std::uint16_t uses[] = {i.scalar.a, i.scalar.b, i.scalar.c};
    for (int k = 0; k < arity(i.scalar.op); ++k) needed[uses[k]] = true;
  }
  std::ranges::reverse(pass.full);
  std::ranges::reverse(pass.fetched);
}

}  // namespace

std::vector<KernelPass> passes_of(const Kernel& kernel) {
  int levels = 1;
  for (const KernelInstruction& i : kernel.code) levels = std::max(levels, i.level + 1);
  std::vector<KernelPass> passes(static_cast<std::size_t>(levels));
  std::vector<bool> computed(kernel.code.size());

  for (int level = 0; level < levels; ++level) {
    KernelPass& pass = passes[static_cast<std::size_t>(level)];
    std::vector<bool> needed(kernel.code.size());
    const auto here = [&](std::uint16_t value) { return kernel.code[value].full && kernel.code[value].level == level; };
    for (std::size_t n = 0; n < kernel.code.size(); ++n)
      if (!kernel.code[n].full && kernel.code[n].level == level) pass.row.push_back(static_cast<std::uint16_t>(n));
    for (std::size_t n = 0; n < kernel.reductions.size(); ++n) {
      if (!here(kernel.reductions[n].value)) continue;
      pass.reductions.push_back(static_cast<std::uint16_t>(n));
      needed[kernel.reductions[n].value] = true;
    }
    for (std::size_t n = 0; n < kernel.stores.size(); ++n) {
      if (!here(kernel.stores[n].value)) continue;
      pass.stores.push_back(static_cast<std::uint16_t>(n));
      needed[kernel.stores[n].value] = true;
    }
    plan_full(kernel, std::move(needed), computed, pass);
  }
  for (std::size_t p = 0; p < passes.size(); ++p)
    for (std::uint16_t n : passes[p].full) {
      const auto fetches = [n](const KernelPass& later) { return std::ranges::count(later.fetched, n) > 0; };
      if (kernel.code[n].kept &&
          std::any_of(passes.begin() + static_cast<std::ptrdiff_t>(p) + 1, passes.end(), fetches))
        passes[p].saved.push_back(n);
    }
  return passes;
}

}  // namespace weft
