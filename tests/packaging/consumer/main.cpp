// Ten lines of training, with an op of one's own: is the sum of two numbers positive? The exit status says whether it
// was learnt.
#include <weft/ops/own_op.h>
#include <weft/weft.h>

#include <cstdio>

using namespace weft;

struct Cube : Elementwise<Cube> {
  static constexpr auto name = "cube";
  static constexpr auto reads = reads::in0;
  WEFT_EVAL(V x) { return x * x * x; }
  static void vjp(Backward& b) { b.give(0, b.grad() * 3 * square(b.in())); }
};
WEFT_DEFINE_OP(Cube);
Tensor cube(const Arg& x) { return detail::unary<Cube>(x); }

int main() {
  set_num_threads(1);
  const Tensor x = random::normal({64, 2});
  const Tensor y = cast(sum(x, {1}, true) > 0, DType::f32);
  Variable W = random::normal({2, 1}), b = zeros({1});
  auto step = compile([&](const Tensor& inputs, const Tensor& labels) {
    GradientTape tape;
    const Tensor line = matmul(inputs, W) + b;
    Tensor loss = mean(nn::sigmoid_cross_entropy_with_logits(labels, line + 0.1 * cube(line)));
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
