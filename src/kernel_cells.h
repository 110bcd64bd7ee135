// The steps of the cells and the products around them, for one instruction set (level L1). Included like
// kernel_simd.h. Shapes and names: kernel_recurrent.h; equations: cell_lstm.h, cell_gru.h, cell_simple_rnn.h.

#include "kernel_tiles.h"

template <int Gates>
struct Project {
  const ProjectionArgs& a;
  template <int Blocks, int Rows>
  BIRNN_INLINE void tile(int row, int block) {
    const long size = static_cast<long>(a.k) * Gates * lanes;
    Tile<Gates, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        BIRNN_UNROLL for (int g = 0; g < Gates; ++g) t.sum[b][r][g] = load(a.bias + ((block + b) * Gates + g) * lanes);
    multiply_add(t, a.x + row * a.x_step, a.x_step, a.weights + block * size, size, a.k);
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r) {
      float* const out = a.out + (block + b) * a.out_block + static_cast<long>(row + r) * a.out_gates * lanes;
      BIRNN_UNROLL for (int g = 0; g < Gates; ++g) store(out + g * lanes, t.sum[b][r][g]);
    }
  }
};

// h of one row and unit block, to where it is wanted.
BIRNN_INLINE void put_h(const ForwardArgs& a, int row, int block, Vec h) {
  store(a.h + row * a.h_step + block * lanes, h);
  if (a.y == nullptr) return;
  float* const y = a.y + row * a.y_step + block * lanes;
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

// Kept gates: i f g o.
struct LstmStep {
  const ForwardArgs& a;
  template <int Blocks, int Rows>
  BIRNN_INLINE void tile(int row, int block) {
    Tile<4, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
        BIRNN_UNROLL for (int g = 0; g < 4; ++g) t.sum[b][r][g] = load(gates(row + r, block + b) + g * lanes);
    add_recurrent(a, row, block, t);
    for (int b = 0; b < Blocks; ++b)
      for (int r = 0; r < Rows; ++r) finish(t.sum[b][r], row + r, block + b);
  }
  BIRNN_INLINE float* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
  }
  BIRNN_INLINE void finish(const Vec* z, int row, int block) const {
    // The three quotients 1 / (1 + exp(-z)) from one division.
    const Vec di = one_plus_exp(z[0]), df = one_plus_exp(z[1]), d_o = one_plus_exp(z[3]);
    const Vec dif = di * df, quotient = 1.f / (dif * d_o), both = quotient * d_o;
    const Vec i = saturate_sigmoid(z[0], both * df), f = saturate_sigmoid(z[1], both * di);
    const Vec o = saturate_sigmoid(z[3], quotient * dif), g = tanh(z[2]);
    Vec c = i * g;
    if (a.c_before != nullptr) c += f * load(a.c_before + block * a.c_before_block + row * lanes);
    store(a.c + block * a.c_block + row * lanes, c);
    put_h(a, row, block, o * tanh(c));
    if (!a.keep) return;
    float* const kept = gates(row, block);
    store(kept, i);
    store(kept + lanes, f);
    store(kept + 2 * lanes, g);
    store(kept + 3 * lanes, o);
  }
};

// Kept gates: z r n and the recurrent product of the candidate; so a row has four vectors in `gates`.
struct GruStep {
  const ForwardArgs& a;
  template <int Blocks, int Rows>
  BIRNN_INLINE void tile(int row, int block) {
    Tile<3, Blocks, Rows> t;
    BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int r = 0; r < Rows; ++r) {
      const float* const projected = gates(row + r, block + b);
      t.sum[b][r][0] = load(projected);
      t.sum[b][r][1] = load(projected + lanes);
      t.sum[b][r][2] = load(a.recurrent_bias + (block + b) * lanes);
    }
    add_recurrent(a, row, block, t);
    for (int b = 0; b < Blocks; ++b)
      for (int r = 0; r < Rows; ++r) finish(t.sum[b][r], row + r, block + b);
  }
  BIRNN_INLINE float* gates(int row, int block) const {
    return a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
  }
  BIRNN_INLINE void finish(const Vec* sum, int row, int block) const {
    float* const kept = gates(row, block);
    const Vec dz = one_plus_exp(sum[0]), dr = one_plus_exp(sum[1]), quotient = 1.f / (dz * dr);
    const Vec z = saturate_sigmoid(sum[0], quotient * dr), r = saturate_sigmoid(sum[1], quotient * dz);
    const Vec n = tanh(load(kept + 2 * lanes) + r * sum[2]);
    Vec h = (1.f - z) * n;
    if (a.before != nullptr) h += z * load(a.before + row * a.before_step + block * lanes);
    put_h(a, row, block, h);
    if (!a.keep) return;
    store(kept, z);
    store(kept + lanes, r);
    store(kept + 2 * lanes, n);
    store(kept + 3 * lanes, sum[2]);
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
    for (int b = 0; b < Blocks; ++b)
      for (int r = 0; r < Rows; ++r) put_h(a, row + r, block + b, tanh(t.sum[b][r][0]));
  }
};

