// Blocked matrix product: register tiles of up to 4 rows in GCC/Clang vector extensions (level L1).
//
// The sum over k runs in blocks of block_k; between blocks the chain rests in C, so its bits do not depend on the
// blocking. Every tile, full or at an edge, runs the same vector code: columns beyond n are computed on zero padding
// and thrown away.
#include "gemm.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace birnn {
namespace {

using std::int64_t;

constexpr int block_k = 256;  // a packed panel of B stays in the first-level cache
constexpr int block_m = 32;   // rows of A packed at once when A is transposed
constexpr int tile_rows = 4;
constexpr int pack_rows = 12;  // from so many rows on, packing B pays for itself

template <typename T>
struct Simd;
template <>
struct Simd<float> {
  typedef float Vector __attribute__((vector_size(16)));
};
template <>
struct Simd<double> {
  typedef double Vector __attribute__((vector_size(16)));
};
template <typename T>
using Vector = typename Simd<T>::Vector;
template <typename T>
constexpr int lanes = static_cast<int>(sizeof(Vector<T>) / sizeof(T));
template <typename T>
constexpr int panel_width = 2 * lanes<T>;

template <typename T>
inline Vector<T> load(const T* from) {
  Vector<T> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <typename T>
inline void store(T* to, Vector<T> value) {
  std::memcpy(to, &value, sizeof value);
}

// A block of A as the tiles read it: element (i, k) is data[i * row + k * column].
template <typename T>
struct Left {
  const T* data;
  int64_t row, column;
};

// C(Rows, Vecs * lanes) (+)= A B over k steps; row k of B is b + k * b_row. All accumulators live in registers.
template <typename T, int Rows, int Vecs, int... R, int... V>
inline __attribute__((always_inline)) void tile_unrolled(int64_t k, Left<T> a, const T* b, int64_t b_row, bool add,
                                                         T* c, int64_t ldc, std::integer_sequence<int, R...>,
                                                         std::integer_sequence<int, V...>) {
  Vector<T> sum[Rows * Vecs] = {};
  if (add) {
    for (int r = 0; r < Rows; ++r) ((sum[r * Vecs + V] = load(c + r * ldc + V * lanes<T>)), ...);
  }
  for (int64_t step = 0; step < k; ++step, b += b_row) {
    const Vector<T> right[Vecs] = {load(b + V * lanes<T>)...};
    const T* column = a.data + step * a.column;
    const auto add_row = [&](int r, T factor) {
      const Vector<T> left = factor - Vector<T>{};
      ((sum[r * Vecs + V] += left * right[V]), ...);
    };
    (add_row(R, column[R * a.row]), ...);
  }
  for (int r = 0; r < Rows; ++r) (store(c + r * ldc + V * lanes<T>, sum[r * Vecs + V]), ...);
}

template <typename T, int Rows, int Vecs>
void tile(int64_t k, Left<T> a, const T* b, int64_t b_row, bool add, T* c, int64_t ldc) {
  tile_unrolled<T, Rows, Vecs>(k, a, b, b_row, add, c, ldc, std::make_integer_sequence<int, Rows>(),
                               std::make_integer_sequence<int, Vecs>());
}

// All m rows of one panel of B.
template <typename T, int Vecs>
void panel(int64_t m, int64_t k, Left<T> a, const T* b, int64_t b_row, bool add, T* c, int64_t ldc) {
  int64_t i = 0;
  const auto rest = [&] { return Left<T>{a.data + i * a.row, a.row, a.column}; };
  for (; i + tile_rows <= m; i += tile_rows) tile<T, tile_rows, Vecs>(k, rest(), b, b_row, add, c + i * ldc, ldc);
  switch (m - i) {
    case 3:
      return tile<T, 3, Vecs>(k, rest(), b, b_row, add, c + i * ldc, ldc);
    case 2:
      return tile<T, 2, Vecs>(k, rest(), b, b_row, add, c + i * ldc, ldc);
    case 1:
      return tile<T, 1, Vecs>(k, rest(), b, b_row, add, c + i * ldc, ldc);
    default:
      return;
  }
}

// `width` columns of op(B), k rows, copied one after the other and filled up with zeros.
template <typename T>
void pack_right(bool trans_b, int64_t k, int64_t width, const T* b, int64_t ldb, T* packed) {
  constexpr int full = panel_width<T>;
  if (width < full) std::fill(packed, packed + k * full, T(0));
  if (trans_b) {
    for (int64_t j = 0; j < width; ++j)
      for (int64_t step = 0; step < k; ++step) packed[step * full + j] = b[j * ldb + step];
  } else if (width == full) {
    for (int64_t step = 0; step < k; ++step) std::memcpy(packed + step * full, b + step * ldb, full * sizeof(T));
  } else {
    for (int64_t step = 0; step < k; ++step) std::copy(b + step * ldb, b + step * ldb + width, packed + step * full);
  }
}

// The last columns of C: the full tile on padded copies of C's columns.
template <typename T>
void edge_panel(int64_t m, int64_t k, Left<T> a, const T* packed, bool add, T* c, int64_t ldc, int64_t width) {
  constexpr int full = panel_width<T>;
  T padded[tile_rows * full] = {};
  for (int64_t i = 0; i < m; i += tile_rows) {
    const int64_t rows = std::min<int64_t>(tile_rows, m - i);
    for (int64_t r = 0; add && r < rows; ++r)
      std::copy(c + (i + r) * ldc, c + (i + r) * ldc + width, padded + r * full);
    panel<T, 2>(rows, k, Left<T>{a.data + i * a.row, a.row, a.column}, packed, full, add, padded, full);
    for (int64_t r = 0; r < rows; ++r) std::copy(padded + r * full, padded + r * full + width, c + (i + r) * ldc);
  }
}

// One block of rows and of k against all n columns. Few rows read B where it lies, in panels as wide as the registers
// allow.
template <typename T>
void block(int64_t m, int64_t n, int64_t k, Left<T> a, bool trans_b, const T* b, int64_t ldb, bool add, T* c,
           int64_t ldc) {
  constexpr int full = panel_width<T>;
  alignas(64) T packed[block_k * full];
  const bool direct = !trans_b && m < pack_rows;
  int64_t j = 0;
  if (direct && m == 1)
    for (; j + 4 * full <= n; j += 4 * full) panel<T, 8>(m, k, a, b + j, ldb, add, c + j, ldc);
  for (; j < n; j += full) {
    const int64_t width = std::min<int64_t>(full, n - j);
    if (direct && width == full) {
      panel<T, 2>(m, k, a, b + j, ldb, add, c + j, ldc);
      continue;
    }
    pack_right(trans_b, k, width, trans_b ? b + j * ldb : b + j, ldb, packed);
    if (width == full)
      panel<T, 2>(m, k, a, packed, full, add, c + j, ldc);
    else
      edge_panel(m, k, a, packed, add, c + j, ldc, width);
  }
}

template <typename T>
Left<T> pack_left(int64_t m, int64_t k, const T* a, int64_t lda, T* packed) {
  for (int64_t step = 0; step < k; ++step)
    for (int64_t i = 0; i < m; ++i) packed[i + step * block_m] = a[step * lda + i];
  return Left<T>{packed, 1, block_m};
}

}  // namespace

template <typename T>
void gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb,
          bool accumulate, T* c, int64_t ldc) {
  if (k == 0 && !accumulate)
    for (int64_t i = 0; i < m; ++i) std::fill(c + i * ldc, c + i * ldc + n, T(0));
  alignas(64) T packed[block_m * block_k];
  for (int64_t k0 = 0; k0 < k; k0 += block_k) {
    const int64_t depth = std::min<int64_t>(block_k, k - k0);
    const T* right = trans_b ? b + k0 : b + k0 * ldb;
    for (int64_t i = 0; i < m; i += block_m) {
      const int64_t rows = std::min<int64_t>(block_m, m - i);
      const Left<T> left =
          trans_a ? pack_left(rows, depth, a + k0 * lda + i, lda, packed) : Left<T>{a + i * lda + k0, lda, 1};
      block(rows, n, depth, left, trans_b, right, ldb, accumulate || k0 > 0, c + i * ldc, ldc);
    }
  }
}

template void gemm<float>(bool, bool, int64_t, int64_t, int64_t, const float*, int64_t, const float*, int64_t, bool,
                          float*, int64_t);
template void gemm<double>(bool, bool, int64_t, int64_t, int64_t, const double*, int64_t, const double*, int64_t, bool,
                           double*, int64_t);

}  // namespace birnn
