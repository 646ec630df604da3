#include "convert.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "convert_loops.h"
#include "isa.h"

namespace weft::detail {
namespace {

const ConvertLoops& loops_in_use() {
  static const ConvertLoops* const loops =
      by_isa(isa(), convert_loops_base, convert_loops_avx2, convert_loops_avx512)();
  return *loops;
}

}  // namespace

void convert_elements(DType from_type, const void* from, std::int64_t from_step, DType to_type, void* to,
                      std::int64_t to_step, std::int64_t n) {
  if (from_step == 0 && to_step == 1 && n > 1) {  // once, then copies of copies
    convert_elements(from_type, from, 1, to_type, to, 1, 1);
    auto* const all = static_cast<std::byte*>(to);
    const auto size = static_cast<std::int64_t>(size_of(to_type));
    for (std::int64_t done = 1; done < n; done *= 2)
      std::memcpy(all + done * size, all, static_cast<std::size_t>(std::min(done, n - done) * size));
    return;
  }
  if (from_step == 1 && to_step == 1 && n > 8)
    if (const auto loop = loops_in_use().by_types[static_cast<int>(from_type)][static_cast<int>(to_type)])
      return loop(from, to, n);
  visit_dtype(from_type, [&](auto from_zero) {
    using From = decltype(from_zero);
    const auto* source = static_cast<const From*>(from);
    visit_dtype(to_type, [&](auto to_zero) {
      using To = decltype(to_zero);
      auto* target = static_cast<To*>(to);
      if constexpr (std::is_same_v<From, To>) {
        if (from_step == 1 && to_step == 1) return static_cast<void>(std::copy_n(source, n, target));
        for (std::int64_t i = 0; i < n; ++i) target[i * to_step] = source[i * from_step];
      } else {
        for (std::int64_t i = 0; i < n; ++i) target[i * to_step] = convert_element<To>(source[i * from_step]);
      }
    });
  });
}

}  // namespace weft::detail
