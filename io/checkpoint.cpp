#include "checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "../ops/arg.h"
#include "../ops/trace.h"
#include "file.h"
#include "safetensors.h"

namespace weft::io {
namespace {

constexpr const char* kind_key = "weft.format";
constexpr const char* sum_key = "weft.checksum";
constexpr const char* kind = "checkpoint 1";
constexpr std::string_view note_prefix = "note.", model_prefix = "model.";

using Targets = std::map<std::string, std::shared_ptr<VariableState>>;

void add(Targets& targets, std::string_view prefix, const nn::Parameters& list) {
  for (const nn::Parameter& p : list)
    if (const std::string name = std::string(prefix) + p.path(); !targets.emplace(name, p.state()).second)
      throw ArgumentError(fmt::format("two variables are called \"{}\"", shortened(name)),
                          "give loose variables names");
}

// A trace is of ops, and files are none: it would read the file, or write the values from before the step, once.
void check_not_traced() {
  if (active_tracer())
    throw GuardError("a file is read or written while a function is traced", "save and load between its calls");
}

std::map<std::string, Tensor> values(const Targets& targets) {
  check_not_traced();
  const auto lock = lock_variables();  // all of one step
  std::map<std::string, Tensor> r;
  for (const auto& [name, state] : targets) r.emplace(name, state->value);
  return r;
}

Targets targets_of(const Run& run) {
  Targets t;
  add(t, model_prefix, run.model);
  if (run.optimizer) add(t, "optimizer.", run.optimizer->state());
  if (run.generator) t.emplace("generator", run.generator->state.state());
  add(t, "extra.", run.extra);
  return t;
}

// 64 bits over names, types and elements. Each word's step is a bijection of the sum, so no single changed word
// escapes.
class Checksum {
 public:
  void add(const void* data, std::size_t n) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (; n >= 8; p += 8, n -= 8) {
      std::uint64_t w;
      std::memcpy(&w, p, 8);
      word(w);
    }
    std::uint64_t last = n;
    for (std::size_t i = 0; i < n; ++i) last = last << 8 | p[i];
    word(last);
  }
  std::string text() const { return fmt::format("{:016x}", sum_); }

 private:
  void word(std::uint64_t w) {
    sum_ = (sum_ ^ w) * 0x9E3779B97F4A7C15u;
    sum_ ^= sum_ >> 32;
  }
  std::uint64_t sum_ = 0x5765667400000001u;
};

std::string checksum(const std::map<std::string, Tensor>& tensors, const std::map<std::string, std::string>& metadata) {
  Checksum sum;
  for (const auto& [key, value] : metadata) {
    if (key == sum_key) continue;
    sum.add(key.data(), key.size());
    sum.add(value.data(), value.size());
  }
  for (const auto& [name, t] : tensors) {
    const std::string type = t.type().text();
    sum.add(name.data(), name.size());
    sum.add(type.data(), type.size());
    Storage copy;
    sum.add(weft::detail::in_order(t.view(), copy), static_cast<std::size_t>(t.type().bytes()));
  }
  return sum.text();
}

std::int64_t count_not_finite(const Tensor& t) {
  if (!is_floating(t.dtype())) return 0;
  std::int64_t n = 0;
  visit_dtype(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_integral_v<T>)
      for (const T v : t.span<T>()) n += !std::isfinite(static_cast<double>(v));
  });
  return n;
}

LoadReport assign(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                  const Targets& targets, bool strict) {
  LoadReport report;
  for (const auto& [name, state] : targets) {
    const auto at = tensors.find(name);
    if (at == tensors.end())
      report.missing.push_back(shortened(name));
    else if (at->second.type() != state->value.type())
      report.mismatched.push_back(fmt::format("{}: {} here, {} in the file", shortened(name),
                                              state->value.type().text(), at->second.type().text()));
  }
  for (const auto& [name, t] : tensors)
    if (!targets.contains(name)) report.unexpected.push_back(shortened(name));
  if (strict && !report.complete())
    throw FormatError(fmt::format("{}: the file does not fit the model\n{}", detail::shown(path), report.text()),
                      "nothing was loaded");
  const auto lock = lock_variables();          // what is loaded is loaded in one step
  for (const auto& [name, state] : targets) {  // from here on nothing can fail
    const auto at = tensors.find(name);
    if (at == tensors.end() || at->second.type() != state->value.type()) continue;
    report.not_finite += count_not_finite(at->second);
    Variable::handle(state).assign(at->second);
    ++report.loaded;
  }
  return report;
}

