// LLVM's view of an ISA level: the machine that code is made for, and the linker that loads it. Inside libweft_jit.so.
#pragma once

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../../tensor/isa.h"

namespace weft::jit {

class Target {
 public:
  /// The one of a level, made at first need. Throws std::runtime_error.
  static Target& of(Isa isa);

  /// The machine that code is made for. LLVM's is one thread's at a time: there are as many as have been at work at
  /// once. Any thread may.
  class Lease {
   public:
    explicit Lease(Target& target);
    ~Lease();
    Lease(const Lease&) = delete;
    llvm::TargetMachine& operator*() const { return *machine_; }

   private:
    Target& target_;
    std::unique_ptr<llvm::TargetMachine> machine_;
  };

  /// Loads an object file; the address of what one defines.
  void add(std::unique_ptr<llvm::MemoryBuffer> object);
  void* address(const std::string& name);

 private:
  explicit Target(Isa isa);
  Isa isa_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<llvm::TargetMachine>> idle_;
  std::unique_ptr<llvm::orc::LLJIT> linker_;
};

/// Light passes over the module, none of which changes a bit of what it computes.
void optimise(llvm::Module& module, llvm::TargetMachine& machine);
std::string assembly_of(llvm::Module& module, llvm::TargetMachine& machine);
/// The module as an object file.
std::unique_ptr<llvm::MemoryBuffer> object_of(llvm::Module& module, llvm::TargetMachine& machine);

}  // namespace weft::jit
