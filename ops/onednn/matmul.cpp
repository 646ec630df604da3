#include "matmul.h"

#include <fmt/format.h>

#include <stdexcept>

#include "../../tensor/parallel.h"
#include "primitive.h"

namespace weft::onednn {
namespace {

using dnnl::memory;

struct Hash {
  std::size_t operator()(const Matmul& x) const {
    std::uint64_t h = static_cast<std::uint64_t>(x.inputs) * 8 + static_cast<std::uint64_t>(x.output);
    for (std::int64_t part : {x.m, x.n, x.k, x.a_row, x.a_col, x.b_row, x.b_col, x.c_row}) {
      h = (h ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15u;
      h ^= h >> 29;
    }
    return h;
  }
};

std::string describe(const Matmul& x) {
  return fmt::format("{}[{}, {}] (strides {}, {}) x {}[{}, {}] (strides {}, {}) -> {}[{}, {}] (row stride {})",
                     name_of(x.inputs), x.m, x.k, x.a_row, x.a_col, name_of(x.inputs), x.k, x.n, x.b_row, x.b_col,
                     name_of(x.output), x.m, x.n, x.c_row);
}

memory::data_type type_of(DType t) {
  if (t == DType::f32) return memory::data_type::f32;
  if (t == DType::bf16) return memory::data_type::bf16;
  throw dnnl::error(dnnl_unimplemented, "only f32 and bf16");
}

Built build(const Matmul& x) {
  const memory::desc a({x.m, x.k}, type_of(x.inputs), {x.a_row, x.a_col});
  const memory::desc b({x.k, x.n}, type_of(x.inputs), {x.b_row, x.b_col});
  const memory::desc c({x.m, x.n}, type_of(x.output), {x.c_row, 1});
  const detail::TeamSize one(1);  // the thread count is fixed here, at creation
  const auto desc = matmul_primitive_desc(cpu_engine(), a, b, c, own_scratchpad());
  return {dnnl::matmul(desc),
          {{DNNL_ARG_SRC, desc.src_desc()}, {DNNL_ARG_WEIGHTS, desc.weights_desc()}, {DNNL_ARG_DST, desc.dst_desc()}},
          desc.scratchpad_desc()};
}

}  // namespace

void run(const Matmul& x, const void* a, const void* b, void* c) {
  try {
    const void* const data[] = {a, b, c};
    find<Matmul, Hash>(x, build).run(data);
  } catch (const dnnl::error& e) {
    throw std::runtime_error(
        fmt::format("matmul: oneDNN refuses {}: {} (status {})", describe(x), e.what(), static_cast<int>(e.status)));
  }
}

}  // namespace weft::onednn
