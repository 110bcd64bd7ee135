// The memory of the fast path: packed weights, blocked states and gates (level L2). Names as in recurrent_space.h,
// layouts as in kernel_recurrent.h.
#pragma once
#include "kernel_isa.h"
#include "recurrent_space.h"

namespace birnn {

constexpr int64 fast_chunk_target = 256;  // packed rows projected at once: their gates stay in the second-level cache

// Sizes of a direction in vectors.
struct FastShape {
  const RecurrentKernels& kernels;
  int lanes, blocks;
  int64 width;  // units filled up to whole vectors

  explicit FastShape(const Direction<float>& d)
      : kernels(recurrent_kernels(d.units)),
        lanes(kernels.lanes),
        blocks(static_cast<int>((d.units + lanes - 1) / lanes)),
        width(static_cast<int64>(blocks) * lanes) {}
  int64 padded(int64 columns) const { return (columns + lanes - 1) / lanes * lanes; }
};

inline int64 fast_chunk_rows(const Direction<float>& d) {
  const int64 rows = largest_shard(d.batch);
  return std::max(rows, std::min(fast_chunk_target, checked_product({rows, d.time})));
}

// Shared by the shards: weights in the order in which the kernels read them.
template <typename Fast>
struct PackedWeights {
  float *kernel, *recurrent_kernel, *bias, *recurrent_bias;
  PackedWeights(Workspace& space, const Direction<float>& d) {
    const FastShape shape(d);
    kernel = space.take<float>({shape.width, Fast::gates, d.features});
    recurrent_kernel = space.take<float>({shape.width, Fast::gates, d.units});
    bias = space.take<float>({shape.width, Fast::gates});
    recurrent_bias = space.take<float>({Fast::bias_rows - 1, shape.width});
  }
};

template <typename Fast>
struct FastSaved {
  int64 capacity;
  float* h;      // (packed rows, width) after each step
  float* c;      // [block][packed row][lane]
  float* gates;  // [block][packed row][kept][lane]
  FastSaved(Workspace& space, const Direction<float>& d) : capacity(largest_shard(d.batch) * d.time) {
    const FastShape shape(d);
    h = space.take<float>({capacity, shape.width});
    c = space.take<float>({Fast::states - 1, capacity, shape.width});
    gates = space.take<float>({Fast::kept, capacity, shape.width});
  }
};

template <typename Fast>
struct FastForwardSpace {
  ScheduleSpace schedule;
  float* h[2];    // (rows, width), in turns before and after a step
  float* c;       // [block][row][lane]
  float* inputs;  // (chunk, F)
  float* gates;   // [block][chunk row][vectors][lane], used if they are not saved
  FastForwardSpace(Workspace& space, const Direction<float>& d)
      : schedule(space, largest_shard(d.batch), d.time, d.masked) {
    const FastShape shape(d);
    const int64 rows = largest_shard(d.batch), chunk = fast_chunk_rows(d);
    for (float*& each : h) each = space.take<float>({rows, shape.width});
    c = space.take<float>({Fast::states - 1, rows, shape.width});
    inputs = space.take<float>({chunk, d.features});
    gates = space.take<float>({Fast::vectors, chunk, shape.width});
  }
};

// Weights the other way round, for the gradients of h and x: see pack_transposed().
template <typename Fast>
struct TransposedWeights {
  float *recurrent_kernel, *kernel;
  TransposedWeights(Workspace& space, const Direction<float>& d) {
    const FastShape shape(d);
    recurrent_kernel = space.take<float>({Fast::gates, shape.width, shape.width});
    kernel = space.take<float>({Fast::gates, shape.width, shape.padded(d.features)});
  }
};

template <typename Fast>
struct FastBackwardSpace {
  PackedWeights<Fast> sums;    // of the weights' gradients
  float* recurrent_bias_sums;  // GRU: all gates of the second bias row
  ScheduleSpace schedule;
  float *initial_h, *initial_c;
  float *dh, *dc;
  float* inputs;              // (chunk, F), then their gradients (chunk, padded F)
  float* left;                // (chunk, width) h before each step
  float* gradient;            // [block][chunk row][gate][lane]
  float* recurrent_gradient;  // GRU
  FastBackwardSpace(Workspace& space, const Direction<float>& d)
      : sums(space, d),
        recurrent_bias_sums(space.take<float>({Fast::bias_rows - 1, FastShape(d).width, Fast::gates})),
        schedule(space, largest_shard(d.batch), d.time, d.masked) {
    const FastShape shape(d);
    const int64 rows = largest_shard(d.batch), chunk = chunk_rows(d);
    initial_h = space.take<float>({rows, shape.width});
    initial_c = space.take<float>({Fast::states - 1, rows, shape.width});
    dh = space.take<float>({rows, shape.width});
    dc = space.take<float>({Fast::states - 1, rows, shape.width});
    inputs = space.take<float>({chunk, shape.padded(d.features)});
    left = space.take<float>({chunk, shape.width});
    gradient = space.take<float>({Fast::gates, chunk, shape.width});
    recurrent_gradient = space.take<float>({Fast::bias_rows - 1, Fast::gates, chunk, shape.width});
  }
};

// The block of a shard lies behind what all shards share.
template <typename Shared, typename Space>
Space fast_shard_block(void* first, const Direction<float>& d, int shard) {
  return shard_block<Space>(static_cast<char*>(first) + block_bytes<Shared>(d), d, shard);
}

// --- packing ------------------------------------------------------------------------------------------------------

// Rows (K, gates * units) to [block][k][gate][lane], zeros behind the last unit.
template <typename Fast>
void pack_weights(const FastShape& shape, int64 units, int64 k_count, const float* from, float* to) {
  for (int block = 0; block < shape.blocks; ++block) {
    const int64 first = static_cast<int64>(block) * shape.lanes, count = std::min<int64>(shape.lanes, units - first);
    for (int64 k = 0; k < k_count; ++k)
      for (int gate = 0; gate < Fast::gates; ++gate, to += shape.lanes) {
        const float* const row = from + (k * Fast::gates + gate) * units + first;
        std::copy(row, row + count, to);
        std::fill(to + count, to + shape.lanes, 0.f);
      }
  }
}

// The way back, to a gradient that is replaced or added to.
template <typename Fast>
void unpack_weights(const FastShape& shape, int64 units, int64 k_count, const float* from, const Target<float>& to) {
  if (to.data == nullptr) return;
  for (int block = 0; block < shape.blocks; ++block) {
    const int64 first = static_cast<int64>(block) * shape.lanes, count = std::min<int64>(shape.lanes, units - first);
    for (int64 k = 0; k < k_count; ++k)
      for (int gate = 0; gate < Fast::gates; ++gate, from += shape.lanes) {
        float* const row = to.data + (k * Fast::gates + gate) * units + first;
        for (int64 e = 0; e < count; ++e) row[e] = to.accumulate ? row[e] + from[e] : from[e];
      }
  }
}

// Rows (N, gates * units), transposed: panels of 4, 2 or 1 vectors of columns n, in each [block][gate][lane][column].
// Columns behind the last, and units behind the last, are zero.
template <typename Fast>
void pack_transposed(const FastShape& shape, int64 units, int64 n_count, const float* from, float* to) {
  const int64 depth = Fast::gates * shape.width, columns = shape.padded(n_count);
  std::fill(to, to + depth * columns, 0.f);
  int64 n = 0;
  for (const int vectors : {4, 2, 1}) {
    const int64 panel = static_cast<int64>(vectors) * shape.lanes;
    for (; n + panel <= columns; n += panel, to += depth * panel)
      for (int64 i = 0; i < std::min(panel, n_count - n); ++i)
        for (int gate = 0; gate < Fast::gates; ++gate)
          for (int64 unit = 0; unit < units; ++unit) {
            const int64 row = (unit / shape.lanes * Fast::gates + gate) * shape.lanes + unit % shape.lanes;
            to[row * panel + i] = from[((n + i) * Fast::gates + gate) * units + unit];
          }
  }
}

// Rows (rows, width) to [block][row][lane] and back: the cell state.
inline void to_blocks(const FastShape& shape, int64 rows, const float* from, float* to) {
  for (int block = 0; block < shape.blocks; ++block)
    for (int64 i = 0; i < rows; ++i, to += shape.lanes) {
      const float* const part = from + i * shape.width + static_cast<int64>(block) * shape.lanes;
      std::copy(part, part + shape.lanes, to);
    }
}

// One row of blocks `block_step` apart.
inline void row_from_blocks(const FastShape& shape, int64 units, const float* from, int64 block_step, float* to) {
  for (int64 unit = 0; unit < units; unit += shape.lanes, from += block_step)
    std::copy(from, from + std::min<int64>(shape.lanes, units - unit), to + unit);
}

}  // namespace birnn
