// weft_bench_compare: the test against known and counted values, and what it refuses to judge.
#include <unistd.h>
#include <weft/bench/compare/judge.h>
#include <weft/bench/compare/mann_whitney.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>
#include <stdexcept>

#include "catch.h"

using namespace bench;
namespace fs = std::filesystem;

namespace {

double u_by_pairs(const std::vector<double>& a, const std::vector<double>& b) {
  double u = 0;
  for (const double x : a)
    for (const double y : b) u += x > y ? 1 : x == y ? 0.5 : 0;
  return u;
}

// p by trying every way to share the numbers out.
double p_by_enumeration(std::vector<double> a, const std::vector<double>& b) {
  const double u = u_by_pairs(a, b);
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::vector<bool> chosen(all.size(), false);
  std::fill_n(chosen.begin(), a.size(), true);
  double ways = 0, below = 0, above = 0;
  do {
    std::vector<double> first, second;
    for (std::size_t i = 0; i < all.size(); ++i) (chosen[i] ? first : second).push_back(all[i]);
    const double other = u_by_pairs(first, second);
    ++ways, below += other <= u, above += other >= u;
  } while (std::prev_permutation(chosen.begin(), chosen.end()));
  return std::min(1.0, 2 * std::min(below, above) / ways);
}

void equals(double got, double expected, double tolerance = 1e-12) {
  INFO(got << " against " << expected);
  CHECK(std::abs(got - expected) <= tolerance * std::max(1.0, std::abs(expected)));
}

struct Report {
  const fs::path path;
  explicit Report(const std::string& name, const std::string& text)
      : path(fs::temp_directory_path() / ("weft-compare-" + std::to_string(::getpid()) + name)) {
    std::ofstream(path) << text;
  }
  ~Report() { fs::remove(path); }
};

// A report of repetitions that all failed; by their label, as where others had been timed before.
std::string failure(const std::string& name, const std::string& why, bool by_label = false) {
  const std::string what = by_label ? ", \"real_time\": 1, \"label\": \"NOT TIMED: " + why + "\""
                                    : ", \"error_occurred\": true, \"error_message\": \"" + why + "\"";
  const std::string row =
      "{\"run_name\": \"" + name + "\", \"run_type\": \"iteration\", \"time_unit\": \"us\"" + what + "}";
  return "{\"benchmarks\": [" + row + "," + row + "]}";
}

std::string report(const std::string& name, const std::vector<double>& times) {
  std::string rows;
  for (const double t : times)
    rows += (rows.empty() ? "" : ",") + ("{\"name\": \"" + name + "\", \"run_name\": \"" + name) +
            "\", \"run_type\": \"iteration\", \"real_time\": " + std::to_string(t) + ", \"cpu_time\": 1" +
            ", \"time_unit\": \"us\"}";
  rows += ",{\"name\": \"" + name + "_mean\", \"run_name\": \"" + name +
          "\", \"run_type\": \"aggregate\", \"real_time\": 1e9, \"cpu_time\": 1, \"x\": NaN, \"time_unit\": \"us\"}";
  return "{\"context\": {}, \"benchmarks\": [" + rows + "]}";
}

int exit_status(const fs::path& before, const fs::path& after, const std::string& more = "") {
  const std::string command = WEFT_COMPARE " '" + before.string() + "' '" + after.string() + "' " + more;
  return WEXITSTATUS(std::system((command + " >/dev/null 2>&1").c_str()));
}

std::string said(const fs::path& before, const fs::path& after) {
  FILE* pipe = popen((WEFT_COMPARE " '" + before.string() + "' '" + after.string() + "' 2>&1").c_str(), "r");
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

}  // namespace

TEST_CASE("Mann-Whitney: known values") {
  // SciPy's documentation of mannwhitneyu: U = 17, exact p = 0.1111...
  const MannWhitney scipy = mann_whitney(std::vector<double>{19, 22, 16, 29, 24}, std::vector<double>{20, 11, 17, 12});
  equals(scipy.u, 17);
  equals(scipy.p, 14.0 / 126);
  // one wholly below the other: 2 of C(n + m, n) ways
  equals(mann_whitney(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6}).p, 2.0 / 20);
  equals(mann_whitney(std::vector<double>{1, 2, 3, 4}, std::vector<double>{5, 6, 7, 8}).p, 2.0 / 70);
  equals(mann_whitney(std::vector<double>{1, 2, 3, 4, 5}, std::vector<double>{6, 7, 8, 9, 10}).p, 2.0 / 252);
  // critical values of the tables: n = m = 8, U <= 13 at 0.05, two-sided; n = m = 10, U <= 23
  const auto of_u = [](int n, int u) {  // samples of n with this U: i of b lie below the last i of a
    std::vector<double> a(static_cast<std::size_t>(n)), b(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < b.size(); ++i) a[i] = static_cast<double>(i), b[i] = 100.0 + static_cast<double>(i);
    for (std::size_t i = a.size(); u > 0 && i-- > 0;) {
      const int over = std::min(u, n);
      a[i] = 100.0 + over - 0.5 + 0.001 * static_cast<double>(i);
      u -= over;
    }
    return mann_whitney(a, b);
  };
  equals(of_u(8, 13).u, 13);
  CHECK(of_u(8, 13).p <= 0.05);
  CHECK(of_u(8, 14).p > 0.05);
  CHECK(of_u(10, 23).p <= 0.05);
  CHECK(of_u(10, 24).p > 0.05);
}

