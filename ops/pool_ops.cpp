// The ops of pools: their types, the loops over images, their rules.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "../tensor/isa.h"
#include "../tensor/parallel.h"
#include "apply.h"
#include "defs/pool.h"
#include "kernels/pool.h"
#include "mismatch.h"

namespace weft {
namespace {

using detail::around;
using detail::spatial;

void check_numbers(const Type& t, bool floats) {
  if (floats ? !is_floating(t.dtype) : t.dtype == DType::boolean)
    throw DTypeError(fmt::format("no meaning for {}", name_of(t.dtype)),
                     floats ? "cast it to a float" : "cast it to a number type");
}

void check_extents(const Type& t, const Ints& wanted) {
  if (t.shape.size() != wanted.size() + 2)
    throw ShapeError(fmt::format("{} has rank {}, not {}", t.shape.text(), t.shape.size(), wanted.size() + 2));
  if (spatial(t.shape) != wanted)
    throw ShapeError(
        fmt::format("{} extends over {}, which has to be {}", t.shape.text(), spatial(t.shape).text(), wanted.text()));
}

void check_pair(const Type& by, const Type& t) {
  if (by.dtype != t.dtype) throw detail::dtypes_differ(by.dtype, t.dtype);
  if (by.shape[0] != t.shape[0] || by.shape.back() != t.shape.back())
    throw ShapeError(fmt::format("batch or channels differ: {} and {}", by.shape.text(), t.shape.text()));
}

Type pooled(const Type& t, const Ints& extents) { return {t.dtype, around(t.shape[0], extents, t.shape.back())}; }

/// Where the windows of one axis lie, without what is padding.
std::vector<PoolSpan> spans(const PoolAttrs& a, int axis, std::int64_t results) {
  std::vector<PoolSpan> list;
  const std::int64_t in = a.windows.in[axis];
  for (std::int64_t i = 0; i < results; ++i) {
    if (!a.adaptive.empty()) {
      const std::int64_t begin = i * in / results, end = ((i + 1) * in + results - 1) / results;
      list.push_back({begin, end - begin});
      continue;
    }
    const std::int64_t from = i * a.windows.stride[axis] - a.windows.before[axis], step = a.windows.dilation[axis];
    const std::int64_t skipped = from < 0 ? (-from + step - 1) / step : 0;
    const std::int64_t end = std::min(a.windows.window[axis], (in - from + step - 1) / step);
    list.push_back({from + skipped * step, end - skipped});
  }
  return list;
}

// Where the elements of a window without padding lie after its first.
std::vector<std::int64_t> offsets_of(const PoolAttrs& a, const PoolImage& image) {
  std::vector<std::int64_t> list;
  constexpr std::int64_t most = 4096;  // a window may be larger than the input: its padding takes no time, nor room
  if (!a.adaptive.empty() || count(a.windows.window) > most) return list;
  const int axes = a.windows.in.size();
  const auto extent = [&](int i) { return i < axes ? a.windows.window[i] : 1; };
  for (std::int64_t i = 0; i < extent(0); ++i)
    for (std::int64_t j = 0; j < extent(1); ++j)
      for (std::int64_t k = 0; k < extent(2); ++k)
        list.push_back(((i * image.axes[0].step * image.axes[1].in + j * image.axes[1].step) * image.axes[2].in +
                        k * image.axes[2].step) *
                       image.channels);
  return list;
}

// Each element in exactly one window.
bool parts(const PoolAttrs& a) {
  const Windows& w = a.windows;
  if (!a.adaptive.empty()) return false;  // where it is so, the public functions make a plain pool of it
  for (int i = 0; i < w.in.size(); ++i)
    if (w.window[i] != w.stride[i] || w.dilation[i] != 1 || w.before[i] || w.after[i] || w.in[i] % w.window[i])
      return false;
  return true;
}

/// One op's inputs and output in order, in the type of the loops: 16-bit floats are widened, but for bf16 where each
/// result is written once.
class Operands {
 public:
  Operands(Views in, const View& out, bool once)
      : out_(out), type_(once && out.dtype == DType::bf16 ? out.dtype : compute_type(out.dtype)) {
    for (const View& v : in) {
      if (type_ == v.dtype) {
        data_.push_back(detail::in_order(v, copies_.emplace_back()));
        continue;
      }
      const auto n = static_cast<std::size_t>(count(v.shape));
      copies_.push_back(Storage::allocate(n * size_of(type_)));
      copy_elements(v, {type_, v.shape, contiguous_strides(v.shape), copies_.back().data()});
      data_.push_back(copies_.back().data());
    }
    result_ = out.as<std::byte>();
    if (type_ != out.dtype) {
      copies_.push_back(Storage::allocate(static_cast<std::size_t>(count(out.shape)) * size_of(type_)));
      result_ = copies_.back().data();
    }
  }
  ~Operands() {
    if (type_ != out_.dtype) copy_elements({type_, out_.shape, contiguous_strides(out_.shape), result_}, out_);
  }
  Operands(const Operands&) = delete;
  const std::byte* in(std::size_t i) const { return data_[i]; }
  std::byte* result() const { return result_; }
  DType type() const { return type_; }

