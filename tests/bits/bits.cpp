// Prints a line for each op, for kernels at sizes that threads share, and for runs of training: a name and a digest of
// all bits that came out. compare.cmake runs it on every instruction set and number of threads; the lines are the same.
#include <weft/weft.h>

#include <cstdio>

#include "../op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {

struct Digest {
  std::uint64_t sum = 0x5765667400000001u;
  void add(const Tensor& t) {
    for (const std::uint64_t b : bits_of(t)) sum = (sum ^ b) * 0x9E3779B97F4A7C15u, sum ^= sum >> 32;
  }
  void print(std::string_view what, DType t) const {
    std::printf("%.*s %.*s %016lx\n", static_cast<int>(what.size()), what.data(), static_cast<int>(name_of(t).size()),
                name_of(t).data(), static_cast<unsigned long>(sum));
  }
};

// Long rows besides the samples: several tasks for threads, whole vectors and a ragged end.
template <class Struct> void each_op_line(Random& random) {
  for (DType t : all_dtypes) {
    if (!Sampler<Struct>::accepts(t)) continue;
    Digest d;
    for (const OpSample& s : Sampler<Struct>::samples(t, random))
      for (const Tensor& out : run(op_of<Struct>(), s)) d.add(out);
    if constexpr (is_plain_elementwise<Struct>)
      d.add(run(op_of<Struct>(), Sampler<Struct>::sample({3, 11'003}, t, random))[0]);
    d.print(Struct::name, t);
  }
}

void reductions(Random& random, DType t) {
  Digest d;
  for (const Shape& shape : {Shape{3, 20'001}, Shape{20'001, 3}, Shape{17, 33, 65}}) {
    const Tensor x = random_tensor(random, shape, t);
    for (const Axes& axes : {Axes(), Axes(0), Axes(-1)}) {
      for (const Tensor& y :
           {sum(x, axes), max(x, axes), min(x, axes), mean(x, axes), var(x, axes), logsumexp(x, axes)})
        d.add(y);
    }
    d.add(softmax(x, 0));
    d.add(log_softmax(x));
  }
  d.print("reductions", t);
}

void products(Random& random, DType t) {
  Digest d;
  for (const auto& [m, k, n] : {std::array{1, 1, 1}, {3, 5, 7}, {64, 784, 128}, {300, 65, 33}, {5, 2000, 6}}) {
    const Tensor a = random_tensor(random, {m, k}, t), b = random_tensor(random, {k, n}, t);
    d.add(matmul(a, b));
    d.add(matmul(transpose(contiguous(transpose(a))), transpose(contiguous(transpose(b)))));
  }
  d.add(matmul(random_tensor(random, {6, 9, 10}, t), random_tensor(random, {6, 10, 11}, t)));
  d.print("products", t);
}

// In several pieces of the minibatch.
void convolutions(Random& random, DType t) {
  const ConvAttrs a{Windows::over({14, 14}, {3, 3}, 1, Pad::same, 1), 1};
  const Tensor x = random_tensor(random, {13, 14, 14, 16}, t), w = random_tensor(random, {24, 16, 3, 3}, t),
               y = random_tensor(random, {13, 14, 14, 24}, t);
  Digest d;
  d.add(apply<Conv>({x, w}, a));
  d.add(apply<ConvInput>({y, w}, a));
  d.add(apply<ConvWeight>({x, y}, a));
  d.print("convolutions", t);
}

// What f gives of x, and its gradient of random cotangents.
template <class F> void add_with_gradient(Digest& d, Random& random, const Tensor& x, F f) {
  GradientTape tape;
  tape.watch(x);
  const Tensor y = f(x);
  d.add(y);
  d.add(tape.gradient(y, x, GradientOptions{.output_gradients = {random_tensor(random, y.shape(), y.dtype())}}));
}

// The kernels below share their work out from some 2^15 elements on: these are larger, with ragged ends.
void indexing(Random& random, DType t) {
  const auto picks = [&](std::int64_t n, std::int64_t below) {
    return random_tensor(random, {n}, i64, 0, static_cast<double>(below));
  };
  Digest d;
  const Tensor table = random_tensor(random, {300, 131}, t), indices = picks(600, 300),
               updates = random_tensor(random, {600, 131}, t);
  const Tensor wide = random_tensor(random, {3, 50, 131}, t), columns = picks(90, 50),
               more = random_tensor(random, {3, 90, 131}, t);
  d.add(gather(table, indices));
  for (const auto scatter : {scatter_add, scatter_set, scatter_max, scatter_min}) {
    d.add(scatter(table, indices, updates, 0));
    d.add(scatter(wide, columns, more, 1));
  }
  if (is_floating(t))
    add_with_gradient(d, random, table, [&](const Tensor& x) { return scatter_max(x, indices, gather(x, indices)); });
  d.print("indexing", t);
}

void order(Random& random, DType t) {
  Digest d;
  for (const Shape& shape : {Shape{3, 20'011}, Shape{20'011, 3}, Shape{70, 7, 131}}) {
    const Tensor x = random_tensor(random, shape, t, -1, 1);
    for (const std::int64_t axis : {0, -1}) {
      d.add(argsort(x, axis));
      d.add(argmax(x, axis));
      for (const bool reverse : {false, true}) {
        for (const Tensor& y : {cumsum(x, axis, reverse), cumprod(x, axis, reverse), cummax(x, axis, reverse).indices,
                                linear_recurrence(x, x, axis, reverse)})
          d.add(y);
      }
    }
    d.add(searchsorted(sort(reshape(x, {-1})), reshape(x, {-1})));
    add_with_gradient(d, random, x, [](const Tensor& v) { return cumprod(cumsum(v, 0)) + sort(v, -1, true); });
  }
  d.print("order", t);
}

void pools(Random& random, DType t) {
  Digest d;
  const Tensor x = random_tensor(random, {5, 67, 13, 11}, t, -3, 3);
  add_with_gradient(d, random, x, [](const Tensor& v) { return max_pool2d(v, 3, {.stride = 2, .padding = 1}); });
  add_with_gradient(d, random, x, [](const Tensor& v) { return avg_pool2d(v, {3, 2}, {.stride = 1}); });
  add_with_gradient(d, random, x, [](const Tensor& v) { return adaptive_max_pool2d(v, {4, 7}); });
  add_with_gradient(d, random, x, [](const Tensor& v) { return adaptive_avg_pool2d(v, {5, 3}); });
  d.print("pools", t);
}

void attentions(Random& random, DType t) {
  Digest d;
  const Tensor keys = random_tensor(random, {5, 83, 24}, t), values = random_tensor(random, {5, 83, 17}, t),
               queries = random_tensor(random, {5, 71, 24}, t), sees = random_tensor(random, {71, 83}, DType::boolean);
  for (const AttentionOptions& options : {AttentionOptions{}, {.causal = true}, {.mask = sees}}) {
    const auto attend = [&](const Tensor& q, const Tensor& k, const Tensor& v) {
      return scaled_dot_product_attention(q, k, v, options);
    };
    add_with_gradient(d, random, queries, [&](const Tensor& q) { return attend(q, keys, values); });
    add_with_gradient(d, random, keys, [&](const Tensor& k) { return attend(queries, k, values); });
    add_with_gradient(d, random, values, [&](const Tensor& v) { return attend(queries, keys, v); });
  }
  d.print("attentions", t);
}

// A batch of matrices, which threads share out; and one alone.
void factorisations(Random& random, DType t) {
  Digest d;
  for (const Shape& shape : {Shape{37, 9, 9}, Shape{1, 40, 40}}) {
    const Tensor far = cast(arange(0, static_cast<double>(shape.back())) * 3 + 9, t) * eye(shape.back(), t);
    const Tensor x = random_tensor(random, shape, t, -1, 1) + far, b = random_tensor(random, shape, t, -1, 1);
    add_with_gradient(d, random, x, [](const Tensor& a) { return cholesky(matmul(a, swap_axes(a, -1, -2))); });
    add_with_gradient(d, random, x, [&](const Tensor& a) { return solve(a, b) + triangular_solve(a, b); });
    add_with_gradient(d, random, x, [](const Tensor& a) { return slogdet(a).logabsdet + det(a * 0.1); });
    add_with_gradient(d, random, x, [](const Tensor& a) { return qr(a).q + qr(a).r; });
    add_with_gradient(d, random, x, [](const Tensor& a) { return eigh(a).vectors * expand(eigh(a).values, -1); });
    add_with_gradient(d, random, x, [](const Tensor& a) { return svd(a).u * expand(svd(a).s, -1) + svd(a).vh; });
  }
  d.print("factorisations", t);
}

void draws(DType t) {
  random::Generator g(3);
  Digest d;
  d.add(random::uniform({40'003}, -1, 1, t, g));
  d.add(random::normal({40'003}, 0, 1, t, g));
  d.add(random::gamma({20'003}, 0.7, 1, t, g));
  d.add(random::permutation(20'003, g));
  d.print("draws", t);
}

// Layers with their gradients, at sizes of several panels, tasks and vectors.
void layers(Random& random, DType t) {
  random::Generator g(9);
  const nn::LayerNorm norm({50}, 1e-5, true, true, t);
  const nn::MultiHeadAttention attention(50, 5, true, nn::init::glorot_uniform, t, g);
  const nn::LSTM lstm(50, 20, true, t, g);
  const nn::BatchNorm batch_norm(40, 1e-5, 0.1, true, t);
  const Tensor x = random_tensor(random, {3, 40, 50}, t);
  Digest d;
  GradientTape tape;
  tape.watch(x);
  const Tensor y = lstm(attention(norm(batch_norm(x)), {.causal = true})).first;
  d.add(y);
  d.add(tape.gradient(sum(square(y)), x));
  d.add(random::truncated_normal({1001}, -2, 2, 0, 1, t, g));
  d.add(random::categorical(y, 3, g));
  d.print("layers", t);
}

// A whole step with everything in it, eager or compiled.
void training(DType t, bool compiled) {
  random::Generator g(7);
  nn::Linear a(20, 64, true, nn::init::he_uniform, t, g), b(64, 10, true, nn::init::glorot_uniform, t, g);
  const nn::Dropout drop(0.1, g);
  const Tensor x = random::normal({200, 20}, 0, 1, t, g), y = argmax(slice(x, {0, 0}, {200, 10}), 1);
  const auto list = [&] {
    nn::Parameters all = nn::parameters(a);
    for (const auto& p : nn::parameters(b)) all.push_back(p);
    return all;
  }();
  nn::AdamW opt(list, {.learning_rate = 1e-2});
  const auto plain = [&](const Tensor& in, const Tensor& labels) {
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(labels, b(drop(gelu(a(in))))));
    auto [wa, ba, wb, bb] = tape.gradient(loss, a.weight, *a.bias, b.weight, *b.bias);
    std::vector<Tensor> gradients = {wa, ba, wb, bb};
    nn::clip_by_global_norm(gradients, 1);
    opt.apply({{a.weight, gradients[0]}, {*a.bias, gradients[1]}, {b.weight, gradients[2]}, {*b.bias, gradients[3]}});
    return loss;
  };
  auto step = compile(plain);
  Digest d;
  for (int i = 0; i < 20; ++i) d.add(compiled ? step(x, y) : plain(x, y));
  for (const auto& p : list) d.add(p.variable());
  for (const auto& p : opt.state()) d.add(p.variable());
  d.print("training", t);  // one name for both: they, too, are the same bits
}

}  // namespace

int main() {
  Random random(5);
  each_op([&]<class Struct>() { each_op_line<Struct>(random); });
  for (DType t : {f32, f64, DType::bf16}) reductions(random, t);
  for (DType t : {f32, f64, DType::bf16}) products(random, t);
  for (DType t : {f32, f64, DType::bf16}) convolutions(random, t);
  for (DType t : {f32, f64, DType::bf16, i32}) indexing(random, t);
  for (DType t : {f32, f64}) {
    order(random, t);
    pools(random, t);
    attentions(random, t);
    factorisations(random, t);
    draws(t);
    layers(random, t);
  }
  for (DType t : {f32, f64}) {
    training(t, false);
    training(t, true);
  }
}
