// Public functions of several operands that are no op of the table, and layers: each operand in turn of another shape,
// rank or dtype than the others ask for, its gradients taken too (bad-input rows 9, 11, 13, 15, 16, 17, 19). And every
// function of windows with every option that can't be (row 11). Their messages: bad_input_test.cpp and its neighbours.
#include <weft/weft.h>

#include <functional>
#include <string>
#include <vector>

#include "unfit.h"

using namespace weft;
using namespace weft::test;

namespace {

using Operands = std::vector<Tensor>;
struct Function {
  std::string name;  // as its errors have it; empty: may also be named by what it is made of
  Operands in;
  std::function<Tensor(const Operands&)> f;
};

std::vector<Function> functions() {
  Random r(3);
  const auto x = [&](const Shape& s) { return random_tensor(r, s, f32, 0.1, 2); };
  const auto numbers = [&](const Shape& s, double n) { return random_tensor(r, s, i64, 0, n); };
  const nn::LSTM lstm(3, 4);
  const nn::GRU gru(3, 4);
  const nn::RNN rnn(3, 4);
  const nn::Embedding embedding(5, 2);
  const nn::Linear linear(3, 2);
  std::vector<Function> list = {
      // losses (row 15)
      {"mse", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::mse(o[0], o[1]); }},
      {"mae", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::mae(o[0], o[1]); }},
      {"huber", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::huber(o[0], o[1]); }},
      {"sigmoid_cross_entropy_with_logits",
       {x({4, 3}), x({4, 3})},
       [](auto& o) { return nn::sigmoid_cross_entropy_with_logits(o[0], o[1]); }},
      {"softmax_cross_entropy",
       {numbers({4}, 3), x({4, 3})},
       [](auto& o) { return nn::softmax_cross_entropy(o[0], o[1]); }},
      {"softmax_cross_entropy", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::softmax_cross_entropy(o[0], o[1]); }},
      {"ctc_loss",
       {ones({2, 2}, i64), x({5, 2, 3}), ones({2}, i64), full({2}, 5, i64)},
       [](auto& o) { return nn::ctc_loss(o[0], o[1], o[2], o[3]); }},
      // norms (row 16)
      {"batch_norm",
       {x({2, 3, 4}), x({3}), x({3}), x({3}), x({3})},
       [](auto& o) { return batch_norm(o[0], o[1], o[2], o[3], o[4]); }},
      {"batch_norm_training",
       {x({2, 3, 4}), x({3}), x({3})},
       [](auto& o) { return batch_norm_training(o[0], o[1], o[2]).output; }},
      {"layer_norm", {x({2, 3}), x({3}), x({3})}, [](auto& o) { return layer_norm(o[0], {3}, o[1], o[2]); }},
      {"rms_norm", {x({2, 3}), x({3})}, [](auto& o) { return rms_norm(o[0], {3}, o[1]); }},
      {"group_norm", {x({2, 4, 3}), x({4}), x({4})}, [](auto& o) { return group_norm(o[0], 2, o[1], o[2]); }},
      {"instance_norm", {x({2, 3, 4}), x({3}), x({3})}, [](auto& o) { return instance_norm(o[0], o[1], o[2]); }},
      // layers (row 17)
      {"",
       {x({2, 3, 3}), x({2, 4}), x({2, 4})},
       [=](auto& o) {
         return lstm(o[0], nn::LSTMState{o[1], o[2]}).first;
       }},
      {"", {x({2, 3, 3}), x({2, 4})}, [=](auto& o) { return gru(o[0], o[1]).first; }},
      {"", {x({2, 3, 3}), x({2, 4})}, [=](auto& o) { return rnn(o[0], o[1]).first; }},
      {"", {numbers({4}, 5)}, [=](auto& o) { return embedding(o[0]); }},
      {"", {x({4, 3})}, [=](auto& o) { return linear(o[0]); }},
      {"scaled_dot_product_attention",
       {x({2, 3, 4}), x({2, 5, 4}), x({2, 5, 2})},
       [](auto& o) { return scaled_dot_product_attention(o[0], o[1], o[2]); }},
      {"prelu", {x({2, 3}), x({3})}, [](auto& o) { return prelu(o[0], o[1]); }},
      // indices (row 13)
      {"take_along_axis", {x({3, 4}), numbers({2, 4}, 3)}, [](auto& o) { return take_along_axis(o[0], o[1], 0); }},
      {"put_along_axis",
       {x({3, 4}), numbers({2, 4}, 3), x({2, 4})},
       [](auto& o) { return put_along_axis(o[0], o[1], o[2], 0); }},
      {"index_add", {x({3, 4}), numbers({2}, 3), x({2, 4})}, [](auto& o) { return index_add(o[0], 0, o[1], o[2]); }},
      {"masked_fill", {x({3, 4}), x({3, 4}) > 1, x({})}, [](auto& o) { return masked_fill(o[0], o[1], o[2]); }},
      {"one_hot", {numbers({4}, 3)}, [](auto& o) { return one_hot(o[0], 3); }},
      // products and equations (row 9)
      {"matmul", {x({2, 3, 4}), x({4, 5})}, [](auto& o) { return matmul(o[0], o[1]); }},
      {"dot", {x({4}), x({4})}, [](auto& o) { return dot(o[0], o[1]); }},
      {"inner", {x({2, 4}), x({3, 4})}, [](auto& o) { return inner(o[0], o[1]); }},
      {"tensordot", {x({2, 3}), x({3, 4})}, [](auto& o) { return tensordot(o[0], o[1], 1); }},
      {"einsum",
       {x({2, 3}), x({3, 4})},
       [](auto& o) {
         return einsum("ij,jk->ik", {o[0], o[1]});
       }},
      {"kron", {x({2, 3}), x({2, 2})}, [](auto& o) { return kron(o[0], o[1]); }},
      {"cdist", {x({4, 3}), x({2, 3})}, [](auto& o) { return cdist(o[0], o[1]); }},
      {"solve", {eye(3, f32) * 2, x({3, 2})}, [](auto& o) { return solve(o[0], o[1]); }},
      {"triangular_solve", {eye(3, f32) * 2, x({3, 2})}, [](auto& o) { return triangular_solve(o[0], o[1]); }},
      {"lerp", {x({3}), x({3}), x({3})}, [](auto& o) { return lerp(o[0], o[1], o[2]); }},
      {"concat",
       {x({2, 3}), x({4, 3})},
       [](auto& o) {
         return concat({o[0], o[1]});
       }},
      {"",
       {x({2, 3}), x({2, 3})},
       [](auto& o) {
         return stack({o[0], o[1]});
       }},
      {"linear_recurrence", {x({2, 3}), x({2, 3})}, [](auto& o) { return linear_recurrence(o[0], o[1]); }},
      // windows (row 11)
      {"conv1d", {x({2, 4, 5}), x({6, 2, 3}), x({6})}, [](auto& o) { return conv1d(o[0], o[1], o[2], {.groups = 2}); }},
      {"conv2d", {x({1, 2, 4, 4}), x({3, 2, 2, 2}), x({3})}, [](auto& o) { return conv2d(o[0], o[1], o[2]); }},
      {"conv_transpose2d",
       {x({1, 2, 4, 4}), x({2, 3, 2, 2}), x({3})},
       [](auto& o) { return conv_transpose2d(o[0], o[1], o[2]); }},
      {"max_pool2d", {x({1, 2, 4, 4})}, [](auto& o) { return max_pool2d(o[0], 2); }},
      {"avg_pool2d", {x({1, 2, 4, 4})}, [](auto& o) { return avg_pool2d(o[0], 2); }},
      {"adaptive_avg_pool2d", {x({1, 2, 4, 4})}, [](auto& o) { return adaptive_avg_pool2d(o[0], 3); }},
      {"unfold", {x({1, 2, 4, 4})}, [](auto& o) { return unfold(o[0], {2, 2}); }},
      {"fold", {x({1, 8, 9})}, [](auto& o) { return fold(o[0], {4, 4}, {2, 2}); }},
      {"interpolate", {x({1, 2, 4})}, [](auto& o) { return interpolate(o[0], {7}, Interpolation::linear); }},
  };
  return list;
}

}  // namespace

