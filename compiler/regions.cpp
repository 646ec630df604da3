#include "regions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "../tensor/parallel.h"
#include "pass_log.h"
#include "products.h"

namespace weft {
namespace {

constexpr std::int64_t most_written = 256 << 10;  // bytes of all rows: they stay in the cores' caches
constexpr std::int64_t most_shared = 256 << 10;   // bytes of a right operand, which each thread reads whole
constexpr std::int64_t least_rows = 8;            // of a thread: fewer make poor tiles of a product
constexpr double least_time = 2000;               // ns of a thread's work; a region costs 700

/// A launch's rows, or columns where it has one row, that make a row of the region; 0 if it can't be cut so.
std::int64_t unit(const Launch& l, std::int64_t rows) {
  const bool by_rows = l.cut == Launch::by_rows, by_columns = l.cut == Launch::by_columns && l.rows.empty();
  const std::int64_t all = by_rows ? count(l.rows) : l.cols;
  return (by_rows || by_columns) && all % rows == 0 ? all / rows : 0;
}

/// The operand's part for row r of the region is in the r-th part of its buffer: all of that, in order, or some
/// columns.
bool keeps_to_rows(const Launch& l, const LaunchOperand& o, const Type& buffer, std::int64_t rows) {
  const auto size = static_cast<std::int64_t>(size_of(buffer.dtype));
  if (l.rows == Shape{rows} && o.row_strides[0] * rows == count(buffer.shape) * size)
    return o.offset + o.last_column(l.cols) < o.row_strides[0];
  if (o.repeat > 1) return false;
  const bool row_value = o.col_stride == 0;
  Shape all = l.rows;
  if (!row_value) all.push_back(l.cols);
  if (o.offset != 0 || count(all) != count(buffer.shape)) return false;
  const Ints dense = contiguous_strides(all);
  for (int k = 0; k < all.size(); ++k)
    if ((k < l.rows.size() ? o.row_strides[k] : o.col_stride) != dense[k] * size) return false;
  return true;
}

/// Grows a region step by step.
class Builder {
 public:
  /// `made`: values that are made by rows before the region.
  Builder(const Graph& graph, const std::vector<bool>& states, std::size_t begin, std::int64_t rows,
          std::vector<bool> made)
      : graph_(graph), states_(states), region_{begin, begin, rows, 0}, made_(std::move(made)) {}

  /// Takes the step, if it fits; else the reason why not.
  const char* add(const Step& step) {
    const char* why = "its kernel is no loop of ours";
    if (product(graph_, step))
      why = add_product(std::get<NodeStep>(step));
    else if (const auto* launch = std::get_if<LaunchStep>(&step))
      why = add_launch(*launch);
    else if (std::holds_alternative<EpilogueStep>(step))
      why = "its product goes to a loop strip by strip";
    if (!why) ++region_.end;
    return why;
  }
  const Region& region() const { return region_; }

 private:
  const char* add_product(const NodeStep& step) {
    const Access &a = step.in[0], &b = step.in[1];
    const Type& out = graph_.type(step.out);
    if (out.shape.size() != 2 || out.shape[0] != region_.rows) return "it is a product of other rows";
    if (made_[b.base]) return "each row of it needs all rows of what was made before";
    if (out.dtype == DType::bf16 || out.dtype == DType::f16) return "each piece would copy a 16-bit right operand";
    if (count(b.shape) * static_cast<std::int64_t>(size_of(out.dtype)) > most_shared)
      return "its right operand is too large for each thread to read all of it";
    if (made_[a.base] && !is_whole(a, graph_.type(a.base))) return "it reads a part or a turn of what was made before";
    if (const char* why = writes(step.out)) return why;
    region_.time += static_cast<double>(count(out.shape) * a.shape[1]) / 120;
    return nullptr;
  }

  const char* add_launch(const LaunchStep& step) {
    for (const Launch& l : step.segments) {
      if (unit(l, region_.rows) == 0) return "its loop can't be cut in these rows";
      for (const LaunchOperand& o : l.operands)
        if ((o.output || made_[o.value]) && !keeps_to_rows(l, o, graph_.type(o.value), region_.rows))
          return "a row of it needs other rows of what was made before";
    }
    for (const Launch& l : step.segments) {
      for (const LaunchOperand& o : l.operands)
        if (const char* why = o.output ? writes(o.value) : nullptr) return why;
      region_.time += l.work / 64;
    }
    return nullptr;
  }

