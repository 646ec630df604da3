#include "conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "apply.h"
#include "composition.h"
#include "conv_packed.h"
#include "defs/conv.h"
#include "kernels/conv.h"
#include "manipulate.h"
#include "math.h"
#include "mismatch.h"
#include "recorder.h"
#include "work.h"

namespace weft {
namespace {

using detail::around;
using detail::joined;
using detail::parted;
using detail::spatial;

/// The extents of the form, checked: one of the operands is the result. `x` and `y` are [n, axes..., channels].
struct Form {
  std::int64_t n, channels, outputs;  // channels: of x
  Ints results;
};

void check_types(Types in, int rank) {
  for (const Type* t : in) {
    if (!is_floating(t->dtype))
      throw DTypeError(fmt::format("no meaning for {}", name_of(t->dtype)), "cast it to a float");
    if (t->dtype != in[0]->dtype) throw detail::dtypes_differ(in[0]->dtype, t->dtype);
    if (t->shape.size() != rank)
      throw ShapeError(fmt::format("{} has rank {}, not {}", t->shape.text(), t->shape.size(), rank));
  }
}

void check_extents(const Ints& given, const Ints& wanted, std::string_view of) {
  if (given != wanted)
    throw ShapeError(fmt::format("{} extends over {}, which has to be {}", of, given.text(), wanted.text()));
}

// Null for the one of the three that is the result.
Form check(const ConvAttrs& a, const Shape* x, const Shape* w, const Shape* y) {
  const Windows& win = a.windows;
  if (a.groups < 1) throw ArgumentError(fmt::format("{} groups", a.groups), "at least 1");
  Form f{x ? (*x)[0] : (*y)[0], 0, y ? y->back() : (*w)[0], win.results()};
  if (x) check_extents(spatial(*x), win.in, "x");
  if (w) check_extents(Ints(std::span(w->begin() + 2, w->end())), win.window, "the weight");
  if (y) check_extents(spatial(*y), f.results, "y");
  if (x && y && (*x)[0] != (*y)[0]) throw ShapeError(fmt::format("batches of {} and {}", (*x)[0], (*y)[0]));
  if (f.outputs % a.groups)
    throw ArgumentError(fmt::format("{} groups do not divide {} output channels", a.groups, f.outputs));
  if (x) {
    f.channels = x->back();
    if (f.channels % a.groups)
      throw ArgumentError(fmt::format("{} groups do not divide {} channels", a.groups, f.channels));
    if (w && f.channels / a.groups != (*w)[1])
      throw ShapeError(fmt::format("the input has {} channels{}, the weight takes {}", f.channels,
                                   a.groups > 1 ? fmt::format(" in {} groups", a.groups) : "", (*w)[1]),
                       "the weight is [out, in / groups, window...]; x is [n, channels, axes...], or, with "
                       ".channels_last = true, [n, axes..., channels]");
  } else if (__builtin_mul_overflow((*w)[1], a.groups, &f.channels)) {
    throw ArgumentError(fmt::format("{} groups of {} channels overflow", a.groups, (*w)[1]));
  }
  if (w && f.outputs != (*w)[0])
    throw ShapeError(fmt::format("y has {} channels, the weight gives {}", f.outputs, (*w)[0]));
  return f;
}

int rank_of(const Attrs& attrs) { return attrs.as<ConvAttrs>().windows.in.size() + 2; }

void run(ConvPass pass, const Attrs& attrs, const View& x, const View& w, const View& y, const View& result) {
  if (count(result.shape) == 0) return;
  const ConvShape s = conv_shape(pass, attrs.as<ConvAttrs>(), x.shape, y.shape);
  if (count(x.shape) == 0 || count(w.shape) == 0 || count(y.shape) == 0) {  // a sum of nothing
    std::memset(result.data, 0, static_cast<std::size_t>(count(result.shape)) * size_of(result.dtype));
    return;
  }
  Storage copies[3];
  const auto in_order = [&](const View& v, Storage& copy) { return const_cast<std::byte*>(detail::in_order(v, copy)); };
  conv(s, result.dtype, in_order(x, copies[0]), in_order(w, copies[1]), in_order(y, copies[2]));
}

}  // namespace

ConvShape conv_shape(ConvPass pass, const ConvAttrs& a, const Shape& x, const Shape& y) {
  ConvShape s{pass, a.windows.in.size(), x[0], x.back(), y.back(), a.groups, {}, {}, {}, {}, {}, {}, {}};
  const Ints results = spatial(y);
  for (int i = 0; i < 3; ++i) {
    const bool real = i < s.axes;
    const auto at = static_cast<std::size_t>(i);
    s.in[at] = real ? a.windows.in[i] : 1;
    s.out[at] = real ? results[i] : 1;
    s.window[at] = real ? a.windows.window[i] : 1;
    // Of one result, or a window of one element, any step is the same: the library takes no huge ones.
    const std::int64_t padded = real ? a.windows.in[i] + a.windows.before[i] + a.windows.after[i] : 1;
    s.stride[at] = real ? std::min(a.windows.stride[i], std::max<std::int64_t>(1, padded)) : 1;
    s.before[at] = real ? a.windows.before[i] : 0;
    s.after[at] = real ? a.windows.after[i] : 0;
    s.dilation[at] = real && a.windows.window[i] > 1 ? a.windows.dilation[i] : 1;
  }
  // Channels in rows, each with a window of its own, are images one pixel high: only for those the library has kernels.
  if (s.axes == 1 && s.groups > 1 && s.groups == s.channels) {
    s.axes = 2;
    for (auto* const of : {&s.in, &s.out, &s.window, &s.stride, &s.before, &s.after, &s.dilation})
      std::swap((*of)[0], (*of)[1]);
  }
  return s;
}

// Each position of y meets each element of its filter, those that padding hides too.
static OpWork conv_work(const Type& y, const Type& w) {
  return multiply_adds(static_cast<double>(count(y.shape)) * static_cast<double>(count(w.shape)) /
                           static_cast<double>(std::max<std::int64_t>(1, w.shape[0])),
                       y.dtype);
}
OpWork Conv::work(const Attrs&, Types in, Types out) { return conv_work(*out[0], *in[1]); }
OpWork ConvInput::work(const Attrs&, Types in, Types) { return conv_work(*in[0], *in[1]); }
OpWork ConvWeight::work(const Attrs&, Types in, Types out) { return conv_work(*in[1], *out[0]); }

void Conv::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  check_types(in, rank_of(attrs));
  const Form f = check(attrs.as<ConvAttrs>(), &in[0]->shape, &in[1]->shape, nullptr);
  out[0] = {in[0]->dtype, around(f.n, f.results, f.outputs)};
}

