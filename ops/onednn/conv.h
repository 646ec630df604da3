// f32 convolutions through oneDNN. No header of oneDNN's is seen here.
//
// Images lie with their channels last, and oneDNN takes them so: measured over 17 shapes (oneDNN 2.6.3), its kernels for
// that layout run 3x3 windows at 92 to 130 % of the speed of those for its blocked ones, depthwise ones at 70 to 90 %, 1x1
// ones at 62 to 90 %, and nothing has to be brought from one layout to another between convolutions. Only weights are, at
// each call; they are small.
//
// Bits: primitives are made for one thread and run in our own region over pieces of the minibatch that the shape alone
// decides; the weight's gradient is the sum of the pieces' in their order.
#pragma once

#include "../kernels/conv.h"

namespace weft::onednn {

/// Computes one of x, w and y from the other two. Throws std::runtime_error, which names the shape, when oneDNN
/// refuses; std::bad_alloc.
void run(const ConvShape&, void* x, void* w, void* y);

/// Into how many pieces the minibatch is cut.
std::int64_t conv_pieces(const ConvShape&);

}  // namespace weft::onednn
