#include "conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "../../tensor/convert.h"
#include "../../tensor/error.h"
#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"
#include "../../tensor/storage.h"
#include "primitive.h"

namespace weft::onednn {
namespace {

using dnnl::memory;

/// A convolution of f32 or of bf16. A gradient for w is summed in f32, where the pieces' lie.
struct Conv : ConvShape {
  std::int64_t bf16;  // 0 or 1

  bool operator==(const Conv&) const = default;
  memory::data_type type() const { return bf16 ? memory::data_type::bf16 : memory::data_type::f32; }
  memory::data_type weight_type() const { return pass == ConvPass::w ? memory::data_type::f32 : type(); }
  std::int64_t bytes() const { return bf16 ? 2 : 4; }
};

/// One primitive: the convolution of a piece, or what brings a weight from our layout to the pieces' or back.
struct Key {
  Conv shape;         // of the piece
  std::int64_t like;  // the weight lies as a piece of so many images likes it
  std::int64_t row;   // not 0: the reorder of a weight whose outputs lie so far apart with the caller

  bool operator==(const Key&) const = default;
};
static_assert(std::has_unique_object_representations_v<Key>);

struct Hash {
  std::size_t operator()(const Key& k) const {
    std::array<std::uint64_t, sizeof(Key) / 8> parts;
    std::memcpy(parts.data(), &k, sizeof k);
    std::uint64_t h = 0;
    for (const std::uint64_t part : parts) {
      h = (h ^ part) * 0x9e3779b97f4a7c15u;
      h ^= h >> 29;
    }
    return h;
  }
};

// The first of the entries for as many axes as there are.
memory::dims first(const std::array<std::int64_t, 3>& of, std::int64_t axes) {
  return memory::dims(of.begin(), of.begin() + axes);
}

memory::dims dims(std::initializer_list<std::int64_t> lead, const std::array<std::int64_t, 3>& of, std::int64_t axes) {
  memory::dims d(lead);
  d.insert(d.end(), of.begin(), of.begin() + axes);
  return d;
}

/// How images lie. Of one channel nchw, and of 16 nChw16c, name the same memory as nhwc; by those names oneDNN takes a
/// kernel for first layers that is twice as fast.
enum class Layout { last, first, blocked };

memory::desc image(const Conv& s, std::int64_t channels, const std::array<std::int64_t, 3>& extents,
                   Layout layout = Layout::last) {
  using tag = memory::format_tag;
  constexpr tag tags[3][3] = {
      {tag::nwc, tag::nhwc, tag::ndhwc}, {tag::ncw, tag::nchw, tag::ncdhw}, {tag::nCw16c, tag::nChw16c, tag::nCdhw16c}};
  return {dims({s.n, channels}, extents, s.axes), s.type(), tags[static_cast<int>(layout)][s.axes - 1]};
}

memory::dims weight_dims(const ConvShape& s) {
  if (s.groups == 1) return dims({s.outputs, s.channels}, s.window, s.axes);
  return dims({s.groups, s.outputs / s.groups, s.channels / s.groups}, s.window, s.axes);
}

/// As the caller has it: in order, but for outputs that lie `row` apart where only some of the channels are meant.
memory::desc plain_weight(const Conv& s, std::int64_t row) {
  const memory::dims d = weight_dims(s);
  memory::dims strides(d.size(), 1);
  for (std::size_t i = d.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * d[i + 1];
  if (s.groups == 1) strides[0] = row;
  return {d, s.type(), strides};
}

/// As oneDNN likes it.
memory::desc any_weight(const Conv& s) { return {weight_dims(s), s.weight_type(), memory::format_tag::any}; }

/// Where oneDNN's AVX-512 kernel of the plain loop beats what it offers first: windows (3 to 8 % over products of small
/// matrices, depthwise 40 %) and short sums over single pixels (25 %), of images that stay in the cache. Not for 16
/// results, where it is a quarter slower. Of bf16 always, but for the weights of single pixels: as fast, and 2.6.3's
/// small matrices write past results of strides from 4 on with padding before.
Take best(const Conv& s) {
  if (s.bf16) return s.pass == ConvPass::w && s.taps() == 1 ? Take::first : Take::loop;
  if (s.groups == s.channels && s.groups == s.outputs) return Take::loop;
  if (s.pass == ConvPass::y && s.outputs <= 16) return Take::first;
  const bool of_x = s.pass == ConvPass::x;
  const std::int64_t summed = of_x ? s.outputs : s.channels, pixels = of_x ? s.positions() : s.pixels();
  return (s.taps() > 1 || summed <= 64) && summed * pixels * 4 <= cached_image ? Take::loop : Take::first;
}

/// A convolution's primitive with the weight laid out as in `weight`, and the layout that it really has.
Built build_conv(const Conv& s, const memory::desc& weight) {
  const bool first_layer = s.pass == ConvPass::y && s.channels == 1 && s.outputs == 16;
  const memory::desc x = image(s, s.channels, s.in, first_layer ? Layout::first : Layout::last),
                     y = image(s, s.outputs, s.out, first_layer ? Layout::blocked : Layout::last);
  ConvMoves moves{first(s.stride, s.axes), first(s.dilation, s.axes), first(s.before, s.axes), first(s.after, s.axes)};
  for (auto& d : moves.dilations) --d;
  const dnnl::primitive_attr attributes = own_scratchpad();
  const detail::TeamSize one(1);  // the thread count is fixed here, at creation
  const memory::desc any(weight_dims(s), s.type(), memory::format_tag::any);
  const auto forward = conv_forward_desc(cpu_engine(), x, s.pass == ConvPass::y ? weight : any, y, moves, attributes,
                                         s.pass == ConvPass::y ? best(s) : Take::first);
  if (s.pass == ConvPass::y)
    return {dnnl::convolution_forward(forward),
            {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, forward.weights_desc()}, {DNNL_ARG_DST, y}},
            forward.scratchpad_desc(),
            has_loops(forward)};
  if (s.pass == ConvPass::x) {
    const auto desc = conv_input_desc(cpu_engine(), x, weight, y, moves, forward, attributes, best(s));
    return {dnnl::convolution_backward_data(desc),
            {{DNNL_ARG_DIFF_SRC, x}, {DNNL_ARG_WEIGHTS, desc.weights_desc()}, {DNNL_ARG_DIFF_DST, y}},
            desc.scratchpad_desc(),
            has_loops(desc)};
  }
  const auto desc = conv_weight_desc(cpu_engine(), x, weight, y, moves, forward, attributes, best(s));
  return {dnnl::convolution_backward_weights(desc),
          {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_WEIGHTS, desc.diff_weights_desc()}, {DNNL_ARG_DIFF_DST, y}},
          desc.scratchpad_desc(),
          has_loops(desc)};
}

Built build(const Key& k) {
  Conv like = k.shape;
  like.n = k.like;
  Built liked = build_conv(like, any_weight(like));
  const memory::desc weight = liked.operands[1].second;
  if (!k.row) {
    Built built = k.like == k.shape.n ? liked : build_conv(k.shape, weight);
    if (like.groups == 1 && like.weight_type() == memory::data_type::f32)
      built.weight_order = weight_order(weight, weight_dims(like));
    return built;
  }
  memory::desc from = plain_weight(like, k.row), to = weight;
  if (like.pass == ConvPass::w) std::swap(from, to);
  const detail::TeamSize one(1);
  const auto desc = dnnl::reorder::primitive_desc(cpu_engine(), from, cpu_engine(), to, own_scratchpad());
  return {dnnl::reorder(desc), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, desc.scratchpad_desc()};
}

Bound& primitive(const Conv& piece, std::int64_t like, std::int64_t row = 0) {
  return find<Key, Hash>({piece, like, row}, build);
}

std::string describe(const Conv& s) {
  const auto list = [&](const std::array<std::int64_t, 3>& of) {
    return fmt::format("{}", fmt::join(of.begin(), of.begin() + s.axes, "x"));
  };
  return fmt::format("{} x [{}, {}, {}], weight [{}, {}, {}], stride {}, padding {} and {}, dilation {}, {} groups",
                     s.bf16 ? "bf16" : "f32", s.n, list(s.in), s.channels, s.outputs, s.channels / s.groups,
                     list(s.window), list(s.stride), list(s.before), list(s.after), list(s.dilation), s.groups);
}

/// Elements of the weight from one output to the next.
std::int64_t row_of(const ConvShape& s) { return s.channels / s.groups * s.taps(); }

/// A range of the cut channels, with their part of the weight.
struct Part {
  Conv shape;  // of the most images that a piece has
  std::int64_t begin, channels;
  std::byte* given;   // where its weight begins with the caller
  bool moved;         // its weight lies otherwise for the primitives
  std::byte* weight;  // so laid out; of a gradient, one for each piece of images
  std::int64_t bytes;
  std::optional<WeightOrder> order;  // how, where we know it
};

/// What the largest piece of part i computes, and the first of its channels.
std::pair<Conv, std::int64_t> largest_piece(const Conv& s, const ConvCut& cut, std::int64_t i) {
  std::int64_t Conv::*const cut_channels = s.pass == ConvPass::x ? &Conv::channels : &Conv::outputs;
  const std::int64_t all = s.*cut_channels, blocks = (all + 15) / 16;
  const auto at = [&](std::int64_t k) { return std::min(all, blocks * k / cut.channels * 16); };
  Conv piece = s;
  piece.n = (s.n + cut.images - 1) / cut.images;
  piece.*cut_channels = at(i + 1) - at(i);
  return {piece, at(i)};
}

/// `packed`: where the parts' weights lie as the primitives want them, or null: then those that are moved go to
/// `weights`.
std::vector<Part> parts_of(const Conv& s, const ConvCut& cut, std::byte* w, std::byte* packed, Storage& weights) {
  const bool sums = s.pass == ConvPass::w;
  const std::int64_t row = row_of(s);
  std::vector<Part> parts;
  std::int64_t bytes = 0;
  for (std::int64_t i = 0; i < cut.channels; ++i) {
    const auto [piece, begin] = largest_piece(s, cut, i);
    const bool of_x = s.pass == ConvPass::x;
    std::byte* const given = w ? w + begin * (of_x ? s.taps() : row) * s.bytes() : nullptr;
    Part p{piece, begin, of_x ? piece.channels : piece.outputs, given, false, nullptr, 0, {}};
    const Built& built = primitive(p.shape, p.shape.n).built();
    const memory::desc laid_out = built.operands[1].second;
    p.order = built.weight_order;
    p.moved = laid_out != plain_weight(p.shape, row);
    p.bytes = static_cast<std::int64_t>((laid_out.get_size() + 63) / 64 * 64);
    bytes += p.bytes * (sums ? cut.images : 1);
    parts.push_back(p);
  }
  const auto elsewhere = [&](const Part& p) { return packed || p.moved || (sums && cut.images > 1); };
  if (!packed && std::any_of(parts.begin(), parts.end(), elsewhere))
    weights = Storage::allocate(static_cast<std::size_t>(bytes));
  std::byte* next = packed ? packed : weights.data();
  for (Part& p : parts) {
    p.weight = elsewhere(p) ? next : p.given;
    next += p.bytes * (sums ? cut.images : 1);
  }
  return parts;
}

/// parallel_for of a body that may throw.
template <class Body> void for_each(std::int64_t tasks, int threads, const Body& body) {
  std::exception_ptr failed;
  std::mutex failing;
  parallel_for(tasks, threads, [&](std::int64_t i) {
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(failing);
      failed = std::current_exception();
    }
  });
  if (failed) std::rethrow_exception(failed);
}

