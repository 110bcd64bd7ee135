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

static void backward_lstm(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[4] = {};
    for (int row = 0; row < a.rows; ++row) {
      const Scalar* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
      if (a.steps_before > 0) fetch_before(a, gates, 4);
      if (a.steps_before > 1) fetch_before(a, a.c_before + block * a.c_before_block + row * lanes, 1);
      const Vec i = load(gates), f = load(gates + lanes), g = load(gates + 2 * lanes), o = load(gates + 3 * lanes);
      Vec squashed[1] = {load(a.c + block * a.c_block + row * lanes)};
      squash(squashed);
      const Vec tanh_c = squashed[0], dh = gradient_of_h(a, row, block);
      Scalar* const dc_at = a.dc + block * a.dc_block + row * lanes;
      const Vec dc = load(dc_at) + dh * o * (Scalar(1) - tanh_c * tanh_c);
      Vec df = {};
      if (a.c_before != nullptr)
        df = dc * load(a.c_before + block * a.c_before_block + row * lanes) * f * (Scalar(1) - f);
      const Vec gradient[4] = {dc * g * i * (Scalar(1) - i), df, dc * i * (Scalar(1) - g * g),
                               dh * tanh_c * o * (Scalar(1) - o)};
      store(dc_at, dc * f);
      Scalar* const out = a.gradient + block * a.gradient_block + static_cast<long>(row) * 4 * lanes;
      BIRNN_UNROLL for (int k = 0; k < 4; ++k) {
        store(out + k * lanes, gradient[k]);
        sum[k] += gradient[k];
      }
    }
    BIRNN_UNROLL for (int k = 0; k < 4; ++k) add_to(a.bias_gradient + (block * 4 + k) * lanes, sum[k]);
  }
}

static void backward_gru(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[4] = {};
    for (int row = 0; row < a.rows; ++row) {
      const Scalar* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 4 * lanes;
      if (a.steps_before > 0) fetch_before(a, gates, 4);
      const Vec z = load(gates), r = load(gates + lanes), n = load(gates + 2 * lanes), q = load(gates + 3 * lanes);
      Vec before = {};
      if (a.before != nullptr) before = load(a.before + row * a.before_step + block * lanes);
      const Vec dh = gradient_of_h(a, row, block);
      const Vec dz = dh * (before - n) * z * (Scalar(1) - z), dn = dh * (Scalar(1) - z) * (Scalar(1) - n * n);
      const Vec dr = dn * q * r * (Scalar(1) - r), dq = dn * r;
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
static void backward_candidate(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum[2] = {};
    for (int row = 0; row < a.rows; ++row) {
      const Scalar* const gates = a.gates + block * a.gates_block + static_cast<long>(row) * 3 * lanes;
      if (a.steps_before > 0) fetch_before(a, gates, 3);
      const Vec z = load(gates), r = load(gates + lanes), n = load(gates + 2 * lanes);
      Vec before = {};
      if (a.before != nullptr) before = load(a.before + row * a.before_step + block * lanes);
      const Vec dh = gradient_of_h(a, row, block);
      const Vec dz = dh * (before - n) * z * (Scalar(1) - z), dn = dh * (Scalar(1) - z) * (Scalar(1) - n * n);
      Scalar* const out = a.gradient + block * a.gradient_block + static_cast<long>(row) * 3 * lanes;
      store(out, dz);
      store(out + 2 * lanes, dn);
      store(a.dh + row * a.dh_step + block * lanes, dh * z);
      store(a.reset + row * a.dh_step + block * lanes, r * before);
      sum[0] += dz;
      sum[1] += dn;
    }
    add_to(a.bias_gradient + block * 3 * lanes, sum[0]);
    add_to(a.bias_gradient + (block * 3 + 2) * lanes, sum[1]);
  }
}

static void backward_reset(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum = {};
    for (int row = 0; row < a.rows; ++row) {
      const Vec r = load(a.gates + block * a.gates_block + (static_cast<long>(row) * 3 + 1) * lanes);
      Vec before = {};
      if (a.before != nullptr) before = load(a.before + row * a.before_step + block * lanes);
      const Vec dreset = load(a.dreset + row * a.dh_step + block * lanes);
      const Vec dr = dreset * before * r * (Scalar(1) - r);
      store(a.gradient + block * a.gradient_block + (static_cast<long>(row) * 3 + 1) * lanes, dr);
      add_to(a.dh + row * a.dh_step + block * lanes, dreset * r);
      sum += dr;
    }
    add_to(a.bias_gradient + (block * 3 + 1) * lanes, sum);
  }
}

static void backward_simple(const BackwardArgs& a) {
  for (int block = 0; block < a.blocks; ++block) {
    Vec sum = {};
    for (int row = 0; row < a.rows; ++row) {
      const Vec h = load(a.h + row * a.h_step + block * lanes);
      const Vec gradient = gradient_of_h(a, row, block) * (Scalar(1) - h * h);
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

static void forward_lstm(const ForwardArgs& a) { visit_tiles<4>(a.rows, a.blocks, a.reversed, LstmStep{a}); }
static void forward_gru(const ForwardArgs& a) { visit_tiles<3>(a.rows, a.blocks, a.reversed, GruStep{a}); }
static void forward_reset_gru(const ForwardArgs& a) {
  visit_tiles<2>(a.rows, a.blocks, a.reversed, ResetStep{a});
  visit_tiles<1>(a.rows, a.blocks, !a.reversed, CandidateStep{a});
}
static void forward_simple(const ForwardArgs& a) { visit_tiles<1>(a.rows, a.blocks, a.reversed, SimpleStep{a}); }
