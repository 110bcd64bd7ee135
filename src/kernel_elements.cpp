// The tables of elementwise kernels of every instruction set (level L1).
#include "kernel_elements.h"

#define BIRNN_KERNELS "kernel_map.h"
#include "kernel_tiers.h"

namespace birnn {

extern const ElementTable element_kernels_base = base_kernels::element_table();
#if defined(BIRNN_X86_KERNELS)
extern const ElementTable element_kernels_avx2 = avx2_kernels::element_table();
extern const ElementTable element_kernels_avx512 = avx512_kernels::element_table();
#endif

}  // namespace birnn
