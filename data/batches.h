// Batches: equal rows of several tensors, a few at a time, in an order that the seed and the epoch decide.
//
//     data::Batches batches({.size = 32, .seed = 1}, x, y);
//     for (int epoch = 0; epoch < 10; ++epoch)
//       for (const auto& [bx, by] : batches.epoch(epoch)) step(bx, by);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../tensor/tensor.h"

namespace weft::data {

struct BatchOptions {
  std::int64_t size = 32;
  bool shuffle = true;
  bool drop_last = false;  ///< leaves out the last rows where they make no full batch (whose shape would retrace)
  std::uint64_t seed = 0;
};

/// The numbers 0 to n - 1 in an order that is a function of (n, seed, stream).
std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed, std::uint64_t stream = 0);
/// The rows of a tensor at these numbers, copied: no op, no gradient (gather is one). IndexError; GuardError in a
/// trace.
Tensor take_rows(const Tensor& t, std::span<const std::int64_t> rows);

namespace detail {
/// The rows that all tensors have; ShapeError, ArgumentError.
std::int64_t common_rows(std::span<const Tensor> tensors, const BatchOptions& options);
}  // namespace detail

template <std::size_t n> class Batches {
 public:
  /// Tensors of as many rows each. ShapeError if they differ or one has no rows axis, ArgumentError for a size below 1.
  template <class... T>
  requires(sizeof...(T) == n) explicit Batches(BatchOptions options, const T&... tensor)
      : options_(options), tensors_{Tensor(tensor)...}, rows_(detail::common_rows(tensors_, options)) {}

  /// Batches of an epoch.
  std::int64_t size() const { return rows_ / options_.size + (!options_.drop_last && rows_ % options_.size != 0); }
  std::int64_t rows() const { return rows_; }

  class Epoch {
   public:
    class Iterator {
     public:
      Iterator(const Epoch* epoch, std::int64_t at) : epoch_(epoch), at_(at) {}
      std::array<Tensor, n> operator*() const { return epoch_->batch(at_); }
      Iterator& operator++() {
        ++at_;
        return *this;
      }
      bool operator==(const Iterator&) const = default;

     private:
      const Epoch* epoch_;
      std::int64_t at_;
    };
    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, size_}; }

   private:
    friend class Batches;
    Epoch(const Batches& b, std::uint64_t epoch)
        : tensors_(b.tensors_), size_(b.size()), rows_(b.rows_), options_(b.options_) {
      if (options_.shuffle)
        order_ = permutation(rows_, options_.seed, epoch);
      else
        for (std::int64_t i = 0; i < rows_; ++i) order_.push_back(i);
    }
    std::array<Tensor, n> batch(std::int64_t at) const {
      const std::int64_t begin = at * options_.size,
                         end = begin + options_.size < rows_ ? begin + options_.size : rows_;
      std::array<Tensor, n> result;
      for (std::size_t i = 0; i < n; ++i)
        result[i] = take_rows(tensors_[i], std::span(order_).subspan(static_cast<std::size_t>(begin),
                                                                     static_cast<std::size_t>(end - begin)));
      return result;
    }
    std::array<Tensor, n> tensors_;
    std::int64_t size_, rows_;
    BatchOptions options_;
    std::vector<std::int64_t> order_;
  };

  /// The batches of one epoch, the same each time it is asked for.
  Epoch epoch(std::int64_t number) const { return Epoch(*this, static_cast<std::uint64_t>(number)); }

 private:
  BatchOptions options_;
  std::array<Tensor, n> tensors_;
  std::int64_t rows_;
};
template <class... T> Batches(BatchOptions, const T&...) -> Batches<sizeof...(T)>;

}  // namespace weft::data
