// Arenas between calls. A frame finds its own again, as long as nobody needed the room: of many traces, as for batches
// of many sizes, few keep theirs.
#pragma once

#include <cstddef>

#include "../tensor/storage.h"

namespace weft::detail {

/// Smaller ones stay where they are.
inline constexpr std::size_t shared_arena = 1 << 20;

/// Keeps an owner's arena until it takes it back. All that are kept come to at most twice what the largest of them was
/// and 64 MB: those that lay longest are freed.
void keep_arena(const void* owner, Storage arena);
/// The one kept, or none.
Storage take_arena(const void* owner);

}  // namespace weft::detail
