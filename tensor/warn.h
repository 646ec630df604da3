// One line on stderr for what is wrong but not an error. Library files only: public headers show no fmt.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace weft {

template <class... T> void warn(fmt::format_string<T...> format, T&&... args) {
  const std::string line = "weft: warning: " + fmt::format(format, std::forward<T>(args)...) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace weft
