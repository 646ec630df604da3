// Variable: a value with an identity, the only thing that changes.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "../tensor/tensor.h"
#include "flag.h"

namespace weft {

class Arg;

/// The shared part of a variable: what tapes, compiled steps and optimizers refer to.
struct VariableState {
  Tensor value;
  Type type;  // of value, which another thread may exchange meanwhile
  std::string name;
  bool parameter = true;                // was made to be trained
  std::atomic<bool> frozen{false};      // and is not, for now
  std::uint64_t number = 0;             // in order of construction
  std::atomic<std::int64_t> owners{0};  // Variables there are of it; 0: traces and optimizers alone remember it
  std::atomic<std::int64_t> moves{0};   // how often another Variable took its identity, as std::swap makes them

  bool trainable() const { return parameter && !frozen.load(std::memory_order_relaxed); }
};

namespace detail {
/// What a thread reads in place of variables' values; set by SubstituteScope.
struct Substitutes {
  const Substitutes* outer;
  std::unordered_map<const VariableState*, Tensor> values;
  const Tensor* find(const VariableState* v) const {
    const auto at = values.find(v);
    return at != values.end() ? &at->second : outer ? outer->find(v) : nullptr;
  }
};
inline thread_local const Substitutes* substitutes = nullptr;

/// A Variable's part in its state, which counts as one of its owners.
class OwnedState {
 public:
  OwnedState() = default;
  explicit OwnedState(std::shared_ptr<VariableState> state) : state_(std::move(state)) {
    if (state_) state_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  OwnedState(OwnedState&& o) noexcept = default;
  OwnedState& operator=(OwnedState&& o) noexcept {
    state_.swap(o.state_);
    return *this;
  }
  ~OwnedState() {
    if (state_) state_->owners.fetch_sub(1, std::memory_order_relaxed);
  }
  const std::shared_ptr<VariableState>& operator*() const { return state_; }

 private:
  std::shared_ptr<VariableState> state_;
};
}  // namespace detail

/// Copying one makes a new variable with the same value; moving keeps the identity; assigning a variable assigns its
/// value. Shape and dtype never change. Threads may share one: a read sees one value, whole, and each of these
/// functions that write, a draw from a generator and a compiled call are one step to the others.
class Variable {
 public:
  Variable() = default;  ///< undefined, to be moved to
  Variable(const Tensor& initial, Flag trainable = true, std::string_view name = {},
           const Site& site = Site::current());
  Variable(const Variable& o);
  Variable(Variable&&) noexcept = default;
  Variable& operator=(const Variable& o);       ///< assigns the value; a defined one keeps its identity
  Variable& operator=(Variable&& o);            ///< the same; an undefined one takes o's identity
  Variable& operator=(const Tensor&) = delete;  // meant assign(), or a rebinding? say which

  /// The value now: a Tensor that stays what it is. Watched by active tapes if trainable.
  Tensor value(const Site& site = Site::current()) const;
  /// What it holds itself, whatever a SubstituteScope gives instead: what the next value is made of.
  Tensor own_value(const Site& site = Site::current()) const;
  operator Tensor() const { return value({}); }
  /// Of the value, as Tensor's.
  template <class T = double> T item(const Site& site = Site::current()) const { return value(site).item<T>(site); }
  friend std::ostream& operator<<(std::ostream& out, const Variable& v);
  /// NumPy's indexing of the value: see subscript.h.
  Tensor operator[](std::initializer_list<Index> indices) const;
  Tensor operator[](const Index& index) const;

  /// Sets, adds to, subtracts from the value; returns the variable. ShapeError, DTypeError.
  Variable& assign(const Arg& value);
  Variable& assign_add(const Arg& delta);
  Variable& assign_sub(const Arg& delta);

  bool defined() const { return *state_ != nullptr; }
  // What is asked of an undefined variable is an ArgumentError.
  const Type& type() const { return checked().type; }
  DType dtype() const { return type().dtype; }
  const Shape& shape() const { return type().shape; }
  std::int64_t size() const { return count(shape()); }
  bool trainable() const;
  /// Whether it is left out of training: a frozen one is not trainable() until it is unfrozen (one that was made not
  /// trainable stays so). A compiled function that captured it is traced anew, and once for each of the two.
  void freeze(Flag frozen = true);
  void unfreeze() { freeze(false); }
  const std::string& name() const;
  void set_name(std::string_view name);
  const std::shared_ptr<VariableState>& state() const { return *state_; }
  bool same(const Variable& o) const;
  /// Another handle on the variable that `state` belongs to; it is the same variable, not a copy.
  static Variable handle(std::shared_ptr<VariableState> state) {
    Variable v;
    v.state_ = detail::OwnedState(std::move(state));
    return v;
  }

 private:
  const VariableState& checked(const Site& site = {}) const {
    if (!*state_) [[unlikely]]
      fail_undefined(site);
    return **state_;
  }
  [[noreturn, gnu::cold]] static void fail_undefined(const Site& site);
  detail::OwnedState state_;
};

}  // namespace weft
