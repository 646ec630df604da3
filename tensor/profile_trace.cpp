// Profiles in Chrome's trace-event format, which Perfetto reads too: complete events ("X") in microseconds, a counter
// ("C") for memory, names of threads ("M").
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>

#include "error.h"
#include "profile_result.h"

namespace weft {
namespace {

std::string quoted(std::string_view text) {
  std::string s = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      s += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20)
      s += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      s += c;
  }
  return s + "\"";
}

std::string micro(std::int64_t ns) { return fmt::format("{}.{:03}", ns / 1000, ns % 1000); }

constexpr const char* kinds[] = {"scope", "gradient", "phase", "op", "kernel"};

// What is the same in all events of a node.
std::string described(const detail::ProfileItem& item) {
  const bool gradient = item.kind == detail::ProfileKind::gradient;
  std::string s =
      fmt::format("\"name\":{},\"cat\":\"{}\",\"args\":{{", quoted(item.name + (gradient ? " (gradient)" : "")),
                  kinds[static_cast<std::size_t>(item.kind)]);
  const char* separator = "";
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    s += fmt::format("{}\"{}\":{}", separator, name, value);
    separator = ",";
  };
  const auto joined = [&](std::string (*of)(const Origin&)) {
    std::string all;
    std::set<std::string> seen;
    for (const Origin& o : item.origins)
      if (const std::string one = of(o); !one.empty() && seen.insert(one).second) all += (all.empty() ? "" : " ") + one;
    return all.empty() ? all : quoted(all);
  };
  if (!item.detail.empty()) add("operands", quoted(item.detail));
  add("line", joined(detail::line_name));
  add("module", joined(detail::module_name));
  if (item.flops > 0) add("flops", fmt::format("{:.0f}", item.flops));
  if (item.bytes > 0) add("bytes", fmt::format("{:.0f}", item.bytes));
  return s + "}";
}

struct Close {
  void operator()(std::FILE* f) const { std::fclose(f); }
};

}  // namespace

void Profiler::write_trace(const std::string& path) const {
  const Result r = collect();
  const auto fail = [&] {
    throw FormatError(fmt::format("{}: can't write the trace: {}", shortened(path, 400), std::strerror(errno)));
  };
  std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "w"));
  if (!file) fail();
  const auto put = [&](const std::string& s) {
    if (std::fwrite(s.data(), 1, s.size(), file.get()) != s.size()) fail();
  };
  put(fmt::format(
      "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"spans left out\":{},\"blocks left out\":{}}},"
      "\"traceEvents\":[\n{{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{{\"name\":\"weft\"}}}}",
      r.events_left_out, r.blocks_left_out));
  std::vector<std::string> text(r.nodes.size());
  std::set<int> threads;
  for (const Result::Event& e : r.events) {
    if (threads.insert(e.thread).second)
      put(fmt::format(
          ",\n{{\"ph\":\"M\",\"pid\":1,\"tid\":{},\"name\":\"thread_name\",\"args\":{{\"name\":\"thread {}\"}}}}",
          e.thread, e.thread));
    std::string& node = text[e.node];
    if (node.empty()) node = described(*r.nodes[e.node].item);
    put(fmt::format(",\n{{\"ph\":\"X\",\"pid\":1,\"tid\":{},\"ts\":{},\"dur\":{},{}}}", e.thread, micro(e.begin),
                    micro(e.end - e.begin), node));
  }
  // At most some thousand points, the largest of each stretch.
  const std::vector<MemoryProfile::Point> timeline = r.memory().timeline;
  const std::size_t stretch = timeline.size() / 5000 + 1;
  for (std::size_t i = 0; i < timeline.size(); i += stretch) {
    MemoryProfile::Point most = timeline[i];
    for (std::size_t k = i; k < std::min(timeline.size(), i + stretch); ++k)
      if (timeline[k].bytes > most.bytes) most = timeline[k];
    put(fmt::format(",\n{{\"ph\":\"C\",\"pid\":1,\"name\":\"memory\",\"ts\":{},\"args\":{{\"bytes\":{}}}}}",
                    micro(static_cast<std::int64_t>(1e9 * most.seconds)), most.bytes));
  }
  put("\n]}\n");
  if (std::fflush(file.get()) != 0) fail();
}

}  // namespace weft
