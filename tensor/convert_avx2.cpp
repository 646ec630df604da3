#define WEFT_CONVERT convert_loops_avx2
#include "convert.inc"
