// Kernels as keys and as code: generated code against the interpreter, bit for bit.
#include <array>
#include <cstdlib>
#include <thread>

#include <weft/compiler/interpreter.h>
#include <weft/compiler/jit/jit.h>

#include "random_kernel.h"

using namespace weft;
using namespace weft::test;

namespace {

int count_of(const char* variable, int otherwise) {
  const char* wish = std::getenv(variable);
  return wish ? std::atoi(wish) : otherwise;
}

}  // namespace

TEST_CASE("generated code and interpreter give the same bits on random kernels", "[kernel][once]") {
  Jit* jit = Jit::get();
  if (!jit) {
    WARN("no code generator: nothing to compare");
    return;
  }
  const int count = count_of("WEFT_KERNEL_TESTS", 60), first = count_of("WEFT_KERNEL_SEED", 1), chunk = 25;
  for (int begin = first; begin < first + count; begin += chunk) {
    std::vector<RandomKernel> kernels;
    std::vector<const Kernel*> pointers;
    for (int seed = begin; seed < std::min(begin + chunk, first + count); ++seed) {
      Random random(static_cast<std::uint64_t>(seed) * 7919);
      kernels.push_back(Generator(random).run());
    }
    for (const RandomKernel& k : kernels) pointers.push_back(&k.kernel);
    for (Isa level : usable_levels()) {
      const std::vector<KernelFunction> functions = jit->compile(pointers, level);
      for (std::size_t k = 0; k < kernels.size(); ++k) {
        REQUIRE(functions[k]);
        Random random(static_cast<std::uint64_t>(begin) + k + 1000);
        for (int shape = 0; shape < 4; ++shape) {
          const auto [rows, cols] = random_shape(random, kernels[k].kernel);
          const Memory memory(kernels[k].kernel, rows, cols, kernels[k].alias, random);
          const auto want = memory.run([&](const KernelCall& call) { interpret(kernels[k].kernel, call); });
          const auto got = memory.run([&](const KernelCall& call) { functions[k](&call); });
          const std::string difference = memory.compare(want, got);
          if (difference.empty()) continue;
          std::string alias;
          for (std::size_t i = 0; i < kernels[k].alias.size(); ++i)
            if (kernels[k].alias[i] >= 0)
              alias += " @" + std::to_string(i) + " in @" + std::to_string(kernels[k].alias[i]);
          FAIL("seed " << begin + static_cast<int>(k) << " on " << name_of(level) << ", " << rows << " x " << cols
                       << alias << "\n"
                       << kernels[k].kernel.text() << difference);
        }
      }
    }
  }
}

