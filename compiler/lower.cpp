#include "lower.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "../ops/defs/reduce.h"
#include "../ops/kernels/formula_fold.h"
#include "../ops/kernels/reduce.h"
#include "../tensor/past_caches.h"
#include "known_numbers.h"
#include "spaces.h"

namespace weft {
namespace {

constexpr double busy_work = 1 << 24;  // elements times instructions: about a millisecond
// Elementary functions have so many instructions; the updates of optimizers, one launch for parameters of every size,
// have fewer.
constexpr int busy_code = 24;
constexpr int most_streams = 3;  // stored around the caches at a time, if some are of 16 bits
constexpr int keep_cost = 8;     // a value of more instructions than this is kept for later levels, not computed again

class Lowering {
 public:
  Lowering(const Graph& graph, const Grouping& grouping, const Group& group, const Places& places)
      : graph_(graph),
        grouping_(grouping),
        group_(group),
        places_(places),
        split_(group.split < 0 ? group.space.size() : group.split) {}

  Launch run() {
    for (const std::uint32_t i : group_.computed()) node(i);
    choose_kept();
    lay_out();
    launch_.nodes = group_.nodes;
    return std::move(launch_);
  }

 private:
  Kernel& kernel() { return launch_.kernel; }
  bool pointwise_only() const { return group_.split < 0; }
  bool interleaved() const { return group_.inner >= 0; }

  std::uint16_t put(const KernelInstruction& x) {
    auto& code = kernel().code;
    for (std::size_t i = code.size(); i-- > 0;)
      if (code[i] == x) return static_cast<std::uint16_t>(i);
    code.push_back(x);
    return static_cast<std::uint16_t>(code.size() - 1);
  }

  std::uint16_t put(const Instruction& x, bool full_anyway) {
    KernelInstruction k{x, -1, full_anyway, 0, false};
    const std::uint16_t operands[] = {x.a, x.b, x.c};
    for (int i = 0; i < arity(x.op); ++i) {
      k.full |= kernel().code[operands[i]].full;
      k.level = std::max(k.level, kernel().code[operands[i]].level);
    }
    return put(k);
  }

  /// The value as a full one: a copy for each column if it is a row value.
  std::uint16_t as_full(std::uint16_t v) {
    const KernelInstruction& k = kernel().code[v];
    if (k.full) return v;
    return put({ScalarOp::convert, value_type(k), v, 0, 0, 0}, true);
  }

  std::uint16_t operand(const LaunchOperand& o, DType dtype, ColumnStep step) {
    for (std::size_t i = 0; i < launch_.operands.size(); ++i) {
      const LaunchOperand& p = launch_.operands[i];
      if (!o.output && !p.output && kernel().operands[i].step == step && p.value == o.value && p.offset == o.offset &&
          p.moves_like(o))
        return static_cast<std::uint16_t>(i);
    }
    launch_.operands.push_back(o);
    kernel().operands.push_back({dtype, step, o.output});
    return static_cast<std::uint16_t>(launch_.operands.size() - 1);
  }

  // Whether operand k of a formula, a scalar constant, is loaded, so that other values of it need no other code: the
  // size of a batch and what comes of it. Not where code could be better for knowing it: a special number, an integer,
  // a longer formula, a divisor whose inverse is exact.
  bool is_parameter(ValueId v, std::size_t k, const Formula& f, Role role) const {
    const ValueId base = grouping_.accesses[v].base;
    if (!graph_.is_scalar_constant(base) || !is_floating(graph_.type(base).dtype)) return false;
    const auto works = [](const Instruction& i) { return i.op != ScalarOp::input; };
    const ScalarOp op = f.code[f.result].op;
    if (std::ranges::count_if(f.code, works) != 1 ||
        (op != ScalarOp::add && op != ScalarOp::sub && op != ScalarOp::mul && op != ScalarOp::div &&
         op != ScalarOp::select))
      return false;
    const double x = std::abs(graph_.constants[graph_.values[base].index].item());
    if (x == 0 || x == 0.5 || x == 1 || x == 2) return false;
    int exponent = 0;
    return !(op == ScalarOp::div && k == 1 && role == Role::full && std::frexp(x, &exponent) == 0.5);
  }

  // By the axes of the space, or of its rows.
  Access over_space(const Access& a, Role role) const {
    return cut_to(a, role == Role::row ? group_.rows() : group_.space).value();
  }

