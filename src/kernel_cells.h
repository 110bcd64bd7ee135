// The steps of the cells and the products around them, for one instruction set (level L1). Included like
// kernel_simd.h. Shapes and names: kernel_recurrent.h; equations: cell_lstm.h, cell_gru.h, cell_simple_rnn.h.

#include "kernel_simd.h"

typedef Vec FloatVec;
typedef IntVec FloatBits;

namespace BIRNN_SCALAR_KERNELS {

#include "kernel_tiles.h"

using ProjectionArgs = ::birnn::ProjectionArgs<Scalar>;
using ForwardArgs = ::birnn::ForwardArgs<Scalar>;
using BackwardArgs = ::birnn::BackwardArgs<Scalar>;
using ProductArgs = ::birnn::ProductArgs<Scalar>;
using OuterArgs = ::birnn::OuterArgs<Scalar>;

template <int Gates>
struct Project {
  const ProjectionArgs& a;
  const int step;
  template <int Blocks, int Rows>
  BIRNN_INLINE void tile(int row, int block) {
    const long size = static_cast<long>(a.k) * Gates * lanes, x_step = a.rows.row_step;
    Tile<Gates, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        BIRNN_UNROLL for (int g = 0; g < Gates; ++g) t.sum[b][r][g] = load(a.bias + ((block + b) * Gates + g) * lanes);
    multiply_add(t, a.x + step * a.rows.next_step + row * x_step, x_step, a.weights + block * size, size, a.k);
    Scalar* const first = a.out + (static_cast<long>(step) * a.rows.rows + row) * a.out_gates * lanes;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r) {
      Scalar* const out = first + (block + b) * a.out_block + static_cast<long>(r) * a.out_gates * lanes;
      BIRNN_UNROLL for (int g = 0; g < Gates; ++g) store(out + g * lanes, t.sum[b][r][g]);
    }
  }
};

template <int Gates>
static void project_of(const ProjectionArgs& a) {
  Project<Gates> once{a, 0};
  if (a.rows.rows <= most_rows(Gates))
    return visit_few_rows<Gates, most_rows(Gates)>(a.rows.rows, a.blocks, false, once);
  constexpr int at_once = wide_blocks(Gates);
  visit_groups<at_once>(
      a.blocks, false,
      [&](int block) {
        for (int step = 0; step < a.rows.steps; ++step) {
          Project<Gates> visit{a, step};
          visit_rows<Gates, at_once>(a.rows.rows, block, visit);
        }
      },
      [&](int block) {
        for (int step = 0; step < a.rows.steps; ++step) {
          Project<Gates> visit{a, step};
          visit_rows<Gates, 1>(a.rows.rows, block, visit);
        }
      });
}
static void project(int gates, const ProjectionArgs& a) {
  if (gates == 4) return project_of<4>(a);
  if (gates == 3) return project_of<3>(a);
  project_of<1>(a);
}

// h of one row and unit block, to where it is wanted.
BIRNN_INLINE void put_h(const ForwardArgs& a, int row, int block, Vec h) {
  store(a.h + row * a.h_step + block * lanes, h);
  if (a.y == nullptr) return;
  Scalar* const y = a.y + row * a.y_step + block * lanes;
  const int left = a.units - block * lanes;
  if (left >= lanes)
    store(y, h);
  else
    store_part(y, h, left);
}

template <int Gates, int Blocks, int Rows>
BIRNN_INLINE void add_recurrent(const ForwardArgs& a, int row, int block, Tile<Gates, Blocks, Rows>& t) {
  if (a.before == nullptr) return;
  const long size = static_cast<long>(a.units) * Gates * lanes;
  multiply_add(t, a.before + row * a.before_step, a.before_step, a.weights + block * size, size, a.units);
}

// The rest of a step for all sums of a tile, some at a time: `step.finish(sums, rows, blocks)`. Not inlined: one
// function serves the tiles of all sizes.
template <int N, typename Step, int Gates>
BIRNN_INLINE void finish_some(const Step& step, const Vec (*sums)[Gates], int height, int at, int row, int block) {
  int rows[N], blocks[N];
  BIRNN_EACH {
    rows[n] = row + (at + n) % height;
    blocks[n] = block + (at + n) / height;
  }
  step.finish(sums + at, rows, blocks);
}
template <typename Step, int Gates>
__attribute__((noinline)) void finish_sums(const Step& step, const Vec (*sums)[Gates], int count, int height, int row,
                                           int block) {
  constexpr int N = sums_at_once(Gates);
  int at = 0;
  for (; at + N <= count; at += N) finish_some<N>(step, sums, height, at, row, block);
  for (; at < count; ++at) finish_some<1>(step, sums, height, at, row, block);
}
template <typename Step, int Gates, int Blocks, int Rows>
BIRNN_INLINE void finish_tile(const Step& step, const Tile<Gates, Blocks, Rows>& t, int row, int block) {
  finish_sums(step, t.sum[0], Blocks * Rows, Rows, row, block);
}

