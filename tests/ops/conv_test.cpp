// Convolutions, all three of a form, against its definition written out.
#include <weft/ops/conv.h>
#include <weft/ops/kernels/conv.h>
#include <weft/ops/onednn/conv.h>
#include <weft/ops/reduce.h>
#include <weft/tensor/isa.h>
#include <weft/tensor/threads.h>

#include <tuple>

#include "../op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Problem {
  ConvAttrs attrs;
  Shape x, w, y;

  Problem(std::int64_t n, const Windows& windows, std::int64_t channels, std::int64_t outputs, std::int64_t groups)
      : attrs{windows, groups},
        x(detail::around(n, windows.in, channels)),
        w{outputs, channels / groups},
        y(detail::around(n, windows.results(), outputs)) {
    for (const std::int64_t k : windows.window) w.push_back(k);
  }
};

Ints index_of(std::int64_t flat, const Ints& extents) {
  Ints at = extents;
  for (int i = extents.size(); i-- > 0;) {
    at[i] = flat % extents[i];
    flat /= extents[i];
  }
  return at;
}

// The definition, in f64: which of x, w and y is the sum, from the two others.
std::vector<double> by_definition(const Problem& p, ConvPass pass, std::vector<double> x, std::vector<double> w,
                                  std::vector<double> y) {
  const Windows& win = p.attrs.windows;
  const Ints results = win.results();
  const std::int64_t channels = p.x.back() / p.attrs.groups, outputs = p.y.back() / p.attrs.groups,
                     pixels = count(win.in);
  std::vector<double>& sum = pass == ConvPass::x ? x : pass == ConvPass::w ? w : y;
  sum.assign(static_cast<std::size_t>(count(pass == ConvPass::x ? p.x : pass == ConvPass::w ? p.w : p.y)), 0);
  for (std::int64_t n = 0; n < p.x[0]; ++n)
    for (std::int64_t i = 0; i < count(results); ++i)
      for (std::int64_t k = 0; k < count(win.window); ++k) {
        const Ints at = index_of(i, results), tap = index_of(k, win.window);
        std::int64_t pixel = 0;
        bool inside = true;
        for (int d = 0; d < at.size(); ++d) {
          const std::int64_t from = at[d] * win.stride[d] - win.before[d] + tap[d] * win.dilation[d];
          inside = inside && from >= 0 && from < win.in[d];
          pixel = pixel * win.in[d] + from;
        }
        if (!inside) continue;
        for (std::int64_t o = 0; o < p.y.back(); ++o)
          for (std::int64_t c = 0; c < channels; ++c) {
            auto& px = x[static_cast<std::size_t>((n * pixels + pixel) * p.x.back() + o / outputs * channels + c)];
            auto& pw = w[static_cast<std::size_t>((o * channels + c) * count(win.window) + k)];
            auto& py = y[static_cast<std::size_t>((n * count(results) + i) * p.y.back() + o)];
            (pass == ConvPass::x ? px += py* pw : pass == ConvPass::w ? pw += px* py : py += px * pw);
          }
      }
  return sum;
}

// Half the spacing of bf16 numbers, once, and what sums in f32 differ by.
constexpr double bf16_rounding = 0.5 / 128 + 1e-4;

void check_all(const Problem& p, DType t, Random& random, double tolerance) {
  INFO(p.attrs.windows.in.text() << " " << p.x.text() << " * " << p.w.text() << ", " << Attrs(p.attrs).text());
  const Tensor x = random_tensor(random, p.x, t, -1, 1), w = random_tensor(random, p.w, t, -1, 1),
               y = random_tensor(random, p.y, t, -1, 1);
  const auto vx = x.to_vector<double>(), vw = w.to_vector<double>(), vy = y.to_vector<double>();
  const auto compare = [&](const Tensor& got, ConvPass pass, const Shape& shape) {
    REQUIRE(got.shape() == shape);
    CHECK_NEAR(cast(got, f64), from_vector(by_definition(p, pass, vx, vw, vy), shape), tolerance);
  };
  compare(apply<Conv>({x, w}, p.attrs), ConvPass::y, p.y);
  compare(apply<ConvInput>({y, w}, p.attrs), ConvPass::x, p.x);
  compare(apply<ConvWeight>({x, y}, p.attrs), ConvPass::w, p.w);
}

