#define WEFT_REDUCE reduce_loops_base
#include "reduce.inc"
