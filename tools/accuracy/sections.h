// The parts of docs/accuracy.md.
#pragma once

#include <string>
#include <vector>

namespace weft::accuracy {

struct Section {
  std::string text;
  bool good = true;  ///< all that is promised is kept
  int rows = 0;
  void add(const std::string& row) { text += row, ++rows; }
};

// Each measures, and prints as it goes; of one op or function alone if `only` is not null.
Section of_elementwise_ops(const char* only);
Section of_other_ops(const char* only);
Section of_functions(const char* only);

/// The figures of --all that a file has, as its last section; empty if it has none.
std::string all_inputs_of(const std::string& path);
/// Measures them, of these ops or all, and writes them into the file, if one is named, op by op. The exit status.
int sweep_all_inputs(const std::vector<std::string>& names, const std::string& path);

bool write(const std::string& path, const std::string& text);

}  // namespace weft::accuracy
