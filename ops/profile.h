// Ops in profiles.
#pragma once

#include "../tensor/profile_log.h"
#include "op.h"

namespace weft {

/// Begins the span of an op that the door is about to run.
void profile_op(detail::ProfileSpan& span, const Op& op, const Attrs& attrs, std::span<const Tensor> in,
                std::size_t outputs);

/// What a profile says of an op: its name, operands and work, the bytes apart.
detail::ProfileItem profile_item(const Op& op, const Attrs& attrs, Types in, Types out, const Origin& origin);

/// The bytes of the elements that a view shows, each counted once.
double bytes_shown(const View& view);

}  // namespace weft
