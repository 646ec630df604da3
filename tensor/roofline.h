// What this machine can do at most, measured: arithmetic on the instruction set in use, and each level of memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// Scalar operations of f32; one of f64 counts as two, for a register holds half as many. All of them, and of these the
/// ones that only some of the units do. Which share units is the CPU's affair: measure_roofline finds out.
struct Arithmetic {
  double operations = 0;   ///< all, an fma being one
  double products = 0;     ///< multiplications and fmas
  double comparisons = 0;  ///< to masks; many CPUs do them in the multipliers
  double sums = 0;         ///< additions, minima, conversions, roundings and shifts: in the adders, often
  double divisions = 0;
  double roots = 0;        ///< square roots, in the divider
  double halves = 0;       ///< beside these: multiply-adds of bf16 to f32, for which some CPUs have an instruction

  Arithmetic& operator+=(const Arithmetic& other);
};

struct Roofline {
  /// A level of memory: a triad a = b + s c whose arrays fill at most `bytes` of all threads runs at so many bytes a
  /// second, two thirds of them read. What is stored past the caches is not read first.
  struct Level {
    std::string name;
    std::int64_t bytes;
    double bytes_per_second;
  };
  double operations_per_second = 0;  ///< of any kind, mixed as they serve the CPU best
  double products_per_second = 0;
  double tests_per_second = 0;  ///< products and comparisons in turn
  double sums_per_second = 0;   ///< additions and shifts in turn
  double divisions_per_second = 0;
  double roots_per_second = 0;
  double products_per_division = 0;  ///< that a division or root keeps from the multipliers; 0 where it does not
  double halves_per_second = 0;
  std::vector<Level> levels;  ///< L1, L2, L3, memory

  /// The least time for so many bytes moved of arrays of so many bytes, and for that arithmetic beside it.
  double seconds(double moved, double arrays, const Arithmetic& arithmetic) const;
};

/// Measures it for so many threads, each figure the best of `times` tries: 40 take about two seconds.
Roofline measure_roofline(int threads, int times = 40);

}  // namespace weft
