// What a profiler has collected: the logs, cut to its time, in seconds.
#pragma once

#include "profile_log.h"
#include "profiler.h"

namespace weft {

struct Profiler::Result {
  struct Node {
    std::shared_ptr<const detail::ProfileItem> item;  // null: the thread itself, outside of everything
    int parent = -1;
    std::int64_t calls = 0;
    double total = 0, self = 0;  // seconds
  };
  struct Event {
    std::size_t node;
    int thread;
    std::int64_t begin, end;  // ns since the profile began
  };
  struct Block {
    const void* block;
    std::int64_t bytes, tick;
    std::shared_ptr<const detail::ProfileItem> owner;  // null: none
    double seconds;
  };

  double seconds = 0;
  int threads = 0;            // that did something
  std::vector<Node> nodes;    // outer ones first
  std::vector<Event> events;  // outer ones first
  std::size_t events_left_out = 0;
  std::vector<Block> blocks;  // in order of time
  std::size_t blocks_left_out = 0;
  std::int64_t bytes_before = 0;

  std::vector<ProfileRow> rows(ProfileBy by, const Roofline* roof) const;  // null: none
  MemoryProfile memory() const;
  std::vector<std::pair<std::size_t, std::size_t>> flows() const;  // of events: ops, and their gradients
};

namespace detail {
/// Of num_threads() when first asked for, which takes half a second.
const Roofline& profile_roofline();
/// "matmul", "matmul (gradient)": what it is in tables by op; empty: a scope, whose own time is the program's.
std::string op_name(const ProfileItem& item);
/// "block/fc1 (gradient)"; empty: outside modules.
std::string module_name(const Origin& origin);
/// A name cut to so many letters, in one line: a row of a table.
std::string row_name(std::string_view name, std::size_t limit);
/// "train.cpp:41"; empty where it is not known.
std::string line_name(const Origin& origin);
}  // namespace detail

}  // namespace weft
