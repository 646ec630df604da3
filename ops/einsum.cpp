// einsum: the string, then each operand by itself, then two at a time.
#include <fmt/format.h>

#include <algorithm>

#include "apply.h"
#include "composition.h"
#include "contraction.h"
#include "diagonal.h"
#include "manipulate.h"
#include "products.h"
#include "recorder.h"
#include "reduce.h"

namespace weft {
namespace {

using detail::Label;
using detail::Labelled;
using detail::LabelSet;

constexpr Label dots = 0;  // the "..." itself; the axes it stands for are dots + 1, ... counted from the back

// The labels of one operand, or of the result, and where in the string they stand.
struct Term {
  std::size_t begin = 0;
  std::vector<Label> labels;
  std::vector<std::size_t> positions;
  bool has_dots() const { return std::find(labels.begin(), labels.end(), dots) != labels.end(); }
  /// Which label an operand's axis has, where the dots stand for `rest` axes.
  std::size_t label_of(std::size_t axis, std::size_t rest) const {
    const auto at = static_cast<std::size_t>(std::find(labels.begin(), labels.end(), dots) - labels.begin());
    return axis < at ? axis : axis < at + rest ? at : axis - rest + 1;
  }
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Spec {
 public:
  explicit Spec(std::string_view text) : text_(text) {
    inputs.emplace_back();
    Term* term = &inputs.back();
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == ' ') continue;
      if (is_letter(c)) {
        add(*term, static_cast<Label>(c), i);
      } else if (text.substr(i, 3) == "...") {
        if (term->has_dots()) fail(i, "a second \"...\" in one term");
        add(*term, dots, i);
        i += 2;
      } else if (c == ',') {
        if (explicit_result) fail(i, "',' after \"->\"");
        inputs.emplace_back().begin = i + 1;
        term = &inputs.back();
      } else if (text.substr(i, 2) == "->") {
        if (explicit_result) fail(i, "a second \"->\"");
        explicit_result = true;
        result.begin = i + 2;
        term = &result;
        ++i;
      } else {
        fail(i, fmt::format("'{}', which is no label", c));
      }
    }
    if (explicit_result)
      check_result();
    else
      derive_result();
  }

  [[noreturn]] void fail(std::size_t position, std::string_view what) const {
    throw ArgumentError(fmt::format("at position {} of \"{}\": {}", position, shortened(text_, 80), what));
  }

  std::vector<Term> inputs;
  Term result;
  bool explicit_result = false;

