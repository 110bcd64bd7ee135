// The matrix products of every instruction set (level L1).
#include "kernel_gemm.h"

#define BIRNN_KERNELS "kernel_product.h"
#include "kernel_tiers.h"

namespace birnn {

extern const GemmTable gemm_kernels_base = base_kernels::gemm_table();
#if defined(BIRNN_X86_KERNELS)
extern const GemmTable gemm_kernels_avx2 = avx2_kernels::gemm_table();
extern const GemmTable gemm_kernels_avx512 = avx512_kernels::gemm_table();
#endif

}  // namespace birnn