void ConvInput::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  check_types(in, rank_of(attrs));
  const Form f = check(attrs.as<ConvAttrs>(), nullptr, &in[1]->shape, &in[0]->shape);
  out[0] = {in[0]->dtype, around(f.n, attrs.as<ConvAttrs>().windows.in, f.channels)};
}

void ConvWeight::infer(const Attrs& attrs, Types in, std::span<Type> out) {
  check_types(in, rank_of(attrs));
  const auto& a = attrs.as<ConvAttrs>();
  const Form f = check(a, &in[0]->shape, nullptr, &in[1]->shape);
  Shape w{f.outputs, f.channels / a.groups};
  for (const std::int64_t extent : a.windows.window) w.push_back(extent);
  out[0] = {in[0]->dtype, w};
}

void Conv::run(const Attrs& a, Views in, Views out) { weft::run(ConvPass::y, a, in[0], in[1], out[0], out[0]); }
void ConvInput::run(const Attrs& a, Views in, Views out) { weft::run(ConvPass::x, a, out[0], in[1], in[0], out[0]); }
void ConvWeight::run(const Attrs& a, Views in, Views out) { weft::run(ConvPass::w, a, in[0], out[0], in[1], out[0]); }

void Conv::vjp(Backward& b) {
  if (b.wants(0)) b.give(0, apply<ConvInput>({b.grad(), b.in(1)}, b.attributes()));
  if (b.wants(1)) b.give(1, apply<ConvWeight>({b.in(0), b.grad()}, b.attributes()));
}
void ConvInput::vjp(Backward& b) {
  if (b.wants(0)) b.give(0, apply<Conv>({b.grad(), b.in(1)}, b.attributes()));
  if (b.wants(1)) b.give(1, apply<ConvWeight>({b.grad(), b.in(0)}, b.attributes()));
}
void ConvWeight::vjp(Backward& b) {
  if (b.wants(0)) b.give(0, apply<ConvInput>({b.in(1), b.grad()}, b.attributes()));
  if (b.wants(1)) b.give(1, apply<Conv>({b.in(0), b.grad()}, b.attributes()));
}

