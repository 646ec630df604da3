// Tables, batches, spirals, progress.
#include <weft/weft.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "catch.h"

using namespace weft;

namespace {

data::Table table(std::string_view text) { return data::Table(io::parse_csv(text)); }

constexpr const char* people =
    "age,town,height,member,team\n"
    "30,Bonn,1.7,yes,a\n"
    "NA,Ulm,1.8,no,b\n"
    "40,Bonn,,yes,a\n"
    "30,Bonn,1.7,yes,a\n"
    "50,,1.6,no,c\n"
    "20,Jena,1e999,NA,\n";

template <class F> std::string message_of(F f) {
  try {
    f();
  } catch (const ArgumentError& e) { return e.op() + ": " + e.rule(); }
  return "no error";
}

}  // namespace

TEST_CASE("a table knows numbers from text, and what is missing") {
  const data::Table t = table(people);
  CHECK(t.rows() == 6);
  CHECK(t.column("age").numeric);
  CHECK_FALSE(t.column("town").numeric);
  CHECK(t.column("height").numeric);
  CHECK(t.missing() == 6);
  CHECK(t.column("town").categories() == std::vector<std::string>{"Bonn", "Jena", "Ulm"});
  CHECK(t.column("age").categories() == std::vector<std::string>{"20", "30", "40", "50"});
  CHECK(message_of([&] { t.column("Age"); }) ==
        "column: there is no column \"Age\"; the columns are age, town, height, member, team");
}

TEST_CASE("cleaning: rows dropped, values filled, duplicates dropped") {
  data::Table t = table(people);
  CHECK(t.drop_missing("team") == 1);
  CHECK(t.drop_duplicates() == 1);
  CHECK(t.rows() == 4);
  CHECK(t.fill_missing() == 3);
  CHECK(t.column("age").numbers == std::vector<double>{30, 40, 40, 50});  // the median of 30, 40, 50
  CHECK(t.column("town").texts == std::vector<std::string>{"Bonn", "Ulm", "Bonn", "Bonn"});
  CHECK(t.column("height").numbers[2] == Approx(1.7));
  CHECK(t.missing() == 0);
  data::Table all = table(people);
  CHECK(all.drop_missing() == 4);
  CHECK(all.rows() == 2);
  data::Table hollow = table("a,b\n1,\n2,NA\n");
  CHECK(hollow.fill_missing() == 0);
  CHECK(hollow.names() == std::vector<std::string>{"a"});
  data::Table same = table("a,b\n0,x\n-0,x\nnan,\nNA,\n1,x\n");
  CHECK(same.drop_duplicates() == 2);
  data::Table ids = table("id,x\n9007199254740993,1e300\n9007199254740992,1\n");  // one f64 would be both
  CHECK_FALSE(ids.column("id").numeric);
  CHECK(ids.column("x").numeric);
  CHECK(ids.drop_duplicates() == 0);
  CHECK(ids.take_labels("id").classes.size() == 2);
  data::Table large = table("a\n1e308\n1e308\nNA\n");
  large.fill_missing();
  CHECK(large.column("a").numbers[2] == 1e308);
}

TEST_CASE("encoding: labels in sorted order, one column for two values, one each for more") {
  data::Table t = table(people);
  t.drop_missing("team");
  t.fill_missing();
  const data::Labels labels = t.take_labels("team");
  CHECK(labels.classes == std::vector<std::string>{"a", "b", "c"});
  CHECK(labels.y.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 0, 0, 2});
  CHECK_THROWS_AS(t.to_tensor(), ArgumentError);
  t.encode();
  CHECK(t.names() == std::vector<std::string>{"age", "town=Ulm", "height", "member=yes"});
  CHECK(t.to_tensor().shape() == Shape{5, 4});
  data::Table three = table("c,n\nx,10\ny,9\nz,10\n");
  CHECK(three.take_labels("n").classes == std::vector<std::string>{"9", "10"});  // numbers by value
  three.encode();
  CHECK(three.names() == std::vector<std::string>{"c=x", "c=y", "c=z"});
  CHECK(three.to_tensor().to_vector<float>() == std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1});
}

