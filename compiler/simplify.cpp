#include "simplify.h"

#include "fold_constants.h"
#include "inline_graphs.h"
#include "layouts.h"
#include "pass_log.h"
#include "short_products.h"
#include "sparse_updates.h"
#include "transposes.h"
#include "verify.h"

namespace weft {

Graph simplify(const Graph& graph, PassLog* log) {
  constexpr std::pair<const char*, Graph (*)(const Graph&)> passes[] = {
      {"inline_graphs", inline_graphs},           {"without_dead_nodes", without_dead_nodes},
      {"fold_constants", fold_constants},         {"turn_late", turn_late},
      {"absorb_transposes", absorb_transposes},   {"sparse_updates", sparse_updates},
      {"spell_out_products", spell_out_products}, {"without_dead_nodes", without_dead_nodes}};
  Graph g = merged(graph);
  if (log) log->after("traced", g);
  for (const auto& [name, pass] : passes) {
    g = pass(g);
    if (verifies()) g.verify();
    if (log) log->after(name, g);
  }
  return g;
}

}  // namespace weft
