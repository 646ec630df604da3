#include "tensor.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <new>
#include <ostream>
#include <unordered_set>

#include "convert.h"
#include "counters.h"

namespace weft {
namespace {

// Ids are handed out to threads in blocks, so that taking one is no contended operation.
std::uint64_t next_id() {
  static std::atomic<std::uint64_t> blocks{1};
  constexpr std::uint64_t block = 1 << 16;
  thread_local std::uint64_t next = 0, end = 0;
  if (next == end) {
    next = blocks.fetch_add(block, std::memory_order_relaxed);
    end = next + block;
  }
  return next++;
}

// Names are few and live as long as the process.
const std::string* interned(std::string_view name) {
  static std::mutex mutex;
  static auto* names = new std::unordered_set<std::string>;
  const std::lock_guard lock(mutex);
  return &*names->emplace(name).first;
}

}  // namespace

std::int64_t live_tensors() { return detail::counts().tensors; }

bool View::contiguous() const {
  std::int64_t step = 1;
  bool in_order = true;
  for (int i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) in_order = false;
    if (__builtin_mul_overflow(step, shape[i], &step)) step = 0;  // only in an empty shape
  }
  return in_order;
}

Tensor::Impl* Tensor::make() {
  std::size_t capacity;
  auto* impl = new (detail::allocate(sizeof(Impl), capacity)) Impl;
  impl->id = next_id();
  detail::count_tensor(1);
  return impl;
}

void Tensor::release(Impl* impl) {
  impl->~Impl();
  detail::deallocate(impl, sizeof(Impl));
  detail::count_tensor(-1);
}

Tensor Tensor::placeholder(const Type& type) {
  const std::int64_t size = count(type.shape);
  Tensor t;
  t.impl_ = make();
  t.impl_->type = type;
  t.impl_->size = size;
  t.impl_->strides = contiguous_strides(type.shape);
  return t;
}

Tensor Tensor::allocate(const Type& type) {
  const std::int64_t size = count(type.shape);
  Storage storage;
  try {
    storage = Storage::allocate(static_cast<std::size_t>(size) * size_of(type.dtype));
  } catch (OutOfMemory& e) {
    throw OutOfMemory(fmt::format("no memory for {} ({} bytes): {}", type.text(),
                                  static_cast<std::size_t>(size) * size_of(type.dtype), e.rule()));
  }
  Tensor t;
  t.impl_ = make();
  t.impl_->type = type;
  t.impl_->size = size;
  t.impl_->strides = contiguous_strides(type.shape);
  t.impl_->data = storage.data();
  t.impl_->storage = std::move(storage);
  return t;
}

Tensor Tensor::on(const Storage& storage, const View& view) {
  Tensor t;
  t.impl_ = make();
  t.impl_->type = {view.dtype, view.shape};
  t.impl_->size = count(view.shape);
  t.impl_->strides = view.strides;
  t.impl_->data = view.data;
  t.impl_->storage = storage;
  t.impl_->contiguous = view.contiguous();
  return t;
}

void Tensor::fail_undefined() {
  throw ArgumentError("the tensor is undefined",
                      "a gradient that does not exist is undefined; Unconnected::zero gives zeros");
}

const std::string& Tensor::name() const {
  static const std::string none;
  return impl().name ? *impl_->name : none;
}

Tensor Tensor::named(std::string_view name) const {
  Tensor t = on(storage(), view());
  t.impl_->id = id();  // for tapes and traces it is the same value
  t.impl_->name = interned(name);
  return t;
}

std::uint64_t Tensor::new_id() { return next_id(); }

void Tensor::renew() { impl_->id = next_id(); }

std::int64_t Tensor::checked_size(const char* name, const Site& site) const {
  return detail::called(name, site, [&] {
    if (is_traced())
      throw GuardError(
          "a traced tensor has no elements to read",
          "while a function is compiled or batched its tensors are symbols; return the tensor and read the "
          "result, or decide by where() or cond()");
    return size();
  });
}

void Tensor::check_span(DType wanted, const Site& site) const {
  checked_size("span", site);
  detail::called("span", site, [&] {
    if (dtype() != wanted)
      throw DTypeError(fmt::format("{} of a tensor {}", name_of(wanted), type().text()), "to_vector<T>() converts");
    if (!is_contiguous())
      throw ArgumentError(
          fmt::format("the elements of {} do not lie in row-major order (strides {})", type().text(), strides().text()),
          "to_vector<T>() copies them so, contiguous(t) gives a tensor that does");
  });
}

void Tensor::read_item(void* out, DType out_type, const Site& site) const {
  if (checked_size("item", site) != 1)
    detail::called("item", site,
                   [&] { throw ShapeError(fmt::format("{} has {} elements, not one", type().text(), size())); });
  detail::convert_elements(dtype(), impl_->data, 0, out_type, out, 0, 1);
}

void Tensor::copy_to(void* out, DType out_type) const {
  copy_elements(view(), {out_type, shape(), contiguous_strides(shape()), out});
}

void Tensor::read_element(std::initializer_list<std::int64_t> index, void* out, DType out_type,
                          const Site& site) const {
  checked_size("at", site);
  const auto refuse = [&](const std::string& rule) { detail::called("at", site, [&] { throw IndexError(rule); }); };
  if (static_cast<int>(index.size()) != rank()) refuse(fmt::format("{} indices into {}", index.size(), type().text()));
  std::int64_t offset = 0;
  int axis = 0;
  for (std::int64_t i : index) {
    if (i < -shape()[axis] || i >= shape()[axis])
      refuse(fmt::format("index {} out of range for extent {} of axis {}", i, shape()[axis], axis));
    offset += (i < 0 ? i + shape()[axis] : i) * strides()[axis];
    ++axis;
  }
  detail::convert_elements(
      dtype(), static_cast<const std::byte*>(impl_->data) + offset * static_cast<std::int64_t>(size_of(dtype())), 0,
      out_type, out, 0, 1);
}

std::ostream& operator<<(std::ostream& out, DType t) { return out << name_of(t); }

std::ostream& operator<<(std::ostream& out, const Tensor& t) { return out << t.text(); }

}  // namespace weft
