// One step of the cells backward and the products of the gradients (level L1). Included by kernel_cells.h.

// --- one step back ------------------------------------------------------------------------------------------------

// The gradient of h: what came from the step after it, and that of the output.
BIRNN_INLINE Vec gradient_of_h(const BackwardArgs& a, int row, int block) {
  const Vec dh = load(a.dh + row * a.dh_step + block * lanes);
  if (a.dy == nullptr) return dh;
  const Scalar* const dy = a.dy + row * a.dy_step + block * lanes;
  const int left = a.units - block * lanes;
  return dh + (left >= lanes ? load(dy) : load_part(dy, left));
}

// Values of the step before, which comes next and lies before this one in memory, are fetched meanwhile.
BIRNN_INLINE void fetch_before(const BackwardArgs& a, const Scalar* here, int vectors) {
  for (int v = 0; v < vectors; ++v) __builtin_prefetch(here - (static_cast<long>(a.rows) * vectors - v) * lanes, 0, 2);
}

BIRNN_INLINE void add_to(Scalar* sum, Vec value) { store(sum, load(sum) + value); }

// h before the step, as it met the weights of the candidate: with split steps, after dropout.
template <typename Activations>
BIRNN_INLINE Vec dropped(const BackwardArgs& a, int row, int block, Vec h) {
  if (!Activations::split || a.h_mask == nullptr) return h;
  return h * load(a.h_mask + row * a.dh_step + block * lanes);
}

template <typename Activations>
static void backward_lstm_of(const BackwardArgs& a) {
  const Activations f(a);
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[4] = {};
    for (int row = 0; row < a.rows; ++row) {
      const Scalar* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
      if (a.steps_before > 0) fetch_before(a, gates, 4);
      if (a.steps_before > 1) fetch_before(a, a.c_before + block * a.c_before_block + row * lanes, 1);
      Vec gate[3] = {load(gates), load(gates + lanes), load(gates + 3 * lanes)}, slope[3] = {};
      Vec candidate[1] = {load(gates + 2 * lanes)}, candidate_slope[1] = {};
      Vec squashed[1] = {load(a.c + block * a.c_block + row * lanes)}, squashed_slope[1] = {};
      f.gate.open(gate, slope);
      f.value.open(candidate, candidate_slope);
      f.value.open_input(squashed, squashed_slope);
      const Vec i = gate[0], forget = gate[1], o = gate[2], g = candidate[0], dh = gradient_of_h(a, row, block);
      Scalar* const dc_at = a.dc + block * a.dc_block + row * lanes;
      const Vec dc = load(dc_at) + f.value.back(dh * o, squashed[0], squashed_slope[0]);
      Vec df = {};
      if (a.c_before != nullptr)
        df = f.gate.back(dc * load(a.c_before + block * a.c_before_block + row * lanes), forget, slope[1]);
      const Vec gradient[4] = {f.gate.back(dc * g, i, slope[0]), df, f.value.back(dc * i, g, candidate_slope[0]),
                               f.gate.back(dh * squashed[0], o, slope[2])};
      store(dc_at, dc * forget);
      Scalar* const out = a.gradient + block * a.gradient_block + static_cast<long>(row) * 4 * lanes;
      BIRNN_UNROLL for (int k = 0; k < 4; ++k) {
        store(out + k * lanes, gradient[k]);
        sum[k] += gradient[k];
      }
    }
    BIRNN_UNROLL for (int k = 0; k < 4; ++k) add_to(a.bias_gradient + (block * 4 + k) * lanes, sum[k]);
  }
}

