#include "file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../tensor/error.h"

namespace weft::io::detail {
namespace {

// A descriptor that is closed, and a temporary file that is removed, unless told otherwise.
struct Temporary {
  std::string name;
  int fd = -1;
  ~Temporary() {
    if (fd >= 0) ::close(fd);
    if (!name.empty()) ::unlink(name.c_str());
  }
};

}  // namespace

std::string shown(const std::filesystem::path& path) { return shortened(path.string(), 400); }

void fail_system(const std::filesystem::path& path, std::string_view what, int error) {
  throw FormatError(fmt::format("{}: can't {}: {}", shown(path), what, std::strerror(error)));
}

InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // O_NONBLOCK: a pipe without a writer would block
  if (fd_ < 0) fail_system(path, "open it", errno);
  struct stat info;
  const int failed = ::fstat(fd_, &info)      ? errno
                     : !S_ISREG(info.st_mode) ? (S_ISDIR(info.st_mode) ? EISDIR : EINVAL)
                                              : 0;
  if (failed) {
    ::close(fd_);
    if (failed == EINVAL) throw FormatError(fmt::format("{}: not a regular file", shown(path)));
    fail_system(path, "read it", failed);
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
}

InputFile::~InputFile() { ::close(fd_); }

void InputFile::read(std::uint64_t offset, void* to, std::size_t n) const {
  auto* at = static_cast<std::byte*>(to);
  while (n > 0) {
    const ssize_t got = ::pread(fd_, at, n, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_system(path_, "read it", errno);
    if (got == 0) throw FormatError(fmt::format("{}: it became shorter while it was read", shown(path_)));
    at += got;
    offset += static_cast<std::uint64_t>(got);
    n -= static_cast<std::size_t>(got);
  }
}

std::size_t InputFile::read_some(void* to, std::size_t n) const {
  for (;;) {
    const ssize_t got = ::read(fd_, to, n);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail_system(path_, "read it", errno);
  }
}

namespace {
struct Target {
  std::filesystem::path path;
  std::optional<mode_t> mode;  // of the file that is there
};

// What a link leads to is replaced, not the link; and nothing but a file is: a rename would take /dev/null's place.
Target to_replace(const std::filesystem::path& path) {
  std::error_code error;
  if (path.empty()) throw FormatError("a path that is empty: can't write it");
  const bool link = std::filesystem::is_symlink(path, error);
  const auto target = link ? std::filesystem::weakly_canonical(path, error) : path;
  if (link && error) fail_system(path, "write it", error.value());
  struct stat info;
  if (::stat(target.c_str(), &info)) return {target, {}};
  if (S_ISDIR(info.st_mode)) fail_system(path, "write it", EISDIR);
  if (!S_ISREG(info.st_mode)) throw FormatError(fmt::format("{}: can't write it: not a regular file", shown(path)));
  return {target, info.st_mode & 0777};
}
}  // namespace

void replace_file(const std::filesystem::path& given,
                  const std::function<void(const std::function<void(const void*, std::size_t)>& put)>& write) {
  const auto [path, mode] = to_replace(given);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  Temporary file;
  std::string name;
  static std::atomic<unsigned> files{0};
  do {  // mkstemp's are for their owner alone, whatever the umask, which can't be read without a moment of another
    name = (folder / fmt::format(".{}.{}.{}", path.filename().string().substr(0, 200), ::getpid(), files++)).string();
    file.fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode ? 0600 : 0666);
  } while (file.fd < 0 && errno == EEXIST);
  if (file.fd < 0) fail_system(path, "write beside it", errno);
  file.name = name;

  std::vector<std::byte> buffer;
  buffer.reserve(1 << 16);
  const auto put_all = [&](const std::byte* from, std::size_t n) {
    while (n > 0) {
      const ssize_t done = ::write(file.fd, from, n);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail_system(path, "write it", errno);
      from += done;
      n -= static_cast<std::size_t>(done);
    }
  };
  write([&](const void* from, std::size_t n) {
    const auto* bytes = static_cast<const std::byte*>(from);
    if (buffer.size() + n > buffer.capacity()) {
      put_all(buffer.data(), buffer.size());
      buffer.clear();
      if (n > buffer.capacity()) return put_all(bytes, n);
    }
    buffer.insert(buffer.end(), bytes, bytes + n);
  });
  put_all(buffer.data(), buffer.size());

  if (mode && ::fchmod(file.fd, *mode))  // not before: what is private was so all the time
    fail_system(path, "set its mode", errno);
  if (::fsync(file.fd)) fail_system(path, "sync it to the disk", errno);
  if (::close(std::exchange(file.fd, -1))) fail_system(path, "write it", errno);
  if (::rename(name.c_str(), path.c_str())) fail_system(path, "put it in place", errno);
  file.name.clear();
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // The new name, too, is to outlive a power cut; some file systems refuse, and the file is there.
  if (directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
}

}  // namespace weft::io::detail
