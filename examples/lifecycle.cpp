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
  std::string csv, label, save = "lifecycle.safetensors";
  int epochs = 200, batch = 32;
  std::uint64_t seed = 1;
  bool tune = true;
};

struct Mlp {
  nn::Linear in, hidden, out;

  Mlp(std::int64_t features, std::int64_t width, std::int64_t classes, Generator& g)
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

using Clock = std::chrono::steady_clock;
double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// From a file, or made up, to three parts in which every column has mean 0 and deviation 1.
Dataset load(const Options& options) {
  data::Table table;
  std::string label = options.label;
  if (options.csv.empty()) {
    const auto [x, y] = data::spirals(400, 3, 0.02, options.seed);
    data::Column a{"x"}, b{"y"}, arm{"arm"};
    for (std::int64_t i = 0; i < y.size(); ++i) {
      a.numbers.push_back(x.at({i, 0}));
      b.numbers.push_back(x.at({i, 1}));
      arm.numbers.push_back(y.at({i}));
    }
    table = data::Table({a, b, arm});
    label = "arm";
  } else {
    table = data::read_table(options.csv);
  }
  std::printf("loaded    %zu rows of %zu columns\n", table.rows(), table.columns().size());
  const std::size_t unlabelled = table.drop_missing(label), duplicates = table.drop_duplicates(),
                    filled = table.fill_missing();
  data::Labels labels = table.take_labels(label);
  table.encode();
  std::printf(
      "cleaned   %zu without a label and %zu duplicates dropped, %zu missing values filled; %zu features, %zu "
      "classes\n",
      unlabelled, duplicates, filled, table.columns().size(), labels.classes.size());

  const Tensor x = table.to_tensor();
  const data::Split rows = data::split(x.shape()[0], 0.15, 0.2, options.seed);
  const auto part = [&](const std::vector<std::int64_t>& r) {
    return Part{data::take_rows(x, r), data::take_rows(labels.y, r)};
  };
  Dataset d{part(rows.train), part(rows.validation), part(rows.test), std::move(labels.classes)};
  const auto scale = data::Scaler::fit(d.train.x);  // to the training part alone: the others must stay unseen
  for (Part* p : {&d.train, &d.validation, &d.test}) p->x = scale(p->x);
  std::printf("split     %lld to train, %lld to validate, %lld to test\n", static_cast<long long>(d.train.y.size()),
              static_cast<long long>(d.validation.y.size()), static_cast<long long>(d.test.y.size()));
  return d;
}

struct Result {
  double loss = INFINITY;
  nn::ConfusionMatrix matrix;
  CompileStats stats = {};
};

Result evaluate(const Mlp& model, const Part& part, const Dataset& d) {
  const nn::EvalScope scope;
  const Tensor logits = model(part.x);
  Result r{mean(nn::softmax_cross_entropy(part.y, logits)).item(), nn::ConfusionMatrix(std::ssize(d.classes))};
  r.matrix.update(part.y, logits);
  return r;
}

// One step as a plain function; compile() takes it as it is.
auto step_of(Mlp& model, nn::Optimizer& opt) {
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
  const data::Batches batches(
      {.size = std::min<std::int64_t>(options.batch, d.train.y.size()), .drop_last = true, .seed = options.seed},
      d.train.x, d.train.y);
  const auto schedule = nn::warm_up(batches.size(), nn::cosine(rate, epochs * batches.size()));
  data::Progress bar(epochs, name);
  Mlp best = model;
  Result result{INFINITY, nn::ConfusionMatrix(std::ssize(d.classes))};
  std::int64_t i = 0;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    nn::Mean loss;
    for (const auto& [x, y] : batches.epoch(epoch)) {
      opt.set_learning_rate(schedule(i++));
      loss.update(step(x, y).item());
      if (!std::isfinite(loss.result()))
        throw NumericsError("the loss is not finite at step " + std::to_string(i), "a lower learning rate?");
    }
    const Result now = evaluate(model, d.validation, d);
    if (now.loss < result.loss) best = model, result = now;
    bar.update(epoch + 1, {{"loss", loss.result()}, {"validation accuracy", now.matrix.accuracy()}});
  }
  model = best;
  result.stats = step.stats();
  return result;
}

