// Functions that take the way through doubles for floats: powers, sine and cosine, logarithms of other bases (level
// L1). Included like kernel_simd.h.

#include "kernel_math.h"
#include "kernel_part.h"

// The lower and the upper half of a vector of floats as doubles; and back.
struct Halves {
  DoubleVec low, high;
};
BIRNN_INLINE Halves halves(Vec x) {
#if defined(__x86_64__) && BIRNN_LANES == 4
  const __m128 y = reinterpret_cast<__m128>(x);
  return {reinterpret_cast<DoubleVec>(_mm_cvtps_pd(y)), reinterpret_cast<DoubleVec>(_mm_cvtps_pd(_mm_movehl_ps(y, y)))};
#elif defined(__x86_64__) && BIRNN_LANES == 8
  const __m256 y = reinterpret_cast<__m256>(x);
  return {reinterpret_cast<DoubleVec>(_mm256_cvtps_pd(_mm256_castps256_ps128(y))),
          reinterpret_cast<DoubleVec>(_mm256_cvtps_pd(_mm256_extractf128_ps(y, 1)))};
#elif defined(__x86_64__)
  const __m512 y = reinterpret_cast<__m512>(x);
  return {reinterpret_cast<DoubleVec>(_mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, y, 0))),
          reinterpret_cast<DoubleVec>(_mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, y, 1)))};
#else
  Halves y;
  for (int i = 0; i < lanes / 2; ++i) {
    y.low[i] = x[i];
    y.high[i] = x[lanes / 2 + i];
  }
  return y;
#endif
}
BIRNN_INLINE Vec joined(Halves x) {
#if defined(__x86_64__) && BIRNN_LANES == 4
  return reinterpret_cast<Vec>(
      _mm_movelh_ps(_mm_cvtpd_ps(reinterpret_cast<__m128d>(x.low)), _mm_cvtpd_ps(reinterpret_cast<__m128d>(x.high))));
#elif defined(__x86_64__) && BIRNN_LANES == 8
  return reinterpret_cast<Vec>(
      _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(reinterpret_cast<__m256d>(x.low))),
                           _mm256_cvtpd_ps(reinterpret_cast<__m256d>(x.high)), 1));
#elif defined(__x86_64__)
  return reinterpret_cast<Vec>(_mm512_maskz_insertf32x8(
      0xffff, _mm512_castps256_ps512(_mm512_maskz_cvtpd_ps(0xff, reinterpret_cast<__m512d>(x.low))),
      _mm512_maskz_cvtpd_ps(0xff, reinterpret_cast<__m512d>(x.high)), 1));
#else
  Vec y;
  for (int i = 0; i < lanes / 2; ++i) {
    y[i] = static_cast<float>(x.low[i]);
    y[lanes / 2 + i] = static_cast<float>(x.high[i]);
  }
  return y;
#endif
}

template <typename V>
BIRNN_INLINE auto is_whole(V x) {  // beyond the mantissa every number is
  using F = FormatOf<V>;
  return (((x + all<V>(F::round)) - all<V>(F::round)) == x) | (magnitude(x) >= all<V>(F::two_up / 2));
}

// a^b for numbers that are floats; through the logarithm, whose error grows with the exponent: right for floats only.
BIRNN_INLINE DoubleVec power_of_floats(DoubleVec a, DoubleVec b) {
  using V = DoubleVec;
  const V exponent = b * log(magnitude(a));
  const V size = exp(exponent), odd = (is_whole(b) & ~is_whole(b * all<V>(0.5))) ? with_sign(size, a) : size;
  const auto no_number = (a < V{}) & (a > -infinity<V>()) & ~is_whole(b);
  const V value = no_number ? all<V>(__builtin_nan("")) : odd;
  return ((b == V{}) | (a == all<V>(1)) | ((a == all<V>(-1)) & (magnitude(b) == infinity<V>()))) ? all<V>(1) : value;
}
// --- sine and cosine ----------------------------------------------------------------------------------------------

BIRNN_INLINE bool any_lane(IntVec condition) {
#if defined(__x86_64__) && BIRNN_LANES == 4
  return _mm_movemask_ps(reinterpret_cast<__m128>(condition)) != 0;
#elif defined(__x86_64__) && BIRNN_LANES == 8
  return _mm256_movemask_ps(reinterpret_cast<__m256>(condition)) != 0;
#elif defined(__x86_64__)
  return _mm512_movepi32_mask(reinterpret_cast<__m512i>(condition)) != 0;
#else
  for (int i = 0; i < lanes; ++i)
    if (condition[i] != 0) return true;
  return false;
#endif
}

