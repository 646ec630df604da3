#include "attention.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "../../tensor/parallel.h"
#include "../../tensor/storage.h"
#include "matmul.h"

namespace weft::kernels {
namespace {

constexpr std::int64_t stripe = 8 * panel;  // queries of one task of the forward pass
constexpr double parallel_work = 500'000;   // multiply-adds from which a second thread pays

/// A matrix of one item (a head of an example); strides in elements.
struct Matrix {
  std::byte* at;
  std::int64_t row, col;
};

struct Item {
  std::int64_t size;    // of an element
  std::int64_t number;  // in row-major order of the batch axes

  std::byte* start(const View& v, int trailing) const {
    std::int64_t offset = 0, rest = number;
    for (int i = v.shape.size() - trailing; i-- > 0;) {
      offset += rest % v.shape[i] * v.strides[i];
      rest /= v.shape[i];
    }
    return v.as<std::byte>() + offset * static_cast<std::int64_t>(size_of(v.dtype));
  }
  Matrix matrix(const View& v) const {
    const int rank = v.shape.size();
    return {start(v, 2), v.strides[rank - 2], v.strides[rank - 1]};
  }
  Matrix rows_from(const Matrix& m, std::int64_t row) const { return {m.at + row * m.row * size, m.row, m.col}; }
};

Matrix transposed(const Matrix& m) { return {m.at, m.col, m.row}; }

/// What all panels have in common, and the calling thread's memory for one.
class Panels {
 public:
  const DType dtype;
  const std::int64_t size, items, queries, keys, depth, width;
  const AttentionLoops& loops;

  Panels(const View& query, const View& key, const View& value, const View* mask, double scale, bool causal)
      : dtype(query.dtype),
        size(static_cast<std::int64_t>(size_of(dtype))),
        items(count(Shape(std::span(query.shape.begin(), static_cast<std::size_t>(query.shape.size() - 2))))),
        queries(query.shape[query.shape.size() - 2]),
        keys(key.shape[key.shape.size() - 2]),
        depth(query.shape.back()),
        width(value.shape.back()),
        loops(attention_loops(dtype, isa())),
        mask_(mask),
        scale_(scale),
        causal_(causal),
        product_(matmul_kernel(dtype, isa())) {
    for (const auto& [m, n, k] : {std::array{keys, panel, depth},
                                  {keys, panel, width},
                                  {panel, width, keys},
                                  {panel, depth, keys},
                                  {keys, depth, panel},
                                  {keys, width, panel}})
      product_bytes_ = std::max(product_bytes_, matmul_scratch_bytes(dtype, m, n, k));
    product_bytes_ = (product_bytes_ + 63) / 64 * 64;
  }

  int threads() const {
    const double work = static_cast<double>(items * queries) * static_cast<double>(keys * (depth + width));
    return work < parallel_work ? 1 : num_threads();
  }

  /// Calls body(first query, queries, what the panel is, two arrays for its weights) for the panels of [begin, end).
  template <class Body> void each(const Item& item, std::int64_t begin, std::int64_t end, Body&& body) const {
    const std::int64_t weights = keys * panel * size;  // a multiple of 64 bytes
    thread_local Storage memory;
    const auto needed = static_cast<std::size_t>(product_bytes_ + 2 * weights + keys * panel);
    if (memory.bytes() < needed) memory = Storage::allocate(needed);
    std::byte *const first = memory.data() + product_bytes_, *const second = first + weights;
    auto* const seen = reinterpret_cast<bool*>(second + weights);
    for (std::int64_t q = begin; q < end; q += panel) {
      const std::int64_t n = std::min(panel, end - q), limit = causal_ ? std::min(keys, q + n) : keys;
      if (mask_) look_up(item, q, n, limit, seen);
      body(q, n, AttentionPanel{limit, causal_ ? q + 1 : keys, mask_ ? seen : nullptr, scale_}, memory.data(), first,
           second);
    }
  }

  /// c [m, n] = a [m, k] b [k, n], or is increased by it.
  void product(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix& a, const Matrix& b, const Matrix& c,
               void* scratch, bool add = false) const {
    product_({1, m, n, k, 0, a.row, a.col, 0, b.row, b.col, 0, c.row, a.at, b.at, c.at, scratch, add});
  }

 private:
  void look_up(const Item& item, std::int64_t query, std::int64_t n, std::int64_t limit, bool* seen) const {
    const Matrix m = item.matrix(*mask_);
    for (std::int64_t i = 0; i < panel; ++i) {
      const auto* row = reinterpret_cast<const bool*>(m.at) + (query + std::min(i, n - 1)) * m.row;
      for (std::int64_t k = 0; k < limit; ++k) seen[k * panel + i] = row[k * m.col];
    }
  }

