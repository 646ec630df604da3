// The rounds of a loop by rows: a recurrent net's examples have nothing to do with each other.
#include <algorithm>
#include <cstring>

#include "../tensor/parallel.h"
#include "../tensor/profile_log.h"
#include "executable.h"
#include "executable_frame.h"

namespace weft {

bool Executable::run_rounds(std::int64_t rounds, std::size_t moving, Views in, const Operands& operands) {
  // All steps have to be one region; what follows are copies of whole values. A profile tells steps apart.
  if (regions_.size() != 1 || regions_[0].begin != 0 || detail::profiled()) return false;
  const Region& region = regions_[0];
  const int threads = threads_for(region);
  std::vector<bool> moves(graph_.values.size());
  for (std::size_t k = 0; k < moving; ++k) moves[graph_.inputs[k]] = true;
  const auto bytes_of = [&](ValueId v) { return graph_.type(v).bytes(); };
  const auto by_rows = [&](const Step& step) {
    const auto* copy = std::get_if<CopyStep>(&step);
    return copy && is_whole(copy->from, graph_.type(copy->from.base)) &&
           count(graph_.type(copy->from.base).shape) % region.rows == 0;
  };
  if (threads <= 1 || !keeps_to_rows_of(moves, region, graph_, steps_) ||
      !std::all_of(steps_.begin() + static_cast<std::ptrdiff_t>(region.end), steps_.end(), by_rows))
    return false;

  struct Thread {
    std::vector<View> in, out;
    std::vector<std::byte*> slots;
  };
  std::unique_ptr<Frame> frame = take_frame();
  std::vector<Thread> team(static_cast<std::size_t>(threads),
                           {{in.begin(), in.end()}, std::vector<View>(graph_.outputs.size()), frame->slots});
  operands(0, team[0].in, team[0].out);
  const auto dense = [](const View& v) { return v.contiguous(); };
  const bool fits = std::all_of(team[0].in.begin(), team[0].in.end(), dense) &&
                    std::all_of(team[0].out.begin(), team[0].out.end(), dense);
  if (fits)
    parallel_for(threads, threads, [&](std::int64_t part) {
      Thread& t = team[static_cast<std::size_t>(part)];
      const std::int64_t begin = region.rows * part / threads, end = region.rows * (part + 1) / threads;
      for (std::int64_t round = 0; round < rounds; ++round) {
        operands(round, t.in, t.out);
        for (std::size_t k = 0; k < t.in.size(); ++k) t.slots[graph_.inputs[k]] = t.in[k].as<std::byte>();
        for (std::size_t k = 0; k < t.out.size(); ++k)
          if (direct_[k] != no_value) t.slots[direct_[k]] = t.out[k].as<std::byte>();
        run_region_part(region, graph_, steps_, t.slots.data(), begin, end);
        for (std::size_t i = region.end; i < steps_.size(); ++i) {
          const auto& copy = std::get<CopyStep>(steps_[i]);
          const std::int64_t row = bytes_of(copy.from.base) / region.rows;
          if (t.out[copy.output].data == t.slots[copy.from.base]) continue;
          std::memcpy(t.out[copy.output].as<std::byte>() + begin * row, t.slots[copy.from.base] + begin * row,
                      static_cast<std::size_t>((end - begin) * row));
        }
      }
    });
  put_back(std::move(frame));
  return fits;
}

}  // namespace weft
