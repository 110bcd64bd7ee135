// A recurrent layer of one or two directions over the same input, merged (level L2). Knows no cell by name.
#pragma once
#include "merge.h"
#include "recurrent.h"

namespace birnn {

constexpr int max_directions = 2;

template <typename T>
struct RecurrentLayer {
  int directions = 1;
  MergeMode merge = MergeMode::none;  // none: every direction has an output of its own
  const CellType* cell[max_directions] = {};
  Direction<T> direction[max_directions];

  int64 output_rows() const { return direction[0].batch * (direction[0].return_sequences ? direction[0].time : 1); }
  MergeShape merge_shape() const { return {merge, output_rows(), direction[0].units, direction[1].units}; }
};

struct LayerSizes {
  std::size_t saved, forward_scratch, backward_scratch, prepared;
};
template <typename T>
LayerSizes layer_sizes(const RecurrentLayer<T>& layer);

// Outputs: y[0] is the merged one, or y[d] that of direction d.
template <typename T>
struct LayerForward {
  T* y[max_directions] = {};
  T* state[max_directions][max_states] = {};
  void* saved = nullptr;
  void* scratch = nullptr;
  void* prepared = nullptr;  // where to keep packed weights for later calls; null: nowhere
  bool is_prepared = false;  // they are there already
};
template <typename T>
void forward(const RecurrentLayer<T>& layer, const LayerForward<T>& call);

// Gradients of the outputs (null: zero) and those wanted. dx is the sum over the directions, forward first.
template <typename T>
struct LayerBackward {
  const T* dy[max_directions] = {};
  const T* dstate[max_directions][max_states] = {};
  Target<T> dx;
  Target<T> dkernel[max_directions], drecurrent_kernel[max_directions], dbias[max_directions];
  Target<T> dinitial[max_directions][max_states];
  void* saved = nullptr;
  void* scratch = nullptr;
};
template <typename T>
void backward(const RecurrentLayer<T>& layer, const LayerBackward<T>& call);

}  // namespace birnn
