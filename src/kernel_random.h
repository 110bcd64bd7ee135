// The vector kernels of random numbers: the same bits on every instruction set (level L1). The generator: random.h.
#pragma once
#include <cstdint>

#include "kernel_platform.h"

namespace birnn {

struct RandomKernels {
  // The words of `blocks` blocks of Philox from block `first` on, four for each.
  void (*words)(std::uint64_t key, std::uint64_t first, long blocks, std::uint32_t* words);
  // y[e] = kept where the uniform_float() of a word is at least threshold / 2^24, else 0.
  void (*mask)(long n, const std::uint32_t* words, std::int32_t threshold, float kept, float* y);
  // y[e] = mean + stddev * element e of the stream of normal numbers.
  void (*normal_floats)(std::uint64_t key, long n, float mean, float stddev, float* y);
  void (*normal_doubles)(std::uint64_t key, long n, double mean, double stddev, double* y);
  // p[e] = the quantile of the normal distribution at p[e], which lies in [1e-11, 1 - 1e-11].
  void (*normal_quantiles)(long n, double* p);
};

extern const RandomKernels random_kernels_base;
#if defined(BIRNN_X86_KERNELS)
extern const RandomKernels random_kernels_avx2, random_kernels_avx512;
#endif

}  // namespace birnn
