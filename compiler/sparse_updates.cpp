#include "sparse_updates.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "../ops/apply.h"
#include "../ops/defs/binary.h"
#include "../ops/defs/cast.h"
#include "../ops/defs/indexing.h"
#include "../ops/defs/reduce.h"
#include "../ops/defs/shape.h"
#include "../ops/defs/unary.h"
#include "../ops/recorder.h"
#include "fold_constants.h"
#include "sparse_ops.h"

namespace weft {
namespace {

constexpr std::int64_t worth = 2;  // rows for each index, from which on it pays

Shape with_rows(Shape shape, std::int64_t n) {
  shape[0] = n;
  return shape;
}

class SparseUpdates {
 public:
  explicit SparseUpdates(const Graph& graph)
      : from_(graph), copy_(graph), info_(graph.values.size()), returned_(graph.values.size()) {
    for (const ValueId v : graph.outputs) returned_[v] = true;
  }

  Graph run() {
    find_regions();
    if (std::none_of(regions_.begin(), regions_.end(), [](const Region& r) { return r.fit; })) return from_;
    return copy_.rewrite([&](const Graph::Node& n) {
      const Info& i = info_[n.out];
      if (i.region < 0 || !region(n.out).fit) return false;
      if (i.exit) copy_.set(n.out, n.op == &op_of<Sum>() ? total(region(n.out), n) : updated(region(n.out), n));
      return true;
    });
  }

 private:
  // A gradient, or several that meet in sums, and the pointwise ops that depend on it.
  struct Region {
    std::vector<const Graph::Node*> gradients;
    std::int64_t n = 0;  // indices
    const Graph::Node* first_exit = nullptr;
    bool fit = true;
    int merged_into = -1;
    // Of the new graph:
    ValueId indices = 0, rows = 0;
    std::unordered_map<ValueId, ValueId> on_rows, on_others, numbers;  // by value of the old graph
  };
  struct Info {
    int region = -1;
    bool exit = false;      // what the region computes for others
    bool boundary = false;  // an exit that is an update or a total: what is computed from it belongs to no region
    bool scalar = false;    // where the gradients are 0 it is one number:
    Tensor number;          // this one, if that is known now
  };

  Region& region(ValueId v) {
    int r = info_[v].region;
    while (regions_[static_cast<std::size_t>(r)].merged_into >= 0)
      r = regions_[static_cast<std::size_t>(r)].merged_into;
    return regions_[static_cast<std::size_t>(r)];
  }
  // True if v depends on a gradient in a way that is still the region's.
  bool inside(ValueId v) const { return info_[v].region >= 0 && !info_[v].boundary; }

  // The one number that v is in all rows, where the gradients are 0.
  Info at_zero(ValueId v) const {
    Info i;
    if (inside(v)) return info_[v];
    const std::optional<ValueId> s = scalar_source(from_, v);
    i.scalar = s.has_value();
    if (s && from_.values[*s].kind == Graph::Value::constant) i.number = from_.constants[from_.values[*s].index];
    return i;
  }

  void find_regions() {
    for (const Graph::Node& n : from_.nodes) {
      const bool pointwise = n.op->kind == OpKind::elementwise || n.op == &op_of<Contiguous>();
      const bool total = is_total(n);
      for (const ValueId v : n.in)
        if (inside(v)) pointwise || total ? join(n, v) : read_.push_back(v);
      if (is_sparse_gradient(n))
        open(n);
      else if (total)
        leave(n);
      else if (pointwise && info_[n.out].region >= 0)
        place(n);
    }
    for (const ValueId v : from_.outputs) {
      if (!inside(v)) continue;
      const Graph::Node& n = *from_.producer(v);
      exit(n);
      if (n.op->kind != OpKind::elementwise) region(v).fit = false;  // the gradient itself is asked
    }
    for (const ValueId v : read_)
      if (!info_[v].exit) region(v).fit = false;
    for (Region& r : regions_) {
      const auto ready = [&](const Graph::Node* gradient) { return gradient < r.first_exit; };
      r.fit = r.fit && r.merged_into < 0 && r.first_exit &&
              std::all_of(r.gradients.begin(), r.gradients.end(), ready) &&
              r.n * worth <= from_.type(r.gradients[0]->out).shape[0];
    }
  }

  void exit(const Graph::Node& n) {
    info_[n.out].exit = true;
    const Graph::Node*& first = region(n.out).first_exit;
    first = first ? std::min(first, &n) : &n;
  }
  void leave(const Graph::Node& n) {
    exit(n);
    info_[n.out].boundary = true;
  }

