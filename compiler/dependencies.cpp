#include "dependencies.h"

#include <algorithm>

namespace weft {

Dependencies::Dependencies(const Graph& graph, const Grouping& grouping)
    : graph_(graph), grouping_(grouping), waits_for_(graph.values.size()) {
  for (const Graph::Node& n : graph.nodes) {
    if (n.op->kind != OpKind::view) continue;
    std::vector<ValueId>& list = waits_for_[n.out];
    list = waits_for_[n.in[0]];
    for (std::size_t k = 1; k < n.in.size(); ++k) each_source(n.in[k], [&](ValueId v) { list.push_back(v); });
  }
}

void Dependencies::placed(std::uint32_t i) {
  if (!has(&Op::effect, *graph_.nodes[i].op, graph_.nodes[i].attrs)) return;
  if (last_effect_) effect_before_[i] = *last_effect_;
  last_effect_ = i;
}

template <class Stop> bool Dependencies::reaches(std::vector<int> open, Stop&& stop) const {
  std::vector<char> seen(grouping_.groups.size());
  while (!open.empty()) {
    const int h = open.back();
    open.pop_back();
    if (stop(h)) return true;
    if (seen[static_cast<std::size_t>(h)]) continue;
    seen[static_cast<std::size_t>(h)] = 1;
    each_need(h, [&](int p) { open.push_back(p); });
  }
  return false;
}

bool Dependencies::separated(int a, int b) const {
  std::vector<int> open;
  for (const int g : {a, b})
    each_need(g, [&](int p) {
      if (p != a && p != b) open.push_back(p);
    });
  return reaches(std::move(open), [&](int h) { return h == a || h == b; });
}

bool Dependencies::makes_cycle(std::uint32_t i, int g) const {
  std::vector<int> open;
  for (const ValueId v : graph_.nodes[i].in)
    each_source(v, [&](ValueId source) {
      if (const int h = producer_group(source); h >= 0 && h != g) open.push_back(h);
    });
  return reaches(std::move(open), [&](int h) { return h == g; });
}

std::vector<int> Dependencies::order(const std::vector<char>& late) const {
  const std::size_t n = grouping_.groups.size();
  std::vector<std::vector<int>> users(n);
  std::vector<int> waiting(n);
  for (std::size_t g = 0; g < n; ++g) {
    std::vector<int> needs;
    each_need(static_cast<int>(g), [&](int p) { needs.push_back(p); });
    std::sort(needs.begin(), needs.end());
    needs.erase(std::unique(needs.begin(), needs.end()), needs.end());
    waiting[g] = static_cast<int>(needs.size());
    for (const int p : needs) users[static_cast<std::size_t>(p)].push_back(static_cast<int>(g));
  }
  std::vector<int> ready, sequence;
  for (std::size_t g = 0; g < n; ++g)
    if (!waiting[g]) ready.push_back(static_cast<int>(g));
  const auto key = [&](int g) {
    return std::pair(late[static_cast<std::size_t>(g)], grouping_.groups[static_cast<std::size_t>(g)].nodes.back());
  };
  const auto first = [&](int a, int b) { return key(a) > key(b); };
  std::make_heap(ready.begin(), ready.end(), first);
  while (!ready.empty()) {
    std::pop_heap(ready.begin(), ready.end(), first);
    const int g = ready.back();
    ready.pop_back();
    sequence.push_back(g);
    for (const int u : users[static_cast<std::size_t>(g)])
      if (--waiting[static_cast<std::size_t>(u)] == 0) {
        ready.push_back(u);
        std::push_heap(ready.begin(), ready.end(), first);
      }
  }
  return sequence;
}

}  // namespace weft
