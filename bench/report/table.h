// The report's table.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::bench {

/// A benchmark: the medians of its repetitions.
struct Row {
  std::string name;
  std::string time;      ///< with its unit
  double variation = 0;  ///< standard deviation of the repetitions over their mean; negative: one repetition
  std::string wrong;     ///< why it was not timed; the table has its first line
  std::map<std::string, double> counters = {};

  /// 0 if there is none.
  double counter(const std::string& key) const;
};

/// What the row of a failure says in place of figures, and in bench.json the label of a repetition (outcome.h).
inline constexpr std::string_view not_timed = "NOT TIMED: ";

/// "1.25 us".
std::string time_text(double seconds);

/// The headings, and the row as text under them. What has no column of its own stands in the last.
const std::vector<std::string>& headings();
std::vector<std::string> cells(const Row& row);

/// A report in Markdown: the context, then a table for each first part of the names.
std::string markdown(const std::vector<std::pair<std::string, std::string>>& context, const std::vector<Row>& rows);

}  // namespace weft::bench
