// One process with a compiled function: says where its kernels came from and what they computed.
#include <cstdio>

#include <weft/compiler/jit/jit.h>
#include <weft/weft.h>

using namespace weft;

int main() {
  const auto f = [](const Tensor& x) { return sum(tanh(x * 3) / (exp(x) + 1), -1); };
  auto compiled = compile(f);
  const Tensor x = reshape(linspace(-2, 2, 60), {3, 20});
  const Tensor y = compiled(x), z = f(x);
  const Jit::Stats s = Jit::get() ? Jit::get()->stats() : Jit::Stats{};
  std::printf("generated %zu loaded %zu same %d\n", s.compiled, s.loaded, all(equal(y, z)).item<bool>());
}
