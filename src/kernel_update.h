// The vector kernels of optimizers: update rules and the check for finite numbers (level L1). Formulas: kernel_rules.h.
#pragma once

#include "kernel_platform.h"

namespace birnn {

enum class Rule {
  sgd,
  sgd_momentum,
  sgd_nesterov,
  rmsprop,
  rmsprop_momentum,
  rmsprop_centered,
  rmsprop_centered_momentum,
  adam,
  adam_amsgrad,
  adamax,
  nadam,
  adagrad,
  adadelta,
  lion,
  decay,
  gather_gradient,
  moving_average
};

constexpr int max_rule_slots = 3, max_rule_params = 6;

template <typename T>
struct UpdateArgs {
  long n;
  const T* g;
  T scale, limit;  // the gradient is g * scale, limited to +-limit if that is not 0
  T* w;
  T* slots[max_rule_slots];
  T params[max_rule_params];
};

template <typename T>
struct UpdateKernels {
  void (*update)(Rule, const UpdateArgs<T>&);
  bool (*all_finite)(long n, const T* x);
};
using UpdateTable = ByType<UpdateKernels>;

extern const UpdateTable update_kernels_base;
#if defined(BIRNN_X86_KERNELS)
extern const UpdateTable update_kernels_avx2, update_kernels_avx512;
#endif

}  // namespace birnn
