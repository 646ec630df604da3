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
// From so many queries fetching ahead pays (measured), and while keys and values leave room for it in L2.
constexpr std::int64_t long_item = 4 * panel, l2_share = 512 * 1024;

/// A matrix of one item (a head of an example); strides in elements.
struct Matrix {
  std::byte* at;
  std::int64_t row, col;
};

struct Item {
  std::int64_t size;  // of an element
  Shape index;        // in the batch axes

  Item(std::int64_t size_, const Shape& batch, std::int64_t number) : size(size_), index(batch) {
    for (int i = batch.size(); i-- > 0; number /= batch[i]) index[i] = number % batch[i];
  }

  /// Its first element of an operand, which has the batch axes first.
  std::byte* start(const View& v) const {
    std::int64_t offset = 0;
    for (int i = 0; i < index.size(); ++i) offset += index[i] * v.strides[i];
    return v.as<std::byte>() + offset * static_cast<std::int64_t>(size_of(v.dtype));
  }
  Matrix matrix(const View& v) const {
    const int rank = v.shape.size();
    return {start(v), v.strides[rank - 2], v.strides[rank - 1]};
  }
  Matrix rows_from(const Matrix& m, std::int64_t row) const { return {m.at + row * m.row * size, m.row, m.col}; }
  /// n elements of a vector of `step`.
  void take(const std::byte* from, std::int64_t step, std::int64_t first, std::int64_t n, void* to) const {
    from += first * step * size;
    if (step == 1) std::memcpy(to, from, static_cast<std::size_t>(n * size));
    for (std::int64_t i = 0; step != 1 && i < n; ++i)
      std::memcpy(static_cast<std::byte*>(to) + i * size, from + i * step * size, static_cast<std::size_t>(size));
  }
};

/// What the panels of an item read and write: rows of queries, then rows of keys.
template <int n> struct Operands {
  AttentionRows rows[n] = {};
  int of_queries = 0;

  /// The part of a panel from this query on that no panel before it has.
  Operands panel_at(std::int64_t query, bool causal) const {
    Operands r = *this;
    for (int i = 0; i < n; ++i) {
      AttentionRows& x = r.rows[i];
      x.at += query * x.step;
      x.rows = i < of_queries || causal || query == 0 ? std::clamp<std::int64_t>(x.rows - query, 0, panel) : 0;
    }
    return r;
  }
};

Matrix transposed(const Matrix& m) { return {m.at, m.col, m.row}; }

/// What all panels have in common, and the calling thread's memory for one.
class Panels {
 public:
  const DType dtype;
  const Shape batch;
  const std::int64_t size, items, queries, keys, depth, width;
  const AttentionLoops& loops;

