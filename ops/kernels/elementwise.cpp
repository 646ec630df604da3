#include "elementwise.h"

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "../../tensor/convert.h"
#include "../../tensor/parallel.h"
#include "../../tensor/past_caches.h"
#include "formula_tile.h"

namespace weft {
namespace {

constexpr std::int64_t tile = 1024;                 // elements: three operands and a result fit in L1
constexpr std::int64_t least_per_task = 16 * tile;  // what one thread takes at a time
constexpr std::int64_t least_turned = 64 * tile;    // what the caches do not hold
constexpr int max_inputs = 3;

// n elements of the same type as stored, which a vector's loop would take longer to begin with.
template <class T> void copy_few(const std::byte* from, std::int64_t step, std::byte* out, std::int64_t n) {
  const auto* x = reinterpret_cast<const T*>(from);
  auto* y = reinterpret_cast<T*>(out);
  if (step == 1)
    std::memcpy(out, from, static_cast<std::size_t>(n) * sizeof(T));
  else if (step == 0)
    std::fill_n(y, n, *x);
  else
    for (std::int64_t i = 0; i < n; ++i) y[i] = x[i * step];
}

// The elements of an operand in row-major order of the output, from any element on, into a tile of the compute type.
struct Reader {
  const View* view;
  DType type;  // compute type
  bool direct;
  bool constant;        // one element for all
  Ints shape, strides;  // axes that are walked as one made one

  explicit Reader(const View& v) : view(&v), type(compute_type(v.dtype)) {
    constant = true;
    for (int i = 0; i < v.shape.size(); ++i) {
      constant &= v.shape[i] == 1 || v.strides[i] == 0;
      if (v.shape[i] == 1) continue;
      if (!shape.empty() && strides.back() == v.strides[i] * v.shape[i]) {
        shape[shape.size() - 1] *= v.shape[i], strides[strides.size() - 1] = v.strides[i];
      } else {
        shape.push_back(v.shape[i]), strides.push_back(v.strides[i]);
      }
    }
    direct = !constant && type == v.dtype && v.contiguous();
  }

  const void* at(std::int64_t start) const {
    return view->as<std::byte>() + start * static_cast<std::int64_t>(size_of(type));
  }

  void fill(std::byte* out, std::int64_t start, std::int64_t n) const {
    const int rank = shape.size();
    const auto from_size = static_cast<std::int64_t>(size_of(view->dtype)),
               to_size = static_cast<std::int64_t>(size_of(type));
    const auto* base = view->as<std::byte>();
    if (constant) return detail::convert_elements(view->dtype, base, 0, type, out, 1, n);
    if (view->contiguous()) return detail::convert_elements(view->dtype, base + start * from_size, 1, type, out, 1, n);
    const std::int64_t inner = shape[rank - 1], step = strides[rank - 1];
    Ints place = Ints::filled(rank, 0);
    std::int64_t offset = 0;  // of the row
    std::int64_t column = start % inner, rest = start / inner;
    for (int axis = rank - 2; axis >= 0; --axis) {
      place[axis] = rest % shape[axis];
      offset += place[axis] * strides[axis];
      rest /= shape[axis];
    }
    constexpr std::int64_t few = 64;
    while (n > 0) {
      const std::int64_t run = std::min(n, inner - column);
      const std::byte* from = base + (offset + column * step) * from_size;
      if (run <= few && view->dtype == type && to_size == 4)
        copy_few<std::uint32_t>(from, step, out, run);
      else if (run <= few && view->dtype == type && to_size == 8)
        copy_few<std::uint64_t>(from, step, out, run);
      else
        detail::convert_elements(view->dtype, from, step, type, out, 1, run);
      out += run * to_size;
      n -= run;
      column = 0;
      for (int axis = rank - 2; axis >= 0; --axis) {  // the next row
        offset += strides[axis];
        if (++place[axis] < shape[axis]) break;
        offset -= shape[axis] * strides[axis];
        place[axis] = 0;
      }
    }
  }
};

struct Job {
  std::array<const Reader*, max_inputs> readers;
  std::size_t inputs;
  const View& out;
  ElementwiseLoop loop;    // or, where there is none,
  const Formula* formula;  // what to interpret