TEST_CASE("an operand that does not fit is an error of the function's own name, or it has a result and gradients",
          "[bad-input][bad-input.9][bad-input.13][bad-input.15][bad-input.16][bad-input.17][bad-input.19]") {
  for (const Function& fn : functions()) {
    int refused = 0;
    CHECK(fn.f(fn.in).defined());
    for (std::size_t i = 0; i < fn.in.size(); ++i)
      for (const Tensor& other : unfit(fn.in[i])) {
        INFO(fn.name << " of " << fn.in[0].type().text() << ", operand " << i << " " << other.type().text());
        Operands in = fn.in;
        in[i] = other;
        bool has_result = false;
        try {
          Operands sources;
          for (const Tensor& t : in)
            if (is_floating(t.dtype())) sources.push_back(t);
          GradientTape tape;
          tape.watch(sources);
          const Tensor y = fn.f(in);
          has_result = true;
          CHECK(y.to_vector<double>().size() == static_cast<std::size_t>(y.size()));
          if (!is_floating(y.dtype())) continue;
          const auto gradients = tape.gradient(y, sources, GradientOptions{.unconnected = Unconnected::zero});
          for (std::size_t k = 0; k < sources.size(); ++k) CHECK(gradients[k].type() == sources[k].type());
        } catch (const Error& e) {
          if (!fn.name.empty() && !has_result) CHECK(e.op() == fn.name);  // else a gradient too large
          CHECK(!e.op().empty());
          CHECK(e.site().find("bad_input_functions_test.cpp") != std::string::npos);
          ++refused;
        }
      }
    INFO(fn.name);
    CHECK(refused > 0);
  }
}

