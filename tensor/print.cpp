// Printing as NumPy does: 4 digits, one width for all, at most 1000 elements, 3 at each edge of more.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "convert.h"
#include "tensor.h"

namespace weft {
namespace {

constexpr std::int64_t threshold = 1000, edge = 3;
constexpr std::size_t line_width = 80;

struct Printer {
  const View view;
  const bool cut;  // only the edges are shown
  bool scientific = false;
  int digits = 0;  // after the point
  std::size_t width = 0;

  explicit Printer(const View& v) : view(v), cut(count(v.shape) > threshold) {
    if (is_floating(view.dtype)) choose_format();
    each([&](std::int64_t offset) { width = std::max(width, format(offset).size()); });
  }

  double value(std::int64_t offset) const {
    double d;
    detail::convert_elements(
        view.dtype, static_cast<const std::byte*>(view.data) + offset * static_cast<std::int64_t>(size_of(view.dtype)),
        0, f64, &d, 0, 1);
    return d;
  }

  template <class F> void each(F f, int axis = 0, std::int64_t offset = 0) const {
    if (axis == view.shape.size()) return f(offset);
    for (std::int64_t i = 0; i < view.shape[axis]; ++i) {
      if (cut && view.shape[axis] > 2 * edge && i == edge) i = view.shape[axis] - edge;
      each(f, axis + 1, offset + i * view.strides[axis]);
    }
  }

  void choose_format() {
    double largest = 0, smallest = INFINITY;
    each([&](std::int64_t offset) {
      const double a = std::abs(value(offset));
      if (!std::isfinite(a) || a == 0) return;
      largest = std::max(largest, a);
      smallest = std::min(smallest, a);
    });
    scientific = largest >= 1e8 || (largest > 0 && (smallest < 1e-4 || largest / smallest > 1e5));
    if (scientific) return;
    each([&](std::int64_t offset) {  // as many digits as any number needs, up to 4
      const double x = value(offset);
      if (!std::isfinite(x)) return;
      while (digits < 4 && std::abs(x - std::round(x * std::pow(10, digits)) / std::pow(10, digits)) > 5e-5) ++digits;
    });
  }

  std::string format(std::int64_t offset) const {
    if (view.dtype == DType::boolean) return value(offset) != 0 ? "true" : "false";
    if (view.dtype == i64) return fmt::format("{}", static_cast<const std::int64_t*>(view.data)[offset]);
    if (!is_floating(view.dtype)) return fmt::format("{}", static_cast<std::int64_t>(value(offset)));
    const double x = value(offset);
    if (!std::isfinite(x)) return std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
    if (scientific) return fmt::format("{:.4e}", x);
    return digits == 0 ? fmt::format("{:.0f}.", x) : fmt::format("{:.{}f}", x, digits);
  }

  std::string print(int axis, std::int64_t offset) const {
    if (axis == view.shape.size()) return fmt::format("{:>{}}", format(offset), axis ? width : 0);
    const bool last = axis + 1 == view.shape.size();
    const std::string indent(static_cast<std::size_t>(axis) + 1, ' ');
    std::string out = "[", line;
    const auto put = [&](const std::string& item, bool first) {
      if (last) {
        if (!first) line += ",";
        if (indent.size() + line.size() + item.size() + 1 > line_width) {
          out += line + "\n" + indent;
          line = item;
        } else {
          line += (first ? "" : " ") + item;
        }
      } else {
        if (!first) out += "," + std::string(static_cast<std::size_t>(view.shape.size() - axis - 1), '\n') + indent;
        out += item;
      }
    };
    for (std::int64_t i = 0; i < view.shape[axis]; ++i) {
      if (cut && view.shape[axis] > 2 * edge && i == edge) {
        put("...", false);
        i = view.shape[axis] - edge;
      }
      put(print(axis + 1, offset + i * view.strides[axis]), i == 0);
    }
    return out + line + "]";
  }
};

}  // namespace

std::string Tensor::text() const {
  if (!defined()) return "undefined";
  if (is_traced()) return type().text() + " (traced)";
  const std::string kind = fmt::format("{}{}", name_of(dtype()), shape().text());
  if (size() == 0) return "[]  " + kind;
  return Printer(view()).print(0, 0) + "  " + kind;
}

}  // namespace weft
