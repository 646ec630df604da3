#include "table.h"

#include <array>

#include "../tensor/isa.h"
#include "define.h"
#include "kernels/elementwise.h"

namespace weft {
namespace {

const NativeLoops* native_loops(int index) {
  static const auto loops = by_isa(isa(), native_loops_base, native_loops_avx2, native_loops_avx512);
  return loops(index);
}

template <class Struct, class... All> constexpr int index_of(OpList<All...>) {
  int index = -1, i = 0;
  ((std::is_same_v<Struct, All> ? void(index = i) : void(), ++i), ...);
  return index;
}

template <class Struct> constexpr Op make_builtin() {
  Op op = make_op<Struct>();
  if constexpr (Struct::kind == OpKind::elementwise && !requires { Struct::run; })
    op.loops = [] { return native_loops(index_of<Struct>(BuiltinOps{})); };
  return op;
}

template <class Struct> constexpr Op builtin = make_builtin<Struct>();

template <class... Struct> constexpr auto make_table(OpList<Struct...>) {
  return std::array<const Op*, sizeof...(Struct)>{&builtin<Struct>...};
}
constexpr auto table = make_table(BuiltinOps{});

}  // namespace

template <class Struct> const Op& op_of() { return builtin<Struct>; }

namespace {
// Naming each one makes this file define them all, for everybody else to link to.
template <class... Struct> constexpr auto name_each(OpList<Struct...>) { return std::array{&op_of<Struct>...}; }
[[gnu::used]] constexpr auto doors = name_each(BuiltinOps{});
}  // namespace

std::span<const Op* const> all_ops() { return table; }

}  // namespace weft
