// What the library's headers say of its functions and ops.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace weft::doc {

namespace fs = std::filesystem;

std::string read(const fs::path& path);
void write(const fs::path& path, const std::string& text);

struct Documented {
  std::string name, text, header;
};

/// Public functions: those of headers that weft.h names.
std::vector<Documented> documented_functions(const fs::path& root);
/// Of an op that is no function's name: the comment above its struct.
std::string struct_comment(const fs::path& root, std::string_view name);

}  // namespace weft::doc
