// SimpleRNN: h' = f(x K + b + h R) (level L2).
#pragma once
#include "cell.h"

namespace birnn {

template <typename T>
class SimpleRnnCell {
 public:
  using Scalar = T;
  static constexpr int gates = 1, states = 1, gradient_planes = 1;
  enum Plane { value, inputs };

  static int bias_rows(bool) { return 1; }
  static int planes(const CellOptions<T>& options) { return inputs + (options.keeps_inputs() ? gates : 0); }
  static int recurrent_gradient(const CellOptions<T>&, int gate) { return gate; }
  static int left_factor(const CellOptions<T>&, int) { return -1; }

  SimpleRnnCell(const CellOptions<T>& options, const RecurrentProduct<T>& product)
      : f_(options.activation), product_(product) {}

  void step_forward(const ForwardStep<T>& s) const {
    T* const h = s.planes[value];
    product_.multiply(0, s.rows, product_.dropped(0, s.rows, s.before[0], s.scratch), true, h);
    activate_gate(f_, s, product_.units, value, inputs);
    std::copy(h, h + s.rows * product_.units, s.after[0]);
  }

  void step_backward(const BackwardStep<T>& s) const {
    Matrix<T> dh = as_matrix(s.dstate[0], product_.units, s.rows);
    Matrix<T> dz = as_matrix(s.gradients[value], product_.units, s.rows);
    gate_slope(f_, s, product_.units, value, inputs, dz.memptr());
    dz %= dh;
    dh.zeros();
    product_.add_back(0, s.rows, dz.memptr(), dh.memptr(), s.scratch);
  }

 private:
  Nonlinearity<T> f_;
  RecurrentProduct<T> product_;
};

}  // namespace birnn