namespace {

// Linear in each of two operands.
template <class Struct> void bilinear(Forward& f) {
  if (f.has_tangent(0)) f.give(0, apply<Struct>({f.tangent(0), f.in(1)}, f.attributes()));
  if (f.has_tangent(1)) f.give(0, apply<Struct>({f.in(0), f.tangent(1)}, f.attributes()));
}

// Images of each example, [b, n, axes..., c], as one's of b times the channels, [n, axes..., b * c]; and back.
Tensor side_by_side(const Tensor& t) {
  Ints order;
  for (int i = 1; i + 1 < t.rank(); ++i) order.push_back(i);
  order.push_back(0);
  order.push_back(t.rank() - 1);
  const Tensor turned = transpose(t, order);
  Shape s = turned.shape();
  s.erase(s.size() - 1);
  s[s.size() - 1] = t.shape()[0] * t.shape().back();
  return reshape(turned, s);
}
Tensor taken_apart(const Tensor& t, std::int64_t b) {
  Shape s = t.shape();
  s[s.size() - 1] /= std::max<std::int64_t>(b, 1);
  s.insert(s.size() - 1, b);
  Ints order{s.size() - 2};
  for (int i = 0; i < s.size(); ++i)
    if (i != s.size() - 2) order.push_back(i);
  return transpose(reshape(t, s), order);
}

// A batch whose examples share the weight is a larger minibatch; else the examples are groups of one convolution.
template <class Struct> bool as_minibatch(Batching& b) {
  if (b.batched(1) || !b.batched(0)) return false;
  b.give(parted(apply<Struct>({joined(b.in(0)), b.in(1)}, b.attributes()), b.size()));
  return true;
}
ConvAttrs in_groups(const Batching& b) {
  ConvAttrs a = b.attrs<ConvAttrs>();
  a.groups *= b.size();
  return a;
}

}  // namespace

void Conv::jvp(Forward& f) { bilinear<Conv>(f); }
void ConvInput::jvp(Forward& f) { bilinear<ConvInput>(f); }
void ConvWeight::jvp(Forward& f) { bilinear<ConvWeight>(f); }

void Conv::batch(Batching& b) {
  if (b.size() == 0) return b.one_by_one();
  if (as_minibatch<Conv>(b)) return;
  if (!b.batched(0) && b.attrs<ConvAttrs>().groups == 1)  // of the same images: more output channels
    return b.give(taken_apart(apply<Conv>({b.in(0), joined(b.in(1))}, b.attributes()), b.size()));
  b.give(taken_apart(apply<Conv>({side_by_side(b.front(0)), joined(b.front(1))}, in_groups(b)), b.size()));
}
void ConvInput::batch(Batching& b) {
  if (b.size() == 0) return b.one_by_one();
  if (as_minibatch<ConvInput>(b)) return;
  b.give(taken_apart(apply<ConvInput>({side_by_side(b.front(0)), joined(b.front(1))}, in_groups(b)), b.size()));
}
void ConvWeight::batch(Batching& b) {
  if (b.size() == 0) return b.one_by_one();
  if (!b.batched(0) && b.attrs<ConvAttrs>().groups == 1)
    return b.give(parted(apply<ConvWeight>({b.in(0), side_by_side(b.in(1))}, b.attributes()), b.size()));
  b.give(parted(apply<ConvWeight>({side_by_side(b.front(0)), side_by_side(b.front(1))}, in_groups(b)), b.size()));
}