  void range(std::int64_t begin, std::int64_t end) const {
    alignas(64) std::byte buffers[max_inputs + 1][tile * 8];
    for (std::size_t k = 0; k < inputs; ++k)
      if (readers[k]->constant) readers[k]->fill(buffers[k], 0, std::min(tile, end - begin));
    const DType out_type = compute_type(out.dtype);
    const auto out_size = static_cast<std::int64_t>(size_of(out.dtype));
    const bool converted = out_type != out.dtype;
    const bool streamed = loop && !converted && count(out.shape) * out_size >= past_caches &&
                          reinterpret_cast<std::uintptr_t>(out.data) % 64 == 0;
    bool all_direct = !converted && loop;
    for (std::size_t k = 0; k < inputs; ++k) all_direct &= readers[k]->direct;
    const std::int64_t step = all_direct ? end - begin : tile;
    for (std::int64_t i = begin; i < end; i += step) {
      const std::int64_t n = std::min(step, end - i);
      std::array<const void*, max_inputs> in{};
      for (std::size_t k = 0; k < inputs; ++k) {
        in[k] = readers[k]->direct ? readers[k]->at(i) : buffers[k];
        if (!readers[k]->direct && !readers[k]->constant) readers[k]->fill(buffers[k], i, n);
      }
      std::byte* target = out.as<std::byte>() + i * out_size;
      void* result = converted ? static_cast<void*>(buffers[max_inputs]) : target;
      if (loop)
        loop(in.data(), result, n, streamed);
      else
        run_formula(*formula, std::span(in.data(), inputs), result, n);
      if (converted) detail::convert_elements(out_type, result, 1, out.dtype, target, 1, n);
    }
    if (streamed) _mm_sfence();  // before another thread is told that it is done
  }
};

// Of a large operand, each element of whose rows lies in a cache line of its own, and what follows it in the line in
// other rows: the same in order, moved there by blocks; else the operand. What is broadcast is moved once.
View in_order_if_turned(const View& v, Storage& copy) {
  constexpr std::size_t line = 64;
  View once = v;
  for (int i = 0; i < once.shape.size(); ++i)
    if (once.strides[i] == 0) once.shape[i] = 1;
  if (count(once.shape) < least_turned) return v;
  const Reader r(once);
  if (r.direct || static_cast<std::size_t>(std::abs(r.strides.back())) * size_of(v.dtype) < line ||
      std::find(r.strides.begin(), r.strides.end(), 1) == r.strides.end())
    return v;
  detail::in_order(once, copy);
  View ordered{v.dtype, v.shape, contiguous_strides(once.shape), copy.data()};
  for (int i = 0; i < v.shape.size(); ++i)
    if (v.strides[i] == 0) ordered.strides[i] = 0;
  return ordered;
}

}  // namespace

void run_elementwise(const Op& op, const Attrs& attrs, Views in, const View& out) {
  if (op.run) return op.run(attrs, in, std::span(&out, 1));
  const std::int64_t n = count(out.shape);
  if (n == 0) return;
  const NativeLoops* loops = op.loops ? op.loops() : nullptr;
  const ElementwiseLoop loop = loops ? loops->by_type[static_cast<int>(compute_type(in.back().dtype))] : nullptr;
  if (loop && n <= tile) {  // the small and common case: everything lies in order
    std::array<const void*, max_inputs> pointers;
    bool direct = out.dtype == compute_type(out.dtype);
    for (std::size_t k = 0; k < in.size(); ++k) {
      direct = direct && in[k].dtype == compute_type(in[k].dtype) && in[k].contiguous();
      pointers[k] = in[k].data;
    }
    if (direct) return loop(pointers.data(), out.data, n, false);
  }
  if (op.with_number && Reader(in[1]).constant) {
    double number = 0;
    detail::convert_elements(in[1].dtype, in[1].data, 0, DType::f64, &number, 1, 1);
    if (const Op* other = op.with_number(number)) return run_elementwise(*other, {}, in.first(1), out);
  }
  std::array<Type, max_inputs> types;
  std::array<const Type*, max_inputs> type_pointers;
  Formula formula;
  if (!loop) {
    for (std::size_t k = 0; k < in.size(); ++k) {
      types[k] = {in[k].dtype, in[k].shape};
      type_pointers[k] = &types[k];
    }
    formula = op.formula(attrs, std::span(type_pointers.data(), in.size()));
  }
  std::array<View, max_inputs> ordered;
  std::array<Storage, max_inputs> copies;
  for (std::size_t k = 0; k < in.size(); ++k)
    ordered[k] = n < least_turned ? in[k] : in_order_if_turned(in[k], copies[k]);
  in = Views(ordered).first(in.size());
  const Reader readers[max_inputs] = {Reader(in[0]), Reader(in[in.size() > 1 ? 1 : 0]),
                                      Reader(in[in.size() > 2 ? 2 : 0])};
  const Job job{{&readers[0], &readers[1], &readers[2]}, in.size(), out, loop, &formula};
  // Some eight tasks a thread: the fence at the end of one that stores past the caches waits until memory has all.
  const std::int64_t share = n / (8 * num_threads()) / tile * tile, per_task = std::max(least_per_task, share);
  const std::int64_t tasks = (n + per_task - 1) / per_task;
  parallel_for(tasks, num_threads(), [&](std::int64_t t) { job.range(t * per_task, std::min(n, (t + 1) * per_task)); });
}

}  // namespace weft
