// GradientTape::explain: why a gradient is undefined.
#include <fmt/format.h>

#include <algorithm>

#include "../ops/defs/cast.h"
#include "../ops/defs/unary.h"
#include "tape.h"

namespace weft {
namespace {

constexpr std::size_t most_paths = 4, most_ops = 12;  // what is longer is cut

std::string described(const Tensor& t) {
  return t.type().text() + (t.name().empty() ? "" : fmt::format(" \"{}\"", t.name()));
}

}  // namespace

std::string GradientTape::explain_leaf(const Tensor& target, const Source& source) {
  check_thread();
  const Tensor& value = source.variable ? source.variable->value : source.tensor;
  if (!target.defined() || !value.defined())
    return fmt::format("no gradient: the {} is undefined\n", target.defined() ? "source" : "target");
  if (table_.find(target.id()) == no_slot) check_seen(tracer_, target);
  const auto none = [&](std::string_view why) { return fmt::format("no gradient: {}\n", why); };
  if (used_ && !options_.persistent)
    return none(
        "the tape is already used: gradient() was called on it, it is not persistent, and its recording is gone\n"
        "  hint: GradientTape tape({.persistent = true}), or explain() before gradient()");
  const std::string from = (source.variable ? "variable " : "source ") + described(value);
  if (!is_floating(value.dtype())) return none(fmt::format("the {} is no float, and only floats have gradients", from));
  if (!is_floating(target.dtype()))
    return none(fmt::format("the target {} is no float, and only floats have gradients", described(target)));
  if (slots_of(source).empty()) {
    if (!source.variable) {
      const bool known = table_.find(value.id()) != no_slot;  // but nothing behind it has a gradient
      if (known && target.id() != value.id()) return explain_paths(target, source);
      return none(
          fmt::format("the {} was never watched\n"
                      "  hint: a tensor, also one that took a variable's place, needs tape.watch(x) before its use",
                      from));
    }
    if (!source.variable->parameter)
      return none(fmt::format("the {} is not trainable, and was never watched\n  hint: tape.watch(v)", from));
    if (source.variable->frozen)
      return none(fmt::format("the {} is frozen, and was never watched\n  hint: unfreeze it, or tape.watch(v)", from));
    if (!options_.watch_accessed_variables)
      return none(
          fmt::format("the {} was never watched, and this tape watches none by itself\n  hint: tape.watch(v)", from));
    return none(
        fmt::format("the {} was never read while the tape recorded\n"
                    "  hint: was a tensor read before used in its place, or is it a copy? std::tie(a, b) makes none",
                    from));
  }
  return explain_paths(target, source);
}

// Forward from the source along what has gradients, and backward from the target along everything: where the first set
// ends and the second goes on, a path breaks.
std::string GradientTape::explain_paths(const Tensor& target, const Source& source) {
  const std::size_t nowhere = entries_.size();
  std::vector<bool> reached(table_.size()), leads(table_.size());
  std::vector<std::size_t> made_by(table_.size(), nowhere);
  std::vector<Slot> start = slots_of(source);
  if (start.empty()) start = {table_.find(source.tensor.id())};  // seen, but with no gradient from there on
  for (const Slot s : start) reached[number(s)] = true;
  const Slot end = table_.find(target.id());
  if (end != no_slot) leads[number(end)] = true;

  const auto inputs = [&](const Entry& e) { return std::span(slots_).subspan(e.slots, e.inputs); };
  const auto outputs = [&](const Entry& e) { return std::span(slots_).subspan(e.slots + e.inputs, e.outputs); };
  for (std::size_t e = nowhere; e-- > 0;) {
    const auto out = outputs(entries_[e]);
    if (std::any_of(out.begin(), out.end(), [&](Slot s) { return leads[number(s)]; }))
      for (const Slot s : inputs(entries_[e]))
        if (s != no_slot) leads[number(s)] = true;
  }
  std::vector<std::size_t> breaks;
  for (std::size_t e = 0; e < nowhere; ++e) {
    bool enters = false, flows = false, broken = false;
    for (const Slot s : inputs(entries_[e])) {
      if (s == no_slot || !reached[number(s)]) continue;
      enters = true;
      flows |= live(s);
    }
    if (!enters) continue;
    for (const Slot s : outputs(entries_[e])) {
      if (flows && live(s)) {
        if (!reached[number(s)]) made_by[number(s)] = e;
        reached[number(s)] = true;
      } else {
        broken |= leads[number(s)];
      }
    }
    if (broken) breaks.push_back(e);
  }

  const auto op_text = [&](std::size_t e) {
    const Entry& entry = entries_[e];
    const std::string attrs = entry.op == &op_of<Cast>() ? fmt::format(" ({})", entry.attrs.text()) : "";
    return fmt::format("{}{}{}", entry.op->name, attrs, at_line(entry.site));
  };
  // The ops from the source to entry e, one a line.
  const auto path_to = [&](std::size_t e) {
    std::vector<std::size_t> path;
    for (std::size_t at = e; at != nowhere;) {
      path.push_back(at);
      std::size_t before = nowhere;
      for (const Slot s : inputs(entries_[at]))
        if (s != no_slot && reached[number(s)]) {
          before = made_by[number(s)];
          break;
        }
      at = before;
    }
    std::reverse(path.begin(), path.end());
    std::string text;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path.size() > most_ops && i >= most_ops / 2 && i < path.size() - most_ops / 2) {
        if (i == most_ops / 2) text += fmt::format("\n  ... {} more ops", path.size() - 2 * (most_ops / 2));
        continue;
      }
      text += "\n  " + op_text(path[i]);
    }
    return text;
  };
  const auto reason = [&](const Entry& entry) -> std::string {
    const auto in = inputs(entry);
    if (entry.op == &op_of<StopGradient>()) return "it stops gradients, as asked";
    if (entry.op->name == "assign") {
      std::string name;
      for (const Watched& w : watched_)
        for (const Slot s : w.values)
          if (number(s) == number(outputs(entry)[0])) name = fmt::format(" \"{}\"", w.variable->name);
      return fmt::format("state stops gradients; what is read after it depends on the variable{} alone", name);
    }
    if (!entry.op->differentiable) return "it is not differentiable";
    if (std::none_of(in.begin(), in.end(), [](Slot s) { return live(s); })) return "its input was not watched then";
    return "it gives no float, and only floats have gradients";
  };
  const Tensor& value = source.variable ? source.variable->value : source.tensor;
  const std::string ends = fmt::format("from the source {} to the target {}", described(value), described(target));

  if (end == no_slot || !reached[number(end)]) {
    if (breaks.empty()) return explain_unreached(target);
    std::string text = fmt::format("no gradient: each path {} breaks", ends);
    for (std::size_t i = 0; i < breaks.size() && i < most_paths; ++i)
      text += fmt::format("{}{}: {}", i ? "\n" : "", path_to(breaks[i]), reason(entries_[breaks[i]]));
    if (breaks.size() > most_paths) text += fmt::format("\n  and {} more", breaks.size() - most_paths);
    return text + "\n";
  }

  // A gradient can flow: does a rule withhold it? Only replaying tells. No recorder is to see that.
  std::vector<Tensor> cotangents(table_.size());
  std::vector<bool> keep(table_.size());
  std::vector<Withheld> withheld;
  for (const Slot s : start) keep[number(s)] = true;
  cotangents[number(end)] = broadcast_to(Arg(1).tensor(target.dtype()), target.shape());
  const TraceScope hidden(active_tracer());
  replay(cotangents, keep, false, &withheld);
  for (const Slot s : start)
    if (cotangents[number(s)].defined()) {
      const std::string path = made_by[number(end)] == nowhere ? "" : path_to(made_by[number(end)]);
      return fmt::format("there is a gradient {}{}\n", ends, path);
    }
  std::string text = fmt::format("no gradient: a rule {} gives none", ends);
  for (const Withheld& w : withheld)
    if (const Slot s = slots_[entries_[w.entry].slots + w.input]; reached[number(s)])
      text += fmt::format("{}: its rule gives none for input {}", path_to(w.entry), w.input);
  return text + "\n";
}

// No recorded op leads from the source to the target. The target's id says when it was made: ids grow, in a thread.
std::string GradientTape::explain_unreached(const Tensor& target) const {
  const std::string what = fmt::format("the target {}", described(target));
  const auto before = std::upper_bound(switched_.begin(), switched_.end(), target.id()) - switched_.begin();
  const std::size_t switches = target.id() < began_ ? 0 : 1 + static_cast<std::size_t>(before);
  const bool known = table_.find(target.id()) != no_slot;
  std::string why;
  if (known)
    why = "depends on other sources, not on this one";
  else if (switches == 0)
    why = "was made before the tape recorded";
  else if (switches % 2 == 0)
    why = switches == switched_.size() + 1 ? "was made after the tape had stopped"
                                           : "was made while the tape was stopped";
  else
    why = "was not computed from anything that the tape watches";
  std::string text = fmt::format("no gradient: {} {}\n", what, why);
  if (!known && switches % 2)
    text += "  hint: numbers read by item() or to_vector() leave the tape; ops on them are not recorded\n";
  if (switches % 2 && switched_.size() > 1)
    text += "  hint: the tape was stopped meanwhile; what ran then it did not see\n";
  return text;
}

}  // namespace weft
