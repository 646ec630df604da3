#include "run.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

#include <weft/tensor/error.h>
#include <weft/tensor/threads.h>
#include "../bench.h"
#include "arguments.h"
#include "machine.h"
#include "outcome.h"
#include "roofline_svg.h"
#include "table.h"

namespace weft::bench {
namespace {

using benchmark::BenchmarkReporter;

// Empty, or why a run failed. Google Benchmark 1.8 renamed these members.
template <class Run> std::string error_of(const Run& run) {
  if (run.report_label.starts_with(not_timed)) return run.report_label.substr(not_timed.size());
  if constexpr (requires { run.error_occurred; })
    return run.error_occurred ? run.error_message : "";
  else
    return run.skipped ? run.skip_message : "";
}

// "models/W1/eager": what is timed, without how.
std::string name_of(const BenchmarkReporter::Run& run) {
  return run.run_name.function_name + (run.run_name.args.empty() ? "" : "/" + run.run_name.args);
}

double seconds_of(const BenchmarkReporter::Run& run) {
  const double time = run.run_name.time_type.empty() ? run.GetAdjustedCPUTime() : run.GetAdjustedRealTime();
  return time / benchmark::GetTimeUnitMultiplier(run.time_unit);
}

// The rows of what Google reports at a time: the repetitions of a benchmark, or what it has made of them.
std::vector<Row> rows_of(const std::vector<BenchmarkReporter::Run>& runs) {
  std::vector<Row> rows;
  Row row{name_of(runs[0]), "", -1, ""};
  for (const BenchmarkReporter::Run& run : runs) {
    if (const std::string error = error_of(run); !error.empty()) {
      row.wrong = error;
    } else if (run.report_big_o) {  // of a sweep: time = factor times size
      rows.push_back({name_of(run) + " fit", time_text(run.GetAdjustedRealTime() * 1e-9) + " x size", -1, ""});
    } else if (run.report_rms) {
      rows.back().variation = run.GetAdjustedRealTime();
    } else if (run.aggregate_name == "cv") {
      row.variation = run.real_accumulated_time;
    } else if (run.aggregate_name == "median" || (run.aggregate_name.empty() && run.repetitions <= 1)) {
      row.time = time_text(seconds_of(run));
      for (const auto& [key, counter] : run.counters) row.counters[key] = counter.value;
    }
  }
  if (!row.time.empty() || !row.wrong.empty()) rows.insert(rows.begin(), row);
  return rows;
}

// What describes the machine, measured once: Google keeps it for all runs of a program.
const auto& machine() {
  static const auto list = [] {
    auto described = describe_machine();
    for (const auto& [key, value] : described) benchmark::AddCustomContext(key, value);
    return described;
  }();
  return list;
}

// Prints rows as they come, or leaves that to another, and keeps them.
class Table : public BenchmarkReporter {
 public:
  explicit Table(BenchmarkReporter* other) : other_(other) {}
  std::vector<Row> rows;

  bool ReportContext(const Context& context) override {
    width_ = std::max<std::size_t>(context.name_field_width, 12);
    for (const auto& [key, value] : machine())  // takes seconds, and is not asked for where nothing matches
      if (!other_) std::cout << key << ": " << value << '\n';
    if (other_) return other_->ReportContext(context);
    print(headings());
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    if (other_) other_->ReportRuns(runs);
    for (const Row& row : rows_of(runs)) {
      if (!rows.empty() && rows.back().name == row.name && !rows.back().wrong.empty())
        continue;  // what Google made of it
      if (!other_) print(cells(row));
      rows.push_back(row);
    }
  }
  void Finalize() override {
    if (other_) other_->Finalize();
  }

 private:
  void print(const std::vector<std::string>& cells) const {
    constexpr int widths[] = {0, 10, 7, 8, 8, 8, 22, 7, 8, 9};
    std::string line = fmt::format("{:<{}}", cells[0], width_);
    for (std::size_t i = 1; i + 1 < cells.size(); ++i) line += fmt::format(" {:>{}}", cells[i], widths[i]);
    std::cout << line << "  " << cells.back() << std::endl;
  }

  BenchmarkReporter* other_;
  std::size_t width_ = 0;
};

// To the file of --benchmark_out, of which Google does not ask whether it could be written.
template <class Reporter> class Checked : public Reporter {
 public:
  using Reporter::Reporter;
  void Finalize() override {
    Reporter::Finalize();
    written = static_cast<bool>(this->GetOutputStream().flush());
  }
  bool written = true;
};

// bench.json. Google's "library_build_type" is about its own library, of which only the clock counts here: readers take
// it for that of what was measured, so that is what it says.
class Json : public Checked<benchmark::JSONReporter> {
 public:
  bool ReportContext(const Context& context) override {
    std::ostream& file = GetOutputStream();
    std::ostringstream text;
    SetOutputStream(&text);
    const bool go_on = JSONReporter::ReportContext(context);
    SetOutputStream(&file);
    file << std::regex_replace(
        text.str(), std::regex("\"library_build_type\": (\"\\w+\")"),
        fmt::format("\"library_build_type\": \"{}\",\n    \"google_benchmark_build_type\": $1", build));
    return go_on;
  }