std::int64_t integer(const std::filesystem::path& path, const std::map<std::string, std::string>& metadata,
                     const char* key) {
  const auto at = metadata.find(key);
  std::int64_t value = 0;
  if (at != metadata.end()) {
    const std::string& s = at->second;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error == std::errc() && end == s.data() + s.size()) return value;
  }
  throw FormatError(fmt::format("{}: the metadata \"{}\" is no integer", detail::shown(path), key));
}

// What a file holds of a model: of a checkpoint a part.
std::map<std::string, Tensor> model_in(const SafeTensors& file) {
  if (!file.metadata.contains(kind_key)) return file.tensors;
  std::map<std::string, Tensor> model;
  for (const auto& [name, t] : file.tensors)
    if (name.starts_with(model_prefix)) model.emplace(name.substr(model_prefix.size()), t);
  return model;
}

// Where the run is that a checkpoint is of; FormatError if the file is none, or damaged.
Progress progress_in(const std::filesystem::path& path, const SafeTensors& file) {
  const auto fail = [&](std::string_view what) { throw FormatError(fmt::format("{}: {}", detail::shown(path), what)); };
  const auto found = file.metadata.find(kind_key);
  if (found == file.metadata.end()) fail("no checkpoint: its metadata has no weft.format");
  if (found->second != kind)
    fail(fmt::format("a checkpoint of the format \"{}\", not \"{}\"", shortened(found->second, 40), kind));
  const auto sum = file.metadata.find(sum_key);
  if (sum == file.metadata.end() || sum->second != checksum(file.tensors, file.metadata))
    fail("the checksum differs: the file was damaged or changed");
  Progress progress{integer(path, file.metadata, "step"), integer(path, file.metadata, "epoch"), {}};
  for (const auto& [key, value] : file.metadata)
    if (key.starts_with(note_prefix)) progress.notes[key.substr(note_prefix.size())] = value;
  return progress;
}

}  // namespace

std::string LoadReport::text() const {
  std::string s;
  const auto add = [&](const char* what, const std::vector<std::string>& list) {
    constexpr std::size_t most = 20;
    for (std::size_t i = 0; i < std::min(list.size(), most); ++i) s += fmt::format("  {:<11}{}\n", what, list[i]);
    if (list.size() > most) s += fmt::format("  ... and {} more {}\n", list.size() - most, what);
  };
  add("missing", missing);
  add("unexpected", unexpected);
  add("mismatched", mismatched);
  if (!s.empty()) s.pop_back();
  return s;
}

void detail::save(const std::filesystem::path& path, const nn::Parameters& parameters) {
  Targets t;
  add(t, "", parameters);
  write_safetensors(path, values(t), {{"format", "pt"}});  // what Python's loaders want to see; they check no more
}

LoadReport detail::load(const std::filesystem::path& path, const nn::Parameters& parameters, bool strict) {
  check_not_traced();
  Targets t;
  add(t, "", parameters);
  return assign(path, model_in(read_safetensors(path)), t, strict);
}

void save_checkpoint(const std::filesystem::path& path, const Run& run, Site site) {
  weft::detail::called("save_checkpoint", site, [&] {
    const auto tensors = values(targets_of(run));
    std::map<std::string, std::string> metadata = {
        {kind_key, kind}, {"step", std::to_string(run.progress.step)}, {"epoch", std::to_string(run.progress.epoch)}};
    for (const auto& [key, value] : run.progress.notes) metadata[std::string(note_prefix) + key] = value;
    metadata[sum_key] = checksum(tensors, metadata);
    detail::write_safetensors(path, tensors, metadata);
  });
}

Progress load_checkpoint(const std::filesystem::path& path, const Run& run, Site site) {
  return weft::detail::called("load_checkpoint", site, [&] {
    check_not_traced();
    const SafeTensors file = detail::read_safetensors(path);
    Progress progress = progress_in(path, file);
    assign(path, file.tensors, targets_of(run), true);
    return progress;
  });
}

}  // namespace weft::io
