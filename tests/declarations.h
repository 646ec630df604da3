// The functions that public headers of ops and nn declare: what tests of "every function that takes ..." hold their
// lists to. WEFT_SOURCE_DIR is the root of the sources.
#pragma once

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace weft::test {

struct Declaration {
  std::string name, parameters;
};

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Those whose result begins with a capital, as tensors and structs of them do, in the headers that weft.h names.
inline std::vector<Declaration> declared_functions() {
  const std::filesystem::path root = WEFT_SOURCE_DIR;
  const std::regex header(R"re(#include "((?:ops|nn)/\w+\.h)")re"), comment("//[^\n]*"),
      function(R"(\n(?:inline )?(?:std::vector<)?[A-Z]\w*>? (\w+)\(([^;{]*)\))");
  std::vector<Declaration> found;
  const std::string umbrella = text_of(root / "weft.h");
  for (std::sregex_iterator h(umbrella.begin(), umbrella.end(), header), end; h != end; ++h) {
    const std::string text = std::regex_replace(text_of(root / (*h)[1].str()), comment, "");
    for (std::sregex_iterator f(text.begin(), text.end(), function); f != end; ++f) found.push_back({(*f)[1], (*f)[2]});
  }
  return found;
}

/// How often `what` stands in the text.
inline int occurrences(const std::string& text, const std::string& what) {
  int n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

}  // namespace weft::test
