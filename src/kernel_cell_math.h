// The activations of the cells for vectors of Scalar (level L1): cheaper than those of kernel_math.h, because subnormal
// numbers may count as zero. Included by kernel_tiles.h.

// exp(x) = 2^k exp(r), |r| <= log(2) / 2: x becomes r; `power` is 2^k, zero or infinite at the ends. Adding `round`
// leaves k + bias in the lowest bits of a number. float: r in units of log(2), exact but for the last bits of log2(e)
// where multiplications are fused. double: log(2) in two parts, of which the first times k is exact.
template <int N>
BIRNN_INLINE void reduce_exponent(Vec (&x)[N], Vec (&power)[N]) {
  constexpr int mantissa = is_float ? 23 : 52, bias = is_float ? 127 : 1023;
  const Vec round = all((is_float ? 12582912. : 6755399441055744.) + bias), scale = all(1.4426950408889634);
  Vec k[N];
  BIRNN_EACH power[n] = x[n] * scale + round;
  BIRNN_EACH k[n] = power[n] - round;
  BIRNN_EACH power[n] = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(power[n]) << mantissa);
  if constexpr (is_float) {
    BIRNN_EACH x[n] = x[n] * scale - k[n];
  } else {
    BIRNN_EACH x[n] = k[n] * all(-0.693145751953125) + x[n];
    BIRNN_EACH x[n] = k[n] * all(-1.42860682030941723e-6) + x[n];
  }
}

// exp(r) for a reduced r. float: a polynomial that is 1 at 0, relative error 9e-8. double: its series, to the last bit.
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
template <int N>
BIRNN_INLINE void exp_reduced(const Vec (&r)[N], Vec (&p)[N]) {
  if constexpr (is_float) {
    BIRNN_EACH p[n] = all(1.3264727e-03);
    horner_step(p, r, 9.671512640e-03);
    horner_step(p, r, 5.550733743e-02);
    horner_step(p, r, 2.402224209e-01);
    horner_step(p, r, 6.931469776e-01);
    horner_step(p, r, 1);
  } else {
    exp_minus_one(r, p);
    BIRNN_EACH p[n] = p[n] + all(1);
  }
}

// sigmoid(x) = 1 / (1 + exp(-x)). At the limits exp(-x) becomes infinite and zero: so sigmoid is exactly 0 and 1.
template <int N>
BIRNN_INLINE void sigmoid(Vec (&x)[N]) {
  const Vec low = all(is_float ? -89 : -710), high = all(is_float ? 88 : 709);
  Vec power[N], p[N];
  BIRNN_EACH x[n] = -larger_of(low, smaller_of(high, x[n]));
  reduce_exponent(x, power);
  exp_reduced(x, p);
  BIRNN_EACH p[n] = p[n] * power[n] + all(1);
  BIRNN_EACH x[n] = all(1) / p[n];
}

// float: see kernel_simd.h. double: e / (e + 2) with e = exp(2|x|) - 1 = 2^k (exp(r) - 1) + (2^k - 1), and the sign of
// x.
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
