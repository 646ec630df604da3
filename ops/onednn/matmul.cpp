#include "matmul.h"

#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <unordered_map>

#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"
#include "compat.h"

namespace weft::onednn {

const dnnl::engine& cpu_engine() {
  static const dnnl::engine& engine = []() -> dnnl::engine& {
    // Refused once oneDNN has generated code (the program uses it too): then its bits are simply those of its choice.
    if (isa() != Isa::avx512) { dnnl_set_max_cpu_isa(isa() == Isa::avx2 ? dnnl_cpu_isa_avx2 : dnnl_cpu_isa_sse41); }
    return *new dnnl::engine(dnnl::engine::kind::cpu, 0);  // never destroyed: threads may outlive main's statics
  }();
  return engine;
}

dnnl::stream& cpu_stream() {
  thread_local dnnl::stream stream(cpu_engine());
  return stream;
}

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

/// What all threads share: the primitive, which may run on many at once because its scratchpad is the caller's.
struct Built {
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul primitive;

  explicit Built(const Matmul& x) {
    const memory::desc a({x.m, x.k}, type_of(x.inputs), {x.a_row, x.a_col});
    const memory::desc b({x.k, x.n}, type_of(x.inputs), {x.b_row, x.b_col});
    const memory::desc c({x.m, x.n}, type_of(x.output), {x.c_row, 1});
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const detail::TeamSize one(1);  // the thread count is fixed here, at creation
    desc = matmul_primitive_desc(cpu_engine(), a, b, c, attributes);
    primitive = dnnl::matmul(desc);
  }
};

// Past this many geometries a table is emptied: a program that sees ever new shapes must not grow for ever.
constexpr std::size_t most_kept = 4096;

std::shared_ptr<const Built> build(const Matmul& x) {
  static auto& mutex = *new std::mutex;
  static auto& table = *new std::unordered_map<Matmul, std::shared_ptr<const Built>, Hash>;
  const std::lock_guard lock(mutex);
  if (table.size() >= most_kept) table.clear();
  auto& slot = table[x];
  if (!slot) slot = std::make_shared<const Built>(x);
  return slot;
}

/// A thread's own scratchpad: one for all its primitives, as large as the largest wants.
struct Scratchpad {
  void* at = nullptr;
  std::size_t size = 0;

  void* get(std::size_t wanted) {
    if (wanted > size) {
      std::free(at);
      size = (wanted + 4095) / 4096 * 4096;
      at = std::aligned_alloc(4096, size);
      if (!at) {
        size = 0;
        throw std::bad_alloc();
      }
    }
    return at;
  }
  ~Scratchpad() { std::free(at); }
};
thread_local Scratchpad scratchpad;

/// A primitive with memory objects of the calling thread's, whose handles each call sets.
struct Bound {
  Matmul key;
  std::shared_ptr<const Built> built;
  memory a, b, c, scratch;
  std::size_t scratch_size;
  dnnl_exec_arg_t args[4];

  explicit Bound(const Matmul& x) : key(x), built(build(x)) {
    const auto& d = built->desc;
    const dnnl::engine& e = cpu_engine();
    a = memory(d.src_desc(), e, nullptr);
    b = memory(d.weights_desc(), e, nullptr);
    c = memory(d.dst_desc(), e, nullptr);
    scratch = memory(d.scratchpad_desc(), e, nullptr);
    scratch_size = d.scratchpad_desc().get_size();
    args[0] = {DNNL_ARG_SRC, a.get()};
    args[1] = {DNNL_ARG_WEIGHTS, b.get()};
    args[2] = {DNNL_ARG_DST, c.get()};
    args[3] = {DNNL_ARG_SCRATCHPAD, scratch.get()};
  }
};

/// The thread's own table, in front of it a direct-mapped one: a lookup is a hash, an index and a comparison.
Bound& find(const Matmul& x) {
  thread_local std::unordered_map<Matmul, std::unique_ptr<Bound>, Hash> table;
  thread_local Bound* recent[256];
  const std::size_t hash = Hash{}(x);
  Bound*& slot = recent[hash >> 56];
  if (slot && slot->key == x) return *slot;
  if (table.size() >= most_kept) {
    table.clear();
    for (Bound*& r : recent) r = nullptr;
  }
  auto& kept = table[x];
  if (!kept) kept = std::make_unique<Bound>(x);
  return *(slot = kept.get());
}

void check(dnnl_status_t status) {
  if (status != dnnl_success) throw dnnl::error(status, "could not run it");
}

/// The C interface, because the C++ one copies a map of arguments at each call. A CPU stream needs no wait.
void execute(Bound& bound, const void* a, const void* b, void* c) {
  check(dnnl_memory_set_data_handle(bound.args[0].memory, const_cast<void*>(a)));
  check(dnnl_memory_set_data_handle(bound.args[1].memory, const_cast<void*>(b)));
  check(dnnl_memory_set_data_handle(bound.args[2].memory, c));
  if (bound.scratch_size) {
    check(dnnl_memory_set_data_handle(bound.args[3].memory, scratchpad.get(bound.scratch_size)));
  }
  check(dnnl_primitive_execute(bound.built->primitive.get(), cpu_stream().get(), 4, bound.args));
}

}  // namespace

void run(const Matmul& x, const void* a, const void* b, void* c) {
  try {
    Bound& bound = find(x);
    if (isa() == Isa::avx512) return execute(bound, a, b, c);
    const detail::TeamSize one(1);  // the kernels for older CPUs ask again when they run
    execute(bound, a, b, c);
  } catch (const dnnl::error& e) {
    throw std::runtime_error(
        fmt::format("matmul: oneDNN refuses {}: {} (status {})", describe(x), e.what(), static_cast<int>(e.status)));
  }
}

}  // namespace weft::onednn