  // The sum of all elements of what is 0 where the gradients are: a sum begins with +0, so that a -0 changes it no
  // more.
  bool is_total(const Graph::Node& n) const {
    if (n.op != &op_of<Sum>() || !inside(n.in[0])) return false;
    const auto& axes = n.attrs.as<ReduceAttrs>();
    const Tensor& number = info_[n.in[0]].number;
    return axes.begin == 0 && axes.end == from_.type(n.in[0]).shape.size() && number.defined() && number.item() == 0;
  }

  // scatter_add of anything to +0 along axis 0.
  bool is_sparse_gradient(const Graph::Node& n) const {
    const Type& type = from_.type(n.out);
    if (n.op != &op_of<ScatterAdd>() || n.attrs.as<AxisAttrs>().axis != 0 || !is_floating(type.dtype) ||
        count(type.shape) == 0)
      return false;
    const std::optional<ValueId> s = scalar_source(from_, n.in[0]);
    return s && from_.values[*s].kind == Graph::Value::constant &&
           is_positive_zero(from_.constants[from_.values[*s].index].view());
  }

  void open(const Graph::Node& gradient) {
    Info& i = info_[gradient.out];
    i.region = static_cast<int>(regions_.size());
    i.scalar = true;
    i.number = Arg(0).tensor(from_.type(gradient.out).dtype);
    regions_.push_back({});
    regions_.back().gradients.push_back(&gradient);
    regions_.back().n = count(from_.type(gradient.in[1]).shape);
  }

  void join(const Graph::Node& n, ValueId v) {
    Info& i = info_[n.out];
    if (i.region < 0) i.region = info_[v].region;
    Region &a = region(n.out), &b = region(v);
    if (&a == &b) return;
    a.gradients.insert(a.gradients.end(), b.gradients.begin(), b.gradients.end());
    a.n += b.n;
    a.fit = a.fit && b.fit;
    if (!a.first_exit || (b.first_exit && b.first_exit < a.first_exit)) a.first_exit = b.first_exit;
    b.merged_into = static_cast<int>(&a - regions_.data());
  }

  // What a pointwise op of a region is there.
  void place(const Graph::Node& n) {
    Info& i = info_[n.out];
    for (const ValueId v : n.in)
      if (!inside(v) && !has_rows(v)) region(n.out).fit = false;
    if (update_of(n)) return leave(n);
    if (const auto v = taken(n)) {
      const Info operand = at_zero(*v);
      i.scalar = operand.scalar;
      i.number = operand.number;
      return;
    }
    std::vector<Tensor> numbers;
    i.scalar = true;
    for (const ValueId v : n.in) {
      const Info operand = at_zero(v);
      i.scalar = i.scalar && operand.scalar;
      if (operand.number.defined()) numbers.push_back(operand.number);
    }
    if (i.scalar && numbers.size() == n.in.size()) i.number = evaluate(n, numbers);
  }

  // The operand that a where takes where the gradients are 0, if that is known.
  std::optional<ValueId> taken(const Graph::Node& n) const {
    if (n.op != &op_of<Where>()) return {};
    const Tensor condition = at_zero(n.in[0]).number;
    if (!condition.defined()) return {};
    return n.in[*condition.view().as<bool>() ? 1 : 2];
  }

  static Tensor evaluate(const Graph::Node& n, const std::vector<Tensor>& in) {
    const TraceScope eager(nullptr);
    return n.op == &op_of<Contiguous>() ? in[0] : apply(*n.op, n.attrs, in);
  }

  // p - h or p + h, p in memory and h one number where the gradients are 0, not if that is known to change p; or what
  // takes p itself there, and is returned: where(gradient == 0, p, ...). A table of a narrow type may be updated in a
  // wider one: cast(cast(p) - h).
  struct Update {
    ValueId p;
    std::optional<ValueId> h = {};
    bool adds = false;
  };
  std::optional<Update> update_of(const Graph::Node& n) const {
    const Graph::Node* node = &n;
    const bool narrows = n.op == &op_of<Cast>() && widens(from_.type(n.out), from_.type(n.in[0]));
    if (narrows) node = from_.producer(n.in[0]);
    if (!node) return {};
    const auto table = [&](ValueId p) -> std::optional<Update> {
      if (inside(p)) return {};
      if (narrows) {
        const Graph::Node* cast = from_.producer(p);
        if (!cast || cast->op != &op_of<Cast>() || from_.type(cast->in[0]) != from_.type(n.out)) return {};
        p = cast->in[0];
      }
      if (!in_memory(p)) return {};
      return Update{p};
    };
    if (const auto p = taken(*node)) return returned_[n.out] ? table(*p) : std::nullopt;
    if (node->op != &op_of<Sub>() && node->op != &op_of<Add>()) return {};
    const bool adds = node->op == &op_of<Add>();
    const auto update = [&](ValueId p, ValueId h) -> std::optional<Update> {
      if (!inside(h) || !info_[h].scalar || (info_[h].number.defined() && !leaves_all(info_[h].number, adds)))
        return {};
      auto u = table(p);
      if (u) u->h = h, u->adds = adds;
      return u;
    };
    if (const auto u = update(node->in[0], node->in[1]); u || !adds) return u;
    return update(node->in[1], node->in[0]);
  }
  static bool widens(const Type& from, const Type& to) {
    return is_floating(from.dtype) && is_floating(to.dtype) && size_of(from.dtype) < size_of(to.dtype);
  }
  // Every number is the same to the bit with this one added or subtracted.
  static bool leaves_all(const Tensor& number, bool adds) {
    const TraceScope eager(nullptr);
    return is_positive_zero((adds ? neg(number) : number).view());
  }
  bool in_memory(ValueId v) const {
    const Graph::Node* n = from_.producer(v);
    return !n || info_[v].boundary || n->op->kind == OpKind::kernel;
  }

