// The memory of the fast path: packed weights, blocked states and gates (level L2). Names as in recurrent_space.h,
// layouts as in kernel_recurrent.h.
#pragma once
#include "kernel_isa.h"
#include "recurrent_space.h"

namespace birnn {

constexpr int64 fast_chunk_target = 256;  // packed rows projected at once: their gates stay in the second-level cache

// Sizes of a direction in vectors.
template <typename T>
struct FastShape {
  const RecurrentKernels<T>& kernels;
  int lanes, blocks;
  int64 width;  // units filled up to whole vectors

  explicit FastShape(const Direction<T>& d)
      : kernels(recurrent_kernels<T>(d.units)),
        lanes(kernels.lanes),
        blocks(static_cast<int>((d.units + lanes - 1) / lanes)),
        width(static_cast<int64>(blocks) * lanes) {}
  int64 padded(int64 columns) const { return (columns + lanes - 1) / lanes * lanes; }
};

template <typename T>
int64 fast_chunk_rows(const Direction<T>& d) {
  const int64 rows = largest_shard(d.batch);
  return std::max(rows, std::min(fast_chunk_target, checked_product({rows, d.time})));
}

inline RowPattern packed_rows(int64 rows, int64 step) {
  return {static_cast<int>(rows), 1, static_cast<long>(step), 0};
}

// Whether the steps are split: the recurrent products are added to the gates one after the other, then comes the rest.
// That lets each gate have a dropout mask of its own, and any activations follow. Keras' defaults without recurrent
// dropout are fused: all gates of some units stay in registers from the products to the states.
template <typename Fast>
bool splits_steps(const Direction<typename Fast::Scalar>& d) {
  const auto& options = d.options;
  return d.h_masks > 0 || options.activation.kind() != Activation::tanh ||
         (Fast::gates > 1 && options.recurrent_activation.kind() != Activation::sigmoid);
}
// Vectors of a row that are saved for the backward pass.
template <typename Fast>
int kept_vectors(const Direction<typename Fast::Scalar>& d) {
  return splits_steps<Fast>(d) ? Fast::vectors : Fast::kept;
}

// Weights are packed in parts: the gates that meet the same left operand, and whose sums are taken at the same time.
template <typename Fast>
int kernel_part(const Direction<typename Fast::Scalar>& d) {
  return d.x_masks > 1 ? 1 : Fast::gates;
}
template <typename Fast>
int forward_part(const Direction<typename Fast::Scalar>& d) {
  if (d.h_masks > 0) return 1;
  return splits_steps<Fast>(d) ? Fast::split_gates : Fast::first_gates;
}
template <typename Fast>
int backward_part(const Direction<typename Fast::Scalar>& d) {
  return d.h_masks > 0 ? 1 : Fast::first_gates;
}
// fn(the first gate of a part, its gates), for parts of `together` gates but for the last.
template <typename Fast, typename F>
void visit_parts(int together, F&& fn) {
  for (int first = 0; first < Fast::gates; first += together) fn(first, std::min(together, Fast::gates - first));
}

// Shared by the shards: weights in the order in which the kernels read them.
template <typename Fast>
struct PackedWeights {
  using T = typename Fast::Scalar;
  T *kernel, *recurrent_kernel, *bias, *recurrent_bias;
  PackedWeights(Workspace& space, const Direction<T>& d) {
    const FastShape<T> shape(d);
    kernel = space.take<T>({shape.width, Fast::gates, d.features});
    recurrent_kernel = space.take<T>({shape.width, Fast::gates, d.units});
    bias = space.take<T>({shape.width, Fast::gates});
    recurrent_bias = space.take<T>({Fast::bias_rows - 1, shape.width});
  }
};

template <typename Fast>
struct FastSaved {
  using T = typename Fast::Scalar;
  int64 capacity;
  T* h;      // (packed rows, width) after each step
  T* c;      // [block][packed row][lane]
  T* gates;  // [block][packed row][kept][lane]
  FastSaved(Workspace& space, const Direction<T>& d) : capacity(largest_shard(d.batch) * d.time) {
    const FastShape<T> shape(d);
    h = space.take<T>({capacity, shape.width});
    c = space.take<T>({Fast::states - 1, capacity, shape.width});
    gates = space.take<T>({kept_vectors<Fast>(d), capacity, shape.width});
  }
};

template <typename Fast>
struct FastForwardSpace {
  using T = typename Fast::Scalar;
  ScheduleSpace schedule;
  T* h[2];    // (rows, width), in turns before and after a step
  T* c;       // [block][row][lane]
  T* inputs;  // (chunk, F)
  T* gates;   // [block][chunk row][vectors][lane], used if they are not saved
  T* reset;   // (rows, width) GRU without reset_after: r o h
  T* masks;   // (h_masks, rows, width) dropout of h
  T* left;    // (rows, width) h after dropout
  FastForwardSpace(Workspace& space, const Direction<T>& d)
      : schedule(space, largest_shard(d.batch), d.time, d.masked) {
    const FastShape<T> shape(d);
    const int64 rows = largest_shard(d.batch), chunk = fast_chunk_rows(d);
    for (T*& each : h) each = space.take<T>({rows, shape.width});
    c = space.take<T>({Fast::states - 1, rows, shape.width});
    inputs = space.take<T>({chunk, d.features});
    gates = space.take<T>({Fast::vectors, chunk, shape.width});
    reset = space.take<T>({Fast::resets_before, rows, shape.width});
    masks = space.take<T>({d.h_masks, rows, shape.width});
    left = space.take<T>({d.h_masks > 0, rows, shape.width});
  }
};

// Weights the other way round, for the gradients of h and x: see pack_transposed().
template <typename Fast>
struct TransposedWeights {
  using T = typename Fast::Scalar;
  T *recurrent_kernel, *kernel;
  TransposedWeights(Workspace& space, const Direction<T>& d) {
    const FastShape<T> shape(d);
    recurrent_kernel = space.take<T>({Fast::gates, shape.width, shape.width});
    kernel = space.take<T>({Fast::gates, shape.width, shape.padded(d.features)});
  }
};

template <typename Fast>
struct FastBackwardSpace {
  using T = typename Fast::Scalar;
  PackedWeights<Fast> sums;              // of the weights' gradients
  T* recurrent_bias_sums;                // GRU with reset_after: all gates of the second bias row
  T *chunk_bias, *chunk_recurrent_bias;  // the same sums over one chunk: shorter sums have smaller rounding errors
  ScheduleSpace schedule;
  T *initial_h, *initial_c;
  T *dh, *dc;
  T* inputs;              // (chunk, F), then their gradients (chunk, padded F)
  T* left;                // (chunk, width) h before each step, after dropout
  T *reset, *dreset;      // GRU without reset_after: (chunk, width) r o h before each step, (rows, width) its gradient
  T* gradient;            // [block][chunk row][gate][lane]
  T* recurrent_gradient;  // GRU
  T* masks;               // (h_masks, rows, width) dropout of h
  T* dleft;               // (rows, width) the gradient of h after the dropout of a gate
  FastBackwardSpace(Workspace& space, const Direction<T>& d)
      : sums(space, d),
        recurrent_bias_sums(space.take<T>({Fast::bias_rows - 1, FastShape<T>(d).width, Fast::gates})),
        chunk_bias(space.take<T>({FastShape<T>(d).width, Fast::gates})),
        chunk_recurrent_bias(space.take<T>({Fast::bias_rows - 1, FastShape<T>(d).width, Fast::gates})),
        schedule(space, largest_shard(d.batch), d.time, d.masked) {
    const FastShape<T> shape(d);
    const int64 rows = largest_shard(d.batch), chunk = chunk_rows(d);
    initial_h = space.take<T>({rows, shape.width});
    initial_c = space.take<T>({Fast::states - 1, rows, shape.width});
    dh = space.take<T>({rows, shape.width});
    dc = space.take<T>({Fast::states - 1, rows, shape.width});
    inputs = space.take<T>({chunk, shape.padded(d.features)});
    left = space.take<T>({chunk, shape.width});
    reset = space.take<T>({Fast::resets_before, chunk, shape.width});
    dreset = space.take<T>({Fast::resets_before, rows, shape.width});
    gradient = space.take<T>({Fast::gates, chunk, shape.width});
    recurrent_gradient = space.take<T>({Fast::bias_rows - 1, Fast::gates, chunk, shape.width});
    masks = space.take<T>({d.h_masks, rows, shape.width});
    dleft = space.take<T>({d.h_masks > 0, rows, shape.width});
  }
};

// The block of a shard lies behind what all shards share.
template <typename Shared, typename Space, typename T>
Space fast_shard_block(void* first, const Direction<T>& d, int shard) {
  return shard_block<Space>(static_cast<char*>(first) + block_bytes<Shared>(d), d, shard);
}

// --- packing ------------------------------------------------------------------------------------------------------

// `k` rows of some gates of a cell.
template <typename Fast, typename T>
PackArgs some_gates(const Direction<T>& d, int64 k, int first, int count) {
  return {static_cast<int>(k), static_cast<int>(d.units), Fast::gates, first, count};
}

// Rows (N, gates * units), transposed: panels of 4, 2 or 1 vectors of columns n, in each [block][gate][lane][column].
// Columns behind the last, and units behind the last, are zero.
template <typename T>
void pack_transposed(const FastShape<T>& shape, const PackArgs& a, const T* from, T* to) {
  const int64 columns = shape.padded(a.k), row_step = static_cast<int64>(a.all_gates) * a.units;
  if (columns > a.k || shape.width > a.units) std::fill(to, to + a.gates * shape.width * columns, T(0));
  const auto transpose = tier().arrays->of<T>().transpose;
  int64 n = 0;
  for (const int vectors : {4, 2, 1}) {
    const int64 panel = static_cast<int64>(vectors) * shape.lanes;
    for (; n + panel <= columns; n += panel)
      for (int64 unit = 0; unit < shape.width; unit += shape.lanes)
        for (int gate = 0; gate < a.gates; ++gate, to += panel * shape.lanes)
          transpose(static_cast<long>(std::min(panel, a.k - n)),
                    static_cast<long>(std::min<int64>(shape.lanes, a.units - unit)),
                    from + n * row_step + (a.first_gate + gate) * a.units + unit, static_cast<long>(row_step), to,
                    static_cast<long>(panel));
  }
}

// Rows (rows, width) to [block][row][lane] and back: the cell state.
template <typename T>
void to_blocks(const FastShape<T>& shape, int64 rows, const T* from, T* to) {
  for (int block = 0; block < shape.blocks; ++block)
    for (int64 i = 0; i < rows; ++i, to += shape.lanes) {
      const T* const part = from + i * shape.width + static_cast<int64>(block) * shape.lanes;
      std::copy(part, part + shape.lanes, to);
    }
}

// One row of blocks `block_step` apart.
template <typename T>
void row_from_blocks(const FastShape<T>& shape, int64 units, const T* from, int64 block_step, T* to) {
  for (int64 unit = 0; unit < units; unit += shape.lanes, from += block_step)
    std::copy(from, from + std::min<int64>(shape.lanes, units - unit), to + unit);
}

}  // namespace birnn
