// The steps of the cells and the products around them, for one instruction set (level L1). Included like
// kernel_simd.h. Shapes and names: kernel_recurrent.h; equations: cell_lstm.h, cell_gru.h, cell_simple_rnn.h.

#include "kernel_functions.h"

typedef Vec FloatVec;
typedef IntVec FloatBits;

namespace BIRNN_SCALAR_KERNELS {

#include "kernel_tiles.h"

using ProjectionArgs = ::birnn::ProjectionArgs<Scalar>;
using ForwardArgs = ::birnn::ForwardArgs<Scalar>;
using BackwardArgs = ::birnn::BackwardArgs<Scalar>;
using ProductArgs = ::birnn::ProductArgs<Scalar>;
using OuterArgs = ::birnn::OuterArgs<Scalar>;
using CellActivation = ::birnn::CellActivation<Scalar>;
using ::birnn::PackArgs;

#include "kernel_cell_functions.h"

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

template <int Gates>
struct AddProduct {
  const ProjectionArgs& a;
  template <int Blocks, int Rows>
  BIRNN_TILE void tile(int row, int block) const {
    const long size = static_cast<long>(a.k) * Gates * lanes, step = static_cast<long>(a.out_gates) * lanes;
    Scalar* const out = a.out + block * a.out_block + row * step;
    Tile<Gates, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        BIRNN_UNROLL for (int g = 0; g < Gates; ++g)
            t.sum[b][r][g] = load(out + b * a.out_block + r * step + g * lanes);
    multiply_add(t, a.x + row * a.rows.row_step, a.rows.row_step, a.weights + block * size, size, a.k);
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        BIRNN_UNROLL for (int g = 0; g < Gates; ++g)
            store(out + b * a.out_block + r * step + g * lanes, t.sum[b][r][g]);
  }
};
static void add_product(int gates, bool reversed, const ProjectionArgs& a) {
  if (gates == 4) return visit_tiles<4>(a.rows.rows, a.blocks, reversed, AddProduct<4>{a});
  visit_tiles<1>(a.rows.rows, a.blocks, reversed, AddProduct<1>{a});
}

// sum += gate * state. No state counts as zeros, to the bit: a sum of -0 becomes 0.
BIRNN_INLINE void add_before(Vec& sum, Vec gate, const Scalar* state, long at) {
  if (state != nullptr)
    sum += gate * load(state + at);
  else
    sum += Vec{};
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

// The rest of a step for all sums of a tile: `step.finish(sums, row, block)`. Inlined, so that most sums never leave
// their registers; the processor works on several of them at once.
template <typename Step, int Gates, int Blocks, int Rows>
BIRNN_INLINE void finish_tile(const Step& step, const Tile<Gates, Blocks, Rows>& t, int row, int block) {
  BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
      step.finish(t.sum[b][r], row + r, block + b);
}

// All rows and unit blocks of a split step, whose sums are complete.
template <int Gates, typename Step>
BIRNN_INLINE void finish_step(const Step& step) {
  for (int block = 0; block < step.a.blocks; ++block)
    for (int row = 0; row < step.a.rows; ++row) {
      Vec sum[Gates];
      step.start(sum, row, block);
      step.finish(sum, row, block);
    }
}

// Kept gates: i f g o. Behind the last unit c stays zero: there it could grow, step by step, beyond all numbers.
template <typename Activations>
struct LstmStep {
  const ForwardArgs& a;
  const Activations f{a};
  template <int Blocks, int Rows>
  BIRNN_TILE void tile(int row, int block) {
    Tile<4, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        start(t.sum[b][r], row + r, block + b);
    add_recurrent(a, row, block, t);
    finish_tile(*this, t, row, block);
  }
  BIRNN_INLINE void start(Vec (&sum)[4], int row, int block) const {
    BIRNN_UNROLL for (int g = 0; g < 4; ++g) sum[g] = load(gates(row, block) + g * lanes);
  }
  BIRNN_INLINE Scalar* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
  }
  BIRNN_INLINE void finish(const Vec (&z)[4], int row, int block) const {
    Vec gate[3] = {z[0], z[1], z[3]}, g[1] = {z[2]};
    f.gate.apply(gate);
    f.value.apply(g);
    Vec c[1] = {gate[0] * g[0]};
    add_before(c[0], gate[1], a.c_before, block * a.c_before_block + row * lanes);
    if (Activations::split && a.units < (block + 1) * lanes) c[0] = first_of(c[0], a.units - block * lanes);
    store(a.c + block * a.c_block + row * lanes, c[0]);
    f.value.apply(c);
    put_h(a, row, block, gate[2] * c[0]);
    if (!a.keep) return;
    Scalar* const kept = gates(row, block);
    store(kept, f.gate.kept(z[0], gate[0]));
    store(kept + lanes, f.gate.kept(z[1], gate[1]));
    store(kept + 2 * lanes, f.value.kept(z[2], g[0]));
    store(kept + 3 * lanes, f.gate.kept(z[3], gate[2]));
  }
};

// Kept gates: z r n and the recurrent product of the candidate; so a row has four vectors in `gates`.
template <typename Activations>
struct GruStep {
  const ForwardArgs& a;
  const Activations f{a};
  template <int Blocks, int Rows>
  BIRNN_TILE void tile(int row, int block) {
    Tile<3, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        start(t.sum[b][r], row + r, block + b);
    add_recurrent(a, row, block, t);
    finish_tile(*this, t, row, block);
  }
  BIRNN_INLINE void start(Vec (&sum)[3], int row, int block) const {
    const Scalar* const projected = gates(row, block);
    sum[0] = load(projected);
    sum[1] = load(projected + lanes);
    sum[2] = load(Activations::split ? projected + 3 * lanes : a.recurrent_bias + block * lanes);
  }
  BIRNN_INLINE Scalar* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
  }
  BIRNN_INLINE void finish(const Vec (&sum)[3], int row, int block) const {
    Vec gate[2] = {sum[0], sum[1]};
    f.gate.apply(gate);
    const Vec input = load(gates(row, block) + 2 * lanes) + gate[1] * sum[2];
    Vec candidate[1] = {input};
    f.value.apply(candidate);
    Vec h = (all(1) - gate[0]) * candidate[0];
    add_before(h, gate[0], a.before, row * a.before_step + block * lanes);
    put_h(a, row, block, h);
    if (!a.keep) return;
    Scalar* const kept = gates(row, block);
    store(kept, f.gate.kept(sum[0], gate[0]));
    store(kept + lanes, f.gate.kept(sum[1], gate[1]));
    store(kept + 2 * lanes, f.value.kept(input, candidate[0]));
    store(kept + 3 * lanes, sum[2]);
  }
};

