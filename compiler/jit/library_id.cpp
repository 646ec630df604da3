#include "library_id.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>

namespace weft::jit {
namespace {

// The bytes of the note NT_GNU_BUILD_ID in a segment of notes.
std::string build_id(const char* at, std::size_t size) {
  const auto padded = [](std::size_t n) { return (n + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const std::size_t whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
    if (whole > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !std::memcmp(at + sizeof note, "GNU", 4)) {
      std::string id;
      for (std::size_t i = 0; i < note.n_descsz; ++i)
        id += fmt::format("{:02x}", static_cast<unsigned char>(at[sizeof note + padded(note.n_namesz) + i]));
      return id;
    }
    at += whole;
    size -= whole;
  }
  return {};
}

// Of each loaded library: the one that holds this function is ours.
int look(dl_phdr_info* info, std::size_t, void* id) {
  const auto me = reinterpret_cast<ElfW(Addr)>(&look);
  bool mine = false;
  std::string found;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    const ElfW(Addr) begin = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD) mine |= me >= begin && me < begin + segment.p_memsz;
    if (segment.p_type == PT_NOTE && found.empty())
      found = build_id(reinterpret_cast<const char*>(begin), segment.p_memsz);
  }
  if (mine) *static_cast<std::string*>(id) = found;
  return mine;
}

}  // namespace

const std::string& library_id() {
  static const std::string id = [] {
    std::string found;
    dl_iterate_phdr(look, &found);
    return found;
  }();
  return id;
}

}  // namespace weft::jit
