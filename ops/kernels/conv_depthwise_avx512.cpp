#define WEFT_DEPTHWISE depthwise_sums_avx512
#include "conv_depthwise.inc"
