// Checkpoints: a run cut and resumed has the bits of one that was not; a file that does not fit changes nothing.
#include <weft/weft.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "../folder.h"
#include "../support.h"
#include "catch.h"

using namespace weft;
using weft::test::Folder;
using weft::test::message_of;
namespace fs = std::filesystem;

namespace {

struct Mlp {
  nn::Linear fc1, fc2;
  nn::Dropout drop;
  Variable steps{zeros({}, i64), false};  // state that is not trained
  Mlp(std::int64_t width, random::Generator& g)
      : fc1(3, width, true, nn::init::he_uniform, f32, g),
        fc2(width, 2, true, nn::init::glorot_uniform, f32, g),
        drop(0.25, g) {}
  Tensor operator()(const Tensor& x) const { return fc2(drop(relu(fc1(x)))); }
  WEFT_MEMBERS(fc1, fc2, steps)
};

std::vector<std::vector<double>> bits(const Mlp& m) {
  std::vector<std::vector<double>> r;
  for (const auto& p : nn::parameters(m)) r.push_back(p.variable().value().to_vector<double>());
  return r;
}

// One run: model, optimizer, generator, and a compiled or plain step.
struct Job {
  random::Generator g;
  Mlp model;
  std::unique_ptr<nn::Optimizer> opt;
  io::Progress at;
  Job(std::uint64_t seed, bool adam) : g(seed), model(8, g) {
    if (adam)
      opt = std::make_unique<nn::AdamW>(model, nn::AdamWOptions{.learning_rate = 1e-2});
    else
      opt = std::make_unique<nn::SGD>(model, nn::SgdOptions{.learning_rate = 1e-2, .momentum = 0.9});
  }
  io::Run run() { return {model, opt.get(), at, &g}; }
  void train(std::int64_t until, bool compiled) {
    random::Generator data(77);
    const Tensor x = random::normal({40, 3}, 0, 1, f32, data), y = cast(random::bernoulli({40}, 0.5, data), i64);
    const auto plain = [&](const Tensor& bx, const Tensor& by) {
      GradientTape tape;
      const Tensor loss = mean(nn::softmax_cross_entropy(by, model(bx)));
      opt->apply(tape.gradient(loss, model));
      model.steps.assign_add(1);
      return loss;
    };
    auto fast = compile(plain);
    const auto schedule = nn::cosine(1e-2, 100);
    for (; at.step < until; ++at.step) {
      opt->set_learning_rate(schedule(at.step));
      compiled ? fast(x, y) : plain(x, y);
    }
  }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("a run cut at step k and resumed equals the uninterrupted one to the bit") {
  const Folder folder;
  for (const bool adam : {true, false}) {
    for (const bool compiled : {true, false}) {
      Job whole(1, adam);
      whole.train(30, compiled);
      for (const std::int64_t k : {1, 17}) {
        {
          Job first(1, adam);
          first.train(k, compiled);
          first.at.epoch = 3;
          first.at.notes["classes"] = "a,b";
          io::save_checkpoint(folder / "c", first.run());
        }
        Job second(2, adam);  // other weights, other masks: all come from the file
        second.at = io::load_checkpoint(folder / "c", second.run());
        CHECK(second.at.step == k);
        CHECK(second.at.epoch == 3);
        CHECK(second.at.notes.at("classes") == "a,b");
        second.train(30, compiled);
        CHECK(bits(second.model) == bits(whole.model));
        CHECK(second.g.state.value().to_vector<std::int64_t>() == whole.g.state.value().to_vector<std::int64_t>());
        CHECK(second.opt->step().value().item() == 30);
      }
    }
  }
}

TEST_CASE("a model is saved under its paths, and predicts the same when loaded") {
  const Folder folder;
  random::Generator g(1), h(2);
  const Mlp a(8, g), b(8, h);
  io::save(folder / "m", a);
  const auto file = io::read_safetensors(folder / "m");
  CHECK(file.tensors.size() == 5);
  CHECK(file.tensors.contains("fc1.weight"));
  CHECK(bits(a) != bits(b));
  const auto state = b.fc1.weight.state();
  const io::LoadReport report = io::load(folder / "m", b);
  CHECK(report.complete());
  CHECK(report.loaded == 5);
  CHECK(report.not_finite == 0);
  CHECK(bits(a) == bits(b));
  CHECK(b.fc1.weight.state() == state);
  CHECK(b.fc1.weight.name() == a.fc1.weight.name());
}

TEST_CASE("a model is loaded out of a checkpoint of its run") {
  const Folder folder;
  const fs::path file = folder / "run.safetensors";
  Job job(1, true);
  job.train(2, false);
  io::save_checkpoint(file, job.run());
  random::Generator g(9);
  const Mlp served(8, g), wide(9, g);
  const io::LoadReport report = io::load(file, served);
  CHECK((report.complete() && report.loaded == 5));
  CHECK(bits(served) == bits(job.model));
  CHECK_THROWS_AS(io::load(file, wide), FormatError);
}

TEST_CASE("a file is neither written nor read in a trace") {
  const Folder folder;
  random::Generator g(1);
  const Mlp a(8, g);
  io::save(folder / "m", a);
  CHECK_THROWS_AS(compile([&](const Tensor& x) { return io::save(folder / "n", a), x; })(ones({1})), GuardError);
  CHECK_THROWS_AS(compile([&](const Tensor& x) { return io::load(folder / "m", a), x; })(ones({1})), GuardError);
  CHECK(folder.files().size() == 1);
}

TEST_CASE("what compiled functions keep of weights is not kept of those before a load") {
  const Folder folder;
  random::Generator g(1), h(2);
  const nn::Linear a(6, 4, true, nn::init::he_uniform, f32, g), b(6, 4, true, nn::init::he_uniform, f32, h);
  io::save(folder / "m", a);
  const auto predict = [](const nn::Linear& layer, const Tensor& x) {
    const nn::PrecisionScope mixed(DType::bf16);
    return cast(layer(x), f32);
  };
  auto fast = compile([&](const Tensor& x) { return predict(b, x); });
  const Tensor x = random::normal({5, 6}, 0, 1, f32, g);
  CHECK(fast(x).to_vector<float>() == predict(b, x).to_vector<float>());
  io::load(folder / "m", b);
  CHECK(fast(x).to_vector<float>() == predict(a, x).to_vector<float>());
  CHECK(fast.stats().kept_values == 2);
  CHECK(fast.stats().kept_made == 4);
}

TEST_CASE("everything that does not fit is listed at once, and nothing is loaded") {
  const Folder folder;
  random::Generator g(1), h(2);
  struct Other {
    nn::Linear fc1{3, 9}, fc3{2, 2};
    Variable steps{zeros({}, f32), false};
    WEFT_MEMBERS(fc1, fc3, steps)
  };
  io::save(folder / "o", Other());
  const Mlp model(8, g);
  const auto before = bits(model);
  const std::string text = message_of<FormatError>([&] { io::load(folder / "o", model); });
  CHECK(contains(text, "does not fit the model"));
  CHECK(contains(text, "missing    fc2.bias\n"));
  CHECK(contains(text, "missing    fc2.weight\n"));
  CHECK(contains(text, "unexpected fc3.bias\n"));
  CHECK(contains(text, "mismatched fc1.weight: f32[3, 8] here, f32[3, 9] in the file\n"));
  CHECK(contains(text, "mismatched steps: i64[] here, f32[] in the file"));
  CHECK(contains(text, "nothing was loaded"));
  CHECK(bits(model) == before);

  const io::LoadReport report = io::load(folder / "o", model, false);
  CHECK(report.missing.size() == 2);
  CHECK(report.unexpected.size() == 2);
  CHECK(report.mismatched.size() == 3);
  CHECK(report.loaded == 0);
  CHECK(bits(model) == before);
}

TEST_CASE("NaN weights are loaded, and counted") {
  const Folder folder;
  random::Generator g(1);
  Mlp model(8, g);
  model.fc2.bias->assign(tensor({NAN, INFINITY}));
  io::save(folder / "m", model);
  CHECK(io::load(folder / "m", Mlp(8, g)).not_finite == 2);
}

TEST_CASE("a checkpoint cut at any byte, or changed in any, is refused and changes nothing") {
  const Folder folder;
  Job job(1, true);
  job.train(3, false);
  io::save_checkpoint(folder / "c", job.run());
  const std::string whole = contents(folder / "c");
  Job other(2, true);
  const auto before = bits(other.model);
  const auto attempt = [&](const std::string& bytes) {
    std::ofstream(folder / "d", std::ios::binary | std::ios::trunc) << bytes;
    const std::string text = message_of<FormatError>([&] { io::load_checkpoint(folder / "d", other.run()); });
    CHECK(text != "nothing thrown");
    return text;
  };
  for (std::size_t n = 0; n < whole.size(); ++n) attempt(whole.substr(0, n));
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    if (changed[i] != whole[i]) attempt(changed);
  }
  CHECK(bits(other.model) == before);
  CHECK(other.opt->step().value().item() == 0);
  std::string last = whole;
  last.back() = static_cast<char>(last.back() ^ 1);
  CHECK(contains(attempt(last), "the checksum differs"));
  io::save(folder / "m", job.model);
  CHECK(contains(message_of<FormatError>([&] { io::load_checkpoint(folder / "m", other.run()); }), "no checkpoint"));
}

TEST_CASE("a checkpoint of another optimizer or without a generator says what is missing") {
  const Folder folder;
  Job sgd(1, false), adam(1, true);
  io::save_checkpoint(folder / "c", sgd.run());
  const std::string text = message_of<FormatError>([&] { io::load_checkpoint(folder / "c", adam.run()); });
  CHECK(contains(text, "missing    optimizer.m.fc1.weight"));
  CHECK(contains(text, "unexpected optimizer.v.fc1.weight") == false);  // both have a slot v
  io::save_checkpoint(folder / "n", io::Run(sgd.model, sgd.opt.get(), {}, nullptr));
  CHECK(
      contains(message_of<FormatError>([&] { io::load_checkpoint(folder / "n", sgd.run()); }), "missing    generator"));
}

TEST_CASE("a checkpoint takes in what else changes: a loss scale") {
  const Folder folder;
  Job job(1, true), other(2, true);
  const nn::LossScale scale({.initial = 512}), fresh;
  const auto with = [](Job& j, const nn::LossScale& s) {
    io::Run run = j.run();
    run.extra = s.state();
    return run;
  };
  io::save_checkpoint(folder / "c", with(job, scale));
  io::load_checkpoint(folder / "c", with(other, fresh));
  CHECK(fresh.scale().item() == 512);
  CHECK(contains(message_of<FormatError>([&] { io::load_checkpoint(folder / "c", other.run()); }),
                 "unexpected extra.loss_scale"));
}
