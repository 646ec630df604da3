#include "attrs.h"

#include <fmt/format.h>

namespace weft::detail {

std::string member_text(double v) { return fmt::format("{}", v); }
std::string member_text(std::int64_t v) { return fmt::format("{}", v); }

}  // namespace weft::detail
