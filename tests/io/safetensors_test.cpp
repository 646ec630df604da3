// safetensors: what is written is read, what others write is read, and every lie in a header is told by name.
#include <weft/weft.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
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

std::string file_of(const std::string& header, const std::string& data = "") {
  std::string s(8, '\0');
  const std::uint64_t n = header.size();
  std::memcpy(s.data(), &n, 8);
  return s + header + data;
}

io::SafeTensors parse(const std::string& s) { return io::parse_safetensors(std::as_bytes(std::span(s)), "attack"); }

std::string refusal(const std::string& bytes) {
  const auto live = live_tensors();
  try {
    parse(bytes);
  } catch (const FormatError& e) {
    CHECK(live_tensors() == live);
    CHECK(std::string(e.what()).rfind("parse_safetensors: attack: ", 0) == 0);
    CHECK(e.site().find("safetensors_test.cpp:") != std::string::npos);
    CHECK(std::strlen(e.what()) < 2000);
    return e.what();
  }
  return "ACCEPTED";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

#define REFUSED(bytes, part)                 \
  do {                                       \
    const std::string text = refusal(bytes); \
    INFO(text);                              \
    CHECK(contains(text, part));             \
  } while (false)

}  // namespace

TEST_CASE("safetensors round-trip, every dtype, empty and 0-d and views too") {
  const Folder folder;
  std::map<std::string, Tensor> all;
  const Tensor x = tensor({{1, -2.5, 3}, {0, 1e-40, -0.0}});
  for (const DType t :
       {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i32, DType::i64, DType::u8, DType::boolean})
    all["t." + std::string(name_of(t))] = cast(abs(x), t);
  all["nan"] = tensor({NAN, -INFINITY});
  all["empty"] = zeros({3, 0, 2});
  all["scalar"] = full({}, 7, i64);
  all["transposed"] = transpose(x);
  all[""] = ones({1}, u8);
  all["../../x \"quoted\" \xC3\xA9 \n"] = ones({1});
  all[std::string("nul\0inside", 10)] = ones({1});
  const std::map<std::string, std::string> metadata = {{"note", "line\nline"}, {"", "empty key"}};
  io::write_safetensors(folder / "a.safetensors", all, metadata);
  const io::SafeTensors back = io::read_safetensors(folder / "a.safetensors");
  CHECK(back.metadata == metadata);
  REQUIRE(back.tensors.size() == all.size());
  for (const auto& [name, t] : all) {
    INFO(name);
    const Tensor& r = back.tensors.at(name);
    CHECK(r.type() == t.type());
    if (name == "nan") {
      CHECK(std::isnan(r.at({0})));
      CHECK(r.at({1}) == -INFINITY);
    } else {
      CHECK(r.to_vector<double>() == t.to_vector<double>());
    }
  }
  CHECK(std::signbit(back.tensors.at("transposed").at({2, 1})));
  const std::string bytes = contents(folder / "a.safetensors");
  std::uint64_t n;
  std::memcpy(&n, bytes.data(), 8);
  CHECK((8 + n) % 64 == 0);
  CHECK(folder.files().size() == 1);
  io::write_safetensors(folder / "none.safetensors", {});
  CHECK(io::read_safetensors(folder / "none.safetensors").tensors.empty());
}

TEST_CASE("a file as Python writes it is read") {
  // safetensors.numpy.save({"b": np.array([1.5, -2], "f4"), "a": np.array([[3]], "i8")}, {"k": "v"}), but for the order
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"I64","shape":[1,1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}   )";
  std::string data(16, '\0');
  const std::int64_t three = 3;
  const float b[] = {1.5f, -2};
  std::memcpy(data.data(), &three, 8);
  std::memcpy(data.data() + 8, b, 8);
  const io::SafeTensors file = parse(file_of(header, data));
  CHECK(file.metadata.at("k") == "v");
  CHECK(file.tensors.at("a").item<std::int64_t>() == 3);
  CHECK(file.tensors.at("b").to_vector<float>() == std::vector<float>{1.5f, -2});
}

TEST_CASE("safetensors: headers that are none") {
  for (std::size_t n = 0; n < 8; ++n) REFUSED(std::string(n, '\0'), "header too small");
  REFUSED(std::string(8, '\0'), "does not begin with {");
  REFUSED(std::string(7, '\0') + '\x80', "header too large");  // 2^63
  REFUSED(std::string(8, '\xFF'), "header too large");
  std::string big(8, '\0');
  const std::uint64_t n = 100'000'001;
  std::memcpy(big.data(), &n, 8);
  REFUSED(big, "header too large");
  REFUSED(file_of("{}").substr(0, 9), "more than the 1 bytes that follow");
  REFUSED(file_of(" {}"), "does not begin with {");
  REFUSED(file_of("[]"), "does not begin with {");
  REFUSED(file_of("{\"a\":"), "not JSON");
  REFUSED(file_of("{} x"), "not JSON");
  REFUSED(file_of("{}{}"), "not JSON");
  REFUSED(file_of(std::string("{}\0{}", 5)), "a NUL at byte 2");
  REFUSED(file_of("{\"\xFF\":1}"), "not UTF-8");
  REFUSED(file_of("{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"), "a list where none may be");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"dtype\":";
  REFUSED(file_of(deep), "an object in an entry");
  CHECK(parse(file_of("{}      ")).tensors.empty());
}