TEST_CASE("Mann-Whitney: exact with equal numbers too, as counted one by one") {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    std::vector<double> a(1 + random() % 5), b(1 + random() % 5);
    for (auto* v : {&a, &b})
      for (double& x : *v) x = static_cast<double>(random() % 6);
    const MannWhitney r = mann_whitney(a, b);
    equals(r.u, u_by_pairs(a, b));
    equals(r.p, p_by_enumeration(a, b));
    equals(mann_whitney(b, a).p, r.p);
  }
}

TEST_CASE("Mann-Whitney: the normal approximation beyond 60 numbers") {
  // n = m = 50, every a below every b: z = (1250 - 0.5) / sqrt(2500 101 / 12)
  std::vector<double> low(50), high(50);
  std::iota(low.begin(), low.end(), 0), std::iota(high.begin(), high.end(), 100);
  equals(mann_whitney(low, high).p, std::erfc(1249.5 / std::sqrt(2500.0 * 101 / 12) / std::sqrt(2.0)));
  // 20 zeros and 20 ones against 10 zeros and 30 ones: U = 200 + (200 + 600) / 2, runs of 30 and 50 equal numbers
  std::vector<double> a(40, 1.0), b(40, 1.0);
  std::fill_n(a.begin(), 20, 0.0), std::fill_n(b.begin(), 10, 0.0);
  const double ties = (30.0 * 30 * 30 - 30 + 50.0 * 50 * 50 - 50) / (80 * 79);
  equals(mann_whitney(a, b).u, 600);
  equals(mann_whitney(a, b).p, std::erfc(199.5 / std::sqrt(1600.0 / 12 * (81 - ties)) / std::sqrt(2.0)));
  equals(mann_whitney(std::vector<double>(50, 1.0), std::vector<double>(50, 1.0)).p, 1);
}

