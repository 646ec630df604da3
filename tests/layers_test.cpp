// Reads every #include of the tree and holds it to the order of the layers, which no linker would.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "catch.h"

namespace fs = std::filesystem;

namespace {

const fs::path root = WEFT_SOURCE_DIR;
const std::vector<std::string> layers = {"tensor", "ops", "autograd", "compiler", "nn", "io", "data"};

struct Include {
  fs::path file;  // relative to the root, as is target where quoted
  std::string target;
  bool quoted;
};

std::vector<Include> includes_of(const fs::path& file) {
  std::vector<Include> found;
  std::ifstream in(root / file);
  for (std::string line; std::getline(in, line);) {
    line.erase(std::remove_if(line.begin(), line.end(), [](char c) { return c == ' ' || c == '\t'; }), line.end());
    const bool quoted = line.rfind("#include\"", 0) == 0;
    if (!quoted && line.rfind("#include<", 0) != 0) continue;
    const auto begin = line.find_first_of("\"<") + 1;
    const std::string target = line.substr(begin, line.find_first_of("\">", begin) - begin);
    found.push_back({file, quoted ? (file.parent_path() / target).lexically_normal().string() : target, quoted});
  }
  return found;
}

std::vector<Include> includes_under(const std::string& folder) {
  std::vector<Include> found;
  if (!fs::exists(root / folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const auto kind = entry.path().extension();
    if (kind != ".h" && kind != ".cpp" && kind != ".inc") continue;
    const auto more = includes_of(fs::relative(entry.path(), root));
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

std::vector<Include> includes_of_library() {
  std::vector<Include> found;
  for (const auto& layer : layers) {
    const auto more = includes_under(layer);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

std::string text(const Include& i) { return i.file.string() + " includes " + i.target; }

bool starts_with_any(const std::string& s, std::initializer_list<const char*> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const char* p) { return s.rfind(p, 0) == 0; });
}

bool is_dnnl(const std::string& s) { return starts_with_any(s, {"dnnl", "oneapi/dnnl"}); }
bool is_llvm(const std::string& s) { return starts_with_any(s, {"llvm/", "llvm-c/"}); }
bool is_eigen(const std::string& s) { return starts_with_any(s, {"Eigen/"}); }
bool is_fmt(const std::string& s) { return starts_with_any(s, {"fmt/"}); }
bool is_json(const std::string& s) { return starts_with_any(s, {"nlohmann/"}); }

}  // namespace

TEST_CASE("a layer includes only itself and the layers below") {
  for (const Include& i : includes_of_library()) {
    if (!i.quoted) continue;
    INFO(text(i));
    CHECK(fs::exists(root / i.target));
    const auto from = std::find(layers.begin(), layers.end(), i.file.begin()->string());
    const auto to = std::find(layers.begin(), layers.end(), fs::path(i.target).begin()->string());
    REQUIRE(to != layers.end());
    CHECK(to <= from);
  }
}

TEST_CASE("library files name their neighbours by relative path, all others by <weft/...>") {
  for (const Include& i : includes_of_library()) {
    INFO(text(i));
    if (!i.quoted) CHECK_FALSE(starts_with_any(i.target, {"weft/"}));
  }
  for (const std::string folder : {"tests", "examples", "bench"}) {
    for (const Include& i : includes_under(folder)) {
      INFO(text(i));
      if (i.quoted) CHECK(fs::path(i.target).begin()->string() == folder);
    }
  }
}

TEST_CASE("each dependency has one place") {
  for (const Include& i : includes_of_library()) {
    if (i.quoted) continue;
    INFO(text(i));
    const std::string file = i.file.string();
    const bool jit = starts_with_any(file, {"compiler/jit/"}) && file != "compiler/jit/loader.cpp";
    if (is_dnnl(i.target)) CHECK(starts_with_any(file, {"ops/onednn/"}));
    if (is_llvm(i.target)) CHECK(jit);
    if (is_eigen(i.target)) CHECK(file == "ops/kernels/decompose.cpp");
    if (is_json(i.target)) CHECK(starts_with_any(file, {"io/"}));
  }
}

TEST_CASE("public headers show no dependency") {
  std::set<fs::path> seen;
  std::vector<fs::path> queue = {"weft.h", "ops/own_op.h", "bench/bench.h"};
  while (!queue.empty()) {
    const fs::path header = queue.back();
    queue.pop_back();
    if (!seen.insert(header).second) continue;
    for (const Include& i : includes_of(header)) {
      if (i.quoted) {
        queue.emplace_back(i.target);
        continue;
      }
      INFO(text(i));
      CHECK_FALSE((is_dnnl(i.target) || is_llvm(i.target) || is_eigen(i.target) || is_fmt(i.target) ||
                   is_json(i.target) || i.target == "iostream"));
    }
  }
  CHECK(seen.size() > 1);
}
