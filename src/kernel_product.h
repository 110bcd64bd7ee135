// Matrix products in register tiles (level L1). Included like kernel_simd.h.
//
// Blocks of B, (depth, columns), are packed into panels as wide as a tile, [panel][k][column], and stay in the
// second-level cache; the rows of A that a tile takes are copied next to each other into the first-level cache. Between
// blocks of k the running sums rest in C, so every element is one chain over k in increasing order, whatever the
// blocking. Columns beyond the end are computed on zeros and thrown away.
//
// Few rows read B where it lies, as wide as the registers allow. A product with very few columns is computed as its
// transpose, C' = B' A': the same chains, with the rows in the lanes.

#include "kernel_matvec.h"

#if BIRNN_LANES == 16
constexpr int most_rows = 12;
#elif BIRNN_LANES == 8
constexpr int most_rows = 6;
#elif defined(__aarch64__)
constexpr int most_rows = 8;
#else
constexpr int most_rows = 4;
#endif
constexpr int few_rows = 4;  // up to so many rows of A are read where they lie
constexpr int panel_vectors = 2;
constexpr int most_vectors = 8;   // of the tile of a single row
constexpr long depth = 256;       // steps of k in a block
constexpr long short_depth = 64;  // for few rows: the rows of B go by as so many streams
constexpr long steps_ahead = 10;
constexpr long left_step = depth + 16;  // between the copied rows of A: not a power of two, so they share no cache set

template <typename T>
constexpr long panel_width = panel_vectors* width<T>;
// Older processors without AVX-512 have half the cache.
template <typename T>
constexpr long block_columns = gemm_space / (BIRNN_LANES == 16 ? 1 : 2) / (depth * static_cast<long>(sizeof(T)));
// With so few columns the transposed product fills vectors better.
template <typename T>
constexpr long narrow = 3 * width<T> / 8;

// Element (i, j) is data[i * row + j * column]; one of the two is 1 for A and B.
template <typename T>
struct Strided {
  T* data;
  long row, column;
  BIRNN_INLINE Strided at(long i, long j) const { return {data + i * row + j * column, row, column}; }
};

template <typename T>
struct Product {
  long m, n, k;
  Strided<const T> a, b;
  Strided<T> c;
  bool accumulate;
};

// C(Rows, Vectors * width) (+)= A B over k steps, all sums in registers. Rows of A are `a_step` apart, or left_step if
// they are many.
template <typename T, int Rows, int Vectors>
__attribute__((noinline)) void tile(long k, const T* a, long a_step, const T* b, long b_step, bool add, T* c,
                                    long c_step) {
  using V = VectorFor<T>;
  const long step = Rows > few_rows ? left_step : a_step;
  V sum[Rows][Vectors];
  BIRNN_UNROLL for (int r = 0; r < Rows; ++r) BIRNN_UNROLL for (int v = 0; v < Vectors; ++v) sum[r][v] = V{};
  if (add) {
    BIRNN_UNROLL for (int r = 0; r < Rows; ++r) BIRNN_UNROLL for (int v = 0; v < Vectors; ++v) sum[r][v] =
        load(c + r * c_step + v * width<T>);
  }
  // Panels of many rows come from the second-level cache: asked for some steps ahead, as are the next columns of C.
  if (Rows > few_rows) {
    BIRNN_UNROLL for (int r = 0; r < Rows; ++r) __builtin_prefetch(c + r * c_step + Vectors * width<T>, 1);
  }
  for (long s = 0; s < k; ++s, b += b_step) {
    if (Rows > few_rows) {
      BIRNN_UNROLL for (int v = 0; v < Vectors; ++v) __builtin_prefetch(b + steps_ahead * b_step + v * width<T>);
    }
    V right[Vectors];
    BIRNN_UNROLL for (int v = 0; v < Vectors; ++v) right[v] = load(b + v * width<T>);
    BIRNN_UNROLL for (int r = 0; r < Rows; ++r) {
      const V left = all(a[r * step + s]);
      BIRNN_UNROLL for (int v = 0; v < Vectors; ++v) sum[r][v] += left * right[v];
    }
  }
  BIRNN_UNROLL for (int r = 0; r < Rows; ++r) BIRNN_UNROLL for (int v = 0; v < Vectors; ++v)
      store(c + r * c_step + v * width<T>, sum[r][v]);
}

