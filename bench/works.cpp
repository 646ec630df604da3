#include "works.h"

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>

namespace bench {
namespace {

// The products of a dense net, forward and backward: all but the gradient for the input of the first.
double mlp_flops(double batch, std::initializer_list<double> widths) {
  double flops = 0;
  const double* w = widths.begin();
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) flops += 2 * batch * w[i] * w[i + 1] * (i == 0 ? 2 : 3);
  return flops;
}

// W2's net: its parameters and input read. One image's step may be above 100 % of the roofline: of these 2.1 MB a part
// stays in level 2, and level 3, whose rate is that of arrays of half its size, gives so few twice as fast where others
// use it, too.
double mlp_bytes(double batch) { return 4 * (785 * 512 + 513 * 256 + 257 * 10 + 784 * batch); }

// The products of a GPT, those of attention with what is seen of them, forward and backward.
double gpt_flops(double batch, double length, double layers, double width, double vocabulary) {
  const double forward = layers * (12 * width * width + (length + 1) * width) + width * vocabulary;
  return 3 * 2 * batch * length * forward;
}

// Adam's least traffic for so many parameters: each with its gradient and two moments read, three of them written.
double adam_bytes(double parameters) { return 28 * parameters; }
double adam_bytes(std::initializer_list<double> widths) {
  double parameters = 0;
  const double* w = widths.begin();
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) parameters += (w[i] + 1) * w[i + 1];
  return adam_bytes(parameters);
}

double gpt_bytes(double length, double layers, double width, double vocabulary, bool bias) {
  const double block = 12 * width * width + 2 * width + (bias ? 11 * width : 0);
  return adam_bytes((vocabulary + length) * width + layers * block + (bias ? 2 : 1) * width);
}

// W4's net on one image, forward: both convolutions and the dense layer.
constexpr double cnn_first = 2.0 * 28 * 28 * 9 * 16, cnn_second = 2.0 * 14 * 14 * 9 * 16 * 32,
                 cnn_head = 2.0 * 1568 * 10;

// ResNet-20 on one image, forward: a stem, then three stages of six convolutions of 2.36 million multiply-adds each
// (the first of the later two has half, and a 1x1 beside it).
constexpr double stage_conv = 2.0 * 32 * 32 * 16 * 16 * 9;
constexpr double resnet_forward =
    2.0 * 32 * 32 * 3 * 16 * 9 + stage_conv * (6 + 2 * 5.5) + 2 * stage_conv / 18 + 2.0 * 64 * 10;

Work on_one_thread(Work work) {
  work.threads = 1;
  return work;
}

}  // namespace

const char* name_of(Mode mode) { return mode == Mode::eager ? "eager" : "compile"; }

