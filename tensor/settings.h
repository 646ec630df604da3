// Variables of the environment that switch something on or off. Library files only, as warn.h.
#pragma once

#include <cstdlib>
#include <optional>
#include <string_view>

#include "warn.h"

namespace weft {

/// 1, on, true and yes; 0, off, false and no; in capitals, too. Nothing: it is none of these.
inline std::optional<bool> on_or_off(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view on : {"1", "on", "true", "yes"})
    if (lower == on) return true;
  for (const std::string_view off : {"0", "off", "false", "no"})
    if (lower == off) return false;
  return std::nullopt;
}

/// What a variable says; `otherwise` if it is not set, and, with a warning, if it says neither. Ask once.
inline bool setting(const char* name, bool otherwise) {
  const char* text = std::getenv(name);
  if (!text || !*text) return otherwise;
  const std::optional<bool> wish = on_or_off(text);
  if (!wish) warn("{}={}: not one of 0, off, 1, on; {} is used", name, text, otherwise ? "on" : "off");
  return wish.value_or(otherwise);
}

}  // namespace weft
