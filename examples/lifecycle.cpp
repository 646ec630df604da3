// The life of a model: load, clean, encode, split, normalise, tune, train, evaluate, save, load, predict.
//
//     lifecycle                                              spirals that it makes itself
//     lifecycle --csv penguins.csv --label species           a table of yours
#include <weft/weft.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>

using namespace weft;

namespace {

struct Options {
  std::string csv, label = "arm", save = std::filesystem::temp_directory_path() / "lifecycle.safetensors";
  int epochs = 200, batch = 32;
  std::uint64_t seed = 1;
};

struct Mlp {
  nn::Linear in, hidden, out;

  Mlp(std::int64_t features, std::int64_t width, std::int64_t classes, random::Generator g)
      : in(features, width, true, nn::init::he_uniform, f32, g),
        hidden(width, width, true, nn::init::he_uniform, f32, g),
        out(width, classes, true, nn::init::glorot_uniform, f32, g) {}
  Tensor operator()(const Tensor& x) const { return out(relu(hidden(relu(in(x))))); }
  WEFT_MEMBERS(in, hidden, out)
};

struct Part {
  Tensor x, y;
};
struct Dataset {
  Part train, validation, test;
  std::vector<std::string> classes;
};
struct Result {
  double loss;
  nn::ConfusionMatrix matrix;
  CompileStats stats = {};
};

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// From a file, or made up, to three parts in which every column has mean 0 and deviation 1.
Dataset load(const Options& options) {
  data::Table table =
      options.csv.empty() ? data::spirals(400, 3, 0.02, options.seed).table() : data::read_table(options.csv);
  std::printf("loaded    %zu rows of %zu columns\n", table.rows(), table.columns().size());
  const auto unlabelled = table.drop_missing(options.label), duplicates = table.drop_duplicates();
  data::Labels labels = table.take_labels(options.label);
  const auto filled = table.fill_missing();
  table.encode();
  const Tensor x = table.to_tensor();
  const data::Split rows = data::split(x.shape()[0], 0.15, 0.2, options.seed);
  std::printf("cleaned   %zu unlabelled rows and %zu duplicates dropped, %zu missing values filled\n", unlabelled,
              duplicates, filled);
  std::printf("split     %zu rows to train, %zu to validate, %zu to test; %zu features, %zu classes\n",
              rows.train.size(), rows.validation.size(), rows.test.size(), table.columns().size(),
              labels.classes.size());

  const auto part = [&](const std::vector<std::int64_t>& r) {
    return Part{data::take_rows(x, r), data::take_rows(labels.y, r)};
  };
  Dataset d{part(rows.train), part(rows.validation), part(rows.test), labels.classes};
  const auto scale = data::Scaler::fit(d.train.x);  // to the training part alone: the others must stay unseen
  for (Part* p : {&d.train, &d.validation, &d.test}) p->x = scale(p->x);
  return d;
}

Result evaluate(const Mlp& model, const Part& part, const Dataset& d) {
  const nn::EvalScope scope;
  const Tensor logits = model(part.x);
  Result r{mean(nn::softmax_cross_entropy(part.y, logits)).item(), nn::ConfusionMatrix(std::ssize(d.classes))};
  r.matrix.update(part.y, logits);
  return r;
}

// One step as a plain function; compile() takes it as it is.
auto step_of(const Mlp& model, nn::Optimizer& opt) {
  return [&](const Tensor& x, const Tensor& y) {
    GradientTape tape;
    const Tensor loss = mean(nn::softmax_cross_entropy(y, model(x)));
    Gradients gradients = tape.gradient(loss, model);
    nn::clip_by_global_norm(gradients, 5);
    opt.apply(gradients);
    return loss;
  };
}

// Trains, and leaves the model as it was after the epoch that did best on the validation part. Returns that result.
Result train(Mlp& model, const Dataset& d, double rate, int epochs, const Options& options, const char* name) {
  nn::AdamW opt(model, {.learning_rate = rate, .weight_decay = 1e-3});
  auto step = compile(step_of(model, opt));
  const data::Batches batches({.size = std::min<std::int64_t>(options.batch, d.train.y.size()), .seed = options.seed},
                              d.train.x, d.train.y);
  const auto schedule = nn::warm_up(batches.size(), nn::cosine(rate, epochs * batches.size()));
  data::Progress bar(epochs, name);
  Mlp best = model;
  Result result{INFINITY, nn::ConfusionMatrix(std::ssize(d.classes))};
  std::int64_t i = 0;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& [x, y] : batches.epoch(epoch)) {
      opt.set_learning_rate(schedule(i++));
      const double loss = step(x, y).item();
      if (!std::isfinite(loss)) throw NumericsError("the loss is not finite at step " + std::to_string(i));
    }
    const Result now = evaluate(model, d.validation, d);
    if (now.loss < result.loss) best = model, result = now;
    bar.update(epoch + 1, {{"validation loss", now.loss}, {"accuracy", now.matrix.accuracy()}});
  }
  model = best;
  result.stats = step.stats();
  return result;
}

