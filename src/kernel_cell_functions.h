// The activations inside the steps of the cells: Keras' defaults, or any others (level L1). Included by kernel_cells.h.
//
// An activation object has: apply(x), x becomes the values; kept(x, y), what the backward pass gets to see of it;
// open(y, slope), what was kept becomes values, with their slopes; open_input(y, slope), the same from the inputs;
// reopen(y), values only; back(d, y, slope), the gradient of the input for that of the value.

struct DefaultGate {
  template <int N>
  BIRNN_INLINE void apply(Vec (&x)[N]) const {
    sigmoid(x);
  }
  BIRNN_INLINE Vec kept(Vec, Vec y) const { return y; }
  template <int N>
  BIRNN_INLINE void open(Vec (&)[N], Vec (&)[N]) const {}
  BIRNN_INLINE Vec reopen(Vec y) const { return y; }
  BIRNN_INLINE Vec back(Vec d, Vec y, Vec) const { return d * y * (Scalar(1) - y); }
};

struct DefaultValue {
  template <int N>
  BIRNN_INLINE void apply(Vec (&x)[N]) const {
    squash(x);
  }
  BIRNN_INLINE Vec kept(Vec, Vec y) const { return y; }
  template <int N>
  BIRNN_INLINE void open(Vec (&)[N], Vec (&)[N]) const {}
  template <int N>
  BIRNN_INLINE void open_input(Vec (&x)[N], Vec (&)[N]) const {
    squash(x);
  }
  BIRNN_INLINE Vec back(Vec d, Vec y, Vec) const { return d * (Scalar(1) - y * y); }
};

// Those of the defaults have their formulas, whatever stands beside them.
template <typename F>
BIRNN_INLINE Vec value_of(F, const Vec* p, Vec x) {
  return F::value(p, x);
}
BIRNN_INLINE Vec value_of(Sigmoid, const Vec*, Vec x) {
  Vec one[1] = {x};
  sigmoid(one);
  return one[0];
}
BIRNN_INLINE Vec value_of(Tanh, const Vec*, Vec x) {
  Vec one[1] = {x};
  squash(one);
  return one[0];
}

// One copy of the code of each function: the same bits wherever it is used.
template <typename F>
__attribute__((noinline)) static void apply_vectors(const Scalar* params, int n, Vec* x) {
  const Vec p[] = {all(params[0]), all(params[1]), all(params[2])};
  for (int k = 0; k < n; ++k) x[k] = value_of(F(), p, x[k]);
}
static void apply_to_vectors(const CellActivation& f, int n, Vec* x) {
  dispatch_activation(f.function, [&](auto function) { apply_vectors<decltype(function)>(f.params, n, x); });
}

// slope from y; from x if y holds inputs, and y becomes the values.
template <typename F>
__attribute__((noinline)) static void open_vectors(const Scalar* params, bool from_input, int n, Vec* y, Vec* slope) {
  const Vec p[] = {all(params[0]), all(params[1]), all(params[2])};
  for (int k = 0; k < n; ++k) {
    const Vec x = y[k];
    if (from_input) y[k] = value_of(F(), p, x);
    slope[k] = F::slope(p, x, y[k]);
  }
}
static void open_all_vectors(const CellActivation& f, bool from_input, int n, Vec* y, Vec* slope) {
  dispatch_activation(f.function,
                      [&](auto function) { open_vectors<decltype(function)>(f.params, from_input, n, y, slope); });
}

struct ChosenActivation {
  const CellActivation& f;
  template <int N>
  BIRNN_INLINE void apply(Vec (&x)[N]) const {
    apply_to_vectors(f, N, x);
  }
  BIRNN_INLINE Vec kept(Vec x, Vec y) const { return f.from_input ? x : y; }
  template <int N>
  BIRNN_INLINE void open(Vec (&y)[N], Vec (&slope)[N]) const {
    open_all_vectors(f, f.from_input, N, y, slope);
  }
  template <int N>
  BIRNN_INLINE void open_input(Vec (&x)[N], Vec (&slope)[N]) const {
    open_all_vectors(f, true, N, x, slope);
  }
  BIRNN_INLINE Vec reopen(Vec kept) const {
    Vec y[1] = {kept};
    if (f.from_input) apply(y);
    return y[0];
  }
  BIRNN_INLINE Vec back(Vec d, Vec, Vec slope) const { return d * slope; }
};

// Both activations of a step. A split step finds complete sums: the recurrent products were added to the projected
// inputs before.
struct DefaultActivations {
  static constexpr bool split = false;
  DefaultGate gate;
  DefaultValue value;
  template <typename Args>
  BIRNN_INLINE explicit DefaultActivations(const Args&) {}
};
struct ChosenActivations {
  static constexpr bool split = true;
  ChosenActivation gate, value;
  template <typename Args>
  BIRNN_INLINE explicit ChosenActivations(const Args& a) : gate{*a.recurrent_activation}, value{*a.activation} {}
};
