// Profiles of small programs whose ops are known: counted to the last, and times that add up.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include <weft/data/spirals.h>
#include <weft/data/table.h>
#include <weft/tensor/storage.h>
#include <weft/weft.h>

#include "catch.h"

using namespace weft;

namespace {

std::map<std::string, ProfileRow> by(const Profiler& p, ProfileBy what) {
  std::map<std::string, ProfileRow> rows;
  for (const ProfileRow& r : p.rows(what)) rows[r.name] = r;
  return rows;
}
std::map<std::string, ProfileRow> by_op(const Profiler& p) { return by(p, ProfileBy::op); }

double self_sum(const Profiler& p, ProfileBy what) {
  double sum = 0;
  for (const ProfileRow& r : p.rows(what)) sum += r.self_seconds;
  return sum;
}

std::string here(int line) { return std::string(Site::current().file_name()) + ":" + std::to_string(line); }

nlohmann::json trace_of(const Profiler& p) {
  const auto path = std::filesystem::temp_directory_path() / ("weft-trace-" + std::to_string(getpid()) + ".json");
  p.write_trace(path.string());
  std::ifstream in(path);
  nlohmann::json trace = nlohmann::json::parse(in);
  std::filesystem::remove(path);
  return trace;
}

struct Net {
  nn::Linear fc1{8, 16}, fc2{16, 4};
  WEFT_MEMBERS(fc1, fc2)
  Tensor operator()(const Tensor& x) const {
    const ProfileScope scope("net");
    return fc2(relu(fc1(x)));
  }
};

}  // namespace

TEST_CASE("a profile counts eager ops, their work and their lines") {
  const Tensor a = random::normal({30, 20}), b = random::normal({20, 10}), bias = random::normal({10});
  Profiler p;
  const int line = __LINE__ + 1;
  for (int i = 0; i < 7; ++i) exp(matmul(a, b) + bias);
  p.stop();
  const auto rows = by_op(p);
  CHECK(rows.at("matmul").calls == 7);
  CHECK(rows.at("matmul").flops == 7 * 2 * 30 * 20 * 10);
  CHECK(rows.at("matmul").bytes == 7 * 4 * (30 * 20 + 20 * 10 + 30 * 10));
  CHECK(rows.at("add").calls == 7);
  CHECK(rows.at("add").flops == 7 * 300);
  CHECK(rows.at("add").bytes == 7 * 4 * (300 + 10 + 300));  // a broadcast operand is as large as it is in memory
  CHECK(rows.at("exp").calls == 7);
  CHECK(rows.at("broadcast_to").bytes == 0);
  const auto lines = by(p, ProfileBy::line);
  CHECK(lines.at(here(line)).calls == 7 * 4);
  CHECK(lines.at(here(line)).flops == rows.at("matmul").flops + rows.at("add").flops + rows.at("exp").flops);
}

TEST_CASE("a profile of eager loops, whose ops have as many results as they are given") {
  const nn::LSTM lstm(6, 4);
  Profiler p;
  lstm(random::normal({2, 5, 6}));
  using Carry = std::vector<Tensor>;
  while_loop([](const Carry& c) { return c[0] < 3; },
             [](const Carry& c) {
               return Carry{c[0] + 1, c[1] + c[2], c[2] * 2};
             },
             Carry{full({}, 0), ones({3}), ones({3})});
  p.stop();
  const auto rows = by_op(p);
  CHECK(rows.at("scan").calls == 1);
  CHECK(rows.at("while_loop").calls == 1);
}

TEST_CASE("self times add up to the profile's time, by op, module and line") {
  Net net;
  nn::SGD opt(net);
  const auto plain = [&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = mean(square(net(x)));
    opt.apply(tape.gradient(loss, net));
    return loss;
  };
  auto step = compile(plain);
  const Tensor x = random::normal({32, 8});
  Profiler p;
  for (int i = 0; i < 5; ++i) plain(x), step(x);
  p.stop();
  CHECK(p.seconds() > 0);
  for (const ProfileBy what : {ProfileBy::op, ProfileBy::module, ProfileBy::line}) {
    CHECK(std::abs(self_sum(p, what) - p.seconds()) <= 1e-9 * p.seconds());
    for (const ProfileRow& r : p.rows(what)) {
      INFO(r.name);
      CHECK(r.self_seconds >= -1e-12);
      if (what != ProfileBy::op) continue;
      CHECK(r.total_seconds <= p.seconds() * (1 + 1e-9));
    }
  }
}

