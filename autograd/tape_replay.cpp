// What a tape recorded, replayed backwards.
#include <fmt/format.h>

#include <algorithm>

#include "../ops/backward.h"
#include "../ops/math.h"
#include "../ops/mismatch.h"
#include "tape.h"

namespace weft {

void GradientTape::replay(std::vector<Tensor>& cotangents, const std::vector<bool>& keep, bool release,
                          std::vector<Withheld>* withheld) {
  // Only what depends on a source that is kept wants a cotangent; the other ops' rules do not run.
  std::vector<bool> leads = keep;
  for (const Entry& entry : entries_) {
    const Slot* const slots = slots_.data() + entry.slots;
    const auto wants = [&](Slot slot) { return live(slot) && leads[slot]; };
    if (std::none_of(slots, slots + entry.inputs, wants)) continue;
    for (std::size_t i = 0; i < entry.outputs; ++i)
      if (const Slot slot = slots[entry.inputs + i]; live(slot)) leads[slot] = true;
  }
  // Here, not in the loop: they keep their memory from op to op.
  std::vector<Tensor> grads, given, in, out;
  std::vector<Slot> targets;
  std::vector<Type> types;
  std::unique_ptr<bool[]> wanted;
  std::size_t room = 0;  // of wanted
  // Inside its scope a persistent tape grows while its own gradient is computed: only what was there is replayed.
  for (std::size_t e = entries_.size(); e-- > 0;) {
    const Entry entry = entries_[e];  // a copy: the list may grow
    const Slot* const slots = slots_.data() + entry.slots;
    bool reached = false;
    grads.assign(entry.outputs, {});
    for (std::size_t i = 0; i < entry.outputs; ++i) {
      const Slot slot = slots[entry.inputs + i];
      if (!live(slot)) continue;
      grads[i] = cotangents[slot];
      reached |= grads[i].defined();
      if (!keep[slot]) cotangents[slot] = {};  // nothing before this op can add to it
    }
    if (room < entry.inputs) wanted.reset(new bool[room = 2 * entry.inputs]);
    bool wants = false;
    for (std::size_t i = 0; i < entry.inputs; ++i) wants |= wanted[i] = live(slots[i]) && leads[slots[i]];
    if (reached && wants) {
      const ReplayedSite site({entry.site, entry.scope});
      const Op& op = *entry.op;
      const detail::GradientScope scope(op.name, !active_tracer());
      try {
        if (!op.vjp)
          throw GradError("the op has no gradient rule", "give its struct a vjp, or say `differentiable = false`");
        in.assign(entry.inputs, {});
        out.assign(entry.outputs, {});
        given.assign(entry.inputs, {});
        targets.assign(slots, slots + entry.inputs);
        std::size_t next = entry.saved;
        for (std::size_t i = 0; i < entry.inputs; ++i)
          if (op.reads & reads::in(i)) in[i] = saved_[next++];
        for (std::size_t i = 0; i < entry.outputs; ++i)
          if (op.reads & reads::out(i)) out[i] = saved_[next++];
        const std::size_t in_types = op.reads & reads::types ? entry.inputs : 0;
        const auto first_type = types_.begin() + entry.types;
        types.assign(first_type,
                     first_type + static_cast<std::ptrdiff_t>(in_types + (entry.outputs > 1 ? entry.outputs : 0)));
        Backward b(op, entry.attrs, in, std::span(types).first(in_types), out, std::span(types).subspan(in_types),
                   grads, std::span<const bool>(wanted.get(), entry.inputs), given);
        op.vjp(b);
        if (!b.answered())
          throw GradError(fmt::format("too few gradients: the rule gives none of the {} that are wanted",
                                      std::count(wanted.get(), wanted.get() + entry.inputs, true)));
        for (std::size_t i = 0; i < entry.inputs; ++i) {
          if (!wanted[i]) continue;
          if (!given[i].defined()) {
            if (withheld) withheld->push_back({e, i});
            continue;
          }
          // Added to another it might broadcast: a rule whose cotangent does not fit is found here.
          if (const Type* type = in[i].defined() ? &in[i].type() : in_types ? &types[i] : nullptr; type)
            detail::check_same_type(given[i].type(), *type, [&] {
              return fmt::format("the gradient for input {} is {}, the input {}", i, given[i].type().text(),
                                 type->text());
            });
          Tensor& sum = cotangents[targets[i]];
          sum = sum.defined() ? sum + given[i] : given[i];
        }
      } catch (Error& error) {
        const std::string inner = error.op().empty() ? "" : ": " + error.op();
        const std::string at = !error.site().empty() ? error.site() : site_text(entry.site);
        error.relocate(fmt::format("in the gradient of {}{}", op.name, inner), error.operands(), at);
        throw;
      }
    }
    if (release) {  // free what no rule needs any more
      saved_.resize(entry.saved);
      entries_.pop_back();
    }
  }
}

}  // namespace weft