  // Some rows of v can be had without all of them.
  bool has_rows(ValueId v) const {
    const Graph::Node* n = from_.producer(v);
    if (!n || info_[v].boundary || n->op->kind == OpKind::kernel || n->op->kind == OpKind::reduction) return true;
    if (n->op == &op_of<BroadcastTo>()) return same_in_all_rows(*n);
    return n->op->kind == OpKind::elementwise &&
           std::all_of(n->in.begin(), n->in.end(), [&](ValueId u) { return has_rows(u); });
  }
  bool same_in_all_rows(const Graph::Node& broadcast) const {
    const Shape &in = from_.type(broadcast.in[0]).shape, &out = from_.type(broadcast.out).shape;
    return in.size() < out.size() || in[0] == 1;
  }

  // ---- the new graph ----
  ValueId add(const Op& op, const Attrs& attrs, std::vector<ValueId> in, std::vector<Type> out, const Origin& site) {
    return to_.add(op, attrs, in, out, site);
  }
  ValueId reshaped(ValueId v, const Shape& shape, const Origin& site) {
    const Type type{to_.type(v).dtype, shape};
    return to_.type(v).shape == shape ? v : add(op_of<Reshape>(), ShapeAttrs{shape}, {v}, {type}, site);
  }
  ValueId spread(ValueId v, const Shape& shape, const Origin& site) {
    return add(op_of<BroadcastTo>(), ShapeAttrs{shape}, {v}, {{to_.type(v).dtype, shape}}, site);
  }

  // unique_rows of all indices.
  void begin(Region& r) {
    std::vector<ValueId> parts;
    const auto& site = r.gradients[0]->site;
    for (const Graph::Node* g : r.gradients) {
      ValueId v = copy_(g->in[1]);
      v = reshaped(v, {count(to_.type(v).shape)}, g->site);
      if (r.gradients.size() > 1 && to_.type(v).dtype != i64)
        v = add(op_of<Cast>(), CastAttrs{i64}, {v}, {{i64, to_.type(v).shape}}, g->site);
      parts.push_back(v);
    }
    const Type slots{i64, {r.n}};
    r.indices = parts.size() == 1 ? parts[0] : add(op_of<Concat>(), ConcatAttrs{0}, parts, {slots}, site);
    const std::int64_t rows = from_.type(r.gradients[0]->out).shape[0];
    r.rows = add(unique_rows_op(), UniqueRowsAttrs{rows}, {r.indices}, {slots, slots}, site);
    const ValueId all_slots = r.rows + 1;
    std::int64_t first = 0;
    for (const Graph::Node* g : r.gradients) {
      const Type& type = from_.type(g->out);
      const Shape shape = with_rows(type.shape, r.n);
      const std::int64_t n = count(from_.type(g->in[1]).shape);
      const ValueId zeros = spread(to_.add_constant(Arg(0).tensor(type.dtype)), shape, g->site);
      const ValueId part =
          n == r.n ? all_slots
                   : add(op_of<StridedSlice>(), SliceAttrs{{first}, {1}, {n}}, {all_slots}, {{i64, {n}}}, g->site);
      const ValueId u = reshaped(copy_(g->in[2]), with_rows(type.shape, n), g->site);
      r.on_rows[g->out] = add(op_of<ScatterAdd>(), AxisAttrs{0}, {zeros, part, u}, {{type.dtype, shape}}, g->site);
      first += n;
    }
  }

