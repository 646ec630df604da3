#include "table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_set>

#include "../ops/math.h"
#include "../tensor/create.h"
#include "batches.h"

namespace weft::data {
namespace {

constexpr double most_exact = 0x1p53;  // of whole numbers: from here on two may be one f64
constexpr double none = std::numeric_limits<double>::quiet_NaN();

Column read_column(const io::Csv& csv, std::size_t c) {
  Column column{csv.names()[c]};
  column.numbers.reserve(csv.rows());
  for (std::size_t r = 0; r < csv.rows(); ++r) {
    const auto v = io::number(csv.cell(r, c));
    if (!v || (std::abs(*v) >= most_exact && csv.cell(r, c).find_first_of(".eE") == std::string_view::npos)) {
      column.numeric = false;
      break;
    }
    column.numbers.push_back(*v);
  }
  if (column.numeric) return column;
  column.numbers.clear();
  for (std::size_t r = 0; r < csv.rows(); ++r)
    column.texts.emplace_back(io::is_missing(csv.cell(r, c)) ? std::string_view() : csv.cell(r, c));
  return column;
}

// A row as bytes: equal if and only if all cells are.
std::string row_key(const std::vector<Column>& columns, std::size_t row) {
  std::string key;
  for (const Column& c : columns) {
    if (c.numeric) {
      const double v = c.missing(row) ? none : c.numbers[row] + 0.0;  // one NaN; -0 + 0 is 0
      key.append(reinterpret_cast<const char*>(&v), sizeof v);
    } else {
      key += fmt::format("{}:", c.texts[row].size());
      key += c.texts[row];
    }
  }
  return key;
}

Split split_rows(std::int64_t rows, double validation_share, double test_share, std::uint64_t seed) {
  if (!(validation_share >= 0 && test_share >= 0 && validation_share + test_share <= 1))
    throw ArgumentError(fmt::format("shares of {} for validation and {} for the test", validation_share, test_share));
  const auto part = [&](double share) {
    return static_cast<std::int64_t>(std::llround(share * static_cast<double>(rows)));
  };
  const std::int64_t validation = part(validation_share), test = std::min(part(test_share), rows - validation),
                     train = rows - validation - test;
  if ((validation_share > 0 && validation == 0) || (test_share > 0 && test == 0) ||
      (validation_share + test_share < 1 && train == 0))
    throw ArgumentError(fmt::format("{} rows are too few for three parts", rows));
  const auto order = permutation(rows, seed);
  const auto from = order.begin(), a = from + train, b = a + validation;
  return {{from, a}, {a, b}, {b, order.end()}};
}

}  // namespace

using weft::detail::called;

std::vector<std::string> Column::categories() const {
  std::vector<std::string> list;
  if (numeric) {
    std::vector<double> values;
    for (const double v : numbers)
      if (v == v) values.push_back(v + 0.0);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    for (const double v : values) list.push_back(fmt::format("{}", v));
  } else {
    for (const std::string& s : texts)
      if (!s.empty()) list.push_back(s);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return list;
}

Table::Table(const io::Csv& csv) : rows_(csv.rows()) {
  for (std::size_t c = 0; c < csv.columns(); ++c) columns_.push_back(read_column(csv, c));
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& c = columns_[i];
    const std::size_t n = c.numeric ? c.numbers.size() : c.texts.size();
    if (i == 0) rows_ = n;
    if (n != rows_)
      throw ArgumentError(fmt::format("the column \"{}\" has {} rows, not {}", shortened(c.name), n, rows_));
    if (!seen.insert(c.name).second)
      throw ArgumentError(fmt::format("two columns are called \"{}\"", shortened(c.name)));
  }
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> list;
  for (const Column& c : columns_) list.push_back(c.name);
  return list;
}

std::size_t Table::find(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].name == name) return i;
  std::string there;
  for (const Column& c : columns_) there += (there.empty() ? "" : ", ") + c.name;
  throw ArgumentError(
      fmt::format("there is no column \"{}\"; the columns are {}", shortened(name), shortened(there, 1000)));
}

const Column& Table::column(std::string_view name, Site site) const {
  return columns_[called("column", site, [&] { return find(name); })];
}

