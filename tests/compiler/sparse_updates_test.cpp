// Sparse updates: what a compiled step makes of an update that consumes the gradient of a gather. The bits are those of
// the dense one that eager code makes.
#include <weft/weft.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <functional>

#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = INFINITY;

bool contains(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }
Tensor ints(std::initializer_list<std::int64_t> v) { return from_vector(std::vector<std::int64_t>(v)); }

random::Generator of_tables(5);

// A table with the numbers that are special to an update.
Tensor table_of(const Shape& shape, DType dtype = f32) {
  const Tensor specials = tensor({0.0, -0.0, inf, -inf, NAN, 1e-40, -1e-40, 1.0});
  const Tensor which = cast(floor(random::uniform(shape, 0, 40, f32, of_tables)), i64);
  const Tensor special = cast(gather(specials, where(which < 8, which, 0)), dtype);
  return where(which < 8, special, cast(random::normal(shape, 0, 1, f32, of_tables), dtype));
}

using Update = std::function<void(Variable& table, Variable& slot, const Tensor& gradient, const Tensor& rate)>;
using Loss = std::function<Tensor(const Tensor& table, const Tensor& indices)>;

// The same steps, eager and compiled, from the same state; every bit is compared. Gives what was compiled.
std::string check_steps(const Tensor& start, const Loss& loss, const Update& update, const std::vector<Tensor>& indices,
                        const std::vector<double>& rates = {0.1, 0.05, 0.2}) {
  Variable table(start), slot(full(start.shape(), 0.5, start.dtype()));
  const auto plain = [&](const Tensor& i, const Tensor& rate) {
    GradientTape tape;
    const Tensor l = loss(table, i);
    update(table, slot, tape.gradient(l, table), rate);
    return l;
  };
  auto compiled = compile(plain);
  std::vector<Tensor> expected;
  for (std::size_t k = 0; k < rates.size(); ++k) {
    plain(indices[k % indices.size()], full({}, rates[k], start.dtype()));
    expected.push_back(table);
    expected.push_back(slot);
  }
  table.assign(start);
  slot.assign(full(start.shape(), 0.5, start.dtype()));
  for (std::size_t k = 0; k < rates.size(); ++k) {
    compiled(indices[k % indices.size()], full({}, rates[k], start.dtype()));
    CHECK_SAME(table.value(), expected[2 * k]);
    CHECK_SAME(slot.value(), expected[2 * k + 1]);
  }
  return compiled.dump("graph") + compiled.dump("groups") + compiled.dump("plan");
}

Tensor one_gather(const Tensor& table, const Tensor& i) { return sum(square(gather(table, i)) * 0.5); }

const Update sgd = [](Variable& p, Variable&, const Tensor& g, const Tensor&) { p.assign_sub(0.1 * g); };
const Update sgd_at_rate = [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) { p.assign_sub(g * rate); };
const Update momentum = [](Variable& p, Variable& v, const Tensor& g, const Tensor& rate) {
  v.assign(v * 0.9 + g);
  p.assign_sub(v * rate);
};

// A call, eager and compiled, from the same state of two variables; every bit of them is compared. Gives what was
// compiled.
template <class F, class... A>
std::string check_call(const F& plain, Variable& first, Variable& second, const A&... arguments) {
  const Tensor first_before = first, second_before = second;
  auto step = compile(plain);
  step(arguments...);
  const Tensor first_after = first, second_after = second;
  first.assign(first_before);
  second.assign(second_before);
  plain(arguments...);
  CHECK_SAME(first.value(), first_after);
  CHECK_SAME(second.value(), second_after);
  return step.dump("graph");
}

}  // namespace

