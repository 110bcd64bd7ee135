// Normal random numbers (level L1). Included like kernel_simd.h. Every product is rounded before it is added, so that
// all instruction sets give the same bits.

#include "kernel_philox.h"

template <typename V>
BIRNN_INLINE V times(V a, V b) {
  return rounded(a * b);
}
BIRNN_INLINE DoubleVec plain_horner(DoubleVec, double c) { return all(c); }
template <typename... Rest>
BIRNN_INLINE DoubleVec plain_horner(DoubleVec x, double c, Rest... rest) {
  return times(plain_horner(x, rest...), x) + all(c);
}

// log(x) of a positive normal number; the formula is that of log_positive().
BIRNN_INLINE DoubleVec plain_log(DoubleVec x) {
  using F = FormatOf<DoubleVec>;
  const LogParts<DoubleVec> parts = log_parts(x);
  const DoubleVec k = parts.k, f = parts.f, s = f / (f + all(2.0)), z = times(s, s);
  const DoubleVec rest =
      times(z, plain_horner(z, 0.666666666666666971, 0.399999999998988905, 0.285714286262538376, 0.222222110893794962,
                            0.181828924325368712, 0.153316117220550079, 0.14617807153417325));
  const DoubleVec correction = times(s, f - rest) - times(k, all(F::log_2_low));
  return times(k, all(F::log_2_high)) + (f - correction);
}

// sin(r) and cos(r) for |r| <= pi / 4
BIRNN_INLINE DoubleVec plain_sine(DoubleVec r, DoubleVec z) {
  const DoubleVec rest =
      plain_horner(z, -0.166666666666666667, 0.00833333333333333149, -0.000198412698412650626, 2.75573192193373103e-6,
                   -2.50521062318028379e-8, 1.60585315167977592e-10, -7.58669109419795836e-13);
  return r + times(times(r, z), rest);
}
BIRNN_INLINE DoubleVec plain_cosine(DoubleVec z) {
  const DoubleVec rest = plain_horner(z, 0.0416666666666666654, -0.00138888888888873965, 0.0000248015872987645608,
                                      -2.7557317271145146e-7, 2.08761461465586116e-9, -1.13826236474746046e-11);
  const DoubleVec half = times(z, all(0.5)), w = all(1.0) - half;
  return w + (((all(1.0) - w) - half) + times(times(z, z), rest));
}

// uniform_double() of two words: a number of 53 bits times 2^-53, in two parts that are exact.
BIRNN_INLINE DoubleVec uniform_numbers(LongWordVec high, LongWordVec low) {
  constexpr unsigned long long whole = FormatOf<DoubleVec>::whole;
  const LongWordVec bits = ((high << 32) | (low & 0xffffffffull)) >> 11;
  const DoubleVec upper = reinterpret_cast<DoubleVec>((bits >> 32) | whole) - all(4503599627370496.0);
  const DoubleVec lower = reinterpret_cast<DoubleVec>((bits & 0xffffffffull) | whole) - all(4503599627370496.0);
  return (upper * all(4294967296.0) + lower) * all(1.0 / 9007199254740992.0);
}

// Box-Muller: radius sqrt(-2 log(1 - u)) and angle 2 pi v, of which a whole number of quarters is taken exactly.
BIRNN_INLINE Halves normal_pairs(const Blocks& blocks) {
  using F = FormatOf<DoubleVec>;
  const DoubleVec radius = square_root(all(-2.0) * plain_log(all(1.0) - uniform_numbers(blocks.w0, blocks.w1)));
  const DoubleVec quarters = uniform_numbers(blocks.w2, blocks.w3) * all(4.0), shifted = quarters + all(F::round);
  const DoubleVec r = times(quarters - (shifted - all(F::round)), all(1.57079632679489661923)), z = times(r, r);
  const DoubleVec sine = plain_sine(r, z), cosine = plain_cosine(z);
  const LongWordVec quadrant = bits_of(shifted);
  const auto turned = [&](DoubleVec even, DoubleVec odd, LongWordVec q) {
    const DoubleVec value = (quadrant & 1) != 0 ? odd : even;
    return times(radius, reinterpret_cast<DoubleVec>(bits_of(value) ^ ((q & 2) << 62)));
  };
  return {turned(cosine, sine, quadrant + 1), turned(sine, cosine, quadrant)};
}

// Both numbers of a pair as neighbours.
BIRNN_INLINE void store_pairs(Halves pairs, float mean, float stddev, float* y) {
  float numbers[lanes];
  store(numbers, all(mean) + times(all(stddev), joined(pairs)));
  for (int i = 0; i < lanes / 2; ++i) {
    y[2 * i] = numbers[i];
    y[2 * i + 1] = numbers[lanes / 2 + i];
  }
}
BIRNN_INLINE void store_pairs(Halves pairs, double mean, double stddev, double* y) {
  const DoubleVec first = all(mean) + times(all(stddev), pairs.low),
                  second = all(mean) + times(all(stddev), pairs.high);
  for (int i = 0; i < lanes / 2; ++i) {
    y[2 * i] = first[i];
    y[2 * i + 1] = second[i];
  }
}

template <typename T>
void normals(std::uint64_t key, long n, T mean, T stddev, T* y) {
  LongWordVec lane;
  for (long i = 0; i < blocks_at_once; ++i) lane[i] = static_cast<unsigned long long>(i);
  for (long e = 0; e < n; e += 2 * blocks_at_once) {
    const Halves pairs = normal_pairs(blocks_of(key, lane + static_cast<unsigned long long>(e / 2)));
    T last[2 * blocks_at_once], *const to = n - e < 2 * blocks_at_once ? last : y + e;
    store_pairs(pairs, mean, stddev, to);
    for (long i = 0; to == last && i < n - e; ++i) y[e + i] = last[i];
  }
}

// x with P(X <= x) = p for a standard normal X: Wichura's AS 241 (doi:10.2307/2347330), without its far tails: p must
// lie in [1e-11, 1 - 1e-11].
BIRNN_INLINE DoubleVec normal_quantile(DoubleVec p) {
  const DoubleVec q = p - all(0.5), r = all(0.180625) - times(q, q);
  const DoubleVec centre =
      times(q, plain_horner(r, 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                            1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                            3.3430575583588128105e4, 2.5090809287301226727e3) /
                   plain_horner(r, 1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
                                2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
                                5.2264952788528545610e3));
  const DoubleVec s = square_root(-plain_log(q < DoubleVec{} ? p : all(1.0) - p)) - all(1.6);
  const DoubleVec tail = plain_horner(s, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                                      3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                                      2.27238449892691845833e-2, 7.74545014278341407640e-4) /
                         plain_horner(s, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
                                      6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                                      5.47593808499534494600e-4, 1.05075007164441684324e-9);
  return magnitude(q) <= all(0.425) ? centre : with_sign(tail, q);
}

void normal_quantiles(long n, double* p) {
  for (long e = 0; e < n; e += width<double>) {
    const long here = n - e < width<double> ? n - e : width<double>;
    store_up_to(p + e, normal_quantile(load_up_to(p + e, here)), here);
  }
}

constexpr RandomKernels random_table() {
  return {random_words, dropout_mask, normals<float>, normals<double>, normal_quantiles};
}
