#define WEFT_DEPTHWISE depthwise_sums_avx512
#include "conv_depthwise.inc"

#define WEFT_DEPTHWISE_ROWS depthwise_rows_avx512
#include "conv_depthwise_rows.inc"
