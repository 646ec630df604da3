#include "gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../ops/math.h"
#include "../ops/random.h"
#include "../ops/recorder.h"
#include "../tensor/create.h"
#include "forward.h"
#include "tape.h"

namespace weft {
namespace {

using Tensors = std::vector<Tensor>;

struct Check {
  const std::function<Tensors()>& run;
  std::vector<detail::GradcheckLeaf> leaves;  // those with gradients
  const GradcheckOptions& options;
  std::vector<std::size_t> numbers;  // of the leaves among all
  random::Generator generator;
  GradcheckResult result;

  Check(const std::function<Tensors()>& f, const GradcheckOptions& o) : run(f), options(o), generator(o.seed) {}

  // The float outputs.
  Tensors outputs() {
    Tensors out = run();
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!out[i].defined()) throw ArgumentError(fmt::format("gradcheck: output {} is undefined", i));
      if (is_floating(out[i].dtype()) && out[i].dtype() != f64)
        throw DTypeError(fmt::format("gradcheck: output {} is {}, not f64", i, out[i].type().text()));
    }
    std::erase_if(out, [](const Tensor& t) { return t.dtype() != f64; });
    return out;
  }

  // Directions whose elements are of order 1, of either sign, and none near 0.
  Tensors directions(const Tensors& like) {
    Tensors r;
    for (const Tensor& t : like) {
      std::vector<double> d = random::uniform(t.shape(), -1, 1, f64, generator).to_vector<double>();
      for (double& x : d) x += std::copysign(0.5, x);
      r.push_back(from_vector(d, t.shape()));
    }
    return r;
  }

  Tensors inputs() const {
    Tensors r;
    for (const auto& leaf : leaves) r.push_back(leaf.value);
    return r;
  }

  // The gradients of sum(w * f(x)); undefined where f does not depend on an input.
  Tensors gradients(const Tensors& w) {
    GradientTape tape;
    const Tensors x = inputs();
    tape.watch(x);
    const Tensors y = outputs();
    return tape.gradient(y, x, GradientOptions{.output_gradients = w});
  }

  // sum(w * t) for tensors that may be undefined, i.e. 0.
  static long double product(const Tensors& w, const Tensors& t) {
    long double sum = 0;
    for (std::size_t i = 0; i < t.size(); ++i) {
      if (!t[i].defined()) continue;
      const auto a = w[i].to_vector<double>(), b = t[i].to_vector<double>();
      for (std::size_t k = 0; k < a.size(); ++k) sum += static_cast<long double>(a[k]) * b[k];
    }
    return sum;
  }

  // Compares `gradient` (undefined: 0) with the differences of `value` when `put` changes one element of x.
  template <class Value, class Put>
  bool compare(int order, int input, const std::string& name, Tensor x, const Tensor& gradient, Value value, Put put) {
    const std::vector<double> base = x.to_vector<double>();
    const std::vector<double> by_tape =
        gradient.defined() ? gradient.to_vector<double>() : std::vector<double>(base.size());
    for (std::size_t i = 0; i < base.size(); ++i) {
      std::vector<double> moved = base;
      const double step = options.eps * std::max(1.0, std::abs(base[i]));
      const auto at = [&](double element) {
        moved[i] = element;
        put(from_vector(moved, x.shape()));
        return value();
      };
      const double high = base[i] + step, low = base[i] - step;
      const long double above = at(high), below = at(low);
      put(x);
      const auto difference = static_cast<double>((above - below) / (static_cast<long double>(high) - low));
      if (std::abs(by_tape[i] - difference) <= options.atol + options.rtol * std::abs(difference))
        continue;  // not for NaN
      if (result.failures++ > 0) continue;
      result.ok = false;
      result.order = order;
      result.input = input;
      result.element = static_cast<std::int64_t>(i);
      result.gradient = by_tape[i];
      result.difference = difference;
      result.message =
          fmt::format("gradcheck: order {}, {} {}, element {}: the tape says {:.9g}, differences say {:.9g}", order,
                      name, x.type().text(), i, by_tape[i], difference);
    }
    return result.ok;
  }

  void finish() {
    if (result.failures > 1) result.message += fmt::format(" ({} elements differ)", result.failures);
  }

  bool first_order(const Tensors& w) {
    const Tensors g = gradients(w);
    for (std::size_t i = 0; i < leaves.size(); ++i)
      compare(
          1, static_cast<int>(numbers[i]), fmt::format("input {}", numbers[i]), leaves[i].value, g[i],
          [&] { return product(w, outputs()); }, setter(i));
    return result.ok;
  }