TEST_CASE("the planned bytes of an embedding's step are those of the rows used, whatever the table's size",
          "[compile][sparse]") {
  const auto planned = [](std::int64_t rows, bool asks_norm) {
    Variable table(zeros({rows, 64}));
    auto step = compile([&](const Tensor& i) {
      GradientTape tape;
      const Tensor loss = sum(square(gather(table, i) - 1));
      const Tensor g = tape.gradient(loss, table);
      table.assign_sub(0.1 * g);
      return asks_norm ? norm(g) : loss;
    });
    step(broadcast_to(ints({7}), {256}));
    return step.stats().arena_bytes;
  };
  const std::int64_t sparse = planned(100'000, false), row = 64 * 4;
  CHECK(sparse == planned(1'000, false));
  CHECK(sparse <= 5 * 256 * row);
  CHECK(planned(100'000, true) == planned(1'000, true));  // with its norm, too
}

TEST_CASE("rows that a step does not use are not written: their memory may be read-only", "[compile][sparse]") {
  constexpr std::int64_t rows = 4096, width = 64;
  Variable table(ones({rows, width}));
  Variable rate(full({}, 0.5));
  auto step = compile([&](const Tensor& i) {
    GradientTape tape;
    const Tensor loss = sum(square(gather(table, i)));
    table.assign_sub(rate * tape.gradient(loss, table));
    return loss;
  });
  const Tensor i = ints({0, rows - 1, 0});
  step(i);
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto at = reinterpret_cast<std::uintptr_t>(table.value().view().data);
  const std::uintptr_t begin =
      (at + width * 4 + page - 1) / page * page;  // whole pages between the first row, the last
  const std::uintptr_t end = (at + (rows - 1) * width * 4) / page * page;
  REQUIRE(begin + 200 * page < end);
  REQUIRE(mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ) == 0);
  for (int k = 0; k < 3; ++k) step(i);
  REQUIRE(mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE) == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(table.value().view().data) == at);
  CHECK(table.value().at({1, 0}) == 1);
  CHECK(table.value().at({rows - 1, 0}) == 0);
}

TEST_CASE("a sparse update gives the bits of the dense one: any indices, element types and ranks",
          "[compile][sparse]") {
  const std::vector<std::vector<Tensor>> indices = {
      {ints({3, 1, 3}), ints({0, 0, 0}), ints({-1, 99, 5})},
      {full({}, 7, i64), full({}, -2, i64)},
      {tensor<std::int32_t>({{1, 2}, {2, -98}}), tensor<std::int32_t>({{0, 0}, {1, 0}})},
      {zeros({0}, i64)},
      {zeros({2, 0, 3}, i32)},
      {broadcast_to(ints({4}), {2, 3, 4})},
  };
  for (const auto& list : indices)
    for (const Shape& shape : {Shape{100}, Shape{100, 5}, Shape{100, 2, 3}})
      for (const DType t : {f32, f64})
        for (const Update& update : {sgd, sgd_at_rate, momentum}) {
          INFO(list[0].type().text() << " into " << shape.text());
          CHECK(contains(check_steps(table_of(shape, t), one_gather, update, list), "set_rows"));
        }
}

TEST_CASE("many random steps of a sparse update give the bits of the dense one", "[compile][sparse]") {
  random::Generator generator(3);
  std::vector<Tensor> indices;
  for (int k = 0; k < 20; ++k) indices.push_back(cast(floor(random::uniform({40}, -90, 90, f32, generator)), i64));
  const std::vector<double> rates(20, 0.01);
  for (const Update& update : {sgd, sgd_at_rate, momentum}) {
    const Tensor start = random::normal({90, 33}, 0, 1, f32, generator);
    CHECK(contains(check_steps(start, one_gather, update, indices, rates), "set_rows"));
  }
}

TEST_CASE("a rate known only at run time has its dense meaning: rows not used become NaN, -0 becomes 0",
          "[compile][sparse]") {
  const std::vector<double> rates = {0.1, 0.0, -0.0, -0.5, 0.1, inf, NAN, 0.1};
  const Update forms[] = {
      sgd_at_rate,
      [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) { p.assign_add(g * rate); },
      [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) { p.assign_add(rate * -g); },
      [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) { p.assign((rate - 0.1) * g + p); },
      [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) { p.assign(p - (g + rate)); },
      [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) { p.assign_sub(minimum(exp(g), 1) * rate); },
  };
  for (const Update& form : forms)
    for (std::size_t k = 0; k < rates.size(); ++k) {
      INFO("rate " << rates[k]);
      const std::string graph = check_steps(table_of({60, 4}), one_gather, form, {ints({2, 40, 2})}, {rates[k], 0.1});
      CHECK(contains(graph, "sub_scalar"));
    }
}

TEST_CASE("a table of a narrow type updated in a wider one is updated sparsely", "[compile][sparse]") {
  const auto wide = [](DType t) -> Update {
    return [t](Variable& p, Variable&, const Tensor& g, const Tensor& rate) {
      p.assign(cast(cast(p, t) - cast(g, t) * cast(rate, t), p.dtype()));
    };
  };
  const std::pair<DType, DType> types[] = {{DType::bf16, f32}, {DType::f16, f32}, {DType::bf16, f64}, {f32, f64}};
  for (const auto& [narrow, type] : types)
    for (const double rate : {0.1, -0.1, 0.0, -0.0, inf, double{NAN}}) {
      INFO(name_of(narrow) << " in " << name_of(type) << " at " << rate);
      const Tensor start = table_of({400, 7}, narrow);
      const std::string graph = check_steps(start, one_gather, wide(type), {ints({1, 1, 4, -2})}, {rate, 0.1});
      CHECK(contains(graph, "sub_scalar " + std::string(name_of(narrow)) + "[400, 7]"));
    }
  CHECK(contains(check_steps(table_of({50, 3}, DType::bf16), one_gather, sgd, {ints({1, 1, 4})}), "set_rows"));
}

TEST_CASE("an update whose number for the other rows is known changes them if eager code does", "[compile][sparse]") {
  const auto check = [](const Update& update, bool touches_all) {
    const std::string graph = check_steps(table_of({60, 4}), one_gather, update, {ints({2, 40, 2})});
    CHECK(contains(graph, "set_rows"));
    CHECK_FALSE(contains(graph, "sub_scalar"));
    CHECK(contains(graph, "loop over [60, 4]") == touches_all);
  };
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_sub(0.1 * g); }, false);
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_add(-0.1 * g); }, false);
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_add(0.1 * g); }, true);  // -0 + 0 is 0
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_sub(-0.1 * g); }, true);
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_sub(inf * g); }, true);  // NaN
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_sub(0.1 * (g + 1)); }, true);
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign(0.1 * g - p); }, true);
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_sub(0.1 * (g + 0.01 * p)); }, true);  // weight decay
  check([](auto& p, auto& v, const Tensor& g, auto&) { p.assign(v - g); }, false);
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_sub(0.1 * cast(cast(g, f64), f32)); }, false);
  check([](auto& p, auto&, const Tensor& g, auto&) { p.assign_sub(g * tensor({1, 2, 3, 4})); }, true);  // by column
}

