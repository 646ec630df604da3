// Bidirectional: two recurrent layers over one sequence, from its start and from its end.
//
//     nn::Bidirectional both(nn::LSTM(64, 128), nn::LSTM(64, 128));
//     auto [outputs, states] = both(x);   // [B, T, 256], {{h, c}, {h, c}}
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "../autograd/structure.h"
#include "../ops/arg.h"
#include "../ops/manipulate.h"
#include "../ops/rearrange.h"
#include "../tensor/scope.h"

namespace weft::nn {

/// Outputs [B, T, hidden of `forward` + hidden of `backward`], each step's of both, and the last states of both:
/// `backward`'s is that at the sequence's first step. First states are 0 unless given. Under a mask, bool[B, T], each
/// begins at its sequence's own first or last step. Errors are those of the layers.
/// Schuster and Paliwal, 1997.
template <class Layer> struct Bidirectional {
  Layer forward, backward;
  Bidirectional(Layer from_start, Layer from_end) : forward(std::move(from_start)), backward(std::move(from_end)) {}

  using State = std::remove_cvref_t<decltype(std::declval<const Layer&>()(std::declval<const Arg&>()).second)>;
  using States = std::pair<State, State>;

  std::pair<Tensor, States> operator()(const Arg& x, const std::optional<States>& states = {},
                                       const std::optional<Tensor>& mask = {}) const {
    const ProfileScope layer("Bidirectional");
    const SiteScope scope(x.site());
    std::optional<State> first, last;
    if (states) first = states->first, last = states->second;
    auto [ahead, ahead_state] = forward(x, first, mask);  // it checks that x is a sequence
    const auto reversed = mask ? std::optional<Tensor>(flip(*mask, {1})) : std::nullopt;
    auto [back, back_state] = backward(Arg(flip(x, {1}), x.site()), last, reversed);
    return {concat({ahead, flip(back, {1})}, -1), {std::move(ahead_state), std::move(back_state)}};
  }
  WEFT_MEMBERS(forward, backward)
};

}  // namespace weft::nn
