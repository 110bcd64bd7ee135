// Products of a matrix of contiguous rows with a vector (level L1). Included like kernel_simd.h; table: kernel_gemm.h.
// The rows are in the lanes of a strip, their columns are turned round in registers: nothing is packed. Every element
// is the chain over k that gemm.h promises.

#include "kernel_simd.h"
#include "kernel_transpose.h"

BIRNN_INLINE long smaller_of(long a, long b) { return a < b ? a : b; }

// Adds up Groups strips of rows.
template <typename T, int Groups>
__attribute__((noinline)) void rows_in_lanes(long k, const T* a, long a_step, const T* x, bool add, T* c, long c_step) {
  using V = typename StripOf<T>::type;
  constexpr long some = columns_at_once<T>;
  V sum[Groups];
  BIRNN_UNROLL for (int g = 0; g < Groups; ++g) {
    sum[g] = V{};
    for (long i = 0; i < strip_width<T> && add; ++i) sum[g][i] = c[(g * strip_width<T> + i) * c_step];
  }
  long s = 0;
  for (; s + some <= k; s += some) BIRNN_UNROLL for (int g = 0; g < Groups; ++g) {
      V columns[some];
      load_columns(a + g * strip_width<T> * a_step + s, a_step, columns);
      BIRNN_UNROLL for (long i = 0; i < some; ++i) sum[g] += columns[i] * x[s + i];
    }
  for (; s < k; ++s) BIRNN_UNROLL for (int g = 0; g < Groups; ++g) {
      V column = {};
      for (long i = 0; i < strip_width<T>; ++i) column[i] = a[(g * strip_width<T> + i) * a_step + s];
      sum[g] += column * x[s];
    }
  BIRNN_UNROLL for (int g = 0; g < Groups; ++g) for (long i = 0; i < strip_width<T>; ++i)
      c[(g * strip_width<T> + i) * c_step] = sum[g][i];
}

// A few rows one by one, side by side.
template <typename T, int Rows>
__attribute__((noinline)) void rows_one_by_one(long k, const T* a, long a_step, const T* x, bool add, T* c,
                                               long c_step) {
  T sum[Rows];
  BIRNN_UNROLL for (int r = 0; r < Rows; ++r) sum[r] = add ? c[r * c_step] : T(0);
  for (long s = 0; s < k; ++s) BIRNN_UNROLL for (int r = 0; r < Rows; ++r) sum[r] += a[r * a_step + s] * x[s];
  BIRNN_UNROLL for (int r = 0; r < Rows; ++r) c[r * c_step] = sum[r];
}

template <typename T>
void all_rows_times(long rows, long k, const T* a, long a_step, const T* x, bool add, T* c, long c_step) {
  long r = 0;
  const auto run = [&](auto kernel, long at_once) __attribute__((always_inline)) {
    for (; r + at_once <= rows; r += at_once) kernel(k, a + r * a_step, a_step, x, add, c + r * c_step, c_step);
  };
  run(rows_in_lanes<T, 2>, 2 * strip_width<T>);
  run(rows_in_lanes<T, 1>, strip_width<T>);
  run(rows_one_by_one<T, 4>, 4);
  run(rows_one_by_one<T, 1>, 1);
}

// One column of C with A as it is, or one row of C with B transposed. False if the product has another form.
template <typename T>
bool rows_times_vector(const GemmArgs<T>& g) {
  const bool column = g.n == 1 && !g.trans_a, row = g.m == 1 && g.trans_b;
  if ((!column && !row) || g.k < 2 * columns_at_once<T>) return false;
  const T* x = column ? g.b : g.a;
  const long x_step = column ? (g.trans_b ? 1 : g.ldb) : (g.trans_a ? g.lda : 1);
  if (x_step != 1) {
    if (g.k * static_cast<long>(sizeof(T)) > gemm_space) return false;
    T* const copy = static_cast<T*>(g.space);
    for (long s = 0; s < g.k; ++s) copy[s] = x[s * x_step];
    x = copy;
  }
  if (column)
    all_rows_times(g.m, g.k, g.a, g.lda, x, g.accumulate, g.c, g.ldc);
  else
    all_rows_times(g.n, g.k, g.b, g.ldb, x, g.accumulate, g.c, 1);
  return true;
}
