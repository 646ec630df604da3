#include "roofline_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <weft/tensor/roofline_text.h>

namespace weft::bench {
namespace {

constexpr double width = 900, height = 560, left = 70, right = 30, top = 30, bottom = 50;

// One logarithmic axis: `low` to `high` are drawn from `from` to `to`.
struct Axis {
  double low, high, from, to;
  double at(double x) const { return from + (to - from) * std::log(x / low) / std::log(high / low); }
};

struct Dot {
  std::string name;
  double intensity, speed;
};

std::string escaped(const std::string& s) {
  std::string out;
  for (const char c : s) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

std::string label(double x, double y, const std::string& text, const char* anchor = "start") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, style);
}

std::vector<Dot> dots_of(const std::vector<Row>& rows) {
  std::vector<Dot> dots;
  for (const Row& row : rows)
    if (const double flops = row.counter("FLOP/s"), bytes = row.counter("B/s"); flops > 0 && bytes > 0)
      dots.push_back({row.name, flops / bytes, flops});
  return dots;
}

// Where a dot's name is put: beside it, where no other one is; none where there is no room (the dot has it as its
// title).
class Labels {
 public:
  std::string beside(double x, double y, const std::string& text) {
    const double length = 6.2 * static_cast<double>(text.size());  // of this font, about
    for (const auto& [right, down] : {std::pair(6.0, 4.0),
                                      {-6.0 - length, 4.0},
                                      {6.0, 14.0},
                                      {6.0, -6.0},
                                      {-6.0 - length, 14.0},
                                      {-6.0 - length, -6.0}}) {
      const Box box{x + right, y + down - 10, x + right + length, y + down + 1};
      if (box.left < left || box.right > width || box.low < top || box.high > height - bottom) continue;
      if (std::any_of(taken_.begin(), taken_.end(), [&](const Box& b) { return b.meets(box); })) continue;
      taken_.push_back(box);
      return label(box.left, y + down, text);
    }
    return "";
  }
  void take(double x, double y) { taken_.push_back({x - 4, y - 4, x + 4, y + 4}); }

 private:
  struct Box {
    double left, low, right, high;
    bool meets(const Box& o) const { return left < o.right && o.left < right && low < o.high && o.low < high; }
  };
  std::vector<Box> taken_;
};

// Without the folder that all names begin with: "models/W1/compile" is "W1/compile".
std::size_t common_folder(const std::vector<Dot>& dots) {
  const std::size_t folder = dots.empty() ? 0 : dots[0].name.find('/') + 1;
  const bool common = std::all_of(dots.begin(), dots.end(), [&](const Dot& d) {
    return d.name.compare(0, folder, dots[0].name, 0, folder) == 0 && d.name.size() > folder;
  });
  return common ? folder : 0;
}

std::string grid(const Axis& x, const Axis& y) {
  std::string svg;
  for (double v = x.low; v <= x.high * 1.001; v *= 10)
    svg += line(x.at(v), y.from, x.at(v), y.to, "stroke=\"#ddd\"") +
           label(x.at(v), y.from + 16, fmt::format("{:g}", v), "middle");
  for (double v = y.low; v <= y.high * 1.001; v *= 10)
    svg += line(x.from, y.at(v), x.to, y.at(v), "stroke=\"#ddd\"") +
           label(x.from - 6, y.at(v) + 4, fmt::format("{:g}", 1e-9 * v), "end");
  return svg + label((x.from + x.to) / 2, height - 12, "operations a byte", "middle") + label(8, 18, "GFLOP/s");
}

}  // namespace

std::string roofline_svg(const Roofline& machine, const std::vector<Row>& rows) {
  const std::vector<Dot> dots = dots_of(rows);
  const double peak = 2 * machine.products_per_second;  // an fma is two
  double lowest = 0.1, highest = 100, slowest = peak / 1000;
  for (const Dot& d : dots) {
    lowest = std::min(lowest, d.intensity);
    highest = std::max(highest, d.intensity);
    slowest = std::min(slowest, d.speed);
  }
  const auto decade = [](double v, bool up) {
    return std::pow(10, up ? std::ceil(std::log10(v)) : std::floor(std::log10(v)));
  };
  const Axis x{decade(lowest, false), decade(highest, true), left, width - right},
      y{decade(slowest, false), decade(peak, true), height - bottom, top};

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:g} {1:g}\" font-family=\"sans-serif\" "
      "font-size=\"11\">\n<rect width=\"{0:g}\" height=\"{1:g}\" fill=\"white\"/>\n",
      width, height);
  svg += grid(x, y);
  for (std::size_t k = 0; k < machine.levels.size(); ++k) {  // speed = intensity * bandwidth, up to the peak
    const Roofline::Level& level = machine.levels[k];
    const double bandwidth = level.bytes_per_second, from = std::max(x.low, y.low / bandwidth),
                 to = std::min(x.high, peak / bandwidth);
    svg += line(x.at(from), y.at(from * bandwidth), x.at(to), y.at(to * bandwidth), "stroke=\"#06c\"");
    const double below = &level == &machine.levels.back() ? 16 : -6;  // memory may be as fast as the last cache
    svg += label(x.at(from) + 4, y.at(from * bandwidth) + below, level_text(machine, k));
  }
  svg += line(x.from, y.at(peak), x.to, y.at(peak), "stroke=\"#c00\"");
  svg += label(x.to, y.at(peak) - 5, fmt::format("{:.0f} GFLOP/s", 1e-9 * peak), "end");
  Labels names;
  for (const Dot& d : dots) names.take(x.at(d.intensity), y.at(d.speed));
  const std::size_t folder = common_folder(dots);
  for (const Dot& d : dots) {
    const char* colour = d.name.ends_with("/eager") ? "#999" : "#080";
    const double at = x.at(d.intensity), up = y.at(d.speed);
    svg += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" fill=\"{}\"><title>{}: {:.4g} GFLOP/s</title></circle>\n", at,
        up, colour, escaped(d.name), 1e-9 * d.speed);
    svg += names.beside(at, up, d.name.substr(folder));
  }
  return svg + "</svg>\n";
}

}  // namespace weft::bench
