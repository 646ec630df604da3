// Bad inputs as a user of <weft/weft.h> meets them: each a typed error that names what and where, as a golden text, and
// nothing half-changed. The numbers are those of the contract's list; rows of one layer alone are tested with it.
#include <weft/weft.h>

#include <cmath>
#include <limits>
#include <string>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {
constexpr std::int64_t big = std::int64_t{1} << 32;
Tensor classes(std::int64_t third) { return tensor<std::int64_t>({0, 1, third, 2}); }
}  // namespace

TEST_CASE("sizes that can't be are refused before anything is allocated", "[golden][bad-input.1][bad-input.2]") {
  const auto before = memory_stats().allocations;
  CHECK(message_of<ShapeError>([] {
          zeros({big, big});
        }) ==
        "zeros: element count overflows in [4294967296, 4294967296]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([] {
          full({3, INT64_MIN}, 1);
        }) ==
        "full: extent -9223372036854775808 of dimension 1 is negative in [3, -9223372036854775808]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([] { eye(-1); }) ==
        "eye: extent -1 of dimension 0 is negative in [-1, -1]\n"
        "  at HERE");
  CHECK(memory_stats().allocations == before);
  CHECK(message_of<ShapeError>([] {
          random::normal({2, -2});
        }) ==
        "normal: extent -2 of dimension 1 is negative in [2, -2]\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([] { arange(-3); }) ==
        "arange: -3 numbers\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([] {
          tensor({{1, 2}, {3}});
        }) ==
        "tensor: braces of different shapes: [2] and [1]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([] {
          from_vector(std::vector<float>{1, 2, 3}, {2, 2});
        }) ==
        "from_vector: 3 numbers for shape [2, 2], which has 4\n"
        "  at HERE");
}

TEST_CASE("empty tensors of huge extents are legal: their sum is 0, their mean NaN", "[bad-input.3]") {
  const Tensor e = zeros({0, std::int64_t{1} << 62});
  CHECK(sum(e).item() == 0);
  CHECK(std::isnan(mean(e).item()));
  CHECK(sum(e, 1).shape() == Shape{0});
  CHECK_SAME(e + e, e);
  CHECK(concat({e, e}).shape() == e.shape());
  CHECK(transpose(e).shape() == Shape{std::int64_t{1} << 62, 0});
  CHECK_THROWS_AS(sum(e, 0), ShapeError);  // 2^62 zeros
  CHECK(message_of<ArgumentError>([&] { max(e); }) ==
        "max: of no elements: [0, 4611686018427387904] over axes 0 to 1\n"
        "  in0  f32[0, 4611686018427387904]\n"
        "  at HERE");
}

TEST_CASE("twelve dimensions work everywhere, thirteen are refused by who makes them", "[bad-input.4]") {
  const Shape twelve = {2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1};
  const Tensor x = reshape(arange(0, 64), twelve);
  GradientTape tape;
  tape.watch(x);
  CHECK_SAME(tape.gradient(sum(square(x)), x), x * 2);
  auto f = compile([](const Tensor& t) { return sum(transpose(t) * 2, {1, 3, 5}); });
  CHECK_SAME(f(x), sum(transpose(x) * 2, {1, 3, 5}));
  CHECK(message_of<ShapeError>([&] {
          stack({x, x});
        }).find("rank 13 is more than the 12 dimensions") != std::string::npos);
  CHECK(message_of<ShapeError>([&] { expand(x, 0); }) ==
        "expand: rank 13 is more than the 12 dimensions a tensor may have\n"
        "  in0  f32[2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]\n"
        "  at HERE");
  CHECK_THROWS_AS(zeros(std::vector<std::int64_t>(1'000'000, 1)), ShapeError);
}

TEST_CASE("memory that there is not is OutOfMemory, and all works afterwards", "[bad-input.5]") {
  const Tensor row = zeros({1 << 20}), column = zeros({1 << 20, 1});
  const std::string text = message_of<OutOfMemory>([&] { row + column; });
  CHECK(text.find("add: no memory for f32[1048576, 1048576] (4398046511104 bytes)") == 0);
  CHECK(text.find("\n  at HERE") != std::string::npos);
  CHECK((ones({2}) + 1).at({1}) == 2);

  auto f = compile([](const Tensor& a, const Tensor& b) { return sum(sort(a + b, 0) * b, 0); });
  CHECK(message_of<OutOfMemory>([&] { f(row, column); }).find("the largest of it i64[1048576, 1048576]") !=
        std::string::npos);
  CHECK(f(ones({3}), ones({1, 1})).at({2}) == 2);
}

