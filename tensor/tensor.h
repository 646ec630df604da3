// Tensor: an immutable value. A cheap handle on a type, strides and shared storage.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dtype.h"
#include "error.h"
#include "shape.h"
#include "site.h"
#include "storage.h"

namespace weft {

/// Where the elements of a tensor lie: what kernels see. Strides are in elements and may be 0 or negative.
struct View {
  DType dtype = DType::f32;
  Shape shape;
  Ints strides;
  void* data = nullptr;

  template <class T> T* as() const { return static_cast<T*>(data); }
  /// True if the elements lie in row-major order without gaps (so also when there is at most one).
  bool contiguous() const;
};

class Index;  // ops/subscript.h

namespace detail {
template <std::size_t n> class Borrowed;
}

class Tensor {
 public:
  /// Undefined: what TensorFlow calls None.
  Tensor() = default;

  /// A new tensor with contents undefined, for kernels; ShapeError, OutOfMemory.
  static Tensor allocate(const Type& type);
  /// A tensor without storage, as a trace hands out.
  static Tensor placeholder(const Type& type);
  /// Another tensor on the same storage; data must point into it.
  static Tensor on(const Storage& storage, const View& view);

  bool defined() const { return impl_; }
  // What is asked of an undefined tensor, here and below but for defined() and same(), is an ArgumentError.
  const Type& type() const { return impl().type; }
  DType dtype() const { return impl().type.dtype; }
  const Shape& shape() const { return impl().type.shape; }
  int rank() const { return impl().type.shape.size(); }
  std::int64_t size() const { return impl().size; }
  const Ints& strides() const { return impl().strides; }
  bool is_contiguous() const { return impl().contiguous; }
  /// True while a function is traced: a type, and no elements to read.
  bool is_traced() const { return !impl().storage; }
  /// Never used again for another tensor.
  std::uint64_t id() const { return impl().id; }
  /// An id for no tensor: those that this thread has made have smaller ones, those that it will make larger ones.
  static std::uint64_t new_id();
  const Storage& storage() const { return impl().storage; }
  View view() const { return {dtype(), shape(), impl_->strides, impl_->data}; }

  /// The element of a tensor that has one, converted to T. ShapeError if there are more or none, GuardError in a trace.
  template <class T = double> T item(const Site& site = Site::current()) const {
    T value{};
    read_item(&value, dtype_of<T>, site);
    return value;
  }
  /// The elements in row-major order. DTypeError if T is not the element type, ArgumentError if they do not lie so
  /// (use to_vector), GuardError in a trace.
  template <class T> std::span<const T> span(const Site& site = Site::current()) const {
    check_span(dtype_of<T>, site);
    return {static_cast<const T*>(impl_->data), static_cast<std::size_t>(size())};
  }
  /// A copy of the elements in row-major order, converted to T.
  template <class T> std::vector<T> to_vector(const Site& site = Site::current()) const {
    const auto n = static_cast<std::size_t>(checked_size("to_vector", site));
    if constexpr (std::is_same_v<T, bool>) {  // std::vector<bool> has no memory to copy to
      std::vector<std::uint8_t> bytes(n);
      copy_to(bytes.data(), DType::boolean);
      return std::vector<bool>(bytes.begin(), bytes.end());
    } else {
      std::vector<T> result(n);
      copy_to(result.data(), dtype_of<T>);
      return result;
    }
  }
  /// The element at these indices, converted to T; for tests and printing. IndexError for an index that is not there,
  /// or too many or few of them; GuardError in a trace.
  template <class T = double>
  T at(std::initializer_list<std::int64_t> index, const Site& site = Site::current()) const {
    T value{};
    read_element(index, &value, dtype_of<T>, site);
    return value;
  }

  /// NumPy's indexing, x[{1, Slice(0, 5, 2), Ellipsis, NewAxis}]: see ops/subscript.h, whose layer defines it.
  Tensor operator[](std::initializer_list<Index> indices) const;
  Tensor operator[](const Index& index) const;

  /// The name that messages give it ("fc1.weight"), empty if none.
  const std::string& name() const;
  /// The same value under a name.
  Tensor named(std::string_view name) const;
  /// Takes the name of another; of a tensor that nobody has seen yet.
  void take_name(const Tensor& from) { impl_->name = from.impl_->name; }

  /// As NumPy prints: 4 digits, at most 1000 elements, 3 at the edges of more.
  std::string text() const;
  friend std::ostream& operator<<(std::ostream& out, const Tensor& t);

  /// True if both are the same value: handles of one tensor.
  bool same(const Tensor& o) const { return impl_ == o.impl_; }

  Tensor(const Tensor& o) : impl_(o.impl_) {
    if (impl_) impl_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Tensor(Tensor&& o) noexcept : impl_(std::exchange(o.impl_, nullptr)) {}
  Tensor& operator=(Tensor o) & noexcept {
    std::swap(impl_, o.impl_);
    return *this;
  }
  template <class T> void operator=(const T&) && = delete;  // x[i] is a value: x = index_put(x, {i}, y) changes x
  ~Tensor() {
    if (impl_ && impl_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) release(impl_);
  }

  /// Makes this handle, the sole one, a tensor that nobody has seen: a new id on the same storage, written anew.
  void renew();
  /// True if there is no other handle on this tensor.
  bool sole_handle() const { return impl_->refs.load(std::memory_order_acquire) == 1; }
  /// True if neither another tensor nor another handle shares the storage.
  bool sole_owner() const { return sole_handle() && impl_->storage.unique(); }

 private:
  template <std::size_t n> friend class detail::Borrowed;
  struct Impl {
    std::atomic<std::int64_t> refs{1};
    std::uint64_t id;
    Type type;
    Ints strides;
    std::int64_t size;
    void* data = nullptr;
    const std::string* name = nullptr;
    Storage storage;
    bool contiguous = true;
  };
  const Impl& impl() const {
    if (!impl_) [[unlikely]]
      fail_undefined();
    return *impl_;
  }
  [[noreturn, gnu::cold]] static void fail_undefined();
  static Impl* make();
  static void release(Impl* impl);
  std::int64_t checked_size(const char* name, const Site& site) const;
  void check_span(DType wanted, const Site& site) const;
  void read_item(void* out, DType dtype, const Site& site) const;
  void read_element(std::initializer_list<std::int64_t> index, void* out, DType dtype, const Site& site) const;
  void copy_to(void* out, DType dtype) const;

  Impl* impl_ = nullptr;
};

namespace detail {
/// Handles in a row on tensors that others hold meanwhile. They count no references: each would be an atomic operation
/// of 5 ns.
template <std::size_t n> class Borrowed {
 public:
  Borrowed() = default;
  Borrowed(const Borrowed&) = delete;
  ~Borrowed() {
    for (Tensor& t : list_) t.impl_ = nullptr;
  }
  void set(std::size_t i, const Tensor& t) { list_[i].impl_ = t.impl_; }
  const Tensor& operator[](std::size_t i) const { return list_[i]; }
  std::span<const Tensor> first(std::size_t count) const { return {list_, count}; }

 private:
  Tensor list_[n];
};
}  // namespace detail

/// How many tensors exist in the process; the tests hold it constant.
std::int64_t live_tensors();

/// Copies `from`, converting as a cast does, to `to` of the same shape; any strides.
void copy_elements(const View& from, const View& to);

namespace detail {
/// The elements in row-major order: where they lie, or in `copy`.
const std::byte* in_order(const View& view, Storage& copy);
}  // namespace detail

}  // namespace weft