/// Rows of so many bytes, from and to matrices of longer ones.
void copy_columns(const std::byte* from, std::int64_t from_row, std::byte* to, std::int64_t to_row, std::int64_t rows,
                  std::int64_t bytes) {
  for (std::int64_t i = 0; i < rows; ++i)
    std::memcpy(to + i * to_row, from + i * from_row, static_cast<std::size_t>(bytes));
}

/// One piece: images [begin, begin + s.n) and a part's channels, which oneDNN wants in an array of their own.
void run_piece(const Conv& s, std::int64_t begin, const Part& p, const Conv& whole, std::byte* x, std::byte* weight,
               std::byte* y) {
  const std::int64_t pixels = s.pixels(), bytes = s.bytes();
  x += begin * pixels * whole.channels * bytes;
  y += begin * s.positions() * whole.outputs * bytes;
  const bool of_x = s.pass == ConvPass::x, all = s.channels == whole.channels && s.outputs == whole.outputs;
  std::byte*& cut = of_x ? x : y;
  std::byte* const from = cut + p.begin * bytes;
  const std::int64_t rows = s.n * (of_x ? pixels : s.positions()),
                     row = (of_x ? whole.channels : whole.outputs) * bytes, columns = p.channels * bytes;
  Storage own;
  if (!all) {
    own = Storage::allocate(static_cast<std::size_t>(rows * columns));
    cut = own.data();
    if (s.pass == ConvPass::w) copy_columns(from, row, cut, columns, rows, columns);
  }
  const void* const data[] = {x, weight, y};
  primitive(s, p.shape.n).run(data);
  if (!all && s.pass != ConvPass::w) copy_columns(cut, columns, from, row, rows, columns);
}

