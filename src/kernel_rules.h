// The update rules of Keras' optimizers on vectors of weights (level L1). Included like kernel_simd.h.
// What is kept beside the weights, sums of gradients and averages of weights, is updated by rules too.
// g: gradient, w: weights, s: the slots, p: the parameters, in the order in which optimizer.cpp gives them.

#include "kernel_math.h"
#include "kernel_part.h"

// p: learning rate, momentum. s: momentum
template <bool momentum, bool nesterov>
struct Sgd {
  static constexpr int slots = momentum ? 1 : 0;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    const V change = -p[0] * g;
    if (!momentum) {
      w += change;
      return;
    }
    s[0] = p[1] * s[0] + change;
    w += nesterov ? p[1] * s[0] + change : s[0];
  }
};

// p: learning rate, rho, 1 - rho, epsilon, momentum. s: velocity, then momentum and average gradient if they are kept
template <bool centered, bool momentum>
struct RmsProp {
  static constexpr int slots = 1 + (momentum ? 1 : 0) + (centered ? 1 : 0);
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    constexpr int at_momentum = 1, at_average = momentum ? 2 : 1;
    s[0] = p[1] * s[0] + p[2] * g * g;
    V denominator = s[0] + p[3];
    if (centered) {
      V& average = s[at_average < slots ? at_average : 0];
      average = p[1] * average + p[2] * g;
      denominator = s[0] - average * average + p[3];
    }
    const V change = p[0] * g / square_root(denominator);
    if (!momentum) {
      w -= change;
      return;
    }
    V& sum = s[at_momentum < slots ? at_momentum : 0];
    sum = p[4] * sum + change;
    w -= sum;
  }
};

// p: corrected learning rate, 1 - beta_1, 1 - beta_2, epsilon. s: momentum, velocity, largest velocity
template <bool amsgrad>
struct Adam {
  static constexpr int slots = amsgrad ? 3 : 2;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    s[0] += (g - s[0]) * p[1];
    s[1] += (g * g - s[1]) * p[2];
    if (amsgrad) s[2] = larger_of(s[1], s[2]);
    w -= p[0] * s[0] / (square_root(s[amsgrad ? 2 : 1]) + p[3]);
  }
};

// p: corrected learning rate, 1 - beta_1, beta_2, epsilon. s: momentum, norm
struct Adamax {
  static constexpr int slots = 2;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    s[0] += (g - s[0]) * p[1];
    s[1] = larger_of(magnitude(g), p[2] * s[1]);
    w -= p[0] * s[0] / (s[1] + p[3]);
  }
};

// p: correction of the velocity, 1 - beta_1, 1 - beta_2, epsilon, learning rate times the shares of the momentum and of
// the gradient. s: momentum, velocity
struct Nadam {
  static constexpr int slots = 2;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    s[0] += (g - s[0]) * p[1];
    s[1] += (g * g - s[1]) * p[2];
    w -= (p[4] * s[0] + p[5] * g) / (square_root(s[1] * p[0]) + p[3]);
  }
};

// p: learning rate, epsilon. s: accumulator
struct Adagrad {
  static constexpr int slots = 1;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    s[0] += g * g;
    w -= p[0] * g / square_root(s[0] + p[1]);
  }
};

// p: learning rate, rho, 1 - rho, epsilon. s: accumulated squares of gradients, of changes
struct Adadelta {
  static constexpr int slots = 2;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    s[0] = p[1] * s[0] + p[2] * g * g;
    const V delta = -square_root(s[1] + p[3]) * g / square_root(s[0] + p[3]);
    s[1] = p[1] * s[1] + p[2] * delta * delta;
    w += p[0] * delta;
  }
};

// p: learning rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2. s: momentum
struct Lion {
  static constexpr int slots = 1;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V* s) {
    const V direction = p[1] * s[0] + p[2] * g;
    const V down = direction < V{} ? -p[0] : V{};
    w -= direction > V{} ? p[0] : down;
    s[0] = p[3] * s[0] + p[4] * g;
  }
};

// p: share of a weight that it loses
struct Decay {
  static constexpr int slots = 0;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V, V& w, V*) {
    w -= w * p[0];
  }
};

// p: 1, or the number of gradients when the sum is complete. w: the sum of gradients, at last their mean
struct GatherGradient {
  static constexpr int slots = 0;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V*) {
    w = (w + g) / p[0];
  }
};

