// Memory in profiles.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "error.h"
#include "profile_result.h"

namespace weft {

MemoryProfile Profiler::Result::memory() const {
  MemoryProfile m{bytes_before, bytes_before, 0, {}, {}, blocks_left_out};
  std::int64_t live = bytes_before;
  std::size_t peak = 0;  // so many blocks until then
  m.timeline.push_back({0, live});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    live += blocks[i].bytes;
    m.timeline.push_back({blocks[i].seconds, live});
    if (live <= m.peak_bytes) continue;
    m.peak_bytes = live;
    m.peak_seconds = blocks[i].seconds;
    peak = i + 1;
  }

  std::unordered_map<const void*, const Block*> alive;
  std::int64_t before = bytes_before;
  for (std::size_t i = 0; i < peak; ++i) {
    if (blocks[i].bytes > 0)
      alive[blocks[i].block] = &blocks[i];
    else if (!alive.erase(blocks[i].block))
      before += blocks[i].bytes;
  }
  std::map<std::tuple<std::string, std::string, std::string>, MemoryProfile::Owner> owners;
  for (const auto& [address, block] : alive) {
    const detail::ProfileItem* const item = block->owner.get();
    const Origin origin = item && !item->origins.empty() ? item->origins[0] : Origin();
    const std::string named = item ? detail::op_name(*item) : "";
    const std::string op = named.empty() ? "host code" : named, line = detail::line_name(origin),
                      module = detail::module_name(origin);
    MemoryProfile::Owner& o = owners[{op, line, module}];
    if (o.blocks == 0) o = {op, line, module, 0, 0};
    ++o.blocks;
    o.bytes += block->bytes;
  }
  for (auto& [key, owner] : owners) m.owners.push_back(std::move(owner));
  std::stable_sort(m.owners.begin(), m.owners.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  if (before > 0) m.owners.push_back({"before the profile", "", "", 0, before});
  return m;
}

std::string MemoryProfile::text() const {
  constexpr std::size_t most = 20, columns = 60;
  constexpr double mb = 1e6;
  std::string s =
      fmt::format("\nmemory: peak {:.3f} MB at {:.3f} ms, {:.3f} MB of it from before\n",
                  static_cast<double>(peak_bytes) / mb, 1e3 * peak_seconds, static_cast<double>(bytes_before) / mb);
  if (left_out) s += fmt::format("the last {} allocations and releases are not in this\n", left_out);
  // The most that lived in each of 60 parts of the time.
  if (timeline.size() > 1 && timeline.back().seconds > 0 && peak_bytes > 0) {
    std::vector<std::int64_t> parts(columns, 0);
    std::size_t at = 0;
    std::int64_t live = timeline[0].bytes;
    for (const Point& p : timeline) {
      const auto part = std::min(columns - 1, static_cast<std::size_t>(p.seconds / timeline.back().seconds * columns));
      for (; at < part; ++at) parts[at + 1] = live;
      live = p.bytes;
      parts[at] = std::max(parts[at], live);
    }
    constexpr const char* levels[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    s += "[";
    for (const std::int64_t b : parts)
      s += levels[static_cast<std::size_t>(8.0 * static_cast<double>(b) / static_cast<double>(peak_bytes) + 0.5)];
    s += fmt::format("] until {:.3f} ms\n", 1e3 * timeline.back().seconds);
  }
  s += fmt::format("{:<36} {:>7} {:>11}  {}\n", "at the peak", "blocks", "MB", "line, module");
  for (std::size_t k = 0; k < std::min(most, owners.size()); ++k) {
    const Owner& o = owners[k];
    s += fmt::format("{:<36} {:>7} {:>11.3f}  {}{}{}\n", detail::row_name(o.op, 31), o.blocks,
                     static_cast<double>(o.bytes) / mb, o.line, o.line.empty() || o.module.empty() ? "" : ", ",
                     detail::row_name(o.module, 400));
  }
  if (owners.size() > most) s += fmt::format("and {} others\n", owners.size() - most);
  return s;
}

}  // namespace weft
