// Layers, initialisers, parameters by path, and the mode they are in.
#include <weft/weft.h>

#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "catch.h"

using namespace weft;

namespace {

struct Block {
  nn::Linear fc;
  nn::Dropout drop;
  explicit Block(double p) : fc(4, 4), drop(p) {}
  Tensor operator()(const Tensor& x) const { return drop(relu(fc(x))); }
  WEFT_MEMBERS(fc, drop)
};
struct Net {
  Block block{0.5};
  std::vector<nn::Linear> tower;
  nn::Sequential<nn::Linear, nn::Tanh, nn::Linear> head{nn::Linear(4, 3), nn::Tanh{}, nn::Linear(3, 2, false)};
  Variable scale{ones({2}), false};
  Net() {
    tower.emplace_back(4, 4);
    tower.emplace_back(4, 4);
  }
  Tensor operator()(const Tensor& x) const {
    Tensor t = block(x);
    for (const auto& layer : tower) t = layer(t);
    return head(t) * scale;
  }
  WEFT_MEMBERS(block, tower, head, scale)
};

std::vector<std::string> paths(const nn::Parameters& list) {
  std::vector<std::string> r;
  for (const auto& p : list) r.push_back(p.path());
  return r;
}

}  // namespace

TEST_CASE("Linear is x W + b over the last axis") {
  nn::Linear fc(2, 3);
  fc.weight.assign(tensor({{1, 2, 3}, {4, 5, 6}}));
  fc.bias->assign(tensor({10, 20, 30}));
  CHECK(fc(tensor({1, 1})).to_vector<float>() == std::vector<float>{15, 27, 39});
  CHECK(fc(ones({4, 5, 2})).shape() == Shape{4, 5, 3});
  CHECK(fc(zeros({0, 2})).shape() == Shape{0, 3});
  nn::Linear plain(2, 3, false);
  CHECK_FALSE(plain.bias);
  CHECK(plain(zeros({1, 2})).to_vector<float>() == std::vector<float>{0, 0, 0});
  CHECK(nn::Linear(2, 3, true, nn::init::he_normal, f64)(zeros({1, 2}, f64)).dtype() == f64);
  CHECK_THROWS_AS(nn::Linear(0, 3), ArgumentError);
  CHECK_THROWS_AS(nn::Linear(3, -1), ArgumentError);
  nn::name_parameters(fc);
  try {
    fc(zeros({5, 3}));
    FAIL("no error");
  } catch (const ShapeError& e) {
    const std::string text = e.what();
    CHECK(text.find("Linear 2 -> 3 takes [..., 2], not [5, 3]") != std::string::npos);
    CHECK(text.find("weight  f32[2, 3]      \"weight\"") != std::string::npos);
    CHECK(text.find("layers_test.cpp:") != std::string::npos);
  }
  CHECK_THROWS_AS(fc(zeros({2}, f64)), DTypeError);
}

TEST_CASE("Embedding takes the rows of its table that integers of any shape name") {
  nn::Embedding words(3, 2);
  CHECK(words.text() == "Embedding 3 x 2");
  words.weight.assign(tensor({{1, 2}, {3, 4}, {5, 6}}));
  CHECK(words(tensor<std::int64_t>({2, 0, -1})).to_vector<float>() == std::vector<float>{5, 6, 1, 2, 5, 6});
  CHECK(words(tensor<std::int32_t>({{1, 1}, {0, 2}})).shape() == Shape{2, 2, 2});
  CHECK(words(1).to_vector<float>() == std::vector<float>{3, 4});
  CHECK(nn::embedding(1, words.weight).to_vector<float>() == std::vector<float>{3, 4});
  CHECK(words(zeros({4, 0}, i64)).shape() == Shape{4, 0, 2});
  CHECK(nn::Embedding(3, 2, nn::init::normal, f64)(0).dtype() == f64);
  CHECK(nn::count_parameters(words) == 6);
  const Tensor drawn = nn::Embedding(50, 40).weight;
  CHECK(max(abs(drawn)).item() <= 0.05);
  GradientTape tape;
  const Tensor loss = sum(words(tensor<std::int64_t>({2, 0, 2})));
  CHECK(tape.gradient(loss, words)[words.weight].to_vector<float>() == std::vector<float>{1, 1, 0, 0, 2, 2});
}

