// Our matmuls and convolutions beside the best that oneDNN does when asked directly: any layout that it likes, for all
// three arrays, moved there before the clock starts; its own threads. Ours take and give plain arrays, channels last.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <functional>
#include <string>
#include <tuple>

#include <weft/ops/onednn/compat.h>
#include <weft/tensor/parallel.h>

#include "cases.h"
#include "numbers.h"
#include "report/outcome.h"
#include "turns.h"

namespace bench {
namespace {

using namespace weft;
using dnnl::memory;

// In either version's spelling, as compat.h does for convolutions.
dnnl::matmul::primitive_desc matmul_primitive_desc(const dnnl::engine& engine, const dnnl::memory::desc& a,
                                                   const dnnl::memory::desc& b, const dnnl::memory::desc& c,
                                                   const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c, attributes};
#else
  return {dnnl::matmul::desc(a, b, c), attributes, engine};
#endif
}

/// One of the operands: a tensor, and where oneDNN reads or writes it.
struct Operand {
  int argument;
  memory::desc plain;  // how the tensor lies
  Tensor tensor;       // undefined: the result
  memory liked = {};
};

struct Contest {
  std::function<Tensor()> ours;
  dnnl::primitive library;
  std::vector<Operand> operands;
  double products;  // multiply-adds
  DType type = f32;
};

void move(const memory& from, const memory& to) {
  auto& stream = onednn::cpu_stream();
  dnnl::reorder(from, to).execute(stream, const_cast<memory&>(from), const_cast<memory&>(to));
  stream.wait();
}

void run(const Contest& c) {
  std::unordered_map<int, memory> arguments;
  for (const Operand& o : c.operands) arguments[o.argument] = o.liked;
  c.library.execute(onednn::cpu_stream(), arguments);
  onednn::cpu_stream().wait();
}

/// oneDNN's result, as ours lies.
Tensor result_of(const Contest& c, const Shape& shape) {
  const Tensor result = full(shape, 0.0, c.type);
  for (const Operand& o : c.operands)
    if (!o.tensor.defined()) move(o.liked, memory(o.plain, onednn::cpu_engine(), result.view().data));
  return result;
}

void compete(benchmark::State& state, const std::function<Contest()>& make, int threads) {
  const detail::TeamSize team(threads);  // oneDNN's
  const Contest c = make();
  for (const Operand& o : c.operands)
    if (o.tensor.defined()) move(memory(o.plain, onednn::cpu_engine(), contiguous(o.tensor).view().data), o.liked);
  const Tensor expected = contiguous(c.ours()), largest = max(abs(expected));
  const Step ours{[&] { benchmark::DoNotOptimize(c.ours()); }, [&] { return std::vector{expected / largest}; }, {}, {}};
  const Step library{[&] { run(c); }, [&] { return std::vector{result_of(c, expected.shape()) / largest}; }, {}, {}};
  time_in_turns(state, {"our_time", ours}, {"oneDNN_time", library}, c.type == f32 ? 1e-4 : 0.01, 0.01);
  const double mine = state.counters["our_time"], theirs = state.counters["oneDNN_time"];
  state.counters["GFLOP/s"] = 2e-9 * c.products / mine;
  state.counters["oneDNN"] = 2e-9 * c.products / theirs;
  state.counters["of_oneDNN"] = theirs / mine;
}

memory::desc any(const memory::dims& dims, memory::data_type type = memory::data_type::f32) {
  return {dims, type, memory::format_tag::any};
}

/// How an operand lies: in rows, or its transpose does.
enum class Turn { none, a, b };

Contest matmul_contest(std::int64_t m, std::int64_t k, std::int64_t n, DType t, Turn turn) {
  const auto numbers = [&](const char* tag, std::int64_t rows, std::int64_t columns, bool turned) {
    if (turned) return transpose(cast(uniform(tag, {columns, rows}, -1, 1), t));
    return cast(uniform(tag, {rows, columns}, -1, 1), t);
  };
  const Tensor a = numbers("library.a", m, k, turn == Turn::a), b = numbers("library.b", k, n, turn == Turn::b);
  const auto type = t == f32 ? memory::data_type::f32 : memory::data_type::bf16;
  const auto plain = [&](std::int64_t rows, std::int64_t columns) {
    return memory::desc({rows, columns}, type, memory::format_tag::ab);
  };
  const auto desc = matmul_primitive_desc(onednn::cpu_engine(), any({m, k}, type), any({k, n}, type), any({m, n}, type),
                                          dnnl::primitive_attr());
  const auto on = [](const memory::desc& d) { return memory(d, onednn::cpu_engine()); };
  return {[=] { return matmul(a, b); },
          dnnl::matmul(desc),
          {{DNNL_ARG_SRC, plain(m, k), a, on(desc.src_desc())},
           {DNNL_ARG_WEIGHTS, plain(k, n), b, on(desc.weights_desc())},
           {DNNL_ARG_DST, plain(m, n), {}, on(desc.dst_desc())}},
          static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n),
          t};
}