template <typename Activations>
static void backward_gru_of(const BackwardArgs& a) {
  const Activations f(a);
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[4] = {};
    for (int row = 0; row < a.rows; ++row) {
      const Scalar* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
      if (a.steps_before > 0) fetch_before(a, gates, 4);
      Vec gate[2] = {load(gates), load(gates + lanes)}, slope[2] = {};
      Vec candidate[1] = {load(gates + 2 * lanes)}, candidate_slope[1] = {};
      f.gate.open(gate, slope);
      f.value.open(candidate, candidate_slope);
      const Vec z = gate[0], r = gate[1], n = candidate[0], q = load(gates + 3 * lanes);
      Vec before = {};
      if (a.before != nullptr) before = load(a.before + row * a.before_step + block * lanes);
      const Vec dh = gradient_of_h(a, row, block);
      const Vec dz = f.gate.back(dh * (before - n), z, slope[0]);
      const Vec dn = f.value.back(dh * (Scalar(1) - z), n, candidate_slope[0]);
      const Vec dr = f.gate.back(dn * q, r, slope[1]), dq = dn * r;
      Scalar* const out = a.gradient + block * a.gradient_block + static_cast<long>(row) * 3 * lanes;
      store(out, dz);
      store(out + lanes, dr);
      store(out + 2 * lanes, dn);
      Scalar* const back =
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
    Scalar *const own = a.bias_gradient + block * 3 * lanes, *const other =
                                                                 a.recurrent_bias_gradient + block * 3 * lanes;
    BIRNN_UNROLL for (int k = 0; k < 3; ++k) {
      add_to(own + k * lanes, sum[k]);
      add_to(other + k * lanes, sum[k == 2 ? 3 : k]);
    }
  }
}

// Without reset_after the candidate's gradient has to go back through its weights before that of r is known.
template <typename Activations>
static void backward_candidate_of(const BackwardArgs& a) {
  const Activations f(a);
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[2] = {};
    for (int row = 0; row < a.rows; ++row) {
      const Scalar* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 3 * lanes;
      if (a.steps_before > 0) fetch_before(a, gates, 3);
      Vec z[1] = {load(gates)}, z_slope[1] = {}, n[1] = {load(gates + 2 * lanes)}, n_slope[1] = {};
      f.gate.open(z, z_slope);
      f.value.open(n, n_slope);
      const Vec r = f.gate.reopen(load(gates + lanes));
      Vec before = {};
      if (a.before != nullptr) before = load(a.before + row * a.before_step + block * lanes);
      const Vec dh = gradient_of_h(a, row, block);
      const Vec dz = f.gate.back(dh * (before - n[0]), z[0], z_slope[0]);
      const Vec dn = f.value.back(dh * (Scalar(1) - z[0]), n[0], n_slope[0]);
      Scalar* const out = a.gradient + block * a.gradient_block + static_cast<long>(row) * 3 * lanes;
      store(out, dz);
      store(out + 2 * lanes, dn);
      store(a.dh + row * a.dh_step + block * lanes, dh * z[0]);
      store(a.reset + row * a.dh_step + block * lanes, r * dropped<Activations>(a, row, block, before));
      sum[0] += dz;
      sum[1] += dn;
    }
    add_to(a.bias_gradient + block * 3 * lanes, sum[0]);
    add_to(a.bias_gradient + (block * 3 + 2) * lanes, sum[1]);
  }
}

template <typename Activations>
static void backward_reset_of(const BackwardArgs& a) {
  const Activations f(a);
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum = {};
    for (int row = 0; row < a.rows; ++row) {
      Vec r[1] = {load(a.gates + block * a.gates_block + (static_cast<long>(row) * 3 + 1) * lanes)}, slope[1] = {};
      f.gate.open(r, slope);
      Vec before = {};
      if (a.before != nullptr) before = load(a.before + row * a.before_step + block * lanes);
      const Vec dreset = dropped<Activations>(a, row, block, load(a.dreset + row * a.dh_step + block * lanes));
      const Vec dr = f.gate.back(dreset * before, r[0], slope[0]);
      store(a.gradient + block * a.gradient_block + (static_cast<long>(row) * 3 + 1) * lanes, dr);
      add_to(a.dh + row * a.dh_step + block * lanes, dreset * r[0]);
      sum += dr;
    }
    add_to(a.bias_gradient + (block * 3 + 1) * lanes, sum);
  }
}

template <typename Activations>
static void backward_simple_of(const BackwardArgs& a) {
  const Activations f(a);
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum = {};
    for (int row = 0; row < a.rows; ++row) {
      const Scalar* const kept = Activations::split ? a.gates + block * a.gates_block + static_cast<long>(row) * lanes
                                                    : a.h + row * a.h_step + block * lanes;
      Vec h[1] = {load(kept)}, slope[1] = {};
      f.value.open(h, slope);
      const Vec gradient = f.value.back(gradient_of_h(a, row, block), h[0], slope[0]);
      store(a.gradient + block * a.gradient_block + static_cast<long>(row) * lanes, gradient);
      sum += gradient;
    }
    add_to(a.bias_gradient + block * lanes, sum);
  }
}