TEST_CASE("Adam keeps its dense meaning, every row's means decay, without a dense gradient", "[compile][sparse]") {
  Variable p(table_of({300, 8})), m(zeros({300, 8})), v(zeros({300, 8}));
  const Tensor start = p;
  const auto plain = [&](const Tensor& i) {
    GradientTape tape;
    const Tensor loss = one_gather(p, i), g = tape.gradient(loss, p);
    m.assign(m * 0.9 + g * 0.1);
    v.assign(v * 0.999 + square(g) * 0.001);
    p.assign_sub(m * 0.01 / (sqrt(v) + 1e-8));
  };
  auto step = compile(plain);
  const Tensor lists[] = {ints({1, 2, 1}), ints({2, 200, 7}), ints({9, 9, 9})};
  std::vector<Tensor> expected;
  for (const Tensor& i : lists) {
    plain(i);
    expected.insert(expected.end(), {p, m, v});
  }
  p.assign(start);
  m.assign(0);
  v.assign(0);
  for (std::size_t k = 0; k < 3; ++k) {
    step(lists[k]);
    CHECK_SAME(p.value(), expected[3 * k]);
    CHECK_SAME(m.value(), expected[3 * k + 1]);
    CHECK_SAME(v.value(), expected[3 * k + 2]);
  }
  CHECK(step.stats().arena_bytes < 300 * 8 * 4);
  CHECK_FALSE(contains(step.dump("plan"), "a new buffer"));
}