TEST_CASE("reshape and slice say what does not fit", "[golden][bad-input.6][bad-input.7]") {
  const Tensor x = arange(0, 6);
  CHECK(message_of<ShapeError>([&] {
          reshape(x, {-1, -1});
        }) ==
        "reshape: two extents of [-1, -1] are -1\n"
        "  in0  f32[6]\n"
        "  at HERE");
  for (const Shape& s : {Shape{-1, 0}, Shape{4, 2}, Shape{5945582035944100121, 1}, Shape{big, big}})
    CHECK(message_of<ShapeError>([&] { reshape(x, s); }) ==
          "reshape: 6 elements of [6] can't be " + s.text() + "\n  in0  f32[6]\n  at HERE");
  CHECK_VALUES(slice(x, {5}, {INT64_MIN}, {-2}), 5, 3, 1);
  CHECK(slice(x, {INT64_MAX}, {INT64_MAX}).size() == 0);
  CHECK(message_of<IndexError>([&] { slice_axis(x, 0, 0, 6, 0); }) ==
        "slice_axis: step 0 along axis 0\n"
        "  in0  f32[6]\n"
        "  at HERE");
}

TEST_CASE("a bad axis is named with the range there is, by every function that takes one", "[golden][bad-input.8]") {
  const Tensor x = zeros({2, 3});
  const std::pair<const char*, std::function<void(std::int64_t)>> all[] = {
      {"sum", [&](std::int64_t a) { sum(x, a); }},
      {"max", [&](std::int64_t a) { max(x, a); }},
      {"argmax", [&](std::int64_t a) { argmax(x, a); }},
      {"mean", [&](std::int64_t a) { mean(x, a); }},
      {"var", [&](std::int64_t a) { var(x, a); }},
      {"norm", [&](std::int64_t a) { norm(x, 2, a); }},
      {"softmax", [&](std::int64_t a) { softmax(x, a); }},
      {"log_softmax", [&](std::int64_t a) { log_softmax(x, a); }},
      {"logsumexp", [&](std::int64_t a) { logsumexp(x, a); }},
      {"concat",
       [&](std::int64_t a) {
         concat({x, x}, a);
       }},
      {"squeeze", [&](std::int64_t a) { squeeze(x, Ints{a}); }},
      {"slice_axis", [&](std::int64_t a) { slice_axis(x, a, 0, 1); }},
      {"transpose",
       [&](std::int64_t a) {
         transpose(x, Ints{0, a});
       }},
      {"swap_axes", [&](std::int64_t a) { swap_axes(x, 0, a); }}};
  for (const auto& [name, f] : all)
    for (const std::int64_t a : {std::int64_t{2}, std::int64_t{-3}, INT64_MAX, INT64_MIN})
      CHECK(message_of<IndexError>([&] { f(a); }) ==
            std::string(name) + ": axis " + std::to_string(a) +
                " out of range for rank 2 [-2, 1]\n  in0  f32[2, 3]\n  at HERE");
  CHECK(message_of<IndexError>([&] {
          stack({x, x}, 4);
        }) ==
        "stack: axis 4 out of range for rank 3 [-3, 2]\n"
        "  in0  f32[2, 3]\n"
        "  in1  f32[2, 3]\n"
        "  at HERE");
  CHECK(message_of<IndexError>([&] {
          sum(x, {0, -2});
        }) ==
        "sum: axis 0 appears twice in [0, -2]\n"
        "  in0  f32[2, 3]\n"
        "  at HERE");
}

