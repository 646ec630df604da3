// Ten lines of training, with an op of one's own: is the sum of two numbers positive? The exit status says whether it
// was learnt.
#include <weft/weft.h>

#include <bit>
#include <cstdint>
#include <cstdio>

#include "wave.h"

using namespace weft;

// The bits of the op's values and gradients, of both orders, as one number.
std::uint64_t bits_of(const std::vector<Tensor>& tensors) {
  std::uint64_t hash = 14695981039346656037u;
  for (const Tensor& t : tensors)
    for (const float x : t.to_vector<float>()) hash = (hash ^ std::bit_cast<std::uint32_t>(x)) * 1099511628211u;
  return hash;
}

std::vector<Tensor> wave_and_gradients(const Tensor& x, const Tensor& y) {
  const auto loss = [&](const Tensor& a) { return sum(wave(a, y)); };
  return {wave(x, y), grad(loss)(x), hvp(loss, x, y)};
}

int main() {
  set_num_threads(1);
  const Tensor x = random::normal({64, 2});
  const Tensor y = cast(sum(x, {1}, true) > 0, DType::f32);
  Variable W = random::normal({2, 1}), b = zeros({1});
  auto step = compile([&](const Tensor& inputs, const Tensor& labels) {
    GradientTape tape;
    const Tensor line = matmul(inputs, W) + b;
    Tensor loss = mean(nn::sigmoid_cross_entropy_with_logits(labels, line + 0.1 * wave(line, line)));
    auto [dW, db] = tape.gradient(loss, W, b);
    W.assign_sub(0.5f * dW);
    b.assign_sub(0.5f * db);
    return loss;
  });
  const float first = step(x, y).item<float>();
  float last = first;
  for (int i = 0; i < 200; ++i) last = step(x, y).item<float>();
  std::printf("loss %.4f, then %.4f, on %s with %d thread\n", first, last, name_of(isa()), num_threads());

  const Tensor p = random::normal({1000}), q = random::normal({1000});
  const std::uint64_t eager = bits_of(wave_and_gradients(p, q)), compiled = bits_of(compile(wave_and_gradients)(p, q));
  std::printf("bits of wave %016llx\n", static_cast<unsigned long long>(eager));
  return last < 0.5f * first && eager == compiled ? 0 : 1;
}
