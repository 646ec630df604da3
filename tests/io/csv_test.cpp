// CSV as RFC 4180 has it; the positions of what is wrong; numbers without a locale.
#include <unistd.h>
#include <weft/weft.h>

#include <clocale>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catch.h"

using namespace weft;
using Rows = std::vector<std::vector<std::string>>;

namespace {

Rows rows(const io::Csv& csv) {
  Rows r{csv.names()};
  for (std::size_t i = 0; i < csv.rows(); ++i) {
    r.emplace_back();
    for (std::size_t c = 0; c < csv.columns(); ++c) r.back().emplace_back(csv.cell(i, c));
  }
  return r;
}
Rows rows(std::string_view text, const io::CsvOptions& options = {}) { return rows(io::parse_csv(text, options)); }

std::string refusal(std::string_view text, const io::CsvOptions& options = {}) {
  try {
    io::parse_csv(text, options, "f.csv");
  } catch (const FormatError& e) {
    CHECK(e.op() == "parse_csv");
    CHECK(e.site().find("csv_test.cpp:") != std::string::npos);
    return e.rule();
  }
  return "ACCEPTED";
}

}  // namespace

TEST_CASE("CSV: plain, quoted, CRLF, BOM, with and without a last line feed") {
  const Rows expected = {{"a", "b"}, {"1", "x"}, {"2", ""}};
  CHECK(rows("a,b\n1,x\n2,\n") == expected);
  CHECK(rows("a,b\n1,x\n2,") == expected);
  CHECK(rows("a,b\r\n1,x\r\n2,\r\n") == expected);
  CHECK(rows("\xEF\xBB\xBF"
             "a,b\n1,x\n2,") == expected);
  CHECK(rows("\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"\"\n") == expected);
  CHECK(rows("\n\r\na,b\n\n1,x\n\r\n2,\n\n") == expected);
  CHECK(rows("a;b\n1;x\n2;\n", {.delimiter = ';'}) == expected);
  CHECK(rows("a\n1\n\n2\n") == Rows{{"a"}, {"1"}, {""}, {"2"}});  // one column: an empty line is an empty cell
  CHECK(rows("a\n\"\"\n") == Rows{{"a"}, {""}});
  CHECK(rows("a,b\n\"x,\"\"y\"\"\r\nz\", q \n") == Rows{{"a", "b"}, {"x,\"y\"\r\nz", " q "}});
  CHECK(rows("a,b\n\xC3\xA9,\xEF\xBB\xBF\n") == Rows{{"a", "b"}, {"\xC3\xA9", "\xEF\xBB\xBF"}});
}

TEST_CASE("CSV: what is wrong is told by line and column") {
  CHECK(refusal("") == "f.csv: the file is empty");
  CHECK(refusal("\n\n") == "f.csv: the file is empty");
  CHECK(refusal("\xEF\xBB\xBF") == "f.csv: the file is empty");
  CHECK(refusal("a,b") == "f.csv: a header and no rows");
  CHECK(refusal("a,b\n\n") == "f.csv: a header and no rows");
  CHECK(refusal("a,b\n1,2\n1\n") == "f.csv:3:2: 1 cells, where the header has 2");
  CHECK(refusal("a,b\n1,2,3\n") == "f.csv:2:6: more cells than the 2 of the header");
  CHECK(refusal("a,b\n1,2\n3") == "f.csv:3:2: 1 cells, where the header has 2");
  CHECK(refusal("a,b\n1,\"2\n3,4\n") == "f.csv:2:3: this quote is not closed");
  CHECK(refusal("a,b\n1,x\"y\n") == "f.csv:2:4: a quote in a cell that does not begin with one");
  CHECK(refusal("a,b\n1,\"x\"y\n") == "f.csv:2:6: text after the quote that closes a cell");
  CHECK(refusal(std::string_view("a,b\n1,\0\n", 8)) == "f.csv:2:3: a NUL byte");
  CHECK(refusal(std::string_view("a,b\n\"1\n\0\",", 10)) == "f.csv:3:1: a NUL byte");
  CHECK(refusal("a,b\n1\r2\n") == "f.csv:2:3: a carriage return without a line feed");
  CHECK(refusal("a,b\n1,2\r") == "f.csv:2:5: a carriage return without a line feed");
  CHECK(refusal("a,a\n1,2\n") == "f.csv:1:4: the column name \"a\" comes twice");
  CHECK(refusal("a,\n1,2\n") == "f.csv:1:3: a column without a name");
  CHECK(refusal("\xEF\xBB,\xEF\xBB\n1,2\n").find("f.csv:1:6: the column name") == 0);
  CHECK(refusal("a,b\n1,12345678\n", {.max_line = 8}) == "f.csv:2:9: a record of more than 8 bytes");
  CHECK(refusal("a,b\n1,\"2\n\n\n\n\n\n\n\n", {.max_line = 8}) == "f.csv:6:1: a record of more than 8 bytes");
}

