#include "formula_tile.h"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "tile_ops.h"

namespace weft {

void run_formula(const Formula& formula, std::span<const void* const> in, void* out, std::int64_t n) {
  constexpr std::size_t tile_size = 256, widest = 8;
  const std::size_t count = formula.code.size();
  const std::unique_ptr<std::byte[]> buffers(new std::byte[count * tile_size * widest]);
  const auto buffer = [&](std::size_t i) { return buffers.get() + i * tile_size * widest; };
  for (std::int64_t start = 0; start < n; start += tile_size) {
    const auto size = std::min<std::size_t>(tile_size, static_cast<std::size_t>(n - start));
    for (std::size_t i = 0; i < count; ++i) {
      const Instruction& x = formula.code[i];
      const auto width = static_cast<std::int64_t>(size_of(result_type(x)));
      if (x.op == ScalarOp::input) {
        tile::load(x.type, size, buffer(i), static_cast<const std::byte*>(in[x.imm]) + start * width, width);
      } else if (x.op == ScalarOp::constant) {
        if (start == 0) tile::fill(x.type, tile_size, buffer(i), &x.imm);
      } else {
        tile::run(x, result_type(formula.code[x.a]), size, buffer(i), buffer(x.a), buffer(x.b), buffer(x.c));
      }
    }
    const DType type = result_type(formula.code[formula.result]);
    const auto width = static_cast<std::int64_t>(size_of(type));
    tile::store(type, size, buffer(formula.result), static_cast<std::byte*>(out) + start * width, width);
  }
}

}  // namespace weft
