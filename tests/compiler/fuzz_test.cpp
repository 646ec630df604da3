// Random graphs over the whole table with gradients, half of them steps that train variables: compiled gives eager's
// bits, and each op of the graph, gradients' ops too, what it gives in f64. A failure prints the shortest function that
// fails, and a command that runs just it.
//
//     WEFT_FUZZ_SEEDS=N    how many (default 100)        WEFT_FUZZ_FROM=S    the first seed (default 0)
//     WEFT_FUZZ_STEPS=K    ops drawn for each (default 8)
//     WEFT_FUZZ_COUNT=1    prints how many of the graphs had each op
#include <weft/ops/closure.h>
#include <weft/ops/replay.h>

#include <cstdlib>
#include <limits>
#include <map>
#include <set>

#include "random_graph.h"
#include "support.h"

using namespace weft;
using namespace weft::test;

namespace {

// What one unit in the last place of a float type is worth at x.
double ulp(double x, DType t) {
  const int digits = t == f32 ? 24 : t == DType::f16 ? 11 : 8, lowest = t == DType::f16 ? -14 : -126;
  int exponent = lowest;
  if (x != 0) exponent = std::max(std::ilogb(x), lowest);
  return std::ldexp(1, exponent - digits + 1);
}

double largest(const std::vector<double>& x) {
  double r = 1;
  for (const double v : x) r = std::max(r, std::abs(v));
  return r;
}

bool is_convolution(const Op& op) {
  return &op == &op_of<Conv>() || &op == &op_of<ConvInput>() || &op == &op_of<ConvWeight>();
}

// Empty, or where an op's outputs are not what it gives on the same inputs in f64. The error of one op, on inputs that
// are the same, does not grow along the graph, and comparisons go the same way. An elementwise op may be 3 ulp off; an
// op that adds up n products of its operands' elements, in any order, 16 n.
std::string off(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  if (op.draws || op.effect) return "";
  std::vector<Tensor> wide(in.begin(), in.end()), expected(out.size());
  double scale = 1, n = 1;
  for (Tensor& t : wide) {
    n = std::max(n, static_cast<double>(t.size()));
    if (!is_floating(t.dtype())) continue;
    const std::vector<double> values = t.to_vector<double>();
    // Padding is multiplied with such a number or left out, as the kernel has it.
    if (is_convolution(op) && !std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
      return "";
    scale *= largest(values);
    t = cast(t, f64);
  }
  apply(op, attrs, wide, expected);
  for (std::size_t k = 0; k < out.size(); ++k) {
    const DType type = out[k].dtype();
    if (!is_floating(type) || type == f64) continue;
    const auto got = out[k].to_vector<double>(), want = cast(expected[k], f64).to_vector<double>();
    const double summed = op.kind == OpKind::elementwise ? 0 : 16 * n * ulp(1, type) * std::max(scale, largest(want));
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double rounded = cast(full({}, want[i], f64), type).item();
      if (got[i] == rounded || (got[i] != got[i] && want[i] != want[i])) continue;
      if (std::abs(got[i] - want[i]) <= 3 * ulp(want[i], type) + summed) continue;
      if (scale > 1e6 && op.kind != OpKind::elementwise) continue;  // sums that overflow
      char text[200];
      std::snprintf(text, sizeof text, "element %zu of output %zu is %.9g, in f64 %.17g", i, k, got[i], want[i]);
      return text;
    }
  }
  return "";
}

// The function, as it is or as a step that trains: then some of its inputs are variables, moved along their gradients.
class Step {
 public:
  Step(const RandomGraph& f, bool trains) : f_(f) {
    for (std::size_t i = 0; trains && i < f.inputs.size(); ++i)
      if (is_floating(f.inputs[i].dtype()) && i % 3 != 2) weights_.push_back({i, f.inputs[i], f.inputs[i] * 0});
  }

  std::vector<Tensor> operator()(std::vector<Tensor> in) {
    for (const Weight& w : weights_) in[w.input] = w.value.value();
    std::vector<Tensor> results = f_(in);
    for (Weight& w : weights_) {
      Tensor by = results[results.size() - in.size() + w.input] * 0.01;
      if (w.input % 2 == 0) {
        w.momentum.assign(w.momentum * 0.9 + by);
        by = w.momentum;
      }
      w.value.assign_sub(by);
    }
    return results;
  }