template <typename T>
using Tile = void (*)(long k, const T* a, long a_step, const T* b, long b_step, bool add, T* c, long c_step);

template <typename T, int Vectors, int Rows = most_rows>
BIRNN_INLINE Tile<T> tile_of(long rows) {
  if constexpr (Rows > 1)
    if (rows < Rows) return tile_of<T, Vectors, Rows - 1>(rows);
  return tile<T, Rows, Vectors>;
}

// Vectors side by side for few rows: enough independent sums to keep the multipliers busy.
constexpr int wide_vectors(int rows) { return rows == 1 ? most_vectors : 4; }
template <typename T>
BIRNN_INLINE Tile<T> wide_tile_of(long rows) {
  return rows == 1   ? tile<T, 1, wide_vectors(1)>
         : rows == 2 ? tile<T, 2, wide_vectors(2)>
                     : tile<T, 3, wide_vectors(3)>;
}

// The rows of A for a tile, contiguous in k.
template <typename T>
void copy_left(long rows, long k, Strided<const T> a, T* copy) {
  if (a.column != 1) return transpose(k, rows, a.data, a.column, copy, left_step);
  for (long r = 0; r < rows; ++r) __builtin_memcpy(copy + r * left_step, a.data + r * a.row, k * sizeof(T));
}

// Whole panels, or one of fewer columns, filled up with zeros: vectors that reach into the next row are cut off.
template <typename T, int Vectors>
void pack_rows(long k, long columns, const T* b, long b_step, T* packed) {
  using V = VectorFor<T>;
  constexpr long full = Vectors * width<T>;
  T ones[full];
  for (long j = 0; j < full; ++j) ones[j] = j < columns ? T(1) : T(0);
  const long beyond = (full - columns + b_step - 1) / b_step, safe = k > beyond ? k - beyond : 0;
  for (long s = 0; s < safe; ++s) BIRNN_UNROLL for (int v = 0; v < Vectors; ++v) {
      const V values = load(b + s * b_step + v * width<T>);
      store(packed + s * full + v * width<T>, load(ones + v * width<T>) != V{} ? values : V{});
    }
  for (long s = safe; s < k; ++s)
    for (long j = 0; j < full; ++j) packed[s * full + j] = j < columns ? b[s * b_step + j] : T(0);
}

// `columns` columns of B, k steps, as one panel of `full` columns.
template <typename T>
void pack_panel(long k, long columns, long full, Strided<const T> b, T* packed) {
  if (b.column == 1)
    return full == width<T> ? pack_rows<T, 1>(k, columns, b.data, b.row, packed)
                            : pack_rows<T, panel_vectors>(k, columns, b.data, b.row, packed);
  if (columns < full)
    for (long i = 0; i < k * full; ++i) packed[i] = T(0);
  transpose(columns, k, b.data, b.column, packed, full);
}

// A tile that C cannot take as it is: fewer columns than the tile has, or C transposed.
template <typename T>
void tile_aside(Tile<T> run, long rows, long columns, long full, long k, const T* a, long a_step, const T* b,
                long b_step, bool add, Strided<T> c) {
  T aside[most_rows * panel_width<T>];
  for (long i = 0; i < rows * full; ++i) aside[i] = T(0);
  if (add)
    for (long r = 0; r < rows; ++r)
      for (long j = 0; j < columns; ++j) aside[r * full + j] = c.data[r * c.row + j * c.column];
  run(k, a, a_step, b, b_step, add, aside, full);
  for (long r = 0; r < rows; ++r)
    for (long j = 0; j < columns; ++j) c.data[r * c.row + j * c.column] = aside[r * full + j];
}

// A block of B as the tiles see it.
template <typename T>
struct RightBlock {
  Strided<const T> b;  // where it lies
  const T* packed;     // all of it, or only its last panel if the others are read where they lie
  bool direct;
  long columns, k;
};

template <typename T>
BIRNN_INLINE long vectors_for(long columns) {
  return columns > width<T> ? panel_vectors : 1;
}

template <typename T>
void pack_block(RightBlock<T>& block, T* space) {
  block.packed = space;
  for (long j = 0; j < block.columns; j += panel_width<T>) {
    const long columns = smaller_of(panel_width<T>, block.columns - j), full = vectors_for<T>(columns) * width<T>;
    if (block.direct && columns == full) continue;
    pack_panel(block.k, columns, full, block.b.at(0, j), space + (block.direct ? 0 : j * block.k));
  }
}

