#include "object_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <llvm/Support/xxhash.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "../../tensor/settings.h"
#include "library_id.h"

namespace weft::jit {
namespace {

constexpr std::string_view suffix = ".kernel";

struct Header {
  char magic[8];
  std::uint64_t key_size, object_size, checksum;
};
constexpr char magic[8] = {'w', 'e', 'f', 't', 'o', 'b', 'j', '1'};

llvm::ArrayRef<std::uint8_t> bytes_of(std::string_view s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}

// Closes a descriptor.
struct File {
  int fd;
  explicit File(int f) : fd(f) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
};

bool only_mine(const struct stat& info) { return info.st_uid == ::geteuid() && !(info.st_mode & (S_IWGRP | S_IWOTH)); }

bool read_all(int fd, char* to, std::size_t n) {
  while (n > 0) {
    const ssize_t got = ::read(fd, to, n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    n -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int fd, std::string_view from) {
  while (!from.empty()) {
    const ssize_t put = ::write(fd, from.data(), from.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    from.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// While it lives a file that is too large for `ulimit -f` is an error of write(), and not the end of the process.
class NoSizeSignal {
 public:
  NoSizeSignal() {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGXFSZ);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGXFSZ) == 1;
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~NoSizeSignal() {
    constexpr timespec now{};
    while (!was_pending_ && ::sigtimedwait(&signal_, nullptr, &now) < 0 && errno == EINTR) {}
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSizeSignal(const NoSizeSignal&) = delete;

 private:
  sigset_t signal_, before_;
  bool was_pending_;
};

// Of no other process: containers that share a folder have the same numbers of processes.
std::string part_name() {
  static std::uint64_t number = 0;
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) < 0) random = 0;  // then with the rest alone
  return fmt::format(".{}.{}.{:016x}.part", ::getpid(), ++number, random);
}

// In a warning. (The library's shortened() is not in this one.)
std::string shown(const std::string& path) {
  return path.size() <= 400 ? path : path.substr(0, 200) + " ... " + path.substr(path.size() - 200);
}

std::string wanted_path() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (auto path = variable("WEFT_CACHE_DIR"); !path.empty()) return path;
  if (auto path = variable("XDG_CACHE_HOME"); path.starts_with('/')) return path + "/weft";
  if (auto path = variable("HOME"); path.starts_with('/')) return path + "/.cache/weft";
  return {};
}

// The folder with those above it, private to this user. 0, or the first error that is not that it is there.
int make_folders(const std::string& path) {
  int error = 0;
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    if (::mkdir(path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST && error == 0) error = errno;
    if (at == std::string::npos) return error;
  }
}

}  // namespace

std::string digest(const std::string& text) {
  const llvm::XXH128_hash_t h = llvm::xxh3_128bits(bytes_of(text));
  return fmt::format("{:016x}{:016x}", h.high64, h.low64);
}

ObjectCache* ObjectCache::open() {
  if (!setting("WEFT_CACHE", true) || library_id().empty()) return nullptr;
  const std::string path = wanted_path();
  if (path.empty()) return nullptr;
  const auto refuse = [&](std::string_view why) -> ObjectCache* {
    warn("generated code is not kept in {}: {}; WEFT_CACHE_DIR names another folder, WEFT_CACHE=0 silences this",
         shown(path), why);
    return nullptr;
  };
  if (path.size() >= PATH_MAX) return refuse(std::strerror(ENAMETOOLONG));  // before some of its folders are made
  const int made = make_folders(path);
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return refuse(std::strerror(made ? made : errno));
  struct stat info;
  const bool failed = ::fstat(folder, &info) != 0;
  if (failed || !only_mine(info)) {
    ::close(folder);
    return refuse(failed                       ? std::strerror(errno)
                  : info.st_uid != ::geteuid() ? "it belongs to another user"
                                               : "others may write to it");
  }
  return new ObjectCache(path, folder);  // for the life of the process, as the code generator
}

ObjectCache* ObjectCache::get() {
  static ObjectCache* const cache = open();
  return cache;
}

std::unique_ptr<llvm::MemoryBuffer> ObjectCache::find(const std::string& key) {
  const std::string name = digest(key) + std::string(suffix);
  const File file(::openat(folder_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.fd < 0) return nullptr;
  const auto refuse = [&]() -> std::unique_ptr<llvm::MemoryBuffer> {
    if (!std::exchange(warned_, true))
      warn("{}/{} is damaged or not what weft wrote: its kernel is generated anew", shown(path_), name);
    ::unlinkat(folder_, name.c_str(), 0);
    return nullptr;
  };
  struct stat info;
  Header header;
  if (::fstat(file.fd, &info) || !S_ISREG(info.st_mode) || !only_mine(info)) return refuse();
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < sizeof header || size > most_bytes) return refuse();
  if (!read_all(file.fd, reinterpret_cast<char*>(&header), sizeof header)) return refuse();
  const std::uint64_t rest = size - sizeof header;
  if (std::memcmp(header.magic, magic, sizeof magic) || header.key_size != key.size() || header.key_size > rest ||
      header.object_size != rest - header.key_size)
    return refuse();
  std::string kept(header.key_size, '\0');
  auto object = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(header.object_size, name);
  if (!object || !read_all(file.fd, kept.data(), kept.size()) ||
      !read_all(file.fd, object->getBufferStart(), header.object_size) || kept != key ||
      llvm::xxh3_64bits(bytes_of({object->getBufferStart(), object->getBufferSize()})) != header.checksum)
    return refuse();
  ::futimens(file.fd, nullptr);  // used now
  return object;
}

void ObjectCache::keep(const std::string& key, const llvm::MemoryBuffer& object) {
  if (!writable_) return;
  const std::string_view code(object.getBufferStart(), object.getBufferSize());
  Header header{{}, key.size(), code.size(), llvm::xxh3_64bits(bytes_of(code))};
  std::memcpy(header.magic, magic, sizeof magic);
  make_room(sizeof header + key.size() + code.size());
  const std::string name = digest(key) + std::string(suffix), part = part_name();
  const NoSizeSignal none;
  const File file(::openat(folder_, part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const bool written = file.fd >= 0 && write_all(file.fd, {reinterpret_cast<const char*>(&header), sizeof header}) &&
                       write_all(file.fd, key) && write_all(file.fd, code) &&
                       ::renameat(folder_, part.c_str(), folder_, name.c_str()) == 0;
  if (written) return;
  warn("can't keep generated code in {}: {}; the next process generates it again", shown(path_), std::strerror(errno));
  if (file.fd >= 0) ::unlinkat(folder_, part.c_str(), 0);
  writable_ = false;
}

// Counts the folder's files when first asked, then what this process adds; others' additions are seen by the next.
void ObjectCache::make_room(std::uint64_t bytes) {
  if (used_ != ~0ull && used_ + bytes <= most_bytes) {
    used_ += bytes;
    return;
  }
  struct Entry {
    std::string name;
    std::uint64_t size;
    timespec used;
  };
  std::vector<Entry> entries;
  used_ = bytes;
  // A descriptor of its own, because reading moves it.
  DIR* listing = ::fdopendir(::openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return;
  const std::time_t now = std::time(nullptr);
  while (const dirent* e = ::readdir(listing)) {
    const std::string name = e->d_name;
    struct stat info;
    if (::fstatat(folder_, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) || !S_ISREG(info.st_mode)) continue;
    if (name.ends_with(".part") && info.st_mtime + 3600 < now)
      ::unlinkat(folder_, name.c_str(), 0);  // of a process cut short
    if (!name.ends_with(suffix)) continue;
    entries.push_back({name, static_cast<std::uint64_t>(info.st_size), info.st_mtim});
    used_ += entries.back().size;
  }
  ::closedir(listing);
  if (used_ <= most_bytes) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const Entry& e : entries) {
    if (used_ <= most_bytes / 2) break;  // not again at each of the next kernels
    if (::unlinkat(folder_, e.name.c_str(), 0) == 0) used_ -= e.size;
  }
}

}  // namespace weft::jit
