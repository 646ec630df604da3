#include <weft/tensor/roofline.h>

#include "catch.h"

using namespace weft;

TEST_CASE("the least time is that of the units that have most to do", "[roofline]") {
  Roofline machine;
  machine.operations_per_second = 8;
  machine.products_per_second = 4;
  machine.tests_per_second = 4;  // comparisons in the multipliers
  machine.sums_per_second = 2;
  machine.divisions_per_second = 1;
  machine.roots_per_second = 0.5;
  machine.products_per_division = 2;
  machine.halves_per_second = 16;
  machine.levels = {{"cache", 100, 50}, {"memory", INT64_MAX, 10}};
  const auto seconds = [&](const Arithmetic& a) { return machine.seconds(0, 0, a); };
  CHECK(seconds({.operations = 16, .products = 4}) == 2);
  CHECK(seconds({.operations = 8, .products = 8}) == 2);
  CHECK(seconds({.operations = 16, .products = 8, .comparisons = 8}) == 4);
  CHECK(seconds({.operations = 8, .sums = 8}) == 4);
  CHECK(seconds({.operations = 8, .products = 4, .comparisons = 2, .divisions = 1}) ==
        2);  // 4 + 2 + 2 in the multipliers
  CHECK(seconds({.operations = 3, .divisions = 3}) == 3);
  CHECK(seconds({.operations = 2, .divisions = 1, .roots = 1}) == 3);  // one unit
  CHECK(seconds({.halves = 32}) == 2);
  CHECK(machine.seconds(100, 100, {.operations = 8}) == 2);
  CHECK(machine.seconds(100, 101, {.operations = 8}) == 10);
}

TEST_CASE("the probes find rates, and no class of operations faster than all together", "[roofline]") {
  const Roofline r = measure_roofline(1, 1);
  for (const double rate :
       {r.products_per_second, r.tests_per_second, r.sums_per_second, r.divisions_per_second, r.roots_per_second})
    CHECK(rate > 0);
  CHECK(r.operations_per_second >= r.products_per_second);
  CHECK(r.tests_per_second >= r.products_per_second);
  CHECK(r.products_per_division >= 0);
}
