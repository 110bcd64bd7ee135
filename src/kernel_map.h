// Elementwise functions over arrays of one type (level L1). Included like kernel_simd.h; the table: kernel_elements.h.

#include "kernel_functions_more.h"

// Calls f with the struct of the function: with dispatch_activation() the only switch over functions.
template <typename F>
BIRNN_INLINE void dispatch(Function function, F f) {
  switch (function) {
    case Function::negative:
      return f(Negative());
    case Function::absolute:
      return f(Absolute());
    case Function::square:
      return f(Square());
    case Function::expm1:
      return f(Expm1());
    case Function::log:
      return f(Log());
    case Function::log1p:
      return f(Log1p());
    case Function::square_root:
      return f(SquareRoot());
    case Function::reciprocal_root:
      return f(ReciprocalRoot());
    case Function::reciprocal:
      return f(Reciprocal());
    case Function::erf:
      return f(Erf());
    case Function::sine:
      return f(Sine());
    case Function::cosine:
      return f(Cosine());
    case Function::log2:
      return f(Log2());
    case Function::log10:
      return f(Log10());
    case Function::sign:
      return f(Sign());
    case Function::floor:
      return f(Floor());
    case Function::ceiling:
      return f(Ceiling());
    case Function::round:
      return f(Round());
    default:
      return dispatch_activation(function, f);
  }
}

template <typename T>
BIRNN_INLINE void broadcast(const T* params, VectorFor<T>* all_lanes) {
  for (int k = 0; k < 3; ++k) all_lanes[k] = all(params[k]);
}

// Whole vectors only; one copy of the code, so that the last vector of an array has the bits of any other.
template <typename F, typename T>
__attribute__((noinline)) void map_vectors(const T* params, long n, const T* x, T* y) {
  VectorFor<T> p[3];
  broadcast(params, p);
  for (long e = 0; e < n; e += width<T>) store(y + e, F::value(p, load(x + e)));
}

template <typename T>
void map(Function function, const T* params, long n, const T* x, T* y) {
  const long rest = n % width<T>, whole = n - rest;
  dispatch(function, [&](auto f) {
    using F = decltype(f);
    map_vectors<F>(params, whole, x, y);
    if (rest == 0) return;
    Part<T> part(x + whole, rest);
    map_vectors<F>(params, width<T>, part.numbers, part.numbers);
    part.to(y + whole, rest);
  });
}

template <typename F, typename T>
__attribute__((noinline)) void slope_vectors(const T* params, long n, const T* x, const T* y, const T* dy,
                                             bool accumulate, T* dx) {
  using V = VectorFor<T>;
  V p[3];
  broadcast(params, p);
  for (long e = 0; e < n; e += width<T>) {
    V gradient = F::slope(p, load(x + e), load(y + e));
    if (dy != nullptr) gradient = load(dy + e) * gradient;
    if (accumulate) gradient += load(dx + e);
    store(dx + e, gradient);
  }
}

template <typename T>
void map_slope(Function function, const T* params, long n, const T* x, const T* y, const T* dy, bool accumulate,
               T* dx) {
  const T* const any = x != nullptr ? x : y != nullptr ? y : dy;
  x = x != nullptr ? x : any;
  y = y != nullptr ? y : any;
  const long rest = n % width<T>, whole = n - rest;
  dispatch(function, [&](auto f) {
    using F = decltype(f);
    slope_vectors<F>(params, whole, x, y, dy, accumulate, dx);
    if (rest == 0) return;
    const Part<T> last_x(x + whole, rest), last_y(y + whole, rest);
    const Part<T> last_dy = dy != nullptr ? Part<T>(dy + whole, rest) : Part<T>();
    Part<T> last_dx(dx + whole, rest);
    slope_vectors<F>(params, width<T>, last_x.numbers, last_y.numbers, dy != nullptr ? last_dy.numbers : nullptr,
                     accumulate, last_dx.numbers);
    last_dx.to(dx + whole, rest);
  });
}

template <typename T>
constexpr ElementKernels<T> elements_of() {
  return {map<T>, map_slope<T>};
}
constexpr ElementTable element_table() { return {elements_of<float>(), elements_of<double>()}; }
