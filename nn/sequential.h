// Sequential: layers one after another.
//
//     nn::Sequential net(nn::Linear(2, 10), nn::Tanh{}, nn::Linear(10, 1));
#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../autograd/structure.h"
#include "../ops/arg.h"
#include "../tensor/scope.h"

namespace weft::nn {

/// Calls each layer on what the one before gave. A layer is anything that maps a Tensor to a Tensor: a layer of ours, a
/// model of yours, a lambda. Its members go by their numbers: "0.weight". A module in profiles, its layers inside it.
template <class... Layer> struct Sequential {
  static_assert(sizeof...(Layer) > 0 && sizeof...(Layer) <= 32, "Sequential takes 1 to 32 layers; nest them for more");
  std::tuple<Layer...> layers;

  explicit Sequential(Layer... layer) : layers(std::move(layer)...) {}

  Tensor operator()(const Arg& x) const {
    const ProfileScope layer("Sequential");
    const SiteScope scope(x.site());
    Tensor t = x.tensor();
    std::apply([&](const auto&... layer) { ((t = call(layer, t, x.site())), ...); }, layers);
    return t;
  }
  template <std::size_t i> auto& get() { return std::get<i>(layers); }
  template <std::size_t i> const auto& get() const { return std::get<i>(layers); }

  auto weft_members() {
    return std::apply([](auto&... layer) { return std::tie(layer...); }, layers);
  }
  auto weft_members() const {
    return std::apply([](const auto&... layer) { return std::tie(layer...); }, layers);
  }
  static constexpr std::string_view weft_member_names() {
    return "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31";
  }

 private:
  template <class L> static Tensor call(const L& layer, const Tensor& x, const Site& site) {
    const auto result = [&] {
      if constexpr (std::is_invocable_v<const L&, Arg>)
        return layer(Arg(x, site));
      else
        return layer(x);
    };
    static_assert(std::is_convertible_v<decltype(result()), Tensor>,
                  "Sequential: a layer gives one Tensor; put a recurrent one into a model that picks its outputs");
    return result();
  }
};

}  // namespace weft::nn