  Panels(const View& query, const View& key, const View& value, const View* mask, double scale, bool causal)
      : dtype(query.dtype),
        batch(std::span(query.shape.begin(), static_cast<std::size_t>(query.shape.size() - 2))),
        size(static_cast<std::int64_t>(size_of(dtype))),
        items(count(batch)),
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
                                  {keys, width, panel},
                                  {few_queries, keys, depth},
                                  {few_queries, width, keys}})
      product_bytes_ = std::max(product_bytes_, matmul_scratch_bytes(dtype, m, n, k));
    product_bytes_ = (product_bytes_ + 63) / 64 * 64;
  }

  int threads() const {
    const double work = static_cast<double>(items * queries) * static_cast<double>(keys * (depth + width));
    return work < parallel_work ? 1 : num_threads();
  }

  Item item(std::int64_t number) const { return {size, batch, number}; }

  /// What is to be fetched ahead of an item, of these operands.
  template <std::size_t q, std::size_t k> Operands<q + k> operands(std::int64_t number,
                                                                   const View* const (&of_queries)[q],
                                                                   const View* const (&of_keys)[k]) const {
    Operands<q + k> r;
    r.of_queries = q;
    if (queries < long_item || keys * (depth + width) * size > l2_share) return r;
    const Item i = item(number);
    AttentionRows* to = r.rows;
    const auto add = [&](const View* v) {
      const Matrix m = i.matrix(*v);
      if (m.col == 1) *to++ = {m.at, m.row * size, v->shape.back() * size, v->shape[v->shape.size() - 2]};
    };
    for (const View* v : of_queries) add(v);
    r.of_queries = static_cast<int>(to - r.rows);
    for (const View* v : of_keys) add(v);
    return r;
  }

  /// The keys that any query sees.
  std::int64_t seen() const { return queries == 0 ? 0 : causal_ ? std::min(keys, queries) : keys; }

  /// Calls body(first query, queries, what the panel is, two arrays for its weights) for the panels of [begin, end),
  /// whose operands are given, and those of the task that this thread is likely to have next.
  template <int n, class Body> void each(const Item& item, std::int64_t begin, std::int64_t end,
                                         const Operands<n>& operands, const Operands<n>& next, std::int64_t next_begin,
                                         Body&& body) const {
    const Memory m = memory();
    for (std::int64_t q = begin; q < end; q += panel) {
      const std::int64_t queries = std::min(panel, end - q), all = causal_ ? std::min(keys, q + queries) : keys,
                         few = causal_ ? std::min(keys, q + std::min(group, queries)) : keys;
      if (mask_) look_up(item, q, queries, all, m.seen);
      const Operands<n> ahead =
          q + panel < end ? operands.panel_at(q + panel, causal_) : next.panel_at(next_begin, causal_);
      body(q, queries,
           AttentionPanel{{few, all},
                          queries,
                          causal_ ? q + 1 : keys,
                          mask_ ? m.seen : nullptr,
                          scale_,
                          ahead.rows,
                          ahead.rows + n},
           m.scratch, m.first, m.second);
    }
  }

  /// All queries of an item, where they are few: scores and weights in rows.
  void rows_of(const Item& item, const Matrix& query, const Matrix& key, const Matrix& value, const Matrix& result,
               std::byte* log) const {
    const Memory m = memory();
    const std::int64_t all = seen(), step = (keys + group - 1) / group * group;
    alignas(64) double inverse[few_queries];
    product(queries, all, depth, query, transposed(key), {m.first, step, 1}, m.scratch);
    for (std::int64_t q = 0; q < queries; ++q) {
      const std::int64_t limit = causal_ ? std::min(keys, q + 1) : keys;
      if (mask_) {
        const Matrix mask = item.matrix(*mask_);
        const auto* row = reinterpret_cast<const bool*>(mask.at) + q * mask.row;
        if (mask.col == 1) std::memcpy(m.seen, row, static_cast<std::size_t>(limit));
        for (std::int64_t k = 0; mask.col != 1 && k < limit; ++k) m.seen[k] = row[k * mask.col];
        std::fill(m.seen + limit, m.seen + step, false);
      }
      std::byte* const weights = m.first + q * step * size;
      loops.row({limit, mask_ ? m.seen : nullptr, scale_}, weights, reinterpret_cast<std::byte*>(inverse) + q * size,
                log + q * size);
      std::memset(weights + limit * size, 0, static_cast<std::size_t>((all - limit) * size));
    }
    product(queries, width, all, {m.first, step, 1}, value, result, m.scratch);
    loops.scale_rows(result.at, result.row, inverse, queries, width);
  }

  /// The rows of `result`, n queries from the one that it is at: weights^T [n, keys] times those of b [keys, width].
  void rows(const AttentionPanel& p, std::int64_t n, std::int64_t columns, std::byte* weights, const Matrix& b,
            const Matrix& result, void* scratch) const {
    const auto [few, all] = p.keys;
    const std::int64_t first = few == all ? n : group;
    product(first, columns, few, {weights, 1, panel}, b, result, scratch);
    if (first < n)
      product(n - first, columns, all, {weights + first * size, 1, panel}, b,
              {result.at + first * result.row * size, result.row, result.col}, scratch);
  }

  /// `sums` [keys, width] and weights [keys, n] times b [n, width], rows of queries; the sums of the keys that no panel
  /// before had begin here.
  void add_rows(const AttentionPanel& p, std::int64_t q, std::int64_t n, std::int64_t columns, std::byte* weights,
                const Matrix& b, const Matrix& sums, void* scratch) const {
    const auto [few, all] = p.keys;
    const std::int64_t before = q == 0 ? 0 : causal_ ? std::min(keys, q) : keys;
    const auto add = [&](std::int64_t first, std::int64_t last, std::int64_t query, bool to_sums) {
      if (first < last)
        product(last - first, columns, n - query, {weights + (first * panel + query) * size, panel, 1},
                {b.at + query * b.row * size, b.row, b.col}, {sums.at + first * sums.row * size, sums.row, sums.col},
                scratch, to_sums);
    };
    add(0, before, 0, true);
    add(before, few, 0, false);
    add(few, all, group, false);
  }

  /// c [m, n] = a [m, k] b [k, n], or is increased by it.
  void product(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix& a, const Matrix& b, const Matrix& c,
               void* scratch, bool add = false) const {
    product_({1, m, n, k, 0, a.row, a.col, 0, b.row, b.col, 0, c.row, a.at, b.at, c.at, scratch, add});
  }

 private:
  struct Memory {
    std::byte *scratch, *first, *second;  // of products; two arrays of a panel's weights
    bool* seen;                           // as many
  };
  Memory memory() const {
    const std::int64_t weights = (keys + group) * panel * size;  // a multiple of 64 bytes; rows end with whole vectors
    thread_local Storage memory;
    const auto needed = static_cast<std::size_t>(product_bytes_ + 2 * weights + (keys + group) * panel);
    if (memory.bytes() < needed) memory = Storage::allocate(needed);
    std::byte* const first = memory.data() + product_bytes_;
    return {memory.data(), first, first + weights, reinterpret_cast<bool*>(first + 2 * weights)};
  }

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
  return by_isa(level, attention_loops_base, attention_loops_avx2, attention_loops_avx512)(t);
}