TEST_CASE("matmul names its operands, their shapes and the line", "[golden][bad-input.9]") {
  const Tensor x = zeros({2, 3}).named("x");
  const Variable w(zeros({4, 5}), true, "fc1.weight");
  CHECK(message_of<ShapeError>([&] { matmul(x, w); }) ==
        "matmul: inner dimensions differ: [2, 3] x [4, 5] (3 vs 4)\n"
        "  lhs  f32[2, 3]      \"x\"\n"
        "  rhs  f32[4, 5]      \"fc1.weight\"\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([&] { matmul(x, 2); }) ==
        "matmul: an operand has no axes\n"
        "  lhs  f32[2, 3]      \"x\"\n"
        "  rhs  literal 2\n"
        "  at HERE\n"
        "  hint: multiply by a scalar with *");
  CHECK(message_of<ShapeError>([] {
          matmul(zeros({2, 2, 3}), zeros({3, 3, 2}));
        }) ==
        "matmul: shapes do not broadcast: [2] with [3] (2 vs 3 in dimension 1 from the back)\n"
        "  lhs  f32[2, 2, 3]\n"
        "  rhs  f32[3, 3, 2]\n"
        "  at HERE");
  auto f = compile([&](const Tensor& t) { return matmul(t, w); });
  CHECK(message_of<ShapeError>([&] { f(x); }).find("matmul: inner dimensions differ: [2, 3] x [4, 5] (3 vs 4)") == 0);
  const nn::Sequential net(nn::Linear(4, 5), nn::Relu{}, nn::Linear(6, 2));
  CHECK(message_of<ShapeError>([&] {
          net(zeros({1, 4}));
        }) ==
        "Linear: Linear 6 -> 2 takes [..., 6], not [1, 5]\n"
        "  x       f32[1, 5]\n"
        "  weight  f32[6, 2]      \"weight\"\n"
        "  at HERE");
  CHECK(message_of<DTypeError>([&] {
          matmul(x, zeros({3, 4}, f64));
        }) ==
        "matmul: dtypes differ: f32 and f64\n"
        "  lhs  f32[2, 3]      \"x\"\n"
        "  rhs  f64[3, 4]\n"
        "  at HERE\n"
        "  hint: cast one: the f32 to f64, or the f64 to f32");
}

TEST_CASE("a product over nothing is zeros, eager and compiled, and so are its gradients", "[bad-input.10]") {
  const Tensor a = zeros({2, 0}), b = zeros({0, 3});
  const auto product = [](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    tape.watch(x, y);
    const Tensor c = matmul(x, y);
    const auto [da, db] = tape.gradient(c, x, y);
    return std::tuple(c, da, db);
  };
  for (const auto& [c, da, db] : {product(a, b), compile(product)(a, b)}) {
    CHECK_SAME(c, zeros({2, 3}));
    CHECK_SAME(da, a);
    CHECK_SAME(db, b);
  }
}