TEST_CASE("a gradient's ops are told from the forward ones") {
  const Tensor x = random::normal({5, 6});
  Variable w = random::normal({6, 3});
  Profiler p;
  for (int i = 0; i < 3; ++i) {
    GradientTape tape;
    tape.watch(x);
    const Tensor loss = sum(square(matmul(x, w)));
    tape.gradient(loss, x, w);
  }
  p.stop();
  const auto rows = by_op(p);
  CHECK(rows.at("matmul").calls == 3);
  CHECK(rows.at("matmul").flops == 3 * 2 * 5 * 6 * 3);
  CHECK(rows.at("matmul (gradient)").calls == 3);
  CHECK(rows.at("matmul (gradient)").flops == 2 * rows.at("matmul").flops);
  CHECK(rows.at("square (gradient)").calls == 3);
  CHECK(rows.at("sum (gradient)").calls == 3);
  CHECK(rows.at("tape replay").calls == 3);
  CHECK(rows.at("tape replay").total_seconds >= rows.at("matmul (gradient)").total_seconds);
}

TEST_CASE("a compiled step is its kernels, its library calls and, once, its compilation") {
  Variable w = random::normal({64, 64});
  auto step = compile([&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = sum(exp(matmul(x, w)));
    w.assign_sub(0.001 * tape.gradient(loss, w));
    return loss;
  });
  const Tensor x = random::normal({64, 64}) * 0.01;
  Profiler p;
  for (int i = 0; i < 4; ++i) step(x);
  p.stop();
  const auto rows = by_op(p);
  const CompileStats stats = step.stats();
  CHECK(rows.at("compile").calls == 1);
  CHECK(rows.at("trace").calls == 1);
  CHECK(rows.at("plan").calls == 1);
  CHECK(rows.at("matmul").calls == 4);
  CHECK(rows.at("matmul").flops == 4 * 2. * 64 * 64 * 64);
  CHECK(rows.at("matmul (gradient)").calls == 4);
  CHECK(rows.at("matmul (gradient)").flops == 4 * 2. * 64 * 64 * 64);
  std::int64_t kernels = 0, calls = 0;
  double work = 0;
  for (const auto& [name, r] : rows) {
    if (name.starts_with("kernel: ")) kernels += r.calls, work += r.flops;
    if (name.starts_with("compiled call, ")) calls += r.calls;
  }
  CHECK(calls == 4);
  CHECK(kernels == 4 * static_cast<std::int64_t>(stats.launches));
  CHECK(work > 0);

  // Its ops did not run eagerly, and the next profile holds no compilation.
  CHECK(!rows.contains("sum"));
  Profiler again;
  step(x);
  again.stop();
  CHECK(!by_op(again).contains("compile"));
}

TEST_CASE("compiled calls are told apart by the lines where they were compiled") {
  Net net;  // whose ops come first in both
  auto eval = compile([&](const Tensor& x) { return net(x); });
  const int line = __LINE__ + 1;
  auto train = compile([&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = mean(square(net(x)));
    net.fc1.weight.assign_sub(0.01 * tape.gradient(loss, net.fc1.weight));
    return loss;
  });
  const Tensor x = random::normal({32, 8});
  Profiler p;
  for (int i = 0; i < 3; ++i) train(x), eval(x), eval(x);
  p.stop();
  const auto rows = by_op(p);
  CHECK(rows.at("compiled call, " + here(line)).calls == 3);
  CHECK(rows.at("compiled call, " + here(line - 2)).calls == 6);
}