void attention(Views in, Views out, double scale, bool causal) {
  const Panels p(in[0], in[1], in[2], in.size() > 3 ? &in[3] : nullptr, scale, causal);
  const std::int64_t stripes = (p.queries + stripe - 1) / stripe;
  parallel_for(p.items * stripes, p.threads(), [&](std::int64_t task) {
    const Item item = p.item(task / stripes);
    const Matrix query = item.matrix(in[0]), key = item.matrix(in[1]), value = item.matrix(in[2]);
    const Matrix result = item.matrix(out[0]);
    std::byte* const log = item.start(out[1]);
    if (p.queries <= few_queries) return p.rows_of(item, query, key, value, result, log);
    const std::int64_t begin = task % stripes * stripe, next = std::min(task + p.threads(), p.items * stripes - 1);
    const auto operands = [&](std::int64_t i) { return p.operands(i, {&in[0], &out[0]}, {&in[1], &in[2]}); };
    p.each(item, begin, std::min(p.queries, begin + stripe), operands(task / stripes), operands(next / stripes),
           next % stripes * stripe,
           [&](std::int64_t q, std::int64_t n, const AttentionPanel& panel_of, void* scratch, std::byte* weights,
               std::byte*) {
             alignas(64) double inverse[panel], logs[panel];
             const std::int64_t keys = panel_of.keys[1];
             p.product(keys, n, p.depth, key, transposed(item.rows_from(query, q)), {weights, panel, 1}, scratch);
             p.loops.weights(panel_of, weights, inverse, logs);
             const Matrix rows = item.rows_from(result, q);
             p.rows(panel_of, n, p.width, weights, value, rows, scratch);
             p.loops.scale_rows(rows.at, rows.row, inverse, n, p.width);
             std::memcpy(log + q * p.size, logs, static_cast<std::size_t>(n * p.size));
           });
  });
}

// The sums for keys and values go over all queries, panel by panel, so a thread has all panels of an item.
void attention_gradient(Views in, Views out, double scale, bool causal) {
  const Panels p(in[0], in[1], in[2], in.size() > 6 ? &in[6] : nullptr, scale, causal);
  parallel_for(p.items, p.threads(), [&](std::int64_t number) {
    const Item item = p.item(number);
    const Matrix query = item.matrix(in[0]), key = item.matrix(in[1]), value = item.matrix(in[2]),
                 grad = item.matrix(in[3]), d_query = item.matrix(out[0]), d_key = item.matrix(out[1]),
                 d_value = item.matrix(out[2]);
    const std::byte *const delta = item.start(in[4]), *const log = item.start(in[5]);
    const std::int64_t delta_step = in[4].strides[in[4].shape.size() - 1],
                       log_step = in[5].strides[in[5].shape.size() - 1];
    const auto operands = [&](std::int64_t i) { return p.operands(i, {&in[0], &in[3], &out[0]}, {&in[1], &in[2]}); };
    p.each(item, 0, p.queries, operands(number), operands(std::min(number + p.threads(), p.items - 1)), 0,
           [&](std::int64_t q, std::int64_t n, const AttentionPanel& panel_of, void* scratch, std::byte* weights,
               std::byte* slopes) {
             alignas(64) double deltas[panel] = {}, logs[panel] = {};
             const std::int64_t keys = panel_of.keys[1];
             const Matrix queries = item.rows_from(query, q), grads = item.rows_from(grad, q);
             item.take(delta, delta_step, q, n, deltas);
             item.take(log, log_step, q, n, logs);
             p.product(keys, n, p.depth, key, transposed(queries), {weights, panel, 1}, scratch);
             p.product(keys, n, p.width, value, transposed(grads), {slopes, panel, 1}, scratch);
             p.loops.slopes(panel_of, weights, slopes, logs, deltas);
             p.rows(panel_of, n, p.depth, slopes, key, item.rows_from(d_query, q), scratch);
             p.add_rows(panel_of, q, n, p.depth, slopes, queries, d_key, scratch);
             p.add_rows(panel_of, q, n, p.width, weights, grads, d_value, scratch);
           });
    for (std::int64_t k = p.seen(); k < p.keys; ++k) {
      std::memset(item.rows_from(d_key, k).at, 0, static_cast<std::size_t>(p.depth * p.size));
      std::memset(item.rows_from(d_value, k).at, 0, static_cast<std::size_t>(p.width * p.size));
    }
  });
}

}  // namespace weft::kernels