std::size_t Table::missing() const {
  std::size_t n = 0;
  for (const Column& c : columns_)
    for (std::size_t r = 0; r < rows_; ++r) n += c.missing(r);
  return n;
}

std::size_t Table::keep_rows(const std::vector<bool>& keep) {
  const auto kept = static_cast<std::size_t>(std::count(keep.begin(), keep.end(), true));
  for (Column& c : columns_) {
    std::size_t to = 0;
    for (std::size_t r = 0; r < rows_; ++r) {
      if (!keep[r]) continue;
      if (c.numeric)
        c.numbers[to] = c.numbers[r];
      else if (to != r)
        c.texts[to] = std::move(c.texts[r]);
      ++to;
    }
    c.numeric ? c.numbers.resize(kept) : c.texts.resize(kept);
  }
  const std::size_t dropped = rows_ - kept;
  rows_ = kept;
  return dropped;
}

std::size_t Table::drop_missing() {
  std::vector<bool> keep(rows_, true);
  for (const Column& c : columns_)
    for (std::size_t r = 0; r < rows_; ++r)
      if (c.missing(r)) keep[r] = false;
  return keep_rows(keep);
}

std::size_t Table::drop_missing(std::string_view name, Site site) {
  const Column& c = columns_[called("drop_missing", site, [&] { return find(name); })];
  std::vector<bool> keep(rows_, true);
  for (std::size_t r = 0; r < rows_; ++r) keep[r] = !c.missing(r);
  return keep_rows(keep);
}

std::size_t Table::fill_missing() {
  std::size_t filled = 0;
  std::erase_if(columns_, [&](const Column& c) { return c.categories().empty(); });
  for (Column& c : columns_) {
    if (c.numeric) {
      std::vector<double> values;
      for (const double v : c.numbers)
        if (v == v) values.push_back(v);
      const std::size_t n = values.size();
      if (n == rows_) continue;
      std::sort(values.begin(), values.end());
      const double median = n % 2 ? values[n / 2] : std::midpoint(values[n / 2 - 1], values[n / 2]);
      for (double& v : c.numbers)
        if (v != v) v = median, ++filled;
    } else {
      std::map<std::string_view, std::size_t> counts;
      for (const std::string& s : c.texts)
        if (!s.empty()) ++counts[s];
      const std::string most(std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
                               return a.second < b.second;
                             })->first);
      for (std::string& s : c.texts)
        if (s.empty()) s = most, ++filled;
    }
  }
  return filled;
}

std::size_t Table::drop_duplicates() {
  std::unordered_set<std::string> seen;
  std::vector<bool> keep(rows_);
  for (std::size_t r = 0; r < rows_; ++r) keep[r] = seen.insert(row_key(columns_, r)).second;
  return keep_rows(keep);
}

void Table::drop_column(std::string_view name, Site site) {
  const std::size_t at = called("drop_column", site, [&] { return find(name); });
  columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(at));
}

Labels Table::take_labels(std::string_view name, Site site) {
  return called("take_labels", site, [&] { return take_column(find(name)); });
}

Labels Table::take_column(std::size_t at) {
  const Column& c = columns_[at];
  Labels labels{Tensor::allocate({i64, {static_cast<std::int64_t>(rows_)}}), c.categories()};
  if (labels.classes.size() < 2)
    throw ArgumentError(fmt::format("the label column \"{}\" has {} distinct values, at least 2", shortened(c.name),
                                    labels.classes.size()));
  std::map<std::string_view, std::int64_t> number;
  for (const std::string& s : labels.classes) number.emplace(s, static_cast<std::int64_t>(number.size()));
  auto* y = labels.y.view().as<std::int64_t>();
  for (std::size_t r = 0; r < rows_; ++r) {
    if (c.missing(r))
      throw ArgumentError(fmt::format("the label column \"{}\" has no value in row {}", shortened(c.name), r + 1),
                          "drop_missing(label) first");
    y[r] = c.numeric ? number.at(fmt::format("{}", c.numbers[r] + 0.0)) : number.at(c.texts[r]);
  }
  columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(at));
  return labels;
}

void Table::encode(std::size_t max_categories, Site site) {
  called("encode", site, [&] { columns_ = encoded(max_categories); });
}

