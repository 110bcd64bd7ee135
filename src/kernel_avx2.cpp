// The kernels for x86-64 with AVX2 and FMA: vectors of eight floats (level L1).
#include "kernel_recurrent.h"

#if defined(BIRNN_X86_KERNELS)
#define BIRNN_LANES 8
#define BIRNN_SUMS 12

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace birnn {
namespace avx2_kernels {
#include "kernel_cells.h"
}  // namespace avx2_kernels
}  // namespace birnn
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace birnn {
extern const RecurrentKernels recurrent_kernels_avx2 = BIRNN_RECURRENT_KERNELS("avx2", avx2_kernels);
}  // namespace birnn
#endif
