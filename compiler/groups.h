// Fusion: a partition of a graph's nodes into groups, each one launch. A fused group is one loop nest: rows of columns.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "access.h"

namespace weft {

/// What a node's value is inside its group.
enum class Role : std::uint8_t {
  none,    // of no fused group
  full,    // an element for each point of the space
  row,     // one for each row: a row reduction, or pointwise on such
  column,  // a reduction down the columns: only for use after the group
};

struct Group {
  bool fused = false;                // else one node, run as a whole by its own kernel
  std::vector<std::uint32_t> nodes;  // in graph order
  std::vector<std::uint32_t> again;  // nodes of other groups that it computes, too, so that these need not store them
  Shape space;                       // extents, without 1s
  int split = -1;                    // rows are space[:split], columns the rest; -1: pointwise only, not decided
  int inner = -1;                    // >= 0: columns are space[split:inner], and space[inner:] are rows, interleaved
  bool has_column = false;           // it reduces down the columns: its rows are walked with one stride
  std::size_t instructions = 0;      // of all nodes

  // Limits on a kernel's size keep codegen quick: 40 sines in one took more than a second.
  static constexpr std::size_t max_nodes = 96, max_instructions = 1000;
  Shape rows() const;
  Shape columns() const;
  /// True if its loop can walk what is not computed in it; `a` is cut to the space, for role row to the rows.
  bool walks(const Access& a, Role role) const;
  /// All that it computes, in graph order.
  std::vector<std::uint32_t> computed() const;
};

struct Grouping {
  std::vector<Access> accesses;  // by value
  std::vector<Group> groups;     // in an order in which they can run
  std::vector<int> group_of;     // by node; -1: a view, which costs nothing
  std::vector<Role> roles;       // by node
  /// The groups and their nodes, one a line; the same graph gives the same text.
  std::string text(const Graph& graph) const;
};

/// True if the compiler can put this node into a loop.
bool is_fusable(const Graph& graph, const Graph::Node& node);

/// `late`: values whose groups run as late as they can (they overwrite variables).
Grouping group_nodes(const Graph& graph, const std::vector<bool>& late);

/// What keeps two groups apart.
struct Obstacle {
  enum Kind : std::uint8_t { none, whole, space, size, rows, between, operand } kind = none;
  std::uint32_t node = 0;  // whole: which runs so; operand: which reads it
  ValueId value = 0;       // operand
};

/// Groups, and of each two of which the reader reads what the producer computes, why they are not one.
struct Separations {
  struct Pair {
    int producer, reader;
    Obstacle obstacle;
  };
  Grouping grouping;
  std::vector<Pair> pairs;
};
Separations separate_groups(const Graph& graph, const std::vector<bool>& late);

/// The same as text, a line for each two. `products`: by node, what became of matrix products whose readers are loops.
std::string explain_groups(const Graph& graph, const std::vector<bool>& late,
                           const std::map<std::uint32_t, std::string>& products);

}  // namespace weft
