// LSTM, gates i f g o in Keras order (level L2):
//   i = s(z_i), f = s(z_f), g = f(z_g), o = s(z_o)   with z = x K + b + h R
//   c' = f o c + i o g,  h' = o o f(c')
#pragma once
#include "cell.h"

namespace birnn {

template <typename T>
class LstmCell {
 public:
  using Scalar = T;
  static constexpr int gates = 4, states = 2, gradient_planes = 4;
  // `squashed` is f(c').
  enum Plane { input, forget, candidate, output, squashed, inputs };

  static int bias_rows(bool) { return 1; }
  static int planes(const CellOptions<T>& options) { return inputs + (options.keeps_inputs() ? gates : 0); }
  static int recurrent_gradient(const CellOptions<T>&, int gate) { return gate; }
  static int left_factor(const CellOptions<T>&, int) { return -1; }

  LstmCell(const CellOptions<T>& options, const RecurrentProduct<T>& product)
      : f_(options.activation), s_(options.recurrent_activation), product_(product) {}

  void step_forward(const ForwardStep<T>& s) const {
    const auto plane = [&](int p) { return as_matrix(s.planes[p], product_.units, s.rows); };
    for (int gate = 0; gate < gates; ++gate) {
      product_.multiply(gate, s.rows, product_.dropped(gate, s.rows, s.before[0], s.scratch), true, s.planes[gate]);
      activate_gate(of(gate), s, product_.units, gate, inputs);
    }
    Matrix<T> h = as_matrix(s.after[0], product_.units, s.rows), c = as_matrix(s.after[1], product_.units, s.rows);
    c = plane(forget) % as_matrix(s.before[1], product_.units, s.rows) + plane(input) % plane(candidate);
    f_.apply(s.rows * product_.units, c.memptr(), s.planes[squashed]);
    h = plane(output) % plane(squashed);
  }

  void step_backward(const BackwardStep<T>& s) const {
    const auto plane = [&](int p) { return as_matrix(s.planes[p], product_.units, s.rows); };
    const auto dz = [&](int p) { return as_matrix(s.gradients[p], product_.units, s.rows); };
    Matrix<T> dh = as_matrix(s.dstate[0], product_.units, s.rows), dc = as_matrix(s.dstate[1], product_.units, s.rows);
    Matrix<T> slope = as_matrix(s.scratch, product_.units, s.rows);

    f_.slope(s.rows * product_.units, s.after[1], s.planes[squashed], slope.memptr());
    dc += dh % plane(output) % slope;
    for (int gate = 0; gate < gates; ++gate) gate_slope(of(gate), s, product_.units, gate, inputs, s.gradients[gate]);
    dz(input) %= dc % plane(candidate);
    dz(forget) %= dc % as_matrix(s.before[1], product_.units, s.rows);
    dz(candidate) %= dc % plane(input);
    dz(output) %= dh % plane(squashed);

    dc %= plane(forget);
    dh.zeros();
    for (int gate = 0; gate < gates; ++gate) product_.add_back(gate, s.rows, s.gradients[gate], dh.memptr(), s.scratch);
  }

 private:
  const Nonlinearity<T>& of(int gate) const { return gate == candidate ? f_ : s_; }

  Nonlinearity<T> f_, s_;
  RecurrentProduct<T> product_;
};

}  // namespace birnn