TEST_CASE("modules have their own time and that of those inside, eager and compiled") {
  Net net;
  nn::SGD opt(net);  // names the parameters by their paths
  const auto plain = [&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = mean(square(net(x)));
    opt.apply(tape.gradient(loss, net));
    return loss;
  };
  const Tensor x = random::normal({32, 8});
  auto step = compile(plain);
  step(x);
  for (const bool compiled : {false, true}) {
    INFO(compiled);
    Profiler p;
    for (int i = 0; i < 3; ++i) compiled ? step(x) : plain(x);
    p.stop();
    const auto rows = by(p, ProfileBy::module);
    const ProfileRow &all = rows.at("net"), &inner = rows.at("net/fc1: Linear"), &other = rows.at("net/fc2: Linear");
    CHECK(rows.contains("net/fc1: Linear (gradient)"));
    CHECK(rows.contains("optimizer update"));
    CHECK(all.total_seconds >= (inner.total_seconds + other.total_seconds) * (1 - 1e-9));
    CHECK(all.total_seconds >= all.self_seconds * (1 - 1e-9));
    CHECK(inner.flops >= 3 * 2 * 32 * 8 * 16);
    if (!compiled) CHECK(inner.calls == 3);
    if (!compiled) CHECK(all.calls == 3);
  }
}

TEST_CASE("Sequential and activations are modules, eager, compiled and in gradients") {
  nn::Sequential net(nn::Linear(8, 4), nn::Gelu{}, nn::Prelu(4), nn::Linear(4, 1));
  const nn::SGD opt(net);  // names the parameters by their paths
  const auto plain = [&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = mean(net(x));
    return std::pair{loss, tape.gradient(loss, *net.get<0>().bias)};
  };
  const Tensor x = random::normal({32, 8});
  auto step = compile(plain);
  step(x);
  for (const bool compiled : {false, true}) {
    INFO(compiled);
    Profiler p;
    compiled ? step(x) : plain(x);
    p.stop();
    const auto rows = by(p, ProfileBy::module);
    for (const char* layer : {"0: Linear", "Gelu", "2: Prelu", "3: Linear"}) {
      INFO(layer);
      CHECK(rows.contains(std::string("Sequential/") + layer));
      CHECK(rows.at("Sequential").total_seconds >= rows.at(std::string("Sequential/") + layer).total_seconds * 0.999);
    }
    CHECK(rows.contains("Sequential/Gelu (gradient)"));
    if (!compiled) CHECK(rows.at("Sequential").calls == 1);
  }
}

