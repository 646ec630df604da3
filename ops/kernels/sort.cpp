#include "sort.h"

#include <algorithm>
#include <array>
#include <compare>
#include <utility>

#include "../../tensor/parallel.h"

namespace weft {
namespace {

// A key and the index of its element. No two are equal: whatever sorts them sorts stably.
template <class Key> struct Item;
template <> struct Item<std::uint32_t> {  // indices below 2^32
  std::uint64_t bits;
  Item() = default;
  Item(std::uint32_t key, std::int64_t index) : bits(std::uint64_t{key} << 32 | static_cast<std::uint64_t>(index)) {}
  std::uint64_t key() const { return bits >> 32; }
  std::int64_t index() const { return static_cast<std::int64_t>(bits & UINT32_MAX); }
  auto operator<=>(const Item&) const = default;
};
template <> struct Item<std::uint64_t> {
  std::uint64_t k;
  std::int64_t i;
  Item() = default;
  Item(std::uint64_t key, std::int64_t index) : k(key), i(index) {}
  std::uint64_t key() const { return k; }
  std::int64_t index() const { return i; }
  auto operator<=>(const Item&) const = default;
};

// By the keys' digits of 11 bits, from the lowest; a digit that all have in common is skipped.
template <class Key> void radix_sort(Item<Key>* items, Item<Key>* other, std::int64_t n) {
  constexpr int bits = 11, digits = (8 * static_cast<int>(sizeof(Key)) + bits - 1) / bits;
  constexpr std::uint64_t mask = (1u << bits) - 1;
  std::array<std::array<std::int64_t, mask + 1>, digits> counts{};
  for (std::int64_t i = 0; i < n; ++i)
    for (int d = 0; d < digits; ++d) ++counts[static_cast<std::size_t>(d)][items[i].key() >> d * bits & mask];
  Item<Key>*from = items, *to = other;
  for (int d = 0; d < digits; ++d) {
    auto& at = counts[static_cast<std::size_t>(d)];
    if (at[from[0].key() >> d * bits & mask] == n) continue;
    std::int64_t sum = 0;
    for (std::int64_t& c : at) sum += std::exchange(c, sum);
    for (std::int64_t i = 0; i < n; ++i) to[at[from[i].key() >> d * bits & mask]++] = from[i];
    std::swap(from, to);
  }
  if (from != items) std::copy(from, from + n, items);
}

constexpr std::int64_t short_row = 1024, long_row = 1 << 16, few = 64;

template <class Key> void sort_items(Item<Key>* items, Item<Key>* other, std::int64_t n) {
  if (n < short_row)
    std::sort(items, items + n);
  else
    radix_sort(items, other, n);
}

// The first k in order, if few of the others come among them while they are met; else false, and all are still there.
template <class Key> bool first_few(Item<Key>* items, std::int64_t k, std::int64_t n) {
  std::sort(items, items + k);
  std::int64_t left = n / 8;
  for (std::int64_t i = k; i < n; ++i) {
    if (items[k - 1] < items[i]) continue;
    if (left-- == 0) return false;
    const Item<Key> item = std::exchange(items[i], items[k - 1]);
    Item<Key>* const at = std::upper_bound(items, items + k - 1, item);
    std::move_backward(at, items + k - 1, items + k);
    *at = item;
  }
  return true;
}

// The items of ranks from to from + k, in order: by the keys' digits from the highest, where only those items stay
// whose digit is that of a wanted one.
template <class Key> const Item<Key>* select(Item<Key>* items, std::int64_t n, std::int64_t from, std::int64_t k) {
  constexpr int bits = 11;
  constexpr std::uint64_t mask = (1u << bits) - 1;
  std::uint64_t low = 0, high = 0;
  for (int shift = 8 * static_cast<int>(sizeof(Key)); low == high && shift > 0 && n > short_row;) {
    shift = std::max(shift - bits, 0);
    const auto digit = [&](std::int64_t i) { return items[i].key() >> shift & mask; };
    std::array<std::int64_t, mask + 1> counts{};
    for (std::int64_t i = 0; i < n; ++i) ++counts[digit(i)];
    std::int64_t below = 0;
    for (low = 0; below + counts[low] <= from; ++low) below += counts[low];
    std::int64_t sum = below + counts[low];
    for (high = low; sum < from + k; ++high) sum += counts[high + 1];
    std::int64_t left = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint64_t d = digit(i);
      items[left] = items[i];
      left += d >= low && d <= high;
    }
    n = left;
    from -= below;
  }
  std::nth_element(items, items + from, items + n);
  if (from + k < n) std::nth_element(items + from, items + from + k, items + n);
  std::sort(items + from, items + from + k);
  return items + from;
}

// Two sorted halves into `to`: its first half from the front, the other from the back, which are independent.
template <class Key> void merge_halves(const Item<Key>* items, Item<Key>* to, std::int64_t n, int threads) {
  const std::int64_t half = n / 2;
  parallel_for(2, threads, [&](std::int64_t part) {
    if (part == 0) {
      const Item<Key>*a = items, *b = items + half;
      for (std::int64_t i = 0; i < half; ++i) to[i] = b == items + n || (a != items + half && *a < *b) ? *a++ : *b++;
    } else {
      const Item<Key>*a = items + half, *b = items + n;  // one past
      for (std::int64_t i = n; i-- > half;) to[i] = b == items + half || (a != items && b[-1] < a[-1]) ? *--a : *--b;
    }
  });
}

template <class T, class Key> void sort_rows_of(const T* x, std::int64_t rows, std::int64_t n, std::int64_t from,
                                                std::int64_t k, bool descending, std::int64_t* out) {
  const int threads = rows * n < 1 << 13 ? 1 : num_threads();
  const bool halves = threads > 1 && rows == 1 && n >= long_row && k >= n / 16;
  const std::int64_t tasks = halves ? 1 : std::min<std::int64_t>(rows, 4 * threads),
                     row_items = n >= short_row ? 2 * n : n;
  const Storage scratch = Storage::allocate(static_cast<std::size_t>(tasks * row_items) * sizeof(Item<Key>));
  auto* const all = reinterpret_cast<Item<Key>*>(scratch.data());
  const auto load = [&](const T* row, std::int64_t begin, std::int64_t end, Item<Key>* items) {
    for (std::int64_t i = begin; i < end; ++i) {
      auto key = order_key(row[i]);
      if (descending && row[i] == row[i]) key = ~key;  // NaNs stay the last
      items[i] = Item<Key>(static_cast<Key>(key), i);
    }
  };
  if (halves) {
    Item<Key>* const other = all + n;
    parallel_for(2, threads, [&](std::int64_t part) {
      const std::int64_t begin = part * (n / 2), end = part ? n : n / 2;
      load(x, begin, end, all);
      sort_items(all + begin, other + begin, end - begin);
    });
    merge_halves(all, other, n, threads);
    for (std::int64_t i = 0; i < k; ++i) out[i] = other[from + i].index();
    return;
  }
  parallel_for(tasks, threads, [&](std::int64_t task) {
    Item<Key>* const items = all + task * row_items;
    for (std::int64_t row = rows * task / tasks; row < rows * (task + 1) / tasks; ++row) {
      load(x + row * n, 0, n, items);
      const Item<Key>* found = items + from;
      if (k >= n / 16)
        sort_items(items, items + n, n);
      else if (from > 0 || k > few || !first_few(items, k, n))
        found = select(items, n, from, k);
      for (std::int64_t i = 0; i < k; ++i) out[row * k + i] = found[i].index();
    }
  });
}

}  // namespace

void sort_rows(DType dtype, const void* x, std::int64_t rows, std::int64_t n, std::int64_t from, std::int64_t k,
               bool descending, std::int64_t* out) {
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const p = static_cast<const T*>(x);
    if constexpr (sizeof(T) < 8)
      if (n <= UINT32_MAX) return sort_rows_of<T, std::uint32_t>(p, rows, n, from, k, descending, out);
    sort_rows_of<T, std::uint64_t>(p, rows, n, from, k, descending, out);
  });
}

}  // namespace weft
