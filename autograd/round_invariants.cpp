#include "round_invariants.h"

#include <algorithm>

#include "../ops/apply.h"
#include "../ops/defs/matmul.h"
#include "../ops/defs/shape.h"
#include "../ops/manipulate.h"
#include "../ops/recorder.h"

namespace weft {
namespace {

constexpr std::int64_t few_rows = 8;  // a product of fewer than about so many takes as long as reading the matrix

class Splitter {
 public:
  Splitter(const ScanAttrs& attrs, std::span<const Tensor> in)
      : attrs_(attrs),
        body_(*attrs.body),
        in_(in),
        outside_(body_.values.size()),
        moves_(body_.values.size()),
        lifted_(body_.nodes.size()) {
    for (std::size_t k = 0; k < body_.inputs.size(); ++k) {
      moves_[body_.inputs[k]] = k < elements_end();
      if (k >= elements_end()) outside_[body_.inputs[k]] = in[k];
    }
    for (const Graph::Node& n : body_.nodes) {
      const bool stays = has(&Op::checks, *n.op, n.attrs) || has(&Op::effect, *n.op, n.attrs) ||
                         has(&Op::draws, *n.op, n.attrs) || n.in.empty() ||
                         std::any_of(n.in.begin(), n.in.end(), [&](ValueId v) { return moves_[v]; });
      for (const ValueId v : n.values()) moves_[v] = stays;
    }
  }

  Loop run() {
    for (const Graph::Node& n : body_.nodes)
      if (moves_[n.out]) lift_product(n);
    for (std::size_t i = 0; i < body_.nodes.size(); ++i)
      if (moves_[body_.nodes[i].out] && !lifted_[i])
        for (const ValueId v : body_.nodes[i].in) take(v);
    for (const ValueId v : body_.outputs) take(v);
    return new_elements_.empty() && new_constants_.empty() ? Loop{attrs_, {in_.begin(), in_.end()}} : loop();
  }

 private:
  struct New {
    ValueId value;
    Tensor tensor;
  };

  std::size_t elements_end() const { return control::size(attrs_.carries + attrs_.xs); }

  // What a value that no round changes is, before the loop.
  const Tensor& outside(ValueId v) {
    if (outside_[v].defined()) return outside_[v];
    const Graph::Node* n = body_.producer(v);
    if (!n) {
      const Tensor& constant = body_.constants[body_.values[v].index];
      return outside_[v] =
                 Tensor::on(constant.storage(), constant.view());  // to a trace that we are in: its own literal
    }
    std::vector<Tensor> in, out(control::size(n->outputs));
    for (const ValueId u : n->in) in.push_back(outside(u));
    const ReplayedSite site(n->site);
    apply(*n->op, n->attrs, in, out);
    std::copy(out.begin(), out.end(), outside_.begin() + n->out);
    return outside_[v];
  }

  // The products of a round with a matrix that all rounds have.
  void lift_product(const Graph::Node& n) {
    if (n.op != &op_of<MatMul>() || moves_[n.in[1]]) return;
    const Shape &a = body_.type(n.in[0]).shape, &b = body_.type(n.in[1]).shape;
    if (a.size() != 2 || b.size() != 2) return;
    const ValueId source = control::source_of(body_, n.in[0]);
    const auto input = std::find(body_.inputs.begin(), body_.inputs.end(), source) - body_.inputs.begin();
    if (input >= attrs_.carries && input < attrs_.carries + attrs_.xs && a[0] < few_rows) {
      const ReplayedSite site(n.site);
      const Tensor rows = reshape(in_[static_cast<std::size_t>(input)], {attrs_.length * a[0], a[1]});
      new_elements_.push_back({n.out, reshape(apply<MatMul>({rows, outside(n.in[1])}), {attrs_.length, a[0], b[1]})});
      lifted_[body_.values[n.out].index] = true;
    } else if (const Graph::Node* m = body_.producer(n.in[1]); m && m->op == &op_of<Transpose>() && a[0] > 1) {
      take(n.in[1], contiguous(outside(n.in[1])));
    }
  }

  // A value that a round reads: computed before the loop if no round changes it.
  void take(ValueId v) {
    const Graph::Node* n = body_.producer(v);
    if (moves_[v] || !n || is_new(v)) return;
    if (n->op->kind != OpKind::view || n->op == &op_of<Contiguous>()) return take(v, outside(v));
    for (const ValueId u : n->in) take(u);
  }
  void take(ValueId v, const Tensor& tensor) {
    if (!is_new(v)) new_constants_.push_back({v, tensor});
  }
  bool is_new(ValueId v) const {
    return std::any_of(new_constants_.begin(), new_constants_.end(), [&](const New& n) { return n.value == v; });
  }

  // (carries, xs, new xs, constants, new constants), without those that only what is gone has read.
  Loop loop() {
    Loop result{attrs_, {}};
    const std::vector<bool> read = control::inputs_read(body_);
    std::vector<bool> may_go;
    GraphCopy copy(body_);
    const auto given = [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        copy.input(body_.inputs[k]);
        result.in.push_back(in_[k]);
        may_go.push_back(k >= control::size(attrs_.carries) && read[k]);
      }
    };
    const auto made = [&](const std::vector<New>& list) {
      for (const New& n : list) {
        copy.input(n.value);
        result.in.push_back(n.tensor);
        may_go.push_back(false);
      }
    };
    given(0, elements_end());
    made(new_elements_);
    given(elements_end(), in_.size());
    made(new_constants_);
    const auto known = [&](ValueId v) { return copy.has(v) || body_.values[v].kind == Graph::Value::constant; };
    for (std::size_t i = 0; i < body_.nodes.size(); ++i) {
      const Graph::Node& n = body_.nodes[i];
      const bool inside = moves_[n.out] ? !lifted_[i] : n.op->kind == OpKind::view && !copy.has(n.out);
      if (inside && std::all_of(n.in.begin(), n.in.end(), known)) copy.node(n);
    }
    const std::size_t xs_end = elements_end() + new_elements_.size();
    result.attrs.body = control::without_unread_inputs(without_dead_nodes(copy.returning(body_.outputs)),
                                                       may_go);  // may_go: it went
    result.attrs.xs += static_cast<int>(new_elements_.size());
    result.attrs.xs -=
        static_cast<int>(std::count(may_go.begin(), may_go.begin() + static_cast<std::ptrdiff_t>(xs_end), true));
    std::size_t k = 0;
    std::erase_if(result.in, [&](const Tensor&) { return may_go[k++]; });
    return result;
  }

  const ScanAttrs& attrs_;
  const Graph& body_;
  std::span<const Tensor> in_;
  std::vector<Tensor> outside_;  // by value that no round changes
  std::vector<bool> moves_, lifted_;
  std::vector<New> new_elements_, new_constants_;
};

}  // namespace

Loop without_invariants(const ScanAttrs& attrs, std::span<const Tensor> in) { return Splitter(attrs, in).run(); }

}  // namespace weft