// The mean time of a step in microseconds.
template <class Step> double time_of(Step step, const Part& batch) {
  for (int i = 0; i < 20; ++i) step(batch.x, batch.y);
  const double start = seconds();
  for (int i = 0; i < 200; ++i) step(batch.x, batch.y);
  return (seconds() - start) * 1e6 / 200;
}

void run(const Options& options) {
  const Dataset d = load(options);
  const auto features = d.train.x.shape()[1], classes = std::ssize(d.classes);

  // A small grid; the best by the loss of the validation part.
  std::int64_t width = 0;
  double rate = 0, best = INFINITY;
  CompileStats cold;
  for (const std::int64_t w : {16, 64})
    for (const double r : {1e-3, 3e-3, 1e-2}) {
      Mlp candidate(features, w, classes, random::Generator(options.seed));
      const Result result = train(candidate, d, r, (options.epochs + 1) / 2, options, "tuning  ");
      std::printf("tuned     width %2d, rate %-5g  validation loss %.4f, accuracy %.3f\n", static_cast<int>(w), r,
                  result.loss, result.matrix.accuracy());
      if (result.loss < best) best = result.loss, width = w, rate = r;
      if (cold.traces == 0) cold = result.stats;
    }

  Mlp model(features, width, classes, random::Generator(options.seed));
  std::printf("\n%s\n", nn::summary(model).c_str());
  const double start = seconds();
  const Result trained = train(model, d, rate, options.epochs, options, "training");
  std::printf("trained   %d epochs in %.2f s: validation loss %.4f, accuracy %.3f\n", options.epochs, seconds() - start,
              trained.loss, trained.matrix.accuracy());

  Mlp other = model;  // variables of its own: timing changes nothing that counts
  nn::AdamW opt(other);
  const Part batch{slice_axis(d.train.x, 0, 0, options.batch), slice_axis(d.train.y, 0, 0, options.batch)};
  const double eager = time_of(step_of(other, opt), batch), compiled = time_of(compile(step_of(other, opt)), batch);
  std::printf("compiled  tracing %.1f ms, planning %.1f ms, code %.1f ms; a step takes %.1f us, eager %.1f us: %.1fx\n",
              cold.trace_ms, cold.plan_ms, cold.codegen_ms, compiled, eager, eager / compiled);

  io::save(options.save, model);
  Mlp loaded(features, width, classes, random::Generator(options.seed + 1));
  io::load(options.save, loaded);
  if (model(d.test.x).to_vector<float>() != loaded(d.test.x).to_vector<float>())
    throw NumericsError("the loaded model predicts otherwise than the saved one");
  std::printf("saved     %s, %d bytes; loaded into a fresh model, which predicts the same\n\n", options.save.c_str(),
              static_cast<int>(std::filesystem::file_size(options.save)));

  const Result test = evaluate(loaded, d.test, d);
  std::printf("test loss %.4f; means over the classes: precision %.3f, recall %.3f, F1 %.3f\n%s", test.loss,
              test.matrix.precision(), test.matrix.recall(), test.matrix.f1(), test.matrix.text(d.classes).c_str());
  std::printf("test accuracy %.3f\n", test.matrix.accuracy());
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("The life of a model, from a table to predictions");
  auto* csv = app.add_option("--csv", options.csv, "a CSV file with a header; by default spirals are made");
  auto* label = app.add_option("--label", options.label, "the column to predict");
  csv->needs(label), label->needs(csv);
  app.add_option("--epochs", options.epochs, "passes over the training part")->check(CLI::Range(1, 1'000'000));
  app.add_option("--batch", options.batch, "rows of a step")->check(CLI::Range(1, 1 << 20));
  app.add_option("--seed", options.seed, "of the split, the weights and the order of the rows");
  app.add_option("--save", options.save, "where the model goes");
  CLI11_PARSE(app, argc, argv);
  run(options);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