/// A square convolution of images [n, size, size, in], padded so that stride 1 keeps the size.
struct Shape2d {
  std::int64_t n, in, out, size, window, stride = 1, groups = 1;
  DType type = f32;
};
enum class Pass { forward, input, weight };

Contest conv_contest(const Shape2d& s, Pass pass) {
  const std::int64_t padding = s.window / 2, results = (s.size + 2 * padding - s.window) / s.stride + 1;
  const auto numbers = [&](const char* tag, const Shape& shape) { return cast(uniform(tag, shape, -1, 1), s.type); };
  const Tensor x = numbers("library.x", {s.n, s.size, s.size, s.in}),
               w = numbers("library.w", {s.out, s.in / s.groups, s.window, s.window}),
               y = numbers("library.y", {s.n, results, results, s.out});
  const auto type = s.type == f32 ? memory::data_type::f32 : memory::data_type::bf16;
  const ConvOptions options{.stride = s.stride, .padding = padding, .groups = s.groups, .channels_last = true};

  const memory::dims dx = {s.n, s.in, s.size, s.size}, dy = {s.n, s.out, results, results};
  const memory::dims dw = s.groups == 1 ? memory::dims{s.out, s.in, s.window, s.window}
                                        : memory::dims{s.groups, s.out / s.groups, s.in / s.groups, s.window, s.window};
  const auto images = [&](const memory::dims& d) { return memory::desc(d, type, memory::format_tag::nhwc); };
  const memory::desc weight(dw, type, s.groups == 1 ? memory::format_tag::abcd : memory::format_tag::abcde);
  const onednn::ConvMoves moves{{s.stride, s.stride}, {0, 0}, {padding, padding}, {padding, padding}};
  const dnnl::primitive_attr none;
  const auto& engine = onednn::cpu_engine();
  const auto on = [&](const memory::desc& d) { return memory(d, engine); };
  const auto forward = onednn::conv_forward_desc(engine, any(dx, type), any(dw, type), any(dy, type), moves, none);
  Contest c;
  c.type = s.type;
  c.products = static_cast<double>(s.n * results * results * s.out * (s.in / s.groups) * s.window * s.window);
  if (pass == Pass::forward) {
    c.ours = [=] { return conv2d(x, w, options); };
    c.library = dnnl::convolution_forward(forward);
    c.operands = {{DNNL_ARG_SRC, images(dx), x, on(forward.src_desc())},
                  {DNNL_ARG_WEIGHTS, weight, w, on(forward.weights_desc())},
                  {DNNL_ARG_DST, images(dy), {}, on(forward.dst_desc())}};
  } else if (pass == Pass::input) {
    const auto desc =
        onednn::conv_input_desc(engine, any(dx, type), any(dw, type), any(dy, type), moves, forward, none);
    const auto pull_back = vjp([=](const Tensor& t) { return conv2d(t, w, options); }, x).second;
    c.ours = [=] { return pull_back(y); };
    c.library = dnnl::convolution_backward_data(desc);
    c.operands = {{DNNL_ARG_DIFF_SRC, images(dx), {}, on(desc.diff_src_desc())},
                  {DNNL_ARG_WEIGHTS, weight, w, on(desc.weights_desc())},
                  {DNNL_ARG_DIFF_DST, images(dy), y, on(desc.diff_dst_desc())}};
  } else {
    const auto desc =
        onednn::conv_weight_desc(engine, any(dx, type), any(dw, type), any(dy, type), moves, forward, none);
    const auto pull_back = vjp([=](const Tensor& t) { return conv2d(x, t, options); }, w).second;
    c.ours = [=] { return pull_back(y); };
    c.library = dnnl::convolution_backward_weights(desc);
    c.operands = {{DNNL_ARG_SRC, images(dx), x, on(desc.src_desc())},
                  {DNNL_ARG_DIFF_WEIGHTS, weight, {}, on(desc.diff_weights_desc())},
                  {DNNL_ARG_DIFF_DST, images(dy), y, on(desc.diff_dst_desc())}};
  }
  return c;
}