TEST_CASE("several gathers of one table are one update of the rows of all", "[compile][sparse]") {
  const Loss two = [](const Tensor& t, const Tensor& i) { return sum(gather(t, i) * square(gather(t, i - 1))); };
  const Loss three = [](const Tensor& t, const Tensor& i) {
    return sum(gather(t, i) * gather(t, cast(i, i32))) + sum(square(gather(t, 5)));
  };
  for (const Loss& loss : {two, three})
    for (const Update& update : {sgd, sgd_at_rate, momentum}) {
      const std::string graph = check_steps(table_of({80, 6}), loss, update, {ints({5, 6, 5, 7}), ints({1, 1, 1, 2})});
      CHECK(contains(graph, "concat"));
      CHECK(contains(graph, "set_rows"));
    }
}

TEST_CASE("a gather within recompute is updated sparsely too", "[compile][sparse]") {
  const Loss loss = [](const Tensor& t, const Tensor& i) {
    return sum(recompute([](const Tensor& x, const Tensor& j) { return square(tanh(gather(x, j))); })(t, i));
  };
  for (const Update& update : {sgd, sgd_at_rate, momentum})
    CHECK(contains(check_steps(table_of({80, 6}), loss, update, {ints({5, 6, 5}), ints({1, 1, 2})}), "set_rows"));
}

TEST_CASE("a gradient that others read, or of most rows, stays dense", "[compile][sparse]") {
  const auto check = [](const Shape& shape, const Update& update, const Tensor& i, const Loss& loss = one_gather) {
    CHECK_FALSE(contains(check_steps(table_of(shape), loss, update, {i}), "set_rows"));
  };
  const Update by_row = [](Variable& p, Variable&, const Tensor& g, const Tensor&) {
    p.assign_sub(g * sum(square(g), {1}, true));
  };
  const Update of_others = [](Variable& p, Variable&, const Tensor& g, const Tensor&) {
    p.assign_sub(g * sum(square(g) + 1));
  };
  const Update kept = [](Variable& p, Variable& v, const Tensor& g, const Tensor&) {
    v.assign(g);
    p.assign_sub(0.1 * g);
  };
  const Loss along_rows = [](const Tensor& t, const Tensor& i) { return sum(square(gather(t, i, 1))); };
  check({60, 4}, by_row, ints({2, 40, 2}));
  check({60, 4}, of_others, ints({2, 40, 2}));
  check({60, 4}, kept, ints({2, 40, 2}));
  check({5, 4}, sgd, ints({2, 1, 2}));
  check({60, 40}, sgd, ints({2, 1, 2}), along_rows);
}

