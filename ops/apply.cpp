#include "apply.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "closure.h"
#include "graph_interpreter.h"
#include "kernels/elementwise.h"
#include "profile.h"
#include "recorder.h"

namespace weft {
namespace {

// Operands and outputs are nearly always few; no allocation for them then. The elements are to be written first.
template <class T> class Small {
 public:
  explicit Small(std::size_t n) : size_(n) {
    if (n > inline_.size()) heap_.resize(n);
  }
  T* data() { return size_ > inline_.size() ? heap_.data() : inline_.data(); }
  T& operator[](std::size_t i) { return data()[i]; }
  std::span<T> span() { return {data(), size_}; }

 private:
  std::size_t size_;
  std::array<T, 4> inline_;
  std::vector<T> heap_;
};

[[gnu::cold]] std::vector<std::string> describe(const Op& op, std::span<const Tensor> in) {
  std::vector<std::string> lines;
  std::string_view names = op.operand_names;
  constexpr std::size_t most = 8;
  for (std::size_t i = 0; i < in.size() && i < most; ++i) {
    const std::string_view role = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), role.size() + 1));
    lines.push_back(describe_operand(role.empty() ? fmt::format("in{}", i) : std::string(role), in[i]));
  }
  if (in.size() > most) lines.push_back(fmt::format("... and {} more", in.size() - most));
  return lines;
}

void apply_unguarded(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out) {
  Small<const Type*> in_types(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!in[i].defined())
      throw ArgumentError(fmt::format("operand {} is undefined", i),
                          "a gradient that does not exist is an undefined tensor; Unconnected::zero gives zeros");
    in_types[i] = &in[i].type();
  }
  Small<Type> out_types(out.size());
  op.infer(attrs, in_types.span(), out_types.span());

  if (Tracer* tracer = active_tracer()) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = Tensor::placeholder(out_types[i]);
    tracer->append(op, attrs, in, out);
  } else {
    Small<View> in_views(in.size()), out_views(out.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (in[i].is_traced())
        throw GuardError("a traced tensor was used after its trace",
                         "a tensor made inside a compiled function lives only there; return it");
      in_views[i] = in[i].view();
    }
    const auto shown = [&] {  // a view of the operand, nothing to compute
      if (op.kind != OpKind::view) return false;
      out_views[0] = {out_types[0].dtype, out_types[0].shape, {}, nullptr};
      if (!op.view(attrs, in_views[0], out_views[0])) return false;
      out[0] = Tensor::on(in[0].storage(), out_views[0]);
      return true;
    };
    // Each output a tensor of its own, to be told from inputs and from each other.
    const auto give = [&](std::span<const Tensor> results) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = Tensor::on(results[i].storage(), results[i].view());
    };
    if (op.inlined) {
      const TraceScope hidden(nullptr);
      give(replay(*op.graphs(attrs)[0], in));
    } else if (op.forwards) {  // there for gradients alone
      give(in.subspan(static_cast<std::size_t>(op.forwards(attrs))));
    } else if (!shown()) {
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = Tensor::allocate(out_types[i]);
        out_views[i] = out[i].view();
      }
      run_op(op, attrs, in_views.span(), out_views.span());
    }
  }
  each_recorder([&](Recorder& r) { r.record(op, attrs, in, out); });
}

}  // namespace

std::string describe_operand(std::string_view role, std::string_view what) {
  return fmt::format("{:<5}{}{}", role, role.size() >= 5 && role.back() != ' ' ? " " : "", what);
}

std::string describe_operand(std::string_view role, const Tensor& t) {
  if (!t.defined()) return describe_operand(role, "undefined");
  const std::string type = shortened(t.type().text(), 120);
  if (t.name().empty()) return describe_operand(role, type);
  return describe_operand(role, fmt::format("{:<14} \"{}\"", type, shortened(t.name(), 80)));
}

// What a view op shows, copied; where it can show nothing (a reshape of a transpose), the elements in row-major order.
static void copy_view(const Op& op, const Attrs& attrs, const View& in, const View& out) {
  View shown = out;
  if (op.view(attrs, in, shown))
    copy_elements(shown, out);
  else
    copy_elements(in, {in.dtype, in.shape, contiguous_strides(in.shape), out.data});
}

void run_op(const Op& op, const Attrs& attrs, Views in, Views out) {
  if (op.kind == OpKind::elementwise)
    run_elementwise(op, attrs, in, out[0]);
  else if (op.kind == OpKind::view)
    copy_view(op, attrs, in[0], out[0]);
  else if (op.run_graphs)
    interpret_graphs(op, attrs, in, out);
  else
    op.run(attrs, in, out);
}

void apply(const Op& op, const Attrs& attrs, std::span<const Tensor> in, std::span<Tensor> out) {
  detail::ProfileSpan span;
  if (detail::profiled()) [[unlikely]]
    if (!active_tracer()) profile_op(span, op, attrs, in, out.size());
  try {
    apply_unguarded(op, attrs, in, out);
  } catch (Error& e) {
    e.locate(op.name, describe(op, in), site_text(SiteScope::current()));
    throw;
  }
}

Tensor apply(const Op& op, const Attrs& attrs, std::span<const Tensor> in) {
  Tensor out;
  apply(op, attrs, in, std::span(&out, 1));
  return out;
}

}  // namespace weft
