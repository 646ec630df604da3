// What libweft_jit.so exports.
#include "jit.h"

#include <fmt/format.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "emit.h"
#include "library_id.h"
#include "object_cache.h"
#include "target.h"

namespace weft::jit {
namespace {

std::mutex one_at_a_time;

std::unique_ptr<llvm::Module> new_module(llvm::LLVMContext& context, const llvm::TargetMachine& machine) {
  auto module = std::make_unique<llvm::Module>("weft", context);
  module->setDataLayout(machine.createDataLayout());
  module->setTargetTriple(machine.getTargetTriple().str());
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

struct Job {
  const Kernel* kernel;
  std::string key, name;
  std::unique_ptr<llvm::MemoryBuffer> object;
  std::exception_ptr failed;
};

void generate(Job& job, Isa isa, Target& target) {
  try {
    llvm::LLVMContext context;
    const Target::Lease machine(target);
    auto module = new_module(context, *machine);
    emit_kernel(*job.kernel, job.name, *module, isa);
    verify(*module);
    optimise(*module, *machine);
    job.object = object_of(*module, *machine);
  } catch (...) { job.failed = std::current_exception(); }
}

bool compile(const Kernel* const* kernels, std::size_t n, Isa isa, JitEntry::Parallel parallel,
             KernelFunction* functions, std::size_t* loaded, JitEntry::Sink sink, void* to) {
  return guarded(sink, to, [&] {
    Target& target = Target::of(isa);
    ObjectCache* const cache = ObjectCache::get();
    std::vector<Job> jobs(n);
    std::vector<Job*> missing;
    for (std::size_t i = 0; i < n; ++i) {
      Job& job = jobs[i];
      job.kernel = kernels[i];
      job.key = key_of(*kernels[i], isa, *Target::Lease(target));
      job.name = "weft_kernel_" + digest(job.key);
      if (cache) job.object = cache->find(job.key);
      if (job.object)
        ++*loaded;
      else
        missing.push_back(&job);
    }
    // The longest first: it takes a tenth of a second, and the others are done beside it.
    std::ranges::stable_sort(missing, std::greater(), [](const Job* job) { return job->kernel->code.size(); });
    auto body = [&](std::int64_t i) { generate(*missing[static_cast<std::size_t>(i)], isa, target); };
    parallel(
        static_cast<std::int64_t>(missing.size()),
        [](void* f, std::int64_t i) { (*static_cast<decltype(body)*>(f))(i); }, &body);
    for (const Job* job : missing)
      if (cache && job->object) cache->keep(job->key, *job->object);
    for (const Job* job : missing)
      if (job->failed) std::rethrow_exception(job->failed);
    for (Job& job : jobs) target.add(std::move(job.object));
    for (std::size_t i = 0; i < n; ++i) functions[i] = reinterpret_cast<KernelFunction>(target.address(jobs[i].name));
  });
}

bool show(const Kernel& kernel, Isa isa, bool assembly, JitEntry::Sink sink, void* to) {
  return guarded(sink, to, [&] {
    const Target::Lease machine(Target::of(isa));
    llvm::LLVMContext context;
    auto module = new_module(context, *machine);
    emit_kernel(kernel, "kernel", *module, isa);
    verify(*module);
    optimise(*module, *machine);
    std::string text;
    if (assembly)
      text = assembly_of(*module, *machine);
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
