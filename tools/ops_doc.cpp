// Writes docs/ops.md: every op of the table as the library knows it, what it does as its header says, and what the
// benchmarks measured (docs/ops-measured.json).
//
//   weft_ops_doc ROOT                       writes ROOT/docs/ops.md (ninja docs)
//   weft_ops_doc ROOT --check               exits with 1 if it is not what would be written
//   weft_ops_doc ROOT --record bench.json   first takes the measurements from
//                                           weft_bench --benchmark_filter=ops/ --benchmark_out=bench.json
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include <weft/tests/op_samples.h>

namespace fs = std::filesystem;
using namespace weft;
using nlohmann::ordered_json;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

// ---- what headers say ----

struct Documented {
  std::string name, text, header;
};

// The functions that a header declares outside detail namespaces, with the comments above them; of layers above ops
// those that take operands, as ops do.
std::vector<Documented> functions_of(const fs::path& header) {
  const bool any = header.parent_path().filename() == "ops";
  // What it returns is a tensor or holds some: ValuesIndices, SvdResult.
  static const std::regex declaration(
      R"(^(?:inline )?(?:(?!Shape )[A-Z]\w+|std::(?:pair|tuple|array|vector)<[^(]*>) (\w+)\(.*)");
  std::vector<Documented> found;
  std::ifstream in(header);
  std::string comment, before;  // before: the function in the line above, whose comment is about this one, too
  bool detail = false;
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (line.empty() || line.starts_with("struct ")) before.clear();
    if (line.starts_with("namespace detail")) detail = true;
    if (line.starts_with("}  // namespace detail")) detail = false;
    if (line.starts_with("///     ")) continue;  // an example
    if (line.starts_with("/// ")) {
      comment += (comment.empty() ? "" : " ") + line.substr(4);
      continue;
    }
    if (!detail && std::regex_match(line, match, declaration) &&
        (any || line.find("const Arg& ") != std::string::npos)) {
      if (comment.empty() && !before.empty() && before != match[1]) comment = "see " + before;
      found.push_back({match[1], comment, header.parent_path().filename().string() + "/" + header.filename().string()});
      if (!comment.starts_with("see ")) before = match[1];
      comment.clear();
    }
    // `struct Exp;` may stand between the functions of math.h, but no more than it
    if (!line.starts_with("struct ")) comment.clear();
  }
  return found;
}

std::vector<fs::path> headers_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".h") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

// Public ones are those that weft.h names.
std::vector<Documented> public_functions(const fs::path& root) {
  const std::string umbrella = read(root / "weft.h");
  std::vector<Documented> all;
  for (const char* layer : {"ops", "nn"})
    for (const fs::path& header : headers_in(root / layer))
      if (umbrella.find(fmt::format("\"{}/{}\"", layer, header.filename().string())) != std::string::npos)
        for (const Documented& f : functions_of(header)) all.push_back(f);
  return all;
}

// Of an op that is no function's name: the comment above its struct.
std::string struct_comment(const fs::path& root, std::string_view name) {
  for (const fs::path& header : headers_in(root / "ops/defs")) {
    std::ifstream in(header);
    std::string comment, pending, before;
    static const std::regex opening(R"(^(?:template <.*> )?struct (\w+).*)");
    for (std::string line; std::getline(in, line);) {
      std::smatch match;
      if (line.starts_with("/// ")) {
        pending += (pending.empty() ? "" : " ") + line.substr(4);
      } else if (std::regex_match(line, match, opening)) {
        if (before != match[1].str() + "Attrs" || !pending.empty()) comment = pending;  // its attributes may have it
        before = match[1];
        pending.clear();
      } else if (line.find(fmt::format("name = \"{}\";", name)) != std::string::npos) {
        return comment;
      }
    }
  }
  return "";
}

