// Elementwise activation functions: value and slope, scalar and over arrays (level L1).
// Formulas as Keras 3 (keras/src/activations/activations.py). At a kink the slope is that of the flat side.
// Sigmoid and tanh saturate exactly (0, 1, -1); NaN stays NaN.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "error.h"

namespace birnn {

enum class Activation {
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
  sparse_sigmoid
};

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

namespace activations {

// exp(-x) overflows to Inf below -88 (-709 in double), which makes the quotient exactly 0.
template <typename T>
inline T logistic(T x) {
  return T(1) / (T(1) + std::exp(-x));
}
template <typename T>
inline T log1p_exp(T x) {
  return (x > T(0) ? x : T(0)) + std::log1p(std::exp(-std::abs(x)));
}

// One struct an activation: `value(p, x)` and `slope(p, x, y)` with y = value(p, x).
template <typename T>
struct Linear {
  static T value(const T*, T x) { return x; }
  static T slope(const T*, T, T) { return T(1); }
};
template <typename T>
struct Tanh {
  static T value(const T*, T x) { return std::tanh(x); }
  static T slope(const T*, T, T y) { return T(1) - y * y; }
};
template <typename T>
struct Sigmoid {
  static T value(const T*, T x) { return logistic(x); }
  static T slope(const T*, T, T y) { return y * (T(1) - y); }
};
template <typename T>
struct Relu {
  static T value(const T* p, T x) {
    if (x <= p[2]) return p[0] == T(0) ? T(0) : p[0] * (x - p[2]);
    return x > p[1] ? p[1] : x;
  }
  static T slope(const T* p, T x, T) { return x <= p[2] ? p[0] : x >= p[1] ? T(0) : T(1); }
};
template <typename T>
struct Relu6 {
  static T value(const T*, T x) { return x <= T(0) ? T(0) : x > T(6) ? T(6) : x; }
  static T slope(const T*, T x, T) { return x <= T(0) || x >= T(6) ? T(0) : T(1); }
};
template <typename T>
struct LeakyRelu {
  static T value(const T* p, T x) { return x > T(0) ? x : p[0] * x; }
  static T slope(const T* p, T x, T) { return x > T(0) ? T(1) : p[0]; }
};
template <typename T>
struct Elu {
  static T value(const T* p, T x) { return x > T(0) ? x : p[0] * std::expm1(x); }
  static T slope(const T* p, T x, T y) { return x > T(0) ? T(1) : y + p[0]; }
};
template <typename T>
struct Selu {
  static constexpr T scale = T(1.0507009873554805), alpha = T(1.6732632423543772);
  static T value(const T*, T x) { return scale * (x > T(0) ? x : alpha * std::expm1(x)); }
  static T slope(const T*, T x, T y) { return x > T(0) ? scale : y + scale * alpha; }
};
template <typename T>
struct Celu {
  static T value(const T* p, T x) { return x > T(0) ? x : p[0] * std::expm1(x / p[0]); }
  static T slope(const T* p, T x, T) { return x > T(0) ? T(1) : std::exp(x / p[0]); }
};
template <typename T>
struct Softplus {
  static T value(const T*, T x) { return log1p_exp(x); }
  static T slope(const T*, T x, T) { return logistic(x); }
};
template <typename T>
struct Softsign {
  static T value(const T*, T x) { return x / (T(1) + std::abs(x)); }
  static T slope(const T*, T x, T) {
    const T q = T(1) / (T(1) + std::abs(x));
    return q * q;
  }
};
template <typename T>
struct Silu {
  static T value(const T*, T x) { return x * logistic(x); }
  static T slope(const T*, T x, T y) {
    const T s = logistic(x);
    return s + y * (T(1) - s);
  }
};
template <typename T>
struct Gelu {
  static T cdf(T x) { return T(0.5) * std::erfc(-x * T(0.70710678118654752440)); }
  static T value(const T*, T x) { return x * cdf(x); }
  static T slope(const T*, T x, T) { return cdf(x) + x * T(0.39894228040143267794) * std::exp(T(-0.5) * x * x); }
};
template <typename T>
struct GeluTanh {
  static constexpr T root = T(0.79788456080286535588), cubic = T(0.044715);
  static T inner(T x) { return std::tanh(root * (x + cubic * x * x * x)); }
  static T value(const T*, T x) { return T(0.5) * x * (T(1) + inner(x)); }
  static T slope(const T*, T x, T) {
    const T t = inner(x);
    return T(0.5) * (T(1) + t) + T(0.5) * x * (T(1) - t * t) * root * (T(1) + T(3) * cubic * x * x);
  }
};
template <typename T>
struct Exponential {
  static T value(const T*, T x) { return std::exp(x); }
  static T slope(const T*, T, T y) { return y; }
};
template <typename T>
struct LogSigmoid {
  static T value(const T*, T x) { return -log1p_exp(-x); }
  static T slope(const T*, T x, T) { return logistic(-x); }
};
template <typename T>
struct HardSigmoid {
  static T value(const T*, T x) { return x <= T(-3) ? T(0) : x >= T(3) ? T(1) : x / T(6) + T(0.5); }
  static T slope(const T*, T x, T) { return x <= T(-3) || x >= T(3) ? T(0) : T(1) / T(6); }
};
template <typename T>
struct HardSilu {
  static T value(const T*, T x) { return x * HardSigmoid<T>::value(nullptr, x); }
  static T slope(const T*, T x, T) { return x <= T(-3) ? T(0) : x >= T(3) ? T(1) : x / T(3) + T(0.5); }
};
template <typename T>
struct HardTanh {
  static T value(const T*, T x) { return x <= T(-1) ? T(-1) : x >= T(1) ? T(1) : x; }
  static T slope(const T*, T x, T) { return x <= T(-1) || x >= T(1) ? T(0) : T(1); }
};
template <typename T>
struct Mish {
  static T value(const T*, T x) { return x * std::tanh(log1p_exp(x)); }
  static T slope(const T*, T x, T) {
    const T t = std::tanh(log1p_exp(x));
    return t + x * (T(1) - t * t) * logistic(x);
  }
};
template <typename T>
struct TanhShrink {
  static T value(const T*, T x) { return x - std::tanh(x); }
  static T slope(const T*, T x, T) {
    const T t = std::tanh(x);
    return t * t;
  }
};
template <typename T>
struct SoftShrink {
  static T value(const T* p, T x) { return std::abs(x) <= p[0] ? T(0) : x > T(0) ? x - p[0] : x + p[0]; }
  static T slope(const T* p, T x, T) { return std::abs(x) <= p[0] ? T(0) : T(1); }
};
template <typename T>
struct HardShrink {
  static T value(const T* p, T x) { return std::abs(x) <= p[0] ? T(0) : x; }
  static T slope(const T* p, T x, T) { return std::abs(x) <= p[0] ? T(0) : T(1); }
};
template <typename T>
struct Threshold {
  static T value(const T* p, T x) { return x <= p[0] ? p[1] : x; }
  static T slope(const T* p, T x, T) { return x <= p[0] ? T(0) : T(1); }
};
template <typename T>
struct Squareplus {
  // For x < 0 the conjugate form: x + sqrt(x^2 + b) would cancel.
  static T value(const T* p, T x) {
    const T root = std::sqrt(x * x + p[0]);
    return x < T(0) ? T(0.5) * p[0] / (root - x) : T(0.5) * (x + root);
  }
  static T slope(const T* p, T x, T y) { return y == T(0) ? T(0) : y / std::sqrt(x * x + p[0]); }
};
template <typename T>
struct SparsePlus {
  static T value(const T*, T x) { return x <= T(-1) ? T(0) : x >= T(1) ? x : T(0.25) * (x + T(1)) * (x + T(1)); }
  static T slope(const T*, T x, T) { return x <= T(-1) ? T(0) : x >= T(1) ? T(1) : T(0.5) * (x + T(1)); }
};
template <typename T>
struct SparseSigmoid {
  static T value(const T*, T x) { return x <= T(-1) ? T(0) : x >= T(1) ? T(1) : T(0.5) * (x + T(1)); }
  static T slope(const T*, T x, T) { return x <= T(-1) || x >= T(1) ? T(0) : T(0.5); }
};

// Calls f with the struct of `a`: the only switch over activations.
template <typename T, typename F>
auto dispatch(Activation a, F&& f) {
  switch (a) {
    case Activation::linear:
      break;
    case Activation::tanh:
      return f(Tanh<T>());
    case Activation::sigmoid:
      return f(Sigmoid<T>());
    case Activation::relu:
      return f(Relu<T>());
    case Activation::relu6:
      return f(Relu6<T>());
    case Activation::leaky_relu:
      return f(LeakyRelu<T>());
    case Activation::elu:
      return f(Elu<T>());
    case Activation::selu:
      return f(Selu<T>());
    case Activation::celu:
      return f(Celu<T>());
    case Activation::softplus:
      return f(Softplus<T>());
    case Activation::softsign:
      return f(Softsign<T>());
    case Activation::silu:
      return f(Silu<T>());
    case Activation::gelu:
      return f(Gelu<T>());
    case Activation::gelu_tanh:
      return f(GeluTanh<T>());
    case Activation::exponential:
      return f(Exponential<T>());
    case Activation::log_sigmoid:
      return f(LogSigmoid<T>());
    case Activation::hard_sigmoid:
      return f(HardSigmoid<T>());
    case Activation::hard_silu:
      return f(HardSilu<T>());
    case Activation::hard_tanh:
      return f(HardTanh<T>());
    case Activation::mish:
      return f(Mish<T>());
    case Activation::tanh_shrink:
      return f(TanhShrink<T>());
    case Activation::soft_shrink:
      return f(SoftShrink<T>());
    case Activation::hard_shrink:
      return f(HardShrink<T>());
    case Activation::threshold:
      return f(Threshold<T>());
    case Activation::squareplus:
      return f(Squareplus<T>());
    case Activation::sparse_plus:
      return f(SparsePlus<T>());
    case Activation::sparse_sigmoid:
      return f(SparseSigmoid<T>());
  }
  return f(Linear<T>());
}

}  // namespace activations

template <typename T>
T activate(Activation a, const T* params, T x) {
  return activations::dispatch<T>(a, [&](auto kind) { return decltype(kind)::value(params, x); });
}

// dy/dx at x, given y = activate(a, params, x).
template <typename T>
T activation_slope(Activation a, const T* params, T x, T y) {
  return activations::dispatch<T>(a, [&](auto kind) { return decltype(kind)::slope(params, x, y); });
}

// y[e] = activation of x[e]; y may be x.
template <typename T>
void activate_all(Activation a, const T* params, std::int64_t n, const T* x, T* y) {
  activations::dispatch<T>(a, [&](auto kind) {
    for (std::int64_t e = 0; e < n; ++e) y[e] = decltype(kind)::value(params, x[e]);
  });
}

// slope[e] at x[e] with y[e] its activation; slope may be x or y.
template <typename T>
void slope_all(Activation a, const T* params, std::int64_t n, const T* x, const T* y, T* slope) {
  activations::dispatch<T>(a, [&](auto kind) {
    for (std::int64_t e = 0; e < n; ++e) slope[e] = decltype(kind)::slope(params, x[e], y[e]);
  });
}

}  // namespace birnn
