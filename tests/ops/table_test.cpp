// Every built-in op, generated from the list in ops/table.h.
#include <set>

#include <weft/ops/random.h>
#include <weft/ops/reduce.h>
#include <weft/tensor/parallel.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

namespace {
bool takes(const Op& op, const OpSample& s) {
  try {
    run(op, s);
    return true;
  } catch (const Error&) { return false; }
}

void check_same(const std::vector<Tensor>& results, const std::vector<Tensor>& expected) {
  REQUIRE(results.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK_SAME(results[i], expected[i]);
}
}  // namespace

TEST_CASE("the table lists each op once, with all that its kind needs") {
  CHECK(all_ops().size() == BuiltinOps::size);
  std::set<std::string_view> names;
  for (const Op* op : all_ops()) {
    INFO(op->name);
    CHECK(names.insert(op->name).second);
    CHECK(op->infer);
    CHECK(op->outputs >= 1);
    if (op->kind == OpKind::elementwise)
      CHECK(op->formula);
    else if (op->kind == OpKind::view)
      CHECK(op->view);
    else
      CHECK(op->run);
    CHECK(op->differentiable == (op->vjp != nullptr));
  }
}

TEST_CASE("op_of gives the op that stands in the table") {
  std::size_t i = 0;
  each_op([&]<class Struct>() { CHECK(all_ops()[i++] == &op_of<Struct>()); });
}

TEST_CASE("every elementwise op of one type has loops for each type it accepts, and refuses all others") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      for (DType t : all_dtypes) {
        INFO(Struct::name << " of " << name_of(t));
        const OpSample s = Sampler<Struct>::sample({2, 3}, t, random);
        if (Sampler<Struct>::accepts(t)) {
          CHECK(op_of<Struct>().loops()->by_type[static_cast<int>(compute_type(t))]);
          CHECK(run(op_of<Struct>(), s)[0].dtype() == (Struct::boolean_result ? DType::boolean : t));
        } else {
          CHECK_THROWS_AS(run(op_of<Struct>(), s), DTypeError);
        }
      }
    }
  });
}

TEST_CASE("operands of different types are refused by every op of two") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      if (arity<Struct>() < 2 || Struct::accepts == Accepts::booleans) return;
      INFO(Struct::name);
      OpSample s = Sampler<Struct>::sample({2, 3}, f32, random);
      s.in.back() = cast(s.in.back(), f64);
      CHECK_THROWS_AS(run(op_of<Struct>(), s), DTypeError);
    }
  });
}

TEST_CASE("other types than an op accepts are DTypeErrors, of every op") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (!is_plain_elementwise<Struct>) {
      for (DType t : {i32, DType::boolean, f32}) {
        if (Sampler<Struct>::accepts(t) || std::is_same_v<Struct, Uniform>) continue;
        INFO(Struct::name << " of " << name_of(t));
        for (OpSample s : Sampler<Struct>::samples(t, random)) CHECK_THROWS_AS(run(op_of<Struct>(), s), DTypeError);
      }
    }
  });
}

TEST_CASE("an undefined operand is an ArgumentError of every op") {
  each_sample([](const Op& op, OpSample s) {
    for (Tensor& t : s.in) {
      const Tensor kept = t;
      t = {};
      CHECK_THROWS_AS(run(op, s), ArgumentError);
      t = kept;
    }
  });
}

TEST_CASE("the elements' layout changes no bit of any op") {
  each_sample([](const Op& op, OpSample s) {
    const std::vector<Tensor> expected = run(op, s);
    for (Tensor& t : s.in) {
      const Tensor kept = t;
      for (const Tensor& other : laid_out_otherwise(kept)) {
        CHECK_SAME(other, kept);
        t = other;
        check_same(run(op, s), expected);
      }
      t = kept;
    }
  });
}

TEST_CASE("an operand of stride 0 gives the bits of one that is written out, of every op") {
  each_sample([](const Op& op, OpSample s) {
    for (Tensor& t : s.in) {
      const Tensor kept = t;
      for (int axis = 0; axis < kept.rank(); ++axis) {
        if (kept.shape()[axis] == 0) continue;
        const Tensor stretched = broadcast_to(slice_axis(kept, axis, 0, 1), kept.shape());
        t = contiguous(stretched);
        const std::vector<Tensor> expected = run(op, s);
        t = stretched;
        check_same(run(op, s), expected);
      }
      t = kept;
    }
  });
}

TEST_CASE("one tensor as several operands gives the bits of as many that are equal") {
  int ops = 0;
  each_sample([&](const Op& op, OpSample s) {
    for (std::size_t i = 0; i < s.in.size(); ++i)
      for (std::size_t k = 0; k < i; ++k) {
        if (s.in[i].type() != s.in[k].type()) continue;
        OpSample alias = s, copies = s;
        alias.in[i] = alias.in[k];
        copies.in[i] = Tensor::allocate(s.in[k].type());
        copy_elements(s.in[k].view(), copies.in[i].view());
        if (!takes(op, copies)) continue;  // numbers as indices, say
        check_same(run(op, alias), run(op, copies));
        ++ops;
      }
  });
  CHECK(ops > 50);
}