TEST_CASE("kernels that differ anywhere have different texts", "[kernel]") {
  Kernel k;
  k.operands = {{f32, ColumnStep::contiguous, false}, {f32, ColumnStep::contiguous, true}};
  k.code = {{{ScalarOp::input, f32}}, {{ScalarOp::add, f32, 0, 0}}};
  k.reductions = {{Reduction::sum, f32, 1, true, 1}};
  k.stores = {{1, 1}};
  const std::vector<void (*)(Kernel&)> changes = {
      [](Kernel& x) { x.operands[0].dtype = f64; },
      [](Kernel& x) { x.operands[0].step = ColumnStep::fixed; },
      [](Kernel& x) { x.operands[0].output = true; },
      [](Kernel& x) { x.operands[0].past_caches = true; },
      [](Kernel& x) { x.operands[1].past_caches = true; },
      [](Kernel& x) { x.busy = true; },
      [](Kernel& x) { x.operands.push_back(x.operands[0]); },
      [](Kernel& x) { x.code[1].scalar.op = ScalarOp::sub; },
      [](Kernel& x) { x.code[1].scalar.type = f64; },
      [](Kernel& x) { x.code[1].scalar.a = 1; },
      [](Kernel& x) { x.code[1].scalar.b = 1; },
      [](Kernel& x) { x.code[1].scalar.c = 1; },
      [](Kernel& x) { x.code[0].scalar.c = 1; },
      [](Kernel& x) { x.code[0].scalar.a = 1; },
      [](Kernel& x) { x.code[0].scalar.imm = 1; },
      [](Kernel& x) { x.code[1].scalar.imm = 1; },
      [](Kernel& x) { x.code[0].reduced = 0; },
      [](Kernel& x) { x.code[0].reduced = 0, x.code[0].scalar.imm = 1; },
      [](Kernel& x) { x.code[0].reduced = -2; },
      [](Kernel& x) { x.code[1].reduced = 0; },
      [](Kernel& x) { x.code[1].full = false; },
      [](Kernel& x) { x.code[1].level = 1; },
      [](Kernel& x) { x.code[1].kept = true; },
      [](Kernel& x) { x.code.push_back(x.code[1]); },
      [](Kernel& x) { x.reductions[0].op = Reduction::prod; },
      [](Kernel& x) { x.reductions[0].dtype = f64; },
      [](Kernel& x) { x.reductions[0].value = 0; },
      [](Kernel& x) { x.reductions[0].column = false; },
      [](Kernel& x) { x.reductions[0].operand = 0; },
      [](Kernel& x) { x.reductions[0].column = false, x.reductions[0].operand = 0; },
      [](Kernel& x) { x.reductions.push_back(x.reductions[0]); },
      [](Kernel& x) { x.stores[0].value = 0; },
      [](Kernel& x) { x.stores[0].operand = 0; },
      [](Kernel& x) { x.stores.clear(); },
      [](Kernel& x) { x.small_cols = 10; }};
  std::vector<std::string> texts = {k.text()};
  for (const auto change : changes) {
    Kernel other = k;
    change(other);
    INFO(other.text());
    REQUIRE(std::ranges::count(texts, other.text()) == 0);
    texts.push_back(other.text());
  }
  CHECK(Kernel(k).text() == k.text());
}

TEST_CASE("a kernel is compiled once, whoever asks", "[kernel]") {
  Jit* jit = Jit::get();
  if (!jit) return;
  Kernel k;
  k.operands = {{f32, ColumnStep::contiguous, false}, {f32, ColumnStep::contiguous, true}};
  k.code = {{{ScalarOp::input, f32}}, {{ScalarOp::constant, f32, 0, 0, 0, 0x12345678}}, {{ScalarOp::add, f32, 0, 1}}};
  k.stores = {{2, 1}};
  const Kernel again = k;
  const Kernel* twice[] = {&k, &again};
  const auto obtained = [&] { return jit->stats().compiled + jit->stats().loaded; };
  const std::size_t before = obtained();
  std::array<std::vector<KernelFunction>, 4> made;
  std::vector<std::thread> threads;
  for (auto& m : made) threads.emplace_back([&] { m = jit->compile(twice); });
  for (std::thread& t : threads) t.join();
  CHECK(obtained() == before + 1);
  for (const auto& m : made) CHECK((m[0] && m[0] == made[0][0] && m[1] == made[0][0]));
}

TEST_CASE("row buffers hold the rows taken at once and two vectors more, each rounded up to 64 bytes", "[kernel]") {
  Kernel k;
  k.code = {{{ScalarOp::input, f32}, -1, true, 0, true},
            {{ScalarOp::lt, f32, 0, 0}, -1, true, 0, true},
            {{ScalarOp::neg, f64}}};
  CHECK(longest_of(k, 1) == (32 << 10) / 5);  // an f32 and a mask
  CHECK(rows_at_once(k, longest_of(k, 4)) == 4);
  CHECK(rows_at_once(k, longest_of(k, 4) + 1) == 2);
  CHECK(rows_at_once(k, longest_of(k, 2) + 1) == 1);
  CHECK(scratch_bytes(k, 100) == 4 * (576 + 192));
  CHECK(scratch_bytes(k, 2000) == 2 * (8128 + 2048));
  CHECK(scratch_bytes(k, 5000) == 20160 + 5056);
  CHECK(scratch_bytes(Kernel{}, 100) == 0);
}