TEST_CASE("judge: significant and large, or not at all") {
  const std::vector<double> base = {100, 101, 102, 103, 104};
  const auto scaled = [&](double by) {
    std::vector<double> t = base;
    for (double& x : t) x *= by;
    return t;
  };
  const auto verdict = [&](const std::vector<double>& before, const std::vector<double>& after) {
    return judge({{"x", {before}}}, {{"x", {after}}}, {})[0].verdict;
  };
  CHECK(verdict(base, base) == Verdict::same);
  CHECK(verdict(base, scaled(1.2)) == Verdict::slower);
  CHECK(verdict(base, scaled(0.8)) == Verdict::faster);
  CHECK(verdict(base, scaled(1.045)) == Verdict::same);  // significant, but small
  CHECK(verdict({100, 101, 102, 120, 99}, {106, 107, 98, 110, 100}) == Verdict::noisy);
  CHECK(verdict({100, 101, 102}, {200, 201, 202}) == Verdict::too_few);           // p = 0.1 at best
  CHECK(verdict({100, 101, 102, 103}, {200, 201, 202, 203}) == Verdict::slower);  // p = 2/70
  // ten times slower stays that, however much repetitions vary; a difference that they explain is none
  CHECK(verdict({100, 108, 92, 104, 118}, {1000, 1080, 920, 1040, 1180}) == Verdict::slower);
  CHECK(verdict({1000, 1080, 920, 1040, 1180}, {100, 108, 92, 104, 118}) == Verdict::faster);
  CHECK(verdict(base, {110, 111, 112, 170, 105}) == Verdict::noisy);  // p = 2/252
  CHECK(verdict(base, {}) == Verdict::only_before);
  CHECK(verdict({}, base) == Verdict::only_after);

  const Repetitions wrong{{}, "why\nin detail"};
  const auto of = [&](const Repetitions& before, const Repetitions& after) {
    return judge({{"x", before}}, {{"x", after}}, {})[0];
  };
  CHECK(of({base}, wrong).verdict == Verdict::wrong);
  CHECK(of({base}, wrong).text() == "WRONG: why");
  CHECK(of(wrong, wrong).is_worse());
  CHECK(of(wrong, {base}).verdict == Verdict::wrong_before);
  CHECK(judge({}, {{"x", wrong}}, {})[0].verdict == Verdict::wrong);

  const auto list =
      judge({{"a", {base}}, {"b", {base}}, {"gone", {base}}}, {{"a", {scaled(2)}}, {"b", {scaled(0.5)}}}, {});
  REQUIRE(list.size() == 3);
  equals(list[0].ratio, 2);
  equals(list[0].p, 2.0 / 252);
  equals(geometric_mean(list), 1);
  equals(geometric_mean(judge({{"a", {base}}, {"b", {base}}}, {{"a", {scaled(2)}}, {"b", {scaled(8)}}}, {})), 4);
  equals(geometric_mean({}), 1);
}

TEST_CASE("read_runs: repetitions in nanoseconds, no aggregates; bad files say why") {
  const Report good("good", report("models/W1", {1, 2.5}));
  const Runs runs = read_runs(good.path);
  REQUIRE(runs.size() == 1);
  CHECK(runs.at("models/W1").times == std::vector<double>{1000, 2500});
  CHECK(read_runs(good.path, "cpu_time").at("models/W1").times == std::vector<double>{1000, 1000});
  for (const bool by_label : {false, true}) {
    const Report wrong("wrong", failure("x", "the check differs", by_label));
    CHECK(read_runs(wrong.path).at("x").wrong == "the check differs");
    CHECK(read_runs(wrong.path).at("x").times.empty());
  }

  const auto error = [](const fs::path& path) {
    try {
      read_runs(path);
    } catch (const std::runtime_error& e) { return std::string(e.what()); }
    return std::string("none");
  };
  const std::string missing = "/nonexistent/a.json";
  CHECK(error(missing) == missing + ": cannot be read");
  const Report text("text", "hello"), other("other", "{\"a\": 1}"), empty("empty", "{\"benchmarks\": []}"),
      unit("unit", "{\"benchmarks\": [{\"run_name\": \"x\", \"real_time\": 1, \"time_unit\": \"days\"}]}"),
      never("never", "{\"benchmarks\": [{\"run_name\": \"x\", \"real_time\": 0, \"time_unit\": \"ns\"}]}");
  const auto of_row = [](const std::string& row) { return "{\"benchmarks\": [" + row + "]}"; };
  const Report nothing("nothing", "\n"), list("list", "[1]"), number("number", of_row("1")),
      nameless("nameless", of_row("{}")), timeless("timeless", of_row("{\"run_name\": \"x\", \"time_unit\": \"ns\"}")),
      numbered("numbered", of_row("{\"run_name\": 7}")), object("object", "{\"benchmarks\": {\"a\": 1}}");
  const std::vector<std::pair<const Report*, std::string>> whys = {
      {&text, "it is no JSON, or was cut short"},
      {&nothing, "it is empty"},
      {&other, "it has no list of \"benchmarks\""},
      {&list, "it has no list of \"benchmarks\""},
      {&object, "it has no list of \"benchmarks\""},
      {&number, "a benchmark that is 1"},
      {&nameless, "a benchmark without a word for \"run_name\""},
      {&numbered, "a benchmark without a word for \"run_name\""},
      {&timeless, "a benchmark without a number for \"real_time\""},
      {&unit, "a time_unit \"days\", which is not ns, us, ms or s"},
      {&never, "a real_time of 0"}};
  for (const auto& [bad, why] : whys)
    CHECK(error(bad->path) == bad->path.string() + ": not a report of Google Benchmark: " + why);
  CHECK(error(empty.path) == empty.path.string() + ": holds no run");
}

