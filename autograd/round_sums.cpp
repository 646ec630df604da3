#include "round_sums.h"

#include <algorithm>

#include "../ops/defs/binary.h"
#include "../ops/defs/matmul.h"
#include "../ops/defs/shape.h"

namespace weft {
namespace {

using Nodes = std::vector<const Graph::Node*>;

// The matrix products of which v is the sum. False if it is something else, or if a product is smaller than what it is
// made of: then it takes less room summed.
bool find_products(const Graph& g, ValueId v, Nodes& products) {
  const Graph::Node* n = g.producer(v);
  if (!n) return false;
  if (n->op == &op_of<Contiguous>()) return find_products(g, n->in[0], products);
  if (n->op == &op_of<Add>()) return find_products(g, n->in[0], products) && find_products(g, n->in[1], products);
  if (n->op != &op_of<MatMul>()) return false;
  const Shape &a = g.type(n->in[0]).shape, &b = g.type(n->in[1]).shape;
  if (a.size() != 2 || b.size() != 2 || b[0] * (a[0] + b[1]) > a[0] * b[1]) return false;
  products.push_back(n);
  return true;
}

}  // namespace

RoundSums::RoundSums(const Graph& round, std::size_t carries, std::size_t elements, std::size_t gifts)
    : carries_(carries) {
  GraphCopy copy(round);
  Graph& to = copy.to;
  const auto given = std::span(round.outputs).last(gifts);
  for (std::size_t k = 0; k < carries; ++k) copy.input(round.inputs[k]);
  std::vector<Nodes> products(gifts);
  std::vector<ValueId> sums(gifts);
  for (std::size_t k = 0; k < gifts; ++k) {
    if (find_products(round, given[k], products[k])) continue;
    products[k].clear();
    sums_.push_back(round.type(given[k]));
    sums[k] = to.add_input(sums_.back());
  }
  for (std::size_t k = carries; k < round.inputs.size(); ++k) copy.input(round.inputs[k]);
  copy.nodes();

  for (std::size_t k = 0; k < carries; ++k) to.outputs.push_back(copy(round.outputs[k]));
  for (std::size_t k = 0; k < gifts; ++k) {
    if (!products[k].empty()) continue;
    const ValueId operands[] = {sums[k], copy(given[k])};
    to.outputs.push_back(to.add(op_of<Add>(), {}, operands, std::span(&round.type(given[k]), 1)));
  }
  for (std::size_t k = carries; k < round.outputs.size() - gifts; ++k) to.outputs.push_back(copy(round.outputs[k]));
  const auto first_y = static_cast<std::ptrdiff_t>(carries + sums_.size());
  const auto element_inputs =
      std::vector<ValueId>(to.inputs.begin() + static_cast<std::ptrdiff_t>(carries + sums_.size()),
                           to.inputs.begin() + static_cast<std::ptrdiff_t>(carries + sums_.size() + elements));
  const auto operand = [&](ValueId v, bool left) -> Operand {
    const Type& type = round.type(v);
    const Shape turned{type.shape[1], type.shape[0]}, &shape = left ? turned : type.shape;
    v = copy(v);
    if (left) {
      const Graph::Node* n = to.producer(v);
      if (n && n->op == &op_of<Transpose>() && n->attrs.as<TransposeAttrs>().axes == Ints{1, 0}) {
        v = n->in[0];
      } else {
        const Type t{type.dtype, turned};
        v = to.add(op_of<Transpose>(), TransposeAttrs{{1, 0}}, std::span(&v, 1), std::span(&t, 1));
      }
    }
    // An element or a y, in whatever shape, is stacked already.
    const ValueId source = control::source_of(to, v);
    const auto element = std::find(element_inputs.begin(), element_inputs.end(), source);
    if (element != element_inputs.end())
      return {true, static_cast<std::size_t>(element - element_inputs.begin()), shape[0], shape[1]};
    const auto kept = std::find_if(to.outputs.begin() + first_y, to.outputs.end(),
                                   [&](ValueId y) { return control::source_of(to, y) == source; });
    const auto index = static_cast<std::size_t>(kept - to.outputs.begin());
    if (kept == to.outputs.end()) to.outputs.push_back(v);
    return {false, index, shape[0], shape[1]};
  };
  for (const Nodes& nodes : products) {
    auto& list = products_.emplace_back();
    for (const Graph::Node* n : nodes) list.push_back({operand(n->in[0], true), operand(n->in[1], false)});
  }
  body_ = std::make_shared<const Graph>(without_dead_nodes(to));
}

std::vector<Tensor> RoundSums::totals(std::span<const Tensor> elements, std::span<const Tensor> given) const {
  const auto stacked = [&](const Operand& o) {
    const Tensor& t = o.element ? elements[o.index] : given[o.index];
    return reshape(t, {t.shape()[0] * o.rows, o.columns});
  };
  std::vector<Tensor> list;
  std::size_t sum = carries_;
  for (const auto& products : products_) {
    Tensor total;
    for (const Product& p : products) {
      const Tensor product = matmul(swap_axes(stacked(p.left), 0, 1), stacked(p.right));
      total = total.defined() ? total + product : product;
    }
    list.push_back(products.empty() ? given[sum++] : total);
  }
  return list;
}

}  // namespace weft
