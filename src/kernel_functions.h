// Functions of one element and their slopes, over arrays (level L1). Included like kernel_simd.h.
// One struct a function: `value(p, x)` and `slope(p, x, y)` with y = value(p, x); p: the parameters, each in all lanes.
// At a kink the slope is that of the flat side. What saturates does so exactly; NaN stays NaN.

#include "kernel_wide.h"

template <typename V>
BIRNN_INLINE V one() {
  return all<V>(1);
}

struct Linear {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V) {
    return one<V>();
  }
};
struct Tanh {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return precise_tanh(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V y) {
    return one<V>() - y * y;
  }
};
struct Sigmoid {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return sigmoid(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V y) {
    return y * (one<V>() - y);
  }
};
struct Relu {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    const V below = p[0] == V{} ? V{} : p[0] * (x - p[2]);
    return x <= p[2] ? below : smaller_of(p[1], x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V) {
    const V above = x >= p[1] ? V{} : one<V>();
    return x <= p[2] ? p[0] : above;
  }
};
struct Relu6 {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x <= V{} ? V{} : smaller_of(all<V>(6), x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return ((x <= V{}) | (x >= all<V>(6))) ? V{} : one<V>();
  }
};
struct LeakyRelu {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    return x > V{} ? x : p[0] * x;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V) {
    return x > V{} ? one<V>() : p[0];
  }
};
struct Elu {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    return x > V{} ? x : p[0] * expm1_below_80(smaller_of(V{}, x));
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V y) {
    return x > V{} ? one<V>() : y + p[0];
  }
};
struct Selu {
  static constexpr double scale = 1.0507009873554805, alpha = 1.6732632423543772;
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return all<V>(scale) * (x > V{} ? x : all<V>(alpha) * expm1_below_80(smaller_of(V{}, x)));
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V y) {
    return x > V{} ? all<V>(scale) : y + all<V>(scale * alpha);
  }
};
struct Celu {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    return x > V{} ? x : p[0] * expm1(x / p[0]);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V) {
    return x > V{} ? one<V>() : exp(x / p[0]);
  }
};
struct Softplus {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return softplus(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return sigmoid(x);
  }
};
struct Softsign {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x / (one<V>() + magnitude(x));
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    const V q = one<V>() / (one<V>() + magnitude(x));
    return q * q;
  }
};
struct Silu {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x * sigmoid(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V y) {
    const V s = sigmoid(x);
    return s + y * (one<V>() - s);
  }
};
struct Gelu {
  template <typename V>
  static BIRNN_INLINE V cdf(V x) {
    return all<V>(0.5) * erfc(x * all<V>(-0.70710678118654752440));
  }
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x * cdf(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return cdf(x) + x * all<V>(0.39894228040143267794) * exp(all<V>(-0.5) * x * x);
  }
};
struct GeluTanh {
  static constexpr double root = 0.79788456080286535588, cubic = 0.044715;
  template <typename V>
  static BIRNN_INLINE V inner(V x) {
    return precise_tanh(all<V>(root) * (x + all<V>(cubic) * x * x * x));
  }
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return all<V>(0.5) * x * (one<V>() + inner(x));
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    const V t = inner(x), half = all<V>(0.5);
    const V steepness = all<V>(root) * (one<V>() + all<V>(3 * cubic) * x * x);
    return half * (one<V>() + t) + half * x * (one<V>() - t * t) * steepness;
  }
};
struct Exponential {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return exp(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V y) {
    return y;
  }
};
struct LogSigmoid {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return -softplus(-x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return sigmoid(-x);
  }
};
struct HardSigmoid {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    const V inside = x >= all<V>(3) ? one<V>() : x / all<V>(6) + all<V>(0.5);
    return x <= all<V>(-3) ? V{} : inside;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return ((x <= all<V>(-3)) | (x >= all<V>(3))) ? V{} : one<V>() / all<V>(6);
  }
};
struct HardSilu {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    return x * HardSigmoid::value(p, x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    const V inside = x >= all<V>(3) ? one<V>() : x / all<V>(3) + all<V>(0.5);
    return x <= all<V>(-3) ? V{} : inside;
  }
};
struct HardTanh {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return larger_of(-one<V>(), smaller_of(one<V>(), x));
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return magnitude(x) >= one<V>() ? V{} : one<V>();
  }
};
// tanh(softplus(x)) = w / (w + 2) with w = n (n + 2), n = exp(x): 1 to all digits from 20 on.
struct Mish {
  template <typename V>
  static BIRNN_INLINE V inner(V x) {
    const V n = exp(smaller_of(all<V>(20), x)), w = n * (n + all<V>(2));
    return w / (w + all<V>(2));
  }
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x * inner(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    const V t = inner(x);
    return t + x * (one<V>() - t * t) * sigmoid(x);
  }
};
struct TanhShrink {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x - precise_tanh(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    const V t = precise_tanh(x);
    return t * t;
  }
};
struct SoftShrink {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    const V outside = x > V{} ? x - p[0] : x + p[0];
    return magnitude(x) <= p[0] ? V{} : outside;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V) {
    return magnitude(x) <= p[0] ? V{} : one<V>();
  }
};
struct HardShrink {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    return magnitude(x) <= p[0] ? V{} : x;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V) {
    return magnitude(x) <= p[0] ? V{} : one<V>();
  }
};
struct Threshold {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    return x <= p[0] ? p[1] : x;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V) {
    return x <= p[0] ? V{} : one<V>();
  }
};
// For x < 0 the conjugate form: x + sqrt(x^2 + b) would cancel.
struct Squareplus {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V x) {
    const V root = square_root(x * x + p[0]);
    return x < V{} ? all<V>(0.5) * p[0] / (root - x) : all<V>(0.5) * (x + root);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V* p, V x, V y) {
    return y == V{} ? V{} : y / square_root(x * x + p[0]);
  }
};
struct SparsePlus {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    const V inside = x >= one<V>() ? x : all<V>(0.25) * (x + one<V>()) * (x + one<V>());
    return x <= -one<V>() ? V{} : inside;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    const V inside = x >= one<V>() ? one<V>() : all<V>(0.5) * (x + one<V>());
    return x <= -one<V>() ? V{} : inside;
  }
};
struct SparseSigmoid {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    const V inside = x >= one<V>() ? one<V>() : all<V>(0.5) * (x + one<V>());
    return x <= -one<V>() ? V{} : inside;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return ((x <= -one<V>()) | (x >= one<V>())) ? V{} : all<V>(0.5);
  }
};

