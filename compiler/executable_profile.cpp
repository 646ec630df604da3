// A compiled function in profiles: its calls, and the steps of each.
#include <algorithm>
#include <map>

#include "../ops/profile.h"
#include "../tensor/site.h"
#include "executable.h"

namespace weft {
namespace {

using detail::ProfileItem;
using detail::ProfileKind;

// The bytes that a launch's operand moves over, each counted once.
double bytes_of(const Launch& launch, std::size_t operand) {
  const LaunchOperand& o = launch.operands[operand];
  auto bytes = static_cast<double>(size_of(launch.kernel.operands[operand].dtype));
  for (int a = 0; a < o.row_strides.size(); ++a)
    if (o.row_strides[a] != 0) bytes *= static_cast<double>(launch.rows[a]);
  if (launch.kernel.interleaved && lane_stride(launch.kernel.operands[operand]) != 0)
    bytes *= static_cast<double>(launch.interleave);
  return o.col_stride != 0 ? bytes * static_cast<double>(launch.cols / o.repeat) : bytes;
}

double bytes_of(const Graph& graph, const Launch& launch) {
  std::map<ValueId, double> of_value;  // in parts, or in several ways: all of it at most, then it is in the cache
  for (std::size_t k = 0; k < launch.operands.size(); ++k) of_value[launch.operands[k].value] += bytes_of(launch, k);
  double sum = 0;
  for (const auto& [value, bytes] : of_value) sum += std::min(bytes, static_cast<double>(graph.type(value).bytes()));
  return sum;
}

ProfileItem node_item(const Graph& graph, const Graph::Node& n) {
  std::vector<const Type*> out;
  for (const ValueId v : n.values()) out.push_back(&graph.type(v));
  return profile_item(*n.op, n.attrs, graph.input_types(n), out, n.site);
}

void add_work(ProfileItem& to, const ProfileItem& part) {
  to.flops += part.flops;
  to.arithmetic += part.arithmetic;
  to.origins.insert(to.origins.end(), part.origins.begin(), part.origins.end());
}

// "exp mul sum", each op once, in order; of many the first.
std::string names_of(const Graph& graph, const std::vector<std::uint32_t>& nodes) {
  constexpr std::size_t most = 6;
  std::vector<std::string_view> names;
  for (const std::uint32_t i : nodes)
    if (std::find(names.begin(), names.end(), graph.nodes[i].op->name) == names.end())
      names.push_back(graph.nodes[i].op->name);
  std::string text;
  for (std::size_t k = 0; k < std::min(most, names.size()); ++k) text += (k ? " " : "") + std::string(names[k]);
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more" : text;
}

ProfileItem item_of(const Graph& graph, const LaunchStep& step) {
  ProfileItem item{ProfileKind::kernel, "kernel: " + names_of(graph, step.segments[0].nodes)};
  for (const Launch& l : step.segments) {
    for (const std::uint32_t i : l.nodes) add_work(item, node_item(graph, graph.nodes[i]));
    item.bytes += bytes_of(graph, l);
  }
  item.detail = std::to_string(count(step.segments[0].rows)) + " rows of " + std::to_string(step.segments[0].cols);
  if (step.segments.size() > 1) item.detail += ", " + std::to_string(step.segments.size()) + " segments";
  const auto in_gradient = [](const Origin& o) { return o.scope && !o.scope->gradient_of().empty(); };
  if (!item.origins.empty() && std::all_of(item.origins.begin(), item.origins.end(), in_gradient))
    item.name += " (gradient)";
  return item;
}

ProfileItem item_of(const Graph& graph, const NodeStep& step) {
  const Graph::Node& n = graph.nodes[step.node];
  ProfileItem item = node_item(graph, n);
  for (std::size_t k = 0; k < step.in.size(); ++k)
    item.bytes += bytes_shown({graph.type(n.in[k]).dtype, step.in[k].shape, step.in[k].strides, nullptr});
  for (const ValueId v : n.values()) item.bytes += static_cast<double>(graph.type(v).bytes());
  return item;
}

ProfileItem item_of(const Graph& graph, const EpilogueStep& step) {
  ProfileItem item = item_of(graph, step.product);
  const ProfileItem loop = item_of(graph, step.loop);
  item.name += " | " + loop.name;
  add_work(item, loop);  // the product is neither stored nor loaded
  item.bytes += loop.bytes - 2 * static_cast<double>(graph.type(step.product.out).bytes());
  return item;
}

ProfileItem item_of(const Graph& graph, const CopyStep& step) {
  const Type& t = graph.type(step.from.base);
  ProfileItem item{ProfileKind::kernel, "copy", t.text()};
  item.bytes = bytes_shown({t.dtype, step.from.shape, step.from.strides, nullptr}) +
               static_cast<double>(Type{t.dtype, step.from.shape}.bytes());
  return item;
}

ProfileItem item_of(const Graph& graph, std::span<const Step> steps) {
  const auto one = [&](const Step& step) { return std::visit([&](const auto& s) { return item_of(graph, s); }, step); };
  if (steps.size() == 1) return one(steps[0]);
  ProfileItem all{ProfileKind::kernel, "rows through", ""};
  for (const Step& step : steps) {
    const ProfileItem item = one(step);
    add_work(all, item);
    all.bytes += item.bytes;
    all.name += (&step == steps.data() ? " " : " | ") + item.name;
  }
  all.detail = std::to_string(steps.size()) + " steps";
  return all;
}

}  // namespace

void Executable::profile_call(detail::ProfileSpan& span) const {
  span.begin(
      number_,
      [](const void* context) {
        const auto& e = *static_cast<const Executable*>(context);
        const std::string line = site_text(e.compiled_at_);
        return ProfileItem{ProfileKind::phase,
                           line.empty() ? "compiled call" : "compiled call, " + line,
                           std::to_string(e.steps_.size()) + " steps",
                           {SiteScope::origin()}};
      },
      this);
}

void Executable::profile_steps(detail::ProfileSpan& span, std::size_t first, std::size_t last) const {
  struct Part {
    const Executable& executable;
    std::size_t first, last;
  } const part{*this, first, last};
  span.begin(
      number_ << 24 | first << 1 | (last - first > 1),
      [](const void* context) {
        const Part& p = *static_cast<const Part*>(context);
        ProfileItem item =
            item_of(p.executable.graph_, std::span(p.executable.steps_).subspan(p.first, p.last - p.first));
        for (Origin& o : item.origins) o.scope = detail::within(detail::current_scope, o.scope);
        return item;
      },
      &part);
}

}  // namespace weft
