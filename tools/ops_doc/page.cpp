#include "page.h"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include <weft/tests/losses.h>

#include "formulas.h"
#include "probes.h"

namespace weft::doc {
namespace {

using nlohmann::ordered_json;

std::string cell(std::string text) {
  static const std::regex first_sentence(R"((.*?[^.])\. .*)");
  text = std::regex_replace(text, first_sentence, "$1");
  if (text.ends_with('.') && !text.ends_with("..")) text.pop_back();
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

std::string gradient_rule(const Op& op, const test::OpSample& sample) {
  if (!op.differentiable) return "stops";
  std::string read;
  const auto add = [&](const std::string& what) { read += (read.empty() ? "" : ", ") + what; };
  const std::vector<std::string> names = operand_names(op, sample.in.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (op.reads & reads::in(i)) add(names[i]);
  for (int i = 0; i < op.outputs; ++i)
    if (op.reads & reads::out(static_cast<std::size_t>(i)))
      add(op.outputs > 1 ? fmt::format("result {}", i) : "result");
  return read.empty() ? "yes" : "yes; reads " + read;
}

// The largest errors that docs/accuracy.md has: of its first table f32's and f64's in ulp, of the others in roundings,
// of large operands where it has them.
std::map<std::string, std::string> accuracies(const fs::path& root) {
  static const std::regex in_ulp(R"(\| (\w+) \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \| .*)"),
      of_op(R"(\| (\w+) \| ([\d.]+) \|(?:[^|]*\|){3} ?([\d.]*) ?\|.*)"),
      of_function(R"(\| (\w+) \| ([\d.]+) \| ?([\d.]*) ?\|.*)");
  std::map<std::string, std::string> found;
  std::ifstream in(root / "docs/accuracy.md");
  std::smatch match;
  std::string section;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## ")) section = line;
    if (section.empty() && std::regex_match(line, match, in_ulp))
      found[match[1]] = match[2].str() + ", " + match[3].str();
    if (section == "## Ops that are not elementwise" && std::regex_match(line, match, of_op))
      found[match[1]] = match[match.length(3) ? 3 : 2].str() + " r";
    if (section == "## Functions over these ops" && std::regex_match(line, match, of_function))
      found.try_emplace(match[1], match[2].str() + (match.length(3) ? ", " + match[3].str() : "") + " r");
  }
  return found;
}

// What pages are made of.
class Page {
 public:
  explicit Page(const fs::path& root)
      : root_(root), functions_(documented_functions(root)), accuracy_(accuracies(root)) {
    for (const Documented& f : functions_) {
      const auto [entry, fresh] = described_.try_emplace(f.name, f);
      if (!fresh && entry->second.text.empty()) entry->second = f;
    }
    for (const auto& list : {test::public_functions(), test::losses()})
      for (const test::PublicFunction& f : list) called_.try_emplace(f.name, f);
    if (!fs::exists(root / "docs/ops-measured.json")) return;
    const ordered_json all = ordered_json::parse(read(root / "docs/ops-measured.json"));
    record_ = all.at("ops");
    machine_ = all.at("machine");
  }

  std::string text() {
    std::string text = fmt::format(heading, machine_);
    std::string unmeasured;
    for (const test::SampledOp& s : test::sampled_ops()) {
      text += row(s);
      const std::string name(s.op->name);
      if (!record_.contains(name)) unmeasured += (unmeasured.empty() ? "" : ", ") + name;
      described_.erase(name);
    }
    if (!unmeasured.empty()) text += "\nNot measured: " + unmeasured + ".\n";
    text += functions_heading;
    for (const Documented& f : functions_)
      if (const auto left = described_.find(f.name); left != described_.end()) {
        text += row(f.name, left->second);
        described_.erase(left);
      }
    return text;
  }

 private:
  static constexpr const char* heading =
      "# Ops\n\n"
      "Written by `ninja docs` (tools/ops_doc) from the table of ops; CI checks that it is current.\n\n"
      "**Formula**: what an elementwise op computes for each element, in the order in which it does; a long one is\n"
      "counted. **Gradient**: of any order, in reverse and forward mode; what its rule reads stays in memory; "
      "\"stops\":\n"
      "none comes back. **Error**: the largest of f32 and f64 results, in ulp, or, with an r, of f32 in roundings\n"
      "(docs/accuracy.md, where the promises are). **ns**: for each element of the largest operand or result, f32 "
      "where\n"
      "the op takes it and far more than L2 holds (bench/large_inputs.h), eager and compiled: {}.\n\n"
      "| op | what it gives | formula | dtypes | gradient | error | ns eager | ns compiled |\n"
      "|---|---|---|---|---|---|---|---|\n";
  static constexpr const char* functions_heading =
      "\n## Functions over these ops\n\n"
      "Plain functions: they have no rules of their own, and the compiler fuses what is in them. The columns are "
      "those\n"
      "above, in roundings of f32 and, where there is a true value to hold it against, of f64; functions that only "
      "move\n"
      "or draw numbers have none. \"order 1\": the gradient has none of its own.\n\n"
      "| function | what it gives | dtypes | gradient | error | ns eager | ns compiled | header |\n"
      "|---|---|---|---|---|---|---|---|\n";

  std::string row(const test::SampledOp& s) {
    const std::string name(s.op->name);
    DType t = f32;
    if (!s.accepts(f32)) t = *std::ranges::find_if(test::all_dtypes, s.accepts);
    const std::vector<test::OpSample> samples = s.samples(t, random_);
    const auto found = described_.find(name);
    std::string what = found == described_.end() ? struct_comment(root_, name) : found->second.text;
    if (what.empty()) what = name;
    const auto called = called_.find(name);  // which may take more than the op: sum takes bf16
    const std::string dtypes = called == called_.end() ? listed(s.accepts) : dtypes_of(called->second);
    const bool view = s.op->kind == OpKind::view;
    return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", name, cell(what),
                       cell(formula_of(*s.op, samples)), dtypes, gradient_rule(*s.op, samples[0]), accuracy_[name],
                       view ? "a view" : measured(name, "eager"), view ? "a view" : measured(name, "compile"));
  }

  // Of a function, and of what is called another way under a longer name: gelu_tanh.
  std::string row(const std::string& name, const Documented& d) {
    std::string rows;
    const auto add = [&](const std::string& label, const test::PublicFunction* f) {
      rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", label, cell(d.text), f ? dtypes_of(*f) : "",
                          f ? gradient_of(*f) : "", accuracy_[label], timed(f) ? measured(label, "eager") : "",
                          timed(f) ? measured(label, "compile") : "", d.header);
    };
    const auto called = called_.find(name);
    add(name, called == called_.end() ? nullptr : &called->second);
    for (auto other = called_.upper_bound(name); other != called_.end() && other->first.starts_with(name + "_");
         ++other)
      if (std::ranges::none_of(functions_, [&](const Documented& f) { return f.name == other->first; }))
        add(other->first, &other->second);
    return rows;
  }

  static bool timed(const test::PublicFunction* f) { return f && !f->operands[0].large.empty(); }

  std::string measured(const std::string& name, const char* mode) const {
    if (!record_.contains(name) || !record_[name].contains(mode)) return "not measured";
    return fmt::format("{:.3g}", record_[name][mode].get<double>());
  }

  fs::path root_;
  std::vector<Documented> functions_;
  std::map<std::string, Documented> described_;
  std::map<std::string, test::PublicFunction> called_;
  std::map<std::string, std::string> accuracy_;
  ordered_json record_;
  std::string machine_ = "nothing is recorded";
  test::Random random_;
};

}  // namespace

std::string page(const fs::path& root) { return Page(root).text(); }

}  // namespace weft::doc
