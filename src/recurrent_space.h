// The memory of the passes over one shard, cut from blocks given from outside (level L2).
#pragma once
#include "recurrent.h"
#include "schedule.h"

namespace birnn {

constexpr int64 chunk_target = 128;  // packed rows whose inputs are projected by one product

// Packed rows of one chunk at most. A step is never cut, so it is at least a shard.
template <typename T>
int64 chunk_rows(const Direction<T>& d) {
  const int64 rows = largest_shard(d.batch);
  return std::max(rows, std::min(chunk_target, checked_product({rows, d.time})));
}

// Kept from the forward to the backward pass.
template <typename Cell>
struct SavedSpace {
  using T = typename Cell::Scalar;
  T* state[max_states] = {};  // (packed rows, U) states after each step
  T* planes;                  // (planes, capacity, U)
  int64 capacity;

  SavedSpace(Workspace& space, const Direction<T>& d) : capacity(largest_shard(d.batch) * d.time) {
    for (int s = 0; s < Cell::states; ++s) state[s] = space.take<T>({capacity, d.units});
    planes = space.take<T>({Cell::planes(d.options), capacity, d.units});
  }
};

template <typename Cell>
struct ForwardSpace {
  using T = typename Cell::Scalar;
  ScheduleSpace schedule;
  T* state[max_states] = {};  // (rows, U) before the next step
  T* masks;                   // (h_masks, rows, U)
  T* inputs;                  // (chunk, F)
  T* planes;                  // (planes, chunk, U), used if nothing is saved
  T* step;                    // (rows, U)

  ForwardSpace(Workspace& space, const Direction<T>& d) : schedule(space, largest_shard(d.batch), d.time, d.masked) {
    const int64 rows = largest_shard(d.batch), chunk = chunk_rows(d);
    for (int s = 0; s < Cell::states; ++s) state[s] = space.take<T>({rows, d.units});
    masks = space.take<T>({d.h_masks, rows, d.units});
    inputs = space.take<T>({chunk, d.features});
    planes = space.take<T>({Cell::planes(d.options), chunk, d.units});
    step = space.take<T>({rows, d.units});
  }
};

// The sums of one shard.
template <typename Cell>
struct WeightGradients {
  using T = typename Cell::Scalar;
  int64 kernel_size, recurrent_size, bias_size;
  T *kernel, *recurrent_kernel, *bias;

  WeightGradients(Workspace& space, const Direction<T>& d)
      : kernel_size(checked_product({d.features, Cell::gates, d.units})),
        recurrent_size(checked_product({d.units, Cell::gates, d.units})),
        bias_size(Cell::bias_rows(d.options.reset_after) * Cell::gates * d.units),
        kernel(space.take<T>({kernel_size})),
        recurrent_kernel(space.take<T>({recurrent_size})),
        bias(space.take<T>({bias_size})) {}
};

template <typename Cell>
struct BackwardSpace {
  using T = typename Cell::Scalar;
  WeightGradients<Cell> weights;
  ScheduleSpace schedule;
  T* initial[max_states] = {};  // (rows, U)
  T* dstate[max_states] = {};   // (rows, U)
  T* masks;                     // (h_masks, rows, U)
  T* inputs;                    // (chunk, F), inputs and then their gradients
  T* left;                      // (chunk, U), what the recurrent kernel was multiplied with
  T* gradients;                 // (gradient planes, chunk, U)
  T* step;                      // (rows, U)

  BackwardSpace(Workspace& space, const Direction<T>& d)
      : weights(space, d), schedule(space, largest_shard(d.batch), d.time, d.masked) {
    const int64 rows = largest_shard(d.batch), chunk = chunk_rows(d);
    for (int s = 0; s < Cell::states; ++s) {
      initial[s] = space.take<T>({rows, d.units});
      dstate[s] = space.take<T>({rows, d.units});
    }
    masks = space.take<T>({d.h_masks, rows, d.units});
    inputs = space.take<T>({chunk, d.features});
    left = space.take<T>({chunk, d.units});
    gradients = space.take<T>({Cell::gradient_planes, chunk, d.units});
    step = space.take<T>({rows, d.units});
  }
};

// What all shards of a direction share in the backward pass: the recurrent kernel with each gate's block transposed.
template <typename Cell>
struct SharedBackwardSpace {
  using T = typename Cell::Scalar;
  T* transposed;  // (G, U, U)
  SharedBackwardSpace(Workspace& space, const Direction<T>& d)
      : transposed(space.take<T>({Cell::gates, d.units, d.units})) {}
};

// Bytes of one block, and the block of a shard: all shards of a direction have blocks of the same size.
template <typename Space, typename T>
std::size_t block_bytes(const Direction<T>& d) {
  Workspace measure(nullptr);
  Space counted(measure, d);
  return measure.used();
}

template <typename Space, typename T>
Space shard_block(void* first, const Direction<T>& d, int shard) {
  Workspace space(static_cast<char*>(first) + static_cast<std::size_t>(shard) * block_bytes<Space>(d));
  return Space(space, d);
}

}  // namespace birnn