/// A part's weight with the caller, whose outputs lie `row` apart.
PlainWeight plain_of(const Part& p, std::int64_t row) {
  const std::int64_t taps = p.shape.taps();
  return {p.shape.outputs, p.shape.channels, taps, row, taps};
}

/// Brings a part's weight to where the primitives want it.
void bring(const Part& p, std::int64_t row) {
  if (p.weight == p.given) return;
  if (p.order)
    return order_weight(*p.order, plain_of(p, row), reinterpret_cast<const float*>(p.given),
                        reinterpret_cast<float*>(p.weight));
  const void* const data[] = {p.given, p.weight};
  primitive(p.shape, p.shape.n, row).run(data);
}

/// The gradient of a part's weight: the images' sum, as the caller wants it.
void finish(const Part& p, std::int64_t images, std::int64_t row) {
  auto* const sum = reinterpret_cast<float*>(p.weight);
  const std::int64_t size = p.bytes / 4;
  for (std::int64_t i = 1; i < images; ++i)
    for (std::int64_t j = 0; j < size; ++j) sum[j] += sum[i * size + j];
  if (p.moved && p.order && !p.shape.bf16)
    return plain_weight(*p.order, plain_of(p, row), sum, reinterpret_cast<float*>(p.given));
  if (p.moved && p.order) {
    const Storage plain = Storage::allocate(static_cast<std::size_t>(size) * 4);
    plain_weight(*p.order, plain_of(p, row), sum, reinterpret_cast<float*>(plain.data()));
    return detail::convert_elements(DType::f32, plain.data(), 1, DType::bf16, p.given, 1, p.channels * row);
  }
  const void* const data[] = {p.weight, p.given};
  if (p.moved)
    primitive(p.shape, p.shape.n, row).run(data);
  else if (p.weight != p.given)
    std::memcpy(p.given, p.weight, static_cast<std::size_t>(p.channels * row * 4));
}

