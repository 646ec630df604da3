#include "vmap.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/batching.h"
#include "../ops/manipulate.h"
#include "../ops/math.h"
#include "../ops/recorder.h"

namespace weft {
namespace {

Ints moved(int rank, int from, int to) {
  Ints axes;
  for (int i = 0; i < rank; ++i)
    if (i != from) axes.push_back(i);
  axes.insert(to, from);
  return axes;
}

// The leaf with its batch in front.
Tensor moved_to_front(const detail::VmapLeaf& leaf) {
  const int axis = normal_axis(*leaf.axis, leaf.value.rank());
  return axis == 0 ? leaf.value : transpose(leaf.value, moved(leaf.value.rank(), axis, 0));
}

std::int64_t batch_size(std::span<const detail::VmapLeaf> leaves, const std::source_location& site) {
  const detail::VmapLeaf* first = nullptr;
  const auto extent = [](const detail::VmapLeaf& l) { return l.value.shape()[normal_axis(*l.axis, l.value.rank())]; };
  const auto shown = [&](const detail::VmapLeaf& l) {
    return fmt::format("{}, axis {}", describe_operand(fmt::format("argument {} ", l.argument), l.value), *l.axis);
  };
  for (const detail::VmapLeaf& l : leaves) {
    if (!l.value.defined()) throw ArgumentError(fmt::format("vmap: argument {} is undefined", l.argument));
    if (!l.axis) continue;
    if (*l.axis >= l.value.rank() || *l.axis < -l.value.rank()) {
      IndexError e(fmt::format("there is no axis {} for the batch", *l.axis),
                   "an argument that is the same for all examples has std::nullopt in in_axes");
      e.locate("vmap", {shown(l)}, site_text(site));
      throw e;
    }
    if (!first) first = &l;
    if (extent(l) != extent(*first)) {
      ShapeError e(fmt::format("batches of {} and {}", extent(*first), extent(l)));
      e.locate("vmap", {shown(*first), shown(l)}, site_text(site));
      throw e;
    }
  }
  if (!first) throw ArgumentError("vmap: no argument has a batch axis");
  return extent(*first);
}

}  // namespace

template <class Axis>
Axis detail::axis_of(const std::vector<Axis>& axes, const char* what, std::size_t k, std::size_t count) {
  if (axes.empty()) return 0;
  if (axes.size() != 1 && axes.size() != count)
    throw ArgumentError(fmt::format("vmap: {} axes for {} {}", axes.size(), count, what));
  return axes[axes.size() == 1 ? 0 : k];
}
template int detail::axis_of(const std::vector<int>&, const char*, std::size_t, std::size_t);
template std::optional<int> detail::axis_of(const std::vector<std::optional<int>>&, const char*, std::size_t,
                                            std::size_t);

Tensor detail::batch_to(const Tensor& result, int axis) {
  const int to = normal_axis(axis, result.rank());
  return to == 0 ? result : transpose(result, moved(result.rank(), 0, to));
}

std::vector<Tensor> detail::vmap(std::span<const VmapLeaf> leaves, const TensorFunction& f,
                                 const std::source_location& site) {
  const std::int64_t size = batch_size(leaves, site);
  std::vector<Batched> inputs;
  std::vector<Type> types;
  std::vector<Tensor> all;  // what f gets: leaves of the batch are put in when they are traced
  for (const VmapLeaf& l : leaves) {
    all.push_back(l.value);
    if (!l.axis) continue;
    inputs.push_back({moved_to_front(l), true});
    const Shape& s = inputs.back().value.shape();
    types.push_back({l.value.dtype(), Shape(std::span(s.begin() + 1, s.end()))});
  }
  const Closure c = close_over(types, [&](std::span<const Tensor> examples) {
    std::size_t next = 0;
    for (std::size_t k = 0; k < leaves.size(); ++k)
      if (leaves[k].axis) all[k] = examples[next++];
    return f(all);
  });
  for (const Tensor& t : c.captured) inputs.push_back({t, false});
  const std::vector<Batched> out = replay_batched(*c.graph, inputs, size);

  for (std::size_t k = 0; k < c.assigned.size(); ++k) {
    if (!out[c.results + k].batched) continue;
    GuardError e(
        fmt::format("each example assigns its own value to {}",
                    c.assigned[k]->name.empty() ? "a variable" : "the variable \"" + c.assigned[k]->name + "\""),
        "return the value, and assign what is the same for all, as its mean");
    e.locate("vmap", {}, site_text(c.assigned_at[k]));
    throw e;
  }
  for (std::size_t k = 0; k < c.assigned.size(); ++k) Variable::handle(c.assigned[k]).assign(out[c.results + k].value);
  std::vector<Tensor> results;
  for (std::size_t k = 0; k < c.results; ++k) results.push_back(batch_in_front(out[k], size));
  return results;
}

}  // namespace weft
