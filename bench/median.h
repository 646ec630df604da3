// The median, of whatever is measured several times.
#pragma once

#include <algorithm>
#include <vector>

namespace bench {

/// Of an even count the mean of the two in the middle; of nothing 0.
inline double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const std::size_t n = numbers.size();
  return n == 0 ? 0 : (numbers[n / 2] + numbers[(n - 1) / 2]) / 2;
}

}  // namespace bench
