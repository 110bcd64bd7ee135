// Two arrays made into one, and the gradients (level L1). Included like kernel_simd.h; table: kernel_arrays.h.

#include "kernel_pairs.h"

template <typename T>
BIRNN_INLINE void spread_params(const T* params, VectorFor<T>* in_all_lanes) {
  for (int k = 0; k < combination_params; ++k) in_all_lanes[k] = all(params[k]);
}

// The vector at element e of an operand: its own elements, or its one number.
template <typename T>
BIRNN_INLINE VectorFor<T> operand_at(const T* x, long step, long e) {
  return step == 0 ? all(*x) : load(x + e);
}
// The same where fewer than a vector are left.
template <typename T>
BIRNN_INLINE VectorFor<T> last_operand(const T* x, long step, long e, long n) {
  return step == 0 ? all(*x) : load_part(x + e, n);
}

template <typename Op, typename T>
BIRNN_INLINE void combine_row(const VectorFor<T>* p, long n, const T* a, long step_a, const T* b, long step_b, T* y) {
  const long whole = n / width<T> * width<T>;
  if (step_a != 0 && step_b != 0)
    for (long e = 0; e < whole; e += width<T>) store(y + e, Op::value(p, load(a + e), load(b + e)));
  else
    for (long e = 0; e < whole; e += width<T>)
      store(y + e, Op::value(p, operand_at(a, step_a, e), operand_at(b, step_b, e)));
  if (whole == n) return;
  const long rest = n - whole;
  store_part(y + whole, Op::value(p, last_operand(a, step_a, whole, rest), last_operand(b, step_b, whole, rest)), rest);
}

template <typename Op, typename T>
__attribute__((noinline)) void combine_with(long rows, long n, const Operands<T>& in, T* y) {
  VectorFor<T> p[combination_params];
  spread_params(in.params, p);
  for (long r = 0; r < rows; ++r)
    combine_row<Op>(p, n, in.a + r * in.row_a, in.step_a, in.b + r * in.row_b, in.step_b, y + r * n);
}

template <typename T>
void combine(Combination combination, long rows, long n, const Operands<T>& in, T* y) {
  with_combination(combination, [&](auto op) { combine_with<decltype(op)>(rows, n, in, y); });
}

// A row in the backward pass: its gradients, a vector at a time. What the gradient does not need may be null.
template <typename Op, int operand, typename T>
struct SlopeRow {
  using V = VectorFor<T>;
  const V* p;
  const T *a, *b, *y, *dy;
  long step_a, step_b;
  BIRNN_INLINE SlopeRow(const V* params, const Operands<T>& in, const T* values, const T* from_above, long r, long n)
      : p(params), dy(from_above + r * n), step_a(1), step_b(1) {
    a = b = y = dy;
    if (in.a != nullptr) {
      a = in.a + r * in.row_a;
      step_a = in.step_a;
    }
    if (in.b != nullptr) {
      b = in.b + r * in.row_b;
      step_b = in.step_b;
    }
    if (values != nullptr) y = values + r * n;
  }
  // At element e, where `here` are left, at most a vector.
  BIRNN_INLINE V at(long e, long here) const {
    const V va = step_a == 0 ? all(*a) : load_up_to(a + e, here), vb = step_b == 0 ? all(*b) : load_up_to(b + e, here);
    const V vy = load_up_to(y + e, here), vdy = load_up_to(dy + e, here);
    return operand == 0 ? Op::da(p, va, vb, vy, vdy) : Op::db(p, va, vb, vy, vdy);
  }
};

template <typename Op, int operand, typename T>
__attribute__((noinline)) void combine_slope_with(long rows, long n, const Operands<T>& in, const T* y, const T* dy,
                                                  bool accumulate, T* dx, long row_dx) {
  using V = VectorFor<T>;
  V p[combination_params];
  spread_params(in.params, p);
  for (long r = 0; r < rows; ++r, dx += row_dx) {
    const SlopeRow<Op, operand, T> row(p, in, y, dy, r, n);
    for (long e = 0; e < n; e += width<T>) {
      const long here = n - e < width<T> ? n - e : width<T>;
      const V gradient = row.at(e, here);
      store_up_to(dx + e, accumulate ? load_up_to(dx + e, here) + rounded(gradient) : gradient, here);
    }
  }
}

// The sum over rows, in their order: dx[e] += ...
template <typename Op, int operand, typename T>
__attribute__((noinline)) void add_slopes_with(long rows, long n, const Operands<T>& in, const T* y, const T* dy,
                                               T* dx) {
  using V = VectorFor<T>;
  V p[combination_params];
  spread_params(in.params, p);
  for (long e = 0; e < n; e += width<T>) {
    const long here = n - e < width<T> ? n - e : width<T>;
    V sum = load_up_to(dx + e, here);
    for (long r = 0; r < rows; ++r) sum += rounded(SlopeRow<Op, operand, T>(p, in, y, dy, r, n).at(e, here));
    store_up_to(dx + e, sum, here);
  }
}

template <int operand, typename Op, typename T>
BIRNN_INLINE void run_slope(long rows, long n, const Operands<T>& in, const T* y, const T* dy, bool accumulate, T* dx,
                            long row_dx) {
  if (row_dx == 0 && accumulate) return add_slopes_with<Op, operand>(rows, n, in, y, dy, dx);
  combine_slope_with<Op, operand>(rows, n, in, y, dy, accumulate, dx, row_dx);
}

template <typename T>
void combine_slope(Combination combination, int operand, long rows, long n, const Operands<T>& in, const T* y,
                   const T* dy, bool accumulate, T* dx, long row_dx) {
  with_combination(combination, [&](auto op) {
    using Op = decltype(op);
    operand == 0 ? run_slope<0, Op>(rows, n, in, y, dy, accumulate, dx, row_dx)
                 : run_slope<1, Op>(rows, n, in, y, dy, accumulate, dx, row_dx);
  });
}
