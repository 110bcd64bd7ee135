// Matrix products in register tiles of some rows, unit blocks and gates (level L1). Included like kernel_simd.h.
//
// Arithmetic contract: every sum is one chain over k in increasing order, whatever the tile. A tile of few rows takes
// several unit blocks at once instead of cutting the chain: that keeps the multipliers as busy.

#include "kernel_simd.h"

template <int Gates, int Blocks, int Rows>
struct Tile {
  Vec sum[Blocks][Rows][Gates];
};

// sum += a W for the rows of `a` and the unit blocks of W.
template <int Gates, int Blocks, int Rows>
BIRNN_INLINE void multiply_add(Tile<Gates, Blocks, Rows>& tile, const float* a, long a_step, const float* weights,
                               long weights_block, int k) {
  for (int step = 0; step < k; ++step, weights += Gates * lanes) {
    if (Rows <= Gates || Blocks > 1) {
      Vec x[Rows];
      BIRNN_UNROLL for (int r = 0; r < Rows; ++r) x[r] = all(a[r * a_step + step]);
      BIRNN_UNROLL for (int b = 0; b < Blocks; ++b) BIRNN_UNROLL for (int g = 0; g < Gates; ++g) {
        const Vec w = load(weights + b * weights_block + g * lanes);
        BIRNN_UNROLL for (int r = 0; r < Rows; ++r) tile.sum[b][r][g] += w * x[r];
      }
    } else {
      Vec w[Gates];
      BIRNN_UNROLL for (int g = 0; g < Gates; ++g) w[g] = load(weights + g * lanes);
      BIRNN_UNROLL for (int r = 0; r < Rows; ++r) {
        const Vec x = all(a[r * a_step + step]);
        BIRNN_UNROLL for (int g = 0; g < Gates; ++g) tile.sum[0][r][g] += w[g] * x;
      }
    }
  }
}

constexpr int smaller(int a, int b) { return a < b ? a : b; }
constexpr int larger(int a, int b) { return a > b ? a : b; }

// Unit blocks taken at once by tiles of many rows, and by tiles of `rows`.
constexpr int wide_blocks(int gates) { return larger(1, 4 / gates); }
constexpr int blocks_of(int gates, int rows) { return smaller(4, larger(1, BIRNN_SUMS / (gates * rows))); }
constexpr int most_rows(int gates) { return BIRNN_SUMS / (gates * wide_blocks(gates)); }

// Visits all unit blocks of one tile of rows: `visit.template tile<Blocks, Rows>(row, block)`.
template <int Gates, int Rows, typename Visit>
BIRNN_INLINE void visit_blocks(int row, int blocks, Visit& visit) {
  constexpr int at_once = blocks_of(Gates, Rows);
  int block = 0;
  for (; block + at_once <= blocks; block += at_once) visit.template tile<at_once, Rows>(row, block);
  if (at_once > 1)
    for (; block < blocks; ++block) visit.template tile<1, Rows>(row, block);
}

// One group of unit blocks for all rows, in tiles of nearly equal height: two or more, so none is below half of the
// most.
template <int Gates, int Blocks, int Rows, typename Visit>
BIRNN_INLINE void visit_tile_of(int rows, int row, int block, Visit& visit) {
  if (rows == Rows) return visit.template tile<Blocks, Rows>(row, block);
  if constexpr (2 * Rows > most_rows(Gates) + 1) visit_tile_of<Gates, Blocks, Rows - 1>(rows, row, block, visit);
}
template <int Gates, int Blocks, typename Visit>
BIRNN_INLINE void visit_rows(int rows, int block, Visit& visit) {
  const int tiles = (rows + most_rows(Gates) - 1) / most_rows(Gates);
  for (int tile = 0, row = 0; tile < tiles; ++tile) {
    const int height = (rows - row + tiles - tile - 1) / (tiles - tile);
    visit_tile_of<Gates, Blocks, most_rows(Gates)>(height, row, block, visit);
    row += height;
  }
}

template <int Gates, int Rows, typename Visit>
BIRNN_INLINE void visit_few_rows(int rows, int blocks, Visit& visit) {
  if (rows == Rows) return visit_blocks<Gates, Rows>(0, blocks, visit);
  if constexpr (Rows > 1) visit_few_rows<Gates, Rows - 1>(rows, blocks, visit);
}

// All rows and unit blocks. The weights of a block stay in the first-level cache while its rows go by.
template <int Gates, typename Visit>
BIRNN_INLINE void visit_tiles(int rows, int blocks, Visit visit) {
  if (rows <= most_rows(Gates)) return visit_few_rows<Gates, most_rows(Gates)>(rows, blocks, visit);
  int block = 0;
  constexpr int at_once = wide_blocks(Gates);
  for (; block + at_once <= blocks; block += at_once) visit_rows<Gates, at_once>(rows, block, visit);
  if (at_once > 1)
    for (; block < blocks; ++block) visit_rows<Gates, 1>(rows, block, visit);
}