TEST_CASE("labels are never broadcast, of any loss", "[bad-input.15]") {
  const Tensor y = zeros({4}), column = zeros({4, 1}), classes = zeros({4}, i64);
  for (const auto loss : {nn::mse, nn::mae, nn::sigmoid_cross_entropy_with_logits}) {
    CHECK_THROWS_AS(loss(column, y), ShapeError);
    CHECK_THROWS_AS(loss(y, column), ShapeError);
    CHECK_THROWS_AS(loss(zeros({}), y), ShapeError);
    CHECK_THROWS_AS(loss(classes, y), DTypeError);
  }
  for (const double label : {-1.0, 3.0, 1e17, -0x1p63})
    CHECK_THROWS_AS(nn::softmax_cross_entropy(full({4}, label, i64), zeros({4, 3})), IndexError);
}

TEST_CASE("strides, dilations, paddings, groups and windows that can't be, of every function of windows",
          "[bad-input.11]") {
  int refused = 0;
  const auto refuse = [&](const std::function<Tensor()>& f) {
    CHECK_THROWS_AS(f(), ArgumentError);
    ++refused;
  };
  for (int axes = 1; axes <= 3; ++axes) {
    INFO(axes << " axes");
    const auto shape = [&](std::int64_t a, std::int64_t b, std::int64_t n) {
      Shape s = Shape::filled(axes + 2, n);
      s[0] = a, s[1] = b;
      return s;
    };
    const Tensor x = ones(shape(1, 4, 5)), w = ones(shape(4, 4, 3)), large = ones(shape(4, 4, 6));
    const auto conv = [&](const Tensor& weight, const ConvOptions& o) {
      return axes == 1 ? conv1d(x, weight, o) : axes == 2 ? conv2d(x, weight, o) : conv3d(x, weight, o);
    };
    const auto transposed = [&](const ConvTransposeOptions& o) {
      return axes == 1 ? conv_transpose1d(x, w, o) : axes == 2 ? conv_transpose2d(x, w, o) : conv_transpose3d(x, w, o);
    };
    const auto largest = [&](std::int64_t window, const MaxPoolOptions& o) {
      return axes == 1 ? max_pool1d(x, window, o) : axes == 2 ? max_pool2d(x, window, o) : max_pool3d(x, window, o);
    };
    const auto average = [&](std::int64_t window, const AvgPoolOptions& o) {
      return axes == 1 ? avg_pool1d(x, window, o) : axes == 2 ? avg_pool2d(x, window, o) : avg_pool3d(x, window, o);
    };
    const auto adaptive = [&](std::int64_t results) {
      return axes == 1   ? adaptive_max_pool1d(x, results)
             : axes == 2 ? adaptive_max_pool2d(x, results)
                         : adaptive_max_pool3d(x, results);
    };
    const Ints kernel = Ints::filled(axes, 3);
    for (const std::int64_t none : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
      refuse([&] { return conv(w, {.stride = none}); });
      refuse([&] { return conv(w, {.dilation = none}); });
      refuse([&] { return conv(w, {.groups = none}); });
      refuse([&] { return transposed({.stride = none}); });
      refuse([&] { return transposed({.dilation = none}); });
      refuse([&] { return largest(3, {.stride = none}); });
      refuse([&] { return largest(3, {.dilation = none}); });
      refuse([&] { return largest(none, {.stride = 1}); });
      refuse([&] { return average(3, {.stride = none}); });
      refuse([&] { return average(none, {.stride = 1}); });
      refuse([&] { return adaptive(none); });
      refuse([&] { return unfold(x, kernel, {.stride = Ints::filled(axes, none)}); });
      refuse([&] { return unfold(x, kernel, {.dilation = Ints::filled(axes, none)}); });
      refuse([&] { return unfold(x, Ints::filled(axes, none)); });
      refuse([&] { return interpolate(x, Ints::filled(axes, none)); });
    }
    for (const std::int64_t negative : {std::int64_t{-1}, INT64_MIN}) {
      refuse([&] { return conv(w, {.padding = negative}); });
      refuse([&] { return largest(3, {.padding = negative}); });
      refuse([&] { return average(3, {.padding = negative}); });
      refuse([&] { return unfold(x, kernel, {.padding = Ints::filled(axes, negative)}); });
    }
    refuse([&] { return conv(w, {.groups = 3}); });  // divide no four channels
    refuse([&] { return conv(large, {}); });         // larger than what it goes over
    refuse([&] { return conv(w, {.dilation = 3}); });
    refuse([&] { return largest(6, {}); });
    refuse([&] { return average(6, {}); });
    refuse([&] { return largest(3, {.padding = 3}); });  // a window of padding alone
    refuse([&] { return unfold(x, Ints::filled(axes, 6)); });
  }
  CHECK(refused == 3 * (3 * 15 + 2 * 4 + 7));
}

