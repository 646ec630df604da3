// What options take, said in a line where they are given something else.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <string>

namespace weft::bench {

/// A number of this type from `least` on; not infinite.
template <class Number> CLI::Validator number_from(Number least) {
  const char* const kind = std::is_integral_v<Number> ? "a whole number" : "a number";
  return {[=](std::string& text) {
            Number x{};
            const char* const end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, x);
            const bool good =
                error == std::errc() && stop == end && x >= least && std::isfinite(static_cast<double>(x));
            const std::string from = std::to_string(least);
            return good ? std::string() : text + ": must be " + kind + " from " + from.substr(0, from.find('.'));
          },
          ""};
}

}  // namespace weft::bench