TEST_CASE("a gradient's norm is the sum of the rows used, in the dense order", "[compile][sparse]") {
  const Update clipped = [](Variable& p, Variable& v, const Tensor& g, const Tensor& rate) {
    const Tensor n = sqrt(sum(square(cast(g, f64))));
    v.assign(v * cast(n, g.dtype()));
    p.assign_sub(g * cast(where(n <= 1, 1, 1 / n), g.dtype()) * rate);
  };
  const auto check = [&](const Tensor& table, const Tensor& i) {
    const std::string made = check_steps(table, one_gather, clipped, {i});
    CHECK(contains(made, "set_rows"));
    CHECK(contains(made, "sum_rows"));
  };
  check(table_of({60, 4}), ints({2, 40, 2}));
  check(table_of({60}), ints({2, 40, -1}));
  check(table_of({60, 2, 3}, f64), from_vector(std::vector<std::int64_t>{1, 59, -3, 1}, {2, 2}));
  for (const std::int64_t width : {1, 7, 16, 33, 4096, 5000})  // blocks of 4096 elements, from any place in them
    for (const DType type : {f32, f64}) {
      const Tensor i = cast(floor(random::uniform({40}, 0, 1000, f64, of_tables)), i64);
      check(cast(random::normal({1000, width}, 0, 1, f32, of_tables), type), i);
    }
  check(table_of({60, 4}), zeros({0}, i64));

  // The sums themselves, in the table's type, integers, and of two gradients.
  const Loss two = [](const Tensor& t, const Tensor& i) { return sum(square(gather(t, i))) + sum(gather(t, i - 1)); };
  const Update sums = [](Variable& p, Variable& s, const Tensor& g, const Tensor& rate) {
    const Tensor n = cast(count_nonzero(g), g.dtype());
    s.assign(s + stack({sum(square(g)), sum(abs(g)), sum(-g), n}));
    p.assign_sub(g * rate);
  };
  for (const Loss& loss : {Loss(one_gather), two}) {
    const Tensor i = cast(floor(random::uniform({40}, 1, 1000, f64, of_tables)), i64);
    Variable table(random::normal({1000, 33}, 0, 1, f32, of_tables)), slot(zeros({4}));
    const auto plain = [&](const Tensor& at) {
      GradientTape tape;
      const Tensor l = loss(table, at);
      sums(table, slot, tape.gradient(l, table), full({}, 0.1));
    };
    const std::string graph = check_call(plain, table, slot, i);
    CHECK(contains(graph, "set_rows"));
    CHECK(contains(graph, "sum_rows"));
    CHECK_FALSE(contains(graph, "= sum f32[1000, 33]"));
  }
}

TEST_CASE("an update that keeps what has no gradient is of the rows used, whatever it would be elsewhere",
          "[compile][sparse]") {
  const Update adagrad = [](Variable& p, Variable& s, const Tensor& g, const Tensor& rate) {
    s.assign(where(g == 0, s, s + square(g)));
    p.assign(where(g == 0, p, p - g * rate / sqrt(s)));
  };
  const Update turned = [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) {
    p.assign(where(g != 0, g / rate, p));
  };
  for (const Update& update : {adagrad, turned}) {
    const std::string made = check_steps(table_of({500, 8}), one_gather, update, {ints({2, 40, 2}), ints({-1, 7, 0})});
    CHECK(contains(made, "set_rows"));
    CHECK_FALSE(contains(made, "loop over [500, 8]"));
    CHECK_FALSE(contains(made, "a new buffer"));
  }
  const Update moved = [](Variable& p, Variable&, const Tensor& g, const Tensor& rate) {
    p.assign(where(g == 0, p + 1, p - g * rate));  // each row changes: the other operand is no table
  };
  check_steps(table_of({500, 8}), one_gather, moved, {ints({2, 40, 2})});
}

TEST_CASE("an update before all gradients are there that it shares a sum with", "[compile][sparse]") {
  Variable p(ones({100, 4})), q(ones({100, 4}));
  const auto plain = [&](const Tensor& i, const Tensor& j) {
    const Tensor g = scatter_add(broadcast_to(0, {100, 4}), i, gather(q, i));
    p.assign_sub(0.1 * g);
    const Tensor h = scatter_add(broadcast_to(0, {100, 4}), j, gather(p, j));
    q.assign_sub(0.1 * (g + h));
  };
  const Tensor i = ints({4, 5, 4}), j = ints({1, 5, 99});
  check_call(plain, p, q, i, j);
}

