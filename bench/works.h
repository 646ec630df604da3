// The workloads of bench/peers/WORKLOADS.md as a user of Weft writes them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/weft.h>

namespace bench {

enum class Mode { eager, compile };
const char* name_of(Mode mode);

/// A workload made ready: model, data, and a step to time.
struct Step {
  std::function<void()> run;                           ///< one timed step
  std::function<std::vector<weft::Tensor>()> results;  ///< of the last step, the value first
  std::function<weft::CompileStats()> stats;           ///< these two are empty if nothing is compiled
  std::function<std::string(std::string_view)> dump;
};

/// A workload, and what counts of a step are known by arithmetic.
struct Work {
  std::string name;
  Step (*make)(Mode mode);
  double check;                   ///< of the fifth step, from checks.jsonl
  int per_step = 1;               ///< ops that a step repeats: times are given for one
  double items = 1;               ///< samples, elements or ops, of one
  double flops = 0;               ///< of the matrix products alone
  double bytes = 0;               ///< that have to be read and written
  double tolerance = 1e-3;        ///< relative, of the check: agree.py's
  weft::DType dtype = weft::f32;  ///< in which layers compute
  int threads = 0;                ///< of WORKLOADS.md, where that names one; 0: any number
};

/// All of them, in the order of WORKLOADS.md.
const std::vector<Work>& works();
/// Those with these ids; "W8" means W8-20 and W8-24 too, none at all means all. ArgumentError for an unknown one.
std::vector<Work> works(const std::vector<std::string>& ids);

/// True if a check agrees with the contenders'.
bool agrees(const Work& work, double check);
/// What to say if it does not.
std::string wrong_check(const Work& work, double check);

Step seed_mlp(Mode mode);
Step mnist_mlp(Mode mode);
Step big_mlp(Mode mode);
Step mnist_cnn(Mode mode);
Step lstm(Mode mode);
Step char_gpt(Mode mode);
Step small_gpt(Mode mode);
Step gpt2(Mode mode);
Step mixed_gpt2(Mode mode);
Step chain_20(Mode mode);
Step chain_24(Mode mode);
Step chain_gradients(Mode mode);
Step softmax_rows(Mode mode);
Step softmax_gradient(Mode mode);
Step layer_norm_rows(Mode mode);
Step layer_norm_gradient(Mode mode);
Step add_of_ten(Mode mode);
Step small_matmul(Mode mode);
Step gradient_of_ten(Mode mode);
Step mlp_of_one(Mode mode);
Step mlp_of_256(Mode mode);
Step cnn_of_one(Mode mode);
Step resnet_20(Mode mode);
Step attention(Mode mode);
Step attention_gradient(Mode mode);
Step tanh_jacobian(Mode mode);
Step tanh_hvp(Mode mode);

}  // namespace bench
