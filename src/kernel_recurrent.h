// The vector kernels of the fast recurrent path: one table of functions for each instruction set (level L1).
//
// Units lie in blocks of `lanes`, the last one filled up with zeros. A packed matrix with K rows and G gates is
// [block][k][gate][lane], a value of every unit and gate of a row [block][row][gate][lane]: so all gates of the same
// units end in registers, where their activations are computed. "_block" is the distance from one block to the next,
// "_step" from one row to the next, in floats. Null pointers stand for zeros, or for results that nobody wants.
#pragma once

#include "kernel_platform.h"

namespace birnn {

// out = bias + x W
struct ProjectionArgs {
  int rows, k, blocks;
  const float* x;
  long x_step;
  const float* weights;
  const float* bias;
  float* out;
  int out_gates;  // vectors of a row in `out`, at least the gates
  long out_block;
};

// One step of the rows that live. `gates`: the projected input; the gates' values if they are kept.
struct ForwardArgs {
  int rows, units, blocks;
  bool keep;
  const float* before;  // h before the step, (rows, k)
  long before_step;
  const float* weights;         // the packed recurrent kernel
  const float* recurrent_bias;  // GRU: that of the candidate, [block][lane]
  float* gates;
  long gates_block;
  const float* c_before;  // LSTM
  long c_before_block;
  float* c;
  long c_block;
  float* h;  // (rows, blocks * lanes)
  long h_step;
  float* y;  // (rows, units), a second copy of h
  long y_step;
};

// One step back. dh: the gradient of h after the step; what reaches h without the weights remains in it.
struct BackwardArgs {
  int rows, units, blocks;
  const float* gates;  // as kept
  long gates_block;
  const float* before;  // h before the step: GRU
  long before_step;
  const float* c_before;  // LSTM
  long c_before_block;
  const float* c;
  long c_block;
  const float* h;  // h after the step: SimpleRNN
  long h_step;
  const float* dy;
  long dy_step;
  float* dh;
  long dh_step;
  float* dc;  // LSTM, [block][row][lane]
  long dc_block;
  float* gradient;  // of the gates before their activation
  long gradient_block;
  float* recurrent_gradient;  // GRU: of the recurrent products; the same but for the candidate
  long recurrent_gradient_block;
  float* bias_gradient;  // [block][gate][lane], added to
  float* recurrent_bias_gradient;
};

// out (rows, columns) = gradient P, or added: P packed by pack_transposed(), `depth` = blocks * gates * lanes.
struct ProductArgs {
  int rows, blocks, gates, columns;
  const float* gradient;
  long gradient_block;
  const float* weights;
  bool accumulate;
  float* out;
  long out_step;
};

// sum [block][k][gate][lane] += a^T gradient
struct OuterArgs {
  int rows, k, blocks, gates;
  const float* a;
  long a_step;
  const float* gradient;
  long gradient_block;
  float* sum;
};

struct RecurrentKernels {
  const char* isa;
  int lanes;
  void (*project)(int gates, const ProjectionArgs&);
  void (*forward_lstm)(const ForwardArgs&);
  void (*forward_gru)(const ForwardArgs&);
  void (*forward_simple)(const ForwardArgs&);
  void (*backward_lstm)(const BackwardArgs&);
  void (*backward_gru)(const BackwardArgs&);
  void (*backward_simple)(const BackwardArgs&);
  void (*product)(const ProductArgs&);
  void (*outer)(const OuterArgs&);
};

extern const RecurrentKernels recurrent_kernels_base;
#if defined(BIRNN_X86_KERNELS)
extern const RecurrentKernels recurrent_kernels_avx2, recurrent_kernels_avx512;
#endif

}  // namespace birnn