  std::vector<Tensor> state() const {
    std::vector<Tensor> all;
    for (const Weight& w : weights_) all.insert(all.end(), {w.value.value(), w.momentum.value()});
    return all;
  }

 private:
  struct Weight {
    std::size_t input;
    Variable value, momentum;
  };
  const RandomGraph& f_;
  std::vector<Weight> weights_;
};

using Counts = std::map<const Op*, int>;  // of graphs that have an op

void count_ops(const Graph& graph, Counts& counts) {
  std::set<const Op*> ops;
  for (const Graph::Node& node : graph.nodes) ops.insert(node.op);
  for (const Op* op : ops) ++counts[op];
}

// Why the function is wrong; empty if it is not.
std::string failure(std::uint64_t seed, int steps, Counts& counts) {
  std::string wrong, graph;
  bool computed = false;
  try {
    const RandomGraph f(seed, steps);
    const Closure closure = close_over(types_of(f.inputs), [&](std::span<const Tensor> in) {
      return f({in.begin(), in.end()});
    });
    graph = closure.graph->text();
    count_ops(*closure.graph, counts);
    const std::vector<Tensor> inputs = closure.inputs(f.inputs);
    detail::replay_nodes<Tensor>(
        *closure.graph, inputs, [&](const Graph::Node& node, std::span<const Tensor> in, std::span<Tensor> out) {
          apply(*node.op, node.attrs, in, out);
          const std::string why = off(*node.op, node.attrs, in, out);
          if (!why.empty() && wrong.empty())
            wrong = "%" + std::to_string(node.out) + " = " + std::string(node.op->name) + ": " + why;
        });
    Step eager(f, seed % 2 == 1), same(f, seed % 2 == 1);
    auto compiled = compile([&](const std::vector<Tensor>& in) { return same(in); });
    for (int call = 0; call < 2 && wrong.empty(); ++call) {
      computed = false;
      const std::vector<Tensor> expected = eager(f.inputs);
      computed = true;
      const std::vector<Tensor> results = compiled(f.inputs);
      const auto compare = [&](const char* what, const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
        for (std::size_t k = 0; k < b.size() && wrong.empty(); ++k)
          if (const std::string why = difference(a[k], b[k]); !why.empty())
            wrong = std::string(what) + " " + std::to_string(k) + " of " + std::to_string(b.size()) + ", call " +
                    std::to_string(call) + ": compiled and eager: " + why;
      };
      compare("result", results, expected);
      compare("state", same.state(), eager.state());
    }
  } catch (const NumericsError& e) {  // cofactor's gradient refuses a singular matrix, and such graphs make some
    wrong = computed ? e.what() : "";
  } catch (const std::exception& e) { wrong = e.what(); }
  return wrong.empty() ? "" : wrong + "\n" + graph;
}

int number(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : otherwise;
}

}  // namespace

TEST_CASE("random graphs and their gradients: compiled is eager to the bit, and each op is right", "[compiler][fuzz]") {
  const int from = number("WEFT_FUZZ_FROM", 0), seeds = number("WEFT_FUZZ_SEEDS", 100);
  const int steps = number("WEFT_FUZZ_STEPS", 8);
  const NoLeaks guard;
  Counts counts, of_shorter;
  for (int seed = from; seed < from + seeds; ++seed) {
    std::string wrong = failure(static_cast<std::uint64_t>(seed), steps, counts);
    if (wrong.empty()) continue;
    int shortest = steps;
    for (int k = 0; k < steps; ++k)
      if (const std::string shorter = failure(static_cast<std::uint64_t>(seed), k, of_shorter); !shorter.empty()) {
        shortest = k;
        wrong = shorter;
        break;
      }
    FAIL_CHECK("WEFT_FUZZ_FROM=" << seed << " WEFT_FUZZ_SEEDS=1 WEFT_FUZZ_STEPS=" << shortest
                                 << " weft_test_compiler '[fuzz]'\n"
                                 << wrong);
  }
  for (const SampledOp& s : sampled_ops()) {
    if (number("WEFT_FUZZ_COUNT", 0) != 0)
      std::printf("%6d of %d  %.*s\n", counts[s.op], seeds, static_cast<int>(s.op->name.size()), s.op->name.data());
    if (seeds < 500 || steps < 6) continue;
    INFO(s.op->name << " is in " << counts[s.op] << " of " << seeds << " graphs");
    CHECK(counts[s.op] * 100 >= seeds);
  }
}
