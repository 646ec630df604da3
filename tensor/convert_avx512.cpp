#define WEFT_CONVERT convert_loops_avx512
#include "convert.inc"
