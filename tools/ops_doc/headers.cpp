#include "headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

namespace weft::doc {

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

namespace {

// The functions that a header declares outside detail namespaces, with the comments above them; of layers above ops
// those that take operands, as ops do.
std::vector<Documented> functions_of(const fs::path& header) {
  const bool any = header.parent_path().filename() == "ops";
  // What it returns is a tensor or holds some: ValuesIndices, SvdResult.
  static const std::regex declaration(
      R"(^(?:inline )?(?:(?!Shape )[A-Z]\w+|std::(?:pair|tuple|array|vector)<[^(]*>) (\w+)\(.*)");
  std::vector<Documented> found;
  std::ifstream in(header);
  std::string comment, before;  // before: the function in the line above, whose comment is about this one, too
  bool detail = false, more = true, in_struct = false,
       of_struct = false;  // more: still in the comment's first paragraph
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (line.empty() || line.starts_with("struct ")) before.clear();
    if (line.starts_with("namespace detail")) detail = true;
    if (line.starts_with("}  // namespace detail")) detail = false;
    if (line.starts_with("///     ")) continue;  // an example
    if (line == "///") more = false;
    if (line.starts_with("///") && of_struct) comment.clear(), of_struct = false;
    if (line.starts_with("///")) {
      if (more) comment += (comment.empty() ? "" : " ") + line.substr(4);
      continue;
    }
    more = true;
    if (!detail && std::regex_match(line, match, declaration) &&
        (any || line.find("const Arg& ") != std::string::npos)) {
      if (comment.empty() && !before.empty() && before != match[1]) comment = "see " + before;
      found.push_back({match[1], comment, header.parent_path().filename().string() + "/" + header.filename().string()});
      if (!comment.starts_with("see ")) before = match[1];
      comment.clear();
    }
    // Between a function and its comment may stand the struct that it returns.
    if (line.starts_with("struct ")) in_struct = line.ends_with("{");
    if (!line.starts_with("struct ") && !in_struct) comment.clear();
    if (line == "};") of_struct = in_struct, in_struct = false;  // the comment may be the struct's own
  }
  return found;
}

std::vector<fs::path> headers_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".h") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

std::vector<Documented> documented_functions(const fs::path& root) {
  const std::string umbrella = read(root / "weft.h");
  std::vector<Documented> all;
  for (const char* layer : {"ops", "nn"})
    for (const fs::path& header : headers_in(root / layer))
      if (umbrella.find(fmt::format("\"{}/{}\"", layer, header.filename().string())) != std::string::npos)
        for (const Documented& f : functions_of(header)) all.push_back(f);
  return all;
}

std::string struct_comment(const fs::path& root, std::string_view name) {
  for (const fs::path& header : headers_in(root / "ops/defs")) {
    std::ifstream in(header);
    std::string comment, pending, before;
    static const std::regex opening(R"(^(?:template <.*> )?struct (\w+).*)");
    for (std::string line; std::getline(in, line);) {
      std::smatch match;
      if (line.starts_with("/// ")) {
        pending += (pending.empty() ? "" : " ") + line.substr(4);
      } else if (std::regex_match(line, match, opening)) {
        if (before != match[1].str() + "Attrs" || !pending.empty()) comment = pending;  // its attributes may have it
        before = match[1];
        pending.clear();
      } else if (line.find(fmt::format("name = \"{}\";", name)) != std::string::npos) {
        return comment;
      }
    }
  }
  return "";
}

}  // namespace weft::doc
