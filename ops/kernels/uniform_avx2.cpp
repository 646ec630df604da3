#define WEFT_UNIFORM uniform_loops_avx2
#include "uniform.inc"
