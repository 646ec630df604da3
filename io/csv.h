// CSV files as RFC 4180 has them, with a header line. UTF-8 with or without BOM, lines by LF or CRLF, no locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../tensor/site.h"

namespace weft::io {

struct CsvOptions {
  char delimiter = ',';
  std::size_t max_line = 1 << 20;  ///< bytes of a record; a longer one is refused before it is kept
};

/// The cells of a file, as text.
class Csv {
 public:
  const std::vector<std::string>& names() const { return names_; }
  std::size_t rows() const { return names_.empty() ? 0 : ends_.size() / names_.size(); }
  std::size_t columns() const { return names_.size(); }
  /// IndexError.
  std::string_view cell(std::size_t row, std::size_t column) const {
    const std::size_t i = row * names_.size() + column;
    if (column >= names_.size() || row >= ends_.size() || i >= ends_.size()) [[unlikely]]
      fail_cell(row, column);
    const std::uint64_t begin = i ? ends_[i - 1] : 0;
    return std::string_view(text_).substr(begin, ends_[i] - begin);
  }

 private:
  friend class CsvParser;
  [[noreturn, gnu::cold]] void fail_cell(std::size_t row, std::size_t column) const;
  std::vector<std::string> names_;
  std::string text_;                 // all cells end to end, quotes taken off
  std::vector<std::uint64_t> ends_;  // of each cell
};

/// Reads a file. FormatError as PATH:LINE:COLUMN for rows of another length than the header, quotes that do not close
/// or stand in the middle of a cell, NUL bytes, too long lines, names that are empty or come twice, a file that is
/// empty or has a header alone; with the system's reason for a file that can't be read. Blank lines are passed over
/// where there are several columns. The columns of a position count bytes from 1.
Csv read_csv(const std::filesystem::path& path, const CsvOptions& options = {}, Site site = Site::current());
/// The same of text in memory, which messages call `name`.
Csv parse_csv(std::string_view text, const CsvOptions& options = {}, std::string_view name = "text",
              Site site = Site::current());

namespace detail {
Csv read_csv(const std::filesystem::path& path, const CsvOptions& options);  // for functions that say their own name
}

/// True for what stands for no value: nothing, blanks, NA, N/A, NaN, null, none in any case.
bool is_missing(std::string_view cell);
/// The number that a cell holds, blanks around it apart; NaN for a missing one and for infinite ones and those too
/// large for f64 (1e999); nothing if it is no number.
std::optional<double> number(std::string_view cell);

}  // namespace weft::io