void add(const std::string& name, int threads, std::function<Contest()> make) {
  benchmark::RegisterBenchmark(name.c_str(),
                               weft::bench::caught([=](benchmark::State& state) { compete(state, make, threads); }))
      ->UseManualTime()
      ->Iterations(15)  // turns of 20 ms each
      ->Repetitions(1)  // of 90 benchmarks: what they say is the ratio, not a time to compare with another day's
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

void register_library(int threads) {
  const std::int64_t matmuls[][3] = {{1024, 1024, 1024}, {256, 1024, 1024}, {64, 784, 512},   {64, 512, 256},
                                     {512, 384, 1536},   {512, 1536, 384},  {256, 768, 3072}, {256, 768, 2304}};
  for (const auto& [m, k, n] : matmuls)
    add(fmt::format("library/matmul/{}x{}x{}", m, k, n), threads,
        [=] { return matmul_contest(m, k, n, f32, Turn::none); });
  // A GPT-2's, and their gradients'
  const std::tuple<const char*, std::array<std::int64_t, 3>, Turn> halves[] = {
      {"qkv", {256, 768, 2304}, Turn::none},      {"project", {256, 768, 768}, Turn::none},
      {"up", {256, 768, 3072}, Turn::none},       {"down", {256, 3072, 768}, Turn::none},
      {"head", {256, 768, 50257}, Turn::b},       {"qkv_input", {256, 2304, 768}, Turn::b},
      {"up_input", {256, 3072, 768}, Turn::b},    {"head_input", {256, 50257, 768}, Turn::none},
      {"qkv_weight", {768, 256, 2304}, Turn::a},  {"up_weight", {768, 256, 3072}, Turn::a},
      {"down_weight", {3072, 256, 768}, Turn::a}, {"head_weight", {50257, 256, 768}, Turn::a}};
  for (const auto& [name, size, turn] : halves)
    add(fmt::format("library/matmul_bf16/{}", name), threads,
        [size = size, turn = turn] { return matmul_contest(size[0], size[1], size[2], DType::bf16, turn); });
  const std::pair<const char*, Shape2d> convolutions[] = {
      {"mnist_first", {64, 1, 16, 28, 3}},
      {"mnist_second", {64, 16, 32, 14, 3}},
      {"cifar_first", {32, 3, 16, 32, 3}},
      {"cifar_16", {32, 16, 16, 32, 3}},
      {"cifar_32", {32, 32, 32, 16, 3}},
      {"cifar_64", {32, 64, 64, 8, 3}},
      {"cifar_down", {32, 16, 32, 32, 3, 2}},
      {"cifar_shortcut", {32, 16, 32, 32, 1, 2}},
      {"resnet_64", {4, 64, 64, 56, 3}},
      {"resnet_128", {4, 128, 128, 28, 3}},
      {"resnet_256", {4, 256, 256, 14, 3}},
      {"resnet_512", {4, 512, 512, 7, 3}},
      {"resnet_bottleneck", {4, 64, 256, 56, 1}},
      {"mobilenet_depthwise", {4, 128, 128, 28, 3, 1, 128}},
      {"one_resnet_256", {1, 256, 256, 14, 3}},
      {"one_vgg_512", {1, 512, 512, 28, 3}},
      {"bf16_cifar_16", {32, 16, 16, 32, 3, 1, 1, DType::bf16}},
      {"bf16_cifar_down", {32, 16, 32, 32, 3, 2, 1, DType::bf16}},
      {"bf16_resnet_64", {4, 64, 64, 56, 3, 1, 1, DType::bf16}},
      {"bf16_resnet_256", {4, 256, 256, 14, 3, 1, 1, DType::bf16}},
      {"bf16_bottleneck", {4, 64, 256, 56, 1, 1, 1, DType::bf16}},
      {"bf16_depthwise", {4, 128, 128, 28, 3, 1, 128, DType::bf16}}};
  const std::pair<const char*, Pass> passes[] = {
      {"forward", Pass::forward}, {"input", Pass::input}, {"weight", Pass::weight}};
  for (const auto& [name, shape] : convolutions)
    for (const auto& [suffix, pass] : passes)
      if (pass != Pass::input || shape.in > 3)  // of a first layer nobody asks for it
        add(fmt::format("library/conv/{}/{}", name, suffix), threads,
            [shape = shape, pass = pass] { return conv_contest(shape, pass); });
}

}  // namespace bench
