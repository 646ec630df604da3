#include "probes.h"

#include <map>

#include <weft/autograd/tape.h>
#include <weft/tests/op_samples.h>

namespace weft::doc {

std::string listed(const std::function<bool(DType)>& accepts) {
  static const std::map<std::string, std::string> words = {{"f32 f64 bf16 f16 i32 i64 u8 bool", "all"},
                                                           {"f32 f64 bf16 f16 i32 i64 u8", "numbers"},
                                                           {"f32 f64 bf16 f16", "floats"}};
  std::string names;
  for (const DType t : test::all_dtypes)
    if (accepts(t)) names += (names.empty() ? "" : " ") + std::string(name_of(t));
  const auto found = words.find(names);
  return found == words.end() ? names : found->second;
}

std::string dtypes_of(const test::PublicFunction& f) {
  return listed([&](DType t) {
    test::Random random;
    try {
      f.f(f.small(t, random));
      return true;
    } catch (const DTypeError&) { return false; }
  });
}

std::string gradient_of(const test::PublicFunction& f) {
  test::Random random;
  const std::vector<Tensor> in = f.small(f64, random);
  GradientTape outer, inner;
  outer.watch(in), inner.watch(in);
  const std::vector<Tensor> out = {f.f(in)}, first = inner.gradient(out, in);
  std::vector<Tensor> connected;
  for (const Tensor& g : first)
    if (g.defined()) connected.push_back(g);
  if (connected.empty()) return "stops";
  try {
    outer.gradient(connected, in, GradientOptions{.unconnected = Unconnected::zero});
    return "yes";
  } catch (const GradError&) { return "order 1"; }
}

}  // namespace weft::doc
