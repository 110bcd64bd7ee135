// The vector kernels on arrays: pairs of them, sums, softmax (level L1). One table for each instruction set and type.
//
// Arrays may start anywhere. A sum has an order that depends only on the number of its elements; sums are taken in
// double.
#pragma once

#include "kernel_platform.h"

namespace birnn {

enum class Combination { add, subtract, multiply, divide, maximum, minimum };

// Two operands of a combination; one with step 0 is a single number met by all elements.
template <typename T>
struct Operands {
  const T* a;
  long step_a;
  const T* b;
  long step_b;
};

template <typename T>
struct ArrayKernels {
  // y[e] = a[e] op b[e]
  void (*combine)(Combination, long n, const Operands<T>&, T* y);
  // dx[e] (+)= dy[e] times the slope by operand 0 or 1. a, b or y may be null if the slope does not need it.
  void (*combine_slope)(Combination, int operand, long n, const Operands<T>&, const T* y, const T* dy, bool accumulate,
                        T* dx);
  // Their sum.
  double (*combine_slope_sum)(Combination, int operand, long n, const Operands<T>&, const T* y, const T* dy);
  // to (columns, rows) = from (rows, columns) transposed; the steps are those between stored rows.
  void (*transpose)(long rows, long columns, const T* from, long from_step, T* to, long to_step);
  // y[e] += x[e]
  void (*add)(long n, const T* x, T* y);
  double (*sum)(long n, const T* x);
  // The sum of (x[e] - centre)^2
  double (*sum_of_squares)(long n, const T* x, double centre);
  // sums[e] += x[e] or (x[e] - centre[e])^2
  void (*add_to_sums)(long n, const T* x, double* sums);
  void (*add_squares_to_sums)(long n, const T* x, const double* centres, double* sums);
  // y = exp(x - max) / sum(exp(x - max)); dx (+)= y (dy - sum(y dy)); y may be x
  void (*softmax)(long n, const T* x, T* y);
  void (*softmax_slope)(long n, const T* y, const T* dy, bool accumulate, T* dx);
  // The largest element, and the logarithm of the sum of exp(x - max).
  void (*log_sum_exp)(long n, const T* x, T* max, T* log_sum);
  // y = (x - max) - log_sum
  void (*subtract_two)(long n, const T* x, T max, T log_sum, T* y);
  // dx (+)= factor exp((x - max) - log_sum)
  void (*scaled_exp)(long n, const T* x, T max, T log_sum, T factor, bool accumulate, T* dx);
};

using ArrayTable = ByType<ArrayKernels>;

extern const ArrayTable array_kernels_base;
#if defined(BIRNN_X86_KERNELS)
extern const ArrayTable array_kernels_avx2, array_kernels_avx512;
#endif

}  // namespace birnn