// --- one step back ------------------------------------------------------------------------------------------------

// The gradient of h: what came from the step after it, and that of the output.
BIRNN_INLINE Vec gradient_of_h(const BackwardArgs& a, int row, int block) {
  const Vec dh = load(a.dh + row * a.dh_step + block * lanes);
  if (a.dy == nullptr) return dh;
  const float* const dy = a.dy + row * a.dy_step + block * lanes;
  const int left = a.units - block * lanes;
  return dh + (left >= lanes ? load(dy) : load_part(dy, left));
}

BIRNN_INLINE void add_to(float* sum, Vec value) { store(sum, load(sum) + value); }

static void backward_lstm(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[4] = {};
    for (int row = 0; row < a.rows; ++row) {
      const float* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
      const Vec i = load(gates), f = load(gates + lanes), g = load(gates + 2 * lanes), o = load(gates + 3 * lanes);
      const Vec tanh_c = tanh(load(a.c + block * a.c_block + row * lanes)), dh = gradient_of_h(a, row, block);
      float* const dc_at = a.dc + block * a.dc_block + row * lanes;
      const Vec dc = load(dc_at) + dh * o * (1.f - tanh_c * tanh_c);
      Vec df = {};
      if (a.c_before != nullptr) df = dc * load(a.c_before + block * a.c_before_block + row * lanes) * f * (1.f - f);
      const Vec gradient[4] = {dc * g * i * (1.f - i), df, dc * i * (1.f - g * g), dh * tanh_c * o * (1.f - o)};
      store(dc_at, dc * f);
      float* const out = a.gradient + block * a.gradient_block + static_cast<long>(row) * 4 * lanes;
      BIRNN_UNROLL for (int k = 0; k < 4; ++k) {
        store(out + k * lanes, gradient[k]);
        sum[k] += gradient[k];
      }
      store(a.dh + row * a.dh_step + block * lanes, Vec{});
    }
    BIRNN_UNROLL for (int k = 0; k < 4; ++k) add_to(a.bias_gradient + (block * 4 + k) * lanes, sum[k]);
  }
}

static void backward_gru(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[4] = {};
    for (int row = 0; row < a.rows; ++row) {
      const float* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
      const Vec z = load(gates), r = load(gates + lanes), n = load(gates + 2 * lanes), q = load(gates + 3 * lanes);
      Vec before = {};
      if (a.before != nullptr) before = load(a.before + row * a.before_step + block * lanes);
      const Vec dh = gradient_of_h(a, row, block);
      const Vec dz = dh * (before - n) * z * (1.f - z), dn = dh * (1.f - z) * (1.f - n * n);
      const Vec dr = dn * q * r * (1.f - r), dq = dn * r;
      float* const out = a.gradient + block * a.gradient_block + static_cast<long>(row) * 3 * lanes;
      store(out, dz);
      store(out + lanes, dr);
      store(out + 2 * lanes, dn);
      float* const back =
          a.recurrent_gradient + block * a.recurrent_gradient_block + static_cast<long>(row) * 3 * lanes;
      store(back, dz);
      store(back + lanes, dr);
      store(back + 2 * lanes, dq);
      store(a.dh + row * a.dh_step + block * lanes, dh * z);
      sum[0] += dz;
      sum[1] += dr;
      sum[2] += dn;
      sum[3] += dq;
    }
    float *const own = a.bias_gradient + block * 3 * lanes, *const other =
                                                                a.recurrent_bias_gradient + block * 3 * lanes;
    BIRNN_UNROLL for (int k = 0; k < 3; ++k) {
      add_to(own + k * lanes, sum[k]);
      add_to(other + k * lanes, sum[k == 2 ? 3 : k]);
    }
  }
}

static void backward_simple(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum = {};
    for (int row = 0; row < a.rows; ++row) {
      const Vec h = load(a.h + row * a.h_step + block * lanes);
      const Vec gradient = gradient_of_h(a, row, block) * (1.f - h * h);
      store(a.gradient + block * a.gradient_block + static_cast<long>(row) * lanes, gradient);
      store(a.dh + row * a.dh_step + block * lanes, Vec{});
      sum += gradient;
    }
    add_to(a.bias_gradient + block * lanes, sum);
  }
}

// --- products of the gradients ------------------------------------------------------------------------------------