TEST_CASE("a bad index is named with its position, eager, in a gradient and compiled", "[golden][bad-input.13]") {
  const Tensor x = arange(0, 6);
  const auto take = [](const Tensor& t, const Tensor& i) { return gather(t, i); };
  const auto gradient = [](const Tensor& t, const Tensor& i) {
    GradientTape tape;
    tape.watch(t);
    return tape.gradient(square(gather(t, i)), t);
  };
  auto compiled = compile(take);
  auto compiled_gradient = compile(gradient);
  for (const std::int64_t bad : {std::int64_t{6}, std::int64_t{-7}, std::int64_t{100'000'000'000'000'000}, INT64_MIN}) {
    const Tensor i = classes(bad);
    const std::string rule = "gather: index " + std::to_string(bad) + " at [2] must be within [-6, 5]";
    CHECK(message_of<IndexError>([&] { take(x, i); }) == rule + "\n  x    f32[6]\n  idx  i64[4]\n  at HERE");
    CHECK(message_of<IndexError>([&] { gradient(x, i); }).find(rule) == 0);
    CHECK(message_of<IndexError>([&] { compiled(x, i); }).find(rule) == 0);
    CHECK(message_of<IndexError>([&] { compiled_gradient(x, i); }).find(rule) == 0);
  }
  CHECK_VALUES(compiled(x, classes(-1)), 0, 1, 5, 2);
  CHECK(message_of<DTypeError>([&] {
          gather(x, tensor({1, 2}));
        }) ==
        "gather: indices are f32, not i32 or i64\n"
        "  x    f32[6]\n"
        "  idx  f32[2]\n"
        "  at HERE\n"
        "  hint: cast(indices, i64)");
  CHECK(message_of<IndexError>([] { one_hot(classes(3), 3); }) ==
        "one_hot: index 3 at [2] must be within [0, 2]\n"
        "  idx  i64[4]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([] { one_hot(classes(1), -1); }) ==
        "one_hot: depth -1 is negative\n"
        "  idx  i64[4]\n"
        "  at HERE");
}

TEST_CASE("labels that do not fit their logits are refused, never broadcast", "[golden][bad-input.15]") {
  const Tensor logits = zeros({4, 3}).named("logits");
  CHECK(message_of<IndexError>([&] { nn::softmax_cross_entropy(classes(3), logits); }) ==
        "softmax_cross_entropy: a label is no class: index 3 at [2] must be within [0, 2]\n"
        "  labels       i64[4]\n"
        "  logits       f32[4, 3]      \"logits\"\n"
        "  at HERE");
  CHECK(message_of<DTypeError>([&] { nn::softmax_cross_entropy(zeros({4}), logits); }) ==
        "softmax_cross_entropy: class numbers are f32, not i32 or i64\n"
        "  labels       f32[4]\n"
        "  logits       f32[4, 3]      \"logits\"\n"
        "  at HERE\n"
        "  hint: cast(labels, i64)");
  CHECK(message_of<ShapeError>([&] {
          nn::softmax_cross_entropy(reshape(classes(1), {4, 1}), logits);
        }) ==
        "softmax_cross_entropy: class numbers of shape [4, 1] for logits of [4, 3]: they have shape [4]\n"
        "  labels       i64[4, 1]\n"
        "  logits       f32[4, 3]      \"logits\"\n"
        "  at HERE\n"
        "  hint: a loss never broadcasts: squeeze the labels");
  CHECK(message_of<ShapeError>([] {
          nn::mse(zeros({4, 1}), zeros({4}));
        }) ==
        "mse: shapes differ: [4, 1] and [4]\n"
        "  labels       f32[4, 1]\n"
        "  predictions  f32[4]\n"
        "  at HERE\n"
        "  hint: a loss never broadcasts: reshape one of them");
  auto step = compile([](const Tensor& y, const Tensor& x) { return nn::softmax_cross_entropy(y, x); });
  CHECK(message_of<IndexError>([&] { step(classes(-1), logits); }).find("index -1 at [2] must be within [0, 2]") !=
        std::string::npos);
}

TEST_CASE("an Embedding names the table and the number that is not in it", "[golden]") {
  CHECK(message_of<ArgumentError>([] { nn::Embedding(0, 8); }) ==
        "Embedding: 0 x 8\n"
        "  at HERE\n"
        "  hint: both extents are at least 1");
  nn::Embedding words(3, 2);
  CHECK(message_of<IndexError>([&] { words(classes(3)); }) ==
        "Embedding: index 3 at [2] must be within [-3, 2]\n"
        "  indices i64[4]\n"
        "  weight  f32[3, 2]      \"weight\"\n"
        "  at HERE");
  CHECK(message_of<DTypeError>([&] { words(zeros({4})); }) ==
        "Embedding: indices are f32, not i32 or i64\n"
        "  indices f32[4]\n"
        "  weight  f32[3, 2]      \"weight\"\n"
        "  at HERE\n"
        "  hint: cast(indices, i64)");
}

TEST_CASE("dropout's share, softmax of -inf, log of 0 and the norm of 0 have their rules", "[golden][bad-input.18]") {
  for (const double p : {1.0, -0.1, 2.0, std::numeric_limits<double>::infinity()})
    CHECK_THROWS_AS(nn::Dropout(p), ArgumentError);
  CHECK(message_of<ArgumentError>([] { nn::Dropout{NAN}; }) ==
        "Dropout: p is nan, not in [0, 1)\n"
        "  at HERE\n"
        "  hint: p is the share that is dropped");
  CHECK(message_of<DTypeError>([] { nn::Dropout(0.5)(zeros({2}, i64)); }) ==
        "Dropout: no meaning for i64\n"
        "  x    i64[2]\n"
        "  at HERE\n"
        "  hint: cast it to f32 or f64");
  CHECK(std::isnan(softmax(full({3}, -INFINITY)).at({0})));
  CHECK(log(zeros({})).item() == -INFINITY);
  const auto slope = [](const Tensor& z) {
    GradientTape tape;
    tape.watch(z);
    return tape.gradient(norm(z), z);
  };
  CHECK_SAME(slope(zeros({3})), zeros({3}));
  CHECK_SAME(compile(slope)(zeros({3})), zeros({3}));
}

TEST_CASE("random draws refuse what is no distribution, and draw nothing then", "[golden]") {
  random::Generator g(1);
  const Tensor before = g.state.value();
  CHECK(message_of<ArgumentError>([&] { random::uniform({2}, 3, 1, f32, g); }) == "uniform: from 3 to 1\n  at HERE");
  CHECK(message_of<ArgumentError>([&] { random::normal({2}, 0, -1, f32, g); }) ==
        "normal: mean 0, deviation -1\n  at HERE");
  CHECK(message_of<ArgumentError>([&] { random::bernoulli({2}, NAN, g); }) ==
        "bernoulli: probability nan is not in [0, 1]\n  at HERE");
  CHECK_THROWS_AS(random::uniform({2}, -INFINITY, 0, f32, g), ArgumentError);
  CHECK(g.state.value().same(before));
}

TEST_CASE("what is undefined says so, whatever is asked of it", "[bad-input.20]") {
  const Tensor none;
  const Variable nothing;
  const std::string undefined =
      "the tensor is undefined\n"
      "  hint: a gradient that does not exist is undefined; Unconnected::zero gives zeros";
  CHECK(message_of<ArgumentError>([&] { none.shape(); }) == undefined);
  CHECK(message_of<ArgumentError>([&] { none.dtype(); }) == undefined);
  CHECK(message_of<ArgumentError>([&] { none.item(); }) ==
        "item: the tensor is undefined\n  at HERE\n"
        "  hint: a gradient that does not exist is undefined; Unconnected::zero gives zeros");
  CHECK(message_of<ArgumentError>([&] { none.size(); }) == undefined);
  CHECK(message_of<ArgumentError>([&] { zeros_like(none); }).find("zeros_like: the tensor is undefined\n  at HERE") ==
        0);
  CHECK_THROWS_AS(none.to_vector<float>(), ArgumentError);
  CHECK_THROWS_AS(none.name(), ArgumentError);
  CHECK_THROWS_AS(nothing.shape(), ArgumentError);
  CHECK_THROWS_AS(nothing.value(), ArgumentError);
  CHECK_THROWS_AS(nothing.name(), ArgumentError);
  CHECK(message_of<ArgumentError>([&] { none + 1; }) ==
        "add: operand 0 is undefined\n"
        "  lhs  undefined\n"
        "  rhs  f32[]\n"
        "  at HERE\n"
        "  hint: a gradient that does not exist is an undefined tensor; Unconnected::zero gives zeros");
}

TEST_CASE("a compiled function takes another shape, rank and dtype as another trace, and keeps a few",
          "[bad-input.22]") {
  int traces = 0;
  auto f = compile(
      [&](const Tensor& x) {
        ++traces;
        return x * 2;
      },
      {.max_traces = 3});
  for (const Tensor& x : {ones({2}), ones({3}), ones({1, 2}), ones({2}, f64), ones({2}, i32)}) CHECK_SAME(f(x), x * 2);
  CHECK(traces == 5);
  CHECK_SAME(f(ones({2}, i32)), full({2}, 2, i32));
  CHECK(traces == 5);
  CHECK_SAME(f(ones({2})), full({2}, 2));  // dropped as the least recently used: traced again
  CHECK(traces == 6);
}

TEST_CASE("a NaN loss stops a step that asks for it, and changes nothing", "[golden][numerics]") {
  Variable w(tensor({1, -1}), true, "w");
  nn::SGD opt(w, {.learning_rate = 0.1});
  auto step = compile([&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = assert_finite(mean(log(w * x)));
    opt.apply({{w, tape.gradient(loss, w)}});
    return loss;
  });
  const Tensor before = w.value();
  CHECK(message_of<NumericsError>([&] {
          step(tensor({1, 1}));
        }).find("assert_finite: 1 of 1 elements are not finite; the first is nan at []") == 0);
  CHECK_SAME(w.value(), before);
  CHECK(opt.step().value().item() == 0);
  CHECK(std::isfinite(step(tensor({1, -1})).item()));
}

TEST_CASE("optimizers and metrics name the line that called them", "[golden]") {
  Variable w(ones({2}), true, "w"), other(ones({2}), true, "other");
  nn::SGD opt(w, {.learning_rate = 0.1});
  CHECK(message_of<ShapeError>([&] {
          opt.apply({{w, ones({3})}});
        }) ==
        "apply: the gradient has shape [3], its variable [2]\n"
        "  variable  f32[2]         \"w\"\n"
        "  gradient  f32[3]\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] {
          opt.apply({{other, ones({2})}});
        }) ==
        "apply: the variable \"other\" f32[2] is none of this optimizer's\n"
        "  at HERE\n"
        "  hint: it trains what it was made for, and of that what was not frozen then");
  CHECK(message_of<ArgumentError>([&] { opt.set_learning_rate(-1); }) ==
        "set_learning_rate: the learning rate is -1, not a finite number from 0\n"
        "  at HERE");
  CHECK(message_of<IndexError>([&] { opt.learning_rate(3); }) == "learning_rate: group 3 of 1\n  at HERE");
  CHECK(message_of<ArgumentError>([&] { nn::Adam{w, {.beta1 = 1}}; }) == "Adam: beta 1 is not in [0, 1)\n  at HERE");
  CHECK(message_of<ArgumentError>([&] {
          nn::AdamW{w, {.learning_rate = -1}};
        }) == "AdamW: the learning rate is -1, not a finite number from 0\n  at HERE");
  std::vector<Tensor> gradients = {ones({2})};
  CHECK(message_of<ArgumentError>([&] { nn::clip_by_global_norm(gradients, 0); }) ==
        "clip_by_global_norm: max_norm is 0, not above 0\n  at HERE");
  CHECK(message_of<ArgumentError>([] { nn::Linear(0, 3); }) ==
        "Linear: 0 -> 3\n"
        "  at HERE\n"
        "  hint: both extents are at least 1");

  nn::ConfusionMatrix matrix(3);
  CHECK(message_of<IndexError>([&] {
          matrix.update(tensor<std::int64_t>({0, 3}), zeros({2, 3}));
        }) ==
        "update: class 3 at 1 must be within [0, 2]\n"
        "  labels       i64[2]\n"
        "  predictions  f32[2, 3]\n"
        "  at HERE");
  nn::F1 f1;
  CHECK(message_of<ShapeError>([&] { f1.update(zeros({3}), zeros({2})); }) ==
        "update: labels of shape [3] for predictions of [2]\n"
        "  labels       f32[3]\n"
        "  predictions  f32[2]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([] { nn::accuracy(zeros({3}), zeros({2})); }).find("at HERE") != std::string::npos);
  CHECK(message_of<ArgumentError>([] { nn::ConfusionMatrix(1); }) ==
        "ConfusionMatrix: 1 classes, from 2 to 16384\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([] { data::split(2); }) == "split: 2 rows are too few for three parts\n  at HERE");
}

TEST_CASE("a label column that does not exist, and numbers too large, are named", "[golden]") {
  data::Table t(io::parse_csv("a,b,y\n1,2,x\n3,1e300,z\n"));
  CHECK(message_of<ArgumentError>([&] { t.take_labels("species"); }) ==
        "take_labels: there is no column \"species\"; the columns are a, b, y\n"
        "  at HERE");
  CHECK(t.columns().size() == 3);
  t.take_labels("y");
  CHECK(message_of<ArgumentError>([&] { t.to_tensor(); }) ==
        "to_tensor: the column \"b\" holds 1e+300 in row 2, too large for f32\n"
        "  at HERE");
}

TEST_CASE("threads and the instruction set are a user's to ask and to set") {
  const int before = num_threads();
  set_num_threads(1);
  CHECK(num_threads() == 1);
  set_num_threads(before);
  CHECK(num_threads() == before);
  CHECK(std::string(name_of(isa())).size() >= 4);
}

TEST_CASE("a window that can't move is refused before any kernel", "[golden][bad-input.11]") {
  const Tensor x = zeros({2, 4, 8, 8}), w = Variable(zeros({6, 4, 3, 3}), true, "conv1.weight").value();
  CHECK(message_of<ArgumentError>([&] { conv2d(x, w, {.stride = 0}); }) ==
        "conv2d: stride [0, 0] is below 1\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3, 3] \"conv1.weight\"\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] { conv2d(x, w, {.padding = -1}); }) ==
        "conv2d: padding [-1, -1] is negative\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3, 3] \"conv1.weight\"\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] {
          conv2d(x, w, {.dilation = {1, 5}});
        }) ==
        "conv2d: window [3, 11] is larger than the padded input [8, 8]\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3, 3] \"conv1.weight\"\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] { conv2d(x, w, {.groups = 4}); }) ==
        "conv2d: 4 groups do not divide 6 output channels\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3, 3] \"conv1.weight\"\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([&] { conv2d(x, w, {.groups = 2}); }) ==
        "conv2d: the input has 4 channels in 2 groups, the weight takes 4\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3, 3] \"conv1.weight\"\n"
        "  at HERE\n"
        "  hint: the weight is [out, in / groups, window...]; x is [n, channels, axes...], or, with .channels_last = "
        "true, "
        "[n, axes..., channels]");
  CHECK(message_of<ShapeError>([&] { conv2d(x, w, zeros({4})); }) ==
        "conv2d: the bias is [4], not [6]\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3, 3] \"conv1.weight\"\n"
        "  bias   f32[4]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([&] { conv1d(x, w); }) ==
        "conv1d: the input has rank 4, not 3\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3, 3] \"conv1.weight\"\n"
        "  at HERE\n"
        "  hint: the input is [batch, channels, axes...]");
  CHECK(message_of<ShapeError>([&] {
          conv2d(x, zeros({6, 4, 3}));
        }) ==
        "conv2d: the weight has rank 3, not 4\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[6, 4, 3]\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] {
          conv_transpose2d(x, zeros({4, 2, 3, 3}), {.stride = 2, .output_padding = 2});
        }) ==
        "conv_transpose2d: output padding [2, 2] is not below stride [2, 2]\n"
        "  x      f32[2, 4, 8, 8]\n"
        "  weight f32[4, 2, 3, 3]\n"
        "  at HERE");
  for (const ConvOptions& o : {ConvOptions{.stride = {1, 0}},
                               {.dilation = 0},
                               {.groups = 0},
                               {.groups = -2},
                               {.groups = 3},
                               {.padding = Padding(0, -3)},
                               {.stride = {1, 1, 1}},
                               {.padding = INT64_MAX},
                               {.dilation = INT64_MAX}})
    CHECK_THROWS_AS(conv2d(x, w, o), ArgumentError);
  CHECK_THROWS_AS(conv2d(x, cast(w, f64)), DTypeError);
  CHECK_THROWS_AS(conv2d(cast(x, i32), cast(w, i32)), DTypeError);
  CHECK_THROWS_AS(conv2d(x, Tensor()), ArgumentError);
  CHECK_THROWS_AS(conv_transpose2d(x, w, {.padding = 9}), ArgumentError);
  CHECK_THROWS_AS(conv_transpose2d(x, w), ShapeError);
  CHECK(message_of<ArgumentError>([&] { max_pool2d(x, 2, {.stride = 0}); }) ==
        "max_pool2d: stride [0, 0] is below 1\n"
        "  x    f32[2, 4, 8, 8]\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] { avg_pool2d(x, 9); }) ==
        "avg_pool2d: window [9, 9] is larger than the padded input [8, 8]\n"
        "  x    f32[2, 4, 8, 8]\n"
        "  at HERE");
  CHECK(message_of<ArgumentError>([&] { max_pool2d(x, 2, {.padding = 2}); }) ==
        "max_pool2d: a window [2, 2] could lie in padding [2, 2] and [2, 2] alone\n"
        "  x    f32[2, 4, 8, 8]\n"
        "  at HERE");
  CHECK(message_of<ShapeError>([&] { max_pool1d(x, 2); }) ==
        "max_pool1d: the input has rank 4, not 3\n"
        "  x    f32[2, 4, 8, 8]\n"
        "  at HERE\n"
        "  hint: it is [batch, channels, axes...]");
  CHECK_THROWS_AS(avg_pool2d(cast(x, i32), 2), DTypeError);
  CHECK_THROWS_AS(max_pool2d(cast(x, DType::boolean), 2), DTypeError);
  CHECK_THROWS_AS(max_pool2d(x, {2, 2, 2}), ArgumentError);
  CHECK_THROWS_AS(adaptive_max_pool2d(x, 0), ArgumentError);
  CHECK_THROWS_AS(global_avg_pool(zeros({2, 3})), ShapeError);
  CHECK_THROWS_AS(max_pool2d(Tensor(), 2), ArgumentError);
}

