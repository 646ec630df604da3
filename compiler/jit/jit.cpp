// What libweft_jit.so exports.
#include "jit.h"

#include <fmt/format.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <mutex>
#include <stdexcept>

#include "emit.h"
#include "library_id.h"
#include "object_cache.h"
#include "target.h"

namespace weft::jit {
namespace {

std::mutex one_at_a_time;

std::unique_ptr<llvm::Module> new_module(llvm::LLVMContext& context, Target& target) {
  auto module = std::make_unique<llvm::Module>("weft", context);
  module->setDataLayout(target.machine().createDataLayout());
  module->setTargetTriple(target.machine().getTargetTriple().str());
  return module;
}

void verify([[maybe_unused]] llvm::Module& module) {
#ifndef NDEBUG
  std::string problem;
  llvm::raw_string_ostream out(problem);
  if (llvm::verifyModule(module, &out)) throw std::runtime_error(problem);
#endif
}

// No exception and no LLVM error may leave the library.
template <class F> bool guarded(JitEntry::Sink sink, void* to, F&& f) {
  const std::lock_guard lock(one_at_a_time);
  try {
    f();
    return true;
  } catch (const std::exception& e) {
    const std::string_view what = e.what();
    sink(to, what.data(), what.size());
    return false;
  }
}

// Where a kernel's code is kept: what makes it, the machine it is made for, the kernel itself.
std::string key_of(const Kernel& kernel, Isa isa, const llvm::TargetMachine& machine) {
  return fmt::format("{}\n{}\n{} {}\n{}", library_id(), name_of(isa), machine.getTargetCPU().str(),
                     machine.getTargetFeatureString().str(), kernel.text());
}

std::unique_ptr<llvm::MemoryBuffer> generate(const Kernel& kernel, const std::string& name, Isa isa, Target& target) {
  llvm::LLVMContext context;
  auto module = new_module(context, target);
  emit_kernel(kernel, name, *module, isa);
  verify(*module);
  target.optimise(*module);
  return target.object(*module);
}

bool compile(const Kernel* const* kernels, std::size_t n, Isa isa, KernelFunction* functions, std::size_t* loaded,
             JitEntry::Sink sink, void* to) {
  return guarded(sink, to, [&] {
    Target& target = Target::of(isa);
    ObjectCache* const cache = ObjectCache::get();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < n; ++i) {
      const std::string key = key_of(*kernels[i], isa, target.machine());
      names.push_back("weft_kernel_" + digest(key));
      auto object = cache ? cache->find(key) : nullptr;
      if (object) {
        ++*loaded;
      } else {
        object = generate(*kernels[i], names[i], isa, target);
        if (cache) cache->keep(key, *object);
      }
      target.add(std::move(object));
    }
    for (std::size_t i = 0; i < n; ++i) functions[i] = reinterpret_cast<KernelFunction>(target.address(names[i]));
  });
}

bool show(const Kernel& kernel, Isa isa, bool assembly, JitEntry::Sink sink, void* to) {
  return guarded(sink, to, [&] {
    Target& target = Target::of(isa);
    llvm::LLVMContext context;
    auto module = new_module(context, target);
    emit_kernel(kernel, "kernel", *module, isa);
    verify(*module);
    target.optimise(*module);
    std::string text;
    if (assembly)
      text = target.assembly(*module);
    else
      llvm::raw_string_ostream(text) << *module;
    sink(to, text.data(), text.size());
  });
}

}  // namespace
}  // namespace weft::jit

extern "C" __attribute__((visibility("default"))) const weft::JitEntry* weft_jit_entry() {
  static const weft::JitEntry entry = {WEFT_KERNEL_INTERFACE, weft::jit::compile, weft::jit::show};
  return &entry;
}