 private:
  View out_;
  DType type_;
  std::vector<const std::byte*> data_;
  std::byte* result_;
  std::vector<Storage> copies_;
};

/// Calls f(image, bytes from an image's start to the next's: of inputs, of results; n) for parts of the work.
template <class F> void each_image(const Attrs& attrs, const Shape& shape, DType type, F f) {
  const auto& a = attrs.as<PoolAttrs>();
  const Ints results = a.results();
  std::vector<PoolSpan> lists[3] = {{{0, 1}}, {{0, 1}}, {{0, 1}}};
  PoolImage image{};
  image.channels = shape.back();
  image.divisor = a.adaptive.empty() && a.count_include_pad ? count(a.windows.window) : 0;
  image.parts = parts(a);
  for (int i = 0; i < a.windows.in.size(); ++i) {
    lists[i] = spans(a, i, results[i]);
    image.axes[i] = {a.windows.in[i], results[i], a.adaptive.empty() ? a.windows.dilation[i] : 1, nullptr};
  }
  for (int i = 0; i < 3; ++i) image.axes[i].spans = lists[i].data();
  const std::vector<std::int64_t> offsets = offsets_of(a, image);
  image.whole = static_cast<std::int64_t>(offsets.size());
  image.offsets = offsets.data();
  const auto size = static_cast<std::int64_t>(size_of(type));
  const std::int64_t of_inputs = count(a.windows.in) * image.channels * size,
                     of_results = count(results) * image.channels * size;
  constexpr std::int64_t panel = 64;
  const std::int64_t panels = (image.channels + panel - 1) / panel;
  const int threads = shape[0] * of_inputs < 1 << 17 ? 1 : num_threads();
  parallel_for(shape[0] * panels, threads, [&](std::int64_t task) {
    PoolImage part = image;
    const std::int64_t n = task / panels;
    part.first = task % panels * panel;
    part.last = std::min(part.channels, part.first + panel);
    f(part, n * of_inputs, n * of_results);
  });
}

const PoolLoops& loops_in_use() {
  static const PoolLoops* const loops = by_isa(isa(), pool_loops_base, pool_loops_avx2, pool_loops_avx512)();
  return *loops;
}

}  // namespace

Ints PoolAttrs::results() const {
  if (!adaptive.empty()) {
    for (int i = 0; i < adaptive.size(); ++i) {
      if (adaptive[i] < 1) throw ArgumentError(fmt::format("{} results", adaptive.text()), "at least 1 an axis");
      if (windows.in[i] < 1) throw ArgumentError(fmt::format("an axis of {} has no elements", windows.in.text()));
      std::int64_t product;
      if (__builtin_mul_overflow(adaptive[i], windows.in[i] + 1, &product))
        throw ArgumentError(fmt::format("{} results of {} elements overflow", adaptive.text(), windows.in.text()));
    }
    return adaptive;
  }
  const Ints r = windows.results();
  for (int i = 0; i < r.size(); ++i) {
    const std::int64_t before = windows.before[i], after = windows.after[i],
                       most = (windows.window[i] - 1) * windows.dilation[i];
    if (before > most || after > most || ((before || after) && windows.in[i] < windows.dilation[i]))
      throw ArgumentError(fmt::format("a window {} could lie in padding {} and {} alone", windows.window.text(),
                                      windows.before.text(), windows.after.text()));
  }
  return r;
}

void MaxPick::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& a = attrs.as<PoolAttrs>();
  check_numbers(*in[0], false);
  check_extents(*in[0], a.windows.in);
  check_extents(*in[1], a.windows.in);
  check_pair(*in[0], *in[1]);
  out[0] = pooled(*in[1], a.results());
}