// --- products of the gradients ------------------------------------------------------------------------------------

// Panels of some vectors of columns of `out`, for some rows; each sum is one chain through the unit blocks of the
// gradient.
template <int Vectors, int Panels, int Rows>
BIRNN_TILE void product_tile(const ProductArgs& a, int column, int step, int row) {
  const long out_step = a.rows.row_step, rows = a.rows.rows;
  Scalar* const out = a.out + step * a.rows.next_step + row * out_step + column;
  Tile<Vectors, Panels, Rows> t;
  BIRNN_UNROLL for (int p = 0; p < Panels; ++p) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
      BIRNN_UNROLL for (int v = 0; v < Vectors; ++v)
          t.sum[p][r][v] = a.accumulate ? load(out + r * out_step + (p * Vectors + v) * lanes) : Vec{};
  const int depth = a.gates * lanes, gradient_step = a.gradient_gates * lanes;
  const long panel = static_cast<long>(a.blocks) * depth * Vectors * lanes;
  const Scalar* weights = a.weights + static_cast<long>(a.blocks) * depth * column;
  const Scalar* const gradient = a.gradient + (step * rows + row) * gradient_step;
  for (int block = 0; block < a.blocks; ++block, weights += static_cast<long>(depth) * Vectors * lanes)
    multiply_add(t, gradient + block * a.gradient_block, gradient_step, weights, panel, depth);
  BIRNN_UNROLL for (int p = 0; p < Panels; ++p) BIRNN_UNROLL for (int r = 0; r < Rows; ++r)
      BIRNN_UNROLL for (int v = 0; v < Vectors; ++v)
          store(out + r * out_step + (p * Vectors + v) * lanes, t.sum[p][r][v]);
}

template <int Vectors, int Panels, int Rows>
BIRNN_INLINE void product_tile_of(const ProductArgs& a, int height, int column, int step, int row) {
  if (height == Rows) return product_tile<Vectors, Panels, Rows>(a, column, step, row);
  if constexpr (Rows > 1) product_tile_of<Vectors, Panels, Rows - 1>(a, height, column, step, row);
}

// All columns that fit from `column` on, in tiles of at most `most` rows.
template <int Vectors, int Panels, int most>
BIRNN_INLINE int product_columns(const ProductArgs& a, int column) {
  constexpr int width = Panels * Vectors * lanes;
  const int rows = a.rows.rows, tiles = (rows + most - 1) / most;
  for (; column + width <= a.columns; column += width)
    for (int step = 0; step < a.rows.steps; ++step)
      for (int tile = 0, row = 0; tile < tiles; ++tile) {
        const int height = (rows - row + tiles - tile - 1) / (tiles - tile);
        product_tile_of<Vectors, Panels, most>(a, height, column, step, row);
        row += height;
      }
  return column;
}

// Few rows: two panels at once, that is twice the streams of weights.
static void product(const ProductArgs& a) {
  constexpr int most = most_sums / 4, few = most / 2;
  int column = a.rows.rows <= few ? product_columns<4, 2, few>(a, 0) : 0;
  column = product_columns<4, 1, most>(a, column);
  column = product_columns<2, 1, most>(a, column);
  product_columns<1, 1, most>(a, column);
}

template <int Gates, int Rows>
BIRNN_INLINE void outer_tile(const OuterArgs& a, int k, int block) {
  Tile<Gates, 1, Rows> t = {};
  const Scalar* right = a.gradient + block * a.gradient_block;
  const int right_step = a.gradient_gates * lanes;
  for (int step = 0; step < a.rows.steps; ++step) {
    const Scalar* left = a.a + step * a.rows.next_step + k;
    for (int row = 0; row < a.rows.rows; ++row, left += a.rows.row_step, right += right_step)
      multiply_add(t, left, 1, right, 0, 1);
  }
  Scalar* const sum = a.sum + (static_cast<long>(block) * a.k + k) * Gates * lanes;
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
  constexpr int most = smaller(12, most_sums / Gates);
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
  if (a.gates == 2) return outer_of<2>(a);
  outer_of<1>(a);
}
