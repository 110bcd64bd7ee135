// GRU, gates z r n in Keras order (level L2); a = x K + b, b2 the bias of the recurrent product:
//   z = s(a_z + h R_z + b2_z), r = s(a_r + h R_r + b2_r)
//   reset_after:  n = f(a_n + r o (h R_n + b2_n))        else:  n = f(a_n + (r o h) R_n), no b2
//   h' = z o h + (1 - z) o n
// Dropout acts on h inside the products only.
#pragma once
#include <initializer_list>

#include "cell.h"

namespace birnn {

template <typename T>
class GruCell {
 public:
  using Scalar = T;
  static constexpr int gates = 3, states = 1, gradient_planes = 4;
  // `recurrent` is h R_n + b2_n, and among the gradients that of it (reset_after only).
  enum Plane { update, reset, candidate, recurrent, inputs };

  static int bias_rows(bool reset_after) { return reset_after ? 2 : 1; }
  static int planes(const CellOptions<T>& options) { return inputs + (options.keeps_inputs() ? gates : 0); }

  GruCell(const CellOptions<T>& options, const RecurrentProduct<T>& product)
      : f_(options.activation),
        s_(options.recurrent_activation),
        reset_after_(options.reset_after),
        product_(product) {}

  // The gradient plane that belongs to the recurrent product of a gate.
  static int recurrent_gradient(const CellOptions<T>& options, int gate) {
    return gate == candidate && options.reset_after ? recurrent : gate;
  }
  // The plane that multiplies h before the recurrent product of a gate, -1 if none.
  static int left_factor(const CellOptions<T>& options, int gate) {
    return gate == candidate && !options.reset_after ? reset : -1;
  }

  void step_forward(const ForwardStep<T>& s) const {
    const auto plane = [&](int p) { return as_matrix(s.planes[p], product_.units, s.rows); };
    for (const int gate : {update, reset}) {
      product_.multiply(gate, s.rows, product_.dropped(gate, s.rows, s.before[0], s.scratch), true, s.planes[gate]);
      product_.add_bias(gate, s.rows, s.planes[gate]);
      activate_gate(s_, s, product_.units, gate, inputs);
    }
    add_candidate_product(s);
    activate_gate(f_, s, product_.units, candidate, inputs);
    as_matrix(s.after[0], product_.units, s.rows) =
        plane(update) % as_matrix(s.before[0], product_.units, s.rows) + (T(1) - plane(update)) % plane(candidate);
  }

  void step_backward(const BackwardStep<T>& s) const {
    const auto plane = [&](int p) { return as_matrix(s.planes[p], product_.units, s.rows); };
    const auto dz = [&](int p) { return as_matrix(s.gradients[p], product_.units, s.rows); };
    Matrix<T> dh = as_matrix(s.dstate[0], product_.units, s.rows);
    for (const int gate : {update, reset, candidate})
      gate_slope(gate == candidate ? f_ : s_, s, product_.units, gate, inputs, s.gradients[gate]);
    dz(update) %= dh % (as_matrix(s.before[0], product_.units, s.rows) - plane(candidate));
    dz(candidate) %= dh % (T(1) - plane(update));
    dh %= plane(update);

    if (reset_after_) {
      dz(reset) %= dz(candidate) % plane(recurrent);
      dz(recurrent) = dz(candidate) % plane(reset);
      product_.add_back(candidate, s.rows, s.gradients[recurrent], dh.memptr(), s.scratch);
    } else {
      back_through_reset_state(s);
    }
    for (const int gate : {update, reset}) product_.add_back(gate, s.rows, s.gradients[gate], dh.memptr(), s.scratch);
  }

 private:
  void add_candidate_product(const ForwardStep<T>& s) const {
    const auto plane = [&](int p) { return as_matrix(s.planes[p], product_.units, s.rows); };
    const T* const h = product_.dropped(candidate, s.rows, s.before[0], s.scratch);
    if (reset_after_) {
      product_.multiply(candidate, s.rows, h, false, s.planes[recurrent]);
      product_.add_bias(candidate, s.rows, s.planes[recurrent]);
      plane(candidate) += plane(reset) % plane(recurrent);
    } else {
      as_matrix(s.scratch, product_.units, s.rows) = plane(reset) % as_matrix(h, product_.units, s.rows);
      product_.multiply(candidate, s.rows, s.scratch, true, s.planes[candidate]);
    }
  }

  // The gradient of r o (h o mask) goes on to r and to h; the gradient plane that only reset_after uses holds it.
  void back_through_reset_state(const BackwardStep<T>& s) const {
    const auto matrix = [&](auto* data) { return as_matrix(data, product_.units, s.rows); };
    const T* const h = product_.dropped(candidate, s.rows, s.before[0], s.scratch);
    product_.multiply_back(candidate, s.rows, s.gradients[candidate], false, s.gradients[recurrent]);
    Matrix<T> dleft = matrix(s.gradients[recurrent]);
    matrix(s.gradients[reset]) %= dleft % matrix(h);
    dleft %= matrix(s.planes[reset]);
    if (product_.n_masks > 0) dleft %= matrix(product_.mask(candidate));
    matrix(s.dstate[0]) += dleft;
  }

  Nonlinearity<T> f_, s_;
  bool reset_after_;
  RecurrentProduct<T> product_;
};

}  // namespace birnn