  // For each axis of the space, what an access moves by (bytes). A row access has only the row axes: those before the
  // columns, and those of interleaved rows behind them.
  Ints space_strides(const Access& a, std::int64_t size) const {
    Ints s = Ints::filled(group_.space.size(), 0);
    const int left_out = s.size() - a.shape.size();
    for (int k = 0; k < a.shape.size(); ++k) s[k < split_ ? k : k + left_out] = a.strides[k] * size;
    return s;
  }

  // The instruction that has operand v of a node of this role. `parameter`: a scalar constant is loaded, else written
  // into the code.
  std::uint16_t use(ValueId v, Role role, bool parameter = false) {
    const Access a = over_space(grouping_.accesses[v], role);
    if (graph_.values[a.base].kind == Graph::Value::computed)
      if (const auto it = computed_.find(a.base); it != computed_.end())
        return rounded(it->second, graph_.type(v).dtype);
    const DType dtype = graph_.type(v).dtype, computes = compute_type(dtype);
    const auto size = static_cast<std::int64_t>(size_of(dtype));
    if (!parameter)
      if (const auto bits = known_number(graph_, v)) return put({ScalarOp::constant, computes, 0, 0, 0, *bits}, false);
    LaunchOperand o{a.base, a.offset * size, space_strides(a, size), 0, false};
    if (interleaved()) {
      o.col_stride = role == Role::full ? a.strides[group_.inner - 1] * size : 0;
      const std::uint16_t k = operand(o, dtype, a.strides.back() ? ColumnStep::contiguous : ColumnStep::fixed);
      return put({ScalarOp::input, computes, 0, 0, 0, k}, o.col_stride != 0);
    }
    const ColumnWalk walk = role == Role::full ? columns_of(a) : ColumnWalk{0, 1};
    o.col_stride = walk.stride * size;
    o.repeat = walk.repeat;
    const ColumnStep step = walk.stride == 0   ? ColumnStep::fixed
                            : walk.repeat > 1  ? ColumnStep::repeated
                            : walk.stride == 1 ? ColumnStep::contiguous
                                               : ColumnStep::strided;
    const std::uint16_t k = operand(o, dtype, step);
    return put({ScalarOp::input, computes, 0, 0, 0, k}, step != ColumnStep::fixed);
  }

  /// What a consumer reads of a value that was computed in f32: rounded, where its type is narrower. The store rounds
  /// by itself.
  std::uint16_t rounded(std::uint16_t value, DType dtype) {
    return compute_type(dtype) == dtype ? value : put({ScalarOp::convert, dtype, value, 0, 0, 0}, false);
  }

  // For a group without a split, along its last axis.
  ColumnWalk columns_of(const Access& a) const {
    const int rank = group_.space.size();
    if (rank == 0) return {1, 1};  // a single element: as good as contiguous
    if (pointwise_only()) return {a.strides[rank - 1], 1};
    return walk_columns(a, split_, !group_.has_column).value();
  }

  void node(std::uint32_t i) {
    const Graph::Node& n = graph_.nodes[i];
    const Role role = grouping_.roles[i];
    if (n.op->kind == OpKind::reduction) return reduction(n, role);
    std::vector<const Type*> types;
    for (const ValueId v : n.in) types.push_back(&graph_.type(v));
    Formula f = n.op->formula(n.attrs, types);
    std::vector<bool> parameter;
    std::vector<KnownOperand> known;
    for (std::size_t k = 0; k < n.in.size(); ++k) {
      parameter.push_back(is_parameter(n.in[k], k, f, role));
      if (const auto bits = parameter[k] ? std::nullopt : known_number(graph_, n.in[k])) known.push_back({k, *bits});
    }
    if (!known.empty()) f = folded(f, known);
    std::vector<std::uint16_t> map(f.code.size());
    for (std::size_t k = 0; k < f.code.size(); ++k) {
      Instruction x = f.code[k];
      if (x.op == ScalarOp::input) {
        map[k] = use(n.in[x.imm], role, parameter[x.imm]);
        continue;
      }
      const int operands = arity(x.op);
      if (operands > 0) x.a = map[x.a];
      if (operands > 1) x.b = map[x.b];
      if (operands > 2) x.c = map[x.c];
      map[k] = put(x, false);
    }
    std::uint16_t result = map[f.result];
    if (role == Role::full && places_[n.out]) result = as_full(result);
    computed_[n.out] = result;
    if (places_[n.out]) store(n.out, result, role);
  }

