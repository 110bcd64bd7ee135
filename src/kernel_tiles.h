// Matrix products in register tiles of some rows, unit blocks and gates (level L1). Included like kernel_simd.h.
//
// Arithmetic contract: every sum is one chain over k in increasing order, whatever the tile. A tile of few rows takes
// several unit blocks at once instead of cutting the chain: that keeps the multipliers as busy.

// BIRNN_SCALAR: float or double.

using Scalar = BIRNN_SCALAR;
constexpr bool is_float = sizeof(Scalar) == 4;

// The vectors of the Scalar, and the integers of its size.
template <bool single>
struct Vectors {
  typedef FloatVec Number;
  typedef FloatBits Integer;
};
template <>
struct Vectors<false> {
  typedef DoubleVec Number;
  typedef long long Integer __attribute__((vector_size(BIRNN_LANES * 4)));
};
using Vec = Vectors<is_float>::Number;
using IntVec = Vectors<is_float>::Integer;
constexpr int lanes = BIRNN_LANES * 4 / sizeof(Scalar);

// What is done with a tile: a function for each of its sizes, or the code would be there once for each caller.
#define BIRNN_TILE __attribute__((noinline))

// Vectors that can be summed in registers. Sixteen of them without fused multiply-add need one more for the products.
#if BIRNN_LANES == 16 || defined(__aarch64__)
constexpr int most_sums = 24;
#elif BIRNN_LANES == 8
constexpr int most_sums = 12;
#else
constexpr int most_sums = 10;
#endif

BIRNN_INLINE Vec all(double x) { return static_cast<Scalar>(x) - Vec{}; }

#include "kernel_cell_math.h"

template <int Gates, int Blocks, int Rows>
struct Tile {
  Vec sum[Blocks][Rows][Gates];
};

// sum += a W for the rows of `a` and the unit blocks of W.
template <int Gates, int Blocks, int Rows>
BIRNN_INLINE void multiply_add(Tile<Gates, Blocks, Rows>& tile, const Scalar* a, long a_step, const Scalar* weights,
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
constexpr int blocks_of(int gates, int rows) { return smaller(4, larger(1, most_sums / (gates * rows))); }
constexpr int most_rows(int gates) { return most_sums / (gates * wide_blocks(gates)); }

// All unit blocks in groups of `at_once`, then what is left one by one; or the other way round.
template <int at_once, typename Many, typename One>
BIRNN_INLINE void visit_groups(int blocks, bool reversed, Many&& many, One&& one) {
  const int groups = blocks / at_once, all_groups = groups + blocks % at_once;
  for (int k = 0; k < all_groups; ++k) {
    const int group = reversed ? all_groups - 1 - k : k;
    if (group < groups)
      many(group * at_once);
    else
      one(groups * (at_once - 1) + group);
  }
}

// Visits all unit blocks of one tile of rows: `visit.template tile<Blocks, Rows>(row, block)`.
template <int Gates, int Rows, typename Visit>
BIRNN_INLINE void visit_blocks(int row, int blocks, bool reversed, Visit& visit) {
  constexpr int at_once = blocks_of(Gates, Rows);
  visit_groups<at_once>(
      blocks, reversed, [&](int block) { visit.template tile<at_once, Rows>(row, block); },
      [&](int block) { visit.template tile<1, Rows>(row, block); });
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
BIRNN_INLINE void visit_few_rows(int rows, int blocks, bool reversed, Visit& visit) {
  if (rows == Rows) return visit_blocks<Gates, Rows>(0, blocks, reversed, visit);
  if constexpr (Rows > 1) visit_few_rows<Gates, Rows - 1>(rows, blocks, reversed, visit);
}

// All rows and unit blocks. The weights of a block stay in the first-level cache while its rows go by.
template <int Gates, typename Visit>
BIRNN_INLINE void visit_tiles(int rows, int blocks, bool reversed, Visit visit) {
  if (rows <= most_rows(Gates)) return visit_few_rows<Gates, most_rows(Gates)>(rows, blocks, reversed, visit);
  constexpr int at_once = wide_blocks(Gates);
  visit_groups<at_once>(
      blocks, reversed, [&](int block) { visit_rows<Gates, at_once>(rows, block, visit); },
      [&](int block) { visit_rows<Gates, 1>(rows, block, visit); });
}
