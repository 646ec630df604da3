#define WEFT_ATTENTION attention_loops_avx2
#include "attention.inc"
