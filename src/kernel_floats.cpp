// The recurrent kernels for float, of every instruction set (level L1).
#include "kernel_recurrent.h"

#define BIRNN_SCALAR float
#define BIRNN_SCALAR_KERNELS floats
#define BIRNN_KERNELS "kernel_cells.h"
#include "kernel_tiers.h"

namespace birnn {
extern const RecurrentTable<float> recurrent_float_kernels = {
    base_kernels::floats::recurrent_table(),
#if defined(BIRNN_X86_KERNELS)
    avx2_kernels::floats::recurrent_table(),
    avx512_kernels::floats::recurrent_table(),
#endif
};
}  // namespace birnn
