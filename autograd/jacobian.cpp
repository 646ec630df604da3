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

Tensor zeros_of(DType dtype, const Shape& shape) { return contiguous(broadcast_to(Arg(0).tensor(dtype), shape)); }

}  // namespace

void detail::check_scalar(const Tensor& y) {
  if (!y.defined() || y.size() != 1)
    throw GradError(fmt::format("hessian: the function gives {}, not a scalar", y.defined() ? y.type().text() : "none"),
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
  std::vector<std::size_t> connected;
  const Type type = target.type();
  const Closure c = close_over(std::span(&type, 1), [&](std::span<const Tensor> cotangent) {
    std::vector<Tensor> given;
    const std::vector<Tensor> all = pull_back(cotangent[0]);
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (!all[k].defined()) continue;
      connected.push_back(k);
      given.push_back(all[k]);
    }
    return given;
  });
  std::vector<Batched> inputs = {{cotangents, true}};
  for (const Tensor& t : c.captured) inputs.push_back({t, false});
  const std::vector<Batched> out = replay_batched(*c.graph, inputs, n);
  for (std::size_t k = 0; k < connected.size(); ++k) rows[connected[k]] = batch_in_front(out[k], n);
  return rows;
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
