// The activations of the cells for vectors of Scalar (level L1): cheaper than those of kernel_math.h, because subnormal
// numbers may count as zero. Included by kernel_tiles.h.

// exp(x) = 2^k exp(r), |r| <= log(2) / 2: x becomes r; `power` is 2^k, zero or infinite at the ends. Adding `round`
// leaves k + bias in the lowest bits of a number.
template <int N>
BIRNN_INLINE void reduce_exponent(Vec (&x)[N], Vec (&power)[N]) {
  constexpr int mantissa = is_float ? 23 : 52, bias = is_float ? 127 : 1023;
  const Vec round = all((is_float ? 12582912. : 6755399441055744.) + bias);
  Vec k[N];
  BIRNN_EACH power[n] = x[n] * all(1.4426950408889634) + round;
  BIRNN_EACH k[n] = power[n] - round;
  BIRNN_EACH power[n] = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(power[n]) << mantissa);
  // log(2) in two parts, of which the first times k is exact.
  BIRNN_EACH x[n] = k[n] * all(is_float ? -0.693359375 : -0.693145751953125) + x[n];
  BIRNN_EACH x[n] = k[n] * all(is_float ? 2.12194440e-4 : -1.42860682030941723e-6) + x[n];
}

// exp(r) - 1 by its series, to the last bit of a double.
template <int N>
BIRNN_INLINE void exp_minus_one(const Vec (&r)[N], Vec (&p)[N]) {
  BIRNN_EACH p[n] = all(1. / 6227020800.);
  horner_step(p, r, 1. / 479001600.);
  horner_step(p, r, 1. / 39916800.);
  horner_step(p, r, 1. / 3628800.);
  horner_step(p, r, 1. / 362880.);
  horner_step(p, r, 1. / 40320.);
  horner_step(p, r, 1. / 5040.);
  horner_step(p, r, 1. / 720.);
  horner_step(p, r, 1. / 120.);
  horner_step(p, r, 1. / 24.);
  horner_step(p, r, 1. / 6.);
  horner_step(p, r, 1. / 2.);
  BIRNN_EACH p[n] = p[n] * (r[n] * r[n]) + r[n];
}

// sigmoid(x) = 1 / (1 + exp(-x)). At the limits exp(-x) becomes infinite and zero: so sigmoid is exactly 0 and 1.
template <int N>
BIRNN_INLINE void sigmoid(Vec (&x)[N]) {
  const Vec low = all(is_float ? -89 : -710), high = all(is_float ? 88 : 709);
  Vec power[N], p[N];
  BIRNN_EACH x[n] = -larger_of(low, smaller_of(high, x[n]));
  reduce_exponent(x, power);
  if constexpr (is_float) {
    BIRNN_EACH p[n] = all(1.392632562e-03);
    horner_step(p, x, 8.363292753e-03);
    horner_step(p, x, 4.166655376e-02);
    horner_step(p, x, 1.666657631e-01);
    horner_step(p, x, 0.5);
    horner_step(p, x, 1);
    horner_step(p, x, 1);
  } else {
    exp_minus_one(x, p);
    BIRNN_EACH p[n] = p[n] + all(1);
  }
  BIRNN_EACH p[n] = p[n] * power[n] + all(1);
  BIRNN_EACH x[n] = all(1) / p[n];
}

// float: see kernel_simd.h. double: e / (e + 2) with e = exp(2|x|) - 1 = 2^k (exp(r) - 1) + (2^k - 1), and the sign of x.
template <int N>
BIRNN_INLINE void squash(Vec (&x)[N]) {
  if constexpr (is_float) {
    tanh(x);
  } else {
    const IntVec sign_bit = reinterpret_cast<IntVec>(all(-0.));
    IntVec sign[N];
    Vec power[N], e[N];
    BIRNN_EACH sign[n] = reinterpret_cast<IntVec>(x[n]) & sign_bit;
    BIRNN_EACH x[n] = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(x[n]) ^ sign[n]);
    BIRNN_EACH x[n] = smaller_of(all(20), x[n]);
    BIRNN_EACH x[n] = x[n] + x[n];
    reduce_exponent(x, power);
    exp_minus_one(x, e);
    BIRNN_EACH e[n] = e[n] * power[n] + (power[n] - all(1));
    BIRNN_EACH e[n] = e[n] / (e[n] + all(2));
    BIRNN_EACH x[n] = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(e[n]) | sign[n]);
  }
}
