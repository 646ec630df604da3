// The attributes of an op: one small struct an op, type-erased, comparable, hashable and printable.
//
// A struct of attributes names its members once (one that names values of its own making compares by its own ==):
//     struct SumAttrs { Ints axes; bool keepdims; void each(auto&& f) const { f("axes", axes); f("keepdims", keepdims);
//     } };
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

#include "../tensor/literal.h"
#include "../tensor/shape.h"

namespace weft {

namespace detail {
inline void mix(std::uint64_t& h, std::uint64_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u ^ (h >> 29); }

// How a member is hashed, compared and printed. Floating-point members compare by bits: -0 is not 0, NaN is itself.
inline std::uint64_t member_key(double v) { return std::bit_cast<std::uint64_t>(v); }
inline std::uint64_t member_key(std::integral auto v) { return static_cast<std::uint64_t>(v); }
inline std::uint64_t member_key(DType v) { return static_cast<std::uint64_t>(v); }
inline std::uint64_t member_key(const Literal& v) { return member_key(v.real()); }
inline std::uint64_t member_key(const Ints& v) {
  std::uint64_t h = static_cast<std::uint64_t>(v.size());
  for (std::int64_t i : v) mix(h, static_cast<std::uint64_t>(i));
  return h;
}
template <class T> std::uint64_t member_key(const std::shared_ptr<T>& v) {
  return reinterpret_cast<std::uintptr_t>(v.get());
}
inline bool member_equal(const Ints& a, const Ints& b) { return a == b; }
inline bool member_equal(const Literal& a, const Literal& b) { return a == b; }
template <class T> bool member_equal(const T& a, const T& b) { return member_key(a) == member_key(b); }
std::string member_text(double v);
std::string member_text(std::int64_t v);
inline std::string member_text(bool v) { return v ? "true" : "false"; }
inline std::string member_text(int v) { return member_text(static_cast<std::int64_t>(v)); }
inline std::string member_text(const Literal& v) { return v.text(); }
inline std::string member_text(DType v) { return std::string(name_of(v)); }
inline std::string member_text(const Ints& v) { return v.text(); }
template <class T> std::string member_text(const std::shared_ptr<T>& v) { return v ? v->text() : "none"; }
}  // namespace detail

class Attrs {
 public:
  Attrs() = default;
  template <class T>
  requires requires(const T& t) {
    t.each([](std::string_view, const auto&) {});
  }
  Attrs(T value) : held_(std::make_shared<Holder<T>>(std::move(value))) {}

  /// The struct, which has to be of this type.
  template <class T> const T& as() const { return static_cast<const Holder<T>&>(*held_).value; }
  bool empty() const { return !held_; }
  std::uint64_t hash() const { return held_ ? held_->hash() : 0; }
  bool operator==(const Attrs& o) const {
    if (held_ == o.held_) return true;
    if (!held_ || !o.held_) return false;
    const Base &a = *held_, &b = *o.held_;
    return typeid(a) == typeid(b) && a.equal(b);
  }
  /// "axes=[0], keepdims=false"
  std::string text() const { return held_ ? held_->text() : ""; }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual std::uint64_t hash() const = 0;
    virtual bool equal(const Base&) const = 0;
    virtual std::string text() const = 0;
  };
  template <class T> struct Holder final : Base {
    T value;
    explicit Holder(T v) : value(std::move(v)) {}
    std::uint64_t hash() const override {
      std::uint64_t h = 0;
      value.each([&](std::string_view, const auto& m) { detail::mix(h, detail::member_key(m)); });
      return h;
    }
    bool equal(const Base& other) const override {
      const T& o = static_cast<const Holder&>(other).value;
      if constexpr (std::equality_comparable<T>) {
        return value == o;
      } else {
        // A member of the one says where that of the other lies.
        bool same = true;
        const auto* mine = reinterpret_cast<const char*>(&value);
        const auto* theirs = reinterpret_cast<const char*>(&o);
        value.each([&](std::string_view, auto&& m) {
          static_assert(std::is_lvalue_reference_v<decltype(m)>, "attributes: a value that is no member needs an ==");
          const auto offset = reinterpret_cast<const char*>(&m) - mine;
          same &=
              detail::member_equal(m, *reinterpret_cast<const std::remove_reference_t<decltype(m)>*>(theirs + offset));
        });
        return same;
      }
    }
    std::string text() const override {
      std::string out;
      value.each([&](std::string_view name, const auto& m) {
        if (!out.empty()) out += ", ";
        out += std::string(name) + "=" + detail::member_text(m);
      });
      return out;
    }
  };
  std::shared_ptr<const Base> held_;
};

}  // namespace weft
