// Sums over arrays and what is made of them: softmax (level L1). Included like kernel_simd.h; table: kernel_arrays.h.

#include "kernel_combine.h"
#include "kernel_transpose.h"

// As many numbers as a vector holds doubles, as doubles.
BIRNN_INLINE DoubleVec load_doubles(const double* from) { return load(from); }
BIRNN_INLINE DoubleVec load_doubles(const float* from) {
#if defined(__x86_64__) && BIRNN_LANES == 4
  return reinterpret_cast<DoubleVec>(
      _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)))));
#elif defined(__x86_64__) && BIRNN_LANES == 8
  return reinterpret_cast<DoubleVec>(_mm256_cvtps_pd(_mm_loadu_ps(from)));
#elif defined(__x86_64__)
  return reinterpret_cast<DoubleVec>(_mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(from)));
#else
  DoubleVec values;
  for (int i = 0; i < lanes / 2; ++i) values[i] = from[i];
  return values;
#endif
}
constexpr long doubles = width<double>;

BIRNN_INLINE double sum_of_lanes(DoubleVec x) {
  double sum = 0;
  for (int i = 0; i < doubles; ++i) sum += x[i];
  return sum;
}

// The sum of term(e) for the numbers e .. e + doubles - 1 at a time, in four chains, and of last(e) for those left.
template <typename Term, typename Last>
BIRNN_INLINE double sum_terms(long n, Term term, Last last) {
  DoubleVec chain[4] = {};
  long e = 0;
  for (; e + 4 * doubles <= n; e += 4 * doubles)
    BIRNN_UNROLL for (int c = 0; c < 4; ++c) chain[c] += term(e + c * doubles);
  for (; e + doubles <= n; e += doubles) chain[0] += term(e);
  double sum = sum_of_lanes((chain[0] + chain[1]) + (chain[2] + chain[3]));
  for (; e < n; ++e) sum += last(e);
  return sum;
}

template <typename T>
double sum(long n, const T* x) {
  return sum_terms(
      n, [&](long e) { return load_doubles(x + e); }, [&](long e) { return static_cast<double>(x[e]); });
}

template <typename T>
double sum_of_squares(long n, const T* x, double centre) {
  return sum_terms(
      n,
      [&](long e) {
        const DoubleVec d = load_doubles(x + e) - all(centre);
        return d * d;
      },
      [&](long e) {
        const double d = static_cast<double>(x[e]) - centre;
        return d * d;
      });
}

template <typename T>
double dot(long n, const T* x, const T* y) {
  return sum_terms(
      n, [&](long e) { return load_doubles(x + e) * load_doubles(y + e); },
      [&](long e) { return static_cast<double>(x[e]) * static_cast<double>(y[e]); });
}

template <typename Op, int operand, typename T>
double slope_sum_with(long n, const Operands<T>& in, const T* y, const T* dy) {
  using V = VectorFor<T>;
  DoubleVec low = {}, high = {};
  const auto add = [&](V gradient) {
    T numbers[width<T>];
    store(numbers, gradient);
    low += load_doubles(numbers);
    if (width < T >> doubles) high += load_doubles(numbers + width<T> - doubles);
  };
  for_each_slope<Op, operand>(
      n, in, y, dy, [&](long, V gradient) { add(gradient); },
      [&](long, long rest, V gradient) {
        Part<T> part;
        store(part.numbers, gradient);
        add(load(Part<T>(part.numbers, rest).numbers));
      });
  return sum_of_lanes(low + high);
}

template <typename T>
double combine_slope_sum(Combination combination, int operand, long n, const Operands<T>& in, const T* y, const T* dy) {
  double sum = 0;
  with_combination(combination, [&](auto op) {
    using Op = decltype(op);
    sum = operand == 0 ? slope_sum_with<Op, 0>(n, in, y, dy) : slope_sum_with<Op, 1>(n, in, y, dy);
  });
  return sum;
}

template <typename T>
void add(long n, const T* x, T* y) {
  const long whole = n / width<T> * width<T>;
  for (long e = 0; e < whole; e += width<T>) store(y + e, load(y + e) + load(x + e));
  for (long e = whole; e < n; ++e) y[e] += x[e];
}

