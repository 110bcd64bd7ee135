// The vector kernels on arrays: pairs of them, sums, softmax, losses (level L1). One table for each instruction set and
// type.
//
// Arrays may start anywhere. A sum has an order that depends only on the number of its elements; sums are taken in
// double.
#pragma once

#include "kernel_platform.h"

namespace birnn {

enum class Combination {
  add,
  subtract,
  multiply,
  divide,
  maximum,
  minimum,
  power,
  probability_entropy,  // binary cross-entropies of a label and a prediction; parameters: kernel_pairs.h
  logit_entropy,
  clip  // of a; parameters: the bounds
};
constexpr int combination_params = 4;

// Two operands of a combination; one with step 0 is a single number met by all elements of a row. Rows of an operand
// are row_a, row_b apart.
template <typename T>
struct Operands {
  const T* a;
  long step_a;
  const T* b;
  long step_b;
  long row_a = 0, row_b = 0;
  T params[combination_params] = {};
};

template <typename T>
struct ArrayKernels {
  // y[r][e] = a[r][e] op b[r][e], rows of n elements
  void (*combine)(Combination, long rows, long n, const Operands<T>&, T* y);
  // dx[r][e] (+)= dy[r][e] times the slope by operand 0 or 1; rows of dx are row_dx apart, 0 makes a sum of them. a, b
  // or y may be null if the slope does not need it.
  void (*combine_slope)(Combination, int operand, long rows, long n, const Operands<T>&, const T* y, const T* dy,
                        bool accumulate, T* dx, long row_dx);
  // The sum of one row of them.
  double (*combine_slope_sum)(Combination, int operand, long n, const Operands<T>&, const T* y, const T* dy);
  // to (columns, rows) = from (rows, columns) transposed; the steps are those between stored rows.
  void (*transpose)(long rows, long columns, const T* from, long from_step, T* to, long to_step);
  // y[e] += x[e]
  void (*add)(long n, const T* x, T* y);
  double (*sum)(long n, const T* x);
  // The sum of (x[e] - centre)^2
  double (*sum_of_squares)(long n, const T* x, double centre);
  // The same for rows of n numbers, added to sums[r].
  void (*add_row_sums)(long rows, long n, const T* x, double* sums);
  void (*add_row_squares)(long rows, long n, const T* x, const double* centres, double* sums);
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
  // The softmax of every column of n rows, or its logarithm; and the gradient from the values y.
  void (*column_softmax)(bool logarithm, long n, long columns, const T* x, T* y);
  void (*column_softmax_slope)(bool logarithm, long n, long columns, const T* y, const T* dy, bool accumulate, T* dx);
  // Cross-entropies of rows of n labels y and predictions x, and the gradient of the labels (operand 0) or the
  // predictions (1). Parameters: those of the binary ones.
  void (*cross_entropy)(bool logits, const T* params, long rows, long n, const T* y, const T* x, T* values);
  void (*cross_entropy_slope)(bool logits, const T* params, int operand, long rows, long n, const T* y, const T* x,
                              const T* dy, bool accumulate, T* dx);
};

using ArrayTable = ByType<ArrayKernels>;

extern const ArrayTable array_kernels_base;
#if defined(BIRNN_X86_KERNELS)
extern const ArrayTable array_kernels_avx2, array_kernels_avx512;
#endif

}  // namespace birnn
