#include "epilogues.h"

#include <algorithm>
#include <optional>

#include "../tensor/past_caches.h"
#include "pass_log.h"
#include "products.h"

namespace weft {
namespace {

constexpr std::size_t most_operands = 32;

/// The loop walks a matrix of n columns: bytes from one of its rows to the next, for an operand. A flat launch has them
/// end to end.
std::int64_t row_stride(const Launch& l, const LaunchOperand& o, std::int64_t n) {
  return l.rows.empty() ? n * o.col_stride : o.row_strides[0];
}

/// The operand that is all of the value, in its order; none if the launch is no loop over that matrix, element by
/// element.
std::optional<std::size_t> takes(const Launch& l, ValueId value, const Type& type) {
  const std::int64_t m = type.shape[0], n = type.shape[1], size = static_cast<std::int64_t>(size_of(type.dtype));
  const bool flat = l.rows.empty() && l.cols == m * n, rows = l.rows == Shape{m} && l.cols == n;
  const auto later = [](const KernelInstruction& k) { return k.level > 0; };
  if ((!flat && !rows) || l.kernel.small_cols || !l.kernel.reductions.empty() || l.operands.size() > most_operands ||
      std::any_of(l.kernel.code.begin(), l.kernel.code.end(), later))
    return std::nullopt;
  std::optional<std::size_t> found;
  for (std::size_t k = 0; k < l.operands.size(); ++k) {
    const LaunchOperand& o = l.operands[k];
    if (o.value != value) continue;
    if (found || o.output || o.offset != 0 || o.col_stride != size || row_stride(l, o, n) != n * size)
      return std::nullopt;
    found = k;
  }
  return found;
}

/// Bytes that a launch reads and writes, roughly: what lies side by side.
std::int64_t moved(const LaunchStep& step) {
  std::int64_t sum = 0;
  for (const Launch& l : step.segments)
    for (std::size_t k = 0; k < l.operands.size(); ++k)
      if (l.operands[k].col_stride != 0)
        sum += count(l.rows) * (l.cols / l.operands[k].repeat) * l.interleave *
               static_cast<std::int64_t>(size_of(l.kernel.operands[k].dtype));
  return sum;
}

/// By value: how often it is read, and which steps write it.
struct Uses {
  std::vector<int> reads;
  std::vector<std::vector<std::size_t>> writes;

  Uses(const Graph& graph, std::span<const Step> steps) : reads(graph.values.size()), writes(graph.values.size()) {
    for (std::size_t s = 0; s < steps.size(); ++s)
      each_use(graph, steps[s], [&](ValueId v, bool output) { output ? writes[v].push_back(s) : void(++reads[v]); });
  }

  bool written_between(ValueId v, std::size_t after, std::size_t last) const {
    return std::any_of(writes[v].begin(), writes[v].end(), [&](std::size_t s) { return after < s && s <= last; });
  }
};

/// Where the value is read.
struct Reader {
  std::size_t step, segment, operand;
};
std::optional<Reader> reader_of(const Graph& graph, std::span<const Step> steps, std::size_t from, ValueId value) {
  for (std::size_t s = from; s < steps.size(); ++s)
    if (const auto* launch = std::get_if<LaunchStep>(&steps[s]))
      for (std::size_t k = 0; k < launch->segments.size(); ++k)
        if (const auto operand = takes(launch->segments[k], value, graph.type(value))) return Reader{s, k, *operand};
  return std::nullopt;
}

/// The loop's operands, to be called on rectangles of its matrix.
struct Rectangles {
  const Kernel& kernel;
  KernelFunction function;
  std::size_t count, product;  // the product is operand number `product`
  std::byte* base[most_operands];
  std::int64_t row[most_operands], col[most_operands];

  Rectangles(const EpilogueStep& step, std::int64_t n, std::byte* const* slots)
      : kernel(step.loop.segments[0].kernel), function(step.loop.segments[0].function), product(step.operand) {
    const Launch& l = step.loop.segments[0];
    count = l.operands.size();
    for (std::size_t k = 0; k < count; ++k) {
      const LaunchOperand& o = l.operands[k];
      base[k] = k == product ? nullptr : slots[o.value] + o.offset;
      row[k] = row_stride(l, o, n);
      col[k] = o.col_stride;
    }
  }

