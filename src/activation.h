// Activation functions by name, value and slope over arrays (level L1). The formulas: kernel_functions.h.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "error.h"
#include "kernel_isa.h"

namespace birnn {

// The functions of kernel_elements.h up to sparse_sigmoid.
using Activation = Function;

constexpr int max_activation_params = 3;
template <typename T>
using ActivationParams = std::array<T, max_activation_params>;

inline Activation activation_from_name(const std::string& name) {
  static const char* const names[] = {
      "linear",      "tanh",        "sigmoid",      "relu",       "relu6",       "leaky_relu",    "elu",
      "selu",        "celu",        "softplus",     "softsign",   "silu",        "gelu",          "gelu_tanh",
      "exponential", "log_sigmoid", "hard_sigmoid", "hard_silu",  "hard_tanh",   "mish",          "tanh_shrink",
      "soft_shrink", "hard_shrink", "threshold",    "squareplus", "sparse_plus", "sparse_sigmoid"};
  int index = 0;
  for (const char* known : names) {
    if (name == known) return static_cast<Activation>(index);
    ++index;
  }
  if (name == "swish") return Activation::silu;
  if (name == "hard_swish") return Activation::hard_silu;
  fail("value", "there is no elementwise activation '" + name + "'");
}

// The parameters in the order of the enum's comments: `given` first, then the defaults.
template <typename T>
ActivationParams<T> activation_params(Activation a, const std::vector<double>& given = {}) {
  ActivationParams<T> params = {T(0), T(0), T(0)};
  switch (a) {
    case Activation::relu:
      params[1] = std::numeric_limits<T>::infinity();
      break;
    case Activation::leaky_relu:
      params[0] = T(0.2);
      break;
    case Activation::elu:
    case Activation::celu:
      params[0] = T(1);
      break;
    case Activation::soft_shrink:
    case Activation::hard_shrink:
      params[0] = T(0.5);
      break;
    case Activation::squareplus:
      params[0] = T(4);
      break;
    default:
      break;
  }
  if (given.size() > params.size()) fail("value", "too many parameters for an activation");
  for (std::size_t k = 0; k < given.size(); ++k) params[k] = static_cast<T>(given[k]);
  return params;
}

// Whether the slope can be had from the value alone (at default parameters): slope(x, y) == slope(y, y). Then x need
// not be kept.
inline bool slope_from_value(Activation a) {
  switch (a) {
    case Activation::linear:
    case Activation::tanh:
    case Activation::sigmoid:
    case Activation::relu:
    case Activation::relu6:
    case Activation::leaky_relu:
    case Activation::elu:
    case Activation::selu:
    case Activation::exponential:
      return true;
    default:
      return false;
  }
}

// y[e] = activation of x[e]; y may be x.
template <typename T>
void activate_all(Activation a, const T* params, std::int64_t n, const T* x, T* y) {
  tier().elements->of<T>().value(a, params, static_cast<long>(n), x, y);
}

// slope[e] at x[e] with y[e] its activation; slope may be x or y.
template <typename T>
void slope_all(Activation a, const T* params, std::int64_t n, const T* x, const T* y, T* slope) {
  tier().elements->of<T>().slope(a, params, static_cast<long>(n), x, y, nullptr, false, slope);
}

template <typename T>
T activate(Activation a, const T* params, T x) {
  activate_all(a, params, 1, &x, &x);
  return x;
}

// dy/dx at x, given y = activate(a, params, x).
template <typename T>
T activation_slope(Activation a, const T* params, T x, T y) {
  slope_all(a, params, 1, &x, &y, &y);
  return y;
}

}  // namespace birnn
