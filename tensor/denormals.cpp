#include "denormals.h"

#include <immintrin.h>

namespace weft {
namespace {

constexpr unsigned operands = 1u << 6, results = 1u << 15, exceptions = 0x3f;  // of MXCSR

}  // namespace

unsigned detail::float_mode() { return _mm_getcsr() & ~exceptions; }
void detail::set_float_mode(unsigned mode) {
  if (const unsigned now = _mm_getcsr(); (now & ~exceptions) != mode) _mm_setcsr(mode | (now & exceptions));
}

void set_flush_denormals(bool flush) {
  const unsigned mode = detail::float_mode(), both = operands | results;
  detail::set_float_mode(flush ? mode | both : mode & ~both);
}
bool flush_denormals() { return detail::float_mode() & results; }

}  // namespace weft
