// The recurrent kernels for one type of numbers, BIRNN_SCALAR, of every instruction set (level L1). A file of its own
// includes this for each type, so that they are compiled side by side.
#include "kernel_recurrent.h"

#define BIRNN_JOIN_AS_THEY_ARE(a, b, c) a##b##c
#define BIRNN_JOIN(a, b, c) BIRNN_JOIN_AS_THEY_ARE(a, b, c)
#define BIRNN_SCALAR_KERNELS BIRNN_JOIN(recurrent_, BIRNN_SCALAR, s)
#define BIRNN_KERNELS "kernel_cells.h"
#include "kernel_tiers.h"

namespace birnn {
extern const RecurrentTable<BIRNN_SCALAR> BIRNN_JOIN(recurrent_, BIRNN_SCALAR, _kernels) = {
    base_kernels::BIRNN_SCALAR_KERNELS::recurrent_table(),
#if defined(BIRNN_X86_KERNELS)
    avx2_kernels::BIRNN_SCALAR_KERNELS::recurrent_table(),
    avx512_kernels::BIRNN_SCALAR_KERNELS::recurrent_table(),
#endif
};
}  // namespace birnn