  void store(ValueId v, std::uint16_t value, Role role) {
    const auto size = static_cast<std::int64_t>(size_of(graph_.type(v).dtype));
    const Access a = over_space(*places_[v], role);
    LaunchOperand o{a.base, a.offset * size, space_strides(a, size), role == Role::full ? size : 0, true};
    if (interleaved() && role == Role::full) o.col_stride = a.strides[group_.inner - 1] * size;
    const std::uint16_t k = operand(o, graph_.type(v).dtype,
                                    role == Role::full || interleaved() ? ColumnStep::contiguous : ColumnStep::fixed);
    kernel().stores.push_back({value, k});
  }

  void reduction(const Graph::Node& n, Role role) {
    const DType dtype = graph_.type(n.out).dtype;
    const std::uint16_t value = as_full(use(n.in[0], Role::full));
    const auto number = static_cast<std::int16_t>(kernel().reductions.size());
    const auto size = static_cast<std::int64_t>(size_of(dtype));
    if (role == Role::column) {
      const std::uint16_t k =
          operand({n.out, 0, Ints::filled(group_.space.size(), 0), size, true}, dtype, ColumnStep::contiguous);
      kernel().reductions.push_back({n.op->reduction, dtype, value, true, k});
      return;
    }
    kernel().reductions.push_back({n.op->reduction, dtype, value, false, 0});
    KernelInstruction x{{ScalarOp::input, dtype, 0, 0, 0, 0},
                        number,
                        false,
                        static_cast<std::uint8_t>(kernel().code[value].level + 1),
                        false};
    computed_[n.out] = put(x);
    if (places_[n.out]) store(n.out, computed_[n.out], Role::row);
  }

  // Full values that a later level reads: kept in a row buffer if they cost much, else computed again.
  void choose_kept() {
    auto& code = kernel().code;
    std::vector<char> read_later(code.size());
    for (const KernelInstruction& k : code) {
      const std::uint16_t operands[] = {k.scalar.a, k.scalar.b, k.scalar.c};
      for (int i = 0; i < arity(k.scalar.op); ++i)
        if (code[operands[i]].full && code[operands[i]].level < k.level) read_later[operands[i]] = 1;
    }
    for (std::size_t v = 0; v < code.size(); ++v) {
      if (!read_later[v]) continue;
      std::vector<std::uint16_t> open{static_cast<std::uint16_t>(v)};
      std::vector<char> seen(code.size());
      int cost = 0;
      while (!open.empty() && cost <= keep_cost) {
        const std::uint16_t at = open.back();
        open.pop_back();
        if (seen[at] || !code[at].full || (code[at].kept && at != v)) continue;
        seen[at] = 1;
        cost += code[at].scalar.op == ScalarOp::div || code[at].scalar.op == ScalarOp::sqrt ? 4 : 1;
        const std::uint16_t operands[] = {code[at].scalar.a, code[at].scalar.b, code[at].scalar.c};
        for (int i = 0; i < arity(code[at].scalar.op); ++i) open.push_back(operands[i]);
      }
      code[v].kept = cost > keep_cost;
    }
  }

