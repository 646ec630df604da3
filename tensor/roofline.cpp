#include "roofline.h"

#include <immintrin.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <functional>

#include "isa.h"
#include "parallel.h"
#include "storage.h"

namespace weft {
namespace {

enum class Operation { product, mixed, test, sum, division, root, product_and_division };

// The loops of one instruction set. `arithmetic`: `rounds` times eight independent operations of V (mixed: eight more,
// additions, which many CPUs do beside their fmas; test: eight comparisons; sum: half of them shifts), or eight and a
// division, the sum of all; `triad`: a = b + s c over n floats, past the caches or not. Tests and shifts are single
// instructions, which the compiler neither leaves out nor merges.
#define WEFT_PROBES(NAME, TARGET, V, LANES, SET, LOAD, STORE, STREAM, ADD, FMA, DIV, ROOT, MASK, K, TEST, SHIFT)       \
  struct NAME {                                                                                                        \
    static constexpr int lanes = LANES;                                                                                \
    [[gnu::target(TARGET), gnu::always_inline]] static inline void test(V a, V b) {                                    \
      MASK mask;                                                                                                       \
      asm volatile(TEST : K(mask) : "v"(a), "v"(b));                                                                   \
    }                                                                                                                  \
    [[gnu::target(TARGET), gnu::always_inline]] static inline V shifted(V a) {                                         \
      asm volatile(SHIFT : "+v"(a));                                                                                   \
      return a;                                                                                                        \
    }                                                                                                                  \
    template <Operation kind> [[gnu::target(TARGET), gnu::noinline]] static float arithmetic(std::int64_t rounds) {    \
      /* all different: the compiler makes one chain of equal ones */                                                  \
      V r0 = SET(1), r1 = SET(2), r2 = SET(3), r3 = SET(4), r4 = SET(5), r5 = SET(6), r6 = SET(7), r7 = SET(8);        \
      V s0 = SET(9), s1 = SET(10), s2 = SET(11), s3 = SET(12), s4 = SET(13), s5 = SET(14), s6 = SET(15), s7 = SET(16); \
      const V x = SET(0.999f), y = SET(0.001f);                                                                        \
      for (; rounds > 0; --rounds) {                                                                                   \
        if (kind == Operation::division) {                                                                             \
          r0 = DIV(r0, x), r1 = DIV(r1, x), r2 = DIV(r2, x), r3 = DIV(r3, x);                                          \
          r4 = DIV(r4, x), r5 = DIV(r5, x), r6 = DIV(r6, x), r7 = DIV(r7, x);                                          \
        } else if (kind == Operation::root) {                                                                          \
          r0 = ROOT(r0), r1 = ROOT(r1), r2 = ROOT(r2), r3 = ROOT(r3);                                                  \
          r4 = ROOT(r4), r5 = ROOT(r5), r6 = ROOT(r6), r7 = ROOT(r7);                                                  \
        } else if (kind == Operation::sum) {                                                                           \
          r0 = ADD(r0, y), r1 = ADD(r1, y), r2 = ADD(r2, y), r3 = ADD(r3, y);                                          \
          r4 = shifted(r4), r5 = shifted(r5), r6 = shifted(r6), r7 = shifted(r7);                                      \
        } else {                                                                                                       \
          r0 = FMA(r0, x, y), r1 = FMA(r1, x, y), r2 = FMA(r2, x, y), r3 = FMA(r3, x, y);                              \
          r4 = FMA(r4, x, y), r5 = FMA(r5, x, y), r6 = FMA(r6, x, y), r7 = FMA(r7, x, y);                              \
        }                                                                                                              \
        if (kind == Operation::mixed) {                                                                                \
          s0 = ADD(s0, y), s1 = ADD(s1, y), s2 = ADD(s2, y), s3 = ADD(s3, y);                                          \
          s4 = ADD(s4, y), s5 = ADD(s5, y), s6 = ADD(s6, y), s7 = ADD(s7, y);                                          \
        }                                                                                                              \
        if (kind == Operation::test) {                                                                                 \
          test(r0, y), test(r1, y), test(r2, y), test(r3, y);                                                          \
          test(r4, y), test(r5, y), test(r6, y), test(r7, y);                                                          \
        }                                                                                                              \
        if (kind == Operation::product_and_division) {                                                                 \
          const V next = DIV(s0, x); /* each has four rounds' time */                                                  \
          s0 = s1, s1 = s2, s2 = s3, s3 = next;                                                                        \
        }                                                                                                              \
      }                                                                                                                \
      r0 = ADD(ADD(ADD(r0, r1), ADD(r2, r3)), ADD(ADD(r4, r5), ADD(r6, r7)));                                          \
      s0 = ADD(ADD(ADD(s0, s1), ADD(s2, s3)), ADD(ADD(s4, s5), ADD(s6, s7)));                                          \
      float out[LANES];                                                                                                \
      STORE(out, ADD(r0, s0));                                                                                         \
      return out[0];                                                                                                   \
    }                                                                                                                  \
    template <bool past_caches> [[gnu::target(TARGET), gnu::noinline]] static void triad(float* a, const float* b,     \
                                                                                         const float* c,               \
                                                                                         std::int64_t n) {             \
      const V s = SET(0.5f);                                                                                           \
      for (std::int64_t i = 0; i < n; i += LANES) {                                                                    \
        const V r = FMA(LOAD(c + i), s, LOAD(b + i));                                                                  \
        if (past_caches)                                                                                               \
          STREAM(a + i, r);                                                                                            \
        else                                                                                                           \
          STORE(a + i, r);                                                                                             \
      }                                                                                                                \
      if (past_caches) _mm_sfence();                                                                                   \
    }                                                                                                                  \
  }
#define WEFT_MUL_ADD(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
#define WEFT_ROOT(a) _mm512_maskz_sqrt_ps(0xffff, a)  // g++ 12 takes the plain one to read what is not initialised
WEFT_PROBES(Base, "sse2", __m128, 4, _mm_set1_ps, _mm_loadu_ps, _mm_storeu_ps, _mm_stream_ps, _mm_add_ps, WEFT_MUL_ADD,
            _mm_div_ps, _mm_sqrt_ps, __m128, "=&x", "movaps %1, %0; cmpltps %2, %0", "pslld $1, %0");
WEFT_PROBES(Avx2, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_stream_ps,
            _mm256_add_ps, _mm256_fmadd_ps, _mm256_div_ps, _mm256_sqrt_ps, __m256, "=x", "vcmpltps %2, %1, %0",
            "vpslld $1, %0, %0");
WEFT_PROBES(Avx512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_stream_ps,
            _mm512_add_ps, _mm512_fmadd_ps, _mm512_div_ps, WEFT_ROOT, __mmask16, "=k", "vcmpltps %2, %1, %0",
            "vpslld $1, %0, %0");
#undef WEFT_MUL_ADD
#undef WEFT_ROOT
#undef WEFT_PROBES

// `rounds` times eight independent instructions of 32 multiply-adds each.
[[gnu::target("avx512f,avx512bf16"), gnu::noinline]] float halves(std::int64_t rounds) {
  __m512 r0 = _mm512_set1_ps(1), r1 = _mm512_set1_ps(2), r2 = _mm512_set1_ps(3), r3 = _mm512_set1_ps(4),
         r4 = _mm512_set1_ps(5), r5 = _mm512_set1_ps(6), r6 = _mm512_set1_ps(7), r7 = _mm512_set1_ps(8);
  const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.25f), _mm512_set1_ps(0.125f));
  for (; rounds > 0; --rounds) {
    r0 = _mm512_dpbf16_ps(r0, x, x), r1 = _mm512_dpbf16_ps(r1, x, x), r2 = _mm512_dpbf16_ps(r2, x, x);
    r3 = _mm512_dpbf16_ps(r3, x, x), r4 = _mm512_dpbf16_ps(r4, x, x), r5 = _mm512_dpbf16_ps(r5, x, x);
    r6 = _mm512_dpbf16_ps(r6, x, x), r7 = _mm512_dpbf16_ps(r7, x, x);
  }
  const __m512 sum = _mm512_add_ps(_mm512_add_ps(_mm512_add_ps(r0, r1), _mm512_add_ps(r2, r3)),
                                   _mm512_add_ps(_mm512_add_ps(r4, r5), _mm512_add_ps(r6, r7)));
  return _mm512_cvtss_f32(sum);
}