/// Where the bf16 gradient for a weight is what it should be: of some geometries 2.6.3's kernel reads and writes
/// elsewhere. Found with arrays of NaN between protected pages: a last axis shorter than a step; among three axes one
/// of which no window lies inside the image.
bool is_sound(const ConvShape& s) {
  if (s.pass != ConvPass::w) return true;
  const auto axes = static_cast<std::size_t>(s.axes);
  if (s.in[axes - 1] < s.stride[axes - 1]) return false;
  for (std::size_t k = 0; axes == 3 && k < 3; ++k) {
    const std::int64_t extent = (s.window[k] - 1) * s.dilation[k] + 1,
                       skipped = (s.before[k] + s.stride[k] - 1) / s.stride[k];
    if (skipped * s.stride[k] - s.before[k] + extent > s.in[k]) return false;
  }
  return true;
}

/// Runs `body`; what oneDNN refuses then names the shape.
template <class Body> auto named(const Conv& s, const Body& body) {
  try {
    return body();
  } catch (const dnnl::error& e) {
    throw ArgumentError(
        fmt::format("oneDNN refuses {}: {} (status {})", describe(s), e.what(), static_cast<int>(e.status)));
  }
}

Conv of_type(const ConvShape& s, DType t) { return {s, t == DType::bf16}; }

}  // namespace