TEST_CASE("a tape's gradients of a model with and without biases") {
  nn::Sequential net(nn::Linear(2, 3, false), nn::Sigmoid{}, nn::Linear(3, 1));
  GradientTape tape;
  const Tensor loss = sum(net(ones({4, 2})));
  const Gradients g = tape.gradient(loss, net);
  CHECK(g.size() == 3);
  CHECK(g[*net.get<2>().bias].item() == 4);
  CHECK(g[net.get<0>().weight].shape() == Shape{2, 3});
}

TEST_CASE("parameters go by their paths") {
  Net net;
  const std::vector<std::string> expected = {"block.fc.weight", "block.fc.bias", "tower.0.weight", "tower.0.bias",
                                             "tower.1.weight",  "tower.1.bias",  "head.0.weight",  "head.0.bias",
                                             "head.2.weight",   "scale"};
  CHECK(paths(nn::parameters(net)) == expected);
  CHECK(nn::count_parameters(net) == 3 * 20 + 15 + 6);
  nn::name_parameters(net);
  CHECK(net.tower[1].bias->name() == "tower.1.bias");
  Variable u = ones({2}), v(ones({2}), true, "v");
  CHECK(paths(nn::parameters(u, v)) == std::vector<std::string>{"0", "v"});
  const std::map<std::string, Variable> dictionary = {{"x", u}, {"y", v}};
  CHECK(paths(nn::parameters(dictionary)) == std::vector<std::string>{"x", "y"});
}

TEST_CASE("copying a model copies its values, assigning assigns them") {
  Net net;
  Net copy = net;
  copy.block.fc.weight.assign(zeros({4, 4}));
  CHECK(sum(abs(net.block.fc.weight)).item() > 0);
  const auto state = net.block.fc.weight.state();
  net = copy;
  CHECK(net.block.fc.weight.state() == state);
  CHECK(sum(abs(net.block.fc.weight)).item() == 0);
  CHECK(net.tower[0].weight.value().to_vector<float>() == copy.tower[0].weight.value().to_vector<float>());
}

TEST_CASE("summary is a table with totals") {
  struct Small {
    nn::Linear fc1{2, 3};
    nn::Dropout drop{0.25};
    nn::Linear fc2{3, 1000, false};
    Variable offset{zeros({1000}, f64), false};
    WEFT_MEMBERS(fc1, drop, fc2, offset)
  };
  CHECK(nn::summary(Small()) ==
        "layer    kind                           variables                      count\n"
        "(model)  -                              offset f64[1000]               1,000\n"
        "fc1      Linear 2 -> 3                  weight f32[2, 3], bias f32[3]      9\n"
        "drop     Dropout 0.25                                                      0\n"
        "fc2      Linear 3 -> 1000 without bias  weight f32[3, 1000]            3,000\n"
        "4,009 parameters (3,009 trained, 1,000 not), 20.0 kB\n");
}

