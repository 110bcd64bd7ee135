// Elementary functions of vectors of floats and of doubles, over the whole range of their arguments (level L1).
// Included like kernel_simd.h, which has the cheaper forms that the cells use.
//
// Relative errors: floats at most 4e-7, doubles at most 1e-15 (erfc in its far tail: 2e-15). NaN stays NaN, limits are
// exact (Inf, 0, 1, -1), and subnormal arguments and results are right. tests/cpp/test_math.cpp measures them.
// The polynomials are Chebyshev fits to 50 digits, rounded.

#include "kernel_simd.h"

typedef long long LongVec __attribute__((vector_size(BIRNN_LANES * 4)));
typedef unsigned WordVec __attribute__((vector_size(BIRNN_LANES * 4)));
typedef unsigned long long LongWordVec __attribute__((vector_size(BIRNN_LANES * 4)));

// What the functions need to know of a kind of vector.
template <typename V>
struct FormatOf;
template <>
struct FormatOf<Vec> {
  typedef float Number;
  typedef IntVec Int;
  typedef WordVec Word;
  static constexpr int mantissa = 23;
  static constexpr unsigned one = 0x3f800000u, root_half = 0x3f3504f3u, magnitude = 0x7fffffffu;
  static constexpr unsigned upper_half = 0xfffff000u;            // half of the bits of a mantissa
  static constexpr unsigned whole = 0x4b000000u;                 // the bits of 2^23
  static constexpr double round = 12582912.0, two_up = 8388608;  // 1.5 * 2^23, 2^23
  static constexpr double bias = 127, smallest_normal = 1.17549435082228750797e-38;
  static constexpr double exp_low = -104.5, exp_high = 89.0;  // beyond: 0 and Inf
  static constexpr double log_2_high = 0.693359375, log_2_low = -2.12194440054690583e-4;
  static constexpr double erfc_high = 10.6, erfc_centre = 2;
};
template <>
struct FormatOf<DoubleVec> {
  typedef double Number;
  typedef LongVec Int;
  typedef LongWordVec Word;
  static constexpr int mantissa = 52;
  static constexpr unsigned long long one = 0x3ff0000000000000ull, root_half = 0x3fe6a09e667f3bcdull;
  static constexpr unsigned long long magnitude = 0x7fffffffffffffffull, upper_half = 0xfffffffff8000000ull;
  static constexpr unsigned long long whole = 0x4330000000000000ull;
  static constexpr double round = 6755399441055744.0, two_up = 4503599627370496.0;
  static constexpr double bias = 1023, smallest_normal = 2.22507385850720138309e-308;
  static constexpr double exp_low = -746, exp_high = 710;
  static constexpr double log_2_high = 0.69314718036912381649, log_2_low = 1.9082149292705878161e-10;
  static constexpr double erfc_high = 28, erfc_centre = 3;
};
template <typename V>
using NumberOf = typename FormatOf<V>::Number;

template <typename V>
BIRNN_INLINE V all(double x) {
  return static_cast<NumberOf<V>>(x) - V{};
}
template <typename V>
BIRNN_INLINE typename FormatOf<V>::Word bits_of(V x) {
  return reinterpret_cast<typename FormatOf<V>::Word>(x);
}
template <typename V>
BIRNN_INLINE V magnitude(V x) {
  return reinterpret_cast<V>(bits_of(x) & FormatOf<V>::magnitude);
}
// |x| with the sign of `sign`.
template <typename V>
BIRNN_INLINE V with_sign(V x, V sign) {
  return reinterpret_cast<V>((bits_of(x) & FormatOf<V>::magnitude) | (bits_of(sign) & ~FormatOf<V>::magnitude));
}
template <typename V>
BIRNN_INLINE V infinity() {
  return all<V>(__builtin_inf());
}

// The product is rounded before it is added, wherever it stands: no FMA across the empty asm.
template <typename V>
BIRNN_INLINE V rounded(V x) {
#if defined(__x86_64__)
  __asm__("" : "+x"(x));
#elif defined(__aarch64__)
  __asm__("" : "+w"(x));
#endif
  return x;
}

