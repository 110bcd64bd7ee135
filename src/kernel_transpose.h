// Transposing blocks of a matrix in registers of 16 bytes (level L1). Included like kernel_simd.h.

typedef float Quad __attribute__((vector_size(16)));
typedef double Pair __attribute__((vector_size(16)));
typedef float LooseQuad __attribute__((vector_size(16), aligned(4), may_alias));
typedef double LoosePair __attribute__((vector_size(16), aligned(8), may_alias));

#if defined(__clang__)
#define BIRNN_SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#define BIRNN_SHUFFLE2(a, b, i, j) __builtin_shufflevector(a, b, i, j)
#else
typedef int QuadIndex __attribute__((vector_size(16)));
typedef long long PairIndex __attribute__((vector_size(16)));
#define BIRNN_SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, QuadIndex{i, j, k, l})
#define BIRNN_SHUFFLE2(a, b, i, j) __builtin_shuffle(a, b, PairIndex{i, j})
#endif

// to[c * to_step + r] = from[r * from_step + c] for a block of 4 x 4 floats, 2 x 2 doubles.
template <typename T>
constexpr long transposed_block = 16 / sizeof(T);
BIRNN_INLINE void transpose_block(const float* from, long from_step, float* to, long to_step) {
  const Quad a = *reinterpret_cast<const LooseQuad*>(from), b = *reinterpret_cast<const LooseQuad*>(from + from_step);
  const Quad c = *reinterpret_cast<const LooseQuad*>(from + 2 * from_step);
  const Quad d = *reinterpret_cast<const LooseQuad*>(from + 3 * from_step);
  const Quad ab_low = BIRNN_SHUFFLE4(a, b, 0, 4, 1, 5), ab_high = BIRNN_SHUFFLE4(a, b, 2, 6, 3, 7);
  const Quad cd_low = BIRNN_SHUFFLE4(c, d, 0, 4, 1, 5), cd_high = BIRNN_SHUFFLE4(c, d, 2, 6, 3, 7);
  *reinterpret_cast<LooseQuad*>(to) = BIRNN_SHUFFLE4(ab_low, cd_low, 0, 1, 4, 5);
  *reinterpret_cast<LooseQuad*>(to + to_step) = BIRNN_SHUFFLE4(ab_low, cd_low, 2, 3, 6, 7);
  *reinterpret_cast<LooseQuad*>(to + 2 * to_step) = BIRNN_SHUFFLE4(ab_high, cd_high, 0, 1, 4, 5);
  *reinterpret_cast<LooseQuad*>(to + 3 * to_step) = BIRNN_SHUFFLE4(ab_high, cd_high, 2, 3, 6, 7);
}
BIRNN_INLINE void transpose_block(const double* from, long from_step, double* to, long to_step) {
  const Pair a = *reinterpret_cast<const LoosePair*>(from), b = *reinterpret_cast<const LoosePair*>(from + from_step);
  *reinterpret_cast<LoosePair*>(to) = BIRNN_SHUFFLE2(a, b, 0, 2);
  *reinterpret_cast<LoosePair*>(to + to_step) = BIRNN_SHUFFLE2(a, b, 1, 3);
}

// The rows that blocks of 8 x 4 floats hold, two of 4 x 4 side by side; returns how many.
#if defined(__x86_64__) && BIRNN_LANES >= 8
BIRNN_INLINE long transpose_pairs(long rows, long columns, const float* from, long from_step, float* to, long to_step) {
  long r = 0;
  for (; r + 8 <= rows; r += 8) {
    for (long k = columns / 4 * 4; k < columns; ++k)
      for (long i = 0; i < 8; ++i) to[k * to_step + r + i] = from[(r + i) * from_step + k];
    for (long k = 0; k + 4 <= columns; k += 4) {
      const float* const source = from + r * from_step + k;
      const auto both = [&](long row) __attribute__((always_inline)) {
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(source + row * from_step)),
                                    _mm_loadu_ps(source + (row + 4) * from_step), 1);
      };
      const __m256 a = both(0), b = both(1), c = both(2), d = both(3);
      const __m256 ab_low = _mm256_unpacklo_ps(a, b), ab_high = _mm256_unpackhi_ps(a, b);
      const __m256 cd_low = _mm256_unpacklo_ps(c, d), cd_high = _mm256_unpackhi_ps(c, d);
      float* const target = to + k * to_step + r;
      _mm256_storeu_ps(target, _mm256_shuffle_ps(ab_low, cd_low, 0x44));
      _mm256_storeu_ps(target + to_step, _mm256_shuffle_ps(ab_low, cd_low, 0xee));
      _mm256_storeu_ps(target + 2 * to_step, _mm256_shuffle_ps(ab_high, cd_high, 0x44));
      _mm256_storeu_ps(target + 3 * to_step, _mm256_shuffle_ps(ab_high, cd_high, 0xee));
    }
  }
  return r;
}
#else
BIRNN_INLINE long transpose_pairs(long, long, const float*, long, float*, long) { return 0; }
#endif
BIRNN_INLINE long transpose_pairs(long, long, const double*, long, double*, long) { return 0; }

// to (columns, rows) = from (rows, columns) transposed; the steps are those between stored rows.
template <typename T>
void transpose(long rows, long columns, const T* from, long from_step, T* to, long to_step) {
  constexpr long block = transposed_block<T>;
  long r = transpose_pairs(rows, columns, from, from_step, to, to_step);
  for (; r + block <= rows; r += block) {
    const T* const source = from + r * from_step;
    long c = 0;
    for (; c + block <= columns; c += block) transpose_block(source + c, from_step, to + c * to_step + r, to_step);
    for (; c < columns; ++c)
      for (long i = 0; i < block; ++i) to[c * to_step + r + i] = source[i * from_step + c];
  }
  for (; r < rows; ++r)
    for (long c = 0; c < columns; ++c) to[c * to_step + r] = from[r * from_step + c];
}
