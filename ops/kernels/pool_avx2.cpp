#define WEFT_POOL pool_loops_avx2
#include "pool.inc"
