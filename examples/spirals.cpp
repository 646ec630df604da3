// Twenty lines: a network of one hidden layer learns two spirals by a compiled step.
#include <weft/weft.h>

#include <cstdio>
using namespace weft;

int main() {
  auto [x, y] = data::spirals(100, 2);
  Variable W1 = random::normal({2, 32}), b1 = zeros({32});
  Variable W2 = random::normal({32, 2}), b2 = zeros({2});
  auto forward = [&](const Tensor& in) { return matmul(tanh(matmul(in, W1) + b1), W2) + b2; };

  auto train_step = compile([&](const Tensor& in, const Tensor& labels) {
    GradientTape tape;  // records from here
    Tensor loss = mean(nn::softmax_cross_entropy(labels, forward(in)));
    auto [dW1, db1, dW2, db2] = tape.gradient(loss, W1, b1, W2, b2);
    W1.assign_sub(0.5 * dW1), b1.assign_sub(0.5 * db1);
    W2.assign_sub(0.5 * dW2), b2.assign_sub(0.5 * db2);
    return loss;
  });
  for (int step = 0; step <= 4000; ++step) {
    const float loss = train_step(x, y).item<float>();
    if (step % 1000 == 0) std::printf("step %4d  loss %.4f\n", step, loss);
  }
  std::printf("accuracy %.3f\n", nn::accuracy(y, forward(x)));
}