TEST_CASE("an axis out of range is an error of the function's own name, of every function that takes one",
          "[bad-input.8]") {
  const Tensor x = zeros({2, 4}), i = zeros({2, 4}, i64), one = zeros({1}, i64), yes = zeros({2, 4}, DType::boolean);
  using Axis = std::int64_t;
  const std::pair<const char*, std::function<void(Axis)>> all[] = {
      {"sum", [&](Axis a) { sum(x, a); }},
      {"prod", [&](Axis a) { prod(x, a); }},
      {"max",
       [&](Axis a) {
         max(x, {0, a});
       }},
      {"min", [&](Axis a) { min(x, a); }},
      {"any", [&](Axis a) { any(yes, a); }},
      {"all", [&](Axis a) { weft::all(yes, a); }},
      {"argmax", [&](Axis a) { argmax(x, a); }},
      {"argmin", [&](Axis a) { argmin(x, a); }},
      {"max_with_indices", [&](Axis a) { max_with_indices(x, a); }},
      {"min_with_indices", [&](Axis a) { min_with_indices(x, a); }},
      {"mean",
       [&](Axis a) {
         mean(x, {a, 1});
       }},
      {"var", [&](Axis a) { var(x, a); }},
      {"stddev", [&](Axis a) { stddev(x, a); }},
      {"nansum", [&](Axis a) { nansum(x, a); }},
      {"count_nonzero", [&](Axis a) { count_nonzero(x, a); }},
      {"norm", [&](Axis a) { norm(x, a); }},
      {"softmax", [&](Axis a) { softmax(x, a); }},
      {"log_softmax", [&](Axis a) { log_softmax(x, a); }},
      {"logsumexp", [&](Axis a) { logsumexp(x, a); }},
      {"glu", [&](Axis a) { glu(x, a); }},
      {"concat",
       [&](Axis a) {
         concat({x, x}, a);
       }},
      {"squeeze", [&](Axis a) { squeeze(x, a); }},
      {"slice_axis", [&](Axis a) { slice_axis(x, a, 0, 1); }},
      {"transpose",
       [&](Axis a) {
         transpose(x, {0, a});
       }},
      {"swap_axes", [&](Axis a) { swap_axes(x, 0, a); }},
      {"flip",
       [&](Axis a) {
         flip(x, {0, a});
       }},
      {"roll", [&](Axis a) { roll(x, 1, a); }},
      {"repeat", [&](Axis a) { repeat(x, 2, a); }},
      {"repeat",
       [&](Axis a) {
         repeat(x, {1, 2}, a);
       }},
      {"split", [&](Axis a) { split(x, 2, a); }},
      {"split",
       [&](Axis a) {
         split(x, {1, 1}, a);
       }},
      {"chunk", [&](Axis a) { chunk(x, 2, a); }},
      {"unstack", [&](Axis a) { unstack(x, a); }},
      {"cumsum", [&](Axis a) { cumsum(x, a); }},
      {"cumprod", [&](Axis a) { cumprod(x, a); }},
      {"cummax", [&](Axis a) { cummax(x, a); }},
      {"cummin", [&](Axis a) { cummin(x, a); }},
      {"linear_recurrence", [&](Axis a) { linear_recurrence(x, x, a); }},
      {"sort", [&](Axis a) { sort(x, a); }},
      {"argsort", [&](Axis a) { argsort(x, a); }},
      {"topk", [&](Axis a) { topk(x, 1, a); }},
      {"median", [&](Axis a) { median(x, a); }},
      {"quantile", [&](Axis a) { quantile(x, 0.5, a); }},
      {"diff", [&](Axis a) { diff(x, 1, a); }},
      {"gather", [&](Axis a) { gather(x, one, a); }},
      {"scatter_add", [&](Axis a) { scatter_add(x, i, x, a); }},
      {"scatter_set", [&](Axis a) { scatter_set(x, i, x, a); }},
      {"scatter_max", [&](Axis a) { scatter_max(x, i, x, a); }},
      {"scatter_min", [&](Axis a) { scatter_min(x, i, x, a); }},
      {"take_along_axis", [&](Axis a) { take_along_axis(x, i, a); }},
      {"put_along_axis", [&](Axis a) { put_along_axis(x, i, x, a); }},
      {"index_add", [&](Axis a) { index_add(x, a, one, x); }},
  };
  for (const auto& [name, f] : all)
    for (const Axis a : {Axis{2}, Axis{-3}, INT64_MAX, INT64_MIN}) {
      INFO(name << " along " << a);
      try {
        f(a);
        FAIL("no error");
      } catch (const IndexError& e) {
        CHECK(e.op() == name);
        CHECK(e.rule() == "axis " + std::to_string(a) + " out of range for rank 2 [-2, 1]");
      }
    }
}
