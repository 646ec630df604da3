#include <weft/bench/bench.h>

#include "cases.h"
#include "numbers.h"

namespace bench {

void register_models(const std::vector<Work>& works, const std::vector<Mode>& modes) {
  for (const Work& work : works)
    for (const Mode mode : modes) {
      const weft::bench::Facts facts{work.items, work.flops, work.bytes, work.per_step, work.threads, work.dtype};
      weft::bench::add_case("models/" + work.name + "/" + name_of(mode), facts, [work, mode] {
        const Step step = work.make(mode);
        const auto verify = [work, step] {
          const double value = check(step.results());
          return agrees(work, value) ? std::string() : wrong_check(work, value);
        };
        return weft::bench::Case{step.run, verify, step.stats};
      });
    }
}

}  // namespace bench