TEST_CASE("labels and columns that can't be are refused by name") {
  data::Table t = table(people);
  CHECK(message_of([&] { t.take_labels("class"); }).find("the columns are age, town") != std::string::npos);
  CHECK(message_of([&] { t.take_labels("team"); }).find("no value in row 6") != std::string::npos);
  CHECK(message_of([&] { table("a,b\n1,x\n2,x\n").take_labels("b"); }).find("1 distinct values") != std::string::npos);
  CHECK(message_of([&] { t.encode(2); }).find("\"town\" has 3 distinct values, at most 2") != std::string::npos);
  CHECK(t.columns().size() == 5);
  CHECK_THROWS_AS(data::Table().to_tensor(), ArgumentError);
  CHECK_THROWS_AS(data::Table({{"a", true, {1, 2}}, {"b", true, {1}}}), ArgumentError);
  CHECK_THROWS_AS(data::Table({{"a", true, {1}}, {"a", true, {1}}}), ArgumentError);
  CHECK_THROWS_AS(data::read_table("/nowhere.csv"), FormatError);
  CHECK(table("a\n3.4028235e38\n-3.4028235e38\n").to_tensor().shape() == Shape{2, 1});  // as others write f32's last
  CHECK_THROWS_AS(table("a\n3.5e38\n1\n").to_tensor(), ArgumentError);
  data::Table clash = table("a=y,a\n1,y\n2,n\n3,y\n");
  CHECK(message_of([&] { clash.encode(); }).find("two columns would be called \"a=y\"") != std::string::npos);
  CHECK(data::Table(io::Csv()).rows() == 0);
}

TEST_CASE("a scaler brings columns to mean 0 and deviation 1, constant ones to 0") {
  const Tensor x = tensor({{1, 5, 2}, {3, 5, 4}, {5, 5, 9}});
  const auto scale = data::Scaler::fit(x);
  const Tensor z = scale(x);
  CHECK(mean(z, 0).to_vector<double>()[0] == Approx(0).margin(1e-7));
  CHECK(var(z, 0).to_vector<double>()[2] == Approx(1).epsilon(1e-6));
  CHECK(z.at({1, 1}) == 0);
  CHECK(scale(tensor({{3, 6, 5}})).to_vector<float>() == std::vector<float>{0, 1, 0});
  CHECK_THROWS_AS(data::Scaler::fit(zeros({0, 2})), ShapeError);
  CHECK_THROWS_AS(scale(zeros({3, 1})), ShapeError);
  CHECK(scale(zeros({2, 3}, f64)).dtype() == f64);
  CHECK_THROWS_AS(scale(zeros({2, 3}, i64)), DTypeError);
}

TEST_CASE("a split is a seeded partition") {
  const data::Split s = data::split(101, 0.15, 0.2, 7);
  CHECK(s.validation.size() == 15);
  CHECK(s.test.size() == 20);
  CHECK(s.train.size() == 66);
  std::set<std::int64_t> all;
  for (const auto* part : {&s.train, &s.validation, &s.test}) all.insert(part->begin(), part->end());
  CHECK(all.size() == 101);
  CHECK(*all.begin() == 0);
  CHECK(*all.rbegin() == 100);
  CHECK(data::split(101, 0.15, 0.2, 7).train == s.train);
  CHECK(data::split(101, 0.15, 0.2, 8).train != s.train);
  CHECK_THROWS_AS(data::split(10, 0.6, 0.6), ArgumentError);
  CHECK_THROWS_AS(data::split(10, -0.1, 0.2), ArgumentError);
  CHECK_THROWS_AS(data::split(10, NAN, 0.2), ArgumentError);
  CHECK_THROWS_AS(data::split(2, 0.1, 0.1), ArgumentError);
}

TEST_CASE("batches cover every row once, in an order that seed and epoch decide") {
  const Tensor x = reshape(arange(22), {11, 2}), y = arange(11);
  const auto order = [&](const data::Batches<2>& batches, std::int64_t epoch) {
    std::vector<std::int64_t> seen;
    std::int64_t n = 0;
    for (const auto& [bx, by] : batches.epoch(epoch)) {
      CHECK(bx.shape()[0] == by.shape()[0]);
      for (const auto v : by.to_vector<std::int64_t>()) seen.push_back(v);
      for (std::int64_t i = 0; i < by.size(); ++i) CHECK(bx.at({i, 1}) == 2 * by.at({i}) + 1);  // rows stay together
      ++n;
    }
    CHECK(n == batches.size());
    return seen;
  };
  const data::Batches a({.size = 4, .seed = 1}, x, y), b({.size = 4, .seed = 1}, x, y), c({.size = 4, .seed = 2}, x, y);
  CHECK(a.size() == 3);
  const auto first = order(a, 0);
  auto sorted = first;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> numbers(11);
  std::iota(numbers.begin(), numbers.end(), 0);
  CHECK(sorted == numbers);
  CHECK(order(b, 0) == first);
  CHECK(order(a, 0) == first);
  CHECK(order(a, 1) != first);
  CHECK(order(c, 0) != first);
  CHECK(order(data::Batches({.size = 4, .shuffle = false}, x, y), 5) == numbers);
  const data::Batches whole({.size = 4, .drop_last = true, .seed = 1}, x, y);
  CHECK(whole.size() == 2);
  CHECK(order(whole, 0).size() == 8);
  CHECK(order(data::Batches({.size = 100}, x, y), 0).size() == 11);
  CHECK(data::Batches({.size = 100, .drop_last = true}, x, y).size() == 0);
  CHECK_THROWS_AS(data::Batches({.size = 0}, x, y), ArgumentError);
  CHECK_THROWS_AS(data::Batches({}, x, arange(10)), ShapeError);
  CHECK_THROWS_AS(data::Batches({}, x, Tensor()), ArgumentError);
  CHECK_THROWS_AS(data::Batches({}, full({}, 1)), ShapeError);
}

