// W6, W6n, W7, W7b: training GPTs, the last one in bf16 with f32 parameters. The block is nanoGPT's: normalised before
// attention and before the MLP, added after.
#include <cmath>
#include <memory>
#include <string>

#include "numbers.h"
#include "step.h"

namespace bench {
namespace {

using namespace weft;

struct Size {
  std::string id;
  std::int64_t layers, heads, width, length, batch, vocabulary;
  bool bias, by_tanh;  // biases in linear maps and norms; the approximate gelu
  double learning_rate, beta2;
  DType precision = f32;
};

nn::Linear linear(const std::string& tag, std::int64_t in, std::int64_t out, bool bias) {
  nn::Linear layer(in, out, bias, nn::init::zeros);
  layer.weight.assign(weight(tag, in, out));
  return layer;
}

struct Block {
  nn::LayerNorm before_attention, before_mlp;
  nn::MultiHeadAttention attention;
  nn::Linear up, down;
  bool by_tanh;

  Block(const Size& s, const std::string& tag)
      : before_attention({s.width}, 1e-5, true, s.bias),
        before_mlp({s.width}, 1e-5, true, s.bias),
        attention(s.width, s.heads, s.bias, nn::init::zeros),
        up(linear(tag + "up", s.width, 4 * s.width, s.bias)),
        down(linear(tag + "down", 4 * s.width, s.width, s.bias)),
        by_tanh(s.by_tanh) {
    attention.qkv.weight.assign(weight(tag + "qkv", s.width, 3 * s.width));
    attention.project.weight.assign(weight(tag + "project", s.width, s.width));
  }
  Tensor operator()(const Tensor& x) const {
    const Tensor y = x + attention(before_attention(x), {.causal = true});
    return y + down(gelu(up(before_mlp(y)), by_tanh));
  }
  WEFT_MEMBERS(before_attention, before_mlp, attention, up, down)
};

struct Gpt {
  nn::Embedding tokens, positions;
  std::vector<Block> blocks;
  nn::LayerNorm last;

  explicit Gpt(const Size& s)
      : tokens(s.vocabulary, s.width, nn::init::zeros),
        positions(s.length, s.width, nn::init::zeros),
        last({s.width}, 1e-5, true, s.bias) {
    const double bound = 0.02 * std::sqrt(3.0);
    tokens.weight.assign(uniform(s.id + ".wte", {s.vocabulary, s.width}, -bound, bound));
    positions.weight.assign(uniform(s.id + ".wpe", {s.length, s.width}, -bound, bound));
    for (std::int64_t n = 0; n < s.layers; ++n) blocks.emplace_back(s, s.id + ".block" + std::to_string(n) + ".");
  }
  // Scores of the next token: the head is the table of tokens.
  Tensor operator()(const Tensor& ids) const {
    Tensor x = tokens(ids) + nn::narrow(positions.weight);
    for (const Block& block : blocks) x = block(x);
    return matmul(last(x), transpose(nn::narrow(tokens.weight)));
  }
  WEFT_MEMBERS(tokens, positions, blocks, last)
};

Step train(Mode mode, const Size& s) {
  auto model = std::make_shared<Gpt>(s);
  nn::ParameterGroup matrices{{}, {}, 0.1}, vectors{{}, {}, 0.0};
  for (const nn::Parameter& p : nn::name_parameters(*model))
    (p.shape().size() >= 2 ? matrices : vectors).parameters.push_back(p);
  auto optimizer = std::make_shared<nn::AdamW>(std::vector{matrices, vectors},
                                               nn::AdamWOptions{.learning_rate = s.learning_rate, .beta2 = s.beta2});
  const auto step = [model, optimizer, precision = s.precision](const Tensor& x, const Tensor& y) {
    const nn::PrecisionScope scope(precision);
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(y, (*model)(x)));
    optimizer->apply(tape.gradient(loss, *model));
    return loss;
  };
  return make_step(mode, step, classes(s.id + ".x", {s.batch, s.length}, s.vocabulary),
                   classes(s.id + ".y", {s.batch, s.length}, s.vocabulary));
}

}  // namespace

Step char_gpt(Mode mode) { return train(mode, {"W6", 6, 6, 384, 128, 4, 65, true, false, 1e-3, 0.99}); }
Step small_gpt(Mode mode) { return train(mode, {"W6n", 4, 4, 128, 64, 12, 65, false, false, 1e-3, 0.99}); }
Step gpt2(Mode mode) { return train(mode, {"W7", 12, 12, 768, 64, 4, 50257, true, true, 3e-4, 0.95}); }
Step mixed_gpt2(Mode mode) {
  return train(mode, {"W7", 12, 12, 768, 64, 4, 50257, true, true, 3e-4, 0.95, DType::bf16});
}

}  // namespace bench
