// Tables: named columns of numbers or of text, from a CSV file to tensors.
//
//     data::Table t = data::read_table("penguins.csv");
//     t.drop_missing("species");  t.fill_missing();  t.drop_duplicates();
//     const data::Labels labels = t.take_labels("species");
//     t.encode();
//     const Tensor x = t.to_tensor();
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "../io/csv.h"
#include "../tensor/site.h"
#include "../tensor/tensor.h"

namespace weft::data {

/// A column: numbers, where NaN is missing, or texts, where an empty one is missing.
struct Column {
  std::string name;
  bool numeric = true;
  std::vector<double> numbers = {};
  std::vector<std::string> texts = {};

  bool missing(std::size_t row) const { return numeric ? numbers[row] != numbers[row] : texts[row].empty(); }
  /// The distinct texts that are there, sorted; of numbers, as text, sorted by value.
  std::vector<std::string> categories() const;
};

struct Labels {
  Tensor y;                          ///< i64[rows]
  std::vector<std::string> classes;  ///< what class number i was called
};

class Table {
 public:
  Table() = default;
  /// Columns of which every cell is a number or missing are numeric, but for whole numbers from 2^53 on, as ids may be:
  /// two of them would be one f64.
  explicit Table(const io::Csv& csv);
  /// ArgumentError if the columns differ in length or two have one name.
  explicit Table(std::vector<Column> columns);

  std::size_t rows() const { return rows_; }
  const std::vector<Column>& columns() const { return columns_; }
  /// ArgumentError that names the columns there are.
  const Column& column(std::string_view name, Site site = Site::current()) const;
  /// Cells without a value.
  std::size_t missing() const;

  /// Drops rows with a missing value, of any column or of one; returns how many.
  std::size_t drop_missing();
  std::size_t drop_missing(std::string_view column, Site site = Site::current());
  /// Puts the median in for missing numbers and the most frequent text for missing texts; returns how many cells. A
  /// column with no value at all is dropped.
  std::size_t fill_missing();
  /// Drops rows that equal an earlier one in all columns; returns how many.
  std::size_t drop_duplicates();
  void drop_column(std::string_view name, Site site = Site::current());

  /// Takes a column out as class numbers, in the sorted order of its values. ArgumentError if there is no such column,
  /// it has missing values, or fewer than two classes.
  Labels take_labels(std::string_view name, Site site = Site::current());
  /// Turns each text column into numbers: of two values one column of 0 and 1 ("sex=male"), of more one for each value.
  /// Missing ones have 0 in all. ArgumentError if a column has more than max_categories values.
  void encode(std::size_t max_categories = 100, Site site = Site::current());
  /// All columns as f32[rows, columns]. ArgumentError if one is text or holds a number too large for f32, or nothing is
  /// there.
  Tensor to_tensor(Site site = Site::current()) const;
  /// The names of the columns.
  std::vector<std::string> names() const;

 private:
  std::size_t find(std::string_view name) const;
  Labels take_column(std::size_t at);
  std::vector<Column> encoded(std::size_t max_categories) const;
  void write_column(const Column& c, float* to) const;
  std::size_t keep_rows(const std::vector<bool>& keep);
  std::vector<Column> columns_;
  std::size_t rows_ = 0;
};

/// FormatError as io::read_csv.
Table read_table(const std::filesystem::path& path, const io::CsvOptions& options = {}, Site site = Site::current());

/// Brings columns to mean 0 and deviation 1, by numbers of the training part that it keeps.
struct Scaler {
  Tensor mean, deviation;  ///< f32[columns]; a constant column has deviation 1

  /// x is [rows, columns] with at least one row; ShapeError.
  static Scaler fit(const Tensor& x, Site site = Site::current());
  /// Of floats [..., columns], in their dtype; ShapeError, DTypeError.
  Tensor operator()(const Tensor& x, Site site = Site::current()) const;
};

struct Split {
  std::vector<std::int64_t> train, validation, test;
};
/// Row numbers of the three parts, in the order of a seeded shuffle. Shares are of all rows, what is left is for
/// training; ArgumentError if they are negative or above 1 together, or if a part with a share would be empty.
Split split(std::int64_t rows, double validation_share = 0.15, double test_share = 0.15, std::uint64_t seed = 0,
            Site site = Site::current());

}  // namespace weft::data