std::vector<Column> Table::encoded(std::size_t max_categories) const {
  std::vector<Column> encoded;
  std::unordered_set<std::string> seen;
  const auto add = [&](Column column) {
    if (!seen.insert(column.name).second)
      throw ArgumentError(fmt::format("two columns would be called \"{}\"", shortened(column.name)));
    encoded.push_back(std::move(column));
  };
  for (const Column& c : columns_) {
    if (c.numeric) {
      add(c);
      continue;
    }
    const auto categories = c.categories();
    if (categories.size() > max_categories)
      throw ArgumentError(fmt::format("the text column \"{}\" has {} distinct values, at most {}", shortened(c.name),
                                      categories.size(), max_categories),
                          "drop_column it: it looks like a name or a date");
    for (std::size_t k = categories.size() == 2 ? 1 : 0; k < categories.size(); ++k) {
      Column hot{c.name + "=" + categories[k]};
      for (const std::string& s : c.texts) hot.numbers.push_back(s == categories[k]);
      add(std::move(hot));
    }
  }
  return encoded;
}

Tensor Table::to_tensor(Site site) const {
  return called("to_tensor", site, [&] {
    if (columns_.empty() || rows_ == 0)
      throw ArgumentError(fmt::format("a table of {} rows and {} columns makes no tensor", rows_, columns_.size()),
                          "fill_missing() drops columns that have no value at all");
    const Tensor t =
        Tensor::allocate({f32, {static_cast<std::int64_t>(rows_), static_cast<std::int64_t>(columns_.size())}});
    for (std::size_t c = 0; c < columns_.size(); ++c) write_column(columns_[c], t.view().as<float>() + c);
    return t;
  });
}

void Table::write_column(const Column& c, float* to) const {
  if (!c.numeric) throw ArgumentError(fmt::format("the column \"{}\" is text", shortened(c.name)), "encode() first");
  for (std::size_t r = 0; r < rows_; ++r) {
    to[r * columns_.size()] = static_cast<float>(c.numbers[r]);
    if (std::isinf(to[r * columns_.size()]))
      throw ArgumentError(fmt::format("the column \"{}\" holds {} in row {}, too large for f32", shortened(c.name),
                                      c.numbers[r], r + 1));
  }
}

Table read_table(const std::filesystem::path& path, const io::CsvOptions& options, Site site) {
  return called("read_table", site, [&] { return Table(io::detail::read_csv(path, options)); });
}

// ---- scaling and splitting ----
Scaler Scaler::fit(const Tensor& x, Site site) {
  called("Scaler::fit", site, [&] {
    if (x.rank() != 2 || x.shape()[0] == 0)
      throw ShapeError(fmt::format("a scaler is fitted to [rows, columns], not {}", x.shape().text()));
  });
  const auto values = x.to_vector<double>();
  const auto rows = static_cast<std::size_t>(x.shape()[0]), columns = static_cast<std::size_t>(x.shape()[1]);
  std::vector<float> means, deviations;
  for (std::size_t c = 0; c < columns; ++c) {
    double mean = 0, square = 0;
    for (std::size_t r = 0; r < rows; ++r) mean += values[r * columns + c];
    mean /= static_cast<double>(rows);
    for (std::size_t r = 0; r < rows; ++r)
      square += (values[r * columns + c] - mean) * (values[r * columns + c] - mean);
    const double deviation = std::sqrt(square / static_cast<double>(rows));
    means.push_back(static_cast<float>(mean));
    deviations.push_back(deviation > 0 ? static_cast<float>(deviation) : 1);
  }
  return {from_vector(means), from_vector(deviations)};
}

Tensor Scaler::operator()(const Tensor& x, Site site) const {
  return called("Scaler", site, [&] {
    if (x.rank() == 0 || x.shape().back() != mean.shape()[0])
      throw ShapeError(fmt::format("a scaler of {} columns scales [..., {}], not {}", mean.shape()[0], mean.shape()[0],
                                   x.shape().text()));
    const DType type = is_floating(x.dtype()) ? x.dtype() : f32;
    return (x - cast(mean, type)) / cast(deviation, type);
  });
}

Split split(std::int64_t rows, double validation_share, double test_share, std::uint64_t seed, Site site) {
  return called("split", site, [&] { return split_rows(rows, validation_share, test_share, seed); });
}

}  // namespace weft::data
