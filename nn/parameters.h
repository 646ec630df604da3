// Parameters: the variables of a model by their paths, as optimizers, files and summaries want them.
//
//     struct Mlp { nn::Linear fc1{2, 10}, fc2{10, 1};  WEFT_MEMBERS(fc1, fc2) };
//     for (const nn::Parameter& p : nn::parameters(mlp)) ...   // "fc1.weight", "fc1.bias", ...
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "../autograd/structure.h"
#include "../ops/flag.h"
#include "../tensor/site.h"

namespace weft::nn {

/// A variable by the path that leads to it. Copies refer to the same variable.
class Parameter {
 public:
  Parameter(std::string path, const Variable& variable) : path_(std::move(path)), state_(variable.state()) {}

  const std::string& path() const { return path_; }
  const std::shared_ptr<VariableState>& state() const { return state_; }
  /// The variable itself.
  Variable variable() const { return Variable::handle(state_); }
  const Type& type() const { return state_->type; }
  const Shape& shape() const { return type().shape; }
  bool trainable() const { return state_->trainable(); }

 private:
  std::string path_;
  std::shared_ptr<VariableState> state_;
};

using Parameters = std::vector<Parameter>;

namespace detail {
inline std::string joined(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : std::string(path) + "." + std::string(name);
}

/// Calls visit(path, part) for each part of a structure, outer ones first, Variables last.
template <class S, class Visit> void each_part(const S& s, const std::string& path, Visit&& visit) {
  std::size_t i = 0;
  const auto numbered = [&](const auto& m) { each_part(m, joined(path, std::to_string(i++)), visit); };
  visit(path, s);
  if constexpr (HasMembers<S>) {
    each_member(s, [&](std::string_view name, const auto& m) { each_part(m, joined(path, name), visit); });
  } else if constexpr (std::is_same_v<S, Parameter>) {
    each_part(s.variable(), s.path(), visit);
  } else if constexpr (weft::detail::is_tuple<S>) {
    std::apply([&](const auto&... m) { (numbered(m), ...); }, s);
  } else if constexpr (weft::detail::is_vector<S>) {
    for (const auto& m : s) numbered(m);
  } else if constexpr (weft::detail::is_map<S>) {
    for (const auto& [key, m] : s) {
      if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(key)>>)
        each_part(m, joined(path, std::to_string(key)), visit);
      else
        each_part(m, joined(path, std::string_view(key)), visit);
    }
  } else {
    weft::detail::check_seen<S>();
    if constexpr (weft::detail::is_optional<S>)
      if (s) each_part(*s, path, visit);
  }
}

struct SummaryRow {
  std::string path, text;  // of a layer: what it is
  Parameters parameters;   // its own, not its parts'
};
std::string summary_text(const std::vector<SummaryRow>& rows);
void assign_all(const Parameters& to, const Parameters& from, const Site& site);
void update_averages(const Parameters& averages, const Parameters& of, double decay, const Site& site);
}  // namespace detail

/// All defined variables of a model in the order of its members, those that are not trained too. A lone Variable's path
/// is its name; one that two members refer to has the first one's path.
template <class M> Parameters parameters(const M& model) {
  Parameters list;
  std::unordered_set<const VariableState*> seen;
  detail::each_part(model, "", [&](const std::string& path, const auto& part) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(part)>, Variable>)
      if (part.defined() && seen.insert(part.state().get()).second)
        list.emplace_back(path.empty() ? part.name() : path, part);
  });
  return list;
}

/// Loose variables, by their names or, where they have none, their numbers.
template <class... V>
requires(sizeof...(V) > 1 && (std::is_same_v<V, Variable> && ...)) Parameters parameters(const V&... variable) {
  Parameters list;
  (list.emplace_back(variable.name().empty() ? std::to_string(list.size()) : variable.name(), variable), ...);
  return list;
}

/// Those of which keep(parameter) holds: select(parameters(m), [](auto& p) { return p.shape().size() >= 2; }).
template <class Keep> Parameters select(const Parameters& list, Keep&& keep) {
  Parameters kept;
  for (const Parameter& p : list)
    if (keep(p)) kept.push_back(p);
  return kept;
}

/// Gives each variable its path as its name, which messages show; returns the parameters.
template <class M> Parameters name_parameters(const M& model) {
  Parameters list = parameters(model);
  for (const Parameter& p : list)
    if (!p.path().empty()) p.variable().set_name(p.path());
  return list;
}

/// Gives the variables of `model` the values that `other`'s have, in one step: what was compiled for `model`, or made
/// an optimizer for it, goes on with them. (C++'s own assignment does that, too, but where it exchanges variables: a
/// vector that is moved from, a map.) ArgumentError, DTypeError or ShapeError if paths or types differ, and nothing is
/// changed then.
///     nn::assign(model, best);
template <class M> void assign(const M& model, const M& other, Site site = Site::current()) {
  detail::assign_all(parameters(model), parameters(other), site);
}

/// One step of moving averages of a model's variables: average = decay average + (1 - decay) value for each; those that
/// are no floats are copied. Start from a copy of the model. ArgumentError if decay is not in [0, 1]; others as assign.
///     Net average = net;
///     nn::update_average(average, net, 0.999);  // after each step, or at its end
template <class M> void update_average(const M& average, const M& model, double decay, Site site = Site::current()) {
  detail::update_averages(parameters(average), parameters(model), decay, site);
}

/// Leaves the variables of a model, or of a part of it, out of training: tapes watch them no longer, and gradients of
/// models lack them; an optimizer changes them only where it is given a gradient by hand. Make the optimizer first: it
/// has slots for what is not frozen when it is made.
///     nn::Adam opt(net);
///     nn::freeze(net.encoder);  // and later nn::unfreeze(net.encoder)
template <class M> void freeze(const M& model, Flag frozen = true) {
  for (const Parameter& p : parameters(model)) p.variable().freeze(frozen);
}
template <class M> void unfreeze(const M& model) { freeze(model, false); }

/// How many numbers the trainable variables hold.
template <class M> std::int64_t count_parameters(const M& model) {
  std::int64_t n = 0;
  for (const Parameter& p : parameters(model))
    if (p.trainable()) n += count(p.shape());
  return n;
}

/// A table: each layer's path, kind, variables and count, then the totals.
template <class M> std::string summary(const M& model) {
  std::vector<detail::SummaryRow> rows;
  detail::each_part(model, "", [&](const std::string& path, const auto& part) {
    using S = std::remove_cvref_t<decltype(part)>;
    if constexpr (std::is_same_v<S, Variable>) {
      if (!part.defined()) return;
      const std::size_t dot = path.rfind('.');
      const std::string layer = dot == std::string::npos ? "" : path.substr(0, dot);
      for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
        if (row->path != layer) continue;
        row->parameters.emplace_back(path.substr(dot == std::string::npos ? 0 : dot + 1), part);
        return;
      }
      rows.push_back({layer, "", {Parameter(path.substr(dot == std::string::npos ? 0 : dot + 1), part)}});
    } else if constexpr (requires {
                           { part.text() } -> std::convertible_to<std::string>;
                         } &&
                         !std::is_same_v<S, Tensor>) {
      rows.push_back({path, part.text(), {}});
    } else if constexpr (HasMembers<S>) {
      rows.push_back({path, "", {}});
    }
  });
  return detail::summary_text(rows);
}

}  // namespace weft::nn
