#define WEFT_DEPTHWISE depthwise_sums_avx2
#include "conv_depthwise.inc"