const std::vector<Work>& works() {
  constexpr double m = 1 << 20;
  constexpr double heads = 48.0 * 256 * 64;                            // numbers of q, k, v or the result
  constexpr double attention_product = 48 * 2.0 * 64 * 256 * 257 / 2;  // of the scores that are seen
  // checks: peers/checks.jsonl, JAX 0.12 (torch 2.15, TensorFlow 2.21 and MLX 0.32 agree to 5e-5)
  static const std::vector<Work> list = {
      on_one_thread({"W1", seed_mlp, 0.698166, 1, 100, mlp_flops(100, {2, 10, 1})}),
      {"W2", mnist_mlp, 1.11099, 1, 64, mlp_flops(64, {784, 512, 256, 10}), adam_bytes({784, 512, 256, 10})},
      {"W3", big_mlp, 0.938407, 1, 256, mlp_flops(256, {1024, 1024, 1024, 1024, 1024}),
       adam_bytes({1024, 1024, 1024, 1024, 1024})},
      {"W4", mnist_cnn, 2.02873, 1, 64, 64 * (2 * cnn_first + 3 * cnn_second + 3 * cnn_head),
       adam_bytes(160 + 4640 + 15690)},
      {"W5", lstm, 2.14548, 1, 32, 3 * 2.0 * 32 * (64 * (64 + 128) * 512 + 128 * 10),
       adam_bytes((64 + 128 + 1) * 512 + 1290)},
      {"W6", char_gpt, 3.87466, 1, 4 * 128, gpt_flops(4, 128, 6, 384, 65), gpt_bytes(128, 6, 384, 65, true)},
      {"W6n", small_gpt, 3.86931, 1, 12 * 64, gpt_flops(12, 64, 4, 128, 65), gpt_bytes(64, 4, 128, 65, false)},
      {"W7", gpt2, 8.33893, 1, 4 * 64, gpt_flops(4, 64, 12, 768, 50257), gpt_bytes(64, 12, 768, 50257, true)},
      {"W7b", mixed_gpt2, 8.33862, 1, 4 * 64, gpt_flops(4, 64, 12, 768, 50257), gpt_bytes(64, 12, 768, 50257, true),
       2e-2, weft::DType::bf16},
      {"W8-20", chain_20, 106.976, 1, m, 0, 16 * m},
      {"W8-24", chain_24, -412.459, 1, 16 * m, 0, 16 * 16 * m},
      {"W8g", chain_gradients, 252.64, 1, m, 0, 24 * m},
      {"W9-softmax", softmax_rows, 0.706514, 1, 4096, 0, 8 * 3 * m},
      {"W9-softmax-grad", softmax_gradient, 0.851976, 1, 4096, 0, 16 * 3 * m},
      {"W9-layernorm", layer_norm_rows, -573.296, 1, 4096, 0, 8 * 3 * m},
      {"W9-layernorm-grad", layer_norm_gradient, -1422.77, 1, 4096, 0, 16 * 3 * m},
      on_one_thread({"W10-add", add_of_ten, 4.05501, 100}),
      on_one_thread({"W10-matmul", small_matmul, -57.8348, 100, 1, 2.0 * 100 * 2 * 10}),
      on_one_thread({"W10-grad", gradient_of_ten, -1.17653, 100}),
      on_one_thread({"W11-mlp1", mlp_of_one, -0.120963, 1, 1, 2.0 * (784 * 512 + 512 * 256 + 256 * 10), mlp_bytes(1)}),
      {"W11-mlp256", mlp_of_256, 4.61626, 1, 256, 256 * 2.0 * (784 * 512 + 512 * 256 + 256 * 10), mlp_bytes(256)},
      on_one_thread({"W11-cnn1", cnn_of_one, -0.131892, 1, 1, cnn_first + cnn_second + cnn_head}),
      // chaotic: a change of 1e-7 in the numbers moves the fifth loss by 1.5e-2
      {"W12", resnet_20, 0.937856, 1, 32, 32 * 3 * resnet_forward, 20 * 272'474.0, 2e-2},
      {"W13", attention, -231.942, 1, 48 * 256, 2 * attention_product, 4 * 4 * heads},
      {"W13-grad", attention_gradient, -570.689, 1, 48 * 256, 7 * attention_product, 4 * 8 * heads},
      on_one_thread({"W14-jacobian", tanh_jacobian, 0.944151, 1, 1, 2.0 * 32 * 64 * (1 + 32)}),
      on_one_thread({"W14-hvp", tanh_hvp, -7.22523, 1, 64, 7 * 2.0 * 64 * 32 * 64}),
  };
  return list;
}

std::vector<Work> works(const std::vector<std::string>& ids) {
  if (ids.empty()) return works();
  std::vector<Work> chosen;
  for (const std::string& id : ids) {
    const std::size_t before = chosen.size();
    for (const Work& w : works())
      if (w.name == id || w.name.starts_with(id + "-")) chosen.push_back(w);
    if (chosen.size() > before) continue;
    std::string known;
    for (const Work& w : works()) known += " " + w.name;
    throw weft::ArgumentError("there is no work " + id, "one of" + known);
  }
  return chosen;
}

bool agrees(const Work& work, double check) {
  return std::abs(check - work.check) <= work.tolerance * std::max(std::abs(check), std::abs(work.check));
}

std::string wrong_check(const Work& work, double check) { return fmt::format("check {} is not {}", check, work.check); }

}  // namespace bench
