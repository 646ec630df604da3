#define WEFT_LOOPS native_loops_base
#include "loops.inc"
