// Sums over arrays, in double (level L1). Included like kernel_simd.h; table: kernel_arrays.h.

#include "kernel_combine.h"

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

// The sum of vectors, in double.
struct VectorSum {
  DoubleVec low = {}, high = {};
  BIRNN_INLINE void add(DoubleVec x) { low += x; }
  BIRNN_INLINE void add(Vec x) {
    const Halves parts = halves(x);
    low += parts.low;
    high += parts.high;
  }
  // The products of two vectors.
  BIRNN_INLINE void add(DoubleVec x, DoubleVec y) { low += x * y; }
  BIRNN_INLINE void add(Vec x, Vec y) {
    const Halves of_x = halves(x), of_y = halves(y);
    low += of_x.low * of_y.low;
    high += of_x.high * of_y.high;
  }
  // The sum of each lane, rounded.
  BIRNN_INLINE void lanes_to(DoubleVec& sums) const { sums = low; }
  BIRNN_INLINE void lanes_to(Vec& sums) const { sums = joined({low, high}); }
  BIRNN_INLINE double total() const { return sum_of_lanes(low + high); }
};

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

// sums[r] += the sum of a row of n numbers, or of their squares.
template <typename T>
void add_row_sums(long rows, long n, const T* x, double* sums) {
  for (long r = 0; r < rows; ++r) sums[r] += sum(n, x + r * n);
}
template <typename T>
void add_row_squares(long rows, long n, const T* x, const double* centres, double* sums) {
  for (long r = 0; r < rows; ++r) sums[r] += sum_of_squares(n, x + r * n, centres[r]);
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
  V p[combination_params];
  spread_params(in.params, p);
  VectorSum sum;
  const SlopeRow<Op, operand, T> row(p, in, y, dy, 0, n);
  for (long e = 0; e < n; e += width<T>) {
    const long here = n - e < width<T> ? n - e : width<T>;
    sum.add(here < width<T> ? first_of(row.at(e, here), here) : row.at(e, here));
  }
  return sum.total();
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
