// Walking over strided grids of elements without allocating: broadcasting, transposing, reducing (level L3).
#pragma once
#include "ops_common.h"

namespace birnn {

constexpr int max_grid_rank = 2 * max_rank;  // `tile` splits every axis into two

// Axes from the outermost to the innermost, with the strides of N operands. Axes of size 1 are dropped, and neighbours
// which all operands cross evenly become one, so that most grids have one or two axes.
template <int N>
struct Grid {
  int rank = 0;
  int64 size[max_grid_rank];
  int64 stride[max_grid_rank][N];

  void push(int64 axis_size, const int64 (&strides)[N]) {
    if (axis_size == 1) return;
    if (rank > 0 && extends_last(axis_size, strides)) {
      size[rank - 1] *= axis_size;
    } else {
      size[rank++] = axis_size;
    }
    for (int i = 0; i < N; ++i) stride[rank - 1][i] = strides[i];
  }

  bool empty() const {
    for (int k = 0; k < rank; ++k)
      if (size[k] == 0) return true;
    return false;
  }

  // Takes the innermost axis away: its size and strides. A grid without axes has one element.
  int64 pop(int64 (&strides)[N]) {
    for (int i = 0; i < N; ++i) strides[i] = rank > 0 ? stride[rank - 1][i] : 0;
    return rank > 0 ? size[--rank] : 1;
  }

 private:
  bool extends_last(int64 axis_size, const int64 (&strides)[N]) const {
    for (int i = 0; i < N; ++i)
      if (stride[rank - 1][i] != strides[i] * axis_size) return false;
    return true;
  }
};

// Calls fn(offsets) for every element of the grid in row-major order.
template <int N, typename Fn>
void walk(const Grid<N>& grid, Fn&& fn) {
  if (grid.empty()) return;
  int64 index[max_grid_rank] = {0};
  int64 offset[N] = {0};
  for (;;) {
    fn(static_cast<const int64(&)[N]>(offset));
    int axis = grid.rank - 1;
    for (; axis >= 0; --axis) {
      for (int i = 0; i < N; ++i) offset[i] += grid.stride[axis][i];
      if (++index[axis] < grid.size[axis]) break;
      for (int i = 0; i < N; ++i) offset[i] -= grid.stride[axis][i] * grid.size[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

// Strides in elements of a row-major tensor.
inline void row_major_strides(const Shape& shape, int64* strides) {
  int64 step = 1;
  for (int k = shape.rank() - 1; k >= 0; --k) {
    strides[k] = step;
    step *= shape[k];
  }
}

// The grid of `target` with the strides of N operands that broadcast to it.
template <int N>
Grid<N> broadcast_grid(const Shape& target, const Shape* const (&operands)[N]) {
  int64 strides[N][max_rank] = {};
  for (int i = 0; i < N; ++i) row_major_strides(*operands[i], strides[i]);
  Grid<N> grid;
  for (int k = 0; k < target.rank(); ++k) {
    int64 step[N];
    for (int i = 0; i < N; ++i) {
      const Shape& shape = *operands[i];
      const int axis = k - (target.rank() - shape.rank());
      step[i] = axis < 0 || shape[axis] == 1 ? 0 : strides[i][axis];
    }
    grid.push(target[k], step);
  }
  return grid;
}

// Rows of a broadcast grid: the innermost axis has stride 1 or 0 for every operand. Calls fn(start, n, offsets,
// strides) with the position of the row in the row-major target.
template <int N, typename Fn>
void for_each_row(Grid<N> grid, Fn&& fn) {
  int64 inner[N];
  const int64 n = grid.pop(inner);
  if (n == 0) return;
  int64 start = 0;
  walk(grid, [&](const int64(&offset)[N]) {
    fn(start, n, offset, static_cast<const int64(&)[N]>(inner));
    start += n;
  });
}

// The same for blocks of rows: fn(start, rows, n, offsets, strides within a row, strides between rows).
template <int N, typename Fn>
void for_each_block_of_rows(Grid<N> grid, Fn&& fn) {
  int64 inner[N], between[N];
  const int64 n = grid.pop(inner), rows = grid.pop(between);
  if (n == 0 || rows == 0) return;
  int64 start = 0;
  walk(grid, [&](const int64(&offset)[N]) {
    fn(start, rows, n, offset, static_cast<const int64(&)[N]>(inner), static_cast<const int64(&)[N]>(between));
    start += rows * n;
  });
}

using Step0 = std::integral_constant<int64, 0>;
using Step1 = std::integral_constant<int64, 1>;

// Makes the two strides of a row (0 or 1) compile time constants.
template <typename Fn>
void with_steps(const int64 (&stride)[2], Fn&& fn) {
  if (stride[0] == 0)
    stride[1] == 0 ? fn(Step0{}, Step0{}) : fn(Step0{}, Step1{});
  else
    stride[1] == 0 ? fn(Step1{}, Step0{}) : fn(Step1{}, Step1{});
}

// Prepares the gradient of an operand that may have been broadcast. False if each of its elements is met once and
// nothing is there yet, so that rows may simply be written.
inline bool start_row_sums(const BackwardCall& call, int input) {
  if (!call.accumulate[input] && call.din[input].count() == call.dout[0].count()) return false;
  start_sum(call, input);
  return true;
}

// A row of gradients into an operand, of which it meets n elements `step` apart, or one element n times (step 0).
template <typename Add, typename T, typename Value>
void put_row(int64 n, int64 step, T* target, Value&& value) {
  if (step == 0) {
    double sum = 0;
    for (int64 i = 0; i < n; ++i) sum += value(i);
    store<Add>(*target, static_cast<T>(sum));
  } else {
    for (int64 i = 0; i < n; ++i) store<Add>(target[i * step], value(i));
  }
}

}  // namespace birnn
