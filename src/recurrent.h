// One direction of a recurrent layer: its description, the arguments of its two passes, and the table of cells (level
// L2).
//
// The rows of a batch are cut into S = min(4, ceil(B / 16)) shards. A shard runs through all its steps alone, so shards
// and directions may run on any thread; weight gradients are summed per shard and the sums added in order: same bits
// always.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>

#include "cell.h"

namespace birnn {

// Sizes, options and inputs of one direction. While only sizes are wanted the pointers are null.
template <typename T>
struct Direction {
  int64 batch = 0, time = 0, features = 0, units = 0;
  CellOptions<T> options;
  bool go_backwards = false;
  bool return_sequences = false;
  bool zero_output_for_mask = false;
  bool flipped =
      false;  // sequences are written last step first: the backward half of a bidirectional layer, in input order
  bool masked = false;
  int x_masks = 0, h_masks = 0;  // dropout masks: 0 none, 1 for all gates, or one a gate

  const T* x = nullptr;                 // (B, T, F)
  const std::uint8_t* mask = nullptr;   // (B, T), 0 = masked
  const T* kernel = nullptr;            // (F, G U)
  const T* recurrent_kernel = nullptr;  // (U, G U)
  const T* bias = nullptr;              // (bias_rows, G U) or null
  const T* state[max_states] = {};      // (B, U) or null: zeros
  const T* x_dropout = nullptr;         // (x_masks, B, F)
  const T* h_dropout = nullptr;         // (h_masks, B, U)

  const T* x_mask(int gate) const {
    return x_masks == 0 ? nullptr : x_dropout + (x_masks == 1 ? 0 : gate) * batch * features;
  }
};

// Where the output of a direction lies: rows of `units` numbers, `step` apart; row b * T + t of sequences, else row b.
template <typename T>
struct OutputRows {
  T* data = nullptr;
  int64 step = 0;
};

// A gradient wanted (null: not), to be added to what is there or to replace it.
template <typename T>
struct Target {
  T* data = nullptr;
  bool accumulate = false;
};

template <typename T>
struct ForwardTask {
  OutputRows<T> y;
  T* state[max_states] = {};  // (B, U) final states
  void* saved = nullptr;      // null: no backward pass will follow
  void* scratch = nullptr;
  void* prepared = nullptr;  // where prepare_forward() packs the weights; null: in the scratch
};

template <typename T>
struct BackwardTask {
  OutputRows<const T> dy;            // null: zero
  const T* dstate[max_states] = {};  // of the final states; null: zero
  Target<T> dx, dkernel, drecurrent_kernel, dbias;
  Target<T> dinitial[max_states];
  void* saved = nullptr;
  void* scratch = nullptr;
};

inline int shard_count(int64 batch) {
  return static_cast<int>(std::max<int64>(1, std::min<int64>(4, (batch + 15) / 16)));
}
inline int64 shard_begin(int64 batch, int shard) { return batch * shard / shard_count(batch); }
inline int64 largest_shard(int64 batch) { return (batch + shard_count(batch) - 1) / shard_count(batch); }

// The passes of one cell. `forward` and `backward` work on one shard; the others run once, before and after all shards.
template <typename T>
struct RecurrentFunctions {
  std::size_t (*saved_bytes)(const Direction<T>&);
  std::size_t (*forward_bytes)(const Direction<T>&);
  std::size_t (*backward_bytes)(const Direction<T>&);
  std::size_t (*prepared_bytes)(const Direction<T>&);  // 0: there is nothing to prepare
  void (*prepare_forward)(const Direction<T>&, const ForwardTask<T>&);
  void (*forward)(const Direction<T>&, const ForwardTask<T>&, int shard);
  void (*prepare_backward)(const Direction<T>&, const BackwardTask<T>&);
  void (*backward)(const Direction<T>&, const BackwardTask<T>&, int shard);
  void (*finish_backward)(const Direction<T>&, const BackwardTask<T>&);
};

struct CellType {
  const char* name;
  int gates, states;
  int (*bias_rows)(bool reset_after);
  RecurrentFunctions<float> float_functions;
  RecurrentFunctions<double> double_functions;

  const RecurrentFunctions<float>& functions(float) const { return float_functions; }
  const RecurrentFunctions<double>& functions(double) const { return double_functions; }
};

// Whether the vector kernels are used: always, but for tests of the readable path. Not to be changed
// between a forward pass and its backward pass.
void set_fast_path(bool used);
bool uses_fast_path();

const CellType& cell_type(const std::string& name);  // simple_rnn, lstm, gru; an Error of kind "value" otherwise

}  // namespace birnn
