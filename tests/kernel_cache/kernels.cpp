// One process with a compiled function: says where its kernels came from and what they computed. It ends as its
// argument says: by an exception that nobody catches ("throw"), by quick_exit ("quick"), or else as programs do.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include <weft/compiler/jit/jit.h>
#include <weft/weft.h>

using namespace weft;

int main(int argc, char** argv) {
  const auto f = [](const Tensor& x) { return sum(tanh(x * 3) / (exp(x) + 1), -1); };
  auto compiled = compile(f);
  const Tensor x = reshape(linspace(-2, 2, 60), {3, 20});
  const Tensor y = compiled(x), z = f(x);
  const Jit::Stats s = Jit::get() ? Jit::get()->stats() : Jit::Stats{};
  std::printf("generated %zu loaded %zu same %d\n", s.compiled, s.loaded, all(equal(y, z)).item<bool>());
  const std::string_view end = argc > 1 ? argv[1] : "";
  if (end == "throw") throw std::runtime_error("nobody catches this");
  if (end == "quick") std::quick_exit(0);
}
