#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace weft::data {

Progress::Progress(std::int64_t total, std::string_view label, std::FILE* out)
    : label_(label), total_(total), out_(out), visible_(out && isatty(fileno(out)) == 1) {}

Progress::~Progress() {
  if (open_) std::fputc('\n', out_);
}

std::string Progress::line(std::string_view label, std::int64_t done, std::int64_t total, double seconds,
                           Numbers numbers) {
  constexpr int width = 30;
  const double share = total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 1;
  const int full = static_cast<int>(share * width);
  std::string bar(static_cast<std::size_t>(full), '=');
  if (full < width) bar += '>';
  bar.resize(width, ' ');
  const auto s = static_cast<std::int64_t>(std::max(seconds, 0.0));
  std::string text =
      fmt::format("{}{}[{}] {:3.0f} %  {}:{:02}", label, label.empty() ? "" : " ", bar, share * 100, s / 60, s % 60);
  for (const auto& [name, value] : numbers) text += fmt::format("  {} {:.4g}", name, value);  // NaN prints as nan
  return text;
}

void Progress::update(std::int64_t done, Numbers numbers) {
  if (!visible_) return;
  const auto now = Clock::now();
  if (open_ && done < total_ && now - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = now;
  open_ = true;
  const std::string text = line(label_, done, total_, std::chrono::duration<double>(now - start_).count(), numbers);
  fmt::print(out_, "\r{:<{}}", text, width_);  // as wide as the last one: nothing of it stays
  std::fflush(out_);
  width_ = text.size();
}

}  // namespace weft::data