TEST_CASE("a batch of more rows than there are is one batch") {
  const data::Batches all({.size = INT64_MAX}, zeros({5, 2}));
  CHECK(all.size() == 1);
  for (const auto& [x] : all.epoch(0)) CHECK(x.shape() == Shape{5, 2});
  CHECK(data::Batches({.size = INT64_MAX, .drop_last = true}, zeros({5, 2})).size() == 0);
  CHECK(data::Batches({.size = 5}, zeros({5})).size() == 1);
  CHECK(data::Batches({.size = 4}, zeros({5})).size() == 2);
  CHECK_THROWS_AS(data::take_rows(Tensor(), {}), ArgumentError);
}

TEST_CASE("rows are taken from views and of any dtype") {
  const std::vector<std::int64_t> rows = {2, 0, 2};
  CHECK(data::take_rows(transpose(tensor({{1, 2, 3}, {4, 5, 6}})), rows).to_vector<float>() ==
        std::vector<float>{3, 6, 1, 4, 3, 6});
  CHECK(data::take_rows(tensor<bool>({true, false, false}), rows).to_vector<bool>() ==
        std::vector<bool>{false, true, false});
  CHECK(data::take_rows(zeros({3, 0}), rows).shape() == Shape{3, 0});
  CHECK_THROWS_AS(data::take_rows(zeros({2}), rows), IndexError);
}

TEST_CASE("a permutation is fair") {
  std::vector<int> first(6);
  for (std::uint64_t seed = 0; seed < 6000; ++seed) ++first[static_cast<std::size_t>(data::permutation(6, seed)[0])];
  for (const int n : first) CHECK(n == Approx(1000).margin(150));
  CHECK(data::permutation(0, 1).empty());
}

TEST_CASE("spirals are seeded, and as large as they say") {
  const auto a = data::spirals(50, 2, 0.01, 3), b = data::spirals(50, 2, 0.01, 3), c = data::spirals(50, 2, 0.01, 4);
  CHECK(a.x.shape() == Shape{100, 2});
  CHECK(a.y.shape() == Shape{100});
  CHECK(sum(a.y).item() == 50);
  CHECK(a.x.to_vector<float>() == b.x.to_vector<float>());
  CHECK(a.x.to_vector<float>() != c.x.to_vector<float>());
  CHECK(max(abs(a.x)).item() < 1.2);
  const data::Table t = a.table();
  CHECK(t.names() == std::vector<std::string>{"x", "y", "arm"});
  CHECK(t.rows() == 100);
  CHECK_THROWS_AS(data::spirals(0), ArgumentError);
  CHECK_THROWS_AS(data::spirals(5, 1), ArgumentError);
  CHECK_THROWS_AS(data::spirals(5, 2, NAN), ArgumentError);
}

TEST_CASE("progress: a line with a bar, nothing where there is no terminal, NaN and 0 of 0 included") {
  CHECK(data::Progress::line("train", 5, 10, 65, {{"loss", 0.12345}}) ==
        "train [===============>              ]  50 %  1:05  loss 0.1235");
  CHECK(data::Progress::line("", 10, 10, 0, {{"loss", NAN}}) ==
        "[==============================] 100 %  0:00  loss nan");
  CHECK(data::Progress::line("", 0, 0, 0, {}).find("100 %") != std::string::npos);
  CHECK(data::Progress::line("", 20, 10, -1, {}).find("100 %  0:00") != std::string::npos);
  std::FILE* file = std::tmpfile();
  {
    data::Progress bar(3, "x", file);
    CHECK_FALSE(bar.visible());
    for (int i = 0; i <= 3; ++i) bar.update(i, {{"loss", NAN}});
  }
  CHECK(std::ftell(file) == 0);
  std::fclose(file);
}
