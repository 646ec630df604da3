// Training an embedding: each optimizer's compiled step gives the bits of the eager one, and SGD's is of the rows used.
#include <weft/weft.h>

#include <functional>
#include <memory>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Net {
  nn::Embedding words{500, 8};
  nn::Linear out{8, 3};
  Tensor operator()(const Tensor& ids) const { return out(mean(words(ids), {1})); }
  WEFT_MEMBERS(words, out)
};

using Make = std::function<std::unique_ptr<nn::Optimizer>(const Net&)>;

}  // namespace

TEST_CASE("an embedding under every optimizer: compiled steps give the bits of eager ones") {
  const Make makers[] = {
      [](const Net& n) { return std::make_unique<nn::SGD>(n, nn::SgdOptions{.learning_rate = 0.5}); },
      [](const Net& n) { return std::make_unique<nn::Adagrad>(n); },
      [](const Net& n) { return std::make_unique<nn::SGD>(n, nn::SgdOptions{.momentum = 0.9, .nesterov = true}); },
      [](const Net& n) { return std::make_unique<nn::SGD>(n, nn::SgdOptions{.weight_decay = 0.1}); },
      [](const Net& n) { return std::make_unique<nn::Adam>(n); },
      [](const Net& n) { return std::make_unique<nn::Adam>(n, nn::AdamOptions{.weight_decay = 0.1}); },
      [](const Net& n) { return std::make_unique<nn::AdamW>(n); },
  };
  const Net start;
  for (std::size_t k = 0; k < std::size(makers); ++k) {
    INFO("optimizer " << k);
    Net eager = start, compiled = start;
    const auto of_eager = makers[k](eager), of_compiled = makers[k](compiled);
    const auto step_of = [](Net& net, nn::Optimizer& opt) {
      return [&](const Tensor& ids, const Tensor& labels) {
        GradientTape tape;
        const Tensor loss = mean(nn::softmax_cross_entropy(labels, net(ids)));
        opt.apply(tape.gradient(loss, net));
        return loss;
      };
    };
    auto step = compile(step_of(compiled, *of_compiled));
    for (int i = 0; i < 4; ++i) {
      const Tensor ids = cast(floor(random::uniform({6, 5}, 0, 40)), i32),
                   labels = tensor<std::int32_t>({0, 1, 2, 2, 1, 0});
      CHECK_SAME(step(ids, labels), step_of(eager, *of_eager)(ids, labels));
      CHECK_SAME(compiled.words.weight.value(), eager.words.weight.value());
      of_eager->set_learning_rate(0.1 / (i + 1));
      of_compiled->set_learning_rate(0.1 / (i + 1));
    }
    const std::string plan = step.dump("plan"), groups = step.dump("groups");
    CHECK(plan.find("set_rows") != std::string::npos);
    CHECK(plan.find("a new buffer") == std::string::npos);
    CHECK(step.stats().arena_bytes < 500 * 8 * 4);                               // no gradient of the whole table
    CHECK((groups.find("loop over [500, 8]") == std::string::npos) == (k < 2));  // of the others each row changes
  }
}

TEMPLATE_TEST_CASE("clipping by the global norm reads the rows that an embedding used, with the bits of eager code", "",
                   nn::SGD, nn::Adagrad) {
  const Net start;
  Net eager = start, compiled = start;
  TestType of_eager(eager), of_compiled(compiled);
  const auto step_of = [](Net& net, TestType& opt) {
    return [&](const Tensor& ids) {
      GradientTape tape;
      const Tensor loss = sum(square(net(ids)));
      Gradients g = tape.gradient(loss, net);
      const Tensor norm = nn::clip_by_global_norm(g, 0.01);
      opt.apply(g);
      return norm;
    };
  };
  auto step = compile(step_of(compiled, of_compiled));
  const Tensor ids = tensor<std::int64_t>({{1, 2, 2}, {400, 1, 7}});
  for (int i = 0; i < 3; ++i) {
    CHECK_SAME(step(ids), step_of(eager, of_eager)(ids));
    CHECK_SAME(compiled.words.weight.value(), eager.words.weight.value());
  }
  CHECK(step.dump("graph").find("sum_rows") != std::string::npos);
  CHECK(step.dump("groups").find("loop over [500, 8]") == std::string::npos);
}

TEMPLATE_TEST_CASE("an embedding of bf16 is updated in f32, on the rows used", "", nn::SGD, nn::Adagrad) {
  const nn::Embedding start(500, 8, nn::init::uniform, DType::bf16);
  nn::Embedding eager = start, compiled = start;
  TestType of_eager(eager, {.learning_rate = 0.5}), of_compiled(compiled, {.learning_rate = 0.5});
  const auto step_of = [](nn::Embedding& words, TestType& opt) {
    return [&](const Tensor& ids) {
      GradientTape tape;
      const Tensor loss = sum(square(words(ids)));
      opt.apply(tape.gradient(loss, words));
    };
  };
  auto step = compile(step_of(compiled, of_compiled));
  for (int i = 0; i < 3; ++i) {
    const Tensor ids = tensor<std::int64_t>({1, 2, 2, 400 + i});
    step(ids);
    step_of(eager, of_eager)(ids);
    CHECK_SAME(compiled.weight.value(), eager.weight.value());
  }
  const bool looks_at_number = step.dump("graph").find("sub_scalar bf16[500, 8]") != std::string::npos;
  CHECK(looks_at_number == std::is_same_v<TestType, nn::SGD>);
  CHECK(step.dump("groups").find("loop over [500, 8]") == std::string::npos);
  CHECK(step.stats().arena_bytes < 500 * 8);
}
