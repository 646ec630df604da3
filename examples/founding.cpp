// The program with which Weft began, as it was meant: a 2-10-1 network with a sigmoid hidden layer learns 100 random
// samples by gradient descent on a GradientTape.
//
// Corrected against the founding text, which could not run or mean anything as printed:
//   - the data are f32 as the weights are (they were f64, and the product of the two is an error);
//   - W1, b1, W2, b2 are Variables (assign_sub on a constant does not exist);
//   - the loss is the sigmoid cross-entropy of the one logit (softmax over one logit is 1 whatever the logit);
//   - labels and logits are both [100, 1] (an accuracy of [100] against [100, 1] compares everything with everything).
#include <weft/weft.h>

#include <chrono>
#include <cstdio>
#include <vector>

using namespace weft;

namespace {

constexpr int epochs = 1000;
constexpr double tensorflow_seconds = 1.62;  // TensorFlow 2.21, this program, tape and all

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main() {
  random::seed(42);
  const Tensor x = random::uniform({100, 2});
  const Tensor y = cast(random::bernoulli({100, 1}, 0.5), f32);

  Variable W1 = random::normal({2, 10}), b1 = zeros({10});
  Variable W2 = random::normal({10, 1}), b2 = zeros({1});
  const auto forward = [&](const Tensor& in) { return matmul(sigmoid(matmul(in, W1) + b1), W2) + b2; };

  const auto train_step = [&](const Tensor& in, const Tensor& labels) {
    GradientTape tape;
    const Tensor loss = mean(nn::sigmoid_cross_entropy_with_logits(labels, forward(in)));
    const auto [dW1, db1, dW2, db2] = tape.gradient(loss, W1, b1, W2, b2);
    W1.assign_sub(0.1 * dW1);
    b1.assign_sub(0.1 * db1);
    W2.assign_sub(0.1 * dW2);
    b2.assign_sub(0.1 * db2);
    return loss;
  };

  // The same step twice from the same weights: op by op, and compiled.
  const Variable first[] = {W1, b1, W2, b2};
  const auto train = [&](auto&& step, double& took) {
    W1 = first[0], b1 = first[1], W2 = first[2], b2 = first[3];
    std::vector<float> losses;
    const auto start = std::chrono::steady_clock::now();
    for (int epoch = 0; epoch < epochs; ++epoch) losses.push_back(step(x, y).template item<float>());
    took = seconds_since(start);
    return losses;
  };
  double eager_seconds = 0, compiled_seconds = 0;
  const std::vector<float> eager = train(train_step, eager_seconds);
  auto compiled_step = compile(train_step);
  const std::vector<float> compiled = train(compiled_step, compiled_seconds);

  for (int epoch = 0; epoch < epochs; epoch += 100)
    std::printf("epoch %4d  loss %.6f\n", epoch, compiled[static_cast<std::size_t>(epoch)]);
  std::printf("accuracy %.2f\n\n", nn::accuracy(y, forward(x)));

  const CompileStats stats = compiled_step.stats();
  std::printf("%d epochs, TensorFlow 2.21  %8.1f ms\n", epochs, tensorflow_seconds * 1e3);
  std::printf("%d epochs, Weft eager       %8.1f ms  %5.0fx\n", epochs, eager_seconds * 1e3,
              tensorflow_seconds / eager_seconds);
  std::printf("%d epochs, Weft compiled    %8.1f ms  %5.0fx  (tracing %.1f ms, code %.1f ms; %zu launches a step)\n",
              epochs, compiled_seconds * 1e3, tensorflow_seconds / compiled_seconds, stats.trace_ms, stats.codegen_ms,
              stats.launches);
  std::printf("eager and compiled losses: %s\n", eager == compiled ? "the same bits" : "THEY DIFFER");
  return eager == compiled ? 0 : 1;
}