TEST_CASE("every rank from 0 to the largest passes through every elementwise op and reduction") {
  Random random;
  each_op([&]<class Struct>() {
    const DType t = usual_type<Struct>();
    INFO(Struct::name);
    for (int rank = 0; rank <= max_rank; ++rank) {
      Shape shape = Shape::filled(rank, 1);
      for (int i = 0; i < rank; i += 3) shape[i] = 2;
      if constexpr (is_plain_elementwise<Struct>) {
        CHECK(run(op_of<Struct>(), Sampler<Struct>::sample(shape, t, random))[0].shape() == shape);
      } else if constexpr (std::is_base_of_v<ReductionBase, Struct>) {
        const Tensor x = random_tensor(random, shape, t);
        CHECK(run(op_of<Struct>(), {ReduceAttrs{0, rank}, {x}})[0].rank() == 0);
        CHECK_SAME(run(op_of<Struct>(), {ReduceAttrs{rank, rank}, {x}})[0], x);
      }
    }
  });
}

TEST_CASE("an operand broadcast by strides gives the bits of one that is not") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      const DType t = Sampler<Struct>::any_type;
      INFO(Struct::name);
      for (const Shape& from : {Shape{}, Shape{1, 1}, Shape{4}, Shape{3, 1}}) {
        OpSample s = Sampler<Struct>::sample({3, 4}, t, random), dense = s;
        for (std::size_t i = 0; i < s.in.size(); ++i) {
          s.in[i] = broadcast_to(Sampler<Struct>::sample(from, t, random).in[i], {3, 4});
          dense.in[i] = contiguous(s.in[i]);
          CHECK_SAME(run(op_of<Struct>(), s)[0], run(op_of<Struct>(), dense)[0]);
        }
      }
    }
  });
}

TEST_CASE("empty tensors pass through every elementwise op") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      const DType t = Sampler<Struct>::any_type;
      INFO(Struct::name);
      for (const Shape& shape : {Shape{0}, Shape{2, 0, 3}, Shape{0, std::int64_t{1} << 40}})
        CHECK(run(op_of<Struct>(), Sampler<Struct>::sample(shape, t, random))[0].shape() == shape);
    }
  });
}

TEST_CASE("every op has samples of no elements") {
  Random random;
  for (const SampledOp& s : sampled_ops()) {
    INFO(s.op->name);
    const DType t = *std::find_if(std::begin(all_dtypes), std::end(all_dtypes), s.accepts);
    const auto none = [](const std::vector<Tensor>& list) {
      return std::any_of(list.begin(), list.end(), [](const Tensor& x) { return x.size() == 0; });
    };
    bool found = false;
    for (const OpSample& sample : s.samples(t, random)) found = found || none(sample.in) || none(run(*s.op, sample));
    CHECK(found);
  }
}

TEST_CASE("a result that is stored past the caches has the bits of one that is not") {
  random::Generator generator(1);
  const std::int64_t n = (8 << 20) + 1037, half = n / 2 + 3;
  const Tensor x = random::uniform({n}, -3, 3, f32, generator);
  const auto part = [&](std::int64_t begin, std::int64_t end) { return contiguous(slice_axis(x, 0, begin, end)); };
  const Tensor pieces = concat({exp(part(0, half)) + part(0, half), exp(part(half, n)) + part(half, n)});
  CHECK(all(equal(exp(x) + x, pieces)).item<bool>());
}

TEST_CASE("the 16-bit floats are computed in f32 and rounded once") {
  Random random;
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      for (DType t : {DType::bf16, DType::f16}) {
        if (!Sampler<Struct>::accepts(t)) continue;
        INFO(Struct::name << " of " << name_of(t));
        const OpSample s = Sampler<Struct>::sample({5, 300}, t, random);
        OpSample wide = s;
        for (Tensor& x : wide.in)
          if (x.dtype() == t) x = cast(x, f32);
        const Tensor expected = run(op_of<Struct>(), wide)[0];
        CHECK_SAME(run(op_of<Struct>(), s)[0], expected.dtype() == f32 ? cast(expected, t) : expected);
      }
    }
  });
}

TEST_CASE("one thread and two give the same bits, elementwise") {
  Random random;
  const int before = num_threads();
  const Shape shape{3, 16'400};  // three tasks and a ragged end
  each_op([&]<class Struct>() {
    if constexpr (is_plain_elementwise<Struct>) {
      INFO(Struct::name);
      const OpSample s = Sampler<Struct>::sample(shape, Sampler<Struct>::any_type, random);
      set_num_threads(1);
      const Tensor one = run(op_of<Struct>(), s)[0];
      set_num_threads(std::min(2, before));
      CHECK_SAME(run(op_of<Struct>(), s)[0], one);
    }
  });
  set_num_threads(before);
}