TEST_CASE("the memory's peak is the allocator's, and has owners") {
  const Tensor x = random::normal({1000});
  reset_peak_memory();
  Profiler p;
  {
    const ProfileScope scope("block");
    const int line = __LINE__ + 1;
    const Tensor big = broadcast_to(x, {100, 1000}) + 1;
    const Tensor bigger = concat({big, big}, 0);
    p.stop();
    const MemoryProfile m = p.memory();
    CHECK(m.peak_bytes == memory_stats().peak_bytes);
    CHECK(m.peak_bytes >= m.bytes_before + 1'200'000);
    REQUIRE(m.owners.size() >= 2);
    CHECK(m.owners[0].op == "concat");
    CHECK(m.owners[0].bytes == 800'000);
    CHECK(m.owners[0].blocks == 1);
    CHECK(m.owners[0].line == here(line + 1));
    CHECK(m.owners[0].module == "block");
    CHECK(m.owners[1].op == "add");
    CHECK(m.owners[1].bytes == 400'000);
    CHECK(m.owners[1].line == here(line));
    std::int64_t sum = 0;
    for (const auto& o : m.owners) sum += o.bytes;
    CHECK(sum == m.peak_bytes);
    CHECK(m.timeline.back().bytes == memory_stats().live_bytes);
    CHECK(m.text().find("concat") != std::string::npos);
  }
}

TEST_CASE("variables and filled tensors at the memory's peak are told by their lines") {
  Profiler p;
  const int line = __LINE__ + 1;
  const nn::Linear model(100, 200);
  const nn::Adam opt(model);
  const Tensor big = ones({500, 1000});
  p.stop();
  const MemoryProfile m = p.memory();
  const auto bytes_of = [&](const std::string& op, int at) {
    for (const auto& o : m.owners)
      if (o.op == op && o.line == here(at)) return o.bytes;
    return std::int64_t{0};
  };
  CHECK(bytes_of("fill", line + 2) == 2'000'000);
  CHECK(bytes_of("Variable", line) >= 80'800);
  CHECK(bytes_of("Variable", line + 1) >= 2 * 80'800);
  for (const auto& o : m.owners) CHECK((o.op != "host code" || o.bytes < 1000));
}

TEST_CASE("a compiled call is in the modules around it, whichever it was traced in") {
  const Net net;
  const nn::SGD opt(net);
  const Tensor x = random::normal({32, 8});
  auto f = compile([&](const Tensor& t) { return net(t); });
  {
    const ProfileScope first("first");
    const Profiler traced_here;
    f(x);
  }
  Profiler p;
  {
    const ProfileScope scope("serving");
    f(x);
  }
  f(x);
  p.stop();
  const auto rows = by(p, ProfileBy::module);
  CHECK(rows.contains("serving/net/fc1: Linear"));
  CHECK(rows.contains("net/fc1: Linear"));
  CHECK_FALSE(rows.contains("first/net/fc1: Linear"));
  CHECK_FALSE(rows.contains("serving/first/net/fc1: Linear"));
}

TEST_CASE("a trace parses, and its spans are nested") {
  Net net;
  nn::SGD opt(net);
  auto step = compile([&](const Tensor& x) {
    GradientTape tape;
    const Tensor loss = mean(square(net(x)));
    opt.apply(tape.gradient(loss, net));
    return loss;
  });
  Profiler p;
  const Tensor x = random::normal({32, 8});
  const ProfileScope odd("a \"name\" with \\ and \n");
  for (int i = 0; i < 3; ++i) net(x), step(x);
  const nlohmann::json trace = trace_of(p);
  p.stop();
  std::map<int, std::vector<std::pair<double, double>>> open;
  std::map<std::string, int> names;
  int counters = 0;
  double last = 0;
  for (const auto& e : trace.at("traceEvents")) {
    if (e.at("ph") == "C") ++counters;
    if (e.at("ph") != "X") continue;
    ++names[e.at("name")];
    const double begin = e.at("ts"), end = begin + e.at("dur").get<double>();
    auto& stack = open[e.at("tid")];
    CHECK(begin >= (stack.empty() ? 0 : last));
    last = begin;
    while (!stack.empty() && stack.back().second <= begin + 1e-4 && stack.back().second < end) stack.pop_back();
    if (!stack.empty()) CHECK(end <= stack.back().second + 1e-4);
    stack.emplace_back(begin, end);
    CHECK(e.at("args").is_object());
  }
  CHECK(names["a \"name\" with \\ and \n"] == 1);
  CHECK(names["net"] == 3 + 1);  // the trace of the step, too
  CHECK(names["compile"] == 1);
  CHECK(counters > 0);
  CHECK(trace.at("otherData").at("spans left out") == 0);
}

TEST_CASE("profiles overlap, each with its own time") {
  const Tensor x = random::normal({1000});
  Profiler outer;
  exp(x);
  {
    const ProfileScope scope("inside");
    exp(x);
    Profiler inner;
    exp(x), exp(x);
    inner.stop();
    CHECK(by_op(inner).at("exp").calls == 2);
    CHECK(std::abs(self_sum(inner, ProfileBy::op) - inner.seconds()) <= 1e-9 * inner.seconds());
    CHECK(trace_of(inner).at("traceEvents").size() > 3);
    exp(x);
    CHECK(by_op(inner).at("exp").calls == 2);
    CHECK(inner.seconds() < outer.seconds());
  }
  auto later = std::make_unique<Profiler>();
  exp(x);
  outer.stop();
  CHECK(by_op(outer).at("exp").calls == 6);
  exp(x);
  CHECK(by_op(*later).at("exp").calls == 2);
}

TEST_CASE("each thread that runs ops is in the profile") {
  const Tensor x = random::normal({1000});
  Profiler p;
  exp(x);
  const auto work = [&] {
    for (int i = 0; i < 100; ++i) sin(x);
  };
  std::thread a(work), b(work);
  a.join(), b.join();
  p.stop();
  CHECK(by_op(p).at("sin").calls == 200);
  CHECK(by_op(p).at("exp").calls == 1);
  std::map<int, int> events;
  const nlohmann::json trace = trace_of(p);
  for (const auto& e : trace.at("traceEvents"))
    if (e.at("ph") == "X") ++events[e.at("tid")];
  CHECK(events.size() == 3);
  CHECK(self_sum(p, ProfileBy::op) >= p.seconds() * (1 - 1e-9));
}

TEST_CASE("an exception closes its spans") {
  const Tensor x = random::normal({3}), y = random::normal({4});
  Profiler p;
  try {
    const ProfileScope scope("doomed");
    x + y;
  } catch (const ShapeError&) {}
  CHECK_THROWS_AS(cumsum(x, 5), IndexError);
  exp(x);
  p.stop();
  const auto rows = by_op(p);
  CHECK(rows.at("exp").calls == 1);
  CHECK(by(p, ProfileBy::module).at("doomed").calls == 1);
  CHECK(by(p, ProfileBy::module).at("outside modules").calls >= 1);
  CHECK(std::abs(self_sum(p, ProfileBy::op) - p.seconds()) <= 1e-9 * p.seconds());
}

TEST_CASE("while no profiler lives nothing is recorded") {
  const Tensor x = random::normal({10});
  Profiler p;
  p.stop();
  const ProfileScope scope("nobody's");
  for (int i = 0; i < 10; ++i) exp(x);
  CHECK(!detail::watched());
  CHECK(p.rows(ProfileBy::op).size() == 1);  // host code
  CHECK(p.rows(ProfileBy::op)[0].name == "host code");
  CHECK(p.memory().timeline.size() == 1);
  const nlohmann::json trace = trace_of(p);
  for (const auto& e : trace.at("traceEvents")) CHECK(e.at("ph") != "X");

  Profiler next;  // begins empty
  next.stop();
  CHECK(next.rows(ProfileBy::op).size() == 1);
}

TEST_CASE("a span that began before the profile, or outlives it, does no harm") {
  const Tensor x = random::normal({10});
  auto p = std::make_unique<Profiler>();
  auto scope = std::make_unique<ProfileScope>("long");
  exp(x);
  p.reset();
  Profiler next;
  exp(x);
  scope.reset();
  exp(x);
  next.stop();
  CHECK(by_op(next).at("exp").calls == 2);
  CHECK(by(next, ProfileBy::module).at("long").calls == 1);  // the op, not the scope
}

TEST_CASE("a table shows rates, the roof and what is left out") {
  const Tensor x = random::normal({256, 256});
  Profiler p;
  for (int i = 0; i < 5; ++i) matmul(x, x), exp(x);
  p.stop();
  const std::string table = p.table();
  for (const char* part : {"profile of ", "roof: ", "op or kernel", "matmul", "exp", "host code", "module", "line"})
    CHECK(table.find(part) != std::string::npos);
  CHECK(p.table(1, false).find("2 others") != std::string::npos);
  for (const ProfileRow& r : p.rows(ProfileBy::op, true)) {
    INFO(r.name);
    if (r.name == "matmul") CHECK(r.roof > 0.01);
    CHECK(r.roof < 2);
  }
  CHECK_THROWS_AS(p.write_trace("/no such folder/trace.json"), FormatError);
}

TEST_CASE("a module's name of two lines is one row of the table") {
  Profiler p;
  {
    const ProfileScope scope("two\nlines");
    exp(zeros({8}));
  }
  p.stop();
  CHECK(p.table(20, false).find("\ntwo lines ") != std::string::npos);
}

TEST_CASE("of a long module path the table has the end") {
  Profiler p;
  for (const char* layer : {"fc1", "fc2"}) {
    const ProfileScope block("encoder/blocks.17/attention/projection/" + std::string(layer) + ": Linear");
    exp(zeros({8}));
  }
  p.stop();
  const std::string table = p.table(20, false);
  for (const std::string layer : {"fc1", "fc2"})
    CHECK(table.find("\n... ocks.17/attention/projection/" + layer + ": Linear ") != std::string::npos);
}

TEST_CASE("a table says how more than the roof can be") {
  const Tensor x = ones({64, 64});
  Profiler p;
  for (int i = 0; i < 3; ++i) exp(x);
  p.stop();
  const std::string note =
      "\nroof above 100 %: a cache gave what is counted as read from a slower one or from memory\n";
  const bool above = std::ranges::any_of(p.rows(ProfileBy::op, true), [](const ProfileRow& r) { return r.roof > 1; });
  CHECK((p.table().find(note) != std::string::npos) == above);
  CHECK(p.table(20, false).find(note) == std::string::npos);
}

TEST_CASE("the memory's text says what is not in it") {
  const MemoryProfile all{};
  MemoryProfile most{};
  most.left_out = 7;
  CHECK(all.text().find("are not in this") == std::string::npos);
  CHECK(most.text().find("\nthe last 7 allocations and releases are not in this\n") != std::string::npos);
}

TEST_CASE("WEFT_PROFILE profiles a program that knows nothing of it") {
  const auto folder = std::filesystem::temp_directory_path() / ("weft-profile-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto run = [&](const std::string& wish) {
    const std::string command =
        "cd '" + folder.string() + "' && WEFT_PROFILE='" + wish + "' '" WEFT_KERNELS "' > out 2> said";
    CHECK(std::system(command.c_str()) == 0);
    std::ifstream in(folder / "said");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK(run("0").empty());
  CHECK(run("").empty());
  CHECK(run("off").empty());
  CHECK(run("maybe") ==
        "weft: warning: WEFT_PROFILE=maybe: must be 0, 1 or the name of a .json file; nothing is profiled\n");
  for (const std::string wish : {"1", "trace.json"}) {
    const std::string said = run(wish);
    CHECK(said.find("profile of ") == 0);
    CHECK(said.find("memory: peak ") != std::string::npos);
    CHECK(std::filesystem::exists(folder / "trace.json") == (wish != "1"));
  }
  std::ifstream in(folder / "trace.json");
  CHECK(nlohmann::json::parse(in).at("traceEvents").size() > 10);
  CHECK(run("none/trace.json").find("WEFT_PROFILE: none/trace.json: can't write the trace: No such file") !=
        std::string::npos);

  // With no room for it: the earlier one stays, and nothing beside it.
  const auto size = std::filesystem::file_size(folder / "trace.json");
  const std::string no_room = "cd '" + folder.string() + "' && (trap '' XFSZ; ulimit -f 2; WEFT_PROFILE=trace.json '" +
                              WEFT_KERNELS + "') 2>&1 | cat > said";
  CHECK(std::system(no_room.c_str()) == 0);
  std::ifstream said(folder / "said");
  CHECK(std::string(std::istreambuf_iterator<char>(said), {})
            .find("WEFT_PROFILE: trace.json: can't write the trace: File too large") != std::string::npos);
  CHECK(std::filesystem::file_size(folder / "trace.json") == size);
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.insert(entry.path().filename());
  CHECK(files == std::set<std::string>{"out", "said", "trace.json"});
  std::filesystem::remove_all(folder);
}

TEST_CASE("WEFT_PROFILE tells of a program that ends by an exception or by quick_exit, too") {
  for (const std::string end : {"throw", "quick", "profiled"}) {
    FILE* pipe = ::popen(("WEFT_PROFILE=on '" WEFT_KERNELS "' " + end + " 2>&1").c_str(), "r");
    std::string said;
    char buffer[256];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) said.append(buffer, n);
    CHECK((::pclose(pipe) == 0) == (end != "throw"));
    std::size_t profile = said.find("profile of ");
    if (end == "profiled") profile = said.find("profile of ", profile + 1);  // the first is its own
    const std::size_t memory = said.find("memory: peak ");
    REQUIRE(memory != std::string::npos);
    CHECK(profile < memory);
    CHECK(said.find("ops/random.cpp") == std::string::npos);                                     // a line of ours
    CHECK(said.find("profile of ", profile + 1) == std::string::npos);                           // once
    CHECK((said.find("nobody catches this", memory) != std::string::npos) == (end == "throw"));  // then, as ever
  }
}

TEST_CASE("a trace leads from each op to its gradient") {
  const Tensor x = random::normal({5, 6});
  Variable w = random::normal({6, 3});
  Profiler p;
  for (int i = 0; i < 2; ++i) {
    GradientTape tape;
    Tensor y = x;
    for (int k = 0; k < 3; ++k) y = y + sum(square(matmul(x, w)));  // one line, three ops
    tape.gradient(sum(y), w);
  }
  p.stop();
  using Place = std::pair<int, double>;  // thread, time
  std::map<Place, std::pair<std::string, double>> spans;
  std::map<int, Place> from, to;  // by id
  std::map<std::string, int> gradients;
  const nlohmann::json trace = trace_of(p);
  for (const auto& e : trace.at("traceEvents")) {
    const std::string kind = e.at("ph");
    if (kind != "X" && kind != "s" && kind != "f") continue;
    const Place at{e.at("tid"), e.at("ts")};
    if (kind == "X" && e.at("cat") == "gradient") ++gradients[e.at("name")];
    if (kind == "X" && (e.at("cat") == "gradient" || e.at("cat") == "op"))
      spans[at] = {e.at("name"), at.second + e.at("dur").get<double>()};
    if (kind == "s") CHECK(from.emplace(e.at("id"), at).second);
    if (kind == "f") CHECK(to.emplace(e.at("id"), at).second);
    if (kind == "f") CHECK(e.at("bp") == "e");
  }
  CHECK(gradients.at("matmul (gradient)") == 6);
  REQUIRE(from.size() == to.size());
  std::map<std::string, std::vector<std::pair<double, double>>> flows;
  for (const auto& [id, at] : from) {
    const auto& [name, end] = spans.at(at);
    CHECK(spans.at(to.at(id)).first == name + " (gradient)");
    CHECK(end <= to.at(id).second);
    flows[name].emplace_back(at.second, to.at(id).second);
  }
  for (const char* op : {"matmul", "square", "sum"}) {
    INFO(op);
    std::vector<std::pair<double, double>>& list = flows[op];
    CHECK(list.size() == static_cast<std::size_t>(gradients.at(std::string(op) + " (gradient)")));
    std::sort(list.begin(), list.end());
    REQUIRE(list.size() >= 6);
    if (list.size() == 6)
      for (const std::size_t k : {1, 2, 4, 5}) CHECK(list[k].second < list[k - 1].second);  // the last op's comes first
  }
}

TEST_CASE("made-up data and scalers are booked at the user's line") {
  Profiler p;
  const int line = __LINE__ + 1;
  const data::Spirals made = data::spirals(50, 3);
  const data::Scaler scaler = data::Scaler::fit(made.x);
  scaler(made.x);
  p.stop();
  const auto lines = by(p, ProfileBy::line);
  for (const auto& [name, row] : lines) {
    INFO(name);
    CHECK((name == "no line" || name == here(line) || name == here(line + 1) || name == here(line + 2)));
  }
  CHECK(lines.count(here(line)) == 1);
  CHECK(lines.count(here(line + 2)) == 1);
}

TEST_CASE("loading the code generator is a part of codegen") {
  const auto file = std::filesystem::temp_directory_path() / ("weft-load-" + std::to_string(getpid()) + ".json");
  CHECK(std::system(("WEFT_PROFILE='" + file.string() + "' '" WEFT_KERNELS "' > /dev/null 2>&1").c_str()) == 0);
  std::ifstream in(file);
  const nlohmann::json trace = nlohmann::json::parse(in);
  std::filesystem::remove(file);
  std::map<std::string, std::pair<double, double>> spans;
  for (const auto& e : trace.at("traceEvents"))
    if (e.at("ph") == "X" && !spans.count(e.at("name")))
      spans[e.at("name")] = {e.at("ts"), e.at("ts").get<double>() + e.at("dur").get<double>()};
  const auto [begin, end] = spans.at("codegen");
  const auto [first, last] = spans.at("load code generator");
  CHECK(begin <= first);
  CHECK(last <= end);
}
