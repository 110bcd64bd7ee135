// The tables of kernels of random numbers of every instruction set (level L1).
#include "kernel_random.h"

#define BIRNN_KERNELS "kernel_normal.h"
#include "kernel_tiers.h"

namespace birnn {

extern const RandomKernels random_kernels_base = base_kernels::random_table();
#if defined(BIRNN_X86_KERNELS)
extern const RandomKernels random_kernels_avx2 = avx2_kernels::random_table();
extern const RandomKernels random_kernels_avx512 = avx512_kernels::random_table();
#endif

}  // namespace birnn
