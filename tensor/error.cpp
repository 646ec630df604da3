#include "error.h"

#include <fmt/format.h>

namespace weft {

std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  const std::size_t half = limit / 2;
  return fmt::format("{} ... {}", text.substr(0, half), text.substr(text.size() - half));
}

std::string site_text(const std::source_location& site) {
  const std::string_view file = site.file_name();
  // Not known, or in the standard library, which makes what emplace_back is told to.
  if (site.line() == 0 || file.find("/include/c++/") != file.npos) return "";
  return fmt::format("{}:{}", file, site.line());
}

Error::Error(std::string rule, std::string hint) : rule_(shortened(rule, 2000)), hint_(shortened(hint)) { compose(); }

void Error::locate(std::string_view op, std::vector<std::string> operands, std::string site) {
  if (op_.empty()) {
    op_ = op;
    if (operands_.empty()) operands_ = std::move(operands);
  }
  if (site_.empty()) site_ = std::move(site);
  compose();
}

void Error::relocate(std::string_view op, std::vector<std::string> operands, std::string site) {
  op_.clear();
  operands_.clear();
  site_.clear();
  locate(op, std::move(operands), std::move(site));
}

void Error::compose() {
  text_ = op_.empty() ? rule_ : fmt::format("{}: {}", op_, rule_);
  for (const std::string& operand : operands_) text_ += "\n  " + operand;
  if (!site_.empty()) text_ += "\n  at " + site_;
  if (!hint_.empty()) text_ += "\n  hint: " + hint_;
}

}  // namespace weft
