// Variable: identity, copies, moves, assignment; a Tensor read before stays what it was.
#include <weft/ops/variable.h>

#include "op_samples.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("a copied variable is another with the same value, a moved one keeps its identity") {
  Variable a(tensor({1, 2}), true, "a");
  Variable b = a;
  CHECK_FALSE(b.same(a));
  b.assign(tensor({3, 4}));
  CHECK_VALUES(a.value(), 1, 2);
  const auto state = a.state();
  Variable c = std::move(a);
  CHECK(c.state() == state);
  CHECK(c.name() == "a");
  CHECK_FALSE(Variable(tensor(1), false).trainable());
  CHECK_FALSE(Variable(Variable(tensor(1), false)).trainable());
}

TEST_CASE("assigning a variable assigns its value and keeps identities") {
  Variable a(tensor({1, 2})), b(tensor({3, 4}));
  const auto state = a.state();
  a = b;
  CHECK(a.state() == state);
  CHECK_VALUES(a.value(), 3, 4);
  a = std::move(b);
  CHECK(a.state() == state);
  Variable none;
  none = a;
  CHECK_FALSE(none.same(a));
  CHECK_VALUES(none.value(), 3, 4);
  const Variable& self = a;
  a = self;
  CHECK_VALUES(a.value(), 3, 4);
}

TEST_CASE("assign, assign_add and assign_sub chain and leave tensors read before alone") {
  Variable v(tensor({1, 2}));
  const Tensor before = v.value();
  v.assign_add(tensor({10, 10})).assign_sub(1);
  CHECK_VALUES(v.value(), 10, 11);
  CHECK_VALUES(before, 1, 2);
  v.assign(5);
  CHECK_VALUES(v.value(), 5, 5);
  const Tensor given = tensor({7, 8});
  v.assign(given);
  v.assign_add(1);
  CHECK_VALUES(given, 7, 8);
  v.assign(v);
  CHECK_VALUES(v.value(), 8, 9);
}

TEST_CASE("the initial tensor and a variable never share what changes") {
  const Tensor initial = tensor({1, 2});
  Variable v = initial, w = initial;
  v.assign_add(1);
  CHECK_VALUES(initial, 1, 2);
  CHECK_VALUES(w.value(), 1, 2);
  Variable t(transpose(tensor({{1, 2}, {3, 4}})));
  CHECK(t.value().is_contiguous());
  CHECK_VALUES(t.value(), 1, 3, 2, 4);
}

TEST_CASE("shape and dtype of a variable never change: the message names it") {
  Variable v(zeros({2, 3}), true, "fc.weight");
  CHECK(message_of<ShapeError>([&] {
          v.assign(zeros({3, 2}));
        }) ==
        "assign: a variable of shape [2, 3] can't hold [3, 2]\n  variable  f32[2, 3]      \"fc.weight\"\n  value     "
        "f32[3, 2]\n  at HERE");
  CHECK(message_of<DTypeError>([&] {
          v.assign(zeros({2, 3}, f64));
        }) ==
        "assign: a variable of f32 can't hold f64\n  variable  f32[2, 3]      \"fc.weight\"\n  value     f64[2, 3]\n  "
        "at HERE\n  hint: cast the value");
  CHECK_THROWS_AS(v.assign(zeros({3})), ShapeError);  // no broadcasting
  CHECK_THROWS_AS(v.assign(Tensor()), ArgumentError);
  CHECK_THROWS_AS(v.assign_add(zeros({5})), ShapeError);
  CHECK_VALUES(v.value(), 0, 0, 0, 0, 0, 0);
  Variable none;
  CHECK_THROWS_AS(none.value(), ArgumentError);
  CHECK_THROWS_AS(none.assign(1), ArgumentError);
  CHECK_THROWS_AS(v = none, ArgumentError);
  CHECK_THROWS_AS(Variable(Tensor()), ArgumentError);
  Variable i(zeros({1}, i32));
  CHECK_THROWS_AS(i.assign(0.5), DTypeError);
}

TEST_CASE("a variable keeps its name through assignments, and works in every op as its value") {
  Variable v(tensor({1, 4}), true, "v");
  v.assign(tensor({4, 9}));
  CHECK(v.value().name() == "v");
  CHECK_VALUES(sqrt(v) + v, 6, 12);
  CHECK_VALUES(2 * v, 8, 18);
  CHECK_VALUES(concat({v, v}), 4, 9, 4, 9);
  CHECK(message_of<ShapeError>([&] { v + zeros({3}); }) ==
        "add: shapes do not broadcast: [2] with [3] (2 vs 3 in dimension 1 from the back)\n  lhs  f32[2]         "
        "\"v\"\n  rhs  f32[3]\n  at HERE");
}

TEST_CASE("assignments leave no tensor behind") {
  Variable v(zeros({100}));
  const auto tensors = live_tensors();
  for (int i = 0; i < 100; ++i) v.assign_add(1);
  CHECK(live_tensors() == tensors);
  CHECK(v.value().to_vector<double>()[99] == 100);
}
