#include "verify.h"

#include <fmt/format.h>

#include "../tensor/error.h"
#include "../tensor/settings.h"

namespace weft {

bool verifies() {
#ifdef NDEBUG
  static const bool wanted = setting("WEFT_VERIFY", false);
  return wanted;
#else
  return true;
#endif
}

void verify(const Graph& graph, const Grouping& grouping) {
  const auto fail = [&](std::uint32_t i, const std::string& what) {
    throw ArgumentError(fmt::format("groups: %{} = {}: {}", graph.nodes[i].out, graph.nodes[i].op->name, what));
  };
  std::vector<int> times(graph.nodes.size());
  const auto check_operands = [&](std::uint32_t i, std::size_t g) {
    for (const ValueId v : graph.nodes[i].in) {
      const Graph::Node* producer = graph.producer(grouping.accesses[v].base);
      if (!producer) continue;
      const int needed = grouping.group_of[static_cast<std::size_t>(producer - graph.nodes.data())];
      if (needed > static_cast<int>(g))
        fail(i, fmt::format("group {} runs before group {}, which it needs", g, needed));
    }
  };
  for (std::size_t g = 0; g < grouping.groups.size(); ++g) {
    for (const std::uint32_t i : grouping.groups[g].nodes) {
      ++times[i];
      if (grouping.group_of[i] != static_cast<int>(g)) fail(i, fmt::format("in group {}, noted as in another", g));
      check_operands(i, g);
    }
    for (const std::uint32_t i : grouping.groups[g].again) {
      if (grouping.group_of[i] >= static_cast<int>(g)) fail(i, fmt::format("again in group {}, before its own", g));
      check_operands(i, g);
    }
  }
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    const Graph::Node& n = graph.nodes[i];
    const bool elided = n.op->kind == OpKind::view && grouping.accesses[n.out].base != n.out;
    if (times[i] != !elided) fail(i, fmt::format("in {} groups", times[i]));
  }
}

void verify(const std::vector<PlannedBuffer>& buffers, std::int64_t arena_bytes) {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const PlannedBuffer& a = buffers[i];
    if (a.offset < 0 || a.offset % 64 || a.offset + a.bytes > arena_bytes)
      throw ArgumentError(fmt::format("plan: {} bytes at {} of an arena of {}", a.bytes, a.offset, arena_bytes));
    for (std::size_t j = 0; j < i; ++j) {
      const PlannedBuffer& b = buffers[j];
      const bool together = a.first <= b.last && b.first <= a.last;
      if (together && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes)
        throw ArgumentError(fmt::format("plan: {} bytes at {} and {} at {} are alive at the same step", a.bytes,
                                        a.offset, b.bytes, b.offset));
    }
  }
}

}  // namespace weft
