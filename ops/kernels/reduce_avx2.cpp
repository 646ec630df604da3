#define WEFT_REDUCE reduce_loops_avx2
#include "reduce.inc"
