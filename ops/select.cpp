#include "select.h"

#include <fmt/format.h>

#include "../tensor/create.h"
#include "composition.h"
#include "indexing.h"
#include "manipulate.h"
#include "math.h"
#include "recorder.h"
#include "sort.h"

namespace weft {
namespace {

using detail::composed;

void check_readable(const Tensor& t, const char* unknown) {
  if (t.is_traced())
    throw GuardError(fmt::format("{} depends on values, which are not known while a function is traced", unknown),
                     "where(mask, a, b) and masked_fill(x, mask, value) keep the shape; or do this before the call");
}

// Positions in row-major order of the elements that are not 0.
std::vector<std::int64_t> positions(const Tensor& t) {
  check_readable(t, "how many elements there are");
  Storage copy;
  const std::byte* const data = detail::in_order(t.view(), copy);
  std::vector<std::int64_t> found;
  visit_dtype(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* const x = reinterpret_cast<const T*>(data);
    for (std::int64_t i = 0; i < t.size(); ++i)
      if (x[i] != T{}) found.push_back(i);
  });
  return found;
}

}  // namespace

std::vector<Tensor> nonzero(const Arg& x) {
  return composed("nonzero", {{"x", x}}, [&] {
    const Tensor t = x.tensor();
    std::vector<std::int64_t> at = positions(t);
    std::vector<Tensor> axes(static_cast<std::size_t>(t.rank()));
    std::vector<std::int64_t> along(at.size());
    for (int axis = t.rank(); axis-- > 0;) {
      for (std::size_t k = 0; k < at.size(); ++k) {
        along[k] = at[k] % t.shape()[axis];
        at[k] /= t.shape()[axis];
      }
      axes[static_cast<std::size_t>(axis)] = from_vector(along);
    }
    return axes;
  });
}

Tensor argwhere(const Arg& x) {
  return composed("argwhere", {{"x", x}}, [&] {
    const Tensor t = x.tensor();
    const std::vector<Tensor> axes = nonzero(t);
    return axes.empty() ? zeros({std::ssize(positions(t)), 0}, i64) : stack(axes, 1);
  });
}

Tensor masked_select(const Arg& x, const Arg& mask) {
  return composed("masked_select", {{"x", x}, {"mask", mask}}, [&] {
    const Tensor t = x.tensor(), m = mask.tensor(DType::boolean);
    if (m.dtype() != DType::boolean)
      throw DTypeError(fmt::format("the mask is {}, not bool", name_of(m.dtype())), "compare it, or cast it to bool");
    check_readable(m, "how many elements there are");
    const Shape shape = broadcast_shapes(t.shape(), m.shape());
    const Tensor spread = [&] {
      const TraceScope untraced(nullptr);
      return broadcast_to(m, shape);
    }();
    return gather(reshape(broadcast_to(t, shape), {count(shape)}), from_vector(positions(spread)));
  });
}

Unique unique(const Arg& x) {
  return composed("unique", {{"x", x}}, [&] {
    const Tensor t = x.tensor(), flat = reshape(t, {t.size()});
    check_readable(t, "how many different elements there are");
    const auto [order, sorted] = [&] {
      const TraceScope untraced(nullptr);
      const Tensor values = reshape(t, {t.size()}), order = argsort(values);
      return std::pair(order, gather(values, order));
    }();
    std::vector<std::int64_t> first, counts, inverse(static_cast<std::size_t>(t.size()));
    visit_dtype(t.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto at = order.template span<std::int64_t>();
      const T* const v = sorted.view().template as<T>();
      for (std::size_t i = 0; i < at.size(); ++i) {
        const bool same = i > 0 && (v[i] == v[i - 1] || (v[i] != v[i] && v[i - 1] != v[i - 1]));
        if (!same) {
          first.push_back(at[i]);  // the order is stable: of equals the first comes first
          counts.push_back(0);
        }
        ++counts.back();
        inverse[static_cast<std::size_t>(at[i])] = std::ssize(first) - 1;
      }
    });
    const Tensor positions = from_vector(first);
    return Unique{gather(flat, positions), positions, reshape(from_vector(inverse), t.shape()), from_vector(counts)};
  });
}

}  // namespace weft
