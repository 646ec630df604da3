// What one call needs beside the executable: calls at the same time have one each.
#pragma once

#include <vector>

#include "executable.h"

namespace weft {

struct Executable::Frame {
  Storage arena;
  std::vector<std::byte*> slots;
  std::vector<std::vector<View>> views;  // by step: inputs, then the outputs
};

}  // namespace weft