TEST_CASE("what a unique_ptr owns is a part of the model, and what else points to a part does not compile") {
  struct Deep {
    std::vector<std::unique_ptr<nn::Linear>> layers;
    std::unique_ptr<nn::LayerNorm> norm;
    Tensor operator()(Tensor x) const {
      for (const auto& layer : layers) x = tanh((*layer)(x));
      return norm ? (*norm)(x) : x;
    }
    WEFT_MEMBERS(layers, norm)
  };
  static_assert(HasVariables<Deep>);
  Deep model;
  for (int i = 0; i < 2; ++i) model.layers.push_back(std::make_unique<nn::Linear>(3, 3));
  CHECK(paths(nn::parameters(model)) ==
        std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"});
  nn::SGD opt(model);
  const Tensor x = ones({2, 3});
  auto step = compile([&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = sum(square(model(x)));
    opt.apply(tape.gradient(loss, model));
    return loss;
  });
  const double first = step(x).item();
  CHECK(step(x).item() < first);

  struct Nameless {  // the line forgotten
    nn::Linear fc;
  };
  struct Named : Nameless {
    WEFT_MEMBERS(fc)
  };
  const nn::Linear captured(2, 2);
  const auto by_value = [captured](const Tensor& x) { return captured(x); };
  const auto scaled = [by = 2.0](const Tensor& x) { return x * by; };
  CHECK(weft::detail::says_nothing<Nameless>());
  CHECK(weft::detail::says_nothing<std::remove_const_t<decltype(by_value)>>());
  CHECK_FALSE((weft::detail::says_nothing<Named>() || weft::detail::says_nothing<decltype(scaled)>()));
  CHECK_FALSE((weft::detail::says_nothing<std::string>() || weft::detail::says_nothing<Shape>()));
  CHECK_FALSE((weft::detail::says_nothing<nn::Gelu>() || weft::detail::says_nothing<nn::Linear>()));
  CHECK_FALSE(weft::detail::says_nothing<std::function<Tensor(const Tensor&)>>());
  CHECK(weft::detail::hides_leaves<std::shared_ptr<nn::Linear>>());
  CHECK(weft::detail::hides_leaves<const Variable*>());
  CHECK(weft::detail::hides_leaves<std::variant<int, nn::Linear>>());
  CHECK(weft::detail::hides_leaves<std::deque<std::vector<Tensor>>>());
  CHECK(weft::detail::hides_leaves<std::unordered_map<std::string, nn::Linear>>());
  CHECK_FALSE(weft::detail::hides_leaves<std::string>());
  CHECK_FALSE(weft::detail::hides_leaves<std::shared_ptr<int>>());
}

TEST_CASE("a compiled step of a model that was assigned to sees the variables the model has now") {
  struct Tower {
    std::vector<nn::Linear> layers;
    Tower() {
      for (int i = 0; i < 2; ++i) layers.emplace_back(3, 3);
    }
    Tensor operator()(Tensor x) const {
      for (const auto& layer : layers) x = layer(x);
      return x;
    }
    WEFT_MEMBERS(layers)
  };
  Tower net, other;
  const Tensor x = ones({2, 3});
  nn::SGD opt(net);
  auto predict = compile([&](const Tensor& x) { return net(x); });
  auto step = compile([&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = sum(square(net(x)));
    opt.apply(tape.gradient(loss, net));
    return loss;
  });
  step(x);
  predict(x);

  nn::assign(net, other);  // values alone: everything goes on
  CHECK(predict(x).to_vector<float>() == other(x).to_vector<float>());
  const double before = step(x).item();
  CHECK(step(x).item() < before);
  CHECK(predict.stats().traces == 1);

  net = Tower();  // C++ exchanges the elements of a vector: other variables
  CHECK(predict(x).to_vector<float>() == net(x).to_vector<float>());
  CHECK(predict.stats().traces == 2);
  CHECK_THROWS_AS(step(x), ArgumentError);  // none of the optimizer's, as it is eager

  struct Wide {
    nn::Linear first, fc;
    WEFT_MEMBERS(first, fc)
  };
  const nn::Linear first(2, 2);  // what fits is not assigned before what does not
  const Wide narrow{nn::Linear(2, 2), nn::Linear(2, 3)}, wide{first, nn::Linear(2, 4)},
      plain{first, nn::Linear(2, 3, false)};
  const std::vector<float> values = narrow.first.weight.value().to_vector<float>();
  CHECK_THROWS_AS(nn::assign(narrow, wide), ShapeError);
  CHECK_THROWS_AS(nn::assign(narrow, plain), ArgumentError);
  CHECK(narrow.first.weight.value().to_vector<float>() == values);
}

TEST_CASE("a vector of layers moves them when it grows") {
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<nn::Conv2d>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<nn::LayerNorm>);
  std::vector<nn::Conv2d> layers;
  layers.emplace_back(1, 1, 3);
  const auto first = layers[0].weight.state();
  for (int i = 0; i < 5; ++i) layers.emplace_back(1, 1, 3);
  CHECK(layers[0].weight.state() == first);
}

TEST_CASE("a layer that two members refer to is one: counted, trained and saved once") {
  struct Tied {
    nn::Linear fc{3, 3};
    nn::Linear& again = fc;
    Tensor operator()(const Tensor& x) const { return again(fc(x)); }
    WEFT_MEMBERS(fc, again)
  };
  const Tied net;
  CHECK(paths(nn::parameters(net)) == std::vector<std::string>{"fc.weight", "fc.bias"});
  CHECK(nn::count_parameters(net) == 12);
  CHECK(nn::summary(net).find("12 parameters (12 trained, 0 not)") != std::string::npos);
  nn::SGD opt(net);
  const Tensor x = ones({2, 3});
  GradientTape tape;
  const Tensor loss = sum(square(net(x)));
  opt.apply(tape.gradient(loss, net));
  CHECK(sum(square(net(x))).item() < loss.item());
}