TEST_CASE("safetensors: entries that lie") {
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  const auto one = [&](const std::string& dtype, const std::string& shape, const std::string& offsets,
                       std::size_t data) {
    return file_of("{\"x\":" + entry(dtype, shape, offsets) + "}", std::string(data, '\0'));
  };
  const auto two = [&](const std::string& a, const std::string& b, std::size_t data) {
    return file_of("{\"x\":" + entry("\"U8\"", "[4]", a) + ",\"y\":" + entry("\"U8\"", "[4]", b) + "}",
                   std::string(data, '\0'));
  };
  CHECK(refusal(one("\"F32\"", "[1]", "[0,4]", 4)) == "ACCEPTED");
  CHECK(refusal(two("[4,8]", "[0,4]", 8)) == "ACCEPTED");
  REFUSED(two("[0,4]", "[2,6]", 6), "overlap");
  REFUSED(two("[0,4]", "[0,4]", 4), "overlap");
  REFUSED(two("[0,4]", "[5,9]", 9), "a hole in the data from 4 to 5");
  REFUSED(one("\"U8\"", "[4]", "[1,5]", 5), "a hole in the data from 0 to 1");
  REFUSED(one("\"U8\"", "[4]", "[4,0]", 4), "the end is before the beginning");
  REFUSED(one("\"U8\"", "[4]", "[0,5]", 4), "reach past the 4 bytes");
  REFUSED(one("\"U8\"", "[4]", "[0,4]", 5), "1 bytes after the last tensor");
  REFUSED(file_of("{}", "x"), "1 bytes after the last tensor");
  REFUSED(one("\"F32\"", "[2]", "[0,4]", 4), "f32 of shape [2] takes 8 bytes, its data_offsets span 4");
  REFUSED(one("\"F32\"", "[4611686018427387904,4]", "[0,4]", 4), "overflows");
  REFUSED(one("\"F64\"", "[9223372036854775807]", "[0,4]", 4), "overflows");
  REFUSED(one("\"U8\"", "[9223372036854775808]", "[0,4]", 4), "the extent 9223372036854775808 overflows");
  REFUSED(one("\"U8\"", "[99999999999999999999999]", "[0,4]", 4), "is no extent");
  REFUSED(one("\"U8\"", "[-4]", "[0,4]", 4), "the number -4 is no extent");
  REFUSED(one("\"U8\"", "[1e3]", "[0,4]", 4), "the number 1e3 is no extent");
  REFUSED(one("\"U8\"", "[4.0]", "[0,4]", 4), "is no extent");
  REFUSED(one("\"U8\"", "[\"4\"]", "[0,4]", 4), "the string \"4\" is no extent");
  REFUSED(one("\"U8\"", "[null]", "[0,4]", 4), "null is no extent");
  REFUSED(one("\"U8\"", "[[4]]", "[0,4]", 4), "a list where none may be");
  REFUSED(one("\"U8\"", "4", "[0,4]", 4), "the number 4 as shape");
  REFUSED(one("\"U8\"", "[1,1,1,1,1,1,1,1,1,1,1,1,4]", "[0,4]", 4), "more than 12 dimensions");
  REFUSED(one("\"U8\"", "[4]", "[0,4,4]", 4), "more than two numbers");
  REFUSED(one("\"U8\"", "[4]", "[4]", 4), "needs two numbers");
  REFUSED(one("\"U8\"", "[4]", "[0,-4]", 4), "is no offset");
  REFUSED(one("\"U8\"", "[4]", "[0,4.0]", 4), "is no offset");
  REFUSED(one("\"U8\"", "[4]", "[18446744073709551615,18446744073709551615]", 4), "reach past");
  REFUSED(one("\"F8_E4M3\"", "[4]", "[0,4]", 4), "unknown dtype \"F8_E4M3\"");
  REFUSED(one("7", "[4]", "[0,4]", 4), "the number 7 as dtype");
  REFUSED(one("\"BOOL\"", "[1]", "[0,1]", 0) + "\x02", "the bool at 0 is the byte 2");
  REFUSED(file_of(R"({"x":{"dtype":"U8","shape":[0]}})"), "an entry needs");
  REFUSED(file_of(R"({"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"more":1}})"), "unknown key \"more\"");
  REFUSED(file_of(R"({"x":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), "duplicate key \"dtype\"");
  REFUSED(
      file_of(
          R"({"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
      "duplicate key");
  REFUSED(file_of(R"({"x":1})"), "where an entry should be");
  REFUSED(file_of(R"({"__metadata__":{"a":1}})"), "metadata \"a\" is the number 1, not a string");
  REFUSED(file_of(R"({"__metadata__":{"a":{}}})"), "metadata that is no string");
  REFUSED(file_of(R"({"__metadata__":"a"})"), "where an entry should be");
  const std::string text = refusal(two("[0,4]", "[2,6]", 6));
  CHECK(contains(text, "tensor \"y\""));
  const std::string long_name(1 << 20, 'n');
  CHECK(parse(file_of("{\"" + long_name + "\":" + entry("\"U8\"", "[0]", "[0,0]") + "}")).tensors.begin()->first ==
        long_name);
  REFUSED(file_of("{\"" + long_name + "\":" + entry("\"U8\"", "[1]", "[0,0]") + "}"), " ... ");
}

TEST_CASE("safetensors: a hundred thousand tensors on one span are refused before any is made") {
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i)
    header +=
        (i ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[1048576],"data_offsets":[0,1048576]})";
  const std::string bytes = file_of(header + "}", std::string(1 << 20, '\0'));
  reset_peak_memory();
  const auto peak = memory_stats().peak_bytes;
  REFUSED(bytes, "overlap");
  CHECK(memory_stats().peak_bytes == peak);
}