TEST_CASE("a gradient that goes into another gradient is there for it", "[compile][sparse]") {
  Variable p(ones({100, 4})), q(ones({1000, 4}));
  const auto plain = [&](const Tensor& i, const Tensor& j) {
    const Tensor g = 2 * scatter_add(broadcast_to(0, {100, 4}), i, gather(q, i));
    const Tensor h = scatter_add(broadcast_to(0, {1000, 4}), j, g);
    p.assign_sub(0.1 * g);
    q.assign_sub(0.1 * h);
  };
  const Tensor i = ints({4, 5, 4}), j = floor(cast(arange(0, 100, 1), f32) / 3);
  check_call(plain, p, q, i, cast(j, i64));
}

TEST_CASE("a table that a product reads too keeps its sum of gradients, and its bits", "[compile][sparse]") {
  const Loss tied = [](const Tensor& t, const Tensor& i) {
    const Tensor x = gather(t, i);
    return sum(square(matmul(x, transpose(t))));
  };
  for (const Update& update : {sgd, sgd_at_rate, momentum})
    check_steps(random::normal({70, 8}), tied, update, {ints({5, 6, 5}), ints({1, 1, 1})}, {0.01, 0.01});
}

TEST_CASE("a value of the table that somebody holds stays what it was", "[compile][sparse][ownership]") {
  Variable table(ones({100, 4}));
  auto step = compile([&](const Tensor& i) {
    GradientTape tape;
    const Tensor before = table.value(), loss = sum(square(gather(table, i)));
    table.assign_sub(0.25 * tape.gradient(loss, table));
    return std::tuple(loss, before);
  });
  const Tensor i = ints({3, 3});
  const Tensor held = table.value();
  const auto [loss, before] = step(i);
  CHECK(held.at({3, 0}) == 1);
  CHECK(before.at({3, 0}) == 1);
  CHECK(table.value().at({3, 0}) == 0);
  CHECK(table.value().at({4, 0}) == 1);
  const Tensor second = table.value();
  table.assign(ones({100, 4}));
  step(i);
  CHECK(second.at({3, 0}) == 0);
  CHECK(table.value().at({3, 0}) == 0);
}

TEST_CASE("a bad index leaves a sparsely updated table, and all that the step assigned, as they were",
          "[compile][sparse][atomic]") {
  Variable a(ones({100, 4}), true, "a"), b(ones({50, 4}));
  Variable count(zeros({}), false);
  const auto plain = [&](const Tensor& i, const Tensor& j) {
    count.assign_add(1);
    GradientTape tape;
    const Tensor loss = sum(gather(a, i)) + sum(gather(b, j));
    const auto [da, db] = tape.gradient(loss, a, b);
    a.assign_sub(da);
    b.assign_sub(db);
  };
  auto step = compile(plain);
  step(ints({1}), ints({2}));
  CHECK_FALSE(contains(step.dump("plan"), "a new buffer"));
  CHECK_THROWS_AS(step(ints({1}), ints({50})), IndexError);
  CHECK_THROWS_AS(step(ints({-101}), ints({2})), IndexError);
  CHECK(message_of<IndexError>([&] {
          step(ints({100}), ints({2}));
        }).starts_with("gather: index 100 at [0] must be within [-100, 99]\n"));
  auto by_hand = compile([&](const Tensor& i) {
    count.assign_add(1);
    a.assign_sub(scatter_add(broadcast_to(0, {100, 4}), i, ones({1, 4})));
  });
  CHECK(without_lines(message_of<IndexError>([&] { by_hand(ints({100})); })) ==
        "scatter_add: index 100 at [0] must be within [-100, 99]\n"
        "  idx  i64[1]\n"
        "  at HERE");
  CHECK(contains(by_hand.dump("graph"), "set_rows"));
  CHECK(count.value().item() == 1);
  CHECK(sum(a.value()).item() == 396);
  CHECK(sum(b.value()).item() == 196);
  CHECK(a.value().at({1, 0}) == 0);
}