std::vector<Problem> geometries() {
  std::vector<Problem> list;
  Random random(17);
  const auto pick = [&](std::int64_t low, std::int64_t high) { return low + random.below(high - low + 1); };
  while (list.size() < 60) {
    const int axes = static_cast<int>(pick(1, 3));
    Windows w;
    for (int i = 0; i < axes; ++i) {
      w.in.push_back(pick(1, axes == 3 ? 5 : 9));
      w.window.push_back(pick(1, 3));
      w.stride.push_back(pick(1, 3));
      w.before.push_back(pick(0, 2));
      w.after.push_back(pick(0, 2));
      w.dilation.push_back(pick(1, 2));
    }
    const std::int64_t groups = pick(0, 2) ? 1 : pick(2, 3);
    try {
      list.emplace_back(pick(1, 3), w, groups * pick(1, 5), groups * pick(1, 5), groups);
    } catch (const ArgumentError&) {  // a window too large
    }
  }
  for (const std::int64_t channels : {1, 3, 16, 20, 32})  // what the library has kernels for
    list.emplace_back(2, Windows::over({7, 9}, {3, 3}, 1, 1, 1), channels, 16, 1);
  list.emplace_back(2, Windows::over({8, 8}, {3, 3}, 2, Pad::same, 1), 16, 32, 1);
  list.emplace_back(2, Windows::over({8, 8}, {1, 1}, 2, 0, 1), 16, 32, 1);
  list.emplace_back(2, Windows::over({8, 8}, {1, 1}, 1, 0, 1), 32, 16, 1);
  list.emplace_back(2, Windows::over({9}, {4}, 1, 1, 1), 32, 48, 1);
  list.emplace_back(2, Windows::over({3, 2, 4}, {2, 1, 3}, 1, 1, 1), 16, 32, 1);
  list.emplace_back(2, Windows::over({9, 7}, {3, 3}, 1, 1, 1), 32, 32, 32);  // depthwise
  list.emplace_back(2, Windows::over({9, 7}, {3, 3}, 1, 1, 1), 5, 10, 5);
  list.emplace_back(2, Windows::over({40}, {3}, 2, Padding({0}, {2}), {3}), 32, 32, 32);  // in rows
  list.emplace_back(2, Windows::over({5}, {2}, 1, 1, 1), 3, 6, 3);
  // of which some of oneDNN's bf16 kernels read or write elsewhere: images narrower than a step, axes of three along
  // which no window lies inside, steps of 4 with as much padding before as is left over after
  list.emplace_back(2, Windows::over({6, 2}, {3, 5}, 3, 2, 1), 16, 32, 1);
  list.emplace_back(2, Windows{{4, 3, 5}, {3, 2, 3}, {3, 1, 1}, {1, 0, 0}, {1, 0, 3}, {1, 2, 2}}, 3, 48, 1);
  list.emplace_back(3, Windows{{6, 2, 5}, {2, 4, 4}, {2, 1, 1}, {0, 2, 0}, {0, 0, 1}, {1, 1, 1}}, 64, 2, 1);
  list.emplace_back(1, Windows{{13}, {5}, {4}, {3}, {0}, {2}}, 5, 20, 1);
  return list;
}

}  // namespace

TEST_CASE("a convolution and both of its gradients are the form's definition, over many geometries", "[conv]") {
  Random random(18);
  for (const Problem& p : geometries()) {
    check_all(p, f32, random, 1e-5);
    check_all(p, f64, random, 1e-14);
    check_all(p, DType::bf16, random, bf16_rounding);
  }
}

