#define WEFT_LOOPS native_loops_avx2
#include "loops.inc"