template <typename T>
void add_to_sums(long n, const T* x, double* sums) {
  const long whole = n / doubles * doubles;
  for (long e = 0; e < whole; e += doubles) store(sums + e, load(sums + e) + load_doubles(x + e));
  for (long e = whole; e < n; ++e) sums[e] += static_cast<double>(x[e]);
}

template <typename T>
void add_squares_to_sums(long n, const T* x, const double* centres, double* sums) {
  const long whole = n / doubles * doubles;
  for (long e = 0; e < whole; e += doubles) {
    const DoubleVec d = load_doubles(x + e) - load(centres + e);
    store(sums + e, load(sums + e) + d * d);
  }
  for (long e = whole; e < n; ++e) {
    const double d = static_cast<double>(x[e]) - centres[e];
    sums[e] += d * d;
  }
}

// --- softmax ------------------------------------------------------------------------------------------------------

// NaN may get lost here: exp() brings it back.
template <typename T>
T largest(long n, const T* x) {
  using V = VectorFor<T>;
  V most = all<V>(-__builtin_inf());
  const long whole = n / width<T> * width<T>;
  for (long e = 0; e < whole; e += width<T>) most = larger_of(most, load(x + e));
  T max = most[0];
  for (int i = 1; i < width<T>; ++i) max = most[i] > max ? most[i] : max;
  for (long e = whole; e < n; ++e) max = x[e] > max ? x[e] : max;
  return max;
}

// Calls put(e, exp(x - max)) for whole vectors, last(e, rest, ...) for the rest; the sum of them all.
template <typename T, typename Put, typename Last>
BIRNN_INLINE double sum_exp(long n, const T* x, T max, Put put, Last last) {
  using V = VectorFor<T>;
  DoubleVec low = {}, high = {};
  const auto add = [&](V value) {
    T numbers[width<T>];
    store(numbers, value);
    low += load_doubles(numbers);
    if (width < T >> doubles) high += load_doubles(numbers + width<T> - doubles);
  };
  const long whole = n / width<T> * width<T>, rest = n - whole;
  for (long e = 0; e < whole; e += width<T>) {
    const V value = exp(load(x + e) - all(max));
    put(e, value);
    add(value);
  }
  if (rest > 0) {
    T part[width<T>];
    for (long i = 0; i < width<T>; ++i) part[i] = i < rest ? x[whole + i] : static_cast<T>(-__builtin_inf());
    const V value = exp(load(part) - all(max));
    last(whole, rest, value);
    add(value);
  }
  return sum_of_lanes(low + high);
}

template <typename T>
void softmax(long n, const T* x, T* y) {
  using V = VectorFor<T>;
  const T max = largest(n, x);
  const T sum = static_cast<T>(sum_exp(
      n, x, max, [&](long e, V value) { store(y + e, value); },
      [&](long e, long rest, V value) {
        Part<T> part;
        store(part.numbers, value);
        part.to(y + e, rest);
      }));
  combine_with<Divide>(n, Operands<T>{y, 1, &sum, 0}, y);
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
  Part<T> part(dx + whole, rest);
  const V gradient =
      rounded(load(Part<T>(y + whole, rest).numbers) * (load(Part<T>(dy + whole, rest).numbers) - all(mean)));
  store(part.numbers, accumulate ? load(part.numbers) + gradient : gradient);
  part.to(dx + whole, rest);
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
  Part<T> part(dx + whole, rest);
  const V last = gradient(load(Part<T>(x + whole, rest).numbers));
  store(part.numbers, accumulate ? load(part.numbers) + last : last);
  part.to(dx + whole, rest);
}

template <typename T>
constexpr ArrayKernels<T> arrays_of() {
  return {combine<T>,       combine_slope<T>,  combine_slope_sum<T>, transpose<T>,           add<T>,
          sum<T>,           sum_of_squares<T>, add_to_sums<T>,       add_squares_to_sums<T>, softmax<T>,
          softmax_slope<T>, log_sum_exp<T>,    subtract_two<T>,      scaled_exp<T>};
}
constexpr ArrayTable array_table() { return {arrays_of<float>(), arrays_of<double>()}; }
