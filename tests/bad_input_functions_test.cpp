// Public functions of several operands that are no op of the table, and layers: each operand in turn of another shape,
// rank or dtype than the others ask for, its gradients taken too (bad-input rows 9, 11, 13, 15, 16, 17, 19). Their
// messages: bad_input_test.cpp and its neighbours.
#include <weft/weft.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "declarations.h"
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
  const nn::Conv2d conv(2, 3, 2);
  const nn::BatchNorm norm(3);
  const nn::MultiHeadAttention heads(4, 2);
  std::vector<Function> list = {
      // losses (row 15)
      {"mse", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::mse(o[0], o[1]); }},
      {"mae", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::mae(o[0], o[1]); }},
      {"huber", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::huber(o[0], o[1]); }},
      {"sigmoid_cross_entropy_with_logits",
       {x({4, 3}), x({4, 3})},
       [](auto& o) { return nn::sigmoid_cross_entropy_with_logits(o[0], o[1]); }},
      {"binary_cross_entropy", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::binary_cross_entropy(o[0], o[1]); }},
      {"kl_divergence", {x({4, 3}), x({4, 3})}, [](auto& o) { return nn::kl_divergence(o[0], o[1]); }},
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
      {"scaled_dot_product_attention",
       {x({2, 3, 4}), x({2, 5, 4}), x({2, 5, 2}), x({3, 5}) > 0},
       [](auto& o) { return scaled_dot_product_attention(o[0], o[1], o[2], {.mask = o[3]}); }},
      {"scaled_dot_product_attention",
       {x({2, 3, 4}), x({2, 5, 4}), x({2, 5, 2}), x({2, 3, 5})},
       [](auto& o) { return scaled_dot_product_attention(o[0], o[1], o[2], {.mask = o[3]}); }},
      {"", {x({2, 3, 4})}, [=](auto& o) { return heads(o[0]); }},
      {"", {x({1, 2, 4, 4})}, [=](auto& o) { return conv(o[0]); }},
      {"", {x({2, 3, 4})}, [=](auto& o) { return norm(o[0]); }},
      {"embedding", {numbers({4}, 5), x({5, 2})}, [](auto& o) { return nn::embedding(o[0], o[1]); }},
      {"glu", {x({2, 4})}, [](auto& o) { return glu(o[0]); }},
      {"prelu", {x({2, 3}), x({3})}, [](auto& o) { return prelu(o[0], o[1]); }},
      // indices (row 13)
      {"gather", {x({3, 4}), numbers({2}, 4)}, [](auto& o) { return gather(o[0], o[1], 1); }},
      {"scatter_add", {x({3, 4}), numbers({2}, 3), x({2, 4})}, [](auto& o) { return scatter_add(o[0], o[1], o[2]); }},
      {"scatter_set",
       {x({3, 4}), numbers({2}, 3), x({3, 2})},
       [](auto& o) { return scatter_set(o[0], o[1], o[2], 1); }},
      {"scatter_max", {x({3, 4}), numbers({2}, 3), x({2, 4})}, [](auto& o) { return scatter_max(o[0], o[1], o[2]); }},
      {"scatter_min", {x({3, 4}), numbers({2}, 3), x({2, 4})}, [](auto& o) { return scatter_min(o[0], o[1], o[2]); }},
      {"index_put", {x({3, 4}), numbers({2}, 3), x({2, 4})}, [](auto& o) { return index_put(o[0], {o[1]}, o[2]); }},
      {"index_put", {x({3, 4}), x({3, 4}) > 1, x({})}, [](auto& o) { return index_put(o[0], {o[1]}, o[2], true); }},
      {"index",
       {x({3, 4, 2}), numbers({2}, 3), numbers({2, 1}, 2)},
       [](auto& o) {
         return o[0][{o[1], Slice(), o[2]}];
       }},
      {"masked_select", {x({3, 4}), x({4}) > 1}, [](auto& o) { return masked_select(o[0], o[1]); }},
      {"searchsorted", {sort(x({2, 5})), x({2, 3})}, [](auto& o) { return searchsorted(o[0], o[1]); }},
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
      {"einsum", {x({2, 3}), x({3, 4})}, [](auto& o) { return einsum("ij,jk->ik", {o[0], o[1]}); }},
      {"kron", {x({2, 3}), x({2, 2})}, [](auto& o) { return kron(o[0], o[1]); }},
      {"cross", {x({4, 3}), x({4, 3})}, [](auto& o) { return cross(o[0], o[1]); }},
      {"isclose", {x({4, 3}), x({4, 3})}, [](auto& o) { return isclose(o[0], o[1]); }},
      {"bincount", {numbers({4}, 3), x({4})}, [](auto& o) { return bincount(o[0], 3, o[1]); }},
      {"cdist", {x({4, 3}), x({2, 3})}, [](auto& o) { return cdist(o[0], o[1]); }},
      {"solve", {eye(3, f32) * 2, x({3, 2})}, [](auto& o) { return solve(o[0], o[1]); }},
      {"triangular_solve", {eye(3, f32) * 2, x({3, 2})}, [](auto& o) { return triangular_solve(o[0], o[1]); }},
      {"outer", {x({3}), x({2})}, [](auto& o) { return outer(o[0], o[1]); }},
      {"tensordot", {x({2, 3, 4}), x({4, 2})}, [](auto& o) { return tensordot(o[0], o[1], {0, -1}, {1, 0}); }},
      {"inv", {eye(3, f32) * 2}, [](auto& o) { return inv(o[0]); }},
      {"where", {x({2, 3}) > 1, x({3}), x({2, 1})}, [](auto& o) { return where(o[0], o[1], o[2]); }},
      {"clip", {x({3}), x({3}), x({3})}, [](auto& o) { return clip(o[0], o[1], o[2]); }},
      {"lerp", {x({3}), x({3}), x({3})}, [](auto& o) { return lerp(o[0], o[1], o[2]); }},
      {"concat", {x({2, 3}), x({4, 3})}, [](auto& o) { return concat({o[0], o[1]}); }},
      {"", {x({2, 3}), x({2, 3})}, [](auto& o) { return stack({o[0], o[1]}); }},
      {"linear_recurrence", {x({2, 3}), x({2, 3})}, [](auto& o) { return linear_recurrence(o[0], o[1]); }},
      // windows (row 11)
      {"conv1d", {x({2, 4, 5}), x({6, 2, 3}), x({6})}, [](auto& o) { return conv1d(o[0], o[1], o[2], {.groups = 2}); }},
      {"conv2d", {x({1, 2, 4, 4}), x({3, 2, 2, 2}), x({3})}, [](auto& o) { return conv2d(o[0], o[1], o[2]); }},
      {"conv_transpose2d",
       {x({1, 2, 4, 4}), x({2, 3, 2, 2}), x({3})},
       [](auto& o) { return conv_transpose2d(o[0], o[1], o[2]); }},
      {"conv3d", {x({1, 2, 3, 4, 4}), x({3, 2, 2, 2, 1}), x({3})}, [](auto& o) { return conv3d(o[0], o[1], o[2]); }},
      {"conv_transpose1d",
       {x({2, 4, 5}), x({4, 3, 2}), x({6})},
       [](auto& o) { return conv_transpose1d(o[0], o[1], o[2], {.groups = 2}); }},
      {"conv_transpose3d",
       {x({1, 2, 3, 4, 4}), x({2, 3, 2, 2, 1}), x({3})},
       [](auto& o) { return conv_transpose3d(o[0], o[1], o[2]); }},
      {"max_pool1d", {x({1, 2, 4})}, [](auto& o) { return max_pool1d(o[0], 2); }},
      {"max_pool3d", {x({1, 2, 4, 4, 2})}, [](auto& o) { return max_pool3d(o[0], 2); }},
      {"avg_pool1d", {x({1, 2, 4})}, [](auto& o) { return avg_pool1d(o[0], 2); }},
      {"avg_pool3d", {x({1, 2, 4, 4, 2})}, [](auto& o) { return avg_pool3d(o[0], 2); }},
      {"adaptive_max_pool2d", {x({1, 2, 4, 4})}, [](auto& o) { return adaptive_max_pool2d(o[0], {3, 1}); }},
      {"global_max_pool", {x({1, 2, 4, 4})}, [](auto& o) { return global_max_pool(o[0]); }},
      {"global_avg_pool", {x({1, 2, 4, 4})}, [](auto& o) { return global_avg_pool(o[0]); }},
      {"pixel_shuffle", {x({1, 4, 2, 3})}, [](auto& o) { return pixel_shuffle(o[0], 2); }},
      {"pixel_unshuffle", {x({1, 1, 4, 2})}, [](auto& o) { return pixel_unshuffle(o[0], 2); }},
      {"max_pool2d", {x({1, 2, 4, 4})}, [](auto& o) { return max_pool2d(o[0], 2); }},
      {"avg_pool2d", {x({1, 2, 4, 4})}, [](auto& o) { return avg_pool2d(o[0], 2); }},
      {"adaptive_avg_pool2d", {x({1, 2, 4, 4})}, [](auto& o) { return adaptive_avg_pool2d(o[0], 3); }},
      {"unfold", {x({1, 2, 4, 4})}, [](auto& o) { return unfold(o[0], {2, 2}); }},
      {"fold", {x({1, 8, 9})}, [](auto& o) { return fold(o[0], {4, 4}, {2, 2}); }},
      {"interpolate", {x({1, 2, 4, 3})}, [](auto& o) { return interpolate(o[0], {7, 2}); }},
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

TEST_CASE("every public function of several operands is in the list of those given what does not fit") {
  std::set<std::string> listed;
  for (const Function& fn : functions()) listed.insert(fn.name);
  for (const Op* op : all_ops())  // tests/ops/unfit_test.cpp; the public functions are one template
    if (op->kind == OpKind::elementwise) listed.emplace(op->name);
  int several = 0;
  for (const Declaration& d : declared_functions()) {
    if (occurrences(d.parameters, "const Arg& ") < 2 || d.name == "operator") continue;
    INFO(d.name << "(" << d.parameters << ")");
    CHECK(listed.count(d.name) == 1);
    ++several;
  }
  CHECK(several > 60);
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
