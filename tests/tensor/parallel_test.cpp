// The team: every task once, whoever calls and from wherever.
#include <sys/wait.h>
#include <unistd.h>
#include <weft/tensor/denormals.h>
#include <weft/tensor/parallel.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "catch.h"

using namespace weft;

TEST_CASE("parallel_for runs every task once, for any number of tasks and threads", "[parallel]") {
  for (int threads : {0, 1, 2, 3, 8}) {
    for (std::int64_t tasks : {0, 1, 2, 3, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      parallel_for(tasks, threads, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
      int wrong = 0;
      for (const auto& n : runs) wrong += n != 1;
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("parallel_for inside a task runs its tasks there", "[parallel]") {
  std::atomic<int> elsewhere{0}, runs{0};
  parallel_for(8, 2, [&](std::int64_t) {
    const auto self = std::this_thread::get_id();
    parallel_for(5, 2, [&](std::int64_t) { ++runs, elsewhere += std::this_thread::get_id() != self; });
  });
  CHECK(runs == 40);
  CHECK(elsewhere == 0);
}

TEST_CASE("parallel_for may be called from many threads at once", "[parallel]") {
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) parallel_for(10, 2, [&](std::int64_t i) { sum += i; });
    });
  }
  for (std::thread& c : callers) c.join();
  CHECK(sum == 4 * 200 * 45);
}

TEST_CASE("parallel_for sees what was written before it, and its caller what the tasks wrote", "[parallel]") {
  std::vector<std::int64_t> data(1000);
  for (int round = 0; round < 300; ++round) {
    parallel_for(1000, 2, [&](std::int64_t i) { data[static_cast<std::size_t>(i)] += i; });
  }
  int wrong = 0;
  for (std::size_t i = 0; i < data.size(); ++i) wrong += data[i] != static_cast<std::int64_t>(300 * i);
  CHECK(wrong == 0);
}

TEST_CASE("parallel_for works in a child of fork", "[parallel]") {
  parallel_for(4, 2, [](std::int64_t) {});  // the parent has its team
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<std::int64_t> sum{0};
    parallel_for(10, 2, [&](std::int64_t i) { sum += i; });
    _exit(sum == 45 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("set_num_threads keeps to the machine", "[parallel]") {
  const int before = num_threads();
  set_num_threads(0);
  CHECK(num_threads() == 1);
  set_num_threads(1 << 20);
  CHECK(num_threads() >= 1);
  CHECK(num_threads() < (1 << 20));
  set_num_threads(before);
  CHECK(num_threads() == before);
}

TEST_CASE("who computes a task treats denormals as its caller does", "[parallel]") {
  const auto tiny_sums = [](std::int64_t tasks) {  // of two denormals, in a task each
    std::atomic<int> zeros{0};
    parallel_for(tasks, 2, [&](std::int64_t) {
      volatile float a = 1e-40f;
      zeros += a + a == 0;
    });
    return zeros.load();
  };
  CHECK_FALSE(flush_denormals());
  CHECK(tiny_sums(10000) == 0);
  set_flush_denormals(true);
  CHECK(flush_denormals());
  CHECK(tiny_sums(10000) == 10000);
  set_flush_denormals(false);
  CHECK(tiny_sums(10000) == 0);
}
