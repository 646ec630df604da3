// Profiles as tables.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "error.h"
#include "profile_result.h"
#include "roofline_text.h"
#include "threads.h"

namespace weft {

std::string detail::op_name(const ProfileItem& item) {
  if (item.kind == ProfileKind::scope) return {};
  if (item.kind == ProfileKind::gradient) return item.name + " (gradient)";
  const Scope* const scope = item.kind == ProfileKind::op && !item.origins.empty() ? item.origins[0].scope : nullptr;
  const std::string_view rule = scope ? scope->gradient_of() : std::string_view();
  return rule.empty() ? item.name : std::string(rule) + " (gradient)";
}

std::string detail::module_name(const Origin& origin) {
  if (!origin.scope) return {};
  const std::string path = origin.scope->modules();
  return path.empty() || origin.scope->gradient_of().empty() ? path : path + " (gradient)";
}

std::string detail::line_name(const Origin& origin) { return site_text(origin); }

std::string detail::row_name(std::string_view name, std::size_t limit) {
  std::string s = shortened(name, limit);
  std::ranges::replace_if(
      s, [](unsigned char c) { return c < ' '; }, ' ');
  return s;
}

const Roofline& detail::profile_roofline() {
  static const Roofline& measured = *new Roofline(measure_roofline(num_threads(), 8));  // for what is printed at exit
  return measured;
}

namespace {

using detail::ProfileItem;

// A row that a node belongs to, with which parts of its own and of its whole time.
struct Share {
  std::size_t row;
  double self, total;
};

class Rows {
 public:
  explicit Rows(ProfileBy by) : by_(by) {}

  std::vector<Share> of(const ProfileItem* item) {
    if (by_ == ProfileBy::op) return {share(item ? detail::op_name(*item) : "", "host code", 1)};
    std::vector<Share> shares;
    const Origin unknown;
    const std::size_t n = item ? item->origins.size() : 0;
    const double part = n ? 1 / static_cast<double>(n) : 1;
    for (std::size_t i = 0; i < std::max<std::size_t>(n, 1); ++i) {
      const Origin& origin = n ? item->origins[i] : unknown;
      if (by_ == ProfileBy::line) {
        add(shares, share(detail::line_name(origin), "no line", part));
        continue;
      }
      add(shares, share(detail::module_name(origin), "outside modules", part));
      if (!origin.scope) continue;
      // A module's whole time holds those inside it.
      const Scope* scope = origin.scope;
      while (scope && scope->gradient) scope = scope->outer;
      for (scope = scope ? scope->outer : nullptr; scope; scope = scope->outer) {
        if (scope->gradient) continue;
        Share outer = share(scope->modules() + (origin.scope->gradient_of().empty() ? "" : " (gradient)"), "", part);
        outer.self = 0;
        add(shares, outer);
      }
    }
    return shares;
  }

  std::vector<ProfileRow> rows;

 private:
  Share share(const std::string& name, const char* otherwise, double part) {
    const auto [at, made] = places_.try_emplace(name.empty() ? otherwise : name, rows.size());
    if (made) rows.push_back({.name = at->first});
    return {at->second, part, part};
  }
  static void add(std::vector<Share>& shares, const Share& s) {
    for (Share& known : shares)
      if (known.row == s.row) return static_cast<void>((known.self += s.self, known.total += s.total));
    shares.push_back(s);
  }

