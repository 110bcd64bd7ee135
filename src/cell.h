// What every cell is made of: its options, the recurrent product, and the arguments of one step (level L2).
//
// A cell sees dense row-major matrices (rows, units) of the rows that live at a step. Each gate is a matrix of its own,
// a "plane". The input part of the gates, x K + b, is computed outside (recurrent_*.h) and stands in the gate planes
// when a step begins.
#pragma once
#include <algorithm>

#include "activation.h"
#include "gemm.h"
#include "types.h"

namespace birnn {

constexpr int max_states = 2;

// An activation at its default parameters.
template <typename T>
class Nonlinearity {
 public:
  explicit Nonlinearity(Activation kind = Activation::linear) : kind_(kind), params_(activation_params<T>(kind)) {}
  void apply(int64 n, const T* x, T* y) const { activate_all(kind_, params_.data(), n, x, y); }
  void slope(int64 n, const T* x, const T* y, T* out) const { slope_all(kind_, params_.data(), n, x, y, out); }
  Activation kind() const { return kind_; }
  bool needs_input() const { return !slope_from_value(kind_); }
  CellActivation<T> for_kernels() const { return {kind_, needs_input(), {params_[0], params_[1], params_[2]}}; }

 private:
  Activation kind_;
  ActivationParams<T> params_;
};

template <typename T>
struct CellOptions {
  Nonlinearity<T> activation, recurrent_activation;
  bool reset_after = true;
  // Whether the backward pass needs the gates before their activation too.
  bool keeps_inputs() const { return activation.needs_input() || recurrent_activation.needs_input(); }
};

// h R with a gate's columns of the recurrent kernel, and with the gate's dropout mask on h.
template <typename T>
struct RecurrentProduct {
  int64 units;
  int gates;
  const T* kernel;      // (units, gates * units)
  const T* transposed;  // (gates, units, units): the transposed block of each gate; null in the forward pass
  const T* bias;        // (gates * units), only where a cell has a bias of its own for this product; else null
  const T* masks;       // (n_masks, mask_rows, units), rows in the order of the schedule
  int n_masks;          // 0: no dropout, 1: one for all gates, else one a gate
  int64 mask_rows;

  const T* mask(int gate) const {
    return n_masks == 0 ? nullptr : masks + (n_masks == 1 ? 0 : gate) * mask_rows * units;
  }

  // h o mask, written to scratch; h itself without dropout.
  const T* dropped(int gate, int64 rows, const T* h, T* scratch) const {
    if (n_masks == 0) return h;
    as_matrix(scratch, units, rows) = as_matrix(h, units, rows) % as_matrix(mask(gate), units, rows);
    return scratch;
  }
  // out = left R, or out += left R
  void multiply(int gate, int64 rows, const T* left, bool add, T* out) const {
    gemm(false, false, rows, units, units, left, units, kernel + gate * units, gates * units, add, out, units);
  }
  void add_bias(int gate, int64 rows, T* out) const {
    if (bias == nullptr) return;
    Matrix<T> sum = as_matrix(out, units, rows);
    sum.each_col() += arma::Col<T>(const_cast<T*>(bias) + gate * units, static_cast<arma::uword>(units), false, true);
  }
  // The gradient of `left`: out = d R^T, or out += d R^T
  void multiply_back(int gate, int64 rows, const T* d, bool add, T* out) const {
    gemm(false, false, rows, units, units, d, units, transposed + gate * units * units, units, add, out, units);
  }
  // dh += (d R^T) o mask
  void add_back(int gate, int64 rows, const T* d, T* dh, T* scratch) const {
    if (n_masks == 0) return multiply_back(gate, rows, d, true, dh);
    multiply_back(gate, rows, d, false, scratch);
    as_matrix(dh, units, rows) += as_matrix(scratch, units, rows) % as_matrix(mask(gate), units, rows);
  }
};

// Matrices (rows, units), the k-th `step` elements after the first.
template <typename T>
struct Planes {
  T* data;
  int64 step;
  T* operator[](int plane) const { return data + plane * step; }
};

template <typename T>
struct ForwardStep {
  int64 rows;
  Planes<T> planes;             // the gates on top: input part on entry, values on return
  const T* before[max_states];  // (rows, units) states before the step
  T* after[max_states];         // states after it; may be the same memory
  T* scratch;                   // (rows, units)
  bool keep;                    // a backward pass will follow
};

template <typename T>
struct BackwardStep {
  int64 rows;
  Planes<const T> planes;
  const T* before[max_states];
  const T* after[max_states];
  T* dstate[max_states];  // gradients of the states: after the step on entry, before it on return
  Planes<T> gradients;    // written: gradients of the gates before their activation
  T* scratch;             // (rows, units)
};

// The gates of a cell through their activations. With keep, gate g is first copied to plane first_input + g if its
// slope needs it.
template <typename T>
void activate_gate(const Nonlinearity<T>& f, const ForwardStep<T>& s, int64 units, int gate, int first_input) {
  const int64 count = s.rows * units;
  T* const values = s.planes[gate];
  if (s.keep && f.needs_input()) std::copy(values, values + count, s.planes[first_input + gate]);
  f.apply(count, values, values);
}

template <typename T>
void gate_slope(const Nonlinearity<T>& f, const BackwardStep<T>& s, int64 units, int gate, int first_input, T* out) {
  const T* const values = s.planes[gate];
  f.slope(s.rows * units, f.needs_input() ? s.planes[first_input + gate] : values, values, out);
}

}  // namespace birnn