TEST_CASE("models in a vector, a map or a tuple give their Gradients in the same structure") {
  std::vector<nn::Linear> tower;
  tower.emplace_back(2, 2);
  tower.emplace_back(2, 2);
  const std::map<std::string, nn::Linear> named{{"a", nn::Linear(2, 2)}};
  const Tensor x = ones({1, 2});
  GradientTape tape({.persistent = true});
  tape.watch(x);
  const Tensor y = sum(named.at("a")(tower[1](tower[0](x))));
  tape.stop();
  const std::vector<Gradients> g = tape.gradient(y, tower);
  CHECK(g.size() == 2);
  const Tensor bias = tape.gradient(y, *tower[1].bias);
  CHECK(g[1][*tower[1].bias].to_vector<float>() == bias.to_vector<float>());
  CHECK(tape.gradient(y, named).at("a").size() == 2);
  const auto [of_model, of_x] = tape.gradient(y, std::tie(tower[0], x));
  CHECK(of_model.size() == 2);
  CHECK(of_x.shape() == Shape{1, 2});
}

TEST_CASE("an initialiser makes what it is asked for, or is refused") {
  CHECK_THROWS_AS(nn::Linear(2, 3, true,
                             [](const Shape&, DType t, random::Generator&) {
                               return zeros({3, 2}, t);
                             }),
                  ShapeError);
  CHECK_THROWS_AS(
      nn::Conv2d(2, 3, 1, {}, true, [](const Shape& s, DType, random::Generator&) { return zeros(s, f64); }),
      DTypeError);
}

TEST_CASE("Sequential takes layers, models and lambdas, and names their variables by number") {
  struct Block {
    nn::Linear fc{3, 4};
    Tensor operator()(const Tensor& x) const { return relu(fc(x)); }
    WEFT_MEMBERS(fc)
  };
  const nn::Sequential net(
      nn::Linear(2, 3), [by = 2.0](const Tensor& x) { return x * by; }, Block(), nn::Sequential(nn::Linear(4, 1)));
  const Tensor x = ones({5, 2});
  CHECK(net(x).to_vector<float>() == net.get<3>()(net.get<2>()(net.get<0>()(x) * 2)).to_vector<float>());
  std::vector<std::string> paths;
  for (const auto& p : nn::parameters(net)) paths.push_back(p.path());
  CHECK(paths == std::vector<std::string>{"0.weight", "0.bias", "2.fc.weight", "2.fc.bias", "3.0.weight", "3.0.bias"});
}

TEST_CASE("summary shows layers without variables too") {
  CHECK(nn::summary(nn::Sequential(nn::Linear(2, 3), nn::Relu{}, nn::Gelu{true}, nn::Linear(3, 1))) ==
        "layer  kind           variables                      count\n"
        "0      Linear 2 -> 3  weight f32[2, 3], bias f32[3]      9\n"
        "1      Relu                                              0\n"
        "2      Gelu by tanh                                      0\n"
        "3      Linear 3 -> 1  weight f32[3, 1], bias f32[1]      4\n"
        "13 parameters (13 trained, 0 not), 52 B\n");
}

TEST_CASE("dropout drops a share p, scales the rest, and only in training") {
  random::Generator g(7);
  const nn::Dropout drop(0.25, g);
  const Tensor x = ones({100, 100});
  const auto y = drop(x).to_vector<float>();
  std::size_t kept = 0;
  for (const float v : y) {
    if (v == 0) continue;
    CHECK(v == Approx(1 / 0.75));
    ++kept;
  }
  CHECK(static_cast<double>(kept) == Approx(7500).margin(6 * 43));
  CHECK(drop(x).to_vector<float>() != y);  // another mask each time
  {
    const nn::EvalScope eval;
    CHECK_FALSE(nn::training());
    CHECK(drop(x).same(x));
    const nn::TrainScope train;
    CHECK(nn::training());
    CHECK_FALSE(drop(x).same(x));
  }
  CHECK(nn::training());
  g.seed(7);
  CHECK(drop(x).to_vector<float>() == y);
  const Tensor infinite = full({64}, INFINITY);
  for (const float v : drop(infinite).to_vector<float>()) CHECK((v == 0 || std::isinf(v)));
}

