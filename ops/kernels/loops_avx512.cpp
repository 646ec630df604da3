#define WEFT_LOOPS native_loops_avx512
#include "loops.inc"
