// Catch2, of which Debian 12 has version 2 and Debian 13 version 3. Use what both have.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
inline auto containing(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }
#else
#include <catch2/catch.hpp>
inline auto containing(const std::string& part) { return Catch::Contains(part); }
#endif