  const char* writes(ValueId v) {
    const Type& type = graph_.type(v);
    if (!made_[v]) written_ += type.bytes();
    made_[v] = true;
    return states_[v]                ? "it writes a variable"
           : written_ > most_written ? "all rows would not stay in the caches"
                                     : nullptr;
  }

  const Graph& graph_;
  const std::vector<bool>& states_;
  Region region_;
  std::vector<bool> made_;  // by value: written by a step of the region, or by rows before it
  std::int64_t written_ = 0;
};

/// Of the first product from step `at` on, if only launches come before it: how many rows it has.
std::optional<std::int64_t> rows_from(const Graph& graph, std::span<const Step> steps, std::size_t at) {
  while (at < steps.size() && std::holds_alternative<LaunchStep>(steps[at])) ++at;
  const Graph::Node* n = at < steps.size() ? product(graph, steps[at]) : nullptr;
  if (!n || graph.type(n->out).shape.size() != 2) return std::nullopt;
  return graph.type(n->out).shape[0];
}

void run_product(const Graph& graph, const NodeStep& step, std::byte* const* slots, std::int64_t begin,
                 std::int64_t end) {
  MatmulShape s = product_shape(graph, step);
  s.m = end - begin;
  const auto size = static_cast<std::int64_t>(size_of(s.dtype));
  matmul(s, product_operand(graph, step, 0, slots) + begin * s.a_row * size, product_operand(graph, step, 1, slots),
         slots[step.out] + begin * s.n * size);
}

}  // namespace

std::vector<Region> find_regions(const Graph& graph, std::span<const Step> steps, const std::vector<bool>& states,
                                 PassLog* log) {
  std::vector<Region> list;
  for (std::size_t at = 0; at < steps.size();) {
    const auto rows = rows_from(graph, steps, at);
    if (!rows || *rows < 2 * least_rows) {
      ++at;
      continue;
    }
    Builder builder(graph, states, at, *rows, std::vector<bool>(graph.values.size()));
    std::size_t end = at;
    const char* why = nullptr;
    while (end < steps.size() && !(why = builder.add(steps[end]))) ++end;
    const Region& r = builder.region();
    const bool pays = r.end - r.begin > 1 && r.time >= 2 * least_time;
    if (pays) list.push_back(r);
    if (pays && log) {
      std::string line;
      for (std::size_t i = r.begin; i < r.end; ++i) line += (line.empty() ? "" : ", ") + log->groups(steps[i]);
      line += fmt::format(": each thread takes some of the {} rows through all of them", r.rows);
      if (why) line += fmt::format("; not through {}: {}", log->groups(steps[end]), why);
      log->say(line);
    }
    at = pays ? end : at + 1;
  }
  return list;
}

int threads_for(const Region& region) {
  const double most = std::min(region.time / least_time, static_cast<double>(region.rows / least_rows));
  return std::max(1, static_cast<int>(std::min(most, static_cast<double>(num_threads()))));
}

bool keeps_to_rows_of(const std::vector<bool>& values, const Region& region, const Graph& graph,
                      std::span<const Step> steps) {
  const std::vector<bool> states(graph.values.size());
  Builder builder(graph, states, region.begin, region.rows, values);
  const auto own = steps.subspan(region.begin, region.end - region.begin);
  return std::all_of(own.begin(), own.end(), [&](const Step& step) { return !builder.add(step); });
}

void run_region_part(const Region& region, const Graph& graph, std::span<const Step> steps, std::byte* const* slots,
                     std::int64_t begin, std::int64_t end) {
  for (const Step& step : steps.subspan(region.begin, region.end - region.begin)) {
    if (const auto* node = std::get_if<NodeStep>(&step))
      run_product(graph, *node, slots, begin, end);
    else
      for (const Launch& l : std::get<LaunchStep>(step).segments)
        run_launch_part(l, slots, begin * unit(l, region.rows), end * unit(l, region.rows));
  }
}

void run_region(const Region& region, int threads, const Graph& graph, std::span<const Step> steps,
                std::byte* const* slots) {
  parallel_for(threads, threads, [&](std::int64_t part) {
    run_region_part(region, graph, steps, slots, region.rows * part / threads, region.rows * (part + 1) / threads);
  });
}

}  // namespace weft
