// Functions of one element that are not activations (level L1). Included like kernel_simd.h. Rules: kernel_functions.h.

#include "kernel_functions.h"

struct Negative {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return -x;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V) {
    return -one<V>();
  }
};
struct Absolute {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return magnitude(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    const V at_zero = x * V{}, negative = x < V{} ? -one<V>() : at_zero;
    return x > V{} ? one<V>() : negative;
  }
};
struct Square {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return x * x;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return all<V>(2) * x;
  }
};
struct Expm1 {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return expm1(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return exp(x);
  }
};
struct Log {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return log(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return one<V>() / x;
  }
};
struct Log1p {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return log1p(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return one<V>() / (one<V>() + x);
  }
};
struct SquareRoot {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return square_root(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V y) {
    return all<V>(0.5) / y;
  }
};
struct ReciprocalRoot {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return one<V>() / square_root(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V y) {
    return all<V>(-0.5) * y * y * y;
  }
};
struct Reciprocal {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return one<V>() / x;
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V y) {
    return -y * y;
  }
};
struct Erf {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return erf(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return all<V>(1.12837916709551257390) * exp_minus_square(x);  // 2 / sqrt(pi) exp(-x^2)
  }
};
struct Sine {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return sine(x, 0);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return sine(x, 1);
  }
};
struct Cosine {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return sine(x, 1);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return sine(x, 2);
  }
};
struct Log2 {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return log2(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return all<V>(1.44269504088896340736) / x;  // 1 / log(2)
  }
};
struct Log10 {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return log10(x);
  }
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V x, V) {
    return all<V>(0.43429448190325182765) / x;  // 1 / log(10)
  }
};

// Steps: their slope is 0.
struct Step {
  template <typename V>
  static BIRNN_INLINE V slope(const V*, V, V) {
    return V{};
  }
  // The nearest whole number; of two the even one.
  template <typename V>
  static BIRNN_INLINE V nearest(V x) {
    const V limit = all<V>(FormatOf<V>::two_up), near = with_sign((magnitude(x) + limit) - limit, x);
    return magnitude(x) < limit ? near : x;
  }
};
struct Sign : Step {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    const V down = x < V{} ? -one<V>() : x;
    return x > V{} ? one<V>() : down;
  }
};
struct Floor : Step {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    const V near = nearest(x);
    return with_sign(near > x ? near - one<V>() : near, x);
  }
};
struct Ceiling : Step {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    const V near = nearest(x);
    return with_sign(near < x ? near + one<V>() : near, x);
  }
};
struct Round : Step {
  template <typename V>
  static BIRNN_INLINE V value(const V*, V x) {
    return nearest(x);
  }
};