// Without reset_after, in two passes. Kept gates: z r n. First z and r o h.
template <typename Activations>
struct ResetStep {
  const ForwardArgs& a;
  const Activations f{a};
  template <int Blocks, int Rows>
  BIRNN_TILE void tile(int row, int block) {
    Tile<2, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        start(t.sum[b][r], row + r, block + b);
    add_recurrent(a, row, block, t);
    finish_tile(*this, t, row, block);
  }
  BIRNN_INLINE void start(Vec (&sum)[2], int row, int block) const {
    BIRNN_UNROLL for (int g = 0; g < 2; ++g) sum[g] = load(gates(row, block) + g * lanes);
  }
  BIRNN_INLINE Scalar* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 3 * lanes;
  }
  BIRNN_INLINE void finish(const Vec (&sum)[2], int row, int block) const {
    Vec gate[2] = {sum[0], sum[1]};
    f.gate.apply(gate);
    Scalar* const kept = gates(row, block);
    store(kept, f.gate.kept(sum[0], gate[0]));
    store(kept + lanes, f.gate.kept(sum[1], gate[1]));
    if (a.before == nullptr) return;
    store(a.reset + row * a.before_step + block * lanes,
          gate[1] * load(a.before + row * a.before_step + block * lanes));
  }
};

// Then n and h.
template <typename Activations>
struct CandidateStep {
  const ForwardArgs& a;
  const Activations f{a};
  template <int Blocks, int Rows>
  BIRNN_TILE void tile(int row, int block) {
    const long size = static_cast<long>(a.units) * lanes;
    Tile<1, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        start(t.sum[b][r], row + r, block + b);
    if (a.before != nullptr)
      multiply_add(t, a.reset + row * a.before_step, a.before_step, a.weights + (2 * a.blocks + block) * size, size,
                   a.units);
    finish_tile(*this, t, row, block);
  }
  BIRNN_INLINE void start(Vec (&sum)[1], int row, int block) const { sum[0] = load(gates(row, block) + 2 * lanes); }
  BIRNN_INLINE Scalar* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 3 * lanes;
  }
  BIRNN_INLINE void finish(const Vec (&sum)[1], int row, int block) const {
    Vec candidate[1] = {sum[0]};
    f.value.apply(candidate);
    Scalar* const kept = gates(row, block);
    const Vec z = f.gate.reopen(load(kept));
    Vec h = (all(1) - z) * candidate[0];
    add_before(h, z, a.before, row * a.before_step + block * lanes);
    put_h(a, row, block, h);
    if (a.keep) store(kept + 2 * lanes, f.value.kept(sum[0], candidate[0]));
  }
};

