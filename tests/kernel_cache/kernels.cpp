// One process with a compiled function: says where its kernels came from and what they computed. It ends as its
// argument says: by an exception that nobody catches ("throw"), by quick_exit ("quick"), or else as programs do, after
// a profile of its own ("profiled").
// "many": a function of several kernels instead.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <utility>

#include <weft/compiler/jit/jit.h>
#include <weft/weft.h>

using namespace weft;

namespace {

// Loops that cannot be one.
bool computes_many() {
  const auto f = [](const Tensor& x) {
    const Tensor rows = sum(exp(x), -1), columns = max(sin(x), 0);
    return std::tuple(rows * rows, tanh(columns), cumsum(x, 1) + 1, matmul(x, transpose(x)) * 0.5, log1p(abs(x)));
  };
  const Tensor x = reshape(linspace(-2, 2, 3000), {30, 100});
  const auto same = [](const auto&... pairs) {
    return (all(equal(pairs.first, pairs.second)).template item<bool>() && ...);
  };
  const auto a = compile(f)(x), b = f(x);
  return [&]<std::size_t... i>(std::index_sequence<i...>) { return same(std::pair(std::get<i>(a), std::get<i>(b))...); }
  (std::make_index_sequence<5>());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "many") {
    const bool same = computes_many();
    const Jit::Stats s = Jit::get()->stats();
    std::printf("generated %zu loaded %zu same %d\n", s.compiled, s.loaded, same);
    return 0;
  }
  const auto f = [](const Tensor& x) { return sum(tanh(x * 3) / (exp(x) + 1), -1); };
  auto compiled = compile(f);
  const Tensor x = reshape(linspace(-2, 2, 60), {3, 20});
  const Tensor y = compiled(x), z = f(x);
  const Jit::Stats s = Jit::get() ? Jit::get()->stats() : Jit::Stats{};
  std::printf("generated %zu loaded %zu same %d\n", s.compiled, s.loaded, all(equal(y, z)).item<bool>());
  const std::string_view end = argc > 1 ? argv[1] : "";
  if (end == "throw") throw std::runtime_error("nobody catches this");
  if (end == "quick") std::quick_exit(0);
  if (end == "profiled") {  // and shows a profile of its own before
    const Profiler p;
    compiled(random::normal({3, 20}));
    std::fputs(p.table().c_str(), stderr);
  }
}
