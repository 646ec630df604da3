// Kernels' machine code on the disk: a second process generates none. Inside libweft_jit.so.
#pragma once

#include <llvm/Support/MemoryBuffer.h>

#include <cstdint>
#include <memory>
#include <string>

namespace weft::jit {

/// One file a kernel, named by the hash of its key, in WEFT_CACHE_DIR, else $XDG_CACHE_HOME/weft, else ~/.cache/weft.
/// What lies there is run as code, so the folder must be the user's own and writable by nobody else. Files come and go
/// whole (written beside, then renamed), and each says its key and checksum: processes may share a folder, and nothing
/// that is cut short, damaged or foreign is ever used. What can't be done is said once on stderr and done without.
class ObjectCache {
 public:
  /// The process's own; null where it is switched off (WEFT_CACHE=0) or has no folder.
  static ObjectCache* get();

  /// The object file kept under a key; null if there is none.
  std::unique_ptr<llvm::MemoryBuffer> find(const std::string& key);
  void keep(const std::string& key, const llvm::MemoryBuffer& object);

  /// All files together; beyond it those go that were not used for longest.
  static constexpr std::uint64_t most_bytes = 256u << 20;

 private:
  ObjectCache(std::string path, int folder) : path_(std::move(path)), folder_(folder) {}
  static ObjectCache* open();
  void make_room(std::uint64_t bytes);
  std::string path_;
  int folder_;                             // its descriptor
  std::uint64_t used_ = ~0ull;             // bytes of files; not counted yet
  bool writable_ = true, warned_ = false;  // warned of a damaged file
};

/// 32 hexadecimal digits.
std::string digest(const std::string& text);

}  // namespace weft::jit
