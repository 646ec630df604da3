#include "jacobian.h"

#include <fmt/format.h>

#include "../ops/apply.h"
#include "../ops/batching.h"
#include "../ops/closure.h"
#include "../ops/defs/shape.h"
#include "../tensor/create.h"

namespace weft {
namespace {

// Of these types' elements one a row: row i is 1 at element i, else 0. [n] + shape.
Tensor basis(const Type& type) {
  const std::int64_t n = count(type.shape);
  Shape shape = type.shape;
  shape.insert(0, n);
  return reshape(eye(n, type.dtype), shape);
}

Shape joined(const Shape& a, const Shape& b) {
  Shape s = a;
  for (const std::int64_t n : b) s.push_back(n);
  return s;
}

std::int64_t elements_of_floats(std::span<const Tensor> tensors) {
  std::int64_t n = 0;
  for (const Tensor& t : tensors)
    if (is_floating(t.dtype())) n += t.size();
  return n;
}

Tensor zeros_of(DType dtype, const Shape& shape) { return contiguous(broadcast_to(Arg(0).tensor(dtype), shape)); }

// f of each row at once; undefined where it gives nothing.
template <class F> std::vector<Tensor> of_all_rows(const Tensor& rows, F&& f) {
  const std::int64_t n = rows.shape()[0];
  const Type type{rows.dtype(), Shape(std::span(rows.shape().begin() + 1, rows.shape().end()))};
  std::vector<Tensor> results;
  std::vector<std::size_t> connected;
  const Closure c = close_over(std::span(&type, 1), [&](std::span<const Tensor> row) {
    std::vector<Tensor> given;
    results = f(row[0]);
    for (std::size_t k = 0; k < results.size(); ++k) {
      if (!results[k].defined()) continue;
      connected.push_back(k);
      given.push_back(results[k]);
    }
    return given;
  });
  std::vector<Batched> inputs = {{rows, true}};
  for (const Tensor& t : c.captured) inputs.push_back({t, false});
  const SharedDraws drawn;
  const std::vector<Batched> out = replay_batched(*c.graph, inputs, n);
  for (std::size_t k = 0; k < connected.size(); ++k) results[connected[k]] = batch_in_front(out[k], n);
  return results;
}

}  // namespace

detail::JacobianRecorder::JacobianRecorder(JacobianMode mode, std::vector<Tensor> primals)
    : primals_(std::move(primals)) {
  check_floats(primals_);
  if (mode == JacobianMode::by_shape && elements_of_floats(primals_) == 0) mode = JacobianMode::reverse;
  if (mode != JacobianMode::forward) {
    tape_.emplace(TapeOptions{.persistent = true});
    tape_->watch(primals_);
  }
  if (mode != JacobianMode::reverse) linearizer_.emplace(primals_);
}

std::vector<Tensor> detail::JacobianRecorder::blocks(std::span<const Tensor> results) {
  for (const Tensor& y : results)
    if (!y.defined()) throw GradError("the function gives an undefined tensor");
  if (tape_) tape_->stop();
  if (linearizer_) linearizer_->stop();
  if (!tape_ || (linearizer_ && elements_of_floats(primals_) < elements_of_floats(results))) {
    tape_.reset();
    return columns(results);
  }
  linearizer_.reset();
  std::vector<Tensor> all;
  for (const Tensor& y : results)
    for (const Tensor& block : tape_->jacobian(y, primals_, JacobianOptions{.unconnected = Unconnected::zero}))
      all.push_back(block);
  return all;
}

// The push-forward of one primal's tangent after the other: each is all of its columns.
std::vector<Tensor> detail::JacobianRecorder::columns(std::span<const Tensor> results) const {
  std::vector<Tensor> all(results.size() * primals_.size());
  for (std::size_t i = 0; i < primals_.size(); ++i) {
    const Type type = primals_[i].type();
    std::vector<Tensor> rows(results.size());
    if (is_floating(type.dtype))
      rows = of_all_rows(basis(type), [&](const Tensor& tangent) {
        std::vector<Tensor> dx(primals_.size());
        dx[i] = tangent;
        return linearizer_->tangents(dx, results);
      });
    for (std::size_t k = 0; k < results.size(); ++k) {
      const Shape shape = joined(results[k].shape(), type.shape);
      Tensor& block = all[k * primals_.size() + i];
      if (!rows[k].defined())
        block = zeros_of(type.dtype, shape);
      else  // reverse mode gives it the primal's dtype
        block = contiguous(
            reshape(transpose(reshape(cast(rows[k], type.dtype), {count(type.shape), results[k].size()})), shape));
    }
  }
  return all;
}

void detail::check_scalar(const Tensor& y) {
  if (!y.defined() || y.size() != 1)
    throw GradError(fmt::format("the function gives {}, not a scalar", y.defined() ? y.type().text() : "none"),
                    "jacobian(grad) of a sum or a mean?");
}

std::vector<Tensor> GradientTape::rows_of_jacobian(const Tensor& target, const Tensor& cotangents,
                                                   std::span<const Source> sources, bool vectorized) {
  const std::int64_t n = cotangents.shape()[0];
  const auto pull_back = [&](const Tensor& cotangent) {
    return compute(std::span(&target, 1), sources, GradientOptions{.output_gradients = {cotangent}});
  };
  std::vector<Tensor> rows(sources.size());
  if (!vectorized) {
    if (!options_.persistent)
      throw GradError("a jacobian row by row asks the tape many times, and it is not persistent",
                      "GradientTape tape({.persistent = true}), or leave it vectorized");
    std::vector<std::vector<Tensor>> parts(sources.size());
    for (std::int64_t i = 0; i < n; ++i) {
      const std::vector<Tensor> row = pull_back(reshape(slice_axis(cotangents, 0, i, i + 1), target.shape()));
      for (std::size_t k = 0; k < row.size(); ++k)
        if (row[k].defined()) parts[k].push_back(row[k]);
    }
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (!parts[k].empty()) rows[k] = stack(parts[k]);
    if (n > 0) return rows;
  }
  // The tape's own doing is not for itself, and its stop is not for the trace.
  if (!options_.persistent && recording_) stop();
  return of_all_rows(cotangents, pull_back);
}

std::vector<Tensor> GradientTape::compute_jacobian(const Tensor& target, std::span<const Source> sources,
                                                   const JacobianOptions& options) {
  if (!target.defined()) throw GradError("jacobian: the target is undefined");
  std::vector<Tensor> results = rows_of_jacobian(target, basis(target.type()), sources, options.vectorized);
  for (std::size_t k = 0; k < results.size(); ++k) {
    const Tensor& like = sources[k].variable ? sources[k].variable->value : sources[k].tensor;
    if (results[k].defined())
      results[k] = contiguous(reshape(results[k], joined(target.shape(), like.shape())));
    else if (options.unconnected == Unconnected::zero && like.defined())
      results[k] = zeros_of(like.dtype(), joined(target.shape(), like.shape()));
  }
  return results;
}

Tensor GradientTape::batch_jacobian(const Tensor& target, const Tensor& source, const JacobianOptions& options) {
  if (!target.defined() || !source.defined())
    throw GradError(fmt::format("batch_jacobian: the {} is undefined", target.defined() ? "source" : "target"));
  const auto fail = [&](const std::string& rule) {
    ShapeError e(rule);
    e.locate("batch_jacobian", {describe_operand("target ", target), describe_operand("source ", source)}, "");
    throw e;
  };
  if (target.rank() < 2 || source.rank() < 2)
    fail(fmt::format("the {} must have rank at least 2", target.rank() < 2 ? "target" : "source"));
  const std::int64_t b = target.shape()[0];
  if (source.shape()[0] != b)
    fail(fmt::format("Need first dimension of target shape ({}) and source shape ({}) to match", target.shape().text(),
                     source.shape().text()));
  // The same element of every row at once.
  const Shape y(std::span(target.shape().begin() + 1, target.shape().end()));
  const Tensor one = basis({target.dtype(), y});
  const std::int64_t n = one.shape()[0];
  const Tensor cotangents = broadcast_to(reshape(one, joined({n, 1}, y)), joined({n, b}, y));
  const Source sources[] = {{source, nullptr}};
  const Tensor rows = rows_of_jacobian(target, cotangents, sources, options.vectorized)[0];  // [n, b, x...]
  const Shape result = joined(target.shape(), Shape(std::span(source.shape().begin() + 1, source.shape().end())));
  if (!rows.defined()) return zeros_of(source.dtype(), result);
  return contiguous(reshape(swap_axes(rows, 0, 1), result));
}

}  // namespace weft
