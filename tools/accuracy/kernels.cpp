// Ops that are not elementwise, of large operands and of the tests' samples: errors in roundings, tests/roundings.h.
#include "../../tests/roundings.h"

#include <fmt/format.h>

#include <cstdio>

#include "../../bench/op_inputs.h"
#include "sections.h"

namespace weft::accuracy {
namespace {

using test::OpSample, test::Roundings, test::SampledOp;

struct LargeOp {
  bench::OpInput (*input)();
};

std::vector<LargeOp> large_ops() {
  std::vector<LargeOp> list;
  test::each_op([&]<class Struct>() { list.push_back({bench::op_input<Struct>}); });
  return list;
}

struct Row {
  std::optional<Roundings> small[4], large[4];
};
constexpr DType types[] = {f32, f64, DType::bf16, DType::f16};

Row row_of(const SampledOp& s, const bench::OpInput& large) {
  Row row;
  for (int i = 0; i < 4; ++i) {
    test::Random random;
    for (const OpSample& sample : s.samples(f32, random))
      if (const auto r = test::roundings(s, sample, types[i])) {
        if (!row.small[i]) row.small[i].emplace();
        row.small[i]->add(*r);
      }
    if (large.large) row.large[i] = test::roundings(s, large.sample, types[i]);
  }
  return row;
}

std::string cells(const std::optional<Roundings> (&of)[4]) {
  std::string text;
  for (const auto& r : of) text += r ? fmt::format(" {:.2f} |", r->worst) : " |";
  return text;
}

bool within(const std::optional<Roundings> (&of)[4], double bound) {
  for (const auto& r : of)
    if (r && !(r->worst <= bound)) return false;
  return true;
}

constexpr const char* heading = R"(
## Ops that are not elementwise

Largest errors in roundings (tests/roundings.h): 1 is what one rounding of the result makes, and one of each operand at
random, in f32 where the op computes in that. So it is no matter that terms cancel or that a matrix is nearly
singular. Of what works on whole matrices a rounding of an operand is one of its largest element. f32, bf16 and f16 are
held against the same op in f64; f64, where an op sums products or numbers, against sums of products of parts of its
operands that f64 holds exactly. Lines of zeros: what moves or picks elements.

Small: the operands of the tests, sums of some dozens of terms. Large: those of the benchmarks (bench/large_inputs.h),
where matmul's sums have 1024 terms, convolutions' 576 (of the weight's gradient 50 176), attention's 512 of 64, sum's and
cumsum's 8192; matrices are 8 x 8, 8192 of them. Promised: 5 of small ones, 100 of large ones: a sum's error grows as the
root of its number of terms.

| op | small f32 | f64 | bf16 | f16 | large f32 | f64 | bf16 | f16 |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
)";

}  // namespace

Section of_other_ops(const char* only) {
  Section section{heading};
  const std::vector<LargeOp> large = large_ops();
  const std::vector<SampledOp>& all = test::sampled_ops();
  for (std::size_t n = 0; n < all.size(); ++n) {
    const SampledOp& s = all[n];
    if ((only && s.op->name != only) || !test::has_roundings(s)) continue;
    const Row row = row_of(s, large[n].input());
    const bool good =
        within(row.small, test::promised_roundings) && within(row.large, test::promised_roundings_of_large);
    section.good &= good;
    const std::string line = fmt::format("| {} |{}{}", s.op->name, cells(row.small), cells(row.large));
    std::printf("%s%s\n", line.c_str(), good ? "" : "   <-- BAD");
    std::fflush(stdout);
    section.add(line + "\n");
  }
  return section;
}

}  // namespace weft::accuracy
