// The text of docs/ops.md.
#pragma once

#include "headers.h"

namespace weft::doc {

std::string page(const fs::path& root);

}  // namespace weft::doc