// c0 + c1 x + c2 x^2 + ...
template <typename V>
BIRNN_INLINE V horner(V, double c) {
  return all<V>(c);
}
template <typename V, typename... Rest>
BIRNN_INLINE V horner(V x, double c, Rest... rest) {
  return horner(x, rest...) * x + all<V>(c);
}

BIRNN_INLINE Vec square_root(Vec x) {
#if defined(__x86_64__) && BIRNN_LANES == 4
  return reinterpret_cast<Vec>(_mm_sqrt_ps(reinterpret_cast<__m128>(x)));
#elif defined(__x86_64__) && BIRNN_LANES == 8
  return reinterpret_cast<Vec>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x)));
#elif defined(__x86_64__)
  return reinterpret_cast<Vec>(_mm512_maskz_sqrt_ps(0xffff, reinterpret_cast<__m512>(x)));
#elif defined(__aarch64__)
  return reinterpret_cast<Vec>(vsqrtq_f32(reinterpret_cast<float32x4_t>(x)));
#else
  for (int i = 0; i < lanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}
BIRNN_INLINE DoubleVec square_root(DoubleVec x) {
#if defined(__x86_64__) && BIRNN_LANES == 4
  return reinterpret_cast<DoubleVec>(_mm_sqrt_pd(reinterpret_cast<__m128d>(x)));
#elif defined(__x86_64__) && BIRNN_LANES == 8
  return reinterpret_cast<DoubleVec>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(x)));
#elif defined(__x86_64__)
  return reinterpret_cast<DoubleVec>(_mm512_maskz_sqrt_pd(0xff, reinterpret_cast<__m512d>(x)));
#elif defined(__aarch64__)
  return reinterpret_cast<DoubleVec>(vsqrtq_f64(reinterpret_cast<float64x2_t>(x)));
#else
  for (int i = 0; i < lanes / 2; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}

// --- exp ----------------------------------------------------------------------------------------------------------

// x = n log 2 + rest with a whole n and |rest| <= log(2) / 2. The lowest bits of `shifted` are those of n.
template <typename V>
struct ExpParts {
  V n, rest;
};
template <typename V>
BIRNN_INLINE ExpParts<V> exp_parts(V x) {
  using F = FormatOf<V>;
  const V n = (x * all<V>(1.44269504088896340736) + all<V>(F::round)) - all<V>(F::round);
  return {n, (x - n * all<V>(F::log_2_high)) - n * all<V>(F::log_2_low)};
}

// 2^n for a whole n of the normal range.
template <typename V>
BIRNN_INLINE V power_of_two(V n) {
  using F = FormatOf<V>;
  return reinterpret_cast<V>((bits_of(n + all<V>(F::round)) << F::mantissa) + F::one);
}

// (exp(r) - 1 - r) / r^2 for |r| <= log(2) / 2
BIRNN_INLINE Vec exp_rest(Vec r) { return horner(r, 0.5, 0.1666657631, 0.04166655376, 0.008363292753, 0.001392632562); }
BIRNN_INLINE DoubleVec exp_rest(DoubleVec r) {
  return horner(r, 0.500000000000000104, 0.166666666666666675, 0.0416666666666234768, 0.00833333333333001176,
                0.00138888889175382958, 0.000198412698633032233, 0.0000248015207925726928, 2.75572680728900983e-6,
                2.76203274282682382e-7, 2.51005692758136826e-8);
}
template <typename V>
BIRNN_INLINE V exp_reduced(V r) {
  return (exp_rest(r) * r * r + r) + all<V>(1);
}

// exp(x) where it is a normal number: x in -87 .. 88 (float), -708 .. 709 (double).
template <typename V>
BIRNN_INLINE V exp_within(V x) {
  const ExpParts<V> parts = exp_parts(x);
  return exp_reduced(parts.rest) * power_of_two(parts.n);
}

