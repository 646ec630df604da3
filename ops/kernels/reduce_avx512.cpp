#define WEFT_REDUCE reduce_loops_avx512
#include "reduce.inc"