TEST_CASE("a table updated twice in a step, and read in between and after", "[compile][sparse]") {
  const Tensor start = table_of({100, 4});
  Variable table(start);
  const auto plain = [&](const Tensor& i, const Tensor& j) {
    for (const Tensor* k : {&i, &j}) {
      GradientTape tape;
      const Tensor loss = sum(square(gather(table, *k)));
      table.assign_sub(0.1 * tape.gradient(loss, table));
    }
    return gather(table, i + 1);
  };
  auto step = compile(plain);
  const Tensor i = ints({1, 2, 2}), j = ints({2, 3, -1});
  const Tensor eager = plain(i, j), expected = table.value();
  table.assign(start);
  CHECK_SAME(step(i, j), eager);
  CHECK_SAME(table.value(), expected);
  const std::string graph = step.dump("graph");
  CHECK((graph.find("set_rows") != graph.rfind("set_rows")));
}

TEST_CASE("an update of an argument is sparse too, plain and under a tape", "[compile][sparse]") {
  const auto f = [](const Tensor& t, const Tensor& i) {
    GradientTape tape;
    tape.watch(t);
    return t - 0.1 * tape.gradient(sum(square(gather(t, i))), t);
  };
  auto compiled = compile(f);
  const Tensor t = random::normal({100, 3}), i = ints({4, 9, 4});
  CHECK_SAME(compiled(t, i), f(t, i));
  CHECK(contains(compiled.dump("graph"), "set_rows"));
  const auto gradient = [&](auto& g) {
    GradientTape tape;
    tape.watch(t);
    return tape.gradient(sum(square(g(t, i))), t);
  };
  CHECK_SAME(gradient(compiled), gradient(f));
}

TEST_CASE("a loop that trains a table gives the bits of its eager run", "[compile][sparse]") {
  const auto f = [](const Tensor& t, const Tensor& batches) {
    return scan(
        [](const Tensor& table, const Tensor& i) {
          GradientTape tape;
          tape.watch(table);
          const Tensor loss = sum(square(gather(table, i)));
          return std::pair(table - 0.1 * tape.gradient(loss, table), loss);
        },
        t, batches);
  };
  const Tensor t = random::normal({100, 3}), batches = tensor<std::int64_t>({{4, 9, 4}, {9, 9, 9}, {0, -1, 1}});
  auto compiled = compile(f);
  const auto [end, losses] = compiled(t, batches);
  const auto [eager_end, eager_losses] = f(t, batches);
  CHECK_SAME(end, eager_end);
  CHECK_SAME(losses, eager_losses);
}