// The power of two in two factors: so it reaches Inf, and subnormal numbers with one rounding.
template <typename V>
BIRNN_INLINE V exp(V x) {
  using F = FormatOf<V>;
  const ExpParts<V> parts = exp_parts(larger_of(all<V>(F::exp_low), smaller_of(all<V>(F::exp_high), x)));
  const V half = (parts.n * all<V>(0.5) + all<V>(F::round)) - all<V>(F::round);
  return exp_reduced(parts.rest) * power_of_two(half) * power_of_two(parts.n - half);
}

// exp(x) - 1 for x of at most 80, as 2^n (exp(r) - 1) + (2^n - 1).
template <typename V>
BIRNN_INLINE V expm1_below_80(V x) {
  const ExpParts<V> parts = exp_parts(larger_of(all<V>(-50), x));
  const V r = parts.rest, scale = power_of_two(parts.n);
  return (exp_rest(r) * r * r + r) * scale + (scale - all<V>(1));
}
template <typename V>
BIRNN_INLINE V expm1(V x) {
  const V small = expm1_below_80(smaller_of(all<V>(80), x));
  return x > all<V>(80) ? exp(x) : small;
}

// --- log ----------------------------------------------------------------------------------------------------------

// log(1 + f) = f - s (f - z P(z)) with s = f / (2 + f), z = s^2
BIRNN_INLINE Vec log_rest(Vec z) { return z * horner(z, 0.6666666655, 0.4000012221, 0.2855077863, 0.2333161447); }
BIRNN_INLINE DoubleVec log_rest(DoubleVec z) {
  return z * horner(z, 0.666666666666666971, 0.399999999998988905, 0.285714286262538376, 0.222222110893794962,
                    0.181828924325368712, 0.153316117220550079, 0.14617807153417325);
}

// For positive, finite x: x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2).
template <typename V>
struct LogParts {
  V k, f;
};
template <typename V>
BIRNN_INLINE LogParts<V> log_parts(V x) {
  using F = FormatOf<V>;
  const auto tiny = x < all<V>(F::smallest_normal);
  x = tiny ? x * all<V>(F::two_up) : x;
  const auto shifted = bits_of(x) + (F::one - F::root_half);
  const auto biased = shifted >> F::mantissa;
  const V bias = tiny ? all<V>(F::bias + F::mantissa) : all<V>(F::bias);
  return {(reinterpret_cast<V>(biased | F::whole) - all<V>(F::two_up)) - bias,
          reinterpret_cast<V>(bits_of(x) - (biased << F::mantissa) + F::one) - all<V>(1)};
}
template <typename V>
BIRNN_INLINE V log_positive(V x) {
  using F = FormatOf<V>;
  const LogParts<V> parts = log_parts(x);
  const V k = parts.k, f = parts.f, s = f / (f + all<V>(2));
  const V correction = s * (f - log_rest(s * s)) - k * all<V>(F::log_2_low);
  return k * all<V>(F::log_2_high) + (f - correction);
}
// What holds for a logarithm at the ends and beyond.
template <typename V>
BIRNN_INLINE V with_log_limits(V value, V x) {
  value = x < infinity<V>() ? value : x;
  value = x > V{} ? value : all<V>(__builtin_nan(""));
  return x == V{} ? -infinity<V>() : value;
}
template <typename V>
BIRNN_INLINE V log(V x) {
  return with_log_limits(log_positive(x), x);
}

// log(1 + x): with u = 1 + x rounded, log(u) and the first order of what rounding lost.
template <typename V>
BIRNN_INLINE V log1p(V x) {
  const V u = x + all<V>(1), log_u = log(u);
  const V value = log_u + (x - (u - all<V>(1))) / u;
  return ((u > V{}) & (u < infinity<V>())) ? value : log_u;
}

// --- sigmoid, tanh, softplus --------------------------------------------------------------------------------------

template <typename V>
BIRNN_INLINE V sigmoid(V x) {
  return all<V>(1) / (all<V>(1) + exp(-x));
}

