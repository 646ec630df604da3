#define WEFT_ATTENTION attention_loops_base
#include "attention.inc"