TEST_CASE("CSV: a first letter that begins as a byte order mark does is a letter") {
  CHECK(io::parse_csv("\xEF\xBD\x81,b\n1,2\n").names()[0] == "\xEF\xBD\x81");
  CHECK(io::parse_csv("\xEF\xBB\xBF\xEF\xBB\xBF,b\n1,2\n").names()[0] == "\xEF\xBB\xBF");
}

TEST_CASE("CSV: no cells, and cells that are not there") {
  CHECK(io::Csv().rows() == 0);
  CHECK_THROWS_AS(io::Csv().cell(0, 0), IndexError);
  const io::Csv csv = io::parse_csv("a,b\n1,2\n");
  CHECK_THROWS_AS(csv.cell(0, 2), IndexError);
  CHECK_THROWS_AS(csv.cell(1, 0), IndexError);
  CHECK_THROWS_AS(csv.cell(SIZE_MAX / 2 + 1, 0), IndexError);
}

TEST_CASE("CSV: an endless line is refused before it is kept") {
  const std::string line(20 << 20, 'x');
  reset_peak_memory();
  CHECK(refusal("a,b\n" + line) == "f.csv:2:1048577: a record of more than 1048576 bytes");
}

TEST_CASE("CSV: pieces of any size are one text") {
  const auto path = std::filesystem::temp_directory_path() / ("weft-csv-" + std::to_string(getpid()) + ".csv");
  std::string text = "a,b\r\n";
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i) + ",\"q \"\"" + std::to_string(i * 7) + "\"\"\"\r\n";
  std::ofstream(path, std::ios::binary) << text;
  const io::Csv csv = io::read_csv(path);
  CHECK(csv.rows() == 30'000);
  CHECK(rows(csv) == rows(text));
  CHECK(csv.cell(29'999, 1) == "q \"209993\"");
  std::filesystem::remove(path);
  try {
    io::read_csv(path);
    FAIL("no error");
  } catch (const FormatError& e) {
    CHECK(std::string(e.what()).find("can't open it: No such file") != std::string::npos);
  }
  CHECK_THROWS_AS(io::read_csv("/tmp"), FormatError);
}

TEST_CASE("CSV: numbers, and what is missing") {
  for (const char* s : {"", " ", "NA", "na", "N/A", "nan", "NaN", "NULL", "None", "inf", "-inf", "infinity", "1e999",
                        "-1e999", "1e99999999999999999999"}) {
    INFO(s);
    REQUIRE(io::number(s));
    CHECK(std::isnan(*io::number(s)));
  }
  for (const char* s : {"x", "1,5", "1.5.2", "0x10", "1 2", "--1", "+-1", "1e", "-", "+", "NAN1", "true"}) {
    INFO(s);
    CHECK_FALSE(io::number(s));
  }
  CHECK(*io::number("1.5") == 1.5);
  CHECK(*io::number(" -2e3\t") == -2000);
  CHECK(*io::number("+7") == 7);
  CHECK(*io::number(".5") == 0.5);
  CHECK(*io::number("5.") == 5);
  CHECK(*io::number("1e-999") == 0);
  CHECK(*io::number("0." + std::string(400, '0') + "1") == 0);
  CHECK(std::isnan(*io::number("1" + std::string(400, '0'))));
  CHECK(*io::number("0.1") == 0.1);
  for (const char* locale : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"}) {  // where it is installed
    if (!std::setlocale(LC_ALL, locale)) continue;
    CHECK(*io::number("1.5") == 1.5);
    CHECK_FALSE(io::number("1,5"));
  }
  std::setlocale(LC_ALL, "C");
}
