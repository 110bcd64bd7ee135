// The variables of an optimizer as C++ sees them (level L4).
#pragma once
#include "optimizer.h"
#include "r_tensor.h"

namespace birnn {

// One update: `table` is optimizer_table() of R, `variables` the trainable ones, `gradients` one view each.
// Counts the call in the optimizer's `iteration`.
void apply_optimizer(const Rcpp::List& table, const Rcpp::List& variables, const std::vector<View>& gradients);

}  // namespace birnn
