// Ten lines of training: is the sum of two numbers positive? The exit status says whether it was learnt.
#include <weft/weft.h>

#include <cstdio>

using namespace weft;

int main() {
  set_num_threads(1);
  const Tensor x = random::normal({64, 2});
  const Tensor y = cast(sum(x, {1}, true) > 0, DType::f32);
  Variable W = random::normal({2, 1}), b = zeros({1});
  auto step = compile([&](const Tensor& inputs, const Tensor& labels) {
    GradientTape tape;
    Tensor loss = mean(nn::sigmoid_cross_entropy_with_logits(labels, matmul(inputs, W) + b));
    auto [dW, db] = tape.gradient(loss, W, b);
    W.assign_sub(0.5f * dW);
    b.assign_sub(0.5f * db);
    return loss;
  });
  const float first = step(x, y).item<float>();
  float last = first;
  for (int i = 0; i < 200; ++i) last = step(x, y).item<float>();
  std::printf("loss %.4f, then %.4f, on %s with %d thread\n", first, last, name_of(isa()), num_threads());
  return last < 0.5f * first ? 0 : 1;
}