// Some vectors of columns of `out`; the chain goes through the unit blocks of the gradient.
template <int Vectors, int Rows>
BIRNN_INLINE void product_tile(const ProductArgs& a, const float* weights, int row, int column) {
  Tile<Vectors, 1, Rows> t;
  float* const out = a.out + row * a.out_step + column;
  BIRNN_UNROLL for (int r = 0; r < Rows; ++r) BIRNN_UNROLL for (int v = 0; v < Vectors; ++v) t.sum[0][r][v] =
      a.accumulate ? load(out + r * a.out_step + v * lanes) : Vec{};
  const int depth = a.gates * lanes;
  for (int block = 0; block < a.blocks; ++block, weights += static_cast<long>(depth) * Vectors * lanes)
    multiply_add(t, a.gradient + block * a.gradient_block + static_cast<long>(row) * depth, depth, weights, 0, depth);
  BIRNN_UNROLL for (int r = 0; r < Rows; ++r) BIRNN_UNROLL for (int v = 0; v < Vectors; ++v)
      store(out + r * a.out_step + v * lanes, t.sum[0][r][v]);
}

template <int Vectors, int Rows>
BIRNN_INLINE void product_tile_of(const ProductArgs& a, const float* weights, int rows, int row, int column) {
  if (rows == Rows) return product_tile<Vectors, Rows>(a, weights, row, column);
  if constexpr (Rows > 1) product_tile_of<Vectors, Rows - 1>(a, weights, rows, row, column);
}

template <int Vectors>
BIRNN_INLINE int product_columns(const ProductArgs& a, int column) {
  const long depth = static_cast<long>(a.blocks) * a.gates * lanes;
  constexpr int most = BIRNN_SUMS / 4;
  const int tiles = (a.rows + most - 1) / most;
  for (; column + Vectors * lanes <= a.columns; column += Vectors * lanes)
    for (int tile = 0, row = 0; tile < tiles; ++tile) {
      const int height = (a.rows - row + tiles - tile - 1) / (tiles - tile);
      product_tile_of<Vectors, most>(a, a.weights + depth * column, height, row, column);
      row += height;
    }
  return column;
}

static void product(const ProductArgs& a) {
  const int column = product_columns<2>(a, product_columns<4>(a, 0));
  product_columns<1>(a, column);
}

template <int Gates, int Rows>
BIRNN_INLINE void outer_tile(const OuterArgs& a, int k, int block) {
  Tile<Gates, 1, Rows> t = {};
  const float *left = a.a + k, *right = a.gradient + block * a.gradient_block;
  for (int row = 0; row < a.rows; ++row, left += a.a_step, right += Gates * lanes)
    multiply_add(t, left, 1, right, 0, 1);
  float* const sum = a.sum + (static_cast<long>(block) * a.k + k) * Gates * lanes;
  BIRNN_UNROLL for (int r = 0; r < Rows; ++r) BIRNN_UNROLL for (int g = 0; g < Gates; ++g)
      add_to(sum + (r * Gates + g) * lanes, t.sum[0][r][g]);
}

template <int Gates, int Rows>
BIRNN_INLINE void outer_tile_of(const OuterArgs& a, int height, int k, int block) {
  if (height == Rows) return outer_tile<Gates, Rows>(a, k, block);
  if constexpr (Rows > 1) outer_tile_of<Gates, Rows - 1>(a, height, k, block);
}

template <int Gates>
static void outer_of(const OuterArgs& a) {
  constexpr int most = smaller(12, BIRNN_SUMS / Gates);
  const int tiles = (a.k + most - 1) / most;
  for (int block = 0; block < a.blocks; ++block)
    for (int tile = 0, k = 0; tile < tiles; ++tile) {
      const int height = (a.k - k + tiles - tile - 1) / (tiles - tile);
      outer_tile_of<Gates, most>(a, height, k, block);
      k += height;
    }
}

static void outer(const OuterArgs& a) {
  if (a.gates == 4) return outer_of<4>(a);
  if (a.gates == 3) return outer_of<3>(a);
  outer_of<1>(a);
}

static void project(int gates, const ProjectionArgs& a) {
  if (gates == 4) return visit_tiles<4>(a.rows, a.blocks, Project<4>{a});
  if (gates == 3) return visit_tiles<3>(a.rows, a.blocks, Project<3>{a});
  visit_tiles<1>(a.rows, a.blocks, Project<1>{a});
}

static void forward_lstm(const ForwardArgs& a) { visit_tiles<4>(a.rows, a.blocks, LstmStep{a}); }
static void forward_gru(const ForwardArgs& a) { visit_tiles<3>(a.rows, a.blocks, GruStep{a}); }
static void forward_simple(const ForwardArgs& a) { visit_tiles<1>(a.rows, a.blocks, SimpleStep{a}); }

#define BIRNN_RECURRENT_KERNELS(isa, ns)                                                                   \
  {                                                                                                        \
    isa, ns::lanes, ns::project, ns::forward_lstm, ns::forward_gru, ns::forward_simple, ns::backward_lstm, \
        ns::backward_gru, ns::backward_simple, ns::product, ns::outer                                      \
  }
