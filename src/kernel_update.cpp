// The tables of update rules of every instruction set (level L1).
#include "kernel_update.h"

#define BIRNN_KERNELS "kernel_rules.h"
#include "kernel_tiers.h"

namespace birnn {

extern const UpdateTable update_kernels_base = base_kernels::update_table();
#if defined(BIRNN_X86_KERNELS)
extern const UpdateTable update_kernels_avx2 = avx2_kernels::update_table();
extern const UpdateTable update_kernels_avx512 = avx512_kernels::update_table();
#endif

}  // namespace birnn