ConvCut conv_cut(const ConvShape& s) {
  // A piece has at least half a million multiply-adds (5 us), and 8 million where there are more than eight pieces: of
  // an image at a time, small convolutions were 15 to 25 % slower. Sums of weights cost a pass over them each: their
  // pieces have at least 1024 positions, and there are 8 at most.
  const bool of_x = s.pass == ConvPass::x;
  const std::int64_t rows = s.n * s.positions(), few = std::clamp<std::int64_t>(s.products() / 500'000, 1, 8),
                     most = std::clamp<std::int64_t>(s.products() / 8'000'000, few, 32);
  std::int64_t images = std::min(s.n, most);
  if (s.pass == ConvPass::w) images = std::clamp<std::int64_t>(rows / 1024, 1, std::min<std::int64_t>(images, 8));
  const std::int64_t largest = (s.n + images - 1) / images;
  images = (s.n + largest - 1) / largest;  // no more than that needs: of 4 images not 3 pieces, but 2
  // Few images, or so few positions that moving the weights counts: channels are cut, where each is worth its copy.
  // Each part of a weight's gradient turns all of x for itself: there are fewer.
  const std::int64_t depth = (of_x ? s.outputs : s.channels) * s.taps();
  if (s.groups > 1 || depth < 256 || (images >= 4 && rows >= 1024)) return {images, 1};
  const std::int64_t channels = std::min(
      {most, std::int64_t{rows < 512 ? 8 : 16}, (of_x ? s.channels : s.outputs) / (s.pass == ConvPass::w ? 64 : 32)});
  if (channels >= 4) return {1, channels};
  return {images, images < 4 ? std::max<std::int64_t>(1, std::min(channels, most / images)) : 1};
}

bool has_bf16(const ConvShape& whole) {
  cpu_engine();  // clamps oneDNN to weft::isa()
  if (isa() != Isa::avx512 || !has_bf16_products() || !is_sound(whole)) return false;
  // Where fmas do as much, what is widened is quicker, but for convolutions that move more than they compute.
  if (!has_quick_bf16() && whole.groups == 1) return false;
  const Conv piece = largest_piece(of_type(whole, DType::bf16), conv_cut(whole), 0).first;
  return primitive(piece, piece.n).built().of_loops;
}

std::size_t packed_bytes(const ConvShape& whole, DType t) {
  const Conv s = of_type(whole, t);
  return named(s, [&] {
    Storage weights;
    std::int64_t bytes = 0;
    bool moved = false;
    for (const Part& p : parts_of(s, conv_cut(s), nullptr, nullptr, weights)) {
      bytes += p.bytes;
      moved |= p.moved;
    }
    return moved ? static_cast<std::size_t>(bytes) : 0;
  });
}

void pack(const ConvShape& whole, DType t, const void* w, void* packed) {
  const Conv s = of_type(whole, t);
  named(s, [&] {
    Storage none;
    auto* const given = static_cast<std::byte*>(const_cast<void*>(w));
    for (const Part& p : parts_of(s, conv_cut(s), given, static_cast<std::byte*>(packed), none)) bring(p, row_of(s));
  });
}

std::size_t packed_turned_bytes(const ConvShape& whole, DType t) {
  if (t != DType::f32) return 0;
  const Conv s = of_type(whole, t);
  return named(s, [&] {
    Storage none;
    const std::vector<Part> parts = parts_of(s, conv_cut(s), nullptr, nullptr, none);
    const bool all = std::all_of(parts.begin(), parts.end(), [](const Part& p) { return p.order.has_value(); });
    return all ? packed_bytes(whole, t) : 0;
  });
}

void pack_turned(const ConvShape& whole, const float* w, float* packed) {
  const Conv s = of_type(whole, DType::f32);
  named(s, [&] {
    Storage none;
    const std::vector<Part> parts = parts_of(s, conv_cut(s), nullptr, reinterpret_cast<std::byte*>(packed), none);
    for_each(static_cast<std::int64_t>(parts.size()), num_threads(), [&](std::int64_t i) {
      const Part& p = parts[static_cast<std::size_t>(i)];
      const std::int64_t taps = s.taps();
      order_weight(*p.order, {p.shape.outputs, p.shape.channels, taps, taps, s.outputs * taps, true},
                   w + p.begin * taps, reinterpret_cast<float*>(p.weight));
    });
  });
}

void run(const ConvShape& whole, DType t, void* x, void* w, void* y, bool packed) {
  const Conv s = of_type(whole, t);
  const ConvCut cut = conv_cut(s);
  const int threads = s.products() < 500'000 ? 1 : num_threads();
  const std::int64_t row = row_of(s);
  const bool sums = s.pass == ConvPass::w;
  named(s, [&] {
    Storage weights;
    auto* const weight = static_cast<std::byte*>(w);
    const std::vector<Part> parts = parts_of(s, cut, weight, packed ? weight : nullptr, weights);
    // with one piece of images a part's weight goes there and back while it is in a core's cache
    const auto each_part = [&](auto f) {
      for_each(cut.channels, threads, [&](std::int64_t i) { f(parts[static_cast<std::size_t>(i)]); });
    };
    if (!sums && !packed && cut.images > 1) each_part([&](const Part& p) { bring(p, row); });
    for_each(cut.images * cut.channels, threads, [&](std::int64_t i) {
      const Part& p = parts[static_cast<std::size_t>(i % cut.channels)];
      if (!sums && !packed && cut.images == 1) bring(p, row);
      const std::int64_t piece = i / cut.channels, begin = s.n * piece / cut.images;
      Conv shape = p.shape;
      shape.n = s.n * (piece + 1) / cut.images - begin;
      run_piece(shape, begin, p, s, static_cast<std::byte*>(x), p.weight + (sums ? piece * p.bytes : 0),
                static_cast<std::byte*>(y));
      if (sums && cut.images == 1) finish(p, 1, row);
    });
    if (sums && cut.images > 1) each_part([&](const Part& p) { finish(p, cut.images, row); });
  });
}

}  // namespace weft::onednn
