#define WEFT_UNIFORM uniform_loops_base
#include "uniform.inc"
