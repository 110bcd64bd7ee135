// Functions of two elements and their gradients (level L1). Included like kernel_simd.h; table: kernel_arrays.h.
// `value(p, a, b)`; da, db: the gradients of the operands a and b from the value y and its gradient dy; p: the
// parameters, each in all lanes.

#include "kernel_wide.h"

struct Add {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V a, V b) {
    return a + b;
  }
  template <typename V>
  static BIRNN_INLINE V da(const V*, V, V, V, V dy) {
    return dy;
  }
  template <typename V>
  static BIRNN_INLINE V db(const V*, V, V, V, V dy) {
    return dy;
  }
};
struct Subtract {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V a, V b) {
    return a - b;
  }
  template <typename V>
  static BIRNN_INLINE V da(const V*, V, V, V, V dy) {
    return dy;
  }
  template <typename V>
  static BIRNN_INLINE V db(const V*, V, V, V, V dy) {
    return -dy;
  }
};
struct Multiply {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V a, V b) {
    return a * b;
  }
  template <typename V>
  static BIRNN_INLINE V da(const V*, V, V b, V, V dy) {
    return dy * b;
  }
  template <typename V>
  static BIRNN_INLINE V db(const V*, V a, V, V, V dy) {
    return dy * a;
  }
};
struct Divide {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V a, V b) {
    return a / b;
  }
  template <typename V>
  static BIRNN_INLINE V da(const V*, V, V b, V, V dy) {
    return dy / b;
  }
  template <typename V>
  static BIRNN_INLINE V db(const V*, V, V b, V y, V dy) {
    return -dy * y / b;
  }
};
// Equal operands share the gradient. NaN in either operand wins.
template <bool larger>
struct Extreme {
  template <typename V>
  static BIRNN_INLINE auto first(V a, V b) {
    if constexpr (larger)
      return a > b;
    else
      return a < b;
  }
  template <typename V>
  static BIRNN_INLINE V value(const V*, V a, V b) {
    return (first(a, b) | (a != a)) ? a : b;
  }
  template <typename V>
  static BIRNN_INLINE V da(const V*, V a, V b, V, V dy) {
    const V apart = first(a, b) ? dy : V{};
    return a == b ? dy / all<V>(2) : apart;
  }
  template <typename V>
  static BIRNN_INLINE V db(const V*, V a, V b, V, V dy) {
    const V apart = first(b, a) ? dy : V{};
    return a == b ? dy / all<V>(2) : apart;
  }
};

// a^b. One copy of the code, which is long.
inline __attribute__((noinline)) Vec power(Vec a, Vec b) {
  const Halves x = halves(a), y = halves(b);
  return joined({power_of_floats(x.low, y.low), power_of_floats(x.high, y.high)});
}
inline __attribute__((noinline)) DoubleVec power(DoubleVec a, DoubleVec b) {
  for (int i = 0; i < width<double>; ++i) a[i] = __builtin_pow(a[i], b[i]);
  return a;
}
// A base that is not positive has no logarithm: the gradient of its exponent is taken as 0, as in TensorFlow.
struct Power {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V a, V b) {
    return power(a, b);
  }
  template <typename V>
  static BIRNN_INLINE V da(const V*, V a, V b, V, V dy) {
    const V gradient = dy * b * power(a, b - all<V>(1));
    return b == V{} ? V{} : gradient;
  }
  template <typename V>
  static BIRNN_INLINE V db(const V*, V a, V, V y, V dy) {
    const V gradient = dy * y * log(a);
    return a <= V{} ? V{} : gradient;
  }
};

// Binary cross-entropies of a label a and a prediction b. p: lowest and highest probability, factor and share of the
// smoothed label.
struct BinaryEntropy {
  template <typename V>
  static BIRNN_INLINE V label(const V* p, V a) {
    return a * p[2] + p[3];
  }
};
// -y log q - (1 - y) log(1 - q), q = clip(b); clipped probabilities have no gradient
struct ProbabilityEntropy : BinaryEntropy {
  template <typename V>
  static BIRNN_INLINE V clipped(const V* p, V b) {
    const V low = b < p[0] ? p[0] : b;
    return low > p[1] ? p[1] : low;
  }
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V a, V b) {
    const V q = clipped(p, b), y = label(p, a);
    return -(y * log(q) + (all<V>(1) - y) * log1p(-q));
  }
  template <typename V>
  static BIRNN_INLINE V da(const V* p, V, V b, V, V dy) {
    const V q = clipped(p, b);
    return dy * (log1p(-q) - log(q)) * p[2];
  }
  template <typename V>
  static BIRNN_INLINE V db(const V* p, V a, V b, V, V dy) {
    const V gradient = dy * ((b - label(p, a)) / (b * (all<V>(1) - b)));
    return ((b < p[0]) | (b > p[1])) ? V{} : gradient;
  }
};
// max(b, 0) - b y + log(1 + exp(-|b|))
struct LogitEntropy : BinaryEntropy {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V a, V b) {
    return ((b < V{} ? V{} : b) - b * label(p, a)) + softplus(-magnitude(b));
  }
  template <typename V>
  static BIRNN_INLINE V da(const V* p, V, V b, V, V dy) {
    return dy * (-b * p[2]);
  }
  template <typename V>
  static BIRNN_INLINE V db(const V* p, V a, V b, V, V dy) {
    return dy * (sigmoid(b) - label(p, a));
  }
};

// a between p[0] and p[1], b is not used. What is cut off has no gradient.
struct Clip {
  template <typename V>
  static BIRNN_INLINE V value(const V* p, V a, V) {
    const V low = a > p[1] ? p[1] : a;
    return a < p[0] ? p[0] : low;
  }
  template <typename V>
  static BIRNN_INLINE V da(const V* p, V a, V, V, V dy) {
    return ((a < p[0]) | (a > p[1])) ? V{} : dy;
  }
  template <typename V>
  static BIRNN_INLINE V db(const V*, V, V, V, V) {
    return V{};
  }
};

// Calls f with the struct of the combination.
template <typename F>
BIRNN_INLINE void with_combination(Combination combination, F f) {
  switch (combination) {
    case Combination::add:
      return f(Add());
    case Combination::subtract:
      return f(Subtract());
    case Combination::multiply:
      return f(Multiply());
    case Combination::divide:
      return f(Divide());
    case Combination::maximum:
      return f(Extreme<true>());
    case Combination::minimum:
      return f(Extreme<false>());
    case Combination::power:
      return f(Power());
    case Combination::probability_entropy:
      return f(ProbabilityEntropy());
    case Combination::logit_entropy:
      return f(LogitEntropy());
    case Combination::clip:
      return f(Clip());
  }
}