 private:
#ifdef NDEBUG
  static constexpr const char* build = "release";
#else
  static constexpr const char* build = "debug";
#endif
};

[[noreturn]] void fail_to_write(const std::string& file) { throw Error("bench: " + file + " cannot be written"); }

// Beside a file, which stays as it is until there is a whole new one.
std::filesystem::path part_of(const std::filesystem::path& file) { return file.string() + ".part"; }

[[noreturn]] void fail_to_replace(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::remove(part_of(file), ignored);
  fail_to_write(file.string());
}

void write_part(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(part_of(file));
  out << text;
  out.close();
  if (!out) fail_to_replace(file);
}

void put_in_place(const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::rename(part_of(file), file, error);
  if (error) fail_to_replace(file);
}

// Before all the work: may we, and is there any room?
void check_writable(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) fail_to_write(file.string());
  write_part(file, " ");
  std::filesystem::remove(part_of(file));
}

// Google's csv aborts where counters differ from case to case, as ours do; of a word that it does not know it prints
// its help and says that all went well.
void check_format(const std::string& flag, const std::string& format) {
  if (format != "json" && format != "console")
    throw ArgumentError("bench: " + flag + "=" + format + ": json or console");
}

}  // namespace

int run_and_report(std::filesystem::path out, std::vector<std::string> arguments, const std::string& filter) {
  const auto given = [&](std::string_view flag) {
    return std::ranges::any_of(arguments, [&](const std::string& a) { return a.starts_with(flag); });
  };
  for (const std::string& a : arguments) {
    const std::string flag = a.substr(0, a.find('=')), value = a.substr(std::min(flag.size() + 1, a.size()));
    if (flag == "--benchmark_format" || flag == "--benchmark_out_format") check_format(flag, value);
    if (flag == "--benchmark_out" && !std::ofstream(value, std::ios::app)) fail_to_write(value);
  }
  const bool lists = given("--benchmark_list_tests"), reports = !lists && !(out.empty() && given("--benchmark_out="));
  if (out.empty()) out = ".";
  const std::filesystem::path figures = out / "bench.json", tables = out / "bench.md", picture = out / "roofline.svg";
  if (reports) {
    std::error_code error;
    std::filesystem::create_directories(out, error);
    for (const auto& file : {figures, tables, picture}) check_writable(file);
  }
  const bool own_table = !given("--benchmark_format=");
  const auto otherwise = [&](const std::string& flag, const std::string& value) {
    if (!given(flag + "=")) arguments.push_back(flag + "=" + value);
  };
  const bool own_file = reports && !given("--benchmark_out=");
  if (reports) otherwise("--benchmark_out", part_of(figures).string());
  otherwise("--benchmark_out_format", "json");
  const bool has_file = given("--benchmark_out="), json = given("--benchmark_out_format=json");
  otherwise("--benchmark_repetitions", "5");
  otherwise("--benchmark_min_time", "0.05");
  if (!filter.empty()) otherwise("--benchmark_filter", filter);

  std::vector<char*> pointers;
  for (std::string& s : arguments) pointers.push_back(s.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;

  Table table(own_table ? nullptr : benchmark::CreateDefaultDisplayReporter());
  Json as_json;
  Checked<benchmark::ConsoleReporter> as_text(benchmark::ConsoleReporter::OO_None);
  benchmark::BenchmarkReporter* const file = json ? static_cast<benchmark::BenchmarkReporter*>(&as_json) : &as_text;
  const std::size_t matched = benchmark::RunSpecifiedBenchmarks(&table, has_file ? file : nullptr);
  benchmark::Shutdown();
  benchmark::ClearRegisteredBenchmarks();
  detail::release_case();
  if (matched == 0) {  // Google has said so
    if (own_file) std::filesystem::remove(part_of(figures));
    return 2;
  }
  if (lists) return 0;
  const bool written = as_json.written && as_text.written;
  if (own_file && !written) fail_to_replace(figures);
  if (own_file) put_in_place(figures);
  if (reports) {
    write_part(tables, markdown(machine(), table.rows));
    write_part(picture, roofline_svg(roofline(), table.rows));
    put_in_place(tables);
    put_in_place(picture);
    std::cerr << "bench: bench.md and roofline.svg are in "
              << std::filesystem::absolute(out).lexically_normal().string() << '\n';
  }
  const auto at =
      std::ranges::find_if(arguments, [](const std::string& a) { return a.starts_with("--benchmark_out="); });
  const std::string all_figures = own_file ? figures.string() : at->substr(at->find('=') + 1);
  if (!written) fail_to_write(all_figures);
  std::cerr << "bench: all figures are in " << all_figures << '\n';
  return std::ranges::any_of(table.rows, [](const Row& row) { return !row.wrong.empty(); });
}

int run(int argc, char** argv) {
  char name[] = "bench", *no_arguments[] = {name, nullptr};
  if (argc < 1) argc = 1, argv = no_arguments;  // report(): CLI11 reads the first one
  CLI::App app("Benches models with Weft. Google Benchmark's arguments, --benchmark_*, are taken too.");
  int threads = num_threads();
  std::string out;
  app.add_option("--threads", threads, "threads of a step")->check(number_from(1));
  app.add_option("--out", out,
                 "the folder for bench.json, bench.md and roofline.svg; default: the current one, or none of "
                 "them with --benchmark_out=FILE.json");
  app.allow_extras();
  try {
    app.parse(argc, argv);
    set_num_threads(threads);
    std::vector<std::string> arguments = app.remaining();
    arguments.insert(arguments.begin(), argv[0]);
    return run_and_report(out, arguments);
  } catch (const CLI::ParseError& e) { return app.exit(e) == 0 ? 0 : 2; } catch (const Error& e) {
    std::cerr << e.what() << '\n';
    return 2;
  }
}

}  // namespace weft::bench
