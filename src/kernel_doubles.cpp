// The recurrent kernels for double, of every instruction set (level L1).
#include "kernel_recurrent.h"

#define BIRNN_SCALAR double
#define BIRNN_SCALAR_KERNELS doubles
#define BIRNN_KERNELS "kernel_cells.h"
#include "kernel_tiers.h"

namespace birnn {
extern const RecurrentTable<double> recurrent_double_kernels = {
    base_kernels::doubles::recurrent_table(),
#if defined(BIRNN_X86_KERNELS)
    avx2_kernels::doubles::recurrent_table(),
    avx512_kernels::doubles::recurrent_table(),
#endif
};
}  // namespace birnn
