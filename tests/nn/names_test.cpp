// Both namespaces at once, and names of one's own that ops have inside the library.
#include <weft/weft.h>

#include "catch.h"

using namespace weft;
using namespace weft::nn;

namespace {

struct Add {
  Linear left{2, 3}, right{2, 3};
  WEFT_MEMBERS(left, right)
  Tensor operator()(const Tensor& x) const { return left(x) + right(x); }
};
struct Log {
  Sigmoid squash;
  Tanh turn;
  WEFT_MEMBERS(squash, turn)
  Tensor operator()(const Tensor& x) const { return log(squash(turn(x))); }
};
struct Model {};
struct Generator {};
struct Context {};
struct Round {};
struct Where {};
struct Sum {};
struct MatMul {};
struct Attention {};

}  // namespace

TEST_CASE("weft and weft::nn name nothing twice, and leave the names of ops, Model and Generator to users") {
  const auto model = Sequential(Add(), Relu(), BatchNorm(3), Gelu(), LayerNorm({3}), Log());
  CHECK(model(ones({4, 2})).shape() == Shape{4, 3});
  [[maybe_unused]] const std::tuple<Model, Generator, Context, Round, Where, Sum, MatMul, Attention> own;
}
