// What the program made of docs/from-tensorflow.md needs: show() prints, says() is what should be printed.
#pragma once

#include <weft/weft.h>

#include <filesystem>
#include <iostream>
#include <regex>
#include <sstream>
#include <string>
#include <thread>

inline std::ostringstream shown, said;

template <class T> void show(const T& value) {
  std::ostringstream text;
  if constexpr (std::is_same_v<T, weft::Tensor>)
    value.defined() ? text << value : text << "undefined";
  else
    text << value;
  std::string s = std::regex_replace(text.str(), std::regex(" at [^ \n]+:[0-9]+"), "");  // lines move
  if (s.empty() || s.back() != '\n') s += '\n';
  shown << s;
}
inline void says(const char* line) { said << line << '\n'; }

/// Runs a phrase; true if it printed what it says.
inline bool right(void (*phrase)(), int line) {
  shown.str(""), said.str("");
  try {
    phrase();
  } catch (const std::exception& e) { shown << "threw " << e.what() << '\n'; }
  if (shown.str() == said.str() && !said.str().empty()) return true;
  std::cerr << "docs/from-tensorflow.md:" << line << " says:\n" << said.str() << "the phrase prints:\n" << shown.str();
  return false;
}
