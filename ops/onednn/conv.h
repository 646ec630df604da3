// f32 and bf16 convolutions through oneDNN. No header of oneDNN's is seen here.
//
// Images lie with their channels last, and oneDNN takes them so: its kernels for that layout are as fast as those for
// its blocked ones (measured over 32 shapes with oneDNN 2.6.3; but for depthwise weight gradients, which are our own),
// and nothing has to be brought from one layout to another between convolutions. Only weights are, at each call (they
// are small, or cut) or by pack(), once for many.
//
// Bits: primitives are made for one thread and run in our own region over pieces that the shape alone decides; the
// weight's gradient is the f32 sum of the images' pieces in their order, rounded once where it is to be bf16.
#pragma once

#include "../kernels/conv.h"

namespace weft::onednn {

/// Computes one of x, w and y, f32 or bf16, from the other two. Throws ArgumentError, which names the shape, when
/// oneDNN refuses; std::bad_alloc. `packed`: w is what pack() made of it.
void run(const ConvShape&, DType, void* x, void* w, void* y, bool packed = false);

/// For y or x: the weight as the primitives want it, at an address of 64 bytes' alignment. 0 bytes: it lies so already.
std::size_t packed_bytes(const ConvShape&, DType);
void pack(const ConvShape&, DType, const void* w, void* packed);

/// The same for y, of the weight [channels, outputs, window...] whose taps run backwards: a gradient for x that is
/// computed as a convolution. 0 bytes: its order is oneDNN's own affair.
std::size_t packed_turned_bytes(const ConvShape&, DType);
void pack_turned(const ConvShape&, const float* w, float* packed);

/// Whether there is a bf16 kernel for it, of the instruction that adds products in f32: this CPU and WEFT_ISA allow it,
/// oneDNN has one, and the instruction is worth it.
bool has_bf16(const ConvShape&);

/// Into how many pieces the minibatch is cut, and the channels: x's where x is computed, else y's.
struct ConvCut {
  std::int64_t images, channels;
};
ConvCut conv_cut(const ConvShape&);

}  // namespace weft::onednn
