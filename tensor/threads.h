// How many threads kernels use. No result depends on it.
#pragma once

namespace weft {

/// How many threads a kernel may use: WEFT_NUM_THREADS, else OMP_NUM_THREADS, else the CPUs this process may run on.
int num_threads();

/// Sets it, from 1 to the machine's CPUs; another number is brought there, with a warning.
void set_num_threads(int n);

}  // namespace weft
