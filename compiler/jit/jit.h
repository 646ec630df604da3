// The code generator, seen from the rest of the library: no LLVM here. It lives in libweft_jit.so, which is loaded when
// the first kernel has to be compiled.
#pragma once

#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "../../tensor/isa.h"
#include "../kernel.h"

namespace weft {

/// What libweft_jit.so exports, under its one symbol.
struct JitEntry {
  static constexpr const char* symbol = "weft_jit_entry";
  using Sink = void (*)(void* to, const char* text, std::size_t size);
  /// Calls body(context, i) for i in [0, tasks), on several threads.
  using Parallel = void (*)(std::int64_t tasks, void (*body)(void*, std::int64_t), void* context);

  std::uint64_t interface;  // WEFT_KERNEL_INTERFACE: a hash of what both sides have to agree upon
  /// Machine code for n distinct kernels, of which `loaded` came from the disk. False on an error, whose text goes to
  /// the sink.
  bool (*compile)(const Kernel* const* kernels, std::size_t n, Isa isa, Parallel parallel, KernelFunction* functions,
                  std::size_t* loaded, Sink sink, void* to);
  /// The optimised LLVM IR, or the assembly, of a kernel, to the sink.
  bool (*show)(const Kernel& kernel, Isa isa, bool assembly, Sink sink, void* to);
};

class Jit {
 public:
  /// The process's code generator; null where it is switched off (WEFT_JIT=0) or cannot be loaded, which is said once
  /// on stderr. Kernels are interpreted then.
  static Jit* get();

  /// The machine code of each kernel, from the process's cache, from the disk's (object_cache.h) or generated now.
  /// Never freed. A null function where that failed (said on stderr): interpret that kernel. Any thread may call.
  std::vector<KernelFunction> compile(std::span<const Kernel* const> kernels, Isa level = isa());
  /// What a kernel becomes: LLVM IR, assembly.
  std::string ir(const Kernel& kernel, Isa level = isa()) { return show(kernel, level, false); }
  std::string assembly(const Kernel& kernel, Isa level = isa()) { return show(kernel, level, true); }

  /// Since the process began: milliseconds spent in compile(); kernels generated, loaded from the disk, found in the
  /// process.
  struct Stats {
    double ms = 0;
    std::size_t compiled = 0, loaded = 0, found = 0;
  };
  Stats stats();

 private:
  explicit Jit(const JitEntry& entry) : entry_(entry) {}
  static Jit* load();
  std::string show(const Kernel& kernel, Isa level, bool assembly);

  const JitEntry& entry_;
  std::mutex mutex_;
  std::unordered_map<std::string, KernelFunction> cache_;  // by name_of(ISA) and Kernel::text()
  Stats stats_;
};

}  // namespace weft