TEST_CASE("scatter_add into a variable works in place", "[compile][sparse]") {
  Variable counts(zeros({100'000, 16}));
  auto count = compile([&](const Tensor& i) { counts.assign(scatter_add(counts, i, ones({3, 16}))); });
  count(ints({5, 6, 5}));
  const Tensor before = counts.value();
  count(ints({5, 6, 5}));  // somebody holds the old value
  CHECK(before.at({5, 0}) == 2);
  CHECK(counts.value().at({5, 0}) == 4);
  const void* at = counts.value().view().data;
  count(ints({5, 6, -1}));
  CHECK(counts.value().view().data == at);
  CHECK(counts.value().at({5, 0}) == 5);
  CHECK(counts.value().at({99'999, 15}) == 1);
  CHECK_THROWS_AS(count(ints({5, 6, 100'000})), IndexError);
  CHECK(counts.value().at({5, 0}) == 5);
  CHECK(contains(count.dump("plan"), "variable 0: in place"));
  CHECK(count.stats().arena_bytes == 0);
}

TEST_CASE("scatter_add into what was computed for it shares its memory, and a bad index leaves the variable as it was",
          "[compile][sparse][atomic]") {
  Variable v(ones({60}));
  const auto decay = [&](const Tensor& i) { v.assign(scatter_add(v * 0.5, i, ones({2}))); };
  const auto join = [&](const Tensor& i) {
    const Tensor half = gather(v, from_vector(std::vector<std::int64_t>(30, 7)));
    v.assign(scatter_add(reshape(concat({reshape(half, {30, 1}), ones({30, 1})}), {60}), i, ones({2})));
  };
  for (const std::function<void(const Tensor&)>& f : {std::function<void(const Tensor&)>(decay), {join}}) {
    v.assign(1);
    f(ints({3, -1}));
    f(ints({3, 7}));
    const Tensor expected = v;
    v.assign(1);
    auto step = compile(f);
    step(ints({3, -1}));
    CHECK_THROWS_AS(step(ints({3, 60})), IndexError);
    step(ints({3, 7}));
    CHECK_SAME(v.value(), expected);
  }
}

TEST_CASE("random updates of two tables by gradients of gathers give the bits of eager code", "[compile][sparse]") {
  std::uint64_t state = 7;
  const auto pick = [&](std::uint64_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % n;
  };
  int sparse = 0;
  for (int program = 0; program < 200; ++program) {
    const std::uint64_t seed = state;
    Variable p(table_of({40, 6})), q(table_of({40, 6}));
    const Tensor p0 = p, q0 = q;
    const auto plain = [&](const Tensor& i, const Tensor& rate) {
      state = seed;
      GradientTape tape;
      const Tensor a = gather(p, i), b = gather(q, i);
      const Tensor loss = sum(a * b) + (pick(2) ? sum(square(gather(p, i - 2))) : sum(a));
      const auto [dp, dq] = tape.gradient(loss, p, q);
      std::vector<Tensor> pool = {p, q, dp, pick(3) ? dp : dq};
      const auto any = [&] { return pool[pick(pool.size())]; };
      const auto number = [&]() -> Tensor {
        switch (pick(5)) {
          case 0: return rate;
          case 1: return full({}, -0.5);
          case 2: return full({}, 0.1);
          case 3: return reshape(sum(b), {});
          default: return tensor({1, 2, 3, 4, 5, 6});
        }
      };
      for (std::uint64_t n = 1 + pick(5); n-- > 0;) {
        switch (pick(15)) {
          case 0: pool.push_back(any() + any()); break;
          case 1: pool.push_back(any() - any()); break;
          case 2: pool.push_back(any() * number()); break;
          case 3: pool.push_back(pool.back() * number()); break;
          case 4: pool.push_back(any() - pool.back()); break;
          case 5: pool.push_back(any() + pool.back()); break;
          case 6: pool.push_back(number() + any()); break;
          case 7: pool.push_back(-pool.back()); break;
          case 8: pool.push_back(maximum(pool.back(), number())); break;
          case 9: pool.push_back(where(any() > 0, any(), pool.back())); break;
          case 10: pool.push_back(cast(cast(pool.back(), f64) * 0.3, f32)); break;
          case 11: pool.push_back(sqrt(square(pool.back()) + 1)); break;
          case 12: pool.push_back(pool.back() * sum(square(any()))); break;
          case 13: pool.push_back(where(any() == 0, any(), pool.back())); break;
          case 14: pool.push_back(any() * sqrt(sum(abs(pool.back())))); break;
        }
      }
      if (pick(4)) p.assign(pick(2) ? p - pool.back() : pool.back());
      if (pick(3)) q.assign(pick(2) ? q - dq * number() : any());
      return pick(8) ? loss : sum(any());
    };
    auto step = compile(plain);
    INFO("program " << program);
    for (const double rate : {0.1, -0.1, 0.0}) {
      const Tensor i = ints({3, 1, -1, static_cast<std::int64_t>(3 + 10 * rate)}), r = full({}, rate);
      p.assign(p0);
      q.assign(q0);
      const Tensor loss = plain(i, r), after_p = p, after_q = q;
      p.assign(p0);
      q.assign(q0);
      CHECK_SAME(step(i, r), loss);
      CHECK_SAME(p.value(), after_p);
      CHECK_SAME(q.value(), after_q);
    }
    sparse += contains(step.dump("graph"), "set_rows");
  }
  CHECK(sparse > 50);
}
