#define WEFT_UNIFORM uniform_loops_avx512
#include "uniform.inc"
