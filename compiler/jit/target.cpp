#include "target.h"

#include <llvm/ExecutionEngine/Orc/CompileUtils.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>

#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "emit.h"

namespace weft::jit {
namespace {

template <class T> T need(llvm::Expected<T> value) {
  if (!value) throw std::runtime_error(llvm::toString(value.takeError()));
  return std::move(*value);
}
void need(llvm::Error error) {
  if (error) throw std::runtime_error(llvm::toString(std::move(error)));
}

// avx512 is what this CPU is; the levels below are fixed machines, so that they mean the same everywhere.
llvm::orc::JITTargetMachineBuilder builder(Isa isa) {
  llvm::orc::JITTargetMachineBuilder b{llvm::Triple(llvm::sys::getProcessTriple())};
  if (isa == Isa::avx512) {
    b.setCPU(llvm::sys::getHostCPUName().str());
    for (const auto& feature : llvm::sys::getHostCPUFeatures())
      b.getFeatures().AddFeature(feature.first(), feature.second);
    // f16 is stored so and computed in f32. Where LLVM 19 has arithmetic of it, it makes wrong code of the roundings
    // between (fuzz seed 10692 of 4 steps: a sign lost before a sigmoid).
    b.getFeatures().AddFeature("avx512fp16", false);
  } else if (isa == Isa::avx2) {
    b.setCPU("x86-64");
    for (const char* feature : {"avx2", "fma", "f16c"}) b.getFeatures().AddFeature(feature);
  } else {
    b.setCPU("x86-64");
  }
  b.setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);  // no slower than Default here, and 5 % sooner ready
  b.getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  b.setRelocationModel(llvm::Reloc::PIC_);
  b.setCodeModel(llvm::CodeModel::Small);  // constants stand beside the code; the linker makes stubs for calls
  return b;
}

// x = fma(x, y, z) for a full value.
template <class T> void fma_lanes(T* x, const T* y, const T* z) {
  for (unsigned i = 0; i < lanes; ++i) x[i] = std::fma(x[i], y[i], z[i]);
}

// All that generated code may call: what base lacks an instruction for, and the copies of ragged ends.
llvm::orc::SymbolMap library_functions(llvm::orc::LLJIT& linker) {
  llvm::orc::SymbolMap symbols;
  const auto define = [&]<class F>(const char* name, F* f) {
    symbols[linker.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(f),
                                             llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  };
  using Float1 = float(float);
  using Double1 = double(double);
  using Float2 = float(float, float);
  using Double2 = double(double, double);
  define("weft_fma_f32", fma_lanes<float>), define("weft_fma_f64", fma_lanes<double>);
  define("fmaf", static_cast<float (*)(float, float, float)>(&::fmaf));
  define("fma", static_cast<double (*)(double, double, double)>(&::fma));
  define("floorf", static_cast<Float1*>(&::floorf)), define("floor", static_cast<Double1*>(&::floor));
  define("ceilf", static_cast<Float1*>(&::ceilf)), define("ceil", static_cast<Double1*>(&::ceil));
  define("truncf", static_cast<Float1*>(&::truncf)), define("trunc", static_cast<Double1*>(&::trunc));
  define("roundevenf", static_cast<Float1*>(&::roundevenf)), define("roundeven", static_cast<Double1*>(&::roundeven));
  define("fminf", static_cast<Float2*>(&::fminf)), define("fmin", static_cast<Double2*>(&::fmin));
  define("fmaxf", static_cast<Float2*>(&::fmaxf)), define("fmax", static_cast<Double2*>(&::fmax));
  define("memcpy", static_cast<void* (*)(void*, const void*, std::size_t)>(&std::memcpy));
  define("memset", static_cast<void* (*)(void*, int, std::size_t)>(&std::memset));
  return symbols;
}

}  // namespace

Target::Target(Isa isa) : isa_(isa) {
  static const bool initialised = !llvm::InitializeNativeTarget() && !llvm::InitializeNativeTargetAsmPrinter();
  if (!initialised) throw std::runtime_error("LLVM has no code generator for this machine");
  linker_ = need(llvm::orc::LLJITBuilder()
                     .setJITTargetMachineBuilder(builder(isa))
                     .setLinkProcessSymbolsByDefault(false)
                     .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                     .create());
  need(linker_->getMainJITDylib().define(llvm::orc::absoluteSymbols(library_functions(*linker_))));
}

Target& Target::of(Isa isa) {
  // jit.cpp lets one thread in at a time. Never destroyed: kernels may run while the process ends.
  static auto& targets = *new std::array<std::unique_ptr<Target>, 3>;
  auto& target = targets[static_cast<std::size_t>(isa)];
  if (!target) target.reset(new Target(isa));
  return *target;
}

Target::Lease::Lease(Target& target) : target_(target) {
  {
    const std::lock_guard lock(target.mutex_);
    if (!target.idle_.empty()) {
      machine_ = std::move(target.idle_.back());
      target.idle_.pop_back();
    }
  }
  if (!machine_) machine_ = need(builder(target.isa_).createTargetMachine());
}

Target::Lease::~Lease() {
  const std::lock_guard lock(target_.mutex_);
  target_.idle_.push_back(std::move(machine_));
}

void optimise(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder passes(&machine);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(calls);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, calls, modules);
  llvm::FunctionPassManager pipeline;
  pipeline.addPass(llvm::EarlyCSEPass());
  pipeline.addPass(llvm::InstCombinePass());
  for (llvm::Function& f : module)
    if (!f.isDeclaration()) pipeline.run(f, functions);
}

std::string assembly_of(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile)) return {};
  passes.run(module);
  return text.str().str();
}

std::unique_ptr<llvm::MemoryBuffer> object_of(llvm::Module& module, llvm::TargetMachine& machine) {
  return need(llvm::orc::SimpleCompiler(machine)(module));
}

void Target::add(std::unique_ptr<llvm::MemoryBuffer> object) { need(linker_->addObjectFile(std::move(object))); }

void* Target::address(const std::string& name) { return need(linker_->lookup(name)).toPtr<void*>(); }

}  // namespace weft::jit