std::string cell(std::string text) {
  static const std::regex first_sentence(R"((.*?[^.])\. .*)");
  text = std::regex_replace(text, first_sentence, "$1");
  if (text.ends_with('.') && !text.ends_with("..")) text.pop_back();
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

// ---- formulas ----

std::string constant_text(const Instruction& i) {
  if (i.type == f32) return fmt::format("{}", std::bit_cast<float>(static_cast<std::uint32_t>(i.imm)));
  if (i.type == f64) return fmt::format("{}", std::bit_cast<double>(i.imm));
  if (i.type == DType::boolean) return i.imm ? "true" : "false";
  return fmt::format("{}", static_cast<std::int64_t>(i.imm));
}

std::string infix(const Formula& f, std::uint16_t at, const std::vector<std::string>& operands, bool outermost) {
  const Instruction& i = f.code[at];
  const auto part = [&](std::uint16_t k) { return infix(f, k, operands, false); };
  const auto binary = [&](const char* sign) {
    const std::string text = fmt::format("{} {} {}", part(i.a), sign, part(i.b));
    return outermost ? text : "(" + text + ")";
  };
  switch (i.op) {
    case ScalarOp::input: return operands[i.imm];
    case ScalarOp::constant: return constant_text(i);
    case ScalarOp::add: return binary("+");
    case ScalarOp::sub: return binary("-");
    case ScalarOp::mul: return binary("*");
    case ScalarOp::div: return binary("/");
    case ScalarOp::lt: return binary("<");
    case ScalarOp::le: return binary("<=");
    case ScalarOp::eq: return binary("=");
    case ScalarOp::ne: return binary("!=");
    case ScalarOp::bit_and: return binary("and");
    case ScalarOp::bit_or: return binary("or");
    case ScalarOp::bit_xor: return binary("xor");
    case ScalarOp::bit_not: return "not " + part(i.a);
    case ScalarOp::neg: return "-" + part(i.a);
    case ScalarOp::abs: return "|" + infix(f, i.a, operands, true) + "|";
    case ScalarOp::select: {
      const std::string text = fmt::format("{} ? {} : {}", part(i.a), part(i.b), part(i.c));
      return outermost ? text : "(" + text + ")";
    }
    case ScalarOp::fma: return fmt::format("fma({}, {}, {})", part(i.a), part(i.b), part(i.c));
    case ScalarOp::shl:
    case ScalarOp::shr:
    case ScalarOp::sar: return fmt::format("{}({}, {})", name_of(i.op), part(i.a), i.imm);
    case ScalarOp::convert: return fmt::format("{}({})", name_of(i.type), infix(f, i.a, operands, true));
    default: return fmt::format("{}({})", name_of(i.op), infix(f, i.a, operands, true));
  }
}

std::vector<std::string> operand_names(const Op& op, std::size_t n) {
  if (n == 1) return {"x"};
  if (n == 2 && op.kind == OpKind::elementwise) return {"x", "y"};
  std::vector<std::string> names;
  std::istringstream given{std::string(op.operand_names)};
  for (std::string name; given >> name;) names.push_back(name);
  while (names.size() < n) names.push_back("in" + std::to_string(names.size()));
  return names;
}

std::string formula_of(const Op& op, const std::vector<test::OpSample>& samples) {
  if (op.kind == OpKind::reduction) return "reduction";
  if (op.kind == OpKind::view) return "view";
  if (op.kind == OpKind::kernel) return "kernel";
  Formula f;
  for (const test::OpSample& sample : samples) {  // the longest: one cast has something to do
    std::vector<const Type*> types;
    for (const Tensor& t : sample.in) types.push_back(&t.type());
    Formula other = op.formula(sample.attrs, types);
    if (other.code.size() > f.code.size()) f = std::move(other);
  }
  const auto works = [](const Instruction& i) { return i.op != ScalarOp::input && i.op != ScalarOp::constant; };
  const auto operations = std::ranges::count_if(f.code, works);
  if (operations > 8) return fmt::format("{} operations, {} flops", operations, f.flops());
  return "`" + infix(f, f.result, operand_names(op, samples[0].in.size()), true) + "`";
}

// ---- one row an op ----

std::string dtypes_of(const test::SampledOp& s) {
  std::string names;
  for (const DType t : test::all_dtypes)
    if (s.accepts(t)) names += (names.empty() ? "" : " ") + std::string(name_of(t));
  static const std::map<std::string, std::string> short_names = {{"f32 f64 bf16 f16 i32 i64 u8 bool", "all"},
                                                                 {"f32 f64 bf16 f16 i32 i64 u8", "numbers"},
                                                                 {"f32 f64 bf16 f16", "floats"}};
  const auto found = short_names.find(names);
  return found == short_names.end() ? names : found->second;
}

std::string gradient_of(const Op& op, const test::OpSample& sample) {
  if (!op.differentiable) return "stops";
  std::string read;
  const auto add = [&](const std::string& what) { read += (read.empty() ? "" : ", ") + what; };
  const std::vector<std::string> names = operand_names(op, sample.in.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (op.reads >> i & 1) add(names[i]);
  for (int i = 0; i < op.outputs; ++i)
    if (op.reads >> (16 + i) & 1) add(op.outputs > 1 ? fmt::format("result {}", i) : "result");
  return read.empty() ? "yes" : "yes; reads " + read;
}

// The largest errors, f32 and f64, of docs/accuracy.md's rows: | exp | f32 max | f32 mean | f64 max | ...
std::map<std::string, std::string> accuracies(const fs::path& root) {
  static const std::regex row(R"(\| (\w+) \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \| .*)");
  std::map<std::string, std::string> found;
  std::ifstream in(root / "docs/accuracy.md");
  std::smatch match;
  for (std::string line; std::getline(in, line);)
    if (std::regex_match(line, match, row)) found[match[1]] = match[2].str() + ", " + match[3].str();
  return found;
}

std::string measured(const ordered_json& record, const Op& op, const char* mode) {
  if (op.kind == OpKind::view) return "a view";
  const std::string name(op.name);
  if (!record.contains(name) || !record[name].contains(mode)) return "not measured";
  return fmt::format("{:.3g}", record[name][mode].get<double>());
}

std::string page(const fs::path& root) {
  std::map<std::string, Documented> described;
  const std::vector<Documented> functions = public_functions(root);
  for (const Documented& f : functions) {
    const auto [entry, fresh] = described.try_emplace(f.name, f);
    if (!fresh && entry->second.text.empty()) entry->second = f;
  }
  ordered_json record;
  std::string machine = "nothing is recorded";
  if (fs::exists(root / "docs/ops-measured.json")) {
    const ordered_json all = ordered_json::parse(read(root / "docs/ops-measured.json"));
    record = all.at("ops");
    machine = all.at("machine");
  }

  std::string text =
      "# Ops\n\n"
      "Written by `ninja docs` (tools/ops_doc.cpp) from the table of ops; CI checks that it is current.\n\n"
      "**Formula**: what an elementwise op computes for each element, in the order in which it does; a long one is\n"
      "counted. **Gradient**: of any order, in reverse and forward mode; what its rule reads stays in memory; "
      "\"stops\":\n"
      "none comes back. **Ulp**: the largest errors of f32 and f64 results (docs/accuracy.md, where the promises "
      "are).\n"
      "**ns**: for each element of the largest operand or result, f32 where the op takes it and far more than L2 "
      "holds\n"
      "(bench/large_inputs.h), eager and compiled: " +
      machine +
      ".\n\n| op | what it gives | formula | dtypes | gradient | ulp | ns eager | ns compiled |\n"
      "|---|---|---|---|---|---|---|---|\n";
  std::map<std::string, std::string> accuracy = accuracies(root);
  std::string unmeasured;
  test::Random random;
  for (const test::SampledOp& s : test::sampled_ops()) {
    const std::string name(s.op->name);
    DType t = f32;
    if (!s.accepts(f32)) t = *std::ranges::find_if(test::all_dtypes, s.accepts);
    const std::vector<test::OpSample> samples = s.samples(t, random);
    const auto found = described.find(name);
    std::string what = found == described.end() ? struct_comment(root, name) : found->second.text;
    if (what.empty()) what = name;
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", name, cell(what),
                        cell(formula_of(*s.op, samples)), dtypes_of(s), gradient_of(*s.op, samples[0]), accuracy[name],
                        measured(record, *s.op, "eager"), measured(record, *s.op, "compile"));
    if (!record.contains(name)) unmeasured += (unmeasured.empty() ? "" : ", ") + name;
    described.erase(name);
  }
  if (!unmeasured.empty()) text += "\nNot measured: " + unmeasured + ".\n";

  text +=
      "\n## Functions over these ops\n\n"
      "Plain functions: they have no rules of their own, and the compiler fuses what is in them.\n\n"
      "| function | what it gives | header |\n|---|---|---|\n";
  for (const Documented& f : functions)
    if (const auto left = described.find(f.name); left != described.end()) {
      text += fmt::format("| {} | {} | {} |\n", f.name, cell(left->second.text), left->second.header);
      described.erase(left);
    }
  return text;
}

// ---- measurements ----

void record(const fs::path& root, const fs::path& report) {
  const ordered_json bench = ordered_json::parse(read(report));
  const ordered_json& context = bench.at("context");
  ordered_json ops = ordered_json::object();
  const fs::path kept = root / "docs/ops-measured.json";
  if (fs::exists(kept)) ops = ordered_json::parse(read(kept)).at("ops");
  for (const ordered_json& b : bench.at("benchmarks")) {
    const std::string name = b.at("name");
    static const std::regex shape(R"(ops/(\w+)/(eager|compile)(?:/real_time)?(?:_median)?)");
    std::smatch match;
    if (!std::regex_match(name, match, shape) || !b.contains("per_element")) continue;
    const double ns = b.at("per_element").get<double>() * 1e9;
    ops[match[1].str()][match[2].str()] = std::strtod(fmt::format("{:.3g}", ns).c_str(), nullptr);
  }
  const auto said = [&](const char* key) { return context.at(key).get<std::string>(); };
  const ordered_json all = {{"machine", fmt::format("{}, {}, {}", said("cpu"), said("isa"), said("threads"))},
                            {"ops", ops}};
  write(kept, all.dump(1) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const bool check = args.size() == 2 && args[1] == "--check", records = args.size() == 3 && args[1] == "--record";
  if (args.size() != 1 && !check && !records) {
    std::fprintf(stderr, "usage: weft_ops_doc ROOT [--check | --record bench.json]\n");
    return 2;
  }
  const fs::path root = args[0];
  if (records) record(root, args[2]);
  const std::string text = page(root), before = read(root / "docs/ops.md");
  if (!check) {
    write(root / "docs/ops.md", text);
    return 0;
  }
  if (text == before) return 0;
  std::istringstream wanted(text), there(before);
  std::string a, b;
  do {
    a.clear(), b.clear();
    std::getline(wanted, a), std::getline(there, b);
  } while (a == b && (wanted || there));
  std::fprintf(stderr, "docs/ops.md is not current: run ninja docs\n  it has:     %s\n  it needs:   %s\n", b.c_str(),
               a.c_str());
  return 1;
}
