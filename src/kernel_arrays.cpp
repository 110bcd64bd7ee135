// The tables of kernels on arrays of every instruction set (level L1).
#include "kernel_arrays.h"

#define BIRNN_KERNELS "kernel_rows.h"
#include "kernel_tiers.h"

namespace birnn {

extern const ArrayTable array_kernels_base = base_kernels::array_table();
#if defined(BIRNN_X86_KERNELS)
extern const ArrayTable array_kernels_avx2 = avx2_kernels::array_table();
extern const ArrayTable array_kernels_avx512 = avx512_kernels::array_table();
#endif

}  // namespace birnn
