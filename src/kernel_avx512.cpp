// The kernels for x86-64 with AVX-512: vectors of sixteen floats (level L1).
#include "kernel_recurrent.h"

#if defined(BIRNN_X86_KERNELS)
#define BIRNN_LANES 16
#define BIRNN_SUMS 24

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#endif
namespace birnn {
namespace avx512_kernels {
#include "kernel_cells.h"
}  // namespace avx512_kernels
}  // namespace birnn
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace birnn {
extern const RecurrentKernels recurrent_kernels_avx512 = BIRNN_RECURRENT_KERNELS("avx512", avx512_kernels);
}  // namespace birnn
#endif
