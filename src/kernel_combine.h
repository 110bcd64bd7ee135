// Two arrays made into one, and the gradients (level L1). Included like kernel_simd.h; table: kernel_arrays.h.

#include "kernel_math.h"
#include "kernel_part.h"

// da, db: the gradients of the operands a and b from the value y and its gradient dy.
struct Add {
  template <typename V>
  static BIRNN_INLINE V value(V a, V b) {
    return a + b;
  }
  template <typename V>
  static BIRNN_INLINE V da(V, V, V, V dy) {
    return dy;
  }
  template <typename V>
  static BIRNN_INLINE V db(V, V, V, V dy) {
    return dy;
  }
};
struct Subtract {
  template <typename V>
  static BIRNN_INLINE V value(V a, V b) {
    return a - b;
  }
  template <typename V>
  static BIRNN_INLINE V da(V, V, V, V dy) {
    return dy;
  }
  template <typename V>
  static BIRNN_INLINE V db(V, V, V, V dy) {
    return -dy;
  }
};
struct Multiply {
  template <typename V>
  static BIRNN_INLINE V value(V a, V b) {
    return a * b;
  }
  template <typename V>
  static BIRNN_INLINE V da(V, V b, V, V dy) {
    return dy * b;
  }
  template <typename V>
  static BIRNN_INLINE V db(V a, V, V, V dy) {
    return dy * a;
  }
};
struct Divide {
  template <typename V>
  static BIRNN_INLINE V value(V a, V b) {
    return a / b;
  }
  template <typename V>
  static BIRNN_INLINE V da(V, V b, V, V dy) {
    return dy / b;
  }
  template <typename V>
  static BIRNN_INLINE V db(V, V b, V y, V dy) {
    return -dy * y / b;
  }
};
// Equal operands share the gradient. NaN in either operand wins.
template <bool larger>
struct Extreme {
  template <typename V>
  static BIRNN_INLINE auto first(V a, V b) {
    if constexpr (larger)
      return a > b;
    else
      return a < b;
  }
  template <typename V>
  static BIRNN_INLINE V value(V a, V b) {
    return (first(a, b) | (a != a)) ? a : b;
  }
  template <typename V>
  static BIRNN_INLINE V da(V a, V b, V, V dy) {
    const V apart = first(a, b) ? dy : V{};
    return a == b ? dy / all<V>(2) : apart;
  }
  template <typename V>
  static BIRNN_INLINE V db(V a, V b, V, V dy) {
    const V apart = first(b, a) ? dy : V{};
    return a == b ? dy / all<V>(2) : apart;
  }
};

// Calls f with the struct of the combination.
template <typename F>
BIRNN_INLINE void with_combination(Combination combination, F f) {
  switch (combination) {
    case Combination::add:
      return f(Add());
    case Combination::subtract:
      return f(Subtract());
    case Combination::multiply:
      return f(Multiply());
    case Combination::divide:
      return f(Divide());
    case Combination::maximum:
      return f(Extreme<true>());
    case Combination::minimum:
      return f(Extreme<false>());
  }
}

// The vector at element e of an operand: its own elements, or its one number.
template <typename T>
BIRNN_INLINE VectorFor<T> operand_at(const T* x, long step, long e) {
  return step == 0 ? all(*x) : load(x + e);
}
// The same where fewer than a vector are left.
template <typename T>
BIRNN_INLINE VectorFor<T> last_operand(const T* x, long step, long e, long n) {
  return step == 0 ? all(*x) : load(Part<T>(x + e, n).numbers);
}

template <typename Op, typename T>
__attribute__((noinline)) void combine_with(long n, const Operands<T>& in, T* y) {
  const long whole = n / width<T> * width<T>;
  const T *const a = in.a, *const b = in.b;
  if (in.step_a != 0 && in.step_b != 0)
    for (long e = 0; e < whole; e += width<T>) store(y + e, Op::value(load(a + e), load(b + e)));
  else
    for (long e = 0; e < whole; e += width<T>)
      store(y + e, Op::value(operand_at(a, in.step_a, e), operand_at(b, in.step_b, e)));
  if (whole == n) return;
  Part<T> last;
  store(last.numbers,
        Op::value(last_operand(a, in.step_a, whole, n - whole), last_operand(b, in.step_b, whole, n - whole)));
  last.to(y + whole, n - whole);
}

template <typename T>
void combine(Combination combination, long n, const Operands<T>& in, T* y) {
  with_combination(combination, [&](auto op) { combine_with<decltype(op)>(n, in, y); });
}

// Calls put(e, gradients) for whole vectors, then last(e, gradients) for the rest.
template <typename Op, int operand, typename T, typename Put, typename Last>
BIRNN_INLINE void for_each_slope(long n, const Operands<T>& in, const T* y, const T* dy, Put put, Last last) {
  const long whole = n / width<T> * width<T>, rest = n - whole;
  const Operands<T> x{in.a != nullptr ? in.a : dy, in.a != nullptr ? in.step_a : 1, in.b != nullptr ? in.b : dy,
                      in.b != nullptr ? in.step_b : 1};
  y = y != nullptr ? y : dy;
  for (long e = 0; e < whole; e += width<T>) {
    const auto a = operand_at(x.a, x.step_a, e), b = operand_at(x.b, x.step_b, e);
    put(e, operand == 0 ? Op::da(a, b, load(y + e), load(dy + e)) : Op::db(a, b, load(y + e), load(dy + e)));
  }
  if (rest == 0) return;
  const auto a = last_operand(x.a, x.step_a, whole, rest), b = last_operand(x.b, x.step_b, whole, rest);
  const auto last_y = load(Part<T>(y + whole, rest).numbers), last_dy = load(Part<T>(dy + whole, rest).numbers);
  last(whole, rest, operand == 0 ? Op::da(a, b, last_y, last_dy) : Op::db(a, b, last_y, last_dy));
}

// The product is rounded before it is added, wherever it stands: no FMA across the empty asm.
template <typename V>
BIRNN_INLINE V rounded(V x) {
#if defined(__x86_64__)
  __asm__("" : "+x"(x));
#endif
  return x;
}

template <typename Op, int operand, typename T>
__attribute__((noinline)) void combine_slope_with(long n, const Operands<T>& in, const T* y, const T* dy,
                                                  bool accumulate, T* dx) {
  using V = VectorFor<T>;
  for_each_slope<Op, operand>(
      n, in, y, dy,
      [&](long e, V gradient) { store(dx + e, accumulate ? load(dx + e) + rounded(gradient) : gradient); },
      [&](long e, long rest, V gradient) {
        Part<T> part(dx + e, rest);
        store(part.numbers, accumulate ? load(part.numbers) + rounded(gradient) : gradient);
        part.to(dx + e, rest);
      });
}

template <typename T>
void combine_slope(Combination combination, int operand, long n, const Operands<T>& in, const T* y, const T* dy,
                   bool accumulate, T* dx) {
  with_combination(combination, [&](auto op) {
    using Op = decltype(op);
    operand == 0 ? combine_slope_with<Op, 0>(n, in, y, dy, accumulate, dx)
                 : combine_slope_with<Op, 1>(n, in, y, dy, accumulate, dx);
  });
}