  // From space axes to rows and columns.
  void lay_out() {
    const int rank = group_.space.size();
    // Axes that every operand walks as one become one; a split stays.
    std::vector<std::int64_t> extents;
    std::vector<std::vector<std::int64_t>> strides(launch_.operands.size());
    int row_axes = 0;
    for (int k = 0; k < rank; ++k) {
      bool merge = !extents.empty() && !(k == split_ && !pointwise_only()) && k != group_.inner;
      if (merge)
        for (std::size_t o = 0; o < strides.size(); ++o)
          merge = merge && (strides[o].back() == launch_.operands[o].row_strides[k] * group_.space[k] ||
                            (launch_.operands[o].repeat > 1 && k > split_));
      if (k == split_ && !pointwise_only()) row_axes = static_cast<int>(extents.size());
      if (merge)
        extents.back() *= group_.space[k];
      else
        extents.push_back(group_.space[k]);
      for (std::size_t o = 0; o < strides.size(); ++o) {
        if (merge)
          strides[o].back() = launch_.operands[o].row_strides[k];
        else
          strides[o].push_back(launch_.operands[o].row_strides[k]);
      }
    }
    const int axes = static_cast<int>(extents.size());
    if (pointwise_only()) row_axes = std::max(0, axes - 1);
    // All that is left after the row axes is one axis of columns, and one of interleaved rows: grouping saw to it.
    launch_.cols = axes > row_axes ? extents[static_cast<std::size_t>(row_axes)] : 1;
    if (interleaved()) launch_.interleave = extents.back();
    kernel().interleaved = interleaved();
    for (int k = 0; k < row_axes; ++k) launch_.rows.push_back(extents[static_cast<std::size_t>(k)]);
    for (std::size_t o = 0; o < strides.size(); ++o) {
      Ints rows;
      for (int k = 0; k < row_axes; ++k) rows.push_back(strides[o][static_cast<std::size_t>(k)]);
      launch_.operands[o].row_strides = rows;
    }

    const std::int64_t rows = count(launch_.rows);
    bool row_reduction = false, column_reduction = false;
    for (const KernelReduction& r : kernel().reductions) (r.column ? column_reduction : row_reduction) = true;
    bool single_level = true;
    for (const KernelInstruction& k : kernel().code) single_level &= k.level == 0 || k.reduced >= 0;
    // blocks are combined where the result will lie: no rounded copy of it
    for (const KernelStore& st : kernel().stores)
      single_level &= kernel().operands[st.operand].dtype == value_type(kernel().code[st.value]);
    if (interleaved())
      launch_.cut = Launch::by_lanes;
    else if (column_reduction)
      launch_.cut = Launch::row_blocks;
    else if (row_reduction)
      launch_.cut = rows == 1 && launch_.cols > row_block && single_level ? Launch::blocks : Launch::by_rows;
    else
      launch_.cut = rows == 1 ? Launch::by_columns : Launch::by_rows;
    if (rows > 1 && launch_.cols <= most_small_columns && !interleaved())
      kernel().small_cols = static_cast<std::int32_t>(launch_.cols);
    double cost = 1;
    for (const KernelInstruction& k : kernel().code) cost += k.full ? 1 : 0;
    launch_.work = static_cast<double>(rows) * static_cast<double>(launch_.cols * launch_.interleave) * cost;
    kernel().busy = launch_.work >= busy_work && cost > busy_code;
    mark_past_caches(rows);
    launch_.scratch_bytes = scratch_bytes(kernel(), launch_.cut == Launch::blocks ? row_block : launch_.cols);
  }

  // Of a launch that moves more than the caches hold what it writes is gone before anybody reads it, and what it reads
  // again in the next step may stay; and it waits for what it reads. Not accumulators, nor what is too small to matter.
  void mark_past_caches(std::int64_t rows) {
    if (kernel().small_cols || interleaved()) return;
    std::int64_t moved = 0;
    const auto bytes = [&](const KernelOperand& o) {
      return o.step == ColumnStep::contiguous ? rows * launch_.cols * static_cast<std::int64_t>(size_of(o.dtype)) : 0;
    };
    for (const KernelOperand& o : kernel().operands) moved += bytes(o);
    if (moved < past_caches) return;
    int streams = 0;
    for (std::size_t k = 0; k < kernel().operands.size(); ++k) {
      KernelOperand& o = kernel().operands[k];
      o.past_caches = bytes(o) >= past_caches / 8 &&
                      !(o.output && (launch_.cut == Launch::blocks || !in_whole_lines(launch_.operands[k], o)));
      streams += o.output && o.past_caches;
    }
    // Stores of half a line want the line's other half soon; among so many they wait too long (measured: AdamW with the
    // weights' bf16 copies is 2 % of its step faster so).
    if (streams > most_streams)
      for (KernelOperand& o : kernel().operands) o.past_caches &= !o.output || size_of(o.dtype) >= 4;
    for (const KernelReduction& r : kernel().reductions)
      if (r.column) kernel().operands[r.operand].past_caches = false;
  }

  // Rows that begin and end with a pair of cache lines, or are so long that it matters no more. The end of another is
  // stored into the caches, the CPU fetches the pair that it is of, and the next line stored around them has to be
  // thrown out of them again: 300 ns a row.
  bool in_whole_lines(const LaunchOperand& at, const KernelOperand& o) const {
    constexpr std::int64_t pair = 128, long_row = 64 << 10;
    const auto size = static_cast<std::int64_t>(size_of(o.dtype));
    if (launch_.cols * size >= long_row) return true;
    bool whole = true;
    for (int a = 0; a < launch_.rows.size(); ++a) whole &= launch_.rows[a] == 1 || at.row_strides[a] % pair == 0;
    return whole && (launch_.cols * size % pair == 0 || count(launch_.rows) == 1);
  }

  const Graph& graph_;
  const Grouping& grouping_;
  const Group& group_;
  const Places& places_;
  const int split_;
  Launch launch_;
  std::unordered_map<ValueId, std::uint16_t> computed_;
};

}  // namespace

Launch lower_group(const Graph& graph, const Grouping& grouping, const Group& group, const Places& places) {
  return Lowering(graph, grouping, group, places).run();
}

}  // namespace weft
