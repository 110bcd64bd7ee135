// The vector kernels of elementwise work: one table of functions for each instruction set and type (level L1).
//
// Every element is computed by the same vector code, wherever it lies: at the end of an array it is part of a vector
// filled up with zeros. So its bits depend neither on its place nor on the number of elements.
#pragma once

#include "kernel_platform.h"

namespace birnn {

// Functions of one element, with up to three parameters. The activations are those of Keras 3
// (keras/src/activations/activations.py).
enum class Function {
  linear,
  tanh,
  sigmoid,
  relu,  // negative_slope = 0, max_value = Inf, threshold = 0
  relu6,
  leaky_relu,  // negative_slope = 0.2
  elu,         // alpha = 1
  selu,
  celu,  // alpha = 1
  softplus,
  softsign,
  silu,
  gelu,       // x * (normal distribution function), through erf
  gelu_tanh,  // the approximate form
  exponential,
  log_sigmoid,
  hard_sigmoid,
  hard_silu,
  hard_tanh,
  mish,
  tanh_shrink,
  soft_shrink,  // threshold = 0.5
  hard_shrink,  // threshold = 0.5
  threshold,    // threshold = 0, default_value = 0
  squareplus,   // b = 4
  sparse_plus,
  sparse_sigmoid,
  // not activations:
  negative,
  absolute,
  square,
  expm1,
  log,
  log1p,
  square_root,
  reciprocal_root,
  reciprocal,
  erf,
  sine,
  cosine,
  log2,
  log10,
  sign,
  floor,
  ceiling,
  round  // halves to the even neighbour
};

template <typename T>
struct ElementKernels {
  // y[e] = function of x[e]; y may be x.
  void (*value)(Function, const T* params, long n, const T* x, T* y);
  // dx[e] (+)= dy[e] times the slope at x[e], where the function has the value y[e]. dy null: the slope itself. x or y
  // may be null if the slope does not need it; dx may be any of them.
  void (*slope)(Function, const T* params, long n, const T* x, const T* y, const T* dy, bool accumulate, T* dx);
};

using ElementTable = ByType<ElementKernels>;

extern const ElementTable element_kernels_base;
#if defined(BIRNN_X86_KERNELS)
extern const ElementTable element_kernels_avx2, element_kernels_avx512;
#endif

}  // namespace birnn