// Kept is something only by split steps.
template <typename Activations>
struct SimpleStep {
  const ForwardArgs& a;
  const Activations f{a};
  template <int Blocks, int Rows>
  BIRNN_TILE void tile(int row, int block) {
    Tile<1, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        start(t.sum[b][r], row + r, block + b);
    add_recurrent(a, row, block, t);
    finish_tile(*this, t, row, block);
  }
  BIRNN_INLINE Scalar* gate(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * lanes;
  }
  BIRNN_INLINE void start(Vec (&sum)[1], int row, int block) const { sum[0] = load(gate(row, block)); }
  BIRNN_INLINE void finish(const Vec (&sum)[1], int row, int block) const {
    Vec h[1] = {sum[0]};
    f.value.apply(h);
    put_h(a, row, block, h[0]);
    if (Activations::split && a.keep) store(gate(row, block), f.value.kept(sum[0], h[0]));
  }
};

#include "kernel_gradients.h"

// --- the steps of the table -----------------------------------------------------------------------------------------

template <template <typename> class Step, int Gates>
BIRNN_INLINE void forward_step(const ForwardArgs& a, bool reversed) {
  if (a.activation != nullptr) return finish_step<Gates>(Step<ChosenActivations>{a});
  visit_tiles<Gates>(a.rows, a.blocks, reversed, Step<DefaultActivations>{a});
}
static void forward_lstm(const ForwardArgs& a) { forward_step<LstmStep, 4>(a, a.reversed); }
static void forward_gru(const ForwardArgs& a) { forward_step<GruStep, 3>(a, a.reversed); }
static void forward_reset(const ForwardArgs& a) { forward_step<ResetStep, 2>(a, a.reversed); }
static void forward_candidate(const ForwardArgs& a) { forward_step<CandidateStep, 1>(a, !a.reversed); }
static void forward_simple(const ForwardArgs& a) { forward_step<SimpleStep, 1>(a, a.reversed); }

static void backward_lstm(const BackwardArgs& a) {
  a.activation == nullptr ? backward_lstm_of<DefaultActivations>(a) : backward_lstm_of<ChosenActivations>(a);
}
static void backward_gru(const BackwardArgs& a) {
  a.activation == nullptr ? backward_gru_of<DefaultActivations>(a) : backward_gru_of<ChosenActivations>(a);
}
static void backward_candidate(const BackwardArgs& a) {
  a.activation == nullptr ? backward_candidate_of<DefaultActivations>(a) : backward_candidate_of<ChosenActivations>(a);
}
static void backward_reset(const BackwardArgs& a) {
  a.activation == nullptr ? backward_reset_of<DefaultActivations>(a) : backward_reset_of<ChosenActivations>(a);
}
static void backward_simple(const BackwardArgs& a) {
  a.activation == nullptr ? backward_simple_of<DefaultActivations>(a) : backward_simple_of<ChosenActivations>(a);
}

// --- packing ------------------------------------------------------------------------------------------------------

// fn(where the units of a block lie in a row of all gates, how many they are), in the order of packed weights.
template <typename F>
BIRNN_INLINE void visit_weights(const PackArgs& a, F&& fn) {
  for (int unit = 0; unit < a.units; unit += lanes)
    for (int k = 0; k < a.k; ++k)
      for (int gate = 0; gate < a.gates; ++gate)
        fn((static_cast<long>(k) * a.all_gates + a.first_gate + gate) * a.units + unit, smaller(lanes, a.units - unit));
}

static void pack(const PackArgs& a, const Scalar* from, Scalar* to) {
  visit_weights(
      a, [&](long at, int units) __attribute__((always_inline)) {
        store(to, units == lanes ? load(from + at) : load_part(from + at, units));
        to += lanes;
      });
}

static void unpack(const PackArgs& a, const Scalar* from, bool accumulate, Scalar* to) {
  visit_weights(
      a, [&](long at, int units) __attribute__((always_inline)) {
        Scalar* const target = to + at;
        Vec value = load(from);
        from += lanes;
        if (accumulate) value += units == lanes ? load(target) : load_part(target, units);
        if (units == lanes)
          store(target, value);
        else
          store_part(target, value, units);
      });
}

constexpr RecurrentKernels<Scalar> recurrent_table() {
  return {lanes,
          project,
          add_product,
          forward_lstm,
          forward_gru,
          forward_reset,
          forward_candidate,
          forward_simple,
          backward_lstm,
          backward_gru,
          backward_candidate,
          backward_reset,
          backward_simple,
          product,
          outer,
          pack,
          unpack};
}

}  // namespace BIRNN_SCALAR_KERNELS
