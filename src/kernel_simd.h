// Vectors and their elementary functions (level L1). Included once for each instruction set, inside a namespace of its
// own and between target pragmas, after BIRNN_LANES (floats in a vector) is defined. No standard header may be included
// here: inline functions of the library must not be compiled for an instruction set that the processor may lack.

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

// The smaller and the larger of a and b, b if one is NaN. On x86 one instruction, which gcc does not find by itself.
#undef BIRNN_MIN_MAX
#if defined(__x86_64__) && BIRNN_LANES > 4
#define BIRNN_MIN_MAX(instruction) __asm__("v" instruction " %2, %1, %0" : "=v"(a) : "v"(a), "v"(b))
#elif defined(__x86_64__)
#define BIRNN_MIN_MAX(instruction) __asm__(instruction " %2, %0" : "=x"(a) : "0"(a), "x"(b))
#endif
#if defined(BIRNN_MIN_MAX)
BIRNN_INLINE Vec smaller_of(Vec a, Vec b) {
  BIRNN_MIN_MAX("minps");
  return a;
}
BIRNN_INLINE Vec larger_of(Vec a, Vec b) {
  BIRNN_MIN_MAX("maxps");
  return a;
}
BIRNN_INLINE DoubleVec smaller_of(DoubleVec a, DoubleVec b) {
  BIRNN_MIN_MAX("minpd");
  return a;
}
BIRNN_INLINE DoubleVec larger_of(DoubleVec a, DoubleVec b) {
  BIRNN_MIN_MAX("maxpd");
  return a;
}
#else
template <typename V>
BIRNN_INLINE V smaller_of(V a, V b) {
  return a < b ? a : b;
}
template <typename V>
BIRNN_INLINE V larger_of(V a, V b) {
  return a > b ? a : b;
}
#endif

// Some functions take N vectors at once and each step for all of them: a chain of steps alone would leave the
// processor waiting for every result.
#define BIRNN_EACH BIRNN_UNROLL for (int n = 0; n < N; ++n)

// p = p * x + c
template <int N, typename V>
BIRNN_INLINE void horner_step(V (&p)[N], const V (&x)[N], double c) {
  BIRNN_EACH p[n] = p[n] * x[n] + (static_cast<decltype(p[0][0] + 0)>(c) - V{});
}

// tanh(x) by a rational function, relative error 5e-7. At the limit its value is exactly 1, with fused multiplication
// or without.
template <int N>
BIRNN_INLINE void tanh(Vec (&x)[N]) {
  const Vec limit = all(8.15932369f);
  Vec s[N], p[N], q[N];
  BIRNN_EACH x[n] = larger_of(-limit, smaller_of(limit, x[n]));
  BIRNN_EACH s[n] = x[n] * x[n];
  BIRNN_EACH p[n] = all(4.180259800e-11f);
  BIRNN_EACH q[n] = all(2.395696430e-09f);
  horner_step(p, s, 6.269985363e-08);
  horner_step(q, s, 9.903406816e-07);
  horner_step(p, s, 1.046778978e-05);
  horner_step(q, s, 7.716041519e-05);
  horner_step(p, s, 3.979702570e-04);
  horner_step(q, s, 1.387437876e-03);
  horner_step(p, s, 2.968403868e-03);
  horner_step(q, s, 2.968403907e-03);
  BIRNN_EACH x[n] = x[n] * (p[n] / q[n]);  // x * p would lose the bits of a tiny x
}
BIRNN_INLINE Vec tanh(Vec x) {
  Vec one[1] = {x};
  tanh(one);
  return one[0];
}
