#define WEFT_ATTENTION attention_loops_avx512
#include "attention.inc"
