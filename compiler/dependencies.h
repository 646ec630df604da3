// What has to run before what, among the groups of a partition: producers before consumers, what a view waits for
// before what reads the view, effects in program order.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "groups.h"

namespace weft {

class Dependencies {
 public:
  /// Of groups that may still change; both are referred to.
  Dependencies(const Graph& graph, const Grouping& grouping);

  /// Node i opened a group, the last one; an effect comes after those placed before it.
  void opened(std::uint32_t i);
  /// Node i came to group g, which was there before it.
  void joined(std::uint32_t i, int g);
  /// Group a took the nodes of b.
  void merged(int a, int b);
  /// The groups were renumbered, each before those that need it.
  void renumbered();

  /// The group that computes a buffer; -1 if none does.
  int producer_group(ValueId base) const {
    return graph_.values[base].kind == Graph::Value::computed ? grouping_.group_of[graph_.values[base].index] : -1;
  }
  /// True if some third group has to run after one of the two and before the other.
  bool separated(int a, int b) const;
  /// True if node i in group g would have to run both before and after some other group.
  bool makes_cycle(std::uint32_t i, int g) const;
  /// The groups in an order in which they can run: among those that can, not a late one, then the one whose last node
  /// is earliest.
  std::vector<int> order(const std::vector<char>& late) const;

 private:
  // Visits what has to be there before v is read: its buffer, and what the views in between wait for.
  template <class Visit> void each_source(ValueId v, Visit&& visit) const {
    visit(grouping_.accesses[v].base);
    for (const ValueId other : waits_for_[v]) visit(other);
  }
  // Visits the groups that have to run before group g, some of them several times.
  template <class Visit> void each_need(int g, Visit&& visit) const {
    for (const std::uint32_t j : grouping_.groups[static_cast<std::size_t>(g)].nodes) {
      for (const ValueId v : graph_.nodes[j].in)
        each_source(v, [&](ValueId source) {
          if (const int p = producer_group(source); p >= 0 && p != g) visit(p);
        });
      if (const auto it = effect_before_.find(j); it != effect_before_.end()) visit(grouping_.group_of[it->second]);
    }
  }
  // The groups needed by `open`, at any distance, and `open` themselves, as far as they stand behind group g: another
  // can't need g. True if a group from which `stop` holds is among them, and then not all are found.
  template <class Stop>
  bool reaches(std::vector<int> open, int g, Stop&& stop, std::vector<int>* found = nullptr) const;
  // These, and what they need, stand before g from now on.
  void move_before(int g, std::vector<int> open);
  std::vector<int> needs_of(std::uint32_t i, int g) const;  // groups but g that compute what node i reads

  const Graph& graph_;
  const Grouping& grouping_;
  // An order in which the groups could run, kept up to date (Pearce and Kelly, ACM JEA 11, 2006): what is needed of a
  // group stands before it, so a search ends where it passes the group it looks for.
  std::vector<int> at_, position_;           // groups in order; by group
  mutable std::vector<std::uint32_t> seen_;  // by group: the search that saw it last
  mutable std::uint32_t search_ = 0;
  std::vector<std::vector<ValueId>> waits_for_;                     // by view: bases that come before what reads it
  std::unordered_map<std::uint32_t, std::uint32_t> effect_before_;  // nodes with an effect: which one comes before
  std::optional<std::uint32_t> last_effect_;
};

}  // namespace weft
