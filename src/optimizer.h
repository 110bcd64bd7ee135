// Updates of variables by their gradients: clipping, weight decay, the rules, moving averages (level L3).
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "op.h"

namespace birnn {

// One trainable variable with its slots ("momentum", "velocity", "average", ...), all of the variable's dtype.
struct Parameter {
  View value;
  View gradient;  // absent: the loss does not depend on it, it stays as it is
  std::vector<std::pair<std::string, View>> slots;
  View slot(const char* name) const;  // absent if the optimizer has none of that name
};

// One call of an optimizer. `spec`: its kind (text) and hyper-parameters by their Keras names, absent ones not set.
// `iterations` counts the calls before this one. `product`: Nadam's running product of momenta, absent otherwise.
void optimizer_step(const Attrs& spec, std::int64_t iterations, double learning_rate, std::vector<Parameter>& parameters,
                    const View& product);

// Whether a gradient (of a float type, or absent) holds neither NaN nor an infinite number.
bool all_finite(const View& x);

}  // namespace birnn
