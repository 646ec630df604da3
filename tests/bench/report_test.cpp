// The report: its table, its picture, and what a whole run leaves behind.
#include <unistd.h>
#include <weft/bench/bench.h>
#include <weft/bench/report/roofline_svg.h>
#include <weft/bench/report/table.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

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

int exit_status(const std::string& arguments) {
  return WEXITSTATUS(std::system((WEFT_BENCH " " + arguments + " >/dev/null 2>&1").c_str()));
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
                                                      "1.5 (0)", "3", "4", "3.0", "library 7, op_time 2 us"});
  CHECK(bench::cells(row).size() == bench::headings().size());
  const bench::Row wrong{"x", "", -1, "the check differs"};
  CHECK(bench::cells(wrong).back() == "NOT TIMED: the check differs");

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
  bench::add("known", {.items = 4, .flops = 1e3}, product, ones({4, 2}), ones({2, 3}));
  bench::add(
      "bad", [](const Tensor& t) { return log(t - 2); }, x);
  std::vector<std::string> arguments = {"test", "--benchmark_min_time=0.001", "--threads=1",
                                        "--out=" + out.path.string()};
  std::vector<char*> argv;
  for (std::string& s : arguments) argv.push_back(s.data());
  CHECK(bench::run(static_cast<int>(argv.size()), argv.data()) == 1);

  const std::string text = out.read("bench.md");
  CHECK(contains(text, "| good/eager |"));
  CHECK(contains(text, "| good/compile |"));
  CHECK(contains(text, "| bad/eager |  |  |  |  |  |  |  |  |  | NOT TIMED: result 0 is not finite |"));
  CHECK(contains(text, "- threads: 1 of "));
  CHECK(contains(text, "- weft: 0."));
  const auto json = nlohmann::json::parse(out.read("bench.json"));
  CHECK(contains(json.at("context").at("roofline").get<std::string>(), "GFLOP/s"));
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
  CHECK(exit_status(few + "--threads 0") != 0);
  CHECK(exit_status(few + "--no-such-flag") == 2);
  CHECK(exit_status("--work W1 --out /proc/nowhere") == 2);
}
