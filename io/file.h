// Files, read and written with care. Library files only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace weft::io::detail {

/// A path as messages show it.
std::string shown(const std::filesystem::path& path);

/// A regular file open for reading; FormatError with path and reason if it can't be.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }
  /// All of [offset, offset + n), which lies within the file; FormatError if it has become shorter.
  void read(std::uint64_t offset, void* to, std::size_t n) const;
  /// At most n bytes from the current position; 0 at the end.
  std::size_t read_some(void* to, std::size_t n) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

/// Puts a new file in the place of `path` at once, or not at all: what `write` writes goes to a temporary file in the
/// same folder, which is synced to the disk and renamed. FormatError with path and reason; the old file is intact then.
void replace_file(const std::filesystem::path& path,
                  const std::function<void(const std::function<void(const void*, std::size_t)>& put)>& write);

/// "PATH: can't WHAT: reason of errno".
[[noreturn]] void fail_system(const std::filesystem::path& path, std::string_view what, int error);

}  // namespace weft::io::detail
