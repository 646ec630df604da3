// Parameters as sources of gradients, frozen ones, sums of gradients, averages of models.
#include <weft/weft.h>

#include <vector>

#include "../support.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Net {
  nn::Linear body{3, 4}, head{4, 2};
  nn::BatchNorm norm{4};
  Tensor operator()(const Tensor& x) const { return head(norm(tanh(body(x)))); }
  WEFT_MEMBERS(body, head, norm)
};

Tensor loss_of(const Net& net, const Tensor& x) { return sum(square(net(x))); }

}  // namespace

TEST_CASE("gradients are of what parameters() lists, or select() of it", "[parameters]") {
  const Net net;
  const Tensor x = random::normal({5, 3});
  GradientTape tape({.persistent = true});
  const Tensor loss = loss_of(net, x);
  const Gradients all = tape.gradient(loss, net), listed = tape.gradient(loss, nn::parameters(net));
  REQUIRE(listed.size() == all.size());
  CHECK_SAME(listed[net.head.weight], all[net.head.weight]);
  const nn::Parameters head = nn::parameters(net.head);
  const Gradients part = tape.gradient(loss, head);
  CHECK(part.size() == 2);
  CHECK_FALSE(part.contains(net.body.weight));
  nn::SGD opt(head, {.learning_rate = 0.5});
  const Tensor before = net.head.weight.value();
  opt.apply(head, part);
  CHECK_SAME(net.head.weight.value(), before - 0.5 * all[net.head.weight]);
  CHECK(nn::parameters(nn::parameters(net))[0].path() == "body.weight");
}

TEST_CASE("a frozen part has no gradients, eager and compiled, until it is unfrozen", "[parameters]") {
  Net net;
  const std::int64_t count = nn::count_parameters(net);
  nn::SGD opt(net, {.learning_rate = 0.1});
  auto step = compile([&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = loss_of(net, x);
    opt.apply(tape.gradient(loss, net));
    return loss;
  });
  const Tensor x = random::normal({5, 3});
  step(x);
  const Tensor body = net.body.weight, head = net.head.weight, mean = net.norm.running_mean;
  nn::freeze(net.body);
  CHECK_FALSE(net.body.weight.trainable());
  CHECK(nn::count_parameters(net) == count - (3 * 4 + 4));
  step(x);
  CHECK_SAME(net.body.weight.value(), body);
  CHECK_FALSE(all(equal(net.head.weight, head)).item<bool>());
  GradientTape tape;
  const Tensor loss = loss_of(net, x);
  CHECK(tape.explain(loss, net.body.weight).find("frozen") != std::string::npos);
  CHECK_FALSE(tape.gradient(loss, net).contains(net.body.weight));
  const Net copy = net;
  CHECK_FALSE(copy.body.weight.trainable());

  nn::unfreeze(net);
  CHECK_FALSE(net.norm.running_mean.trainable());  // was made so
  step(x);
  CHECK_FALSE(all(equal(net.body.weight, body)).item<bool>());
  nn::freeze(net.body);
  step(x);
  CHECK(step.stats().traces == 2);  // one for each, however often it changes
  nn::SGD late(net);
  nn::unfreeze(net);
  GradientTape again;
  CHECK_THROWS_AS(late.apply(again.gradient(loss_of(net, x), net)), ArgumentError);
}