  const View* mask_;
  double scale_;
  bool causal_;
  MatmulFn product_;
  std::int64_t product_bytes_ = 0;
};

}  // namespace

const AttentionLoops& attention_loops(DType t, Isa level) {
  return level == Isa::avx512 ? attention_loops_avx512(t)
         : level == Isa::avx2 ? attention_loops_avx2(t)
                              : attention_loops_base(t);
}

void attention(Views in, Views out, double scale, bool causal) {
  const Panels p(in[0], in[1], in[2], in.size() > 3 ? &in[3] : nullptr, scale, causal);
  const std::int64_t stripes = (p.queries + stripe - 1) / stripe;
  parallel_for(p.items * stripes, p.threads(), [&](std::int64_t task) {
    const Item item{p.size, task / stripes};
    const Matrix query = item.matrix(in[0]), key = item.matrix(in[1]), value = item.matrix(in[2]);
    const Matrix result = item.matrix(out[0]);
    std::byte* const log = item.start(out[1], 1);
    const std::int64_t begin = task % stripes * stripe;
    p.each(item, begin, std::min(p.queries, begin + stripe),
           [&](std::int64_t q, std::int64_t n, const AttentionPanel& panel_of, void* scratch, std::byte* weights,
               std::byte*) {
             alignas(64) double inverse[panel], logs[panel];
             const std::int64_t keys = panel_of.keys;
             p.product(keys, n, p.depth, key, transposed(item.rows_from(query, q)), {weights, panel, 1}, scratch);
             p.loops.weights(panel_of, weights, inverse, logs);
             const Matrix rows = item.rows_from(result, q);
             p.product(n, p.width, keys, {weights, 1, panel}, value, rows, scratch);
             p.loops.scale_rows(rows.at, rows.row, inverse, n, p.width);
             std::memcpy(log + q * p.size, logs, static_cast<std::size_t>(n * p.size));
           });
  });
}

// The sums for keys and values go over all queries, so a thread has all panels of an item.
void attention_gradient(Views in, Views out, double scale, bool causal) {
  const Panels p(in[0], in[1], in[2], in.size() > 6 ? &in[6] : nullptr, scale, causal);
  parallel_for(p.items, p.threads(), [&](std::int64_t number) {
    const Item item{p.size, number};
    const Matrix query = item.matrix(in[0]), key = item.matrix(in[1]), value = item.matrix(in[2]),
                 grad = item.matrix(in[3]), d_query = item.matrix(out[0]), d_key = item.matrix(out[1]),
                 d_value = item.matrix(out[2]);
    for (std::int64_t k = 0; k < p.keys; ++k) {
      std::memset(item.rows_from(d_key, k).at, 0, static_cast<std::size_t>(p.depth * p.size));
      std::memset(item.rows_from(d_value, k).at, 0, static_cast<std::size_t>(p.width * p.size));
    }
    const auto take = [&](const View& v, std::int64_t first, std::int64_t n, void* to) {  // of a vector [queries]
      const std::int64_t stride = v.strides[v.shape.size() - 1];
      for (std::int64_t i = 0; i < panel; ++i)
        std::memcpy(static_cast<std::byte*>(to) + i * p.size,
                    item.start(v, 1) + (first + std::min(i, n - 1)) * stride * p.size,
                    static_cast<std::size_t>(p.size));
    };
    p.each(item, 0, p.queries,
           [&](std::int64_t q, std::int64_t n, const AttentionPanel& panel_of, void* scratch, std::byte* weights,
               std::byte* slopes) {
             alignas(64) double deltas[panel], logs[panel];
             const std::int64_t keys = panel_of.keys;
             const Matrix queries = item.rows_from(query, q), grads = item.rows_from(grad, q);
             take(in[4], q, n, deltas);
             take(in[5], q, n, logs);
             p.product(keys, n, p.depth, key, transposed(queries), {weights, panel, 1}, scratch);
             p.product(keys, n, p.width, value, transposed(grads), {slopes, panel, 1}, scratch);
             p.loops.slopes(panel_of, weights, slopes, logs, deltas);
             p.product(n, p.depth, keys, {slopes, 1, panel}, key, item.rows_from(d_query, q), scratch);
             p.product(keys, p.depth, n, {slopes, panel, 1}, queries, d_key, scratch, true);
             p.product(keys, p.width, n, {weights, panel, 1}, grads, d_value, scratch, true);
           });
  });
}

}  // namespace weft::kernels
