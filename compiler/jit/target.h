// LLVM's view of an ISA level: the machine that code is made for, and the linker that loads it. Inside libweft_jit.so.
#pragma once

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

#include "../../tensor/isa.h"

namespace weft::jit {

class Target {
 public:
  /// The one of a level, made at first need. Throws std::runtime_error.
  static Target& of(Isa isa);

  /// Light passes over the module, none of which changes a bit of what it computes.
  void optimise(llvm::Module& module);
  std::string assembly(llvm::Module& module);
  /// The module as an object file, and what loads one.
  std::unique_ptr<llvm::MemoryBuffer> object(llvm::Module& module);
  void add(std::unique_ptr<llvm::MemoryBuffer> object);
  void* address(const std::string& name);

  llvm::TargetMachine& machine() { return *machine_; }

 private:
  explicit Target(Isa isa);
  std::unique_ptr<llvm::TargetMachine> machine_;
  std::unique_ptr<llvm::orc::LLJIT> linker_;
};

}  // namespace weft::jit
