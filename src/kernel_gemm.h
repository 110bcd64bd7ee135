// The table of matrix products, one for each instruction set (level L1). Contract and layout: gemm.h.
#pragma once

#include "kernel_platform.h"

namespace birnn {

template <typename T>
struct GemmArgs {
  bool trans_a, trans_b;
  long m, n, k;
  const T* a;
  long lda;
  const T* b;
  long ldb;
  bool accumulate;
  T* c;
  long ldc;
  void* space;  // gemm_space bytes, for a packed block of B
};

constexpr long gemm_space = 1L << 19;  // half of a second-level cache

template <typename T>
struct GemmKernels {
  void (*run)(const GemmArgs<T>&);
};
using GemmTable = ByType<GemmKernels>;

extern const GemmTable gemm_kernels_base;
#if defined(BIRNN_X86_KERNELS)
extern const GemmTable gemm_kernels_avx2, gemm_kernels_avx512;
#endif

}  // namespace birnn
