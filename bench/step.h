// From a function written once to a step, eager or compiled.
#pragma once

#include <memory>
#include <utility>

#include "works.h"

namespace bench {

namespace detail {
// f with its inputs, called `repeat` times a step; the results of the last call are kept.
template <class F, class... Input> auto repeated(int repeat, F f, Input... inputs) {
  using Result = decltype(f(inputs...));
  auto last = std::make_shared<Result>();
  auto call = std::make_shared<F>(std::move(f));
  Step step;
  step.run = [repeat, last, call, inputs...] {
    for (int i = 0; i < repeat; ++i) *last = (*call)(inputs...);
  };
  step.results = [last] {
    std::vector<weft::Tensor> list;
    weft::each_leaf(*last, [&](const weft::Tensor& t) { list.push_back(t); });
    return list;
  };
  if constexpr (requires { call->stats(); }) {
    step.stats = [call] { return call->stats(); };
    step.dump = [call](std::string_view stage) { return call->dump(stage); };
  }
  return step;
}
}  // namespace detail

template <class F, class... Input> Step repeated_step(Mode mode, int repeat, F f, Input... inputs) {
  if (mode == Mode::compile) return detail::repeated(repeat, weft::compile(std::move(f)), std::move(inputs)...);
  return detail::repeated(repeat, std::move(f), std::move(inputs)...);
}
template <class F, class... Input> Step make_step(Mode mode, F f, Input... inputs) {
  return repeated_step(mode, 1, std::move(f), std::move(inputs)...);
}

}  // namespace bench
