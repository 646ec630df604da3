// Structure: what nests tensors. One trait serves the tape, compile and nn alike. A structure is a Tensor, a Variable,
// a tuple, pair, array, vector, map, optional or unique_ptr of structures, a model's Gradients, or a struct that names
// its members once:
//
//     struct Mlp { nn::Linear fc1, fc2;  WEFT_MEMBERS(fc1, fc2) };
#pragma once

#include <array>
#include <concepts>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "../ops/variable.h"
#include "../tensor/options.h"

/// The one line by which a struct names its members, in the order that parameters, files and summaries list them.
#define WEFT_MEMBERS(...)                                     \
  auto weft_members() { return std::tie(__VA_ARGS__); }       \
  auto weft_members() const { return std::tie(__VA_ARGS__); } \
  static constexpr std::string_view weft_member_names() { return #__VA_ARGS__; }

namespace weft {

class Gradients;  // in gradients.h

template <class T>
concept HasMembers = requires(const T& t) {
  t.weft_members();
};

/// A handle on a variable that another structure holds, as nn::Parameter.
template <class T>
concept RefersToVariable = !HasMembers<T> && requires(const T& t) {
  { t.variable() } -> std::same_as<Variable>;
};

namespace detail {
template <class T> inline constexpr bool is_vector = false;
template <class T, class A> inline constexpr bool is_vector<std::vector<T, A>> = true;
template <class T> inline constexpr bool is_list_of_handles = false;
template <RefersToVariable T, class A> inline constexpr bool is_list_of_handles<std::vector<T, A>> = true;
template <class T> inline constexpr bool is_map = false;
template <class K, class T, class C, class A> inline constexpr bool is_map<std::map<K, T, C, A>> = true;
template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T, class D> inline constexpr bool is_optional<std::unique_ptr<T, D>> = true;  // one or none, too
template <class T> inline constexpr bool is_tuple = false;
template <class... T> inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B> inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class T, std::size_t n> inline constexpr bool is_tuple<std::array<T, n>> = true;

/// The i-th of "a, b, c".
constexpr std::string_view nth_name(std::string_view names, std::size_t i) {
  for (; i > 0; --i) names.remove_prefix(names.find(',') + 1);
  names = names.substr(0, names.find(','));
  while (!names.empty() && names.front() == ' ') names.remove_prefix(1);
  while (!names.empty() && names.back() == ' ') names.remove_suffix(1);
  return names;
}
}  // namespace detail

/// Calls visit(name, member) for each member of a struct.
template <class S, class Visit>
requires HasMembers<std::remove_const_t<S>>
void each_member(S& s, Visit&& visit) {
  auto members = s.weft_members();
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (visit(detail::nth_name(S::weft_member_names(), i), std::get<i>(members)), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(members)>>());
}

namespace detail {
template <class T> struct IsStructure
    : std::bool_constant<std::is_same_v<T, Tensor> || std::is_same_v<T, Variable> || std::is_same_v<T, Gradients> ||
                         HasMembers<T> || RefersToVariable<T>> {};
template <class T, class A> struct IsStructure<std::vector<T, A>> : IsStructure<T> {};
template <class K, class T, class C, class A> struct IsStructure<std::map<K, T, C, A>> : IsStructure<T> {};
template <class T> struct IsStructure<std::optional<T>> : IsStructure<T> {};
template <class T, class D> struct IsStructure<std::unique_ptr<T, D>> : IsStructure<T> {};
template <class T, std::size_t n> struct IsStructure<std::array<T, n>> : IsStructure<T> {};
template <class... T> struct IsStructure<std::tuple<T...>>  // of references too: std::tie(w, b)
    : std::bool_constant<(IsStructure<std::remove_cvref_t<T>>::value && ...)> {};
template <class A, class B> struct IsStructure<std::pair<A, B>>
    : std::bool_constant<IsStructure<A>::value && IsStructure<B>::value> {};

template <class> inline constexpr bool is_variant = false;
template <class... T> inline constexpr bool is_variant<std::variant<T...>> = true;
template <class> struct AlternativesOf : std::false_type {};
template <class... T> struct AlternativesOf<std::variant<T...>> : std::bool_constant<(IsStructure<T>::value || ...)> {};

// Whether a T holds structures in a way that is not walked, or points to what may hold them.
template <class T> consteval bool hides_leaves() {
  if constexpr (requires { typename T::mapped_type; })
    return IsStructure<typename T::mapped_type>::value;
  else if constexpr (requires { typename T::element_type; })
    return hides_leaves<typename T::element_type*>();
  else if constexpr (requires { typename T::value_type; })
    return IsStructure<typename T::value_type>::value;
  else if constexpr (std::is_pointer_v<T>)
    return IsStructure<std::remove_cv_t<std::remove_pointer_t<T>>>::value;
  else
    return AlternativesOf<T>::value;
}

// Whether a T may hold structures of which it does not say: a struct or a lambda that has something to destroy, as
// those with tensors, variables and layers in them have.
template <class T> consteval bool says_nothing() {
  if constexpr (requires { typename T::value_type; } || is_variant<T>)
    return false;  // hides_leaves() looks into it
  else if constexpr (requires { typename T::element_type; })
    return false;
  else if constexpr (requires { typename T::result_type; })
    return false;  // a std::function
  else
    return std::is_class_v<T> && !std::is_empty_v<T> && !std::is_trivially_destructible_v<T> &&
           !IsStructure<T>::value && !HasOptions<T>;
}

/// Whether a walk that meets a T sees all that it holds: else gradients and files would lack it, without a word.
template <class T> consteval void check_seen() {
  static_assert(!says_nothing<T>(),
                "a structure: a struct with tensors, variables or layers names them in WEFT_MEMBERS(...), else nobody "
                "sees them; one without in WEFT_OPTIONS(...). A lambda can't: make it a struct with operator()");
  if constexpr (!is_optional<T>)
    static_assert(!hides_leaves<T>(),
                  "a structure: tensors and variables in a shared or plain pointer, a variant, or a container other "
                  "than vector, map, array, tuple, pair, optional and unique_ptr are not seen");
  else if constexpr (requires { typename T::element_type; })
    static_assert(!std::is_polymorphic_v<typename T::element_type> || std::is_final_v<typename T::element_type>,
                  "a structure: a unique_ptr is to a struct with WEFT_MEMBERS and not to its base class, whose other "
                  "members nobody sees");
}
}  // namespace detail

/// Calls visit(leaf) for each Tensor and Variable of a structure, in order; other members (a bool, a double) are passed
/// over.
template <class S, class Visit> void each_leaf(S& s, Visit&& visit) {
  using T = std::remove_const_t<S>;
  if constexpr (std::is_same_v<T, Tensor> || std::is_same_v<T, Variable>)
    visit(s);
  else if constexpr (RefersToVariable<T>) {
    const Variable v = s.variable();
    visit(v);
  } else if constexpr (std::is_same_v<T, Gradients>)
    for (auto& item : s) visit(item.gradient);
  else if constexpr (HasMembers<T>)
    each_member(s, [&](std::string_view, auto& m) { each_leaf(m, visit); });
  else if constexpr (detail::is_tuple<T>)
    std::apply([&](auto&... m) { (each_leaf(m, visit), ...); }, s);
  else if constexpr (detail::is_vector<T>)
    for (auto& m : s) each_leaf(m, visit);
  else if constexpr (detail::is_map<T>)
    for (auto& [key, m] : s) each_leaf(m, visit);
  else {
    detail::check_seen<T>();
    if constexpr (detail::is_optional<T>)
      if (s) each_leaf(*s, visit);
  }
}

namespace detail {
template <class T> struct HoldsVariables : std::is_same<T, Variable> {};
template <class T> using Bare = std::remove_cvref_t<T>;
template <class T, class A> struct HoldsVariables<std::vector<T, A>> : HoldsVariables<T> {};
template <class K, class T, class C, class A> struct HoldsVariables<std::map<K, T, C, A>> : HoldsVariables<T> {};
template <class T> struct HoldsVariables<std::optional<T>> : HoldsVariables<T> {};
template <class T, class D> struct HoldsVariables<std::unique_ptr<T, D>> : HoldsVariables<T> {};
template <class T, std::size_t n> struct HoldsVariables<std::array<T, n>> : HoldsVariables<T> {};
template <class... T> struct HoldsVariables<std::tuple<T...>>
    : std::bool_constant<(HoldsVariables<Bare<T>>::value || ...)> {};
template <class A, class B> struct HoldsVariables<std::pair<A, B>>
    : std::bool_constant<HoldsVariables<A>::value || HoldsVariables<B>::value> {};
template <RefersToVariable T> struct HoldsVariables<T> : std::true_type {};
template <HasMembers T> struct HoldsVariables<T> : HoldsVariables<decltype(std::declval<const T&>().weft_members())> {};
}  // namespace detail

template <class T>
concept Structured = detail::IsStructure<std::remove_cvref_t<T>>::value;  // a struct: with WEFT_MEMBERS(...)

/// A struct with variables inside, or a list of handles on some: its gradients come as Gradients, indexed by variable.
template <class T>
concept HasVariables = (HasMembers<T> && detail::HoldsVariables<T>::value) || detail::is_list_of_handles<T>;

namespace detail {
/// map(leaf) for each of a model's trained variables; in gradients.h.
template <class S, class Map> Gradients gradients_of(const S& model, Map&& map);
}  // namespace detail

/// The same structure with each leaf replaced by map(leaf): a Tensor, which Variables become too, or, where no struct
/// has to hold it, a structure in turn. A model becomes Gradients.
template <class S, class Map> auto map_leaves(const S& s, Map&& map) {
  if constexpr (std::is_same_v<S, Tensor> || std::is_same_v<S, Variable>) {
    if constexpr (std::is_convertible_v<decltype(map(s)), Tensor>)
      return Tensor(map(s));
    else
      return map(s);
  } else if constexpr (std::is_same_v<S, Gradients>) {
    S result = s;
    for (auto& item : result) item.gradient = map(item.gradient);
    return result;
  } else if constexpr (RefersToVariable<S>) {
    return map_leaves(s.variable(), map);
  } else if constexpr (detail::is_list_of_handles<S>) {
    return detail::gradients_of(s, map);
  } else if constexpr (HasMembers<S>) {
    if constexpr (HasVariables<S>) {
      return detail::gradients_of(s, map);
    } else {
      S result = s;
      each_leaf(result, [&](Tensor& leaf) { leaf = map(leaf); });
      return result;
    }
  } else if constexpr (detail::is_vector<S>) {
    std::vector<decltype(map_leaves(s[0], map))> result;
    result.reserve(s.size());
    for (const auto& m : s) result.push_back(map_leaves(m, map));
    return result;
  } else if constexpr (detail::is_map<S>) {
    std::map<typename S::key_type, decltype(map_leaves(s.begin()->second, map))> result;
    for (const auto& [key, m] : s) result.emplace(key, map_leaves(m, map));
    return result;
  } else if constexpr (detail::is_optional<S>) {
    std::optional<decltype(map_leaves(*s, map))> result;
    if (s) result = map_leaves(*s, map);
    return result;
  } else if constexpr (requires { typename S::first_type; }) {
    auto first = map_leaves(s.first, map);  // in order: the leaves are numbered
    auto second = map_leaves(s.second, map);
    return std::pair(std::move(first), std::move(second));
  } else if constexpr (requires { s.front(); }) {  // array
    return std::apply([&](const auto&... m) { return std::array{map_leaves(m, map)...}; }, s);
  } else {
    return std::apply(
        [&](const auto&... m) { return std::tuple<decltype(map_leaves(m, map))...>{map_leaves(m, map)...}; }, s);
  }
}

namespace detail {
/// The leaves as tensors, variables by their values.
template <class S> std::vector<Tensor> leaves_of(const S& s) {
  std::vector<Tensor> leaves;
  each_leaf(s, [&](const auto& leaf) { leaves.push_back(leaf); });
  return leaves;
}
}  // namespace detail

}  // namespace weft