  ProfileBy by_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace

std::vector<ProfileRow> Profiler::Result::rows(ProfileBy by, const Roofline* roof) const {
  Rows list(by);
  std::vector<std::vector<Share>> shares;
  for (const Node& n : nodes) {
    const ProfileItem* const item = n.item.get();
    shares.push_back(list.of(item));
    if (n.calls == 0 && n.total <= 0) continue;
    double least = 0;
    if (roof && item && item->bytes + item->arithmetic.operations > 0)
      least = roof->seconds(item->bytes, item->bytes, item->arithmetic);
    const auto calls = static_cast<double>(n.calls);
    for (const Share& s : shares.back()) {
      ProfileRow& row = list.rows[s.row];
      row.self_seconds += s.self * n.self;
      row.roof += s.self * calls * least;
      if (item) row.flops += s.self * calls * item->flops, row.bytes += s.self * calls * item->bytes;
      // Inside another of the same row it is counted there.
      bool inside = false;
      for (int p = n.parent; p >= 0 && !inside; p = nodes[static_cast<std::size_t>(p)].parent)
        inside = nodes[static_cast<std::size_t>(p)].item &&
                 std::any_of(shares[static_cast<std::size_t>(p)].begin(), shares[static_cast<std::size_t>(p)].end(),
                             [&](const Share& outer) { return outer.row == s.row; });
      if (inside) continue;
      row.calls += n.calls;
      row.total_seconds += s.total * (item ? n.total : n.self);  // a thread's whole time is no row's
    }
  }
  std::vector<ProfileRow> rows = std::move(list.rows);
  std::erase_if(rows, [](const ProfileRow& r) { return r.calls == 0 && r.self_seconds <= 0 && r.total_seconds <= 0; });
  for (ProfileRow& r : rows) r.roof = r.self_seconds > 0 ? r.roof / r.self_seconds : 0;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.self_seconds > b.self_seconds; });
  return rows;
}

namespace {

// A number in a column; nothing for nothing.
std::string rate(double amount, double seconds, double unit) {
  return amount > 0 && seconds > 0 ? fmt::format("{:.1f}", amount / seconds / unit) : "";
}

// A path's end tells more than its beginning.
std::string path_end(std::string_view path, std::size_t limit) {
  const bool cut = path.size() > limit;
  return (cut ? "... " : "") + detail::row_name(cut ? path.substr(path.size() - limit + 4) : path, limit);
}

std::string section(std::string_view heading, const std::vector<ProfileRow>& rows, std::size_t most, double seconds,
                    bool paths) {
  constexpr std::size_t width = 44;
  std::string s = fmt::format("\n{:<{}} {:>9} {:>10} {:>6} {:>10} {:>8} {:>7} {:>6} {:>9}\n", heading, width, "calls",
                              "self ms", "self %", "total ms", "GFLOP/s", "GB/s", "roof %", "MB");
  const auto line = [&](const ProfileRow& r) {
    s += fmt::format("{:<{}} {:>9} {:>10.3f} {:>6.1f} {:>10.3f} {:>8} {:>7} {:>6} {:>9}\n",
                     paths ? path_end(r.name, width) : detail::row_name(r.name, width - 5), width, r.calls,
                     1e3 * r.self_seconds, seconds > 0 ? 100 * r.self_seconds / seconds : 0, 1e3 * r.total_seconds,
                     rate(r.flops, r.self_seconds, 1e9), rate(r.bytes, r.self_seconds, 1e9), rate(100 * r.roof, 1, 1),
                     rate(r.bytes, 1, 1e6));
  };
  ProfileRow rest{.name = "others"};
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (k < most) {
      line(rows[k]);
      continue;
    }
    rest.calls += rows[k].calls;
    rest.self_seconds += rows[k].self_seconds;
    rest.total_seconds += rows[k].total_seconds;
    rest.flops += rows[k].flops;
    rest.bytes += rows[k].bytes;
    rest.roof += rows[k].roof * rows[k].self_seconds;
  }
  if (rows.size() <= most) return s;
  rest.roof = rest.self_seconds > 0 ? rest.roof / rest.self_seconds : 0;
  rest.name = fmt::format("{} others", rows.size() - most);
  line(rest);
  return s;
}

}  // namespace

std::string Profiler::table(std::size_t most, bool roof) const {
  const Result r = collect();
  std::string s = fmt::format("profile of {:.3f} ms", 1e3 * r.seconds);
  if (r.threads > 1) s += fmt::format("; {} threads ran ops, whose times add up to more", r.threads);
  const Roofline* const top = roof ? &detail::profile_roofline() : nullptr;
  if (top)
    s += fmt::format("\nroof: {} on {} thread{}", roofline_text(*top), num_threads(), num_threads() == 1 ? "" : "s");
  s += "\n";
  bool above = false;
  for (const auto& [heading, by] : {std::pair{"op or kernel", ProfileBy::op}, std::pair{"module", ProfileBy::module},
                                    std::pair{"line", ProfileBy::line}}) {
    const std::vector<ProfileRow> rows = r.rows(by, top);
    s += section(heading, rows, most, r.seconds, by != ProfileBy::op);
    above |= std::ranges::any_of(rows, [](const ProfileRow& row) { return row.roof >= 1.0005; });
  }
  if (above) s += "\nroof above 100 %: a cache gave what is counted as read from a slower one or from memory\n";
  return s;
}

}  // namespace weft
