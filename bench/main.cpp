// weft_bench: the Google Benchmark cases, or with --json the lines that the peers' programs print.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <weft/compiler/stages.h>
#include <weft/tensor/parallel.h>

#include "cases.h"
#include "json_lines.h"
#include "report/arguments.h"
#include "report/run.h"

using namespace bench;

namespace {
std::string joined(std::span<const std::string_view> names) {
  std::string s;
  for (const std::string_view name : names) s += (s.empty() ? "" : ", ") + std::string(name);
  return s;
}
}  // namespace

int main(int argc, char** argv) {
  setenv("WEFT_CACHE", "0", 0);  // a first call generates its code, unless asked otherwise
  CLI::App app(
      "Weft's benchmarks. Without --json: a table by Google Benchmark, whose --benchmark_* are taken too; by default "
      "models, system, threads "
      "and sweeps, with --benchmark_filter=all ops and transforms too.");
  bool json = false, here = false, list = false;
  std::vector<std::string> ids;
  std::vector<std::string> mode_names = {name_of(Mode::eager), name_of(Mode::compile)};
  std::string stage, out;
  Timing timing;
  timing.threads = weft::num_threads();
  app.add_flag("--json", json, "a JSON line for each work and mode, as in bench/peers/WORKLOADS.md");
  app.add_flag("--list", list, "a JSON line for each work: its id, dtype, threads (0: any) and its check's tolerance");
  app.add_option("--work", ids, "ids with commas, as W1,W8-20; W8 means W8-20 and W8-24. Default: all")->delimiter(',');
  app.add_option("--mode", mode_names, "eager, compile or both with a comma")
      ->delimiter(',')
      ->check(CLI::IsMember(mode_names));
  app.add_option("--threads", timing.threads, "threads of a step")->check(weft::bench::number_from(1));
  app.add_option("--steps", timing.steps, "with --json: time at least so many steps; 0: the checks alone")
      ->check(weft::bench::number_from(0));
  app.add_option("--seconds", timing.seconds, "with --json: and for so long")->check(weft::bench::number_from(0.0));
  app.add_option("--note", timing.note, "with --json: the lines' note");
  app.add_option("--out", out,
                 "the folder for bench.json, bench.md and roofline.svg; default: the current one, or none of "
                 "them with --benchmark_out=FILE.json")
      ->take_last();
  app.add_flag("--here", here,
               "with --json: measure works of these very ids in this process, not in one for each line");
  app.add_option("--dump", stage, "print what compile made of the works: " + joined(weft::dump_stages()));
  app.allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) { return app.exit(e) == 0 ? 0 : 2; }
  std::vector<Mode> modes;
  for (const std::string& name : mode_names)
    modes.push_back(name == name_of(Mode::eager) ? Mode::eager : Mode::compile);

  try {
    const std::vector<Work> chosen = works(ids);
    std::vector<std::string> rest = app.remaining();
    if (list) {
      for (const Work& work : chosen) print_work(work);
      return 0;
    }
    if (!stage.empty()) {
      weft::check_stage(stage);
      for (const Work& work : chosen) {
        const Step step = work.make(Mode::compile);
        step.run();
        std::cout << "---- " << work.name << '\n' << step.dump(stage);
      }
      return 0;
    }
    if (json) {
      if (!rest.empty()) throw weft::ArgumentError("unknown argument " + rest[0]);
      if (!here) print_lines(chosen, modes, timing);
      for (const Work& work : chosen) {
        if (!ids.empty() && std::ranges::count(ids, work.name) == 0) continue;  // W13 is not W13-grad here
        for (const Mode mode : modes) print_line(work, mode, timing);
      }
      return 0;
    }
    rest.insert(rest.begin(), argv[0]);
    weft::set_num_threads(timing.threads);
    const int threads = weft::num_threads();
    register_models(chosen, modes);
    if (ids.empty()) {
      register_system(threads);
      register_io();
      register_threads(threads);
      register_sweeps();
      register_transforms();
      register_profile();
      register_library(threads);
      register_ops(threads);
    }
    return weft::bench::run_and_report(out, rest, "^(models|system|threads|sweeps)/");
  } catch (const weft::Error& e) {
    std::cerr << e.what() << '\n';
    return 2;
  }
}