 private:
  static void add(Term& t, Label l, std::size_t position) {
    t.labels.push_back(l);
    t.positions.push_back(position);
  }
  std::int64_t uses(Label l) const {
    std::int64_t n = 0;
    for (const Term& t : inputs) n += std::count(t.labels.begin(), t.labels.end(), l);
    return n;
  }
  void check_result() const {
    for (std::size_t i = 0; i < result.labels.size(); ++i) {
      const Label l = result.labels[i];
      if (std::count(result.labels.begin(), result.labels.end(), l) > 1)
        fail(result.positions[i], fmt::format("label '{}' twice in the result", static_cast<char>(l)));
      if (l != dots && uses(l) == 0)
        fail(result.positions[i], fmt::format("label '{}' of the result is no operand's", static_cast<char>(l)));
    }
  }
  void derive_result() {
    result.labels.push_back(dots);
    for (int c = 'A'; c <= 'z'; ++c)
      if (is_letter(static_cast<char>(c)) && uses(static_cast<Label>(c)) == 1)
        result.labels.push_back(static_cast<Label>(c));
  }
  std::string_view text_;
};

// The term's labels with "..." written out for this many axes.
std::vector<Label> written_out(const Term& t, int axes) {
  std::vector<Label> labels;
  for (Label l : t.labels) {
    if (l == dots)
      for (int k = axes; k-- > 0;) labels.push_back(static_cast<Label>(dots + 1 + k));
    else
      labels.push_back(l);
  }
  return labels;
}

std::string shown(Label l) {
  return is_letter(static_cast<char>(l)) ? fmt::format("label '{}'", static_cast<char>(l)) : "\"...\"";
}

class Einsum {
 public:
  Einsum(std::string_view text, const std::vector<Tensor>& operands) : spec_(text), extents_(128, 1) {
    if (operands.size() != spec_.inputs.size())
      throw ArgumentError(fmt::format("\"{}\" names {} operands, there are {}", shortened(text, 80),
                                      spec_.inputs.size(), operands.size()));
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!operands[i].defined()) throw ArgumentError(fmt::format("operand {} is undefined", i));
      add(spec_.inputs[i], operands[i]);
    }
    result_ = written_out(spec_.result, spec_.result.has_dots() ? dotted_ : 0);
    for (Label l : result_) kept_.set(l);
  }

  Tensor run() {
    for (Labelled& x : operands_) drop_ones(x);
    for (std::size_t i = 0; i < operands_.size(); ++i) simplify(i);
    std::vector<LabelSet> sets;
    for (const Labelled& x : operands_) sets.push_back(x.set());
    for (const auto& [first, second] : detail::contraction_order(sets, kept_, extents_)) {
      operands_[first] = detail::contract(operands_[first], operands_[second], kept_without(first, second));
      operands_[second] = {};
    }
    const Labelled& last = operands_[0];
    Ints order;
    for (Label l : result_) {
      const auto at = std::find(last.labels.begin(), last.labels.end(), l);
      order.push_back(at - last.labels.begin());
    }
    return transpose(last.tensor, order);
  }

 private:
  void add(const Term& t, const Tensor& x) {
    const int letters = static_cast<int>(t.labels.size()) - t.has_dots(), rest = x.rank() - letters;
    if (rest < 0 || (rest > 0 && !t.has_dots()))
      spec_.fail(t.begin, fmt::format("a term of {} labels for rank {}", letters, x.rank()));
    if (rest > 0 && spec_.explicit_result && !spec_.result.has_dots())
      spec_.fail(spec_.result.begin, "the result lacks \"...\", which stands for axes here");
    dotted_ = std::max(dotted_, rest);
    operands_.push_back({x, written_out(t, rest)});
    const std::vector<Label>& labels = operands_.back().labels;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::int64_t n = x.shape()[static_cast<int>(i)];
      std::int64_t& extent = extents_[labels[i]];
      // Its extent before: in this term, where a diagonal's are equal, or in another, where those of 1 are spread.
      const auto same = std::find(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(i), labels[i]);
      const bool again = same != labels.begin() + static_cast<std::ptrdiff_t>(i);
      const std::int64_t before = again ? x.shape()[static_cast<int>(same - labels.begin())] : extent;
      if (n != before && (again || (n != 1 && before != 1)))
        throw ShapeError(fmt::format("{} at position {} has extent {}, before {}", shown(labels[i]),
                                     t.positions[t.label_of(i, static_cast<std::size_t>(rest))], n, before));
      if (n != 1) extent = n;
    }
  }

  // An axis of 1 of a longer label broadcasts by not being there.
  void drop_ones(Labelled& x) {
    for (std::size_t i = 0; i < x.labels.size(); ++i) {
      if (x.tensor.shape()[static_cast<int>(i)] == extents_[x.labels[i]]) continue;
      x.tensor = squeeze(x.tensor, Ints{static_cast<std::int64_t>(i)});
      x.labels.erase(x.labels.begin() + static_cast<std::ptrdiff_t>(i--));
    }
  }

  // Each label once, and only those that another operand or the result has.
  void simplify(std::size_t which) {
    Labelled& x = operands_[which];
    for (std::size_t i = 0; i < x.labels.size(); ++i)
      for (std::size_t k = i + 1; k < x.labels.size(); ++k) {
        if (x.labels[i] != x.labels[k]) continue;
        const Label l = x.labels[i];
        x.tensor = diagonal(x.tensor, 0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(k));
        x.labels.erase(x.labels.begin() + static_cast<std::ptrdiff_t>(k));
        x.labels.erase(x.labels.begin() + static_cast<std::ptrdiff_t>(i));
        x.labels.push_back(l);
        return simplify(which);
      }
    const LabelSet needed = kept_without(which, which);
    Ints alone;
    std::vector<Label> rest;
    for (std::size_t i = 0; i < x.labels.size(); ++i)
      if (needed[x.labels[i]])
        rest.push_back(x.labels[i]);
      else
        alone.push_back(static_cast<std::int64_t>(i));
    if (alone.empty()) return;
    x.tensor = sum(x.tensor, alone);
    x.labels = rest;
  }

  // The labels of the result and of all operands but these.
  LabelSet kept_without(std::size_t a, std::size_t b) const {
    LabelSet s = kept_;
    for (std::size_t i = 0; i < operands_.size(); ++i)
      if (i != a && i != b) s |= operands_[i].set();
    return s;
  }

  Spec spec_;
  std::vector<std::int64_t> extents_;  // by label
  std::vector<Labelled> operands_;
  std::vector<Label> result_;
  LabelSet kept_;  // those of the result
  int dotted_ = 0;
};

}  // namespace

Tensor einsum(std::string_view labels, const std::vector<Tensor>& operands, Site site) {
  return detail::named(
      "einsum", site, [&] { return detail::describe(operands, 8); }, [&] { return Einsum(labels, operands).run(); });
}

}  // namespace weft
