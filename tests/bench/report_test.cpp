// The report: its table, its picture, and what a whole run leaves behind.
#include <unistd.h>
#include <weft/bench/bench.h>
#include <weft/bench/report/roofline_svg.h>
#include <weft/bench/report/table.h>
#include <weft/tensor/roofline_text.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "catch.h"

using namespace weft;
namespace fs = std::filesystem;

namespace {

struct Folder {
  const fs::path path;
  explicit Folder(const std::string& name)
      : path(fs::temp_directory_path() / ("weft-report-" + std::to_string(::getpid()) + name)) {}
  ~Folder() { fs::remove_all(path); }
  std::string read(const char* file) const {
    std::ifstream in(path / file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

int exit_status(const std::string& arguments, const std::string& before = "") {
  return WEXITSTATUS(std::system((before + " " WEFT_BENCH " " + arguments + " >/dev/null 2>&1").c_str()));
}

// What weft_bench says, on both streams.
std::string said(const std::string& arguments, const std::string& before = "") {
  FILE* pipe = popen((before + " " WEFT_BENCH " " + arguments + " 2>&1").c_str(), "r");
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

// The repetitions of a benchmark in a bench.json, however it is timed.
std::vector<nlohmann::json> repetitions_of(const nlohmann::json& report, const std::string& name) {
  std::vector<nlohmann::json> runs;
  for (const auto& run : report.at("benchmarks")) {
    const std::string given = run.at("run_name").get<std::string>() + "/";
    if (run.at("run_type") == "iteration" && given.rfind(name + "/", 0) == 0) runs.push_back(run);
  }
  return runs;
}

}  // namespace

TEST_CASE("times have three to four digits and a unit") {
  CHECK(bench::time_text(1.5e-9) == "1.5 ns");
  CHECK(bench::time_text(2.3456789e-5) == "23.46 us");
  CHECK(bench::time_text(0.5) == "500 ms");
  CHECK(bench::time_text(2) == "2 s");
}

TEST_CASE("a row shows its counters under their headings, and the others by name") {
  const bench::Row row{"models/W1/compile",
                       "2 us",
                       0.0123,
                       "",
                       {{"FLOP/s", 2.5e9},
                        {"B/s", 1e9},
                        {"roof", 0.5},
                        {"allocs", 1.5},
                        {"system_allocs", 0},
                        {"kernels", 3},
                        {"launches", 4},
                        {"peak_bytes", 3 << 20},
                        {"op_time", 2e-6},
                        {"library", 7}}};
  CHECK(bench::cells(row) == std::vector<std::string>{"models/W1/compile", "2 us", "1.2 %", "2.5", "1", "50 %",
                                                      "1.5 (0)", "3", "4", "3.0 MiB", "library 7, op_time 2 us"});
  CHECK(bench::cells(row).size() == bench::headings().size());
  const bench::Row wrong{"x", "", -1, "the check differs"};
  CHECK(bench::cells(wrong).back() == "NOT TIMED: the check differs");
  const auto under = [](const std::string& heading, const bench::Row& r) {
    const auto& list = bench::headings();
    return bench::cells(r).at(static_cast<std::size_t>(std::ranges::find(list, heading) - list.begin()));
  };
  CHECK(under("peak", {"x", "", -1, "", {{"peak_bytes", 12'345}}}) == "12.1 KiB");
  CHECK(under("peak", {"x", "", -1, "", {{"peak_bytes", 64}}}) == "64 B");
  CHECK(under("tensor blocks (system)", row) == "1.5 (0)");

  // a table has a line for it
  const bench::Row long_story{"x", "", -1, "a|b differs\n  expected 1\n  got 2"};
  CHECK(bench::cells(long_story).back() == "NOT TIMED: a|b differs ...");
  CHECK(contains(bench::markdown({}, {long_story}), "| NOT TIMED: a\\|b differs ... |\n"));

  const std::string text = bench::markdown({{"cpu", "a CPU"}}, {row, wrong});
  CHECK(contains(text, "- cpu: a CPU\n"));
  CHECK(contains(text, "\n## models\n"));
  CHECK(contains(text, "\n## x\n"));
  CHECK(contains(text, "| models/W1/compile | 2 us | 1.2 % | 2.5 |"));
}

TEST_CASE("the roofline's picture has a dot where a row belongs") {
  Roofline machine;
  machine.products_per_second = 50e9;  // 100 GFLOP/s
  machine.levels = {{"L1", 1, 200e9}, {"memory", INT64_MAX, 10e9}};
  // 1 operation a byte at 10 GFLOP/s: on the memory's ceiling
  const std::string svg = bench::roofline_svg(
      machine, {{"a<b", "", -1, "", {{"FLOP/s", 10e9}, {"B/s", 10e9}}}, {"no bytes", "", -1, "", {{"FLOP/s", 1e9}}}});
  CHECK(svg.rfind("<svg ", 0) == 0);
  CHECK(contains(svg, "memory 10 GB/s"));
  CHECK(contains(svg, "100 GFLOP/s"));
  // x from 0.1 to 100 over 70 .. 870, y from 0.1 to 100 GFLOP/s over 510 .. 30
  CHECK(contains(svg, "<circle cx=\"336.7\" cy=\"190.0\""));
  CHECK(contains(svg, "<title>a&lt;b: 10 GFLOP/s</title>"));
  CHECK(!contains(svg, "no bytes"));

  // names without what is common to all, none over another; the dot has the whole name
  const bench::Row row{"f/W1", "", -1, "", {{"FLOP/s", 10e9}, {"B/s", 10e9}}};
  std::vector<bench::Row> rows(20, row);
  const std::string crowded = bench::roofline_svg(machine, rows);
  const auto times = [](const std::string& text, const std::string& part) {
    int n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
    return n;
  };
  CHECK(times(crowded, "<title>f/W1: ") == 20);
  CHECK(times(crowded, ">W1</text>") >= 1);
  CHECK(times(crowded, ">W1</text>") <= 6);

  // of two levels with one rate, the first had it from the second
  machine.levels.insert(machine.levels.begin() + 1, {"L3", 2, 10e9});
  CHECK(level_text(machine, 0) == "L1 200 GB/s");
  CHECK(level_text(machine, 1) == "L3 10 GB/s (measured slower: taken as memory)");
  CHECK(level_text(machine, 2) == "memory 10 GB/s");
  CHECK(contains(bench::roofline_svg(machine, {}), ">L3 10 GB/s (measured slower: taken as memory)<"));
}

TEST_CASE("a model of one's own is verified, timed and reported; a wrong one is not timed", "[run]") {
  const Folder out("own");
  Variable w = ones({2, 3});
  const auto step = [&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = mean(square(matmul(x, w)));
    w.assign_sub(0.01 * tape.gradient(loss, w));
    return loss;
  };
  const Tensor x = ones({4, 2});
  bench::add("good", step, x);
  const auto product = [](const Tensor& a, const Tensor& b) { return matmul(a, b); };
  bench::add("product", product, ones({4, 2}), ones({2, 3}));
  bench::add("known", {.items = 4, .flops = 1e3, .threads = 1}, product, ones({4, 2}), ones({2, 3}));
  const auto sum_of = [](const Tensor& a, const Tensor& b) { return a + b; };
  const Tensor large = ones({1 << 20});
  bench::add("sum", sum_of, large, large);
  bench::add("sum flops", {.flops = 1}, sum_of, large, large);
  bench::add("sum bytes", {.bytes = 1}, sum_of, large, large);
  bench::add(
      "bad", [](const Tensor& t) { return log(t - 2); }, x);
  int calls = 0;  // of which compiled code knows one
  bench::add(
      "impure", [&calls](const Tensor& t) { return t * static_cast<double>(++calls); }, x);
  bench::add(
      "throws", [](const Tensor& t) { return matmul(t, t); }, x);
  int steps = 0;  // six before it is timed, two in each repetition, as a millisecond is all that is asked for
  bench::add_case("late", {}, [&steps] {
    return bench::Case{[&steps] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      if (++steps > 10) throw std::runtime_error("the eleventh");
    }};
  });
  bench::add_case("number", {}, [] { return bench::Case{[] { throw 7; }}; });
  bench::add_case("same name", {}, [] { return bench::Case{[] {}}; });
  bench::add_case("same name", {}, [] { return bench::Case{[] {}, [] { return std::string("the other one"); }}; });
  std::vector<std::string> arguments = {"test", "--benchmark_min_time=0.001", "--threads=1",
                                        "--out=" + out.path.string()};
  std::vector<char*> argv;
  for (std::string& s : arguments) argv.push_back(s.data());
  CHECK(bench::run(static_cast<int>(argv.size()), argv.data()) == 1);

  const std::string text = out.read("bench.md");
  CHECK(contains(text, "| good/eager |"));
  CHECK(contains(text, "| good/compile |"));
  CHECK(contains(text, "| bad/eager |  |  |  |  |  |  |  |  |  | NOT TIMED: result 0 is not finite |"));
  CHECK(contains(text, "| NOT TIMED: check: result 0 differs from eager at element 0: "));
  CHECK(contains(text, "| throws/eager |  |  |  |  |  |  |  |  |  | NOT TIMED: matmul: "));
  CHECK(contains(text, "| late |  |  |  |  |  |  |  |  |  | NOT TIMED: the eleventh |"));
  CHECK(contains(text, "| number |  |  |  |  |  |  |  |  |  | NOT TIMED: it threw what is no std::exception |"));
  CHECK(contains(text, "| same name |  |  |  |  |  |  |  |  |  | NOT TIMED: the other one |"));
  CHECK(contains(text, "- threads: 1 of "));
  CHECK(contains(text, "- weft: 0."));
  const auto json = nlohmann::json::parse(out.read("bench.json"));
  CHECK(contains(json.at("context").at("roofline").get<std::string>(), "GFLOP/s"));
#ifdef NDEBUG
  CHECK(json.at("context").at("library_build_type") == "release");
#endif
  const auto wrong = repetitions_of(json, "impure/compile");
  REQUIRE(!wrong.empty());
  for (const auto& run : wrong) {
    CHECK(run.at("error_occurred").get<bool>());
    CHECK(contains(run.at("error_message").get<std::string>(), "differs from eager"));
  }
  CHECK(repetitions_of(json, "impure/eager").size() == 5);
  const auto late = repetitions_of(json, "late");
  REQUIRE(late.size() == 5);
  CHECK(late[0].value("label", "") == "");
  CHECK(late[4].at("label") == "NOT TIMED: the eleventh");
  int repetitions = 0;
  for (const auto& run : json.at("benchmarks"))
    if (run.at("run_name") == "good/compile/real_time" && run.at("run_type") == "iteration") {
      ++repetitions;
      for (const char* figure : {"FLOP/s", "B/s", "roof"}) CHECK(run.at(figure).get<double>() > 0);
      CHECK(run.at("peak_bytes").get<double>() > 0);
      CHECK(!run.contains("system_allocs"));  // none
      CHECK(run.at("launches").get<double>() >= 1);
    }
  CHECK(repetitions == 5);
  for (const auto& run : repetitions_of(json, "known/compile")) CHECK(run.at("threads_used").get<double>() == 1);
  const auto intensity = [&](const std::string& name) {
    for (const auto& run : json.at("benchmarks"))
      if (run.at("run_name") == name + "/real_time") return run.at("flop/byte").get<double>();
    return 0.0;
  };
  constexpr double bytes = 4 * (4 * 2 + 2 * 3 + 4 * 3);
  for (const std::string mode : {"/eager", "/compile"}) {
    CHECK(intensity("product" + mode) == Approx(2 * 4 * 2 * 3 / bytes));
    CHECK(intensity("known" + mode) == Approx(1e3 / bytes));
  }
  // What is not said is as counted: here the bytes are what takes longest.
  const auto first = [&](const std::string& name) { return repetitions_of(json, name).at(0); };
  const auto least = [&](const std::string& name) {
    return first(name).at("roof").get<double>() * first(name).at("real_time").get<double>();
  };
  for (const std::string mode : {"/eager", "/compile"}) {
    CHECK(least("sum flops" + mode) == Approx(least("sum" + mode)).epsilon(1e-3));
    CHECK(least("sum bytes" + mode) > 0);
    CHECK(least("sum bytes" + mode) < 0.99 * least("sum" + mode));
    // one case at a time is alive
    for (const std::string other : {"sum flops", "sum bytes"})
      CHECK(first(other + mode).at("peak_bytes") == first("sum" + mode).at("peak_bytes"));
  }
  CHECK(contains(out.read("roofline.svg"), "</svg>"));
}

TEST_CASE("weft_bench: arguments that cannot be, and reports that compare") {
  const Folder out("weft");
  const std::string few = "--work W1 --benchmark_min_time=0.002 --out '" + out.path.string() + "' ";
  CHECK(exit_status(few) == 0);
  const std::string text = out.read("bench.md");
  CHECK(contains(text, "| models/W1/eager |"));
  CHECK(contains(text, "| models/W1/compile |"));
  CHECK(!contains(text, "NOT TIMED"));
  const std::string report = " '" + (out.path / "bench.json").string() + "'";
  CHECK(WEXITSTATUS(std::system((WEFT_COMPARE " --noise 1000" + report + report + " >/dev/null").c_str())) == 0);

  const Folder listed("listed");
  CHECK(exit_status("--work W1 --benchmark_list_tests --out '" + listed.path.string() + "'") == 0);
  CHECK(!std::filesystem::exists(listed.path / "bench.md"));
  CHECK(!std::filesystem::exists(listed.path / "bench.json"));

  CHECK(exit_status(few + "--work W99") == 2);
  CHECK(exit_status(few + "--benchmark_filter=nothing") == 2);
  CHECK(out.read("bench.md") == text);  // the last report is still there
  CHECK(WEXITSTATUS(std::system((WEFT_COMPARE " --noise 1000" + report + report + " >/dev/null").c_str())) == 0);
  CHECK(exit_status(few + "--threads 0") != 0);
  CHECK(exit_status(few + "--no-such-flag") == 2);
  CHECK(exit_status("--work W1 --out /proc/nowhere") == 2);
  CHECK(exit_status(few + "--benchmark_out=/proc/nowhere/bench.json") == 2);
  CHECK(exit_status(few + "--benchmark_out_format=csv") == 2);
  CHECK(exit_status(few + "--benchmark_format=table") == 2);
}

TEST_CASE("weft_bench: a report that cannot be written is an error, and the earlier one stays") {
  const Folder out("full");
  const std::string few = "--work W1 --mode eager --benchmark_min_time=0.001 ",
                    there = few + "--out '" + out.path.string() + "'";
  REQUIRE(exit_status(there) == 0);
  const std::string figures = out.read("bench.json"), tables = out.read("bench.md");
  const auto files = [&] { return std::distance(fs::directory_iterator(out.path), fs::directory_iterator()); };
  CHECK(files() == 3);
  const std::string no_room = "trap '' XFSZ; ulimit -f ";  // blocks of 512 bytes
  for (const char* blocks : {"0", "1"}) {
    CHECK(exit_status(there, no_room + blocks + ";") == 2);
    CHECK(out.read("bench.json") == figures);
    CHECK(out.read("bench.md") == tables);
    CHECK(files() == 3);
  }
  const std::string text = said(there, no_room + "1;");
  CHECK(contains(text, "bench: " + (out.path / "bench.json").string() + " cannot be written\n"));
  CHECK(!contains(text, "all figures are in"));
  for (const char* format : {"json", "console"}) {
    const std::string to_nowhere = few + "--benchmark_out=/dev/full --benchmark_out_format=" + format;
    CHECK(exit_status(to_nowhere) == 2);
    CHECK(contains(said(to_nowhere), "bench: /dev/full cannot be written\n"));
  }
}

TEST_CASE("weft_bench: what an argument must be is said in a line") {
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  CHECK(first_line(said("--threads abc")) == "--threads: abc: must be a whole number from 1");
  CHECK(first_line(said("--threads 0")) == "--threads: 0: must be a whole number from 1");
  CHECK(first_line(said("--threads 2x")) == "--threads: 2x: must be a whole number from 1");
  CHECK(first_line(said("--mode foo")) == "--mode: foo not in {eager,compile}");
  CHECK(first_line(said("--json --seconds -1")) == "--seconds: -1: must be a number from 0");
  CHECK(first_line(said("--json --seconds inf")) == "--seconds: inf: must be a number from 0");
  for (const char* stage : {"graph", "groups", "fusion", "dot", "kernels", "plan", "llvm", "assembly"})
    CHECK(contains(said("--help"), stage));
}

TEST_CASE("weft_bench --json: the threads that ran, and the profile of the line") {
  const Folder out("lines");
  fs::create_directories(out.path);
  const int before = num_threads();
  set_num_threads(1 << 20);  // all there are
  const std::string line = said("--json --work W1 --mode compile --steps 0 --threads 1048576");
  CHECK(contains(line, "\"threads\": " + std::to_string(num_threads()) + ","));
  set_num_threads(before);

  const std::string profiled = "WEFT_PROFILE='" + (out.path / "trace.json").string() + "'";
  const auto spans = [&](const char* file) {
    int count = 0;
    if (!fs::exists(out.path / file)) return -1;
    const auto trace = nlohmann::json::parse(out.read(file));
    for (const auto& event : trace.at("traceEvents")) count += event.at("ph") == "X";
    return count;
  };
  said("--json --work W1 --mode compile --steps 0", profiled);
  CHECK(spans("trace.json") > 0);
  fs::remove(out.path / "trace.json");
  said("--json --work W1 --steps 0", profiled);
  CHECK(spans("trace-W1-eager.json") > 0);
  CHECK(spans("trace-W1-compile.json") > 0);
  CHECK(spans("trace.json") == -1);
}

TEST_CASE("weft_bench --benchmark_out: that file and no other, where --out does not ask for them") {
  const Folder out("alone");
  fs::create_directories(out.path);
  const std::string text = said("--work W1 --mode eager --benchmark_min_time=0.001 --benchmark_out=own.json",
                                "cd '" + out.path.string() + "' &&");
  CHECK(contains(text, "bench: all figures are in own.json\n"));
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(out.path)) files.push_back(entry.path().filename().string());
  CHECK(files == std::vector<std::string>{"own.json"});
}

TEST_CASE("weft_bench: what the rows of ops, system and threads say", "[run]") {
  const Folder out("rows");
  const std::string filter =
      "'^(ops/matmul/.*|ops/qr/eager_.*|system/(dispatch|compiled_call|retrace|compile_warm/W1.*)|threads/W3.*)'";
  REQUIRE(exit_status("--benchmark_min_time=0.001 --benchmark_repetitions=4 --benchmark_filter=" + filter + " --out '" +
                      out.path.string() + "'") == 0);
  const auto json = nlohmann::json::parse(out.read("bench.json"));
  const auto first = [&](const std::string& name) {
    const auto runs = repetitions_of(json, name);
    INFO(name);
    REQUIRE(!runs.empty());
    return runs[0];
  };
  // rates are a second of the time that the benchmark is judged by
  const auto flops = [&](const std::string& name) {
    const auto run = first(name);
    const bool real = contains(run.at("run_name").get<std::string>(), "real_time");
    return 1e-6 * run.at(real ? "real_time" : "cpu_time").get<double>() * run.at("FLOP/s").get<double>();
  };
  constexpr double product = 2.0 * 1024 * 1024 * 1024;
  CHECK(flops("ops/matmul/eager") == Approx(product).epsilon(1e-3));
  CHECK(flops("ops/matmul/compile") == Approx(product).epsilon(1e-3));
  CHECK(flops("ops/matmul/eager_gradient") == Approx(3 * product).epsilon(1e-3));
  CHECK(flops("ops/matmul/compile_gradient") == Approx(2 * product).epsilon(1e-3));  // the result is not asked for
  CHECK(first("ops/matmul/eager_gradient").at("roof").get<double>() > 0);
  CHECK(!first("ops/qr/eager_gradient").contains("roof"));  // nobody counts its arithmetic

  CHECK(first("system/dispatch").at("allocs").get<double>() == Approx(1).epsilon(0.05));
  for (const char* name : {"system/dispatch", "system/compiled_call", "system/compile_warm/W1"})
    CHECK(first(name).at("peak_bytes").get<double>() > 0);
  for (const char* name : {"system/compiled_call", "system/retrace", "system/compile_warm/W1"})
    CHECK(first(name).at("kernels").get<double>() >= 1);
  if (num_threads() > 1) CHECK(repetitions_of(json, "threads/W3").size() == 4);
}
