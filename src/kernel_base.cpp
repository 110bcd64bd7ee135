// The kernels for any processor: vectors of four floats (level L1). On x86-64 that is SSE2, on arm64 NEON.
#include "kernel_recurrent.h"

#define BIRNN_LANES 4
#if defined(__aarch64__)
#define BIRNN_SUMS 24
#else
#define BIRNN_SUMS 12
#endif

namespace birnn {
namespace base_kernels {
#include "kernel_cells.h"
}  // namespace base_kernels

extern const RecurrentKernels recurrent_kernels_base = BIRNN_RECURRENT_KERNELS("base", base_kernels);
}  // namespace birnn