// Kept gates: i f g o.
struct LstmStep {
  const ForwardArgs& a;
  template <int Blocks, int Rows>
  BIRNN_INLINE void tile(int row, int block) {
    Tile<4, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        BIRNN_UNROLL for (int g = 0; g < 4; ++g) t.sum[b][r][g] = load(gates(row + r, block + b) + g * lanes);
    add_recurrent(a, row, block, t);
    finish_tile(*this, t, row, block);
  }
  BIRNN_INLINE Scalar* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
  }
  template <int N>
  BIRNN_INLINE void finish(const Vec (*z)[4], const int (&row)[N], const int (&block)[N]) const {
    Vec gate[3 * N], g[N], c[N], squashed[N];
    BIRNN_EACH {
      gate[n] = z[n][0];
      gate[N + n] = z[n][1];
      gate[2 * N + n] = z[n][3];
      g[n] = z[n][2];
    }
    sigmoid(gate);
    squash(g);
    BIRNN_EACH {
      c[n] = gate[n] * g[n];
      if (a.c_before != nullptr) c[n] += gate[N + n] * load(a.c_before + block[n] * a.c_before_block + row[n] * lanes);
      store(a.c + block[n] * a.c_block + row[n] * lanes, c[n]);
      squashed[n] = c[n];
    }
    squash(squashed);
    BIRNN_EACH put_h(a, row[n], block[n], gate[2 * N + n] * squashed[n]);
    if (!a.keep) return;
    BIRNN_EACH {
      Scalar* const kept = gates(row[n], block[n]);
      store(kept, gate[n]);
      store(kept + lanes, gate[N + n]);
      store(kept + 2 * lanes, g[n]);
      store(kept + 3 * lanes, gate[2 * N + n]);
    }
  }
};

// Kept gates: z r n and the recurrent product of the candidate; so a row has four vectors in `gates`.
struct GruStep {
  const ForwardArgs& a;
  template <int Blocks, int Rows>
  BIRNN_INLINE void tile(int row, int block) {
    Tile<3, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r) {
      const Scalar* const projected = gates(row + r, block + b);
      t.sum[b][r][0] = load(projected);
      t.sum[b][r][1] = load(projected + lanes);
      t.sum[b][r][2] = load(a.recurrent_bias + (block + b) * lanes);
    }
    add_recurrent(a, row, block, t);
    finish_tile(*this, t, row, block);
  }
  BIRNN_INLINE Scalar* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
  }
  template <int N>
  BIRNN_INLINE void finish(const Vec (*sum)[3], const int (&row)[N], const int (&block)[N]) const {
    Vec gate[2 * N], candidate[N];
    BIRNN_EACH {
      gate[n] = sum[n][0];
      gate[N + n] = sum[n][1];
    }
    sigmoid(gate);
    BIRNN_EACH candidate[n] = load(gates(row[n], block[n]) + 2 * lanes) + gate[N + n] * sum[n][2];
    squash(candidate);
    BIRNN_EACH {
      Vec h = (all(1) - gate[n]) * candidate[n];
      if (a.before != nullptr) h += gate[n] * load(a.before + row[n] * a.before_step + block[n] * lanes);
      put_h(a, row[n], block[n], h);
    }
    if (!a.keep) return;
    BIRNN_EACH {
      Scalar* const kept = gates(row[n], block[n]);
      store(kept, gate[n]);
      store(kept + lanes, gate[N + n]);
      store(kept + 2 * lanes, candidate[n]);
      store(kept + 3 * lanes, sum[n][2]);
    }
  }
};

struct SimpleStep {
  const ForwardArgs& a;
  template <int Blocks, int Rows>
  BIRNN_INLINE void tile(int row, int block) {
    Tile<1, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r) t.sum[b][r][0] =
        load(a.gates + (block + b) * a.gates_block + static_cast<long>(row + r) * lanes);
    add_recurrent(a, row, block, t);
    finish_tile(*this, t, row, block);
  }
  template <int N>
  BIRNN_INLINE void finish(const Vec (*sum)[1], const int (&row)[N], const int (&block)[N]) const {
    Vec h[N];
    BIRNN_EACH h[n] = sum[n][0];
    squash(h);
    BIRNN_EACH put_h(a, row[n], block[n], h[n]);
  }
};

#include "kernel_gradients.h"

static void add(long n, const Scalar* from, Scalar* to) {
  long e = 0;
  for (; e + lanes <= n; e += lanes) add_to(to + e, load(from + e));
  for (; e < n; ++e) to[e] += from[e];
}

constexpr RecurrentKernels<Scalar> recurrent_table() {
  return {lanes,           project, forward_lstm, forward_gru, forward_simple, backward_lstm, backward_gru,
          backward_simple, product, outer,        add};
}

}  // namespace BIRNN_SCALAR_KERNELS