// p: momentum, 1 - momentum. w: the average, g: the weights
struct MovingAverage {
  static constexpr int slots = 0;
  template <typename V>
  static BIRNN_INLINE void step(const V* p, V g, V& w, V*) {
    w = p[0] * w + p[1] * g;
  }
};

// Whole vectors only, so that the last weights have the bits they would have anywhere else.
template <typename R, typename T>
__attribute__((noinline)) void update_vectors(const UpdateArgs<T>& args) {
  using V = VectorFor<T>;
  V p[max_rule_params];
  for (int k = 0; k < max_rule_params; ++k) p[k] = all(args.params[k]);
  const V scale = all(args.scale), limit = all(args.limit);
  const bool limited = args.limit > T(0);
  T* const slots[max_rule_slots] = {args.slots[0], args.slots[1], args.slots[2]};
  for (long e = 0; e < args.n; e += width<T>) {
    V g = load(args.g + e) * scale, w = load(args.w + e), s[max_rule_slots];
    if (limited) g = smaller_of(limit, larger_of(-limit, g));
    BIRNN_UNROLL for (int k = 0; k < R::slots; ++k) s[k] = load(slots[k] + e);
    R::step(p, g, w, s);
    BIRNN_UNROLL for (int k = 0; k < R::slots; ++k) store(slots[k] + e, s[k]);
    store(args.w + e, w);
  }
}

template <typename R, typename T>
void update_all(UpdateArgs<T> args) {
  const long rest = args.n % width<T>, whole = args.n - rest;
  args.n = whole;
  update_vectors<R>(args);
  if (rest == 0) return;
  Part<T> g(args.g + whole, rest), w(args.w + whole, rest), s[max_rule_slots];
  UpdateArgs<T> last = args;
  last.n = width<T>;
  last.g = g.numbers;
  last.w = w.numbers;
  for (int k = 0; k < R::slots; ++k) {
    s[k] = Part<T>(args.slots[k] + whole, rest);
    last.slots[k] = s[k].numbers;
  }
  update_vectors<R>(last);
  w.to(args.w + whole, rest);
  for (int k = 0; k < R::slots; ++k) s[k].to(args.slots[k] + whole, rest);
}

template <typename T>
void update(Rule rule, const UpdateArgs<T>& args) {
  switch (rule) {
    case Rule::sgd:
      return update_all<Sgd<false, false>>(args);
    case Rule::sgd_momentum:
      return update_all<Sgd<true, false>>(args);
    case Rule::sgd_nesterov:
      return update_all<Sgd<true, true>>(args);
    case Rule::rmsprop:
      return update_all<RmsProp<false, false>>(args);
    case Rule::rmsprop_momentum:
      return update_all<RmsProp<false, true>>(args);
    case Rule::rmsprop_centered:
      return update_all<RmsProp<true, false>>(args);
    case Rule::rmsprop_centered_momentum:
      return update_all<RmsProp<true, true>>(args);
    case Rule::adam:
      return update_all<Adam<false>>(args);
    case Rule::adam_amsgrad:
      return update_all<Adam<true>>(args);
    case Rule::adamax:
      return update_all<Adamax>(args);
    case Rule::nadam:
      return update_all<Nadam>(args);
    case Rule::adagrad:
      return update_all<Adagrad>(args);
    case Rule::adadelta:
      return update_all<Adadelta>(args);
    case Rule::lion:
      return update_all<Lion>(args);
    case Rule::decay:
      return update_all<Decay>(args);
    case Rule::gather_gradient:
      return update_all<GatherGradient>(args);
    case Rule::moving_average:
      return update_all<MovingAverage>(args);
  }
}

// x - x is 0, or NaN for what is not finite; four chains of sums.
template <typename T>
bool all_finite(long n, const T* x) {
  using V = VectorFor<T>;
  constexpr int chains = 4;
  V sum[chains] = {};
  long e = 0;
  for (; e + chains * width<T> <= n; e += chains * width<T>) BIRNN_UNROLL for (int k = 0; k < chains; ++k) {
      const V value = load(x + e + k * width<T>);
      sum[k] += value - value;
    }
  for (; e < n; e += width<T>) {
    const V value = e + width<T> <= n ? load(x + e) : load(Part<T>(x + e, n - e).numbers);
    sum[0] += value - value;
  }
  const V all_sums = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (int i = 0; i < width<T>; ++i)
    if (all_sums[i] != T(0)) return false;
  return true;
}

constexpr UpdateTable update_table() {
  return {{update<float>, all_finite<float>}, {update<double>, all_finite<double>}};
}
