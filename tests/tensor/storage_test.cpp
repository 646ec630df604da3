// Memory: alignment, reuse, counters, and an allocation that fails without harm.
#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include <weft/tensor/create.h>

#include "catch.h"

using namespace weft;

TEST_CASE("every block is aligned to 64 bytes and can be written to its end") {
  for (std::size_t bytes :
       {0, 1, 63, 64, 65, 100, 127, 128, 129, 1000, 4096, 65'535, 65'537, 1 << 20, (2 << 20) + 1, 5 << 20}) {
    const Storage s = Storage::allocate(bytes);
    INFO(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(s.data()) % 64 == 0);
    CHECK(s.bytes() == bytes);
    std::memset(s.data(), 0x5a, bytes);
  }
}

TEST_CASE("blocks that live at the same time never overlap") {
  std::vector<Storage> blocks;
  for (std::size_t i = 0; i < 300; ++i) {
    blocks.push_back(Storage::allocate(1 + i * 37));
    std::memset(blocks.back().data(), static_cast<int>(i), blocks.back().bytes());
  }
  for (std::size_t i = 0; i < blocks.size(); i += 2) blocks[i] = Storage::allocate(1 + i * 41);
  bool intact = true;
  for (std::size_t i = 1; i < blocks.size(); i += 2)
    intact &= std::all_of(blocks[i].data(), blocks[i].data() + blocks[i].bytes(),
                          [&](std::byte b) { return b == static_cast<std::byte>(i); });
  CHECK(intact);
}

TEST_CASE("a freed block is used again before the system is asked") {
  for (std::size_t bytes : {100, 50'000, 1'000'000}) {
    const std::byte* first = Storage::allocate(bytes).data();
    const auto before = memory_stats();
    const Storage again = Storage::allocate(bytes);
    CHECK(again.data() == first);
    CHECK(memory_stats().system_allocations == before.system_allocations);
    CHECK(memory_stats().allocations == before.allocations + 1);
  }
}

TEST_CASE("blocks of ever new sizes go back to the system") {
  release_cached_memory();
  const auto held = [] {
    const auto m = mallinfo2();
    return m.uordblks + m.hblkhd;
  };
  const auto before = held();
  for (std::size_t bytes = 8 << 20; bytes < (512 << 20); bytes += bytes / 4) Storage::allocate(bytes);
  const auto after = held();
  const auto most = 2 * static_cast<std::size_t>(memory_stats().peak_bytes) + (256 << 20);
  CHECK(after - std::min(after, before) <= most);
}

TEST_CASE("counters follow what lives, and the peak") {
  const auto before = memory_stats();
  reset_peak_memory();
  {
    const Storage a = Storage::allocate(1000), b = a;
    const Storage c = Storage::allocate(500);
    CHECK(memory_stats().live_blocks == before.live_blocks + 2);
    CHECK(memory_stats().live_bytes == before.live_bytes + 1500);
    CHECK_FALSE(a.unique());
    CHECK(c.unique());
  }
  CHECK(memory_stats().live_blocks == before.live_blocks);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(memory_stats().peak_bytes == before.live_bytes + 1500);
  reset_peak_memory();
  CHECK(memory_stats().peak_bytes == memory_stats().live_bytes);
}

TEST_CASE("a terabyte is OutOfMemory with bytes and shape, and everything works afterwards", "[bad-input.5]") {
  const auto before = memory_stats();
  const auto tensors = live_tensors();
  std::string text;
  try {
    zeros({std::int64_t{1} << 38});
  } catch (const OutOfMemory& e) { text = e.what(); }
  CHECK(text.find("zeros: no memory for f32[274877906944] (1099511627776 bytes): ") == 0);
  CHECK_THROWS_AS(Tensor::allocate({f64, {INT64_MAX / 16}}), OutOfMemory);
  CHECK(memory_stats().live_bytes == before.live_bytes);
  CHECK(live_tensors() == tensors);
  CHECK(ones({1000}).to_vector<float>()[999] == 1);
}

TEST_CASE("live_tensors counts tensors, not handles") {
  const auto before = live_tensors();
  {
    const Tensor a = zeros({2});
    const Tensor b = a;
    CHECK(live_tensors() == before + 1);
    const Tensor c = a.named("c");
    CHECK(live_tensors() == before + 2);
    Tensor d = std::move(const_cast<Tensor&>(b));
    CHECK(live_tensors() == before + 2);
    CHECK_FALSE(b.defined());
    d = {};
  }
  CHECK(live_tensors() == before);
}

TEST_CASE("threads allocate, free each other's blocks, and end") {
  const auto before = memory_stats().live_blocks;
  std::vector<Storage> made(400);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&made, t] {
        for (std::size_t i = t; i < made.size(); i += 4) made[i] = Storage::allocate(64 + i * 200);
      });
    for (auto& t : threads) t.join();
    std::thread([&made] {
      for (std::size_t i = 0; i < made.size(); i += 2) made[i] = {};
    }).join();
  }
  made.clear();
  CHECK(memory_stats().live_blocks == before);
  release_cached_memory();
  CHECK(Storage::allocate(100).data() != nullptr);
}

TEST_CASE("ids are never used again, across threads") {
  std::vector<std::uint64_t> ids(4000);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&ids, t] {
      for (std::size_t i = t; i < ids.size(); i += 4) ids[i] = zeros({}).id();
    });
  for (auto& t : threads) t.join();
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}
