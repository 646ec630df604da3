// Writes docs/ops.md: every op of the table and every function over them as the library knows it, what it does as its
// header says, how accurate it is (docs/accuracy.md), and what the benchmarks measured (docs/ops-measured.json).
//
//   weft_ops_doc ROOT                       writes ROOT/docs/ops.md (ninja docs)
//   weft_ops_doc ROOT --check               exits with 1 if it is not what would be written
//   weft_ops_doc ROOT --record bench.json   first takes the measurements from
//                                           weft_bench --benchmark_filter=ops/ --benchmark_out=bench.json
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "headers.h"
#include "page.h"

using namespace weft::doc;
using nlohmann::ordered_json;

namespace {

void record(const fs::path& root, const fs::path& report) {
  const ordered_json bench = ordered_json::parse(read(report));
  const ordered_json& context = bench.at("context");
  ordered_json ops = ordered_json::object();
  const fs::path kept = root / "docs/ops-measured.json";
  if (fs::exists(kept)) ops = ordered_json::parse(read(kept)).at("ops");
  for (const ordered_json& b : bench.at("benchmarks")) {
    const std::string name = b.at("name");
    static const std::regex shape(R"(ops/(\w+)/(eager|compile)(?:/real_time)?(?:_median)?)");
    std::smatch match;
    if (!std::regex_match(name, match, shape) || !b.contains("per_element")) continue;
    const double ns = b.at("per_element").get<double>() * 1e9;
    ops[match[1].str()][match[2].str()] = std::strtod(fmt::format("{:.3g}", ns).c_str(), nullptr);
  }
  const auto said = [&](const char* key) { return context.at(key).get<std::string>(); };
  const ordered_json all = {{"machine", fmt::format("{}, {}, {}", said("cpu"), said("isa"), said("threads"))},
                            {"ops", ops}};
  write(kept, all.dump(1) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const bool check = args.size() == 2 && args[1] == "--check", records = args.size() == 3 && args[1] == "--record";
  if (args.size() != 1 && !check && !records) {
    std::fprintf(stderr, "usage: weft_ops_doc ROOT [--check | --record bench.json]\n");
    return 2;
  }
  const fs::path root = args[0];
  if (records) record(root, args[2]);
  const std::string text = page(root), before = read(root / "docs/ops.md");
  if (!check) {
    write(root / "docs/ops.md", text);
    return 0;
  }
  if (text == before) return 0;
  std::istringstream wanted(text), there(before);
  std::string a, b;
  do {
    a.clear(), b.clear();
    std::getline(wanted, a), std::getline(there, b);
  } while (a == b && (wanted || there));
  std::fprintf(stderr, "docs/ops.md is not current: run ninja docs\n  it has:     %s\n  it needs:   %s\n", b.c_str(),
               a.c_str());
  return 1;
}
