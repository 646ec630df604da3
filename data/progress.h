// A progress bar on a terminal; nothing elsewhere.
//
//     data::Progress bar(epochs, "training");
//     for (...) bar.update(epoch + 1, {{"loss", loss}, {"accuracy", accuracy}});
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace weft::data {

class Progress {
 public:
  using Numbers = std::initializer_list<std::pair<std::string_view, double>>;

  /// Writes to `out` only if that is a terminal.
  explicit Progress(std::int64_t total, std::string_view label = "", std::FILE* out = stderr);
  /// Ends the line.
  ~Progress();
  Progress(const Progress&) = delete;

  /// Shows the bar, ten times a second at most and once at the end.
  void update(std::int64_t done, Numbers numbers = {});
  bool visible() const { return visible_; }

  /// The line for this state, without the carriage return: "training [=====>    ]  50 %  0:12  loss 0.123". Public for
  /// tests.
  static std::string line(std::string_view label, std::int64_t done, std::int64_t total, double seconds,
                          Numbers numbers);

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  std::int64_t total_;
  std::FILE* out_;
  bool visible_, open_ = false;
  Clock::time_point start_ = Clock::now(), shown_ = {};
  std::size_t width_ = 0;
};

}  // namespace weft::data