// Time that this thread has computed: what else runs on the machine does not count.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// How much a second all threads do together, of which each call does `amount`: by the least of so many times.
double rate(int threads, int times, double amount, const std::function<void(std::int64_t)>& call) {
  std::vector<double> best(static_cast<std::size_t>(threads), 1e9);
  for (int k = 0; k < times; ++k)
    parallel_for(threads, threads, [&](std::int64_t t) {
      const double start = cpu_seconds();
      call(t);
      double& least = best[static_cast<std::size_t>(t)];
      least = std::min(least, cpu_seconds() - start);
    });
  double sum = 0;
  for (const double s : best) sum += amount / s;
  return sum;
}

template <class Isa, Operation kind> double operations(int threads, int times) {
  constexpr bool divides =
      kind == Operation::division || kind == Operation::root || kind == Operation::product_and_division;
  constexpr std::int64_t rounds = divides ? 50'000 : 500'000;
  constexpr bool both = kind == Operation::mixed || kind == Operation::test;
  constexpr double operations = both ? 16 : kind == Operation::product_and_division ? 9 : 8;
  std::vector<float> results(static_cast<std::size_t>(threads));  // so that the work is not left out
  return rate(threads, times, operations * Isa::lanes * rounds,
              [&](std::int64_t t) { results[static_cast<std::size_t>(t)] += Isa::template arithmetic<kind>(rounds); });
}