constexpr double sine_limit = 1e6;  // beyond: one by one, by the standard library

// sin(x + quadrants pi / 2) for |x| up to the limit: x = n pi/2 + r with |r| <= pi/4. Two products of n with a part of
// pi/2 are exact.
template <bool for_floats>
BIRNN_INLINE DoubleVec sine_within(DoubleVec x, unsigned long long quadrants) {
  using V = DoubleVec;
  const V shifted = x * all<V>(0.63661977236758134308) + all<V>(FormatOf<V>::round);
  const V n = shifted - all<V>(FormatOf<V>::round);
  const V nearly = (x - n * all<V>(1.5707963267341256142)) - n * all<V>(6.0771005063039659766e-11);
  const V r = nearly - n * all<V>(2.0222662487959507324e-21), z = r * r, half = z * all<V>(0.5), w = all<V>(1) - half;
  V sine, cosine;
  if (for_floats) {
    sine = horner(z, -0.16666666663854167, 0.00833333187427371367, -0.000198400864995935981, 2.72498952306116781e-6);
    cosine =
        horner(z, 0.0416666666643202666, -0.00138888876716525039, 0.0000248006001803638087, -2.73009336872129431e-7);
  } else {
    sine = horner(z, -0.166666666666666667, 0.00833333333333333149, -0.000198412698412650626, 2.75573192193373103e-6,
                  -2.50521062318028379e-8, 1.60585315167977592e-10, -7.58669109419795836e-13);
    cosine = horner(z, 0.0416666666666666654, -0.00138888888888873965, 0.0000248015872987645608, -2.7557317271145146e-7,
                    2.08761461465586116e-9, -1.13826236474746046e-11);
  }
  sine = r + r * z * sine;
  cosine = w + (((all<V>(1) - w) - half) + z * z * cosine);
  const LongWordVec quadrant = bits_of(shifted) + quadrants;
  const V value = (quadrant & 1) != 0 ? cosine : sine;
  return reinterpret_cast<V>(bits_of(value) ^ ((quadrant & 2) << 62));
}

BIRNN_INLINE double far_sine(double x, unsigned long long quadrants) {
  const double value = (quadrants & 1) != 0 ? __builtin_cos(x) : __builtin_sin(x);
  return (quadrants & 2) != 0 ? -value : value;
}
inline __attribute__((noinline)) Vec sine(Vec x, unsigned long long quadrants) {
  const Halves parts = halves(x);
  Vec value = joined({sine_within<true>(parts.low, quadrants), sine_within<true>(parts.high, quadrants)});
  if (any_lane(magnitude(x) > all<Vec>(sine_limit)))
    for (int i = 0; i < lanes; ++i)
      if (__builtin_fabsf(x[i]) > static_cast<float>(sine_limit))
        value[i] = static_cast<float>(far_sine(static_cast<double>(x[i]), quadrants));
  return value;
}
inline __attribute__((noinline)) DoubleVec sine(DoubleVec x, unsigned long long quadrants) {
  DoubleVec value = sine_within<false>(x, quadrants);
  if (any_lane(reinterpret_cast<IntVec>(magnitude(x) > all<DoubleVec>(sine_limit))))
    for (int i = 0; i < lanes / 2; ++i)
      if (__builtin_fabs(x[i]) > sine_limit) value[i] = far_sine(x[i], quadrants);
  return value;
}

// --- logarithms ---------------------------------------------------------------------------------------------------

// k + log(1 + f) / log(2): exact at powers of two.
BIRNN_INLINE DoubleVec log2(DoubleVec x) {
  const LogParts<DoubleVec> parts = log_parts(x);
  const DoubleVec f = parts.f, s = f / (f + all<DoubleVec>(2));
  return with_log_limits(parts.k + (f - s * (f - log_rest(s * s))) * all<DoubleVec>(1.44269504088896340736), x);
}
BIRNN_INLINE DoubleVec log10(DoubleVec x) { return log(x) * all<DoubleVec>(0.43429448190325182765); }

BIRNN_INLINE Vec log2(Vec x) {
  const Halves parts = halves(x);
  return joined({log2(parts.low), log2(parts.high)});
}
BIRNN_INLINE Vec log10(Vec x) {
  const Halves parts = halves(x);
  return joined({log10(parts.low), log10(parts.high)});
}