namespace {

// A public function's body: brings x into place, names errors, adds the bias, brings the result back.
template <class F> Tensor convolution(const char* name, int axes, const Arg& x, const Arg& weight, const Arg* bias,
                                      bool channels_last, F&& result) {
  const auto body = [&] {
    const Tensor images = x.tensor(), w = weight.tensor();
    const int rank = axes + 2;
    if (images.rank() != rank)
      throw ShapeError(
          fmt::format("the input has rank {}, not {}", images.rank(), rank),
          channels_last ? "the input is [batch, axes..., channels]" : "the input is [batch, channels, axes...]");
    if (w.rank() != rank) throw ShapeError(fmt::format("the weight has rank {}, not {}", w.rank(), rank));
    Tensor y = result(channels_last ? images : detail::channels_last(images), w);
    if (bias) {
      const Tensor b = bias->tensor();
      if (b.shape() != Shape{y.shape().back()})
        throw ShapeError(fmt::format("the bias is {}, not {}", b.shape().text(), Shape{y.shape().back()}.text()));
      y = y + b;
    }
    return channels_last ? y : detail::channels_first(y);
  };
  if (bias) return detail::composed(name, {{"x      ", x}, {"weight ", weight}, {"bias   ", *bias}}, body);
  return detail::composed(name, {{"x      ", x}, {"weight ", weight}}, body);
}

Tensor convolve(const char* name, int axes, const Arg& x, const Arg& weight, const Arg* bias, const ConvOptions& o) {
  return convolution(name, axes, x, weight, bias, o.channels_last, [&](const Tensor& images, const Tensor& w) {
    const Ints window(std::span(w.shape().begin() + 2, w.shape().end()));
    return apply<Conv>(
        {images, w},
        ConvAttrs{Windows::over(spatial(images.shape()), window, o.stride, o.padding, o.dilation), o.groups});
  });
}

Tensor convolve_transposed(const char* name, int axes, const Arg& x, const Arg& weight, const Arg* bias,
                           const ConvTransposeOptions& o) {
  return convolution(name, axes, x, weight, bias, o.channels_last, [&](const Tensor& images, const Tensor& w) {
    const Ints window(std::span(w.shape().begin() + 2, w.shape().end()));
    const ConvAttrs a{Windows::from(spatial(images.shape()), window, o.stride, o.padding, o.dilation,
                                    o.output_padding.of(axes, "output padding")),
                      o.groups};
    if (w.shape()[0] != images.shape().back())
      throw ShapeError(
          fmt::format("the input has {} channels, the weight takes {}", images.shape().back(), w.shape()[0]),
          "the weight is [in, out / groups, window...]");
    return apply<ConvInput>({images, w}, a);
  });
}

}  // namespace

#define WEFT_CONV(function, axes, body, Options)                                              \
  Tensor function(const Arg& x, const Arg& weight, const Options& options) {                  \
    return body(#function, axes, x, weight, nullptr, options);                                \
  }                                                                                           \
  Tensor function(const Arg& x, const Arg& weight, const Arg& bias, const Options& options) { \
    return body(#function, axes, x, weight, &bias, options);                                  \
  }
WEFT_CONV(conv1d, 1, convolve, ConvOptions)
WEFT_CONV(conv2d, 2, convolve, ConvOptions)
WEFT_CONV(conv3d, 3, convolve, ConvOptions)
WEFT_CONV(conv_transpose1d, 1, convolve_transposed, ConvTransposeOptions)
WEFT_CONV(conv_transpose2d, 2, convolve_transposed, ConvTransposeOptions)
WEFT_CONV(conv_transpose3d, 3, convolve_transposed, ConvTransposeOptions)
#undef WEFT_CONV

}  // namespace weft