// Calls f with the struct of an activation.
template <typename F>
BIRNN_INLINE void dispatch_activation(Function function, F f) {
  switch (function) {
    case Function::linear:
      return f(Linear());
    case Function::tanh:
      return f(Tanh());
    case Function::sigmoid:
      return f(Sigmoid());
    case Function::relu:
      return f(Relu());
    case Function::relu6:
      return f(Relu6());
    case Function::leaky_relu:
      return f(LeakyRelu());
    case Function::elu:
      return f(Elu());
    case Function::selu:
      return f(Selu());
    case Function::celu:
      return f(Celu());
    case Function::softplus:
      return f(Softplus());
    case Function::softsign:
      return f(Softsign());
    case Function::silu:
      return f(Silu());
    case Function::gelu:
      return f(Gelu());
    case Function::gelu_tanh:
      return f(GeluTanh());
    case Function::exponential:
      return f(Exponential());
    case Function::log_sigmoid:
      return f(LogSigmoid());
    case Function::hard_sigmoid:
      return f(HardSigmoid());
    case Function::hard_silu:
      return f(HardSilu());
    case Function::hard_tanh:
      return f(HardTanh());
    case Function::mish:
      return f(Mish());
    case Function::tanh_shrink:
      return f(TanhShrink());
    case Function::soft_shrink:
      return f(SoftShrink());
    case Function::hard_shrink:
      return f(HardShrink());
    case Function::threshold:
      return f(Threshold());
    case Function::squareplus:
      return f(Squareplus());
    case Function::sparse_plus:
      return f(SparsePlus());
    case Function::sparse_sigmoid:
      return f(SparseSigmoid());
    default:
      return;
  }
}