void MaxPick::run(const Attrs& attrs, Views in, Views out) {
  if (count(out[0].shape) == 0) return;
  const bool same = in[0].data == in[1].data && in[0].strides == in[1].strides;
  const Operands o(same ? in.first(1) : in, out[0], true);
  const std::byte *by = o.in(0), *x = same ? by : o.in(1);
  const auto pick = loops_in_use().pick[static_cast<int>(o.type())];
  each_image(attrs, in[0].shape, o.type(), [&](const PoolImage& image, std::int64_t of_input, std::int64_t of_result) {
    pick(image, by + of_input, x + of_input, o.result() + of_result);
  });
}

// Where the largest is changes in jumps alone: the first operand has no gradient, and its tangent no part.
void MaxPick::vjp(Backward& b) {
  b.give(0, {});
  if (b.wants(1)) b.give(1, apply<MaxPut>({b.in(0), b.grad()}, b.attributes()));
}

void MaxPut::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& a = attrs.as<PoolAttrs>();
  check_numbers(*in[0], false);
  check_extents(*in[0], a.windows.in);
  check_extents(*in[1], a.results());
  check_pair(*in[0], *in[1]);
  out[0] = pooled(*in[1], a.windows.in);
}

void MaxPut::run(const Attrs& attrs, Views in, Views out) {
  if (count(out[0].shape) == 0) return;
  const Operands o(in, out[0], parts(attrs.as<PoolAttrs>()));
  const auto put = loops_in_use().put[static_cast<int>(o.type())];
  each_image(attrs, in[0].shape, o.type(), [&](const PoolImage& image, std::int64_t of_input, std::int64_t of_result) {
    put(image, o.in(0) + of_input, o.in(1) + of_result, o.result() + of_input);
  });
}

void MaxPut::vjp(Backward& b) {
  b.give(0, {});
  if (b.wants(1)) b.give(1, apply<MaxPick>({b.in(0), b.grad()}, b.attributes()));
}

void MaxPick::jvp(Forward& f) { f.give(0, apply<MaxPick>({f.in(0), f.tangent(1)}, f.attributes())); }
void MaxPut::jvp(Forward& f) { f.give(0, apply<MaxPut>({f.in(0), f.tangent(1)}, f.attributes())); }

void AvgPool::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& a = attrs.as<PoolAttrs>();
  check_numbers(*in[0], true);
  check_extents(*in[0], a.windows.in);
  out[0] = pooled(*in[0], a.results());
}

void AvgPool::run(const Attrs& attrs, Views in, Views out) {
  if (count(out[0].shape) == 0) return;
  const Operands o(in, out[0], true);
  const auto mean = loops_in_use().mean[static_cast<int>(o.type())];
  each_image(attrs, in[0].shape, o.type(), [&](const PoolImage& image, std::int64_t of_input, std::int64_t of_result) {
    mean(image, o.in(0) + of_input, o.result() + of_result);
  });
}

void AvgPool::vjp(Backward& b) { b.give(0, apply<AvgSpread>({b.grad()}, b.attributes())); }

void AvgSpread::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  const auto& a = attrs.as<PoolAttrs>();
  check_numbers(*in[0], true);
  check_extents(*in[0], a.results());
  out[0] = pooled(*in[0], a.windows.in);
}

void AvgSpread::run(const Attrs& attrs, Views in, Views out) {
  if (count(out[0].shape) == 0) return;
  const Operands o(in, out[0], parts(attrs.as<PoolAttrs>()));
  const auto spread = loops_in_use().spread[static_cast<int>(o.type())];
  each_image(attrs, in[0].shape, o.type(), [&](const PoolImage& image, std::int64_t of_input, std::int64_t of_result) {
    spread(image, o.in(0) + of_result, o.result() + of_input);
  });
}

void AvgSpread::vjp(Backward& b) { b.give(0, apply<AvgPool>({b.grad()}, b.attributes())); }

namespace {
// A batch of minibatches is a larger one.
void as_minibatch(const Op& op, Batching& b) {
  if (b.size() == 0) return b.one_by_one();
  std::vector<Tensor> operands;
  for (int i = 0; i < b.inputs(); ++i) operands.push_back(detail::joined(b.front(i)));
  b.give(detail::parted(apply(op, b.attributes(), operands), b.size()));
}
}  // namespace

void MaxPick::batch(Batching& b) { as_minibatch(op_of<MaxPick>(), b); }
void MaxPut::batch(Batching& b) { as_minibatch(op_of<MaxPut>(), b); }
void AvgPool::batch(Batching& b) { as_minibatch(op_of<AvgPool>(), b); }
void AvgSpread::batch(Batching& b) { as_minibatch(op_of<AvgSpread>(), b); }

}  // namespace weft
