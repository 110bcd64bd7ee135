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

// Strips are vectors of at most 32 bytes: wider ones cost more to turn than they bring.
constexpr int strip_bytes = BIRNN_LANES >= 8 ? 32 : 16;
typedef float Strip __attribute__((vector_size(strip_bytes)));
typedef double DoubleStrip __attribute__((vector_size(strip_bytes)));
typedef float LooseStrip __attribute__((vector_size(strip_bytes), aligned(4), may_alias));
typedef double LooseDoubleStrip __attribute__((vector_size(strip_bytes), aligned(8), may_alias));
template <typename T>
struct StripOf {
  typedef Strip type;
  typedef LooseStrip loose;
};
template <>
struct StripOf<double> {
  typedef DoubleStrip type;
  typedef LooseDoubleStrip loose;
};
template <typename T>
constexpr long strip_width = strip_bytes / static_cast<long>(sizeof(T));

// Some columns of as many rows as a strip has lanes: columns[c] holds from[r * from_step + c] in lane r.
template <typename T>
constexpr long columns_at_once = 16 / static_cast<long>(sizeof(T));
#if defined(__x86_64__) && BIRNN_LANES >= 8
BIRNN_INLINE void load_columns(const float* from, long from_step, Strip (&columns)[4]) {
  const auto both = [&](long row) __attribute__((always_inline)) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from + row * from_step)),
                                _mm_loadu_ps(from + (row + 4) * from_step), 1);
  };
  const __m256 a = both(0), b = both(1), c = both(2), d = both(3);
  const __m256 ab_low = _mm256_unpacklo_ps(a, b), ab_high = _mm256_unpackhi_ps(a, b);
  const __m256 cd_low = _mm256_unpacklo_ps(c, d), cd_high = _mm256_unpackhi_ps(c, d);
  columns[0] = reinterpret_cast<Strip>(_mm256_shuffle_ps(ab_low, cd_low, 0x44));
  columns[1] = reinterpret_cast<Strip>(_mm256_shuffle_ps(ab_low, cd_low, 0xee));
  columns[2] = reinterpret_cast<Strip>(_mm256_shuffle_ps(ab_high, cd_high, 0x44));
  columns[3] = reinterpret_cast<Strip>(_mm256_shuffle_ps(ab_high, cd_high, 0xee));
}
BIRNN_INLINE void load_columns(const double* from, long from_step, DoubleStrip (&columns)[2]) {
  const auto both = [&](long row) __attribute__((always_inline)) {
    return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from + row * from_step)),
                                _mm_loadu_pd(from + (row + 2) * from_step), 1);
  };
  const __m256d a = both(0), b = both(1);
  columns[0] = reinterpret_cast<DoubleStrip>(_mm256_unpacklo_pd(a, b));
  columns[1] = reinterpret_cast<DoubleStrip>(_mm256_unpackhi_pd(a, b));
}
#else
BIRNN_INLINE void load_columns(const float* from, long from_step, Strip (&columns)[4]) {
  const auto row = [&](long r) { return *reinterpret_cast<const LooseQuad*>(from + r * from_step); };
  const Quad a = row(0), b = row(1), c = row(2), d = row(3);
  const Quad ab_low = BIRNN_SHUFFLE4(a, b, 0, 4, 1, 5), ab_high = BIRNN_SHUFFLE4(a, b, 2, 6, 3, 7);
  const Quad cd_low = BIRNN_SHUFFLE4(c, d, 0, 4, 1, 5), cd_high = BIRNN_SHUFFLE4(c, d, 2, 6, 3, 7);
  columns[0] = BIRNN_SHUFFLE4(ab_low, cd_low, 0, 1, 4, 5);
  columns[1] = BIRNN_SHUFFLE4(ab_low, cd_low, 2, 3, 6, 7);
  columns[2] = BIRNN_SHUFFLE4(ab_high, cd_high, 0, 1, 4, 5);
  columns[3] = BIRNN_SHUFFLE4(ab_high, cd_high, 2, 3, 6, 7);
}
BIRNN_INLINE void load_columns(const double* from, long from_step, DoubleStrip (&columns)[2]) {
  const Pair a = *reinterpret_cast<const LoosePair*>(from), b = *reinterpret_cast<const LoosePair*>(from + from_step);
  columns[0] = BIRNN_SHUFFLE2(a, b, 0, 2);
  columns[1] = BIRNN_SHUFFLE2(a, b, 1, 3);
}
#endif

// The rows that fill whole strips of the result; returns how many.
template <typename T>
BIRNN_INLINE long transpose_strips(long rows, long columns, const T* from, long from_step, T* to, long to_step) {
  constexpr long some = columns_at_once<T>;
  long r = 0;
  for (; r + strip_width<T> <= rows; r += strip_width<T>) {
    long c = 0;
    for (; c + some <= columns; c += some) {
      typename StripOf<T>::type values[some];
      load_columns(from + r * from_step + c, from_step, values);
      BIRNN_UNROLL for (long i = 0; i < some; ++i) *
          reinterpret_cast<typename StripOf<T>::loose*>(to + (c + i) * to_step + r) = values[i];
    }
    for (; c < columns; ++c)
      for (long i = 0; i < strip_width<T>; ++i) to[c * to_step + r + i] = from[(r + i) * from_step + c];
  }
  return r;
}

// to (columns, rows) = from (rows, columns) transposed; the steps are those between stored rows.
template <typename T>
void transpose(long rows, long columns, const T* from, long from_step, T* to, long to_step) {
  constexpr long block = transposed_block<T>;
  long r = transpose_strips(rows, columns, from, from_step, to, to_step);
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
