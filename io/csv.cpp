#include "csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_set>
#include <utility>

#include "../tensor/error.h"
#include "file.h"

namespace weft::io {

// Takes the text in pieces of any size, so that a file is never in memory twice.
class CsvParser {
 public:
  CsvParser(const CsvOptions& options, std::string_view name) : options_(options), name_(name) {
    if (options.delimiter == '"' || options.delimiter == '\n' || options.delimiter == '\r' || options.delimiter == 0)
      throw ArgumentError("a CSV delimiter that means something else");
  }

  void feed(std::string_view piece) {
    for (const char c : piece) {
      if (mark_ < byte_order_mark.size() && c == byte_order_mark[mark_]) {  // only at the very beginning
        ++mark_;
        continue;
      }
      end_mark();
      count(c);
    }
  }

  Csv finish() {
    end_mark();
    ++column_;
    if (state_ == State::quoted) fail_at(quote_line_, quote_column_, "this quote is not closed");
    if (state_ == State::carriage) fail("a carriage return without a line feed");
    if (cells_ > 0 || state_ != State::start) end_record();
    if (csv_.names_.empty()) throw FormatError(fmt::format("{}: the file is empty", name_));
    if (csv_.ends_.empty()) throw FormatError(fmt::format("{}: a header and no rows", name_));
    return std::move(csv_);
  }

 private:
  enum class State { start, plain, quoted, closed, carriage };  // start: of a cell

  [[noreturn]] void fail_at(std::uint64_t line, std::uint64_t column, std::string_view what) const {
    throw FormatError(fmt::format("{}:{}:{}: {}", name_, line, column, what));
  }
  [[noreturn]] void fail(std::string_view what) const { fail_at(line_, column_, what); }

  static constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

  // What began as a mark and is none is text: other letters begin with these bytes, too.
  void end_mark() {
    const std::size_t seen = std::exchange(mark_, byte_order_mark.size());
    if (seen < byte_order_mark.size())
      for (const char c : byte_order_mark.substr(0, seen)) count(c);
  }

  void count(char c) {
    ++column_;
    take(c);
    if (c != '\n') return;
    ++line_;
    column_ = 0;
  }

  void take(char c) {
    if (c == 0) fail("a NUL byte");
    if (++record_bytes_ > options_.max_line) fail(fmt::format("a record of more than {} bytes", options_.max_line));
    switch (state_) {
      case State::start:
        if (c == '"') {
          quote_line_ = line_;
          quote_column_ = column_;
          state_ = State::quoted;
          return;
        }
        state_ = State::plain;
        [[fallthrough]];
      case State::plain:
        if (c == '"') fail("a quote in a cell that does not begin with one");
        break;
      case State::quoted:
        if (c == '"')
          state_ = State::closed;
        else
          csv_.text_ += c;
        return;
      case State::closed:
        if (c == '"') {
          csv_.text_ += c;
          state_ = State::quoted;
          return;
        }
        if (c != options_.delimiter && c != '\n' && c != '\r') fail("text after the quote that closes a cell");
        break;
      case State::carriage:
        if (c != '\n') fail("a carriage return without a line feed");
        break;
    }
    if (c == options_.delimiter) {
      end_cell();
    } else if (c == '\n') {
      end_record();
    } else if (c == '\r') {
      blank_ = state_ == State::plain && cells_ == 0 && csv_.text_.size() == cell_begin_;
      state_ = State::carriage;
    } else {
      csv_.text_ += c;
    }
  }

  void end_cell() {
    ++cells_;
    if (csv_.names_.empty() || in_header_) {
      in_header_ = true;
      csv_.names_.push_back(csv_.text_.substr(cell_begin_));
      csv_.text_.resize(cell_begin_);
    } else {
      if (cells_ > csv_.names_.size()) fail(fmt::format("more cells than the {} of the header", csv_.names_.size()));
      csv_.ends_.push_back(csv_.text_.size());
      cell_begin_ = csv_.text_.size();
    }
    state_ = State::start;
  }

  void end_record() {
    const bool blank = cells_ == 0 && csv_.text_.size() == cell_begin_ &&
                       (state_ == State::start || state_ == State::plain || (state_ == State::carriage && blank_));
    if (blank && csv_.names_.size() != 1) {  // before the header, or between rows
      state_ = State::start;
    } else {
      end_cell();
      if (in_header_)
        check_header();
      else if (cells_ < csv_.names_.size())
        fail(fmt::format("{} cells, where the header has {}", cells_, csv_.names_.size()));
    }
    in_header_ = false;
    cells_ = 0;
    record_bytes_ = 0;
  }

  void check_header() const {
    std::unordered_set<std::string_view> seen;
    for (const std::string& name : csv_.names_) {
      if (name.empty()) fail("a column without a name");
      if (!seen.insert(name).second) fail(fmt::format("the column name \"{}\" comes twice", shortened(name)));
    }
  }

  CsvOptions options_;
  std::string name_;
  Csv csv_;
  State state_ = State::start;
  bool in_header_ = false, blank_ = false;
  std::size_t mark_ = 0;  // bytes of it so far
  std::uint64_t line_ = 1, column_ = 0, quote_line_ = 0, quote_column_ = 0;
  std::size_t cells_ = 0, cell_begin_ = 0, record_bytes_ = 0;
};

Csv detail::read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  const InputFile file(path);
  CsvParser parser(options, shown(path));
  std::string piece(1 << 16, '\0');
  while (const std::size_t n = file.read_some(piece.data(), piece.size())) parser.feed({piece.data(), n});
  return parser.finish();
}

Csv read_csv(const std::filesystem::path& path, const CsvOptions& options, Site site) {
  return weft::detail::called("read_csv", site, [&] { return detail::read_csv(path, options); });
}

Csv parse_csv(std::string_view text, const CsvOptions& options, std::string_view name, Site site) {
  return weft::detail::called("parse_csv", site, [&] {
    CsvParser parser(options, name);
    parser.feed(text);
    return parser.finish();
  });
}

void Csv::fail_cell(std::size_t row, std::size_t column) const {
  throw IndexError(fmt::format("cell {}, {} of {} rows of {}", row, column, rows(), columns()));
}

namespace {

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// Of a number that f64 has no room for: whether it is too large (else it is too small). Decided by the power of ten of
// its first digit that is not 0.
bool too_large(std::string_view s) {
  const std::size_t e = s.find_first_of("eE");
  const std::string_view digits = s.substr(0, e);
  const bool negative = e != s.npos && e + 1 < s.size() && s[e + 1] == '-';
  std::string_view power = e == s.npos ? "0" : s.substr(e + 1);
  if (!power.empty() && (power[0] == '-' || power[0] == '+')) power.remove_prefix(1);
  std::int64_t exponent = 0;
  if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec != std::errc()) return !negative;
  if (negative) exponent = -exponent;
  const std::size_t point = std::min(digits.find('.'), digits.size()), first = digits.find_first_of("123456789");
  if (first == digits.npos) return false;
  return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + exponent > 0;
}

}  // namespace

bool is_missing(std::string_view cell) {
  cell = trimmed(cell);
  if (cell.size() > 4) return false;
  std::string s(cell);
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return s.empty() || s == "na" || s == "n/a" || s == "nan" || s == "null" || s == "none";
}

std::optional<double> number(std::string_view cell) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  if (is_missing(cell)) return none;
  std::string_view s = trimmed(cell);
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error == std::errc::invalid_argument || end != s.data() + s.size()) return {};
  if (error == std::errc::result_out_of_range) return too_large(s) ? none : 0;
  return std::isfinite(value) ? value : none;
}

}  // namespace weft::io
