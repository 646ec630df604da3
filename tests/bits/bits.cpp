// Prints a line for each op and for runs of training: a name and a digest of all bits that came out. compare.cmake runs
// it on every instruction set and number of threads; the lines are the same.
#include <weft/weft.h>

#include <cstdio>

#include "../op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Digest {
  std::uint64_t sum = 0x5765667400000001u;
  void add(const Tensor& t) {
    for (const std::uint64_t b : bits_of(t)) sum = (sum ^ b) * 0x9E3779B97F4A7C15u, sum ^= sum >> 32;
  }
  void print(std::string_view what, DType t) const {
    std::printf("%.*s %.*s %016lx\n", static_cast<int>(what.size()), what.data(), static_cast<int>(name_of(t).size()),
                name_of(t).data(), static_cast<unsigned long>(sum));
  }
};

// Long rows besides the samples: several tasks for threads, whole vectors and a ragged end.
template <class Struct> void each_op_line(Random& random) {
  for (DType t : all_dtypes) {
    if (!Sampler<Struct>::accepts(t)) continue;
    Digest d;
    for (const OpSample& s : Sampler<Struct>::samples(t, random))
      for (const Tensor& out : run(op_of<Struct>(), s)) d.add(out);
    if constexpr (is_plain_elementwise<Struct>)
      d.add(run(op_of<Struct>(), Sampler<Struct>::sample({3, 11'003}, t, random))[0]);
    d.print(Struct::name, t);
  }
}

void reductions(Random& random, DType t) {
  Digest d;
  for (const Shape& shape : {Shape{3, 20'001}, Shape{20'001, 3}, Shape{17, 33, 65}}) {
    const Tensor x = random_tensor(random, shape, t);
    for (const Axes& axes : {Axes(), Axes(0), Axes(-1)}) {
      for (const Tensor& y :
           {sum(x, axes), max(x, axes), min(x, axes), mean(x, axes), var(x, axes), logsumexp(x, axes)})
        d.add(y);
    }
    d.add(softmax(x, 0));
    d.add(log_softmax(x));
  }
  d.print("reductions", t);
}

void products(Random& random, DType t) {
  Digest d;
  for (const auto& [m, k, n] : {std::array{1, 1, 1}, {3, 5, 7}, {64, 784, 128}, {300, 65, 33}, {5, 2000, 6}}) {
    const Tensor a = random_tensor(random, {m, k}, t), b = random_tensor(random, {k, n}, t);
    d.add(matmul(a, b));
    d.add(matmul(transpose(contiguous(transpose(a))), transpose(contiguous(transpose(b)))));
  }
  d.add(matmul(random_tensor(random, {6, 9, 10}, t), random_tensor(random, {6, 10, 11}, t)));
  d.print("products", t);
}

// In several pieces of the minibatch.
void convolutions(Random& random, DType t) {
  const ConvAttrs a{Windows::over({14, 14}, {3, 3}, 1, Pad::same, 1), 1};
  const Tensor x = random_tensor(random, {13, 14, 14, 16}, t), w = random_tensor(random, {24, 16, 3, 3}, t),
               y = random_tensor(random, {13, 14, 14, 24}, t);
  Digest d;
  d.add(apply<Conv>({x, w}, a));
  d.add(apply<ConvInput>({y, w}, a));
  d.add(apply<ConvWeight>({x, y}, a));
  d.print("convolutions", t);
}

// Layers with their gradients, at sizes of several panels, tasks and vectors.
void layers(Random& random, DType t) {
  Generator g(9);
  const nn::LayerNorm norm({50}, 1e-5, true, true, t);
  const nn::MultiHeadAttention attention(50, 5, true, nn::init::glorot_uniform, t, g);
  const nn::LSTM lstm(50, 20, true, t, g);
  const nn::BatchNorm batch_norm(40, 1e-5, 0.1, true, t);
  const Tensor x = random_tensor(random, {3, 40, 50}, t);
  Digest d;
  GradientTape tape;
  tape.watch(x);
  const Tensor y = lstm(attention(norm(batch_norm(x)), {.causal = true})).first;
  d.add(y);
  d.add(tape.gradient(sum(square(y)), x));
  d.add(random::truncated_normal({1001}, -2, 2, 0, 1, t, g));
  d.add(random::categorical(y, 3, g));
  d.print("layers", t);
}

// A whole step with everything in it, eager or compiled.
void training(DType t, bool compiled) {
  Generator g(7);
  nn::Linear a(20, 64, true, nn::init::he_uniform, t, g), b(64, 10, true, nn::init::glorot_uniform, t, g);
  const nn::Dropout drop(0.1, g);
  const Tensor x = random::normal({200, 20}, 0, 1, t, g), y = argmax(slice(x, {0, 0}, {200, 10}), 1);
  const auto list = [&] {
    nn::Parameters all = nn::parameters(a);
    for (const auto& p : nn::parameters(b)) all.push_back(p);
    return all;
  }();
  nn::AdamW opt(list, {.learning_rate = 1e-2});
  const auto plain = [&](const Tensor& in, const Tensor& labels) {
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(labels, b(drop(gelu(a(in))))));
    auto [wa, ba, wb, bb] = tape.gradient(loss, a.weight, *a.bias, b.weight, *b.bias);
    std::vector<Tensor> gradients = {wa, ba, wb, bb};
    nn::clip_by_global_norm(gradients, 1);
    opt.apply({{a.weight, gradients[0]}, {*a.bias, gradients[1]}, {b.weight, gradients[2]}, {*b.bias, gradients[3]}});
    return loss;
  };
  auto step = compile(plain);
  Digest d;
  for (int i = 0; i < 20; ++i) d.add(compiled ? step(x, y) : plain(x, y));
  for (const auto& p : list) d.add(p.variable());
  for (const auto& p : opt.state()) d.add(p.variable());
  d.print("training", t);  // one name for both: they, too, are the same bits
}

}  // namespace

int main() {
  Random random(5);
  each_op([&]<class Struct>() { each_op_line<Struct>(random); });
  for (DType t : {f32, f64, DType::bf16}) reductions(random, t);
  for (DType t : {f32, f64, DType::bf16}) products(random, t);
  for (DType t : {f32, f64, DType::bf16}) convolutions(random, t);
  for (DType t : {f32, f64}) layers(random, t);
  for (DType t : {f32, f64}) {
    training(t, false);
    training(t, true);
  }
}
