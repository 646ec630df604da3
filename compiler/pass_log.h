// What the passes made and decided, for a reader: dump("traced"), dump("passes"), dump("fusion"). It is written only
// where somebody asked, by the passes themselves while they decide.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "groups.h"
#include "steps.h"

namespace weft {

class PassLog {
 public:
  /// What a pass made; left out if it is what there was before.
  void after(std::string_view pass, const Graph& graph);
  void after(std::string_view pass, const Graph& graph, const Grouping& grouping);
  void after(std::string_view pass, const Graph& graph, std::span<const Step> steps, std::span<const ValueId> direct);

  /// What became of a product (a node) that goes, or might go, to the loop that reads it.
  void product(std::uint32_t node, std::string what) { products_[node] = std::move(what); }
  /// What was decided on steps: a line.
  void say(const std::string& line) { said_ += line + "\n"; }
  /// "group 3", "groups 3, 5": those that a step runs.
  std::string groups(const Step& step) const;

  /// What was traced, and each pass that changed something, as text or in Graphviz' language.
  std::string passes(bool picture) const;
  std::string traced(bool picture) const;
  const std::map<std::uint32_t, std::string>& products() const { return products_; }
  const std::string& said() const { return said_; }

 private:
  struct Entry {
    std::string pass, text, picture;
  };
  void add(Entry entry);

  std::vector<Entry> entries_;
  std::vector<int> group_of_;  // by node
  std::map<std::uint32_t, std::string> products_;
  std::string said_;
};

}  // namespace weft
