// The variables of an optimizer as C++ sees them (level L4).
#pragma once
#include "optimizer.h"
#include "r_tensor.h"

namespace birnn {

// An optimizer of R with the variables it updates. The R objects must outlive it.
class BoundOptimizer {
 public:
  // `table`: optimizer_table() of R; `variables`: the trainable ones.
  BoundOptimizer(const Rcpp::List& table, const std::vector<SEXP>& variables);

  // One update by `gradients`, one view a variable. Counts the call in the optimizer's `iteration`.
  void apply(const std::vector<View>& gradients);

 private:
  Attrs spec_;
  SEXP iteration_, learning_rate_;
  SEXP product_ = nullptr;  // Nadam's product of momenta
  std::vector<SEXP> variables_;
  std::vector<std::vector<SEXP>> slots_;
  std::vector<Parameter> parameters_;
};

}  // namespace birnn