// The rows of one tile against a block of B.
template <typename T>
void sweep(const RightBlock<T>& block, long rows, const T* a, long a_step, bool add, Strided<T> c) {
  long j = 0;
  if (block.direct && rows <= 3 && c.column == 1) {
    const Tile<T> run = wide_tile_of<T>(rows);
    const long wide = wide_vectors(static_cast<int>(rows)) * width<T>;
    for (; j + wide <= block.columns; j += wide)
      run(block.k, a, a_step, block.b.data + j, block.b.row, add, c.data + j, c.row);
  }
  for (long columns = 0; j < block.columns; j += columns) {
    columns = smaller_of(panel_width<T>, block.columns - j);
    const long vectors = vectors_for<T>(columns), full = vectors * width<T>;
    const Tile<T> run = vectors == 1 ? tile_of<T, 1>(rows) : tile_of<T, panel_vectors>(rows);
    const bool lies = block.direct && columns == full;
    const T* const b = lies ? block.b.data + j : block.packed + (block.direct ? 0 : j * block.k);
    const long b_step = lies ? block.b.row : full;
    if (columns == full && c.column == 1)
      run(block.k, a, a_step, b, b_step, add, c.data + j, c.row);
    else
      tile_aside(run, rows, columns, full, block.k, a, a_step, b, b_step, add, c.at(0, j));
  }
}

// All rows against a block of B: whole tiles, and the last rows in two of nearly equal height.
template <typename T>
void all_rows(const RightBlock<T>& block, long m, Strided<const T> a, bool add, Strided<T> c) {
  alignas(64) T copy[most_rows * left_step];
  for (long i = 0, rows = 0; i < m; i += rows) {
    const long left_over = m - i;
    rows = left_over <= most_rows ? left_over : left_over < 2 * most_rows ? (left_over + 1) / 2 : most_rows;
    const Strided<const T> of_tile = a.at(i, 0);
    if (rows <= few_rows && a.column == 1) {
      sweep(block, rows, of_tile.data, of_tile.row, add, c.at(i, 0));
    } else {
      copy_left(rows, block.k, of_tile, copy);
      sweep(block, rows, copy, left_step, add, c.at(i, 0));
    }
  }
}

template <typename T>
void multiply(const Product<T>& p, T* space) {
  const bool direct = p.b.column == 1 && (p.m <= 2 * most_rows || p.b.row <= 2 * panel_width<T>);
  const long k_most = direct && p.m <= few_rows ? short_depth : depth;
  const long k_blocks = (p.k + k_most - 1) / k_most, k_step = ((p.k + k_blocks - 1) / k_blocks + 7) / 8 * 8;
  const long n_step = direct ? p.n : block_columns<T>;
  for (long j = 0; j < p.n; j += n_step)
    for (long k = 0; k < p.k; k += k_step) {
      RightBlock<T> block{p.b.at(k, j), nullptr, direct, smaller_of(n_step, p.n - j), smaller_of(k_step, p.k - k)};
      pack_block(block, space);
      all_rows(block, p.m, p.a.at(0, k), p.accumulate || k > 0, p.c.at(0, j));
    }
}

template <typename T>
void gemm_kernel(const GemmArgs<T>& g) {
  if (rows_times_vector(g)) return;
  const Strided<const T> a = g.trans_a ? Strided<const T>{g.a, 1, g.lda} : Strided<const T>{g.a, g.lda, 1};
  const Strided<const T> b = g.trans_b ? Strided<const T>{g.b, 1, g.ldb} : Strided<const T>{g.b, g.ldb, 1};
  T* const space = static_cast<T*>(g.space);
  if (g.n <= narrow<T> && g.m > g.n)
    return multiply<T>(
        {g.n, g.m, g.k, {b.data, b.column, b.row}, {a.data, a.column, a.row}, {g.c, 1, g.ldc}, g.accumulate}, space);
  multiply<T>({g.m, g.n, g.k, a, b, {g.c, g.ldc, 1}, g.accumulate}, space);
}

constexpr GemmTable gemm_table() { return {{gemm_kernel<float>}, {gemm_kernel<double>}}; }
