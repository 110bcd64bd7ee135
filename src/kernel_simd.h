// Vectors and their elementary functions (level L1). Included once for each instruction set, inside a namespace of its
// own and between target pragmas, after BIRNN_LANES (floats in a vector) and BIRNN_SUMS (vectors that can be summed in
// registers) are defined. No standard header may be included here: inline functions of the library must not be
// compiled for an instruction set that the processor may lack.

typedef float Vec __attribute__((vector_size(BIRNN_LANES * 4)));
typedef int IntVec __attribute__((vector_size(BIRNN_LANES * 4)));
typedef float LooseVec __attribute__((vector_size(BIRNN_LANES * 4), aligned(4), may_alias));

typedef double DoubleVec __attribute__((vector_size(BIRNN_LANES * 4)));
typedef double LooseDoubleVec __attribute__((vector_size(BIRNN_LANES * 4), aligned(8), may_alias));

#define BIRNN_INLINE inline __attribute__((always_inline))
#define BIRNN_UNROLL _Pragma("GCC unroll 32")

constexpr int lanes = BIRNN_LANES;

BIRNN_INLINE Vec load(const float* from) { return *reinterpret_cast<const LooseVec*>(from); }
BIRNN_INLINE void store(float* to, Vec value) { *reinterpret_cast<LooseVec*>(to) = value; }
BIRNN_INLINE Vec all(float x) { return x - Vec{}; }
BIRNN_INLINE DoubleVec load(const double* from) { return *reinterpret_cast<const LooseDoubleVec*>(from); }
BIRNN_INLINE void store(double* to, DoubleVec value) { *reinterpret_cast<LooseDoubleVec*>(to) = value; }
BIRNN_INLINE DoubleVec all(double x) { return x - DoubleVec{}; }

// The vectors of a type of numbers.
template <typename T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef Vec type;
};
template <>
struct VectorOf<double> {
  typedef DoubleVec type;
};
template <typename T>
using VectorFor = typename VectorOf<T>::type;
template <typename T>
constexpr long width = sizeof(VectorFor<T>) / sizeof(T);

// The first `n` lanes only, where an array of the user's ends inside a vector.
BIRNN_INLINE Vec load_part(const float* from, int n) {
  float part[lanes] = {};
  for (int i = 0; i < n; ++i) part[i] = from[i];
  return load(part);
}
BIRNN_INLINE void store_part(float* to, Vec value, int n) {
  float part[lanes];
  store(part, value);
  for (int i = 0; i < n; ++i) to[i] = part[i];
}

// x limited to -limit .. limit; NaN stays.
BIRNN_INLINE Vec clamp(Vec x, float limit) {
  x = all(limit) < x ? all(limit) : x;
  return all(-limit) > x ? all(-limit) : x;
}

// 1 + exp(-x) for |x| <= sigmoid_limit, beyond which sigmoid() is exactly 0 or 1: x = -n log 2 - r, exp(r) by a
// polynomial of degree 5, n into the exponent. x - x carries a NaN past the integer arithmetic.
constexpr float sigmoid_limit = 28;
BIRNN_INLINE Vec one_plus_exp(Vec x) {
  const Vec nan = x - x;
  x = clamp(x, sigmoid_limit);
  const Vec round = all(12582912.f);
  const Vec shifted = x * all(-1.44269504f) + round;
  const Vec n = shifted - round;
  Vec r = n * all(-0.693359375f) - x;
  r = n * all(2.12194440e-4f) + r;
  Vec p = all(8.297618298e-03f);
  p = p * r + all(4.191562919e-02f);
  p = p * r + all(1.666757656e-01f);
  p = p * r + all(4.999889266e-01f);
  p = p * r + all(9.999996911e-01f);
  p = p * r + all(1.000000072e+00f);
  return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(p) + (reinterpret_cast<IntVec>(shifted) << 23)) + (nan + 1.f);
}

// `value` but for the exact limits of sigmoid(x).
BIRNN_INLINE Vec saturate_sigmoid(Vec x, Vec value) {
  value = x > all(sigmoid_limit) ? all(1.f) : value;
  return x < all(-sigmoid_limit) ? all(0.f) : value;
}

// tanh(x) by a rational function, relative error 4e-7; exactly 1 or -1 beyond tanh_limit.
constexpr float tanh_limit = 8.6f;
BIRNN_INLINE Vec tanh(Vec input) {
  const Vec x = clamp(input, tanh_limit), s = x * x;
  Vec p = all(4.180259800e-11f), q = all(2.395696430e-09f);
  p = p * s + all(6.269985363e-08f);
  q = q * s + all(9.903406816e-07f);
  p = p * s + all(1.046778978e-05f);
  q = q * s + all(7.716041519e-05f);
  p = p * s + all(3.979702570e-04f);
  q = q * s + all(1.387437876e-03f);
  p = p * s + all(2.968403868e-03f);
  q = q * s + all(2.968403907e-03f);
  Vec value = x * p / q;
  value = input > all(tanh_limit) ? all(1.f) : value;
  return input < all(-tanh_limit) ? all(-1.f) : value;
}
