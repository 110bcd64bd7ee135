// The end of an array that does not fill a vector (level L1). Included like kernel_simd.h.

// The first n numbers of an array, fewer than a vector holds, filled up with zeros.
#if defined(__x86_64__) && BIRNN_LANES == 16
BIRNN_INLINE Vec load_part(const float* from, long n) {
  return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), from));
}
BIRNN_INLINE DoubleVec load_part(const double* from, long n) {
  return reinterpret_cast<DoubleVec>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1u), from));
}
BIRNN_INLINE void store_part(float* to, Vec value, long n) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1u), reinterpret_cast<__m512>(value));
}
BIRNN_INLINE void store_part(double* to, DoubleVec value, long n) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << n) - 1u), reinterpret_cast<__m512d>(value));
}
#else
#if defined(__x86_64__) && BIRNN_LANES == 8
BIRNN_INLINE Vec load_part(const float* from, long n) {
  const __m256i first =
      _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  return reinterpret_cast<Vec>(_mm256_maskload_ps(from, first));
}
BIRNN_INLINE DoubleVec load_part(const double* from, long n) {
  const __m256i first = _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  return reinterpret_cast<DoubleVec>(_mm256_maskload_pd(from, first));
}
#else
BIRNN_INLINE Vec load_part(const float* from, long n) {
  return Vec{n > 0 ? from[0] : 0.0f, n > 1 ? from[1] : 0.0f, n > 2 ? from[2] : 0.0f, 0.0f};
}
BIRNN_INLINE DoubleVec load_part(const double* from, long n) { return DoubleVec{n > 0 ? from[0] : 0.0, 0.0}; }
#endif
// Number by number: some processors are slow at storing under a mask.
template <typename T>
BIRNN_INLINE void store_part(T* to, VectorFor<T> value, long n) {
  for (long i = 0; i < n; ++i) to[i] = value[i];
}
#endif

// The same where n may be all that a vector holds.
template <typename T>
BIRNN_INLINE VectorFor<T> load_up_to(const T* from, long n) {
  return n == width<T> ? load(from) : load_part(from, n);
}
template <typename T>
BIRNN_INLINE void store_up_to(T* to, VectorFor<T> value, long n) {
  n == width<T> ? store(to, value) : store_part(to, value, n);
}

#if BIRNN_LANES == 16
constexpr IntVec lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr LongVec long_lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7};
#elif BIRNN_LANES == 8
constexpr IntVec lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7};
constexpr LongVec long_lane_numbers = {0, 1, 2, 3};
#else
constexpr IntVec lane_numbers = {0, 1, 2, 3};
constexpr LongVec long_lane_numbers = {0, 1};
#endif
// The first n lanes of x, those of y in the others.
BIRNN_INLINE Vec first_of(Vec x, long n, Vec y = Vec{}) {
  return lane_numbers < IntVec{} + static_cast<int>(n) ? x : y;
}
BIRNN_INLINE DoubleVec first_of(DoubleVec x, long n, DoubleVec y = DoubleVec{}) {
  return long_lane_numbers < LongVec{} + n ? x : y;
}

// The last n elements of an array as a vector in memory, filled up with zeros.
template <typename T>
struct Part {
  alignas(sizeof(VectorFor<T>)) T numbers[width<T>];
  Part() : Part(nullptr, 0) {}
  Part(const T* from, long n) { store(numbers, load_part(from, n)); }
  void to(T* target, long n) const { store_part(target, load(numbers), n); }
};
