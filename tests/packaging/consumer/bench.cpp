// A bench of this project's own model.
#include <weft/bench/bench.h>

using namespace weft;

int main(int argc, char** argv) {
  const nn::Linear model(8, 1);
  nn::SGD optimizer(model);
  const auto step = [&](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = nn::mse(y, model(x));
    optimizer.apply(tape.gradient(loss, model));
    return loss;
  };
  const Tensor x = random::normal({64, 8}), y = ones({64, 1});
  if (argc == 1) return bench::report("consumer", step, x, y);
  bench::add("consumer", {.items = 64}, step, x, y);
  return bench::run(argc, argv);
}