TEST_CASE("weft_bench_compare: the exit status") {
  const Report base("base", report("x", {100, 101, 102, 103, 104})),
      slow("slow", report("x", {120, 121, 122, 123, 124})), wild("wild", report("x", {100, 150, 80, 120, 90})),
      wide("wide", report("x", {1000, 1080, 920, 1040, 1180})), wrong("wrong", failure("x", "differs")),
      late("late", failure("x", "differs", true)), bad("bad", "[");
  const Report two("two", [] {  // of which a run that died has one
    std::string text = report("x", {100, 101, 102, 103, 104}), more = report("y", {100, 101, 102, 103, 104});
    return text.substr(0, text.rfind(']')) + "," + more.substr(more.find('[') + 1);
  }());
  CHECK(exit_status(two.path, base.path) == 1);
  CHECK(exit_status(two.path, base.path, "--filter '^x$'") == 0);
  CHECK(exit_status(base.path, two.path) == 0);
  CHECK(said(two.path, base.path)
            .find("1 of 2 judged, 0 slower, 0 wrong, 1 missing; geometric mean of their ratios 1.000\n") !=
        std::string::npos);
  CHECK(said(base.path, wild.path).find("0 of 1 judged, 0 slower, 0 wrong, 0 missing; nothing was comparable\n") !=
        std::string::npos);
  CHECK(exit_status(base.path, wide.path) == 1);  // varies by 9 %
  CHECK(exit_status(base.path, wrong.path) == 1);
  CHECK(exit_status(base.path, late.path) == 1);
  CHECK(exit_status(wrong.path, wrong.path) == 1);
  CHECK(exit_status(wrong.path, base.path) == 2);
  CHECK(exit_status(base.path, base.path) == 0);
  CHECK(exit_status(slow.path, base.path) == 0);
  CHECK(exit_status(base.path, slow.path) == 1);
  CHECK(exit_status(base.path, slow.path, "--change 30") == 0);
  CHECK(exit_status(base.path, slow.path, "--metric cpu_time") == 0);
  CHECK(exit_status(base.path, wild.path) == 2);  // nothing can be judged
  CHECK(exit_status(base.path, slow.path, "--filter nothing") == 2);
  CHECK(exit_status(base.path, bad.path) == 2);
  CHECK(exit_status(base.path, "/nonexistent") == 2);
  CHECK(exit_status(base.path, base.path, "--alpha 7") == 2);
  CHECK(exit_status(base.path, base.path, "--change -1") == 2);
  CHECK(exit_status(base.path, base.path, "--filter '('") == 2);
}