  bool second_order(Tensors w) {
    const Tensors v = directions(inputs());
    GradientTape tape;
    const Tensors x = inputs();
    tape.watch(x, w);
    const Tensors all = gradients(w);
    Tensors g, seeds;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].defined()) continue;
      g.push_back(all[i]);
      seeds.push_back(v[i]);
    }
    const auto [for_x, for_w] = tape.gradient(g, x, w, GradientOptions{.output_gradients = seeds});
    const auto value = [&] { return product(v, gradients(w)); };
    for (std::size_t i = 0; i < leaves.size(); ++i)
      compare(2, static_cast<int>(numbers[i]), fmt::format("input {}", numbers[i]), x[i], for_x[i], value, setter(i));
    for (std::size_t k = 0; k < w.size(); ++k)
      compare(2, -1, fmt::format("output gradient {}", k), w[k], for_w[k], value, [&](const Tensor& t) { w[k] = t; });
    return result.ok;
  }

  // ---- forward mode ----
  // The derivatives of `value` at the inputs along v.
  template <class Value> static Tensors along(const Tensors& x, const Tensors& v, Value value) {
    ForwardAccumulator acc(x, v);
    const Tensors y = value();
    return acc.jvp(y);
  }

  Tensors tangents(const Tensors& v) {
    const Tensors x = inputs();
    return along(x, v, [&] { return outputs(); });
  }

  // (value(x + h v) - value(x - h v)) / 2h
  template <class Value> Tensors differences(const Tensors& v, Value value) {
    const Tensors x = inputs();
    double h = options.eps;
    for (const Tensor& t : x)
      for (const double e : t.to_vector<double>()) h = std::max(h, options.eps * std::abs(e));
    const auto at = [&](double step) {
      for (std::size_t i = 0; i < x.size(); ++i) setter(i)(x[i] + v[i] * step);
      return value();
    };
    const Tensors above = at(h), below = at(-h);
    for (std::size_t i = 0; i < x.size(); ++i) setter(i)(x[i]);
    Tensors d(above.size());
    for (std::size_t k = 0; k < d.size(); ++k)
      if (above[k].defined() && below[k].defined()) d[k] = (above[k] - below[k]) / (2 * h);
    return d;
  }

  bool compare_all(int order, const std::string& what, const Tensors& found, const Tensors& expected) {
    for (std::size_t k = 0; k < expected.size(); ++k) {
      if (!found[k].defined() && !expected[k].defined()) continue;
      const Shape& shape = (expected[k].defined() ? expected[k] : found[k]).shape();
      const auto elements = [&](const Tensor& t) {
        return t.defined() ? t.to_vector<double>() : std::vector<double>(static_cast<std::size_t>(count(shape)));
      };
      const auto a = elements(found[k]), b = elements(expected[k]);
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::abs(a[i] - b[i]) <= options.atol + options.rtol * std::abs(b[i])) continue;  // not for NaN
        if (result.failures++ > 0) continue;
        result.ok = false;
        result.forward = true;
        result.order = order;
        result.element = static_cast<std::int64_t>(i);
        result.gradient = a[i];
        result.difference = b[i];
        result.message = fmt::format(
            "gradcheck: order {}, {} {} f64{}, element {}: forward mode says {:.9g}, "
            "differences say {:.9g}",
            order, what, k, shape.text(), i, a[i], b[i]);
      }
    }
    return result.ok;
  }

  bool forward_first_order() {
    const Tensors v = directions(inputs());
    return compare_all(1, "along a direction, output", tangents(v), differences(v, [&] { return outputs(); }));
  }

  bool forward_second_order(const Tensors& w) {
    const Tensors x = inputs(), v = directions(x), u = directions(x);
    const Tensors hv = differences(v, [&] { return gradients(w); });
    const Tensors over_reverse = along(x, v, [&] { return gradients(w); });
    if (!compare_all(2, "the gradient along a direction, input", over_reverse, hv)) return false;
    GradientTape tape;
    tape.watch(x);
    const Tensors d = tangents(v);
    Tensors targets, seeds;
    for (std::size_t k = 0; k < d.size(); ++k) {
      if (!d[k].defined()) continue;
      targets.push_back(d[k]);
      seeds.push_back(w[k]);
    }
    const Tensors over_forward = tape.gradient(targets, x, GradientOptions{.output_gradients = seeds});
    if (!compare_all(2, "the gradient of the derivative along a direction, input", over_forward, hv)) return false;
    return compare_all(2, "along two directions, output", along(x, u, [&] { return tangents(v); }),
                       differences(u, [&] { return tangents(v); }));
  }

  std::function<void(const Tensor&)> setter(std::size_t i) {
    return [this, i](const Tensor& t) {
      leaves[i].value = t;
      leaves[i].set(t);
    };
  }
};

}  // namespace

GradcheckResult detail::gradcheck(const std::function<Tensors()>& run, std::vector<GradcheckLeaf>& leaves,
                                  const GradcheckOptions& options) {
  if (options.order != 1 && options.order != 2)
    throw ArgumentError(fmt::format("gradcheck: order {} is not 1 or 2", options.order));
  const TraceScope alone(nullptr);  // nothing of this is for recorders outside
  Check check(run, options);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const Tensor& t = leaves[i].value;
    if (!t.defined()) throw ArgumentError(fmt::format("gradcheck: input {} is undefined", i));
    if (!is_floating(t.dtype())) continue;
    if (t.dtype() != f64)
      throw DTypeError(fmt::format("gradcheck: input {} is {}, not f64", i, t.type().text()), "cast(x, f64)");
    check.leaves.push_back(leaves[i]);
    check.numbers.push_back(i);
    // A tensor of its own in row-major order: a variable's value and one that is an input twice are told apart.
    check.leaves.back().value = from_vector(t.to_vector<double>(), t.shape());
    check.leaves.back().set(check.leaves.back().value);
  }
  const Tensors y = check.outputs();
  const Tensors again = check.outputs();
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto a = y[i].to_vector<double>(), b = again[i].to_vector<double>();
    if (!std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double p, double q) { return p == q || (p != p && q != q); })) {
      check.result.ok = false;
      check.result.message = fmt::format("gradcheck: output {} differs between two calls with the same inputs", i);
      return check.result;
    }
  }
  const Tensors w = check.directions(y);
  const bool ok = check.first_order(w) && (options.order == 1 || check.second_order(w));
  if (ok && options.forward && check.forward_first_order() && options.order == 2) check.forward_second_order(w);
  check.finish();
  return check.result;
}

}  // namespace weft