// The mean time of a step, compiled or not.
template <class Step> double microseconds(Step&& step, const Part& batch) {
  for (int i = 0; i < 20; ++i) step(batch.x, batch.y);
  const auto start = Clock::now();
  constexpr int n = 200;
  for (int i = 0; i < n; ++i) step(batch.x, batch.y);
  return milliseconds_since(start) * 1e3 / n;
}

int run(const Options& options) {
  const Dataset d = load(options);
  const auto features = d.train.x.shape()[1], classes = static_cast<std::int64_t>(d.classes.size());

  // A small grid; the best by the loss of the validation part.
  struct Choice {
    std::int64_t width;
    double rate, loss;
  } best{64, 1e-2, INFINITY};
  CompileStats cold;
  for (const std::int64_t width : {16, 64}) {
    for (const double rate : {1e-3, 3e-3, 1e-2}) {
      if (!options.tune) continue;
      Generator g(options.seed);
      Mlp candidate(features, width, classes, g);
      const Result r = train(candidate, d, rate, std::max(1, options.epochs / 2), options, "tuning  ");
      std::printf("tuned     width %3lld, rate %-5g  validation loss %.4f, accuracy %.3f\n",
                  static_cast<long long>(width), rate, r.loss, r.matrix.accuracy());
      if (r.loss < best.loss) best = {width, rate, r.loss};
      if (cold.traces == 0) cold = r.stats;
    }
  }

  Generator g(options.seed);
  Mlp model(features, best.width, classes, g);
  std::printf("\n%s\n", nn::summary(model).c_str());
  const auto start = Clock::now();
  const Result trained = train(model, d, best.rate, options.epochs, options, "training");
  std::printf("trained   %d epochs in %.0f ms: validation loss %.4f, accuracy %.3f\n", options.epochs,
              milliseconds_since(start), trained.loss, trained.matrix.accuracy());
  if (cold.traces == 0) cold = trained.stats;

  Mlp other = model;  // its own variables: timing changes nothing that counts
  nn::AdamW opt(other);
  const Part batch{slice_axis(d.train.x, 0, 0, options.batch), slice_axis(d.train.y, 0, 0, options.batch)};
  const double eager = microseconds(step_of(other, opt), batch),
               compiled = microseconds(compile(step_of(other, opt)), batch);
  std::printf(
      "compiled  first tracing %.2f ms, planning %.2f ms, code %.1f ms; a step (%zu launches) takes %.1f us, eager "
      "%.1f us: %.1fx\n",
      cold.trace_ms, cold.plan_ms, cold.codegen_ms, trained.stats.launches, compiled, eager, eager / compiled);

  io::save(options.save, model);
  Generator fresh(options.seed + 1);
  Mlp loaded(features, best.width, classes, fresh);
  io::load(options.save, loaded);
  const bool same = model(d.test.x).to_vector<float>() == loaded(d.test.x).to_vector<float>();
  std::printf("saved     %s (%ju bytes); loaded into a fresh model, which predicts %s\n\n", options.save.c_str(),
              static_cast<std::uintmax_t>(std::filesystem::file_size(options.save)), same ? "the same" : "OTHERWISE");

  const Result test = evaluate(loaded, d.test, d);
  const nn::ConfusionMatrix& m = test.matrix;
  std::printf("test loss %.4f, precision %.3f, recall %.3f, F1 %.3f (means over the classes)\n%s", test.loss,
              m.precision(), m.recall(), m.f1(), m.text(d.classes).c_str());
  std::printf("test accuracy %.3f\n", m.accuracy());
  return same ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("The life of a model, from a table to predictions");
  app.add_option("--csv", options.csv, "a CSV file with a header; by default spirals are made");
  app.add_option("--label", options.label, "the column to predict")->needs("--csv");
  app.add_option("--epochs", options.epochs, "passes over the training part")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "rows of a step")->check(CLI::Range(1, 1 << 20))->capture_default_str();
  app.add_option("--seed", options.seed, "of the split, the weights and the order")->capture_default_str();
  app.add_option("--save", options.save, "where the model goes")->capture_default_str();
  app.add_flag("!--no-tune", options.tune, "no search for learning rate and width");
  app.get_option("--csv")->needs("--label");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
