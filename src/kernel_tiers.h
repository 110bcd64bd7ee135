// Compiles the header of kernels named by BIRNN_KERNELS once for each instruction set: in the namespaces base_kernels,
// avx2_kernels and avx512_kernels, with BIRNN_LANES floats in a vector (level L1). No special compiler flags: target
// pragmas. What the standard library and the compiler define inline is included here, before them: a copy compiled for
// an instruction set that the processor lacks must not become the one that the linker takes for everybody.
#include <cstdint>

#include "kernel_platform.h"
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace birnn {
namespace base_kernels {
#define BIRNN_LANES 4
#include BIRNN_KERNELS
#undef BIRNN_LANES
}  // namespace base_kernels
}  // namespace birnn

#if defined(BIRNN_X86_KERNELS)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace birnn {
namespace avx2_kernels {
#define BIRNN_LANES 8
#include BIRNN_KERNELS
#undef BIRNN_LANES
}  // namespace avx2_kernels
}  // namespace birnn
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#endif
namespace birnn {
namespace avx512_kernels {
#define BIRNN_LANES 16
#include BIRNN_KERNELS
#undef BIRNN_LANES
}  // namespace avx512_kernels
}  // namespace birnn
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // BIRNN_X86_KERNELS
