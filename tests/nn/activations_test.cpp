// Activations as layers: what they call, what they say of themselves, and Prelu's parameter.
#include <weft/weft.h>

#include <string>
#include <vector>

#include "catch.h"

using namespace weft;

namespace {
std::vector<float> values(const Tensor& t) { return t.to_vector<float>(); }
}  // namespace

TEST_CASE("activation layers are their functions, with their arguments, and say so") {
  const Tensor x = tensor({{-4, -0.5, 0, 2}});
  const auto check = [&](const auto& layer, const Tensor& want, const std::string& text) {
    CHECK(values(layer(x)) == values(want));
    CHECK(layer.text() == text);
  };
  check(nn::Relu6{}, relu6(x), "Relu6");
  check(nn::LeakyRelu{0.25}, leaky_relu(x, 0.25), "LeakyRelu");
  check(nn::Elu{0.5}, elu(x, 0.5), "Elu");
  check(nn::Selu{}, selu(x), "Selu");
  check(nn::Celu{2}, celu(x, 2), "Celu");
  check(nn::Mish{}, mish(x), "Mish");
  check(nn::Softsign{}, softsign(x), "Softsign");
  check(nn::HardSigmoid{}, hard_sigmoid(x), "HardSigmoid");
  check(nn::HardSwish{}, hard_swish(x), "HardSwish");
  check(nn::LogSigmoid{}, log_sigmoid(x), "LogSigmoid");
  check(nn::Glu{}, glu(x), "Glu");
}

TEST_CASE("Prelu learns its slopes") {
  nn::Sequential net(nn::Linear(3, 2), nn::Prelu(2));
  const nn::Parameters p = nn::parameters(net);
  CHECK(p.size() == 3);
  nn::Prelu one, layer(2, 0.5);
  CHECK(one.weight.shape() == Shape{1});
  CHECK(values(one(tensor({-4, 4}))) == std::vector<float>{-1, 4});
  CHECK(layer.text() == "Prelu 2");
  const Tensor x = tensor({{-2, 3}, {-4, -1}});
  CHECK(values(layer(x)) == std::vector<float>{-1, 3, -2, -0.5});
  GradientTape tape;
  const Tensor loss = sum(layer(x));
  CHECK(values(tape.gradient(loss, layer.weight)) == std::vector<float>{-6, -1});
  CHECK_THROWS_AS(nn::Prelu(0), ArgumentError);
  CHECK_THROWS_AS(layer(tensor({{1, 2, 3}})), ShapeError);
}
