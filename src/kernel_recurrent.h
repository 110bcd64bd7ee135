// The vector kernels of the fast recurrent path: one table of functions for each instruction set (level L1).
//
// Units lie in blocks of `lanes`, the last one filled up with zeros. A packed matrix with K rows and G gates is
// [block][k][gate][lane], a value of every unit and gate of a row [block][row][gate][lane]: so all gates of the same
// units end in registers, where their activations are computed. "_block" is the distance from one block to the next,
// "_step" from one row to the next, in numbers. Null pointers stand for zeros, or for results that nobody wants.
#pragma once

#include "kernel_elements.h"

namespace birnn {

// Where rows of inputs, or their gradients, lie in an array: `steps` times `rows`, the first row of each step
// `next_step` behind that of the one before. With several steps there are at least `least_strided_rows` rows.
struct RowPattern {
  int rows, steps;
  long row_step, next_step;
};
constexpr int least_strided_rows = 12;

// out = bias + x W
template <typename T>
struct ProjectionArgs {
  RowPattern rows;
  int k, blocks;
  const T* x;
  const T* weights;
  const T* bias;
  T* out;
  int out_gates;  // vectors of a row in `out`, at least the gates
  long out_block;
};

// An activation of a split step. `from_input`: its slope needs the input, which is kept instead of the value.
template <typename T>
struct CellActivation {
  Function function;
  bool from_input;
  T params[3];
};

// One step of the rows that live. `gates`: the projected input; the gates' values if they are kept.
template <typename T>
struct ForwardArgs {
  int rows, units, blocks;
  bool keep;
  bool reversed;    // last unit block first: in turns, so that the weights of the block at the turn are still near
  const T* before;  // h before the step, (rows, k)
  long before_step;
  const T* weights;         // the packed recurrent kernel; GRU without reset_after: that of z and r, then that of n
  const T* recurrent_bias;  // GRU with reset_after: that of the candidate, [block][lane]
  T* gates;
  long gates_block;
  const T* c_before;  // LSTM
  long c_before_block;
  T* c;
  long c_block;
  T* h;  // (rows, blocks * lanes)
  long h_step;
  T* y;  // (rows, units), a second copy of h
  long y_step;
  T* reset;  // GRU without reset_after, (rows, k): r o h before the step
  // Null: tanh and sigmoid. Otherwise the step is split: `gates` holds the sum of projected input and recurrent product
  // (GRU with reset_after: of z and r; the product of the candidate, with its bias, is the fourth vector).
  const CellActivation<T>*activation, *recurrent_activation;
};

// One step back. dh: the gradient of h after the step; what reaches h without the weights remains in it.
template <typename T>
struct BackwardArgs {
  int rows, units, blocks;
  long steps_before;
  const T* gates;  // as kept
  long gates_block;
  const T* before;  // h before the step: GRU
  long before_step;
  const T* c_before;  // LSTM
  long c_before_block;
  const T* c;
  long c_block;
  const T* h;  // h after the step: SimpleRNN
  long h_step;
  const T* dy;
  long dy_step;
  T* dh;
  long dh_step;
  T* dc;  // LSTM, [block][row][lane]
  long dc_block;
  T* gradient;  // of the gates before their activation
  long gradient_block;
  T* recurrent_gradient;  // GRU with reset_after: of the recurrent products; the same but for the candidate
  long recurrent_gradient_block;
  T* bias_gradient;  // [block][gate][lane], added to
  T* recurrent_bias_gradient;
  // GRU without reset_after, (rows, width), `dh_step` apart: r o h before the step, and the gradient of that.
  T* reset;
  const T* dreset;
  const T* h_mask;                                            // the candidate's dropout mask of h
  const CellActivation<T>*activation, *recurrent_activation;  // of a split step, else null
};

// out (rows, columns) = gradient P, or added: P packed by pack_transposed(), `depth` = blocks * gates * lanes.
template <typename T>
struct ProductArgs {
  RowPattern rows;  // of `out`
  int blocks, gates, columns;
  const T* gradient;  // of the first of these gates
  long gradient_block;
  int gradient_gates;  // of a row in `gradient`
  const T* weights;
  bool accumulate;
  T* out;
};

// sum [block][k][gate][lane] += a^T gradient
template <typename T>
struct OuterArgs {
  RowPattern rows;  // of a
  int k, blocks, gates;
  const T* a;
  const T* gradient;
  long gradient_block;
  int gradient_gates;
  T* sum;
};

// Some gates of a weight matrix of k rows (all_gates * units), or of its gradient.
struct PackArgs {
  int k, units, all_gates, first_gate, gates;
};

template <typename T>
struct RecurrentKernels {
  int lanes;
  void (*project)(int gates, const ProjectionArgs<T>&);                     // 1, 3 or 4 gates
  void (*add_product)(int gates, bool reversed, const ProjectionArgs<T>&);  // out += x W for rows of one step; 1 or 4
  void (*forward_lstm)(const ForwardArgs<T>&);
  void (*forward_gru)(const ForwardArgs<T>&);
  // Without reset_after: z and r, then the candidate and h.
  void (*forward_reset)(const ForwardArgs<T>&);
  void (*forward_candidate)(const ForwardArgs<T>&);
  void (*forward_simple)(const ForwardArgs<T>&);
  void (*backward_lstm)(const BackwardArgs<T>&);
  void (*backward_gru)(const BackwardArgs<T>&);
  // Without reset_after: what needs no product; with the product of the candidate's gradient, the rest.
  void (*backward_candidate)(const BackwardArgs<T>&);
  void (*backward_reset)(const BackwardArgs<T>&);
  void (*backward_simple)(const BackwardArgs<T>&);
  void (*product)(const ProductArgs<T>&);
  void (*outer)(const OuterArgs<T>&);
  // To packed order and back, where the values replace what is there or are added to it.
  void (*pack)(const PackArgs&, const T* from, T* to);
  void (*unpack)(const PackArgs&, const T* from, bool accumulate, T* to);
};

// The kernels of one instruction set, for T: kernel_floats.cpp, kernel_doubles.cpp.
template <typename T>
struct RecurrentTable {
  RecurrentKernels<T> base;
#if defined(BIRNN_X86_KERNELS)
  RecurrentKernels<T> avx2, avx512;
#endif
};
extern const RecurrentTable<float> recurrent_float_kernels;
extern const RecurrentTable<double> recurrent_double_kernels;

}  // namespace birnn
