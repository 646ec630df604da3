// How accurate the ops of the table and the functions over them are. Exits with 1 if a bound is broken.
//
//   accuracy FILE           measures all and writes FILE; some minutes
//   accuracy --op NAME      measures one op or function
//   accuracy --all [NAME...] [--to FILE]
//                           all 2^32 inputs of unary ops in f32, of all of them by default, on all cores: a minute or
//                           two an op. With --to the figures go into FILE's table, which was written before.
#include <cstdio>
#include <cstring>

#include "sections.h"

namespace {

using namespace weft::accuracy;

int measure(const char* only, const char* path) {
  std::string text;
  bool good = true;
  int rows = 0;
  for (const auto& part : {of_elementwise_ops, of_other_ops, of_functions}) {
    const Section section = part(only);
    text += section.text;
    good &= section.good;
    rows += section.rows;
  }
  if (rows == 0) return std::printf("there is nothing to measure of %s\n", only), 2;
  if (path && !write(path, text + all_inputs_of(path))) return std::perror(path), 2;
  return !good;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--op") == 0) return measure(argv[2], nullptr);
  if (argc >= 2 && std::strcmp(argv[1], "--all") == 0) {
    std::vector<std::string> names(argv + 2, argv + argc);
    std::string path;
    if (names.size() >= 2 && names[names.size() - 2] == "--to") {
      path = names.back();
      names.resize(names.size() - 2);
    }
    return sweep_all_inputs(names, path);
  }
  if (argc == 2 && argv[1][0] != '-') return measure(nullptr, argv[1]);
  std::puts("accuracy FILE | --op NAME | --all [NAME...] [--to FILE]");
  return 2;
}