TEST_CASE("gradients of parts add up to those of the whole", "[parameters]") {
  nn::Linear net(3, 2, true, nn::init::glorot_uniform, f64);
  const Variable other = tensor(2, f64);
  const auto gradients = [&](const Tensor& x) {
    GradientTape tape;
    return tape.gradient(sum(square(net(x))), net);
  };
  const Tensor x = random::normal({4, 3}, 0, 1, f64);
  Gradients total;
  for (std::int64_t i = 0; i < 4; i += 2) total += gradients(slice_axis(x, 0, i, i + 2));
  total *= 0.5;
  CHECK_NEAR(total[net.weight], gradients(x)[net.weight] * 0.5, 1e-13);

  Gradients none, one;
  none.add(other, Tensor());
  one.add(other, tensor(3, f64));
  Gradients sum = none;
  sum += none;
  CHECK_FALSE((sum *= 2)[other].defined());
  sum += one;
  sum += none;
  CHECK(sum[other].item() == 3);
  one.add(net.weight, zeros({2, 2}, f64));
  CHECK_THROWS_AS(one *= ones({3, 2}), ShapeError);
  CHECK_THROWS_AS(one += total, ShapeError);
  CHECK(one[other].item() == 3);
  CHECK(one.size() == 2);

  auto compiled = compile([&](const Tensor& a, const Tensor& b) {
    Gradients g = gradients(a);
    g += gradients(b);
    return g;
  });
  Gradients eager = gradients(x);
  eager += gradients(x * 2);
  CHECK_SAME(compiled(x, x * 2)[net.weight], eager[net.weight]);
}

TEST_CASE("a model's average follows it, and counts are copied", "[parameters]") {
  struct Counted {
    nn::Linear fc{2, 2};
    Variable seen = Variable(zeros({}, i64), false);
    WEFT_MEMBERS(fc, seen)
  };
  Counted net;
  Counted average = net;
  const Tensor first = net.fc.weight;
  net.fc.weight.assign_add(1);
  net.seen.assign(5);
  nn::update_average(average, net, 0.75);
  CHECK_NEAR(average.fc.weight.value(), first + 0.25, 1e-6);
  CHECK(average.seen.item<std::int64_t>() == 5);
  auto update = compile([&] { nn::update_average(average, net, 0.75); });
  update();
  CHECK_NEAR(average.fc.weight.value(), first + (1 - 0.75 * 0.75), 1e-6);
  CHECK_THROWS_AS(nn::update_average(average, net, 1.5), ArgumentError);
  CHECK_THROWS_AS(nn::update_average(nn::Linear(2, 2), nn::Linear(2, 3), 0.5), ShapeError);
}

TEST_CASE("an optimizer's step under substitutes is one from the variables", "[parameters]") {
  const Variable w = full({2}, 1);
  nn::SGD opt(w, {.learning_rate = 0.5});
  Gradients ten;
  ten.add(w, full({2}, 10));
  const SubstituteScope scope(ten);
  opt.apply({{w, full({2}, 4)}});
  CHECK_VALUES(w.own_value(), -1, -1);
}

TEST_CASE("gradients of a model of which a part is frozen and not read are traced anew", "[parameters]") {
  const Net net;
  auto f = compile([&](const Tensor& x) {
    GradientTape tape;
    return tape.gradient(sum(net.head(x)), net, GradientOptions{.unconnected = Unconnected::zero});
  });
  const Tensor x = ones({1, 4});
  CHECK(f(x).size() == 6);
  nn::freeze(net.body);
  CHECK(f(x).size() == 4);
  nn::unfreeze(net.body);
  CHECK(f(x).size() == 6);
  CHECK(f.stats().traces == 2);
}

TEST_CASE("gradcheck takes what parameters() lists", "[parameters]") {
  const nn::Linear model(2, 2, true, nn::init::glorot_uniform, f64);
  const Tensor x = random::normal({3, 2}, 0, 1, f64);
  CHECK(gradcheck([&](const nn::Parameters&) { return tanh(model(x)); }, std::tuple(nn::parameters(model))).message ==
        "");
}

TEST_CASE("what a traced function freezes for a while and unfreezes is traced once", "[parameters]") {
  const Net net;
  auto f = compile([&](const Tensor& x) {
    nn::freeze(net.body);
    GradientTape tape;
    const Gradients g = tape.gradient(sum(net.head(x)), net, GradientOptions{.unconnected = Unconnected::zero});
    nn::unfreeze(net.body);
    return g;
  });
  for (int i = 0; i < 3; ++i) CHECK(f(ones({1, 4})).size() == 4);
  CHECK(f.stats().traces == 1);
}
