#include "conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "../../tensor/parallel.h"
#include "../../tensor/storage.h"
#include "primitive.h"

namespace weft::onednn {
namespace {

using dnnl::memory;

/// One primitive: the convolution of a piece, or what brings a weight from our layout to the pieces' or back.
struct Key {
  ConvShape shape;          // of the piece
  std::int64_t like;        // the weight lies as a piece of so many images likes it
  std::int64_t moves_only;  // 1: the reorder of the weight

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

memory::desc image(std::int64_t n, std::int64_t channels, const std::array<std::int64_t, 3>& extents, std::int64_t axes,
                   Layout layout = Layout::last) {
  using tag = memory::format_tag;
  constexpr tag tags[3][3] = {
      {tag::nwc, tag::nhwc, tag::ndhwc}, {tag::ncw, tag::nchw, tag::ncdhw}, {tag::nCw16c, tag::nChw16c, tag::nCdhw16c}};
  return {dims({n, channels}, extents, axes), memory::data_type::f32, tags[static_cast<int>(layout)][axes - 1]};
}

memory::dims weight_dims(const ConvShape& s) {
  if (s.groups == 1) return dims({s.outputs, s.channels}, s.window, s.axes);
  return dims({s.groups, s.outputs / s.groups, s.channels / s.groups}, s.window, s.axes);
}

/// As the caller has it: in order.
memory::desc plain_weight(const ConvShape& s) {
  const memory::dims d = weight_dims(s);
  memory::dims strides(d.size(), 1);
  for (std::size_t i = d.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * d[i + 1];
  return {d, memory::data_type::f32, strides};
}

/// A convolution's primitive with the weight laid out as in `weight`, and the layout that it really has.
Built build_conv(const ConvShape& s, const memory::desc& weight) {
  const bool first_layer = s.pass == ConvPass::y && s.channels == 1 && s.outputs == 16;
  const memory::desc x = image(s.n, s.channels, s.in, s.axes, first_layer ? Layout::first : Layout::last),
                     y = image(s.n, s.outputs, s.out, s.axes, first_layer ? Layout::blocked : Layout::last);
  ConvMoves moves{first(s.stride, s.axes), first(s.dilation, s.axes), first(s.before, s.axes), first(s.after, s.axes)};
  for (auto& d : moves.dilations) --d;
  const dnnl::primitive_attr attributes = own_scratchpad();
  const detail::TeamSize one(1);  // the thread count is fixed here, at creation
  const auto any = memory::desc(weight_dims(s), memory::data_type::f32, memory::format_tag::any);
  const auto forward = conv_forward_desc(cpu_engine(), x, s.pass == ConvPass::y ? weight : any, y, moves, attributes);
  if (s.pass == ConvPass::y)
    return {dnnl::convolution_forward(forward),
            {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, forward.weights_desc()}, {DNNL_ARG_DST, y}},
            forward.scratchpad_desc()};
  if (s.pass == ConvPass::x) {
    const auto desc = conv_input_desc(cpu_engine(), x, weight, y, moves, forward, attributes);
    return {dnnl::convolution_backward_data(desc),
            {{DNNL_ARG_DIFF_SRC, x}, {DNNL_ARG_WEIGHTS, desc.weights_desc()}, {DNNL_ARG_DIFF_DST, y}},
            desc.scratchpad_desc()};
  }
  const auto desc = conv_weight_desc(cpu_engine(), x, weight, y, moves, forward, attributes);
  return {dnnl::convolution_backward_weights(desc),
          {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_WEIGHTS, desc.diff_weights_desc()}, {DNNL_ARG_DIFF_DST, y}},
          desc.scratchpad_desc()};
}

Built build(const Key& k) {
  ConvShape like = k.shape;
  like.n = k.like;
  const auto any = memory::desc(weight_dims(like), memory::data_type::f32, memory::format_tag::any);
  Built liked = build_conv(like, any);
  const memory::desc weight = liked.operands[1].second;
  if (!k.moves_only) return k.like == k.shape.n ? liked : build_conv(k.shape, weight);
  memory::desc from = plain_weight(like), to = weight;
  if (like.pass == ConvPass::w) std::swap(from, to);
  const detail::TeamSize one(1);
  const auto desc = dnnl::reorder::primitive_desc(cpu_engine(), from, cpu_engine(), to, own_scratchpad());
  return {dnnl::reorder(desc), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, desc.scratchpad_desc()};
}

Bound& primitive(const ConvShape& piece, std::int64_t like, bool moves_only) {
  return find<Key, Hash>({piece, like, moves_only}, build);
}

std::string describe(const ConvShape& s) {
  const auto list = [&](const std::array<std::int64_t, 3>& of) {
    return fmt::format("{}", fmt::join(of.begin(), of.begin() + s.axes, "x"));
  };
  return fmt::format("x [{}, {}, {}], weight [{}, {}, {}], stride {}, padding {} and {}, dilation {}, {} groups", s.n,
                     list(s.in), s.channels, s.outputs, s.channels / s.groups, list(s.window), list(s.stride),
                     list(s.before), list(s.after), list(s.dilation), s.groups);
}

double work(const ConvShape& s) {  // multiply-adds
  return static_cast<double>(s.n * s.positions()) * static_cast<double>(s.outputs) *
         static_cast<double>(s.channels / s.groups * s.taps());
}

}  // namespace

std::int64_t conv_pieces(const ConvShape& s) {
  // A piece has at least half a million multiply-adds (5 us). Sums of weights cost a pass over them each: their pieces
  // have at least 1024 positions, and there are 8 at most.
  std::int64_t most = std::min<std::int64_t>(s.n, static_cast<std::int64_t>(work(s) / 500'000));
  if (s.pass == ConvPass::w) most = std::min<std::int64_t>({most, 8, s.n * s.positions() / 1024});
  return std::clamp<std::int64_t>(most, 1, 32);
}

void run(const ConvShape& s, void* x, void* w, void* y) {
  const std::int64_t pieces = conv_pieces(s), like = (s.n + pieces - 1) / pieces;
  const int threads = work(s) < 500'000 ? 1 : num_threads();
  const std::int64_t pixels = s.in[0] * s.in[1] * s.in[2] * s.channels, positions = s.positions() * s.outputs;
  try {
    ConvShape first = s;
    first.n = like;
    const memory::desc laid_out = primitive(first, like, false).built().operands[1].second;
    const bool moved = laid_out != plain_weight(s);
    const std::size_t bytes = (laid_out.get_size() + 63) / 64 * 64;
    const bool sums = s.pass == ConvPass::w;
    Storage weights;  // laid out as the primitives want it; of a gradient, one a piece
    if (moved || (sums && pieces > 1)) weights = Storage::allocate(bytes * static_cast<std::size_t>(sums ? pieces : 1));
    std::byte* const weight = weights ? weights.data() : static_cast<std::byte*>(w);
    if (moved && !sums) {
      const void* const data[] = {w, weight};
      primitive(first, like, true).run(data);
    }

    std::exception_ptr failed;
    std::mutex failing;
    parallel_for(pieces, threads, [&](std::int64_t i) {
      try {
        const std::int64_t begin = s.n * i / pieces;
        ConvShape piece = s;
        piece.n = s.n * (i + 1) / pieces - begin;
        const void* const data[] = {static_cast<float*>(x) + begin * pixels,
                                    weight + (sums ? bytes * static_cast<std::size_t>(i) : 0),
                                    static_cast<float*>(y) + begin * positions};
        primitive(piece, like, false).run(data);
      } catch (...) {
        const std::lock_guard lock(failing);
        failed = std::current_exception();
      }
    });
    if (failed) std::rethrow_exception(failed);
    if (!sums) return;

    auto* const sum = reinterpret_cast<float*>(weight);
    const auto step = static_cast<std::int64_t>(bytes / sizeof(float)),
               n = static_cast<std::int64_t>(laid_out.get_size() / sizeof(float));
    for (std::int64_t i = 1; i < pieces; ++i)
      for (std::int64_t j = 0; j < n; ++j) sum[j] += sum[i * step + j];
    if (moved) {
      const void* const data[] = {weight, w};
      primitive(first, like, true).run(data);
    } else if (pieces > 1) {
      std::memcpy(w, weight, laid_out.get_size());
    }
  } catch (const dnnl::error& e) {
    throw std::runtime_error(
        fmt::format("conv: oneDNN refuses {}: {} (status {})", describe(s), e.what(), static_cast<int>(e.status)));
  }
}

}  // namespace weft::onednn
