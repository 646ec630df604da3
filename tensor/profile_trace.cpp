// Profiles in Chrome's trace-event format, which Perfetto reads too: complete events ("X") in microseconds, a counter
// ("C") for memory, names of threads ("M"), flows ("s", "f") from ops to their gradients.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

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

// Where an op ran, or the op whose gradient ran.
using Place = std::tuple<std::string_view, const void*, std::uint32_t, std::uint32_t, const Scope*>;

// A file that takes the place of the one at its path when all of it is there; pipes and devices are written as it
// comes.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path) {
    static std::atomic<int> made{0};
    struct stat info;
    const bool replaces = ::lstat(path.c_str(), &info) ? errno == ENOENT : S_ISREG(info.st_mode);
    name_ = replaces ? path + fmt::format(".{}.{}.part", ::getpid(), ++made) : path;
    file_ = std::fopen(name_.c_str(), "w");
    if (!file_ && replaces) {  // a folder in which nothing can be made, or a name that bears no more
      name_ = path;
      file_ = std::fopen(name_.c_str(), "w");
    }
    if (!file_) fail();
  }
  ~NewFile() {
    if (file_) std::fclose(file_);
    if (!done_ && name_ != path_) ::unlink(name_.c_str());
  }
  NewFile(const NewFile&) = delete;

  void put(const std::string& s) {
    if (std::fwrite(s.data(), 1, s.size(), file_) != s.size()) fail();
  }
  void finish() {
    if (std::fclose(std::exchange(file_, nullptr)) != 0) fail();
    if (name_ != path_ && std::rename(name_.c_str(), path_.c_str()) != 0) fail();
    done_ = true;
  }

 private:
  [[noreturn]] void fail() const {
    const int error = errno;
    throw FormatError(fmt::format("{}: can't write the trace: {}", shortened(path_, 400), std::strerror(error)));
  }

  std::string path_, name_;
  std::FILE* file_ = nullptr;
  bool done_ = false;
};

}  // namespace

// Pairs of events: an op, and its gradient. A tape replays the latest op first: of those at the same place the last one
// that has none yet.
std::vector<std::pair<std::size_t, std::size_t>> Profiler::Result::flows() const {
  std::vector<std::size_t> order(events.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return events[i].begin; });
  std::map<Place, std::vector<std::size_t>> open;
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (const std::size_t i : order) {
    const detail::ProfileItem& item = *nodes[events[i].node].item;
    const bool gradient = item.kind == detail::ProfileKind::gradient;
    if ((!gradient && item.kind != detail::ProfileKind::op) || item.origins.empty()) continue;
    const Origin& at = item.origins[0];
    const Scope* scope = gradient && at.scope ? at.scope->outer : at.scope;
    std::vector<std::size_t>& ran = open[{item.name, at.file_name(), at.line(), at.column(), scope}];
    if (!gradient) {
      ran.push_back(i);
    } else if (!ran.empty()) {
      pairs.emplace_back(ran.back(), i);
      ran.pop_back();
    }
  }
  return pairs;
}

void Profiler::write_trace(const std::string& path) const {
  const Result r = collect();
  NewFile file(path);
  const auto put = [&](const std::string& s) { file.put(s); };
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
  std::size_t flow = 0;
  for (const auto& [forward, gradient] : r.flows()) {
    const auto end = [&](const char* kind, const Result::Event& e) {
      put(fmt::format(
          ",\n{{\"ph\":{},\"pid\":1,\"tid\":{},\"ts\":{},\"id\":{},\"name\":\"gradient\",\"cat\":\"gradient\"}}", kind,
          e.thread, micro(e.begin), flow));
    };
    end("\"s\"", r.events[forward]);
    end("\"f\",\"bp\":\"e\"", r.events[gradient]);
    ++flow;
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
  file.finish();
}

}  // namespace weft