TEST_CASE("reading a traced tensor names the line that does") {
  auto f = compile([](const Tensor& x) { return sum(x).item() > 0 ? x : -x; });
  CHECK(message_of<GuardError>([&] {
          f(ones({2, 2}));
        }).starts_with("item: a traced tensor has no elements to read\n  at HERE\n  hint: while a function is"));
}

TEST_CASE("a traced tensor has no rows to take") {
  auto f = compile([](const Tensor& x) { return data::take_rows(x, std::vector<std::int64_t>{0}); });
  CHECK_THROWS_AS(f(ones({2, 2})), GuardError);
}

TEST_CASE("a variable without a value and spirals without points say so, with the line", "[golden]") {
  CHECK(message_of<ArgumentError>([] { Variable().assign(ones({2})); }) ==
        "assign: the variable is undefined\n  at HERE\n  hint: give it an initial value");
  CHECK(message_of<ArgumentError>([] { data::spirals(0); }) ==
        "spirals: 0 points on each of 3 arms with noise 0.02\n  at HERE");
}

TEST_CASE("stack speaks of its own parts") {
  CHECK(message_of<ShapeError>([] {
          stack({ones({2}), ones({3})});
        }) == "stack: shapes [2] and [3] differ\n  in0  f32[2]\n  in1  f32[3]\n  at HERE");
  CHECK(message_of<ArgumentError>([] { stack({}); }) == "stack: no parts\n  at HERE");
}

