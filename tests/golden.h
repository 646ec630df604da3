// Values that another library gave (tools/goldens.py), and functions held to them.
#pragma once

#include <weft/weft.h>

#include <functional>
#include <string>
#include <vector>

#include "support.h"

namespace weft::test {

inline Tensor golden(const std::string& name) {
  const io::SafeTensors file = io::read_safetensors(WEFT_GOLDENS "/pytorch.safetensors");
  INFO("golden " << name);
  REQUIRE(file.tensors.count(name));
  return file.tensors.at(name);
}

/// CHECKs f on the golden inputs NAME.x, ...: the result is NAME.y, and the gradients of the sum of its squares
/// NAME.dx,
/// ...; compiled too.
inline void check_golden(const std::string& name, const std::vector<std::string>& inputs,
                         const std::function<Tensor(const std::vector<Tensor>&)>& f, double tolerance = 1e-12) {
  INFO(name);
  std::vector<Tensor> in;
  for (const std::string& i : inputs) in.push_back(golden(name + "." + i));
  const auto run = [&](const std::vector<Tensor>& x) {
    GradientTape tape;
    tape.watch(x);
    const Tensor y = f(x);
    std::vector<Tensor> all = tape.gradient(sum(y * y), x);
    all.insert(all.begin(), y);
    return all;
  };
  for (const std::vector<Tensor>& results : {run(in), compile(run)(in)}) {
    CHECK_NEAR(results[0], golden(name + ".y"), tolerance);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      INFO("gradient for " << inputs[i]);
      CHECK_NEAR(results[i + 1], golden(name + ".d" + inputs[i]), tolerance);
    }
  }
}

}  // namespace weft::test
