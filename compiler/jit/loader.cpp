// Finds libweft_jit.so and keeps what it has compiled.
#include <dlfcn.h>

#include <chrono>
#include <filesystem>

#include "../../tensor/parallel.h"
#include "../../tensor/profile_log.h"
#include "../../tensor/settings.h"
#include "jit.h"

namespace weft {
namespace {

void append(void* to, const char* text, std::size_t size) { static_cast<std::string*>(to)->append(text, size); }

// The library's threads.
void in_parallel(std::int64_t tasks, void (*body)(void*, std::int64_t), void* context) {
  parallel_for(tasks, num_threads(), [&](std::int64_t i) { body(context, i); });
}

// Beside the library or program that holds this code, in the lib/ of its prefix, on the linker's path, where it was
// built.
std::vector<std::string> candidates() {
  const std::string name = "libweft_jit.so";
  std::vector<std::string> paths;
  Dl_info self;
  if (dladdr(reinterpret_cast<const void*>(&append), &self) && self.dli_fname) {
    std::error_code ignored;
    const auto folder = std::filesystem::canonical(self.dli_fname, ignored).parent_path();
    if (!folder.empty()) {
      paths.push_back((folder / name).string());
      paths.push_back((folder / ".." / "lib" / name).string());
    }
  }
  paths.push_back(name);
#ifdef WEFT_JIT_DIR
  paths.push_back(std::string(WEFT_JIT_DIR) + "/" + name);  // last: an installed program has its own copy
#endif
  return paths;
}

const JitEntry* find_entry() {
  std::string why;
  for (const std::string& path : candidates()) {
    std::error_code ignored;
    if (path.find('/') != std::string::npos && !std::filesystem::exists(path, ignored)) continue;
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
      const char* const error = dlerror();
      if (why.empty() || path.find('/') != std::string::npos) why = error;  // of one that is there, if there is one
      continue;
    }
    using Get = const JitEntry* (*)();
    const auto get = reinterpret_cast<Get>(dlsym(library, JitEntry::symbol));
    const JitEntry* entry = get ? get() : nullptr;
    if (entry && entry->interface == WEFT_KERNEL_INTERFACE) return entry;
    why = path + ": of another version of weft";
    dlclose(library);
  }
  warn("no code generator: kernels are interpreted, several times slower ({}); WEFT_JIT=0 silences this", why);
  return nullptr;
}

}  // namespace

Jit* Jit::load() {
  if (!setting("WEFT_JIT", true)) return nullptr;
  const detail::ProfilePhase phase("load code generator");
  const JitEntry* entry = find_entry();
  return entry ? new Jit(*entry) : nullptr;  // for the life of the process: its code may run in any static destructor
}

Jit* Jit::get() {
  static Jit* const jit = load();
  return jit;
}

std::vector<KernelFunction> Jit::compile(std::span<const Kernel* const> kernels, Isa level) {
  std::vector<std::string> keys;
  for (const Kernel* k : kernels) keys.push_back(std::string(name_of(level)) + "\n" + k->text());

  const std::lock_guard lock(mutex_);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<const Kernel*> missing;
  std::vector<KernelFunction*> slots;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    const auto [entry, fresh] = cache_.try_emplace(keys[i], nullptr);
    if (!fresh) {
      ++stats_.found;
      continue;
    }
    missing.push_back(kernels[i]);
    slots.push_back(&entry->second);  // a map's nodes stay where they are
  }
  if (!missing.empty()) {
    std::vector<KernelFunction> made(missing.size());
    std::string error;
    std::size_t loaded = 0;
    if (!entry_.compile(missing.data(), missing.size(), level, in_parallel, made.data(), &loaded, append, &error)) {
      std::size_t failed = 0;  // they take no other with them
      loaded = 0;
      for (std::size_t i = 0; i < missing.size(); ++i) {
        std::string reason;
        if (entry_.compile(&missing[i], 1, level, in_parallel, &made[i], &loaded, append, &reason)) continue;
        ++failed;
        error = reason;
      }
      if (failed) warn("code generation failed, {} kernel(s) will be interpreted: {}", failed, error);
    }
    for (std::size_t i = 0; i < slots.size(); ++i) *slots[i] = made[i];
    stats_.compiled += missing.size() - loaded;
    stats_.loaded += loaded;
    stats_.ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  }
  std::vector<KernelFunction> functions;
  for (const std::string& key : keys) functions.push_back(cache_.find(key)->second);
  return functions;
}

std::string Jit::show(const Kernel& kernel, Isa level, bool assembly) {
  std::string text;
  entry_.show(kernel, level, assembly, append, &text);
  return text;
}

Jit::Stats Jit::stats() {
  const std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace weft
