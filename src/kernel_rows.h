// Softmax and cross-entropies of rows of numbers (level L1). Included like kernel_simd.h; table: kernel_arrays.h.

#include "kernel_sums.h"
#include "kernel_transpose.h"

BIRNN_INLINE float largest_lane(Vec x) {
  alignas(sizeof(Vec)) float numbers[lanes];
  store(numbers, x);
  Quad most = *reinterpret_cast<const LooseQuad*>(numbers);
  for (int i = 4; i < lanes; i += 4) {
    const Quad other = *reinterpret_cast<const LooseQuad*>(numbers + i);
    most = other > most ? other : most;
  }
  const float low = most[0] > most[1] ? most[0] : most[1], high = most[2] > most[3] ? most[2] : most[3];
  return low > high ? low : high;
}
BIRNN_INLINE double largest_lane(DoubleVec x) {
  double most = x[0];
  for (int i = 1; i < width<double>; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

// NaN may get lost here: exp() brings it back.
template <typename T>
BIRNN_INLINE T largest(long n, const T* x) {
  using V = VectorFor<T>;
  const V lowest = all<V>(-__builtin_inf());
  V most = lowest;
  const long whole = n / width<T> * width<T>;
  for (long e = 0; e < whole; e += width<T>) most = larger_of(most, load(x + e));
  if (whole < n) most = larger_of(most, first_of(load_part(x + whole, n - whole), n - whole, lowest));
  return largest_lane(most);
}

// Calls put(e, exp(x - max)) for whole vectors, last(e, rest, ...) for the rest; the sum of them all.
template <typename T, typename Put, typename Last>
BIRNN_INLINE double sum_exp(long n, const T* x, T max, Put put, Last last) {
  using V = VectorFor<T>;
  VectorSum sum;
  const long whole = n / width<T> * width<T>, rest = n - whole;
  for (long e = 0; e < whole; e += width<T>) {
    const V value = exp(load(x + e) - all(max));
    put(e, value);
    sum.add(value);
  }
  if (rest > 0) {
    const V value = first_of(exp(load_part(x + whole, rest) - all(max)), rest);
    last(whole, rest, value);
    sum.add(value);
  }
  return sum.total();
}

template <typename T>
void softmax(long n, const T* x, T* y) {
  using V = VectorFor<T>;
  const T max = largest(n, x);
  const T sum = static_cast<T>(sum_exp(
      n, x, max, [&](long e, V value) { store(y + e, value); },
      [&](long e, long rest, V value) { store_part(y + e, value, rest); }));
  combine_row<Divide>(static_cast<const V*>(nullptr), n, y, 1, &sum, 0, y);
}

template <typename T>
void softmax_slope(long n, const T* y, const T* dy, bool accumulate, T* dx) {
  using V = VectorFor<T>;
  const T mean = static_cast<T>(dot(n, y, dy));
  const long whole = n / width<T> * width<T>, rest = n - whole;
  for (long e = 0; e < whole; e += width<T>) {
    const V gradient = rounded(load(y + e) * (load(dy + e) - all(mean)));
    store(dx + e, accumulate ? load(dx + e) + gradient : gradient);
  }
  if (rest == 0) return;
  const V gradient = rounded(load_part(y + whole, rest) * (load_part(dy + whole, rest) - all(mean)));
  store_part(dx + whole, accumulate ? load_part(dx + whole, rest) + gradient : gradient, rest);
}

template <typename T>
void log_sum_exp(long n, const T* x, T* max, T* log_sum) {
  using V = VectorFor<T>;
  *max = largest(n, x);
  const double sum = sum_exp(
      n, x, *max, [](long, V) {}, [](long, long, V) {});
  *log_sum = static_cast<T>(log(all(sum))[0]);
}

template <typename T>
void subtract_two(long n, const T* x, T max, T log_sum, T* y) {
  const long whole = n / width<T> * width<T>;
  for (long e = 0; e < whole; e += width<T>) store(y + e, (load(x + e) - all(max)) - all(log_sum));
  for (long e = whole; e < n; ++e) y[e] = (x[e] - max) - log_sum;
}

template <typename T>
void scaled_exp(long n, const T* x, T max, T log_sum, T factor, bool accumulate, T* dx) {
  using V = VectorFor<T>;
  const auto gradient = [&](V numbers) { return rounded(all(factor) * exp((numbers - all(max)) - all(log_sum))); };
  const long whole = n / width<T> * width<T>, rest = n - whole;
  for (long e = 0; e < whole; e += width<T>)
    store(dx + e, accumulate ? load(dx + e) + gradient(load(x + e)) : gradient(load(x + e)));
  if (rest == 0) return;
  const V last = gradient(load_part(x + whole, rest));
  store_part(dx + whole, accumulate ? load_part(dx + whole, rest) + last : last, rest);
}

// --- softmax of columns -------------------------------------------------------------------------------------------

// Calls f(c, here) for every vector of columns; `here` columns are left, at most a vector.
template <typename T, typename F>
BIRNN_INLINE void for_each_column_vector(long columns, F f) {
  for (long c = 0; c < columns; c += width<T>) f(c, columns - c < width<T> ? columns - c : width<T>);
}

// n rows of `columns` numbers: the softmax, or its logarithm, of every column.
template <typename T>
void column_softmax(bool logarithm, long n, long columns, const T* x, T* y) {
  using V = VectorFor<T>;
  for_each_column_vector<T>(columns, [&](long c, long here) {
    V most = all<V>(-__builtin_inf()), total;
    VectorSum sum;
    for (long i = 0; i < n; ++i) most = larger_of(most, load_up_to(x + i * columns + c, here));
    for (long i = 0; i < n; ++i) {
      const V value = exp(load_up_to(x + i * columns + c, here) - most);
      if (!logarithm) store_up_to(y + i * columns + c, value, here);
      sum.add(value);
    }
    sum.lanes_to(total);
    const V log_total = log(total);
    for (long i = 0; i < n; ++i) {
      const V logarithms = (load_up_to(x + i * columns + c, here) - most) - log_total;
      store_up_to(y + i * columns + c, logarithm ? logarithms : load_up_to(y + i * columns + c, here) / total, here);
    }
  });
}

// dx (+)= y (dy - sum(y dy)); or dy - exp(y) sum(dy) for logarithms
template <typename T>
void column_softmax_slope(bool logarithm, long n, long columns, const T* y, const T* dy, bool accumulate, T* dx) {
  using V = VectorFor<T>;
  for_each_column_vector<T>(columns, [&](long c, long here) {
    VectorSum sum;
    V total;
    for (long i = 0; i < n; ++i) {
      const V slope = load_up_to(dy + i * columns + c, here);
      logarithm ? sum.add(slope) : sum.add(load_up_to(y + i * columns + c, here), slope);
    }
    sum.lanes_to(total);
    for (long i = 0; i < n; ++i) {
      const V value = load_up_to(y + i * columns + c, here), slope = load_up_to(dy + i * columns + c, here);
      const V gradient = logarithm ? slope - rounded(exp(value) * total) : rounded(value * (slope - total));
      T* const to = dx + i * columns + c;
      store_up_to(to, accumulate ? load_up_to(to, here) + gradient : gradient, here);
    }
  });
}

// --- cross-entropies ----------------------------------------------------------------------------------------------

// One row of predictions: the logarithms of its probabilities.

// log p_i = x_i - log sum_j exp(x_j)
template <typename T>
struct LogitRow {
  using V = VectorFor<T>;
  T max, log_sum;
  BIRNN_INLINE LogitRow(const V*, long n, const T* x) { log_sum_exp(n, x, &max, &log_sum); }
  BIRNN_INLINE V log_probability(V x) const { return (x - all(max)) - all(log_sum); }
  BIRNN_INLINE V counted(V y, V) const { return y; }
  // dy (p_i sum_j y_j - y_i)
  BIRNN_INLINE V slope(V x, V y, V dy, V labels) const {
    return rounded(rounded(dy * labels) * exp(log_probability(x))) - rounded(dy * y);
  }
};

// log p_i = log clip(p_i / sum_j p_j); clipped probabilities have no gradient
template <typename T>
struct ProbabilityRow {
  using V = VectorFor<T>;
  V low, high, total;
  BIRNN_INLINE ProbabilityRow(const V* p, long n, const T* x)
      : low(p[0]), high(p[1]), total(all(static_cast<T>(sum(n, x)))) {}
  BIRNN_INLINE auto inside(V x) const { return ~((x / total < low) | (x / total > high)); }
  BIRNN_INLINE V log_probability(V x) const {
    const V share = x / total, raised = share < low ? low : share;
    return log(raised > high ? high : raised);
  }
  BIRNN_INLINE V counted(V y, V x) const { return inside(x) ? y : V{}; }
  // With r_i = p_i / sum: (sum of the y_i that count - y_i / r_i if it counts) / sum
  BIRNN_INLINE V slope(V x, V y, V dy, V labels) const {
    const V own = labels - rounded(y * total / x);
    return dy * (((inside(x) & (y != V{})) ? own : labels) / total);
  }
};

// Parameters: those of binary cross-entropies in kernel_pairs.h.
template <typename T>
BIRNN_INLINE VectorFor<T> smoothed_label(const VectorFor<T>* p, VectorFor<T> y) {
  return BinaryEntropy::label(p, y);
}

// -sum_i y_i log p_i; a label of 0 counts nothing, whatever the logarithm is.
template <typename Row, typename T>
__attribute__((noinline)) void cross_entropy_with(const T* params, long rows, long n, const T* y, const T* x,
                                                  T* values) {
  using V = VectorFor<T>;
  V p[combination_params];
  spread_params(params, p);
  for (long r = 0; r < rows; ++r, y += n, x += n) {
    const Row row(p, n, x);
    VectorSum sum;
    for (long e = 0; e < n; e += width<T>) {
      const long here = n - e < width<T> ? n - e : width<T>;
      const V given = smoothed_label<T>(p, load_up_to(y + e, here));
      const V label = here < width<T> ? first_of(given, here) : given;
      sum.add(label, label == V{} ? V{} : row.log_probability(load_up_to(x + e, here)));
    }
    values[r] = static_cast<T>(-sum.total());
  }
}
template <typename T>
void cross_entropy(bool logits, const T* params, long rows, long n, const T* y, const T* x, T* values) {
  logits ? cross_entropy_with<LogitRow<T>>(params, rows, n, y, x, values)
         : cross_entropy_with<ProbabilityRow<T>>(params, rows, n, y, x, values);
}

// The gradient of the labels (operand 0) or of the predictions (1).
template <typename Row, typename T>
__attribute__((noinline)) void cross_entropy_slope_with(const T* params, int operand, long rows, long n, const T* y,
                                                        const T* x, const T* dy, bool accumulate, T* dx) {
  using V = VectorFor<T>;
  V p[combination_params];
  spread_params(params, p);
  for (long r = 0; r < rows; ++r, y += n, x += n, dx += n) {
    const Row row(p, n, x);
    VectorSum sum;
    for (long e = 0; e < n && operand == 1; e += width<T>) {
      const long here = n - e < width<T> ? n - e : width<T>;
      const V counted = row.counted(smoothed_label<T>(p, load_up_to(y + e, here)), load_up_to(x + e, here));
      sum.add(here < width<T> ? first_of(counted, here) : counted);
    }
    const V labels = all(static_cast<T>(sum.total())), from_above = all(dy[r]);
    for (long e = 0; e < n; e += width<T>) {
      const long here = n - e < width<T> ? n - e : width<T>;
      const V numbers = load_up_to(x + e, here);
      const V gradient = operand == 0
                             ? -from_above * p[2] * row.log_probability(numbers)
                             : row.slope(numbers, smoothed_label<T>(p, load_up_to(y + e, here)), from_above, labels);
      store_up_to(dx + e, accumulate ? load_up_to(dx + e, here) + rounded(gradient) : gradient, here);
    }
  }
}
template <typename T>
void cross_entropy_slope(bool logits, const T* params, int operand, long rows, long n, const T* y, const T* x,
                         const T* dy, bool accumulate, T* dx) {
  logits ? cross_entropy_slope_with<LogitRow<T>>(params, operand, rows, n, y, x, dy, accumulate, dx)
         : cross_entropy_slope_with<ProbabilityRow<T>>(params, operand, rows, n, y, x, dy, accumulate, dx);
}

template <typename T>
constexpr ArrayKernels<T> arrays_of() {
  return {combine<T>,
          combine_slope<T>,
          combine_slope_sum<T>,
          transpose<T>,
          add<T>,
          sum<T>,
          sum_of_squares<T>,
          add_row_sums<T>,
          add_row_squares<T>,
          add_to_sums<T>,
          add_squares_to_sums<T>,
          softmax<T>,
          softmax_slope<T>,
          log_sum_exp<T>,
          subtract_two<T>,
          scaled_exp<T>,
          column_softmax<T>,
          column_softmax_slope<T>,
          cross_entropy<T>,
          cross_entropy_slope<T>};
}
constexpr ArrayTable array_table() { return {arrays_of<float>(), arrays_of<double>()}; }
