#include "primitive.h"

#include <cstdlib>
#include <new>

#include "../../tensor/isa.h"
#include "../../tensor/parallel.h"

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

dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

namespace {

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

void check(dnnl_status_t status) {
  if (status != dnnl_success) throw dnnl::error(status, "could not run it");
}

}  // namespace

Bound::Bound(std::shared_ptr<const Built> built)
    : built_(std::move(built)), scratch_size_(built_->scratchpad.get_size()) {
  const auto add = [&](int arg, const dnnl::memory::desc& d) {
    memories_.emplace_back(d, cpu_engine(), nullptr);
    args_.push_back({arg, memories_.back().get()});
  };
  for (const auto& [arg, desc] : built_->operands) add(arg, desc);
  add(DNNL_ARG_SCRATCHPAD, built_->scratchpad);
}

// The C interface, because the C++ one copies a map of arguments at each call. A CPU stream needs no wait.
void Bound::run(std::span<const void* const> data) {
  for (std::size_t i = 0; i < data.size(); ++i)
    check(dnnl_memory_set_data_handle(args_[i].memory, const_cast<void*>(data[i])));
  if (scratch_size_) check(dnnl_memory_set_data_handle(args_.back().memory, scratchpad.get(scratch_size_)));
  const detail::TeamSize one(1);  // reorders, and the kernels for older CPUs, ask again when they run
  check(dnnl_primitive_execute(built_->primitive.get(), cpu_stream().get(), static_cast<int>(args_.size()),
                               args_.data()));
}

}  // namespace weft::onednn
