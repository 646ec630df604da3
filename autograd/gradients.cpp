#include "gradients.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "../ops/composition.h"
#include "../ops/math.h"

namespace weft {

const Tensor& Gradients::operator[](const Variable& variable) const {
  for (const Item& item : list_)
    if (item.variable == variable.state()) return item.gradient;
  throw ArgumentError(fmt::format("the variable \"{}\" is none of these {} gradients' variables",
                                  variable.defined() ? variable.name() : "", list_.size()));
}

bool Gradients::contains(const Variable& variable) const {
  return std::any_of(list_.begin(), list_.end(), [&](const Item& item) { return item.variable == variable.state(); });
}

Gradients& Gradients::operator+=(const Gradients& more) {
  std::unordered_map<const VariableState*, std::size_t> at;
  for (std::size_t i = 0; i < list_.size(); ++i) at.emplace(list_[i].variable.get(), i);
  std::vector<Item> sums = list_;  // if one of them throws, nothing is changed
  for (const Item& item : more) {
    const auto mine = at.find(item.variable.get());
    if (mine == at.end())
      sums.push_back(item);
    else if (Tensor& sum = sums[mine->second].gradient; item.gradient.defined())
      sum = sum.defined() ? Arg(sum, Site{}) + Arg(item.gradient, Site{}) : item.gradient;
  }
  list_ = std::move(sums);
  return *this;
}

Gradients& Gradients::operator*=(const Arg& factor) {
  list_ = detail::composed("operator*=", {{"factor", factor}}, [&] {
    if (const Tensor& t = factor.given(); !factor.is_number() && t.rank() > 0)
      throw ShapeError(fmt::format("gradients are multiplied by a number, not by {}", t.type().text()));
    std::vector<Item> products = list_;
    for (Item& item : products)
      if (item.gradient.defined()) item.gradient = item.gradient * factor;
    return products;
  });
  return *this;
}

void detail::fail_unpaired(std::size_t sources, std::size_t gradients) {
  throw ArgumentError(fmt::format("{} parts of the sources, but {} of the gradients", sources, gradients));
}

}  // namespace weft
