// What stands in other frameworks where Weft has an axis or a flag does not compile: it would become a number or true.
#include <weft/weft.h>

#include "catch.h"

using namespace weft;

#define COMPILES(expression)                     \
  ([]<class T>(T*) {                             \
    return requires(const T& x) { expression; }; \
  }(static_cast<Tensor*>(nullptr)))

TEST_CASE("an axis is an integer: no bool, no fraction, no braces of nothing") {
  enum Named { batch, channels };
  STATIC_REQUIRE((COMPILES(sum(x, channels)) && COMPILES(softmax(x, batch)) && COMPILES(sort(x, 1, true))));
  STATIC_REQUIRE((COMPILES(sum(x, {})) && COMPILES(median(x, {0, 1}, true)) && COMPILES(sum(x, Ints{0}, true))));
  STATIC_REQUIRE(!COMPILES(sum(x, true)));
  STATIC_REQUIRE(!COMPILES(mean(x, 0.5)));
  STATIC_REQUIRE(!COMPILES(sort(x, true)));
  STATIC_REQUIRE(!COMPILES(cumsum(x, true)));
  STATIC_REQUIRE(!COMPILES(softmax(x, 0.9)));
  STATIC_REQUIRE(!COMPILES(softmax(x, {})));
  STATIC_REQUIRE(!COMPILES(argmax(x, true)));
  STATIC_REQUIRE(!COMPILES(roll(x, 1, true)));
  STATIC_REQUIRE(!COMPILES(sum(x, f64)));
  STATIC_REQUIRE(!COMPILES(softmax(x, f32)));
}

TEST_CASE("a flag is a bool: no mode by name, no second axis, no rate") {
  STATIC_REQUIRE((COMPILES(gelu(x, true)) && COMPILES(meshgrid({x, x}, true)) && COMPILES(searchsorted(x, x, false))));
  STATIC_REQUIRE((COMPILES(sum(x, 0, std::vector<bool>{true}[0])) && COMPILES(gelu(x, std::true_type{}))));
  STATIC_REQUIRE(!COMPILES(sum(x, 0, std::optional<bool>{})));
  STATIC_REQUIRE(!COMPILES(gelu(x, "tanh")));
  STATIC_REQUIRE(!COMPILES(meshgrid({x, x}, "ij")));
  STATIC_REQUIRE(!COMPILES(searchsorted(x, x, "left")));
  STATIC_REQUIRE(!COMPILES(triangular_solve(x, x, "upper")));
  STATIC_REQUIRE(!COMPILES(global_avg_pool(x, "last")));
  STATIC_REQUIRE(!COMPILES(sum(x, 0, 1)));
  STATIC_REQUIRE(!COMPILES(sum(x, 0, std::int64_t{1})));
  STATIC_REQUIRE(!COMPILES(mean(x, 0, 1)));
  STATIC_REQUIRE(!COMPILES(mean(x, 0, 1.0)));
  STATIC_REQUIRE(!COMPILES(Variable(x, "w")));
  STATIC_REQUIRE(!COMPILES(nn::Linear(2, 10, "relu")));
  STATIC_REQUIRE(!COMPILES(nn::LSTM(2, 10, 2)));
  STATIC_REQUIRE(!COMPILES(nn::MultiHeadAttention(8, 2, 0.1)));
}
