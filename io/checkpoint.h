// Checkpoints: a model, or all that a run needs to go on, in one safetensors file.
//
//     io::save("mlp.safetensors", model);                    // weights alone, under their paths: Python reads them
//     io::load("mlp.safetensors", other);
//
//     io::save_checkpoint("run.safetensors", {model, &opt, {.step = step, .epoch = epoch}});
//     io::Progress at = io::load_checkpoint("run.safetensors", {model, &opt});
//
// A run that goes on from its checkpoint has the bits of one that was never cut. Files are replaced at once or not at
// all, and keep their mode; loading checks everything first and then assigns: a file that does not fit changes nothing.
// Other threads' steps are before or after a save or a load. GuardError in a trace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "../nn/optimizer.h"
#include "../nn/parameters.h"
#include "../ops/random.h"
#include "../tensor/site.h"

namespace weft::io {

/// How a file and a model went together.
struct LoadReport {
  std::vector<std::string> missing;     ///< variables that the file lacks
  std::vector<std::string> unexpected;  ///< tensors that the model lacks
  std::vector<std::string> mismatched;  ///< "fc1.weight: f32[2, 10] here, f32[2, 20] in the file"
  std::int64_t loaded = 0;              ///< variables that were assigned
  std::int64_t not_finite = 0;          ///< NaN and Inf among what was assigned: allowed, and counted

  bool complete() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }
  /// All of it, a line each.
  std::string text() const;
};

/// Where a run is. Kept in the file's metadata.
struct Progress {
  std::int64_t step = 0, epoch = 0;
  std::map<std::string, std::string> notes = {};  ///< anything else: names of classes, a scaler's numbers
};

/// What a checkpoint takes in.
struct Run {
  nn::Parameters model;
  nn::Optimizer* optimizer = nullptr;
  Progress progress = {};
  random::Generator* generator = &random::default_generator();  ///< null: none
  nn::Parameters extra = {};                                    ///< what else changes: a LossScale's state()

  template <class M>
  requires(!std::is_same_v<M, nn::Parameters>)
      Run(const M& m, nn::Optimizer* opt = nullptr, Progress at = {},
          random::Generator* g = &random::default_generator(), nn::Parameters more = {})
      : model(nn::parameters(m)), optimizer(opt), progress(std::move(at)), generator(g), extra(std::move(more)) {}
};

namespace detail {
void save(const std::filesystem::path& path, const nn::Parameters& parameters);
LoadReport load(const std::filesystem::path& path, const nn::Parameters& parameters, bool strict);
}  // namespace detail

/// Saves a model's variables under their paths. FormatError if the file can't be written, ArgumentError if two have one
/// path.
template <class M> void save(const std::filesystem::path& path, const M& model, Site site = Site::current()) {
  weft::detail::called("save", site, [&] { detail::save(path, nn::parameters(model)); });
}

/// Assigns a model's variables from a file, of a checkpoint from the part that is the model's. If anything is missing,
/// unexpected or of another type or shape, strict loading throws a FormatError that lists all of it and changes
/// nothing; otherwise what fits is assigned and the rest reported.
template <class M>
LoadReport load(const std::filesystem::path& path, const M& model, bool strict = true, Site site = Site::current()) {
  return weft::detail::called("load", site, [&] { return detail::load(path, nn::parameters(model), strict); });
}

/// Saves model, optimizer (step, rates, slots), generator, progress and what is extra.
void save_checkpoint(const std::filesystem::path& path, const Run& run, Site site = Site::current());
/// Loads what save_checkpoint saved into the same parts, strictly, and gives the progress. FormatError.
Progress load_checkpoint(const std::filesystem::path& path, const Run& run, Site site = Site::current());

}  // namespace weft::io
