// The code that is kept on the disk, process by process.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "catch.h"
#include "folder.h"

namespace fs = std::filesystem;
using weft::test::Folder;

namespace {

// What the program prints, warnings first or last as they come.
std::string run(const std::string& folder, const std::string& setting = "", const std::string& before = "",
                const std::string& argument = "") {
  const std::string command =
      before + " WEFT_CACHE_DIR='" + folder + "' " + setting + " " + WEFT_KERNELS + " " + argument + " 2>&1 </dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  char buffer[256];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  CHECK(::pclose(pipe) == 0);
  return text;
}

const std::string generated = "generated 1 loaded 0 same 1\n", loaded = "generated 0 loaded 1 same 1\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

}  // namespace

TEST_CASE("a second process generates nothing") {
  const Folder folder;
  CHECK(run(folder.path) == generated);
  REQUIRE(folder.files().size() == 1);
  struct stat info;
  REQUIRE(::stat(folder.files()[0].c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(run(folder.path) == loaded);
  CHECK(run(folder.path, "WEFT_ISA=base") == generated);  // another machine's code
  CHECK(run(folder.path, "WEFT_ISA=base") == loaded);
  for (const std::string off : {"0", "off", "false", "No"}) CHECK(run(folder.path, "WEFT_CACHE=" + off) == generated);
  for (const std::string on : {"1", "on", "TRUE", "yes", ""}) CHECK(run(folder.path, "WEFT_CACHE=" + on) == loaded);
  CHECK(run(folder.path, "WEFT_CACHE=never") ==
        "weft: warning: WEFT_CACHE=never: not one of 0, off, 1, on; on is used\n" + loaded);
  CHECK(run(folder.path, "WEFT_JIT=false") == "generated 0 loaded 0 same 1\n");
  CHECK(run(folder.path, "WEFT_JIT=2") == "weft: warning: WEFT_JIT=2: not one of 0, off, 1, on; on is used\n" + loaded);
  CHECK(folder.files().size() == 2);
}

TEST_CASE("several threads generate what one does") {
  const Folder one, all;
  const std::string said = run(one.path, "WEFT_NUM_THREADS=1", "", "many");
  CHECK(contains(said, " loaded 0 same 1\n"));
  CHECK(run(all.path, "", "", "many") == said);
  const std::vector<fs::path> files = one.files(), others = all.files();
  CHECK(files.size() >= 3);
  REQUIRE(others.size() == files.size());
  for (const fs::path& file : files) CHECK(content(file) == content(fs::path(all.path) / file.filename()));
}

TEST_CASE("a folder that does not exist is made, for its owner alone") {
  const Folder folder;
  const fs::path below = folder.path / "a" / "b";
  CHECK(run(below) == generated);
  struct stat info;
  REQUIRE(::stat(below.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  CHECK(run(below) == loaded);
}

TEST_CASE("a damaged file is said once, replaced, and never run") {
  const Folder folder;
  run(folder.path);
  const fs::path file = folder.files().at(0);
  const std::string whole = content(file);
  std::string flipped = whole, other_key = whole;
  flipped[whole.size() - 100] = static_cast<char>(flipped[whole.size() - 100] ^ 1);
  other_key[40] = static_cast<char>(other_key[40] ^ 1);
  for (const std::string& bad : {std::string(), whole.substr(0, 20), whole.substr(0, whole.size() - 1), whole + "x",
                                 flipped, other_key, std::string(whole.size(), '\xff')}) {
    INFO(bad.size());
    put(file, bad);
    const std::string said = run(folder.path);
    CHECK(contains(said, "is damaged or not what weft wrote: its kernel is generated anew\n"));
    CHECK(contains(said, generated));
    CHECK(content(file) == whole);
    CHECK(run(folder.path) == loaded);
  }
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  CHECK(contains(run(folder.path), "is damaged or not what weft wrote"));
  CHECK(run(folder.path) == loaded);
  fs::remove(file);
  fs::create_symlink("/etc/hostname", file);  // a link is not followed
  CHECK(contains(run(folder.path), generated));
  CHECK(fs::is_regular_file(fs::symlink_status(file)));
}

TEST_CASE("a folder that is not the user's own, or can't be written, is said once and done without") {
  const Folder folder;
  fs::permissions(folder.path, fs::perms::group_write, fs::perm_options::add);
  std::string said = run(folder.path);
  CHECK(contains(said, "others may write to it; WEFT_CACHE_DIR names another folder"));
  CHECK(contains(said, generated));
  fs::permissions(folder.path, fs::perms::owner_all);
  CHECK(folder.files().empty());
  if (::geteuid() == 0) {
    REQUIRE(::chown(folder.path.c_str(), 12345, 12345) == 0);
    said = run(folder.path);
    CHECK(contains(said, "it belongs to another user"));
    CHECK(contains(said, generated));
    CHECK(folder.files().empty());
    REQUIRE(::chown(folder.path.c_str(), 0, 0) == 0);
  }
  said = run("/proc/weft");
  CHECK(contains(said, "generated code is not kept in /proc/weft: No such file or directory"));
  CHECK(contains(said, generated));
  put(folder.path / "file", "");
  said = run(folder.path / "file");
  CHECK(contains(said, "Not a directory"));
  CHECK(contains(said, generated));
}

TEST_CASE("a full disk is said once, and leaves nothing behind") {
  const Folder folder;
  const std::string said = run(folder.path, "", "trap '' XFSZ; ulimit -f 0;");
  CHECK(contains(said, "can't keep generated code in"));
  CHECK(contains(said, generated));
  CHECK(folder.files().empty());
  // nor does the signal for it end the process
  const std::string signalled = run(folder.path, "", "ulimit -f 1;");
  CHECK(contains(signalled, "File too large"));
  CHECK(contains(signalled, generated));
  CHECK(folder.files().empty());
}

TEST_CASE("what another process with this number left half written is in nobody's way") {
  const Folder folder;
  // the shell becomes the program, and keeps its number
  const std::string left = "cd '" + folder.path.string() + "' && : > .$$.1.part && exec env";
  CHECK(run(folder.path, "", left) == generated);
  CHECK(folder.files().size() == 2);
}

TEST_CASE("a folder's name that is too long is said in short, and no part of it is made") {
  const Folder folder;
  std::string deep = folder.path.string();
  for (int i = 0; i < 2000; ++i) deep += "/deep";
  const std::string said = run(deep);
  CHECK(contains(said, "File name too long"));
  CHECK(contains(said, generated));
  CHECK(said.size() < 1000);
  CHECK(folder.files().empty());
}

TEST_CASE("what was not used for longest goes when there is too much") {
  const Folder folder;
  run(folder.path);
  const fs::path kept = folder.files().at(0);
  for (int i = 0; i < 8; ++i) {
    const fs::path file = folder.path / ("old" + std::to_string(i) + ".kernel");
    put(file, "");
    fs::resize_file(file, 40u << 20);  // of holes
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(100 - i));
  }
  CHECK(run(folder.path) == loaded);
  CHECK(folder.files().size() == 9);  // nothing was written
  CHECK(run(folder.path, "WEFT_ISA=base") == generated);
  std::uint64_t bytes = 0;
  for (const fs::path& file : folder.files()) bytes += fs::file_size(file);
  CHECK(bytes <= 128u << 20);
  CHECK(fs::exists(kept));
  CHECK_FALSE(fs::exists(folder.path / "old0.kernel"));
  CHECK(fs::exists(folder.path / "old7.kernel"));
}

TEST_CASE("processes at once share a folder") {
  const Folder folder;
  std::vector<std::string> said(6);
  std::vector<std::thread> threads;
  for (std::string& s : said) threads.emplace_back([&] { s = run(folder.path); });
  for (std::thread& t : threads) t.join();
  for (const std::string& s : said) CHECK((s == generated || s == loaded));
  CHECK(folder.files().size() == 1);
  CHECK(run(folder.path) == loaded);
}