TEST_CASE("transforms name themselves and the line that asked for the derivative", "[golden]") {
  const auto whole = [](const Tensor& x) { return x; };
  const Tensor x = ones({2}), n = arange(2);
  const auto loss_of = [](const std::string& name) {
    return name +
           ": the loss is f32[2], not one number\n  at HERE\n"
           "  hint: sum() or mean() it; vjp() and jacobian() take functions of many results";
  };
  CHECK(message_of<GradError>([&] { grad(whole)(x); }) == loss_of("grad"));
  CHECK(message_of<GradError>([&] { value_and_grad(whole)(x); }) == loss_of("value_and_grad"));
  CHECK(message_of<GradError>([&] { hvp(whole, x, x); }) == loss_of("hvp"));
  CHECK(message_of<GradError>([&] { hessian(whole)(x); }) ==
        "hessian: the function gives f32[2], not a scalar\n  at HERE\n  hint: jacobian(grad) of a sum or a mean?");
  const std::string no_floats = ": a derivative with respect to arguments without floats\n  at HERE";
  CHECK(message_of<DTypeError>([&] { grad(whole)(n); }) == "grad" + no_floats);
  CHECK(message_of<DTypeError>([&] { jacobian(whole)(n); }) == "jacobian" + no_floats);
  CHECK(message_of<DTypeError>([&] { hessian(whole)(n); }) == "hessian" + no_floats);
  CHECK(message_of<DTypeError>([&] { vjp(whole, n); }) == "vjp: a derivative with respect to arguments without floats");
  const std::string tangent = ": the tangent is f32[3], its primal f32[2]\n  at HERE";
  CHECK(message_of<ShapeError>([&] { jvp(whole, x, ones({3})); }) == "jvp" + tangent);
  CHECK(message_of<ShapeError>([&] { hvp([](const Tensor& t) { return sum(t); }, x, ones({3})); }) == "hvp" + tangent);
}

