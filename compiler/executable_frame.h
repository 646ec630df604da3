// What one call needs beside the executable: calls at the same time have one each.
#pragma once

#include <vector>

#include "arenas.h"
#include "executable.h"

namespace weft {

struct Executable::Frame {
  ~Frame() { detail::take_arena(this); }

  Storage arena;  // none between calls, if it is large
  std::vector<std::byte*> slots;
  std::vector<std::vector<View>> views;  // by step: inputs, then the outputs
};

}  // namespace weft