TEST_CASE("dropout draws the same masks compiled, and the mode is part of the signature") {
  random::Generator a(3), b(3);
  const nn::Dropout eager(0.5, a), traced(0.5, b);
  auto f = compile([&](const Tensor& x) { return traced(traced(x)); });
  const Tensor x = ones({33, 5});
  for (int i = 0; i < 3; ++i) CHECK(f(x).to_vector<float>() == eager(eager(x)).to_vector<float>());
  {
    const nn::EvalScope eval;
    CHECK(f(x).to_vector<float>() == x.to_vector<float>());
  }
  CHECK(f(x).to_vector<float>() == eager(eager(x)).to_vector<float>());
  CHECK(a.state.value().to_vector<std::int64_t>() == b.state.value().to_vector<std::int64_t>());
}

TEST_CASE("dropout's p is in [0, 1)") {
  for (const double p : {1.0, -0.1, 2.0, static_cast<double>(NAN), static_cast<double>(INFINITY)})
    CHECK_THROWS_AS(nn::Dropout(p), ArgumentError);
  CHECK_NOTHROW(nn::Dropout(0)(ones({2})));

  struct Own {  // a model with a generator of its own may be moved
    random::Generator g{3};
    nn::Dropout drop{0.5, g};
  };
  std::vector<Own> moved;
  for (int i = 0; i < 3; ++i) moved.emplace_back();
  random::Generator g(3);
  CHECK(moved[0].drop(ones({20})).to_vector<float>() == nn::Dropout(0.5, g)(ones({20})).to_vector<float>());
  CHECK(moved[0].g.state.value().to_vector<double>() == g.state.value().to_vector<double>());
}

TEST_CASE("initialisers have the spread that the fans ask for") {
  random::Generator g(1);
  const Shape dense = {400, 100}, window = {40, 30, 3, 3};
  struct Case {
    nn::init::Initializer f;
    double dense, window;  // variances
    bool uniform;
  };
  const Case cases[] = {
      {nn::init::glorot_uniform, 2.0 / 500, 2.0 / 630, true}, {nn::init::glorot_normal, 2.0 / 500, 2.0 / 630, false},
      {nn::init::he_uniform, 2.0 / 400, 2.0 / 270, true},     {nn::init::he_normal, 2.0 / 400, 2.0 / 270, false},
      {nn::init::lecun_uniform, 1.0 / 400, 1.0 / 270, true},  {nn::init::lecun_normal, 1.0 / 400, 1.0 / 270, false},
      {nn::init::uniform, 0.0025 / 3, 0.0025 / 3, true},      {nn::init::normal, 0.0025, 0.0025, false}};
  for (const Case& c : cases) {
    for (const bool is_dense : {true, false}) {
      const Tensor t = c.f(is_dense ? dense : window, f64, g);
      const double variance = is_dense ? c.dense : c.window;
      CHECK(mean(t).item() == Approx(0).margin(5 * std::sqrt(variance / static_cast<double>(t.size()))));
      CHECK(mean(square(t)).item() == Approx(variance).epsilon(0.06));
      if (c.uniform)
        CHECK(max(abs(t)).item() <= std::sqrt(3 * variance));
      else
        CHECK(max(abs(t)).item() > 3 * std::sqrt(variance));
    }
  }
  CHECK(nn::init::he_normal({3, 3}, DType::bf16, g).dtype() == DType::bf16);
  CHECK(sum(nn::init::zeros({3}, f32, g)).item() == 0);
  CHECK(sum(nn::init::ones({3}, f32, g)).item() == 3);
  CHECK(nn::init::fans({5}).in == 5);
  CHECK_THROWS_AS(nn::init::he_normal({0, 3}), ShapeError);
  random::Generator one(5), two(5);
  CHECK(nn::init::glorot_normal({7, 3}, f32, one).to_vector<float>() ==
        nn::init::glorot_normal({7, 3}, f32, two).to_vector<float>());
}
