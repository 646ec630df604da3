#define WEFT_CONVERT convert_loops_base
#include "convert.inc"
