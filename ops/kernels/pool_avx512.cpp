#define WEFT_POOL pool_loops_avx512
#include "pool.inc"
