#include "signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace weft::detail {

void Signature::add_tensor(const Tensor& t) {
  if (!t.defined()) {
    add_word(~std::uint64_t{0});
    return;
  }
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    if (tensors_[i].same(t)) return add_word(0x100 | i << 16);
  add_word(0x200 | static_cast<std::uint64_t>(t.dtype()) << 16 | static_cast<std::uint64_t>(t.rank()) << 24);
  for (const std::int64_t n : t.shape()) add_word(static_cast<std::uint64_t>(n));
  tensors_.push_back(t);
  types_.push_back(t.type());
}

void Signature::add_variable(const std::shared_ptr<VariableState>& v) {
  if (!v) return add_word(~std::uint64_t{0});
  for (std::size_t i = 0; i < variables_.size(); ++i)
    if (variables_[i] == v) return add_word(0x300 | i << 16);
  const Type& type = v->type;
  add_word(0x400 | static_cast<std::uint64_t>(type.dtype) << 16 | static_cast<std::uint64_t>(type.shape.size()) << 24 |
           std::uint64_t{v->trainable()} << 32);
  for (const std::int64_t n : type.shape) add_word(static_cast<std::uint64_t>(n));
  variables_.push_back(v);
}

void Signature::add_text(std::string_view text) {
  add_word(text.size());
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(8, text.size()))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), std::min<std::size_t>(8, text.size()));
    add_word(word);
  }
}

std::string Signature::difference(const Signature& before) const {
  for (std::size_t i = 0; i < types_.size() && i < before.types_.size(); ++i)
    if (types_[i] != before.types_[i])
      return fmt::format("tensor {} was {}, is {}", i, before.types_[i].text(), types_[i].text());
  if (types_.size() != before.types_.size())
    return fmt::format("{} distinct tensors were passed, now {}", before.types_.size(), types_.size());
  return "a host number, a variable, the nesting or the context changed; pass a number that changes as a Tensor";
}

}  // namespace weft::detail