TEST_CASE("every prefix of a file, and every changed header byte, is refused or read: nothing else happens") {
  const Folder folder;
  io::write_safetensors(folder / "a", {{"w", tensor({{1, 2}, {3, 4}})}, {"n", full({3}, 5, i64)}}, {{"k", "v"}});
  const std::string whole = contents(folder / "a");
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK(refusal(whole.substr(0, n)) != "ACCEPTED");
  CHECK(refusal(whole) == "ACCEPTED");
  CHECK(refusal(whole + "x") != "ACCEPTED");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int flip : {1, 0x20, 0x80}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      refusal(changed);
    }
  }
}

TEST_CASE("a file that can't be read or written is named, with the reason") {
  const Folder folder;
  const auto read = [](const fs::path& path) {
    try {
      io::read_safetensors(path);
    } catch (const FormatError& e) { return std::string(e.what()); }
    return std::string();
  };
  CHECK(contains(read(folder / "none"), "none: can't open it: No such file or directory"));
  CHECK(contains(read(folder.path), "can't read it: Is a directory"));
  CHECK(contains(read("/dev/null"), "not a regular file"));
  CHECK_THROWS_AS(io::write_safetensors(folder / "no" / "a", {{"x", ones({1})}}), FormatError);
  CHECK_THROWS_AS(io::write_safetensors(folder / "a", {{"x", Tensor()}}), ArgumentError);
  CHECK_THROWS_AS(io::write_safetensors(folder / "a", {{"__metadata__", ones({1})}}), ArgumentError);
  CHECK_THROWS_AS(io::write_safetensors(folder / "a", {{"\xFF", ones({1})}}), ArgumentError);
  CHECK(folder.files().size() == 0);
}

TEST_CASE("a write replaces files alone: no device, no folder, and of a link what it leads to") {
  const Folder folder;
  const auto written = [](const fs::path& path) {
    return message_of<FormatError>([&] { io::write_safetensors(path, {{"x", ones({1})}}); });
  };
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(written(folder / "pipe"), "pipe: can't write it: not a regular file"));
  CHECK(fs::is_fifo(folder / "pipe"));
  CHECK(contains(written(folder.path), "can't write it: Is a directory"));
  io::write_safetensors(folder / "a", {{"x", zeros({1})}});
  fs::create_symlink("a", folder / "link");
  CHECK(written(folder / "link") == "nothing thrown");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(io::read_safetensors(folder / "a").tensors.at("x").item() == 1);
  CHECK(folder.files().size() == 3);
  fs::create_symlink("round", folder / "round");
  CHECK(contains(written(folder / "round"), "round: can't write it: Too many levels of symbolic links"));
  CHECK(contains(written(""), "a path that is empty"));
}

TEST_CASE("a write keeps the old file's mode, and gives a new one what the umask leaves") {
  const Folder folder;
  const auto mode_of = [](const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); };
  const mode_t mask = ::umask(027);
  io::write_safetensors(folder / "new", {{"x", ones({1})}});
  ::umask(mask);
  CHECK(mode_of(folder / "new") == 0640);
  REQUIRE(::chmod((folder / "new").c_str(), 0600) == 0);
  io::write_safetensors(folder / "new", {{"x", zeros({1})}});
  CHECK(mode_of(folder / "new") == 0600);
  CHECK(folder.files().size() == 1);
}

TEST_CASE("a write that fails half-way leaves the old file and no other") {
  const Folder folder;
  io::write_safetensors(folder / "a", {{"x", ones({4})}});
  const std::string before = contents(folder / "a");
  rlimit old;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10'000, old.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string text;
  try {
    io::write_safetensors(folder / "a", {{"x", ones({100'000})}});
  } catch (const FormatError& e) { text = e.what(); }
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  CHECK(contains(text, "can't write it: File too large"));
  CHECK(contents(folder / "a") == before);
  CHECK(folder.files().size() == 1);
}