TEST_CASE("a convolution in pieces, even or not, of images and of channels, is one, and threads change no bit",
          "[conv][threads]") {
  Random random(19);
  const int before = num_threads();
  struct Cut {
    std::int64_t n, size, channels, outputs;
    std::array<std::array<std::int64_t, 2>, 3> pieces;  // of y, x and w: images, channels
  };
  for (const Cut& c : {Cut{13, 12, 24, 32, {{{7, 1}, {7, 1}, {1, 1}}}}, Cut{16, 12, 24, 32, {{{8, 1}, {8, 1}, {2, 1}}}},
                       Cut{1, 6, 150, 137, {{{1, 4}, {1, 4}, {1, 2}}}}, Cut{1, 6, 160, 144, {{{1, 4}, {1, 5}, {1, 2}}}},
                       Cut{3, 7, 70, 66, {{{3, 2}, {3, 2}, {1, 1}}}}}) {
    const Problem p(c.n, Windows::over({c.size, c.size}, {3, 3}, 1, Pad::same, 1), c.channels, c.outputs, 1);
    for (int pass = 0; pass < 3; ++pass) {
      const std::int64_t size = c.size;
      const ConvShape shape{ConvPass(pass),  2,         c.n,       c.channels, c.outputs, 1,        {size, size, 1},
                            {size, size, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 0},  {1, 1, 0}, {1, 1, 1}};
      const onednn::ConvCut cut = onednn::conv_cut(shape);
      CHECK(std::array{cut.images, cut.channels} == c.pieces[static_cast<std::size_t>(pass)]);
      CHECK(onednn::has_bf16(shape) == has_quick_bf16());
    }
    check_all(p, f32, random, 1e-4);
    check_all(p, DType::bf16, random, bf16_rounding);
    for (DType t : {f32, f64, DType::bf16, DType::f16}) {
      const Tensor x = random_tensor(random, p.x, t), w = random_tensor(random, p.w, t),
                   y = random_tensor(random, p.y, t);
      const auto all = [&] {
        return std::array{apply<Conv>({x, w}, p.attrs), apply<ConvInput>({y, w}, p.attrs),
                          apply<ConvWeight>({x, y}, p.attrs)};
      };
      set_num_threads(1);
      const auto one = all();
      set_num_threads(std::min(2, before));
      const auto two = all();
      set_num_threads(before);
      for (std::size_t i = 0; i < 3; ++i) CHECK_SAME(one[i], two[i]);
    }
  }
}