TEST_CASE("a loss says which of its operands is undefined", "[golden]") {
  CHECK(message_of<ArgumentError>([] { nn::mse(Tensor(), ones({2})); }) ==
        "mse: the labels are undefined\n  labels       undefined\n  predictions  f32[2]\n  at HERE");
  CHECK(message_of<ArgumentError>([] {
          nn::softmax_cross_entropy(zeros({2}, i64), Tensor());
        }).starts_with("softmax_cross_entropy: the logits are undefined\n"));
}

TEST_CASE("an input of another float type than a layer's weights is told both ways to mend it", "[golden]") {
  const Tensor x = ones({2, 3, 4, 4}, f64);
  const std::string hint = "\n  hint: cast one: the f64 to f32, or the f32 to f64";
  CHECK(message_of<DTypeError>([&] { nn::Linear(4, 2)(x); }).ends_with(hint));
  CHECK(message_of<DTypeError>([&] { nn::Conv2d(3, 2, 1)(x); }).ends_with(hint));
  CHECK(message_of<DTypeError>([&] { nn::LayerNorm({4})(x); }).ends_with(hint));
}

TEST_CASE("what reads and writes files names itself and the line that called it", "[golden]") {
  const std::string reason = ": can't open it: No such file or directory\n  at HERE", path = "/no/such";
  const nn::Linear layer(2, 3);
  CHECK(message_of<FormatError>([&] { io::load(path, layer); }) == "load: " + path + reason);
  CHECK(message_of<FormatError>([&] { io::load_checkpoint(path, {layer}); }) == "load_checkpoint: " + path + reason);
  CHECK(message_of<FormatError>([&] { io::read_safetensors(path); }) == "read_safetensors: " + path + reason);
  CHECK(message_of<FormatError>([&] { io::read_csv(path); }) == "read_csv: " + path + reason);
  CHECK(message_of<FormatError>([&] { data::read_table(path); }) == "read_table: " + path + reason);
  CHECK(message_of<FormatError>([&] { io::save(path + "/a", layer); }).starts_with("save: /no/such/a: can't "));
  CHECK(message_of<FormatError>([&] {
          io::save_checkpoint(path + "/a", {layer});
        }).starts_with("save_checkpoint: /no/such/a: can't "));
  CHECK(message_of<FormatError>([] { io::parse_safetensors({}, "x"); }) ==
        "parse_safetensors: x: header too small: the file has 0 bytes, and the header's length alone takes 8\n"
        "  at HERE");
  CHECK(message_of<FormatError>([] { io::parse_csv("", {}, "x"); }) == "parse_csv: x: the file is empty\n  at HERE");
}
