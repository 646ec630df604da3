#include "dependencies.h"

#include <algorithm>
#include <numeric>
#include <utility>

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

void Dependencies::opened(std::uint32_t i) {
  position_.push_back(static_cast<int>(at_.size()));
  at_.push_back(static_cast<int>(at_.size()));
  seen_.push_back(0);
  if (!has(&Op::effect, *graph_.nodes[i].op, graph_.nodes[i].attrs)) return;
  if (last_effect_) effect_before_[i] = *last_effect_;
  last_effect_ = i;
}

void Dependencies::joined(std::uint32_t i, int g) { move_before(g, needs_of(i, g)); }

void Dependencies::merged(int a, int b) {
  int &of_a = position_[static_cast<std::size_t>(a)], &of_b = position_[static_cast<std::size_t>(b)];
  if (of_b < of_a) {
    std::swap(at_[static_cast<std::size_t>(of_a)], at_[static_cast<std::size_t>(of_b)]);
    std::swap(of_a, of_b);
  }
  std::vector<int> needs;
  each_need(a, [&](int p) { needs.push_back(p); });
  move_before(a, std::move(needs));
}

void Dependencies::renumbered() {
  at_.resize(grouping_.groups.size());
  std::iota(at_.begin(), at_.end(), 0);
  position_ = at_;
  seen_.assign(at_.size(), 0);
}

std::vector<int> Dependencies::needs_of(std::uint32_t i, int g) const {
  std::vector<int> needs;
  for (const ValueId v : graph_.nodes[i].in)
    each_source(v, [&](ValueId source) {
      if (const int h = producer_group(source); h >= 0 && h != g) needs.push_back(h);
    });
  return needs;
}

template <class Stop>
bool Dependencies::reaches(std::vector<int> open, int g, Stop&& stop, std::vector<int>* found) const {
  // Who asks whether two may be one takes yes for an answer: in a deep net each search would go through half of it.
  constexpr std::size_t limit = 200;
  const int from = position_[static_cast<std::size_t>(g)];
  ++search_;
  for (std::size_t looked_at = 0; !open.empty(); ++looked_at) {
    if (!found && looked_at == limit) return true;
    const int h = open.back();
    open.pop_back();
    if (stop(h)) return true;
    if (position_[static_cast<std::size_t>(h)] <= from || seen_[static_cast<std::size_t>(h)] == search_) continue;
    seen_[static_cast<std::size_t>(h)] = search_;
    if (found) found->push_back(h);
    each_need(h, [&](int p) { open.push_back(p); });
  }
  return false;
}

void Dependencies::move_before(int g, std::vector<int> open) {
  std::vector<int> moved;
  reaches(
      std::move(open), g, [](int) { return false; }, &moved);
  if (moved.empty()) return;
  const auto earlier = [&](int a, int b) {
    return position_[static_cast<std::size_t>(a)] < position_[static_cast<std::size_t>(b)];
  };
  std::sort(moved.begin(), moved.end(), earlier);
  const auto first = at_.begin() + position_[static_cast<std::size_t>(g)],
             last = at_.begin() + position_[static_cast<std::size_t>(moved.back())] + 1;
  std::vector<int> rest;
  for (auto h = first; h != last; ++h)
    if (seen_[static_cast<std::size_t>(*h)] != search_) rest.push_back(*h);
  std::copy(rest.begin(), rest.end(), std::copy(moved.begin(), moved.end(), first));
  for (auto h = first; h != last; ++h) position_[static_cast<std::size_t>(*h)] = static_cast<int>(h - at_.begin());
}

bool Dependencies::separated(int a, int b) const {
  std::vector<int> open;
  for (const int g : {a, b})
    each_need(g, [&](int p) {
      if (p != a && p != b) open.push_back(p);
    });
  const int first = position_[static_cast<std::size_t>(a)] < position_[static_cast<std::size_t>(b)] ? a : b;
  return reaches(std::move(open), first, [&](int h) { return h == a || h == b; });
}

bool Dependencies::makes_cycle(std::uint32_t i, int g) const {
  return reaches(needs_of(i, g), g, [&](int h) { return h == g; });
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
