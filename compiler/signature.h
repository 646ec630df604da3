// Signature: what a call of a compiled function must have in common with a trace to use it.
#pragma once

#include <bit>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../autograd/gradients.h"
#include "../autograd/structure.h"
#include "../ops/variable.h"

namespace weft::detail {

using Variables = std::vector<std::shared_ptr<VariableState>>;

/// Types, how they are nested, which arguments are the same, host numbers and texts by value, the context. Which
/// variables are passed stands beside it: another one of the same type may do as well.
class Signature {
 public:
  void add_word(std::uint64_t w) { words_.push_back(w); }
  void add_text(std::string_view text);
  /// Numbers the argument: anew, or as the same tensor before.
  void add_tensor(const Tensor& t);
  void add_variable(const std::shared_ptr<VariableState>& v);
  /// This very tensor.
  void add_constant(const Tensor& t) { add_word(t.defined() ? t.id() : ~std::uint64_t{0}); }

  const std::vector<Tensor>& tensors() const { return tensors_; }  // each once
  const Variables& variables() const { return variables_; }        // each once
  void forget_tensors() { tensors_.clear(); }
  bool same_words(const Signature& o) const { return words_ == o.words_; }
  /// What differs from another signature, for the warning: "tensor 0 was f32[2], is f32[3]".
  std::string difference(const Signature& before) const;

 private:
  std::vector<std::uint64_t> words_;
  std::vector<Tensor> tensors_;
  Variables variables_;
  std::vector<Type> types_;  // of the tensors, kept when they are let go
};

template <class> inline constexpr bool has_no_signature = false;

/// Adds an argument, each level of its nesting by itself: of one type, no two different ones give the same words.
/// A structure with variables is passed by reference, so the tensors in it stay what they are while it is traced and
/// become constants of the trace: which ones they are counts.
template <class T, bool constant = HoldsVariables<T>::value> void sign(Signature& signature, const T& s) {
  [[maybe_unused]] const auto part = [&]<class M>(const M& m) { sign<M, constant>(signature, m); };
  if constexpr (std::is_same_v<T, Tensor>) {
    constant ? signature.add_constant(s) : signature.add_tensor(s);
  } else if constexpr (std::is_same_v<T, Variable>) {
    signature.add_variable(s.state());
  } else if constexpr (RefersToVariable<T>) {
    signature.add_variable(s.variable().state());
  } else if constexpr (std::is_same_v<T, Gradients>) {
    signature.add_word(s.size());
    for (const Gradients::Item& item : s) signature.add_variable(item.variable), part(item.gradient);
  } else if constexpr (std::is_floating_point_v<T>) {
    const auto high = static_cast<double>(s);
    signature.add_word(std::bit_cast<std::uint64_t>(high));
    if constexpr (sizeof(T) > sizeof(double))  // what a double has no bits for
      signature.add_word(std::bit_cast<std::uint64_t>(static_cast<double>(s - static_cast<T>(high))));
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    signature.add_word(static_cast<std::uint64_t>(s));
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    signature.add_text(s);
  } else if constexpr (HasMembers<T> || HasOptions<T>) {
    if constexpr (HasMembers<T>) each_member(s, [&](std::string_view, const auto& m) { part(m); });
    if constexpr (HasOptions<T>) part(s.weft_options());
  } else if constexpr (std::is_same_v<T, std::shared_ptr<VariableState>>) {
    signature.add_variable(s);
  } else if constexpr (std::is_same_v<T, Ints>) {
    signature.add_word(static_cast<std::uint64_t>(s.size()));
    for (const std::int64_t i : s) signature.add_word(static_cast<std::uint64_t>(i));
  } else if constexpr (is_tuple<T>) {
    std::apply([&](const auto&... m) { (part(m), ...); }, s);
  } else if constexpr (is_vector<T>) {
    signature.add_word(s.size());
    for (const auto& m : s) part(static_cast<const typename T::value_type&>(m));
  } else if constexpr (is_map<T>) {
    signature.add_word(s.size());
    for (const auto& [key, m] : s) part(key), part(m);
  } else if constexpr (is_optional<T>) {
    signature.add_word(static_cast<bool>(s));
    if (s) part(*s);
  } else if constexpr (!std::is_empty_v<T>) {
    static_assert(
        has_no_signature<T>,
        "compile: a parameter and what it lists as WEFT_MEMBERS are Tensors, Variables, numbers, strings and "
        "structures of these: of anything else a call could not tell whether it is what was traced. A layer of your "
        "own names its numbers by WEFT_OPTIONS, if it has no tensors");
  }
}

}  // namespace weft::detail
