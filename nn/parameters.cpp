#include "parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "../ops/arg.h"
#include "../ops/compose.h"
#include "../ops/mismatch.h"
#include "../ops/trace.h"

namespace weft::nn::detail {
namespace {

// 1234567 as 1,234,567
std::string grouped(std::int64_t n) {
  std::string s = std::to_string(n);
  for (auto at = static_cast<std::int64_t>(s.size()) - 3; at > 0; at -= 3) s.insert(static_cast<std::size_t>(at), ",");
  return s;
}

std::string bytes_text(std::int64_t n) {
  if (n < 10'000) return fmt::format("{} B", n);
  if (n < 10'000'000) return fmt::format("{:.1f} kB", static_cast<double>(n) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(n) / 1e6);
}

// The same paths and types, in the same order.
void check_alike(const Parameters& to, const Parameters& from) {
  if (to.size() != from.size())
    throw ArgumentError(fmt::format("a model of {} variables takes the values of {}", to.size(), from.size()));
  for (std::size_t i = 0; i < to.size(); ++i) {
    const Type &a = to[i].type(), &b = from[i].type();
    const auto rule = [&] {
      return fmt::format("\"{}\" is {}, what it is given \"{}\" {}", to[i].path(), a.text(), from[i].path(), b.text());
    };
    if (to[i].path() != from[i].path()) throw ArgumentError(rule());
    weft::detail::check_same_type(a, b, rule);
  }
}

}  // namespace

void assign_all(const Parameters& to, const Parameters& from, const Site& site) {
  weft::detail::called("assign", site, [&] {
    check_alike(to, from);
    const auto lock = lock_update();
    std::vector<Tensor> values;  // all of them, should the models share some
    for (const Parameter& p : from) values.push_back(p.variable().value());
    for (std::size_t i = 0; i < to.size(); ++i) to[i].variable().assign(values[i]);
  });
}

void update_averages(const Parameters& averages, const Parameters& of, double decay, const Site& site) {
  weft::detail::called("update_average", site, [&] {
    if (!(decay >= 0 && decay <= 1)) throw ArgumentError(fmt::format("the decay {} is not in [0, 1]", decay));
    check_alike(averages, of);
    const auto lock = lock_update();
    for (std::size_t i = 0; i < of.size(); ++i) {
      const Tensor value = of[i].variable().value();
      Variable average = averages[i].variable();
      if (!is_floating(value.dtype()))
        average.assign(value);
      else if (!average.same(of[i].variable()))
        average.assign(lerp(value, average.value(), decay));
    }
  });
}

std::string summary_text(const std::vector<SummaryRow>& all) {
  struct Line {
    std::string layer, kind, holds, count;
  };
  std::vector<Line> lines = {{"layer", "kind", "variables", "count"}};
  std::int64_t trained = 0, fixed = 0, bytes = 0;  // each variable once
  std::unordered_set<const VariableState*> seen;
  for (const SummaryRow& row : all) {
    if (row.parameters.empty() && row.text.empty()) continue;  // a mere container
    Line line{row.path.empty() ? "(model)" : row.path, row.text.empty() ? "-" : row.text, "", ""};
    std::int64_t n = 0;
    for (const Parameter& p : row.parameters) {
      const std::int64_t size = count(p.shape());
      line.holds += (line.holds.empty() ? "" : ", ") + p.path() + " " + p.type().text();
      n += size;
      if (!seen.insert(p.state().get()).second) continue;
      (p.trainable() ? trained : fixed) += size;
      bytes += size * static_cast<std::int64_t>(size_of(p.type().dtype));
    }
    line.count = grouped(n);
    lines.push_back(std::move(line));
  }
  std::size_t a = 0, b = 0, c = 0, d = 0;
  for (const Line& l : lines) {
    a = std::max(a, l.layer.size());
    b = std::max(b, l.kind.size());
    c = std::max(c, l.holds.size());
    d = std::max(d, l.count.size());
  }
  std::string text;
  for (const Line& l : lines)
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>{}}\n", l.layer, a, l.kind, b, l.holds, c, l.count, d);
  text += fmt::format("{} parameters ({} trained, {} not), {}\n", grouped(trained + fixed), grouped(trained),
                      grouped(fixed), bytes_text(bytes));
  return text;
}

}  // namespace weft::nn::detail