TEST_CASE("depthwise convolutions: windows of any size, strides, dilations, in one to three axes", "[conv]") {
  Random random(24);
  const int before = num_threads();
  struct Geometry {
    Ints in, window, stride, before, after, dilation;
    std::int64_t n, channels;
  };
  for (const Geometry& g :
       {Geometry{{9, 11}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 3, 80},
        Geometry{{10, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 2, 32},
        Geometry{{12, 7}, {5, 4}, {1, 2}, {2, 3}, {2, 0}, {2, 1}, 1, 16},
        Geometry{{13, 9}, {2, 7}, {2, 1}, {0, 3}, {1, 3}, {2, 1}, 2, 16},
        Geometry{{2, 2}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, {1, 1}, 2, 16}, Geometry{{30}, {3}, {1}, {2}, {0}, {1}, 2, 32},
        Geometry{{4, 6, 5}, {2, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {1, 1, 1}, 2, 16}}) {
    const Windows windows{g.in, g.window, g.stride, g.before, g.after, g.dilation};
    const Problem p(g.n, windows, g.channels, g.channels, g.channels);
    check_all(p, f64, random, 1e-13);
    check_all(p, f32, random, 1e-5);
    check_all(p, DType::bf16, random, bf16_rounding);
    const Tensor x = random_tensor(random, p.x, f32), y = random_tensor(random, p.y, f32);
    set_num_threads(1);
    const Tensor one = apply<ConvWeight>({x, y}, p.attrs);
    set_num_threads(before);
    CHECK_SAME(one, apply<ConvWeight>({x, y}, p.attrs));
  }
}

TEST_CASE("gradients of long windows along one axis", "[conv]") {
  Random random(26);
  const int before = num_threads();
  for (const auto& [n, channels, outputs, stride] :
       {std::array{3, 1, 1, 1}, {2, 5, 16, 1}, {1, 9, 20, 1}, {2, 3, 2, 3}, {2, 8, 17, 4}, {40, 1, 3, 1}, {20, 64, 64, 9}}) {
    const Problem p(n, Windows::over({61}, {17}, stride, Padding({4}, {9}), {1}), channels, outputs, 1);
    check_all(p, f32, random, 1e-4);
    check_all(p, f64, random, 1e-13);
    const Tensor x = random_tensor(random, p.x, f32), w = random_tensor(random, p.w, f32),
                 y = random_tensor(random, p.y, f32);
    set_num_threads(1);
    const Tensor dx = apply<ConvInput>({y, w}, p.attrs), dw = apply<ConvWeight>({x, y}, p.attrs);
    set_num_threads(before);
    CHECK_SAME(dx, apply<ConvInput>({y, w}, p.attrs));
    CHECK_SAME(dw, apply<ConvWeight>({x, y}, p.attrs));
  }
}

TEST_CASE("large images: the gradient for x by the weight turned round, where the stride is 1", "[conv]") {
  Random random(25);
  for (const auto& [stride, before, dilation, channels] :
       {std::tuple{1, 1, 1, 17}, {1, 0, 2, 32}, {1, 3, 1, 64}, {1, 1, 1, 80}, {2, 1, 1, 17}}) {
    const Windows windows = Windows::over({86, 84}, {2, 3}, stride, Padding({before, 1}, {0, 2}), {1, dilation});
    const Problem p(1, windows, channels, 36 * stride * stride, 1);
    const Tensor y = random_tensor(random, p.y, f32, -1, 1), w = random_tensor(random, p.w, f32, -1, 1);
    CHECK_NEAR(cast(apply<ConvInput>({y, w}, p.attrs), f64), apply<ConvInput>({cast(y, f64), cast(w, f64)}, p.attrs),
               1e-4);
    const Problem twice(1, windows, channels, 72 * stride * stride, 1);  // as many bytes of bf16
    const Tensor v = random_tensor(random, twice.y, DType::bf16, -1, 1),
                 u = random_tensor(random, twice.w, DType::bf16, -1, 1);
    CHECK_NEAR(cast(apply<ConvInput>({v, u}, p.attrs), f64), apply<ConvInput>({cast(v, f64), cast(u, f64)}, p.attrs),
               bf16_rounding);
  }
}

TEST_CASE("a single pixel's weight gradient is a sum of products, in pieces that divide the rows", "[conv]") {
  Random random(23);
  for (const auto& [n, size] : {std::pair{2, 33}, {1, 47}, {3, 40}})  // 2178 = 2 * 1089, 2209 = 47 * 47, 4800 rows
    check_all(Problem(n, Windows::over({size, size}, {1, 1}, 1, 0, 1), 5, 18, 1), f32, random, 1e-4);
}

TEST_CASE("the 16-bit floats are convolved in f32 and rounded once", "[conv]") {
  Random random(20);
  for (const auto& [windows, channels, outputs] : {std::tuple{Windows::over({6, 5}, {3, 2}, 1, 1, 1), 3, 4},
                                                   {Windows::over({9, 9}, {3, 3}, 2, 1, 1), 48, 80},
                                                   {Windows::over({17, 16}, {1, 1}, 1, 0, 1), 40, 64},
                                                   {Windows::over({7, 6}, {1, 1}, 1, 0, 1), 80, 72}}) {
    const Problem p(12, windows, channels, outputs, 1);
    for (DType t : {DType::bf16, DType::f16}) {
      const Tensor x = random_tensor(random, p.x, t, -1, 1), w = random_tensor(random, p.w, t, -1, 1),
                   y = random_tensor(random, p.y, t, -1, 1);
      const Tensor x32 = cast(x, f32), w32 = cast(w, f32), y32 = cast(y, f32);
      const auto compare = [&](const Tensor& got, const Tensor& wide) {
        CHECK_NEAR(cast(got, f32), wide, t == DType::f16 ? 0.5 / 1024 + 1e-4 : bf16_rounding);
      };
      compare(apply<Conv>({x, w}, p.attrs), apply<Conv>({x32, w32}, p.attrs));
      compare(apply<ConvInput>({y, w}, p.attrs), apply<ConvInput>({y32, w32}, p.attrs));
      compare(apply<ConvWeight>({x, y}, p.attrs), apply<ConvWeight>({x32, y32}, p.attrs));
    }
  }
}

TEST_CASE("conv1d, conv2d and conv3d: values by hand", "[conv]") {
  const Tensor line = reshape(tensor({1, 2, 3, 4, 5}), {1, 1, 5}), tap = reshape(tensor({1, 0, -1}), {1, 1, 3});
  CHECK_VALUES(conv1d(line, tap), -2, -2, -2);
  CHECK_VALUES(conv1d(line, tap, {.padding = 1}), -2, -2, -2, -2, 4);
  CHECK_VALUES(conv1d(line, tap, {.stride = 2, .padding = Pad::same}), -2, -2, 4);
  CHECK_VALUES(conv1d(line, tap, {.padding = Padding(2, 0)}), -1, -2, -2, -2, -2);
  CHECK_VALUES(conv1d(line, tap, tensor({10}), {.dilation = 2}), 6);
  const Tensor square = reshape(cast(arange(9), f32), {1, 1, 3, 3});
  CHECK_VALUES(conv2d(square, ones({1, 1, 2, 2})), 8, 12, 20, 24);
  CHECK_VALUES(conv2d(square, ones({2, 1, 2, 2}), tensor({0, 100}), {.stride = {2, 1}}), 8, 12, 108, 112);
  CHECK_VALUES(conv2d(square, ones({1, 1, 2, 2}), {.padding = Padding({1, 0}, 0)}), 1, 3, 8, 12, 20, 24);
  CHECK_VALUES(conv3d(ones({1, 2, 2, 2, 2}), ones({1, 2, 2, 2, 1})), 8, 8);
  // two channels in two groups: each with its own weight
  const Tensor two = reshape(tensor({1, 2, 10, 20}), {1, 2, 2});
  CHECK_VALUES(conv1d(two, reshape(tensor({3, 5}), {2, 1, 1}), {.groups = 2}), 3, 6, 50, 100);
}

TEST_CASE("Pad::same gives as many results as strides, the odd element after", "[conv]") {
  // TensorFlow's rule: ceil(in / stride) results; in total max((results - 1) * stride + window - in, 0) elements
  for (const auto& [in, window, stride, before, after] : {std::tuple{5, 3, 1, 1, 1},
                                                          {5, 2, 1, 0, 1},
                                                          {6, 3, 2, 0, 1},
                                                          {7, 3, 2, 1, 1},
                                                          {2, 1, 2, 0, 0},
                                                          {5, 4, 3, 1, 1}}) {
    const Windows w = Windows::over({in}, {window}, stride, Pad::same, 1);
    CHECK(w.before == Ints{before});
    CHECK(w.after == Ints{after});
    CHECK(w.results() == Ints{(in + stride - 1) / stride});
  }
  CHECK(conv2d(zeros({1, 1, 9, 9}), zeros({1, 1, 3, 3}), {.padding = Pad::same, .dilation = 3}).shape() ==
        Shape{1, 1, 9, 9});
}

TEST_CASE("channels last is channels first turned, and so are the gradients' layouts", "[conv]") {
  Random random(21);
  const Tensor x = random_tensor(random, {2, 3, 5, 6}, f32), w = random_tensor(random, {4, 3, 3, 2}, f32),
               b = random_tensor(random, {4}, f32);
  const Tensor last = conv2d(contiguous(transpose(x, Ints{0, 2, 3, 1})), w, b, {.stride = 2, .channels_last = true});
  CHECK_SAME(conv2d(x, w, b, {.stride = 2}), transpose(last, Ints{0, 3, 1, 2}));
  const Tensor y = random_tensor(random, {2, 4, 5, 6}, f32);
  CHECK_SAME(conv_transpose2d(y, w),
             transpose(conv_transpose2d(transpose(y, Ints{0, 2, 3, 1}), w, {.channels_last = true}), Ints{0, 3, 1, 2}));
}

TEST_CASE("a transposed convolution spreads each element over a window", "[conv]") {
  const Tensor line = reshape(tensor({1, 2, 3}), {1, 1, 3}), taps = reshape(tensor({1, 10, 100}), {1, 1, 3});
  CHECK_VALUES(conv_transpose1d(line, taps), 1, 12, 123, 230, 300);
  CHECK_VALUES(conv_transpose1d(line, taps, {.stride = 2}), 1, 10, 102, 20, 203, 30, 300);
  CHECK_VALUES(conv_transpose1d(line, taps, {.stride = 2, .padding = 1, .output_padding = 1}), 10, 102, 20, 203, 30,
               300);
  CHECK_VALUES(conv_transpose1d(line, taps, {.stride = 2, .padding = Pad::same}), 1, 10, 102, 20, 203, 30);
  CHECK_VALUES(conv_transpose1d(line, taps, tensor({1000}), {.dilation = 2}), 1001, 1002, 1013, 1020, 1130, 1200, 1300);
  CHECK(conv_transpose2d(zeros({2, 4, 5, 5}), zeros({4, 3, 3, 3}), {.stride = 2, .groups = 2}).shape() ==
        Shape{2, 6, 11, 11});
  CHECK(conv_transpose3d(zeros({2, 4, 2, 2, 2}), zeros({4, 3, 2, 2, 2}), {.stride = 2}).shape() ==
        Shape{2, 3, 4, 4, 4});
}

TEST_CASE("a transposed convolution is the adjoint of the convolution", "[conv]") {
  Random random(22);
  const Tensor x = random_tensor(random, {2, 4, 9}, f64), w = random_tensor(random, {6, 2, 3}, f64);
  const Tensor y = conv1d(x, w, {.stride = 2, .padding = 1, .groups = 2}), v = random_tensor(random, y.shape(), f64);
  const Tensor back = conv_transpose1d(v, w, {.stride = 2, .padding = 1, .groups = 2});
  CHECK_NEAR(sum(y * v), sum(x * back), 1e-13);
}

TEST_CASE("convolutions of nothing: no results, or sums of nothing", "[conv][bad-input.12]") {
  CHECK(conv2d(zeros({0, 3, 5, 5}), zeros({4, 3, 3, 3})).shape() == Shape{0, 4, 3, 3});
  CHECK(conv2d(zeros({2, 3, 5, 5}), zeros({0, 3, 3, 3})).shape() == Shape{2, 0, 3, 3});
  const Tensor none = conv2d(zeros({1, 0, 3, 3}), zeros({2, 0, 3, 3}), tensor({1, 2}), {.padding = 1});
  CHECK(none.shape() == Shape{1, 2, 3, 3});
  CHECK(sum(none).item() == 27);
  CHECK(sum(conv1d(zeros({1, 2, 0}), ones({1, 2, 3}), {.padding = 3})).item() == 0);
  CHECK(conv_transpose2d(zeros({0, 3, 5, 5}), zeros({3, 4, 3, 3})).shape() == Shape{0, 4, 7, 7});
  const ConvAttrs a{Windows::over({5}, {3}, 1, 0, 1), 1};
  CHECK_SAME(apply<ConvWeight>({zeros({0, 5, 2}), zeros({0, 3, 4})}, a), zeros({4, 2, 3}));
  CHECK_SAME(apply<ConvInput>({zeros({2, 3, 0}), zeros({0, 4, 3})}, a), zeros({2, 5, 4}));
}

TEST_CASE("every operand's geometry is checked at the door, of the gradients too",
          "[conv][bad-input.11][bad-input.19]") {
  const ConvAttrs a{Windows::over({5}, {3}, 1, 0, 1), 1};
  const Tensor x = zeros({2, 5, 4}), w = zeros({6, 4, 3}), y = zeros({2, 3, 6});
  CHECK(apply<Conv>({x, w}, a).shape() == y.shape());
  for (const Tensor& bad : {zeros({2, 4, 4}), zeros({2, 5, 3}), zeros({2, 5}), zeros({2, 5, 4, 1})})
    CHECK_THROWS_AS(apply<Conv>({bad, w}, a), ShapeError);
  for (const Tensor& bad : {zeros({2, 4, 4}), zeros({1, 5, 4}), zeros({2, 5}), zeros({2, 5, 4, 1})})
    CHECK_THROWS_AS(apply<ConvWeight>({bad, y}, a), ShapeError);
  for (const Tensor& bad : {zeros({6, 4, 2}), zeros({6, 3, 3}), zeros({6, 4})})
    CHECK_THROWS_AS(apply<Conv>({x, bad}, a), ShapeError);
  for (const Tensor& bad : {zeros({6, 4, 2}), zeros({5, 4, 3}), zeros({6, 4})})
    CHECK_THROWS_AS(apply<ConvInput>({y, bad}, a), ShapeError);
  for (const Tensor& bad : {zeros({2, 4, 6}), zeros({2, 3, 5}), zeros({2, 3})})
    CHECK_THROWS_AS(apply<ConvInput>({bad, w}, a), ShapeError);
  for (const Tensor& bad : {zeros({2, 4, 6}), zeros({3, 3, 6}), zeros({2, 3})})
    CHECK_THROWS_AS(apply<ConvWeight>({x, bad}, a), ShapeError);
  CHECK_THROWS_AS(apply<Conv>({x, cast(w, f64)}, a), DTypeError);
  CHECK_THROWS_AS(apply<ConvInput>({y, cast(w, f64)}, a), DTypeError);
  CHECK_THROWS_AS(apply<ConvWeight>({x, cast(y, f64)}, a), DTypeError);
  for (const std::int64_t groups : {0, -1, 3}) {
    CHECK_THROWS_AS(apply<Conv>({x, w}, ConvAttrs{a.windows, groups}), ArgumentError);
    CHECK_THROWS_AS(apply<ConvInput>({y, w}, ConvAttrs{a.windows, groups == 3 ? 4 : groups}), ArgumentError);
    CHECK_THROWS_AS(apply<ConvWeight>({x, y}, ConvAttrs{a.windows, groups}), ArgumentError);
  }
  constexpr std::int64_t huge = INT64_MAX;
  const auto with = [&](auto change) {
    ConvAttrs b = a;
    change(b.windows);
    return b;
  };
  for (const ConvAttrs& b :
       {with([](Windows& v) { v.stride[0] = 0; }), with([](Windows& v) { v.dilation[0] = 0; }),
        with([](Windows& v) { v.before[0] = -1; }), with([](Windows& v) { v.after[0] = huge; }),
        with([](Windows& v) { v.dilation[0] = huge; }), with([](Windows& v) { v.dilation[0] = 3; })}) {
    CHECK_THROWS_AS(apply<Conv>({x, w}, b), ArgumentError);
    CHECK_THROWS_AS(apply<ConvInput>({y, w}, b), ArgumentError);
    CHECK_THROWS_AS(apply<ConvWeight>({x, y}, b), ArgumentError);
  }
}
