// What a benchmark needs, made once for all of its repetitions.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace bench {

/// What make() gave for this benchmark: Google calls it for each repetition, and before, to find out how often it fits
/// the time. The last one alone is kept.
template <class T, class Make> T& made_once(const std::string& name, const Make& make) {
  // Never destroyed: what it holds must not outlive the library's statics.
  static auto& last = *new std::pair<std::string, std::optional<T>>;
  if (!last.second || last.first != name) {
    last.second.reset();  // there need not be memory for two
    last = {name, make()};
  }
  return *last.second;
}

}  // namespace bench
