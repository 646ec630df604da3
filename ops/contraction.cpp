#include "contraction.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "linalg.h"
#include "manipulate.h"
#include "math.h"
#include "reduce.h"

namespace weft::detail {
namespace {

double elements(const LabelSet& labels, const std::vector<std::int64_t>& extents) {
  double n = 1;
  for (std::size_t l = 0; l < extents.size(); ++l)
    if (labels[l]) n *= static_cast<double>(extents[l]);
  return n;
}

// x with its axes in the order of `groups`: the first one's stay, each other group becomes one axis (of extent 1 if it
// has no label).
Tensor grouped(const Labelled& x, const std::vector<Label> (&groups)[3]) {
  Ints order;
  Shape shape;
  for (int g = 0; g < 3; ++g) {
    std::int64_t merged = 1;
    for (Label l : groups[g]) {
      const auto axis = static_cast<int>(std::find(x.labels.begin(), x.labels.end(), l) - x.labels.begin());
      order.push_back(axis);
      if (g == 0)
        shape.push_back(x.tensor.shape()[axis]);
      else
        merged *= x.tensor.shape()[axis];
    }
    if (g > 0) shape.push_back(merged);
  }
  return reshape(transpose(x.tensor, order), shape);
}

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

// The pairs of the tree over `subset`, whose result ends at its lowest operand.
void unroll(const std::vector<std::uint32_t>& left, std::uint32_t subset, Pairs& pairs) {
  if (std::has_single_bit(subset)) return;
  const std::uint32_t a = left[subset], b = subset & ~a;
  unroll(left, a, pairs);
  unroll(left, b, pairs);
  const auto first = static_cast<std::size_t>(std::countr_zero(a)),
             second = static_cast<std::size_t>(std::countr_zero(b));
  pairs.emplace_back(std::min(first, second), std::max(first, second));
}

// By subsets: the cheapest tree of each from the cheapest ones of its two parts.
Pairs cheapest(const std::vector<LabelSet>& operands, const LabelSet& result,
               const std::vector<std::int64_t>& extents) {
  const auto n = static_cast<std::uint32_t>(operands.size());
  std::vector<LabelSet> inside(1u << n), kept(1u << n);
  std::vector<double> cost(1u << n, 0);
  std::vector<std::uint32_t> left(1u << n, 0);
  for (std::uint32_t s = 1; s < 1u << n; ++s)
    for (std::uint32_t i = 0; i < n; ++i)
      if (s >> i & 1) inside[s] |= operands[i];
  const std::uint32_t all = (1u << n) - 1;
  for (std::uint32_t s = 1; s <= all; ++s) kept[s] = inside[s] & (result | inside[all & ~s]);
  for (std::uint32_t s = 1; s <= all; ++s) {
    if (std::has_single_bit(s)) continue;
    cost[s] = std::numeric_limits<double>::infinity();
    for (std::uint32_t a = (s - 1) & s; a > 0; a = (a - 1) & s) {
      const std::uint32_t b = s & ~a;
      if (a > b) continue;  // each split once
      const double here = cost[a] + cost[b] + elements(kept[a] | kept[b], extents);
      if (here < cost[s] || left[s] == 0) {
        cost[s] = here;
        left[s] = a;
      }
    }
  }
  Pairs pairs;
  unroll(left, all, pairs);
  return pairs;
}

Pairs greedy(std::vector<LabelSet> operands, const LabelSet& result, const std::vector<std::int64_t>& extents) {
  Pairs pairs;
  std::vector<bool> gone(operands.size());
  for (std::size_t round = 1; round < operands.size(); ++round) {
    std::pair<double, double> best = {std::numeric_limits<double>::infinity(), 0};
    std::pair<std::size_t, std::size_t> chosen;
    LabelSet chosen_kept;
    bool found = false;
    for (std::size_t i = 0; i < operands.size(); ++i)
      for (std::size_t k = i + 1; k < operands.size(); ++k) {
        if (gone[i] || gone[k]) continue;
        LabelSet outside = result;
        for (std::size_t o = 0; o < operands.size(); ++o)
          if (!gone[o] && o != i && o != k) outside |= operands[o];
        const LabelSet both = operands[i] | operands[k], kept = both & outside;
        const double growth = elements(kept, extents) - elements(operands[i], extents) - elements(operands[k], extents);
        const std::pair<double, double> here = {growth, elements(both, extents)};
        if (found && !(here < best)) continue;
        found = true;
        best = here;
        chosen = {i, k};
        chosen_kept = kept;
      }
    operands[chosen.first] = chosen_kept;
    gone[chosen.second] = true;
    pairs.push_back(chosen);
  }
  return pairs;
}

}  // namespace

LabelSet Labelled::set() const {
  LabelSet s;
  for (Label l : labels) s.set(l);
  return s;
}

Labelled contract(const Labelled& a, const Labelled& b, const LabelSet& kept) {
  const LabelSet of_a = a.set(), of_b = b.set();
  std::vector<Label> batch, summed, left, right;
  for (Label l : a.labels) (of_b[l] ? (kept[l] ? batch : summed) : left).push_back(l);
  for (Label l : b.labels)
    if (!of_a[l]) right.push_back(l);
  Labelled c;
  c.labels = batch;
  c.labels.insert(c.labels.end(), left.begin(), left.end());
  c.labels.insert(c.labels.end(), right.begin(), right.end());
  const Tensor x = grouped(a, {batch, left, summed});
  Shape shape;
  const auto extent = [](const Labelled& t, Label l) {
    return t.tensor.shape()[static_cast<int>(std::find(t.labels.begin(), t.labels.end(), l) - t.labels.begin())];
  };
  for (Label l : c.labels) shape.push_back(extent(of_a[l] ? a : b, l));
  const DType t = a.tensor.dtype();
  if (!summed.empty() && left.empty() && right.empty() && t != DType::boolean) {
    // Vectors: a sum has many chains of additions, a product's one element a single one.
    const DType wide = compute_type(t);  // neither products nor sums are rounded to 16 bits
    const Tensor products = cast(x, wide) * cast(grouped(b, {batch, {}, summed}), wide);
    c.tensor = reshape(cast(sum(products, -1), t), shape);
  } else if (summed.empty()) {  // [batch, left, 1] * [batch, 1, right]
    c.tensor = reshape(x * grouped(b, {batch, {}, right}), shape);
  } else {
    c.tensor = reshape(matmul(x, grouped(b, {batch, summed, right})), shape);
  }
  return c;
}

Pairs contraction_order(const std::vector<LabelSet>& operands, const LabelSet& result,
                        const std::vector<std::int64_t>& extents) {
  if (operands.size() < 2) return {};
  return operands.size() <= 8 ? cheapest(operands, result, extents) : greedy(operands, result, extents);
}

}  // namespace weft::detail
