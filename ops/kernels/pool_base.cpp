#define WEFT_POOL pool_loops_base
#include "pool.inc"