  // The rows of v that the indices name.
  ValueId on_rows(Region& r, ValueId v) {
    if (const auto it = r.on_rows.find(v); it != r.on_rows.end()) return it->second;
    const Type type{from_.type(v).dtype, with_rows(from_.type(v).shape, r.n)};
    const Graph::Node* n = info_[v].boundary ? nullptr : from_.producer(v);
    ValueId result = 0;
    if (n && n->op == &op_of<Contiguous>()) {
      result = on_rows(r, n->in[0]);
    } else if (n && n->op == &op_of<BroadcastTo>()) {
      result = spread(copy_(n->in[0]), type.shape, n->site);
    } else if (n && n->op->kind == OpKind::elementwise) {
      std::vector<ValueId> in;
      for (const ValueId u : n->in) in.push_back(on_rows(r, u));
      result = add(*n->op, n->attrs, in, {type}, n->site);
    } else {  // of one gradient, as the function took them: that node is there already
      const bool one = r.gradients.size() == 1;
      const ValueId indices = one ? copy_(r.gradients[0]->in[1]) : r.indices;
      Shape shape = to_.type(indices).shape;
      for (int k = 1; k < type.shape.size(); ++k) shape.push_back(type.shape[k]);
      const auto& site = r.gradients[0]->site;
      result = reshaped(add(op_of<Gather>(), AxisAttrs{0}, {copy_(v), indices}, {{type.dtype, shape}}, site),
                        type.shape, site);
    }
    return r.on_rows[v] = result;
  }

  // The number that v is in all rows, with 0 for the gradients.
  ValueId number(Region& r, ValueId v) {
    if (const auto it = r.numbers.find(v); it != r.numbers.end()) return it->second;
    const Tensor& known = info_[v].number;
    ValueId result = 0;
    if (!inside(v)) {
      result = copy_(scalar_source(from_, v).value());
    } else if (known.defined()) {
      result = to_.add_constant(known);
    } else if (const Graph::Node& n = *from_.producer(v); const auto u = taken(n)) {
      result = number(r, *u);
    } else {
      std::vector<ValueId> in;
      for (const ValueId u : n.in) in.push_back(number(r, u));
      result = add(*n.op, n.attrs, in, {{from_.type(v).dtype, {}}}, n.site);
    }
    return r.numbers[v] = result;
  }

  // v with 0 for the gradients.
  ValueId on_others(Region& r, ValueId v) {
    if (!inside(v)) return copy_(v);
    if (const auto it = r.on_others.find(v); it != r.on_others.end()) return it->second;
    const Graph::Node& n = *from_.producer(v);
    ValueId result = 0;
    if (info_[v].scalar) {
      result = spread(number(r, v), from_.type(v).shape, n.site);
    } else if (const auto u = taken(n)) {
      result = on_others(r, *u);
    } else {
      std::vector<ValueId> in;
      for (const ValueId u : n.in) in.push_back(on_others(r, u));
      result = add(*n.op, n.attrs, in, {from_.type(v)}, n.site);
    }
    return r.on_others[v] = result;
  }

  // p less what h is where the gradients are 0.
  ValueId less_number(Region& r, const Update& u, const Origin& site) {
    const ValueId p = copy_(u.p);
    if (!u.h || info_[*u.h].number.defined()) return p;  // it is known to stay as it is
    ValueId s = number(r, *u.h);
    if (u.adds) s = add(op_of<Neg>(), {}, {s}, {to_.type(s)}, site);
    return add(sub_scalar_op(), {}, {p, s}, {to_.type(p)}, site);
  }

  ValueId updated(Region& r, const Graph::Node& n) {
    if (r.on_rows.empty()) begin(r);
    const Type& type = from_.type(n.out);
    std::vector<ValueId> in;
    for (const ValueId v : n.in) in.push_back(on_rows(r, v));
    const ValueId rows = add(*n.op, n.attrs, in, {{type.dtype, with_rows(type.shape, r.n)}}, n.site);
    r.on_rows[n.out] = rows;  // who reads them need not look into the table, after it was written
    const ValueId others = info_[n.out].boundary ? less_number(r, *update_of(n), n.site) : on_others(r, n.out);
    return add(set_rows_op(), {}, {others, r.rows, rows}, {type}, n.site);
  }

  ValueId total(Region& r, const Graph::Node& n) {
    if (r.on_rows.empty()) begin(r);
    return add(sum_rows_op(), {}, {r.rows, on_rows(r, n.in[0])}, {from_.type(n.out)}, n.site);
  }

  const Graph& from_;
  GraphCopy copy_;
  Graph& to_ = copy_.to;
  std::vector<Info> info_;
  std::vector<bool> returned_;
  std::vector<Region> regions_;
  std::vector<ValueId> read_;  // within a region, by ops that are not pointwise: they have to be exits
};

}  // namespace

Graph sparse_updates(const Graph& graph) { return SparseUpdates(graph).run(); }

}  // namespace weft