  void run(std::int64_t first_row, std::int64_t first_column, std::int64_t rows, std::int64_t columns, void* c,
           std::int64_t c_row) const {
    void* pointers[most_operands];
    std::int64_t strides[most_operands];
    for (std::size_t k = 0; k < count; ++k) {
      pointers[k] = k == product ? c : base[k] + first_row * row[k] + first_column * col[k];
      strides[k] = k == product ? c_row * col[k] : row[k];
    }
    call_kernel(kernel, function, {pointers, strides, col, rows, columns, nullptr});
  }
};

}  // namespace

void attach_epilogues(const Graph& graph, std::vector<Step>& steps, std::span<const ValueId> outputs,
                      std::span<const ValueId> successors, std::span<const Region> stay, PassLog* log) {
  const Uses uses(graph, steps);
  std::vector<std::vector<EpilogueStep>> after(steps.size());  // by step
  std::vector<bool> gone(steps.size()), large(steps.size());
  for (std::size_t s = 0; s < steps.size(); ++s)
    if (const auto* launch = std::get_if<LaunchStep>(&steps[s])) large[s] = moved(*launch) > past_caches;
  // Why the product of a step goes to no loop; null: it goes to `reader`.
  const auto obstacle = [&](std::size_t at, std::optional<Reader>& reader) -> const char* {
    const auto& node = std::get<NodeStep>(steps[at]);
    const auto covers = [&](const Region& r) { return r.begin <= at && at < r.end; };
    const auto may_wait = [&](const Access& a) {
      const ValueId next = successors[a.base];
      return !uses.written_between(a.base, at, reader->step) &&
             (next == no_value || !uses.written_between(next, at, reader->step));
    };
    if (graph.type(node.out).shape.size() != 2) return "it is a batch of products";
    if (std::any_of(stay.begin(), stay.end(), covers)) return "rows go through it and its neighbours at once";
    if (std::find(outputs.begin(), outputs.end(), node.out) != outputs.end()) return "it is a result, too";
    if (uses.reads[node.out] != 1) return "it is read more than once";
    if (const char* why = epilogue_obstacle(product_shape(graph, node))) return why;
    reader = reader_of(graph, steps, at, node.out);
    if (!reader) return "what reads it is no pointwise loop over its elements in their order";
    if (!large[reader->step]) return "the loop moves no more than the caches hold, so it waits for no memory";
    if (!std::all_of(node.in.begin(), node.in.end(), may_wait)) return "it reads what is overwritten before that loop";
    return nullptr;
  };
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (!product(graph, steps[at])) continue;
    auto& node = std::get<NodeStep>(steps[at]);
    std::optional<Reader> reader;
    const char* why = obstacle(at, reader);
    if (log)
      log->product(node.node, why ? std::string("is stored as a whole: ") + why : "goes to the loop strip by strip");
    if (why) continue;
    auto& segments = std::get<LaunchStep>(steps[reader->step]).segments;
    EpilogueStep with{std::move(node), {{std::move(segments[reader->segment])}}, reader->operand};
    // Stores around the caches would be waited for; others leave while the next strip is computed.
    for (KernelOperand& o : with.loop.segments[0].kernel.operands) o.past_caches = false;
    after[reader->step].push_back(std::move(with));
    segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(reader->segment));
    gone[at] = true;
    gone[reader->step] = segments.empty();
  }
  std::vector<Step> result;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (!gone[s]) result.push_back(std::move(steps[s]));
    for (EpilogueStep& with : after[s]) result.push_back(std::move(with));
  }
  steps = std::move(result);
}

void run_epilogue(const EpilogueStep& step, const Graph& graph, std::byte* const* slots) {
  const MatmulShape shape = product_shape(graph, step.product);
  const Rectangles loop(step, shape.n, slots);
  const MatmulEpilogue epilogue{
      [](const void* context, std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns, void* c,
         std::int64_t c_row) { static_cast<const Rectangles*>(context)->run(row, column, rows, columns, c, c_row); },
      &loop};
  matmul(shape, product_operand(graph, step.product, 0, slots), product_operand(graph, step.product, 1, slots),
         epilogue);
}

}  // namespace weft