double halves_rate(int threads, int times) {
  constexpr std::int64_t rounds = 500'000;
  std::vector<float> results(static_cast<std::size_t>(threads));
  return rate(threads, times, 8.0 * 32 * rounds,
              [&](std::int64_t t) { results[static_cast<std::size_t>(t)] += halves(rounds); });
}

// Three arrays for each thread, together `bytes`.
template <class Isa, bool past_caches> double triad(int threads, int times, std::int64_t bytes) {
  const std::int64_t n = bytes / threads / 3 / 4 / 64 * 64;
  const std::int64_t rounds = std::max<std::int64_t>(1, (std::int64_t{8} << 20) / (n * 12));
  std::vector<Storage> arrays;  // on the pages that tensors lie on
  for (int k = 0; k < 3 * threads; ++k) {
    arrays.push_back(Storage::allocate(static_cast<std::size_t>(n) * 4));
    std::fill_n(reinterpret_cast<float*>(arrays.back().data()), n, 1.0f);
  }
  return rate(threads, times, static_cast<double>(rounds * n * 12), [&](std::int64_t t) {
    const auto of = [&](std::int64_t k) {
      return reinterpret_cast<float*>(arrays[static_cast<std::size_t>(3 * t + k)].data());
    };
    for (std::int64_t r = 0; r < rounds; ++r) Isa::template triad<past_caches>(of(0), of(1), of(2), n);
  });
}

std::int64_t cache(int name, std::int64_t otherwise) {
  const long bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

template <class Isa> Roofline measure(int threads, int times) {
  const std::int64_t l1 = threads * cache(_SC_LEVEL1_DCACHE_SIZE, 32 << 10),
                     l2 = threads * cache(_SC_LEVEL2_CACHE_SIZE, 1 << 20),
                     l3 = std::max(cache(_SC_LEVEL3_CACHE_SIZE, 16 << 20), 2 * l2);
  constexpr std::int64_t enough = 256 << 20;  // to touch more for the first time costs seconds in a virtual machine
  Roofline r;
  r.products_per_second = operations<Isa, Operation::product>(threads, times);
  r.operations_per_second = std::max(r.products_per_second, operations<Isa, Operation::mixed>(threads, times));
  r.tests_per_second = std::max(r.products_per_second, operations<Isa, Operation::test>(threads, times));
  r.sums_per_second = operations<Isa, Operation::sum>(threads, times);
  r.divisions_per_second = operations<Isa, Operation::division>(threads, times);
  r.roots_per_second = operations<Isa, Operation::root>(threads, times);
  const double one_beside_eight = 9 / operations<Isa, Operation::product_and_division>(threads, times);
  r.products_per_division = std::max(0.0, one_beside_eight * r.products_per_second - 8);
  r.halves_per_second = r.products_per_second;  // by way of f32
  if (isa() == weft::Isa::avx512 && __builtin_cpu_supports("avx512bf16"))
    r.halves_per_second = std::max(r.halves_per_second, halves_rate(threads, times));
  r.levels = {{"L1", l1, triad<Isa, false>(threads, times, l1 / 2)},
              {"L2", l2, triad<Isa, false>(threads, times, l2 / 2)},
              {"L3", l3, triad<Isa, false>(threads, times, l3 / 2)},
              {"memory", INT64_MAX, triad<Isa, true>(threads, times, std::min(4 * l3, std::max(2 * l3, enough)))}};
  for (std::size_t k = r.levels.size() - 1; k-- > 0;)  // others may have had the cache
    r.levels[k].bytes_per_second = std::max(r.levels[k].bytes_per_second, r.levels[k + 1].bytes_per_second);
  return r;
}

}  // namespace

Arithmetic& Arithmetic::operator+=(const Arithmetic& other) {
  operations += other.operations;
  products += other.products;
  comparisons += other.comparisons;
  sums += other.sums;
  divisions += other.divisions;
  roots += other.roots;
  halves += other.halves;
  return *this;
}

double Roofline::seconds(double moved, double arrays, const Arithmetic& arithmetic) const {
  const auto level = std::find_if(levels.begin(), levels.end(),
                                  [&](const Level& l) { return arrays <= static_cast<double>(l.bytes); });
  const double products = arithmetic.products + products_per_division * (arithmetic.divisions + arithmetic.roots);
  const double divider = arithmetic.divisions / divisions_per_second + arithmetic.roots / roots_per_second;
  return std::max({moved / level->bytes_per_second, products / products_per_second,
                   (products + arithmetic.comparisons) / tests_per_second, arithmetic.sums / sums_per_second,
                   arithmetic.operations / operations_per_second, divider, arithmetic.halves / halves_per_second});
}

Roofline measure_roofline(int threads, int times) {
  switch (isa()) {
    case Isa::avx512: return measure<Avx512>(threads, times);
    case Isa::avx2: return measure<Avx2>(threads, times);
    default: return measure<Base>(threads, times);
  }
}

}  // namespace weft