// t / (t + 2) with t = exp(2 |x|) - 1: exact for tiny x too, unlike the float tanh() of kernel_simd.h.
template <typename V>
BIRNN_INLINE V precise_tanh(V x) {
  const V t = expm1_below_80(smaller_of(all<V>(20), magnitude(x)) * all<V>(2));
  return with_sign(t / (t + all<V>(2)), x);
}
BIRNN_INLINE DoubleVec tanh(DoubleVec x) { return precise_tanh(x); }

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)); the sum 1 + exp() lies between 1 and 2.
template <typename V>
BIRNN_INLINE V softplus(V x) {
  const V e = exp(-magnitude(x)), u = e + all<V>(1);
  const V log_u = log_positive(u) + (e - (u - all<V>(1))) / u;
  return (x > V{} ? x : V{}) + log_u;
}

// --- erf ----------------------------------------------------------------------------------------------------------

constexpr double erf_switch = 0.65;  // below: erf(x) = x P(x^2); above: erfc(x) = exp(-x^2) Q(t) / (1 + 2 x)

BIRNN_INLINE Vec erf_small(Vec z) {
  return horner(z, 1.128379167, -0.3761263402, 0.1128365619, -0.02685238103, 0.00516007689, -0.0007160193782);
}
BIRNN_INLINE DoubleVec erf_small(DoubleVec z) {
  return horner(z, 1.12837916709551257, -0.376126389031837503, 0.112837916709549217, -0.0268661706450558329,
                0.00522397762401128238, -0.00085483268649381732, 0.000120553220209879397, -0.0000149251626500066437,
                1.64481256273775913e-6, -1.61149769871865422e-7, 1.22209828897946009e-8);
}
// (1 + 2 x) exp(x^2) erfc(x) as a function of t = (x - centre) / (x + centre)
BIRNN_INLINE Vec erfc_scaled(Vec t) {
  return horner(t, 1.276978375, -0.09276378671, -0.1660297461, 0.1640487853, -0.05423060078, -0.007994705581,
                0.008770844774, 0.001046468987, -0.001468188699);
}
BIRNN_INLINE DoubleVec erfc_scaled(DoubleVec t) {
  return horner(t, 1.25300805826972965, -0.135621106124581214, -0.0475622943534496336, 0.129645158702774539,
                -0.119273663415462815, 0.0683080273431374446, -0.0237705149126000259, 0.00252939183545695687,
                0.00188869025021801778, -0.000779832490899345041, -0.000105158718875170806, 0.000125100684851064558,
                4.94308274434830431e-6, -0.0000201049647278854422, -7.08167932559845389e-7, 3.4791060708913056e-6,
                3.04933223857802608e-7, -6.16200947809427589e-7, -7.52424291329930442e-8, 8.75280989856038154e-8);
}
// exp(-x^2): what rounding takes from the square is put back, as half of its bits squared exactly.
template <typename V>
BIRNN_INLINE V exp_minus_square(V x) {
  const V square = x * x;
  const V high = reinterpret_cast<V>(bits_of(x) & FormatOf<V>::upper_half), low = x - high;
  const V lost = ((high * high - square) + all<V>(2) * high * low) + low * low;
  const V value = exp(-square);
  return value - value * lost;
}
template <typename V>
BIRNN_INLINE V erfc_tail(V x) {  // for x > erf_switch
  using F = FormatOf<V>;
  x = smaller_of(all<V>(F::erfc_high), x);
  const V t = (x - all<V>(F::erfc_centre)) / (x + all<V>(F::erfc_centre));
  return exp_minus_square(x) * erfc_scaled(t) / (all<V>(1) + all<V>(2) * x);
}
template <typename V>
BIRNN_INLINE V erf(V x) {
  const V tail = with_sign(all<V>(1) - erfc_tail(magnitude(x)), x);
  return magnitude(x) < all<V>(erf_switch) ? x * erf_small(x * x) : tail;
}
template <typename V>
BIRNN_INLINE V erfc(V x) {
  const V tail = erfc_tail(magnitude(x));
  const V far = x > V{} ? tail : all<V>(2) - tail;
  return magnitude(x) < all<V>(erf_switch) ? all<V>(1) - x * erf_small(x * x) : far;
}
