#include "subscript.h"

#include <fmt/format.h>

#include <algorithm>

#include "../tensor/create.h"
#include "apply.h"
#include "composition.h"
#include "index_list.h"
#include "indexing.h"
#include "manipulate.h"
#include "math.h"
#include "select.h"

namespace weft {
namespace {

const Tensor* tensor_of(const Index& i) { return std::get_if<Tensor>(&i.value); }

// The brackets, spelled out: masks as index tensors, one an axis, and the Ellipsis as whole axes, from `ellipsis` on.
struct Brackets {
  std::vector<Index> list;
  std::size_t ellipsis = 0;
};
Brackets spelled_out(const Tensor& x, std::span<const Index> indices) {
  const auto is_ellipsis = [](const Index& i) { return std::holds_alternative<EllipsisIndex>(i.value); };
  int taken = 0;  // axes that the indices name
  for (const Index& i : indices) {
    const Tensor* const t = tensor_of(i);
    if (t && !t->defined()) throw ArgumentError("an index is undefined");
    if (t && t->dtype() == DType::boolean) {
      if (t->rank() == 0) throw IndexError("a mask without axes", "expand(x, 0) and a mask of one element");
      taken += t->rank();
    } else if (!is_ellipsis(i) && !std::holds_alternative<std::nullopt_t>(i.value)) {
      ++taken;
    }
  }
  const auto ellipses = std::count_if(indices.begin(), indices.end(), is_ellipsis);
  if (ellipses > 1) throw IndexError("more than one Ellipsis");
  if (taken > x.rank()) throw IndexError(fmt::format("{} indices for rank {}", taken, x.rank()));

  const int rest = x.rank() - taken;
  int axis = 0;  // that the next index names
  Brackets brackets;
  std::vector<Index>& list = brackets.list;
  for (const Index& i : indices) {
    const Tensor* const t = tensor_of(i);
    if (t && t->dtype() == DType::boolean) {
      for (int k = 0; k < t->rank(); ++k)
        if (t->shape()[k] != x.shape()[axis + k])
          throw IndexError(fmt::format("a mask of {} for axes {} to {} of {}", t->shape().text(), axis,
                                       axis + t->rank() - 1, x.shape().text()));
      for (const Tensor& numbers : nonzero(*t)) list.emplace_back(numbers, i.site);
      axis += t->rank();
    } else if (is_ellipsis(i)) {
      brackets.ellipsis = list.size();
      list.insert(list.end(), static_cast<std::size_t>(rest), Slice());
      axis += rest;
    } else {
      list.push_back(i);
      if (!std::holds_alternative<std::nullopt_t>(i.value)) ++axis;
    }
  }
  if (ellipses == 0) list.insert(list.end(), static_cast<std::size_t>(rest), Slice());
  return brackets;
}

// What is left of the brackets after the integers, slices and new axes, which make a view.
struct Advanced {
  Tensor view;
  Ints axes;                    // of the view: those that the tensors address
  std::vector<Tensor> indices;  // theirs
  int place = 0;                // where the result has the tensors' common shape
};

Advanced basic(const Tensor& x, const Brackets& brackets) {
  const std::vector<Index>& list = brackets.list;
  Advanced a;
  Ints begin, end, step;
  Shape shape;
  int first = -1, last = -1, before = 0, axis = 0;
  const auto is_advanced = [](const Index& i) { return tensor_of(i) || std::holds_alternative<std::int64_t>(i.value); };
  for (std::size_t k = 0; k < list.size(); ++k) {
    if (!is_advanced(list[k])) continue;
    if (first < 0) first = static_cast<int>(k);
    last = static_cast<int>(k);
  }
  // An Ellipsis parts them in NumPy even where it stands for no axis.
  const auto ellipsis = static_cast<int>(brackets.ellipsis);
  bool adjacent = !(first < ellipsis && ellipsis <= last);
  for (std::size_t k = 0; k < list.size(); ++k) {
    const bool inside = first <= static_cast<int>(k) && static_cast<int>(k) <= last;
    adjacent &= !inside || is_advanced(list[k]);
    if (std::holds_alternative<std::nullopt_t>(list[k].value)) {
      before += static_cast<int>(k) < first;
      shape.push_back(1);
      continue;
    }
    const std::int64_t n = x.shape()[axis];
    if (const auto* i = std::get_if<std::int64_t>(&list[k].value)) {
      if (*i < -n || *i >= n)
        throw IndexError(n == 0 ? fmt::format("index {} along axis {} of no elements", *i, axis)
                                : fmt::format("index {} along axis {} must be within [{}, {}]", *i, axis, -n, n - 1));
      begin.push_back(*i < 0 ? *i + n : *i);
      end.push_back(begin.back() + 1);
      step.push_back(1);
    } else if (const auto* s = std::get_if<Slice>(&list[k].value)) {
      begin.push_back(s->begin.value_or(s->step > 0 ? 0 : INT64_MAX));
      end.push_back(s->end.value_or(s->step > 0 ? INT64_MAX : INT64_MIN));
      step.push_back(s->step);
      before += static_cast<int>(k) < first;
      shape.push_back(-1);  // known after slicing
    } else {
      begin.push_back(0);
      end.push_back(n);
      step.push_back(1);
      a.axes.push_back(shape.size());
      a.indices.push_back(*tensor_of(list[k]));
      shape.push_back(-1);
    }
    ++axis;
  }
  a.place = adjacent ? before : 0;
  const Tensor sliced = slice(x, begin, end, step);
  axis = 0;
  int at = 0;
  for (const Index& i : list) {
    if (std::holds_alternative<std::nullopt_t>(i.value)) {
      ++at;
      continue;
    }
    if (!std::holds_alternative<std::int64_t>(i.value)) shape[at++] = sliced.shape()[axis];
    ++axis;
  }
  a.view = reshape(sliced, shape);
  return a;
}

// The tensors' axes side by side at `place`, as one long axis; the tensors as one, of positions along it.
Tensor gather_all(const Advanced& a) {
  Ints order, rest;
  for (int i = 0; i < a.view.rank(); ++i)
    if (!a.axes.contains(i)) rest.push_back(i);
  for (int i = 0; i <= rest.size(); ++i) {
    if (i == a.place)
      for (std::int64_t axis : a.axes) order.push_back(axis);
    if (i < rest.size()) order.push_back(rest[i]);
  }
  bool in_place = true;
  for (int i = 0; i < order.size(); ++i) in_place &= order[i] == i;
  const Tensor moved = in_place ? a.view : transpose(a.view, order);
  if (a.indices.size() == 1) return gather(moved, a.indices[0], a.place);
  Shape long_axis;
  for (int i = 0; i < a.place; ++i) long_axis.push_back(moved.shape()[i]);
  Shape extents;
  Tensor position;
  for (std::size_t k = 0; k < a.indices.size(); ++k) {
    const std::int64_t n = moved.shape()[a.place + static_cast<int>(k)];
    Tensor i = cast(check_indices(a.indices[k], n, -n), i64);
    i = where(i < 0, i + n, i);
    position = position.defined() ? position * n + i : i;
    extents.push_back(n);
  }
  long_axis.push_back(count(extents));  // too many in a view of none are a ShapeError
  for (int i = a.place + a.axes.size(); i < moved.rank(); ++i) long_axis.push_back(moved.shape()[i]);
  return gather(reshape(moved, long_axis), position, a.place);
}

Tensor at(const Tensor& x, const Brackets& brackets) {
  const Advanced a = basic(x, brackets);
  return a.indices.empty() ? a.view : gather_all(a);
}

// The mask, with axes for the rest of x's, if the brackets hold a mask of x's first axes alone and each place that it
// names has the same values: then no places need be listed.
Tensor only_mask(const Tensor& x, const std::vector<Index>& indices, const Tensor& values) {
  const Tensor* const mask = indices.size() == 1 ? tensor_of(indices[0]) : nullptr;
  if (!mask || !mask->defined() || mask->dtype() != DType::boolean || mask->rank() == 0 || mask->rank() > x.rank())
    return {};
  Shape shape = mask->shape(), rest;
  for (int i = 0; i < x.rank(); ++i) {
    if (i < mask->rank()) {
      if (shape[i] != x.shape()[i]) return {};
    } else {
      rest.push_back(x.shape()[i]);
      shape.push_back(1);
    }
  }
  if (values.rank() > rest.size() || broadcast_shapes(values.shape(), rest) != rest) return {};
  return reshape(*mask, shape);
}

// The one index tensor, if the brackets hold no more than that and whole axes: then what lies along its axis is put as
// it is, and no element's place need be listed.
struct Along {
  Tensor positions;
  int axis;
};
std::optional<Along> only_along(const Brackets& brackets) {
  std::optional<Along> found;
  int axis = 0;
  for (const Index& i : brackets.list) {
    const auto* const s = std::get_if<Slice>(&i.value);
    const Tensor* const t = tensor_of(i);
    if (t && !found)
      found = {*t, axis};
    else if (!s || s->begin || s->end || s->step != 1)
      return {};
    ++axis;
  }
  return found;
}

template <class F> Tensor indexed(const char* name, const Arg& x, std::span<const Index> indices, F&& body) {
  const auto shown = [&] {
    std::vector<std::string> lines = {describe_operand("x", x)};
    for (const Index& i : indices)
      if (const Tensor* const tensor = tensor_of(i)) lines.push_back(describe_operand("idx", *tensor));
    return lines;
  };
  return detail::named(name, x.site(), shown, [&] {
    detail::check_defined({{"x", x}});
    return body(x.tensor());
  });
}

}  // namespace

Tensor subscript(const Arg& x, std::span<const Index> indices) {
  return indexed("index", x, indices, [&](const Tensor& t) { return at(t, spelled_out(t, indices)); });
}

Tensor index_put(const Arg& x, const std::vector<Index>& indices, const Arg& values, Flag accumulate) {
  return indexed("index_put", x, indices, [&](const Tensor& t) {
    const Tensor v = values.tensor(t.dtype());
    if (const Tensor mask = only_mask(t, indices, v); mask.defined()) return where(mask, accumulate ? t + v : v, t);
    const auto put = accumulate ? scatter_add : scatter_set;
    const Brackets brackets = spelled_out(t, indices);
    if (const auto along = only_along(brackets)) {
      const Shape shape = detail::picked_shape(t.shape(), along->positions.shape(), along->axis);
      return put(t, along->positions, broadcast_to(v, shape), along->axis);
    }
    const Tensor positions = at(reshape(arange(t.size()), t.shape()), brackets);
    const Tensor flat = reshape(t, {t.size()}), updates = broadcast_to(v, positions.shape());
    return reshape(put(flat, positions, updates, 0), t.shape());
  });
}

Tensor Tensor::operator[](std::initializer_list<Index> indices) const {
  return subscript(Arg(*this, indices.size() ? indices.begin()->site : Site()), indices);
}
Tensor Tensor::operator[](const Index& index) const { return subscript(Arg(*this, index.site), {&index, 1}); }
Tensor Variable::operator[](std::initializer_list<Index> indices) const { return value()[indices]; }
Tensor Variable::operator[](const Index& index) const { return value()[index]; }

}  // namespace weft
