// Reducing a tensor over some of its axes, in an order that does not depend on other results (level L3).
#pragma once
#include <algorithm>
#include <limits>

#include "ops_loops.h"

namespace birnn {

// How two partial results become one. `Acc` is the type they are kept in.
template <typename AccType>
struct SumFold {
  using Acc = AccType;
  static Acc start() { return Acc(0); }
  static Acc join(Acc a, Acc b) { return a + b; }
};
template <typename AccType>
struct ProductFold {
  using Acc = AccType;
  static Acc start() { return Acc(1); }
  static Acc join(Acc a, Acc b) { return a * b; }
};
template <typename AccType>
struct MaxFold {
  using Acc = AccType;
  using Limits = std::numeric_limits<Acc>;
  static Acc start() { return Limits::has_infinity ? -Limits::infinity() : Limits::lowest(); }
  static Acc join(Acc a, Acc b) { return a > b || a != a ? a : b; }  // NaN wins
};
template <typename AccType>
struct MinFold {
  using Acc = AccType;
  using Limits = std::numeric_limits<Acc>;
  static Acc start() { return Limits::has_infinity ? Limits::infinity() : Limits::max(); }
  static Acc join(Acc a, Acc b) { return a < b || a != a ? a : b; }
};
struct AnyFold {
  using Acc = std::uint8_t;
  static Acc start() { return 0; }
  static Acc join(Acc a, Acc b) { return a | b; }
};
struct AllFold {
  using Acc = std::uint8_t;
  static Acc start() { return 1; }
  static Acc join(Acc a, Acc b) { return a & b; }
};

// The results of a reduction come in blocks of up to `block_width` neighbours: columns if the innermost axis stays;
// rows if only the innermost axis goes; else one alone.
class Reduction {
 public:
  static constexpr int block_width = 64;

  Reduction(const Shape& shape, const AxisSet& axes) {
    int64 strides[max_rank];
    row_major_strides(shape, strides);
    for (int k = 0; k < shape.rank(); ++k) (axes.has[k] ? reduced_ : kept_).push(shape[k], {strides[k]});
    for (int k = 0; k < reduced_.rank; ++k) count_ *= reduced_.size[k];
    in_columns_ = kept_.rank > 0 && kept_.stride[kept_.rank - 1][0] == 1;
    outer_kept_ = kept_;
    inner_reduced_ = reduced_;
    int64 step[1];
    contiguous_ = in_columns_ ? outer_kept_.pop(step) : inner_reduced_.pop(step);
    results_ = in_columns_ ? contiguous_ : 1;
    in_rows_ =
        !in_columns_ && inner_reduced_.rank == 0 && kept_.rank > 0 && kept_.stride[kept_.rank - 1][0] == contiguous_;
    if (in_rows_) results_ = outer_kept_.pop(step);
  }

  int64 count() const { return count_; }  // elements that one result is made of

  // Calls fn(output, width, offset): results output .. output + width - 1 are those of the columns or rows from
  // x + offset on.
  template <typename Fn>
  void for_each_block(Fn&& fn) const {
    const int64 step = in_rows_ ? contiguous_ : 1;
    int64 output = 0;
    walk(outer_kept_, [&](const int64(&offset)[1]) {
      for (int64 first = 0; first < results_; first += block_width) {
        const int width = static_cast<int>(results_ - first < block_width ? results_ - first : block_width);
        fn(output + first, width, offset[0] + first * step);
      }
      output += results_;
    });
  }

  // acc[j] = the fold of term(x, j) over the elements x of column or row j of a block.
  template <typename Fold, typename T, typename Term>
  void fold(const T* block, int width, typename Fold::Acc* acc, Term&& term) const {
    for (int j = 0; j < width; ++j) acc[j] = Fold::start();
    walk(inner_reduced_, [&](const int64(&offset)[1]) {
      const T* x = block + offset[0];
      if (in_columns_) {
        for (int j = 0; j < width; ++j) acc[j] = Fold::join(acc[j], term(x[j], j));
      } else {
        for (int j = 0; j < width; ++j)
          acc[j] = fold_row<Fold>(x + j * contiguous_, acc[j], [&](T xi) { return term(xi, j); });
      }
    });
  }

  // sums[j] = the sum of column or row j of a block of floats or doubles; or of (x - centre[j])^2.
  template <typename T>
  void sum(const T* block, int width, double* sums) const {
    const ArrayKernels<T>& kernels = tier().arrays->of<T>();
    for (int j = 0; j < width; ++j) sums[j] = 0;
    walk(inner_reduced_, [&](const int64(&offset)[1]) {
      if (in_columns_)
        kernels.add_to_sums(width, block + offset[0], sums);
      else
        kernels.add_row_sums(width, static_cast<long>(contiguous_), block + offset[0], sums);
    });
  }
  template <typename T>
  void sum_of_squares(const T* block, int width, const double* centres, double* sums) const {
    const ArrayKernels<T>& kernels = tier().arrays->of<T>();
    for (int j = 0; j < width; ++j) sums[j] = 0;
    walk(inner_reduced_, [&](const int64(&offset)[1]) {
      if (in_columns_)
        kernels.add_squares_to_sums(width, block + offset[0], centres, sums);
      else
        kernels.add_row_squares(width, static_cast<long>(contiguous_), block + offset[0], centres, sums);
    });
  }

  // Calls fn(output, offset) for every result, whose first element is x[offset].
  template <typename Fn>
  void for_each_result(Fn&& fn) const {
    int64 output = 0;
    walk(kept_, [&](const int64(&offset)[1]) { fn(output++, offset[0]); });
  }

  // Calls fn(offset) for the elements of one result, relative to its first one, in row-major order or against it.
  template <typename Fn>
  void forwards(Fn&& fn) const {
    walk(reduced_, [&](const int64(&offset)[1]) { fn(offset[0]); });
  }
  template <typename Fn>
  void backwards(Fn&& fn) const {
    int64 last = 0;
    for (int k = 0; k < reduced_.rank; ++k) last += reduced_.stride[k][0] * (reduced_.size[k] - 1);
    forwards([&](int64 offset) { fn(last - offset); });
  }

  // The elements of a block as rows of n neighbours from x + start on, at most `most` in all (no less than the width of
  // a block). A row belongs to one result and the next row to the next (within = 0, between = 1), or the elements of
  // each to the same n results (within = 1, between = 0).
  struct Run {
    int64 start;
    long rows, n;
    int64 result;  // of the first element, counted in the block
    long within, between;
  };
  template <typename Fn>
  void for_each_run(int width, int64 offset, int64 most, Fn&& fn) const {
    const bool lie_together =
        in_columns_ && width == contiguous_ && inner_reduced_.rank == 1 && inner_reduced_.stride[0][0] == contiguous_;
    if (lie_together) {
      const int64 together = most / width;  // at least one: blocks are narrow
      for (int64 row = 0; row < inner_reduced_.size[0]; row += together) {
        const int64 rows = std::min(together, inner_reduced_.size[0] - row);
        fn(Run{offset + row * width, static_cast<long>(rows), width, 0, 1, 0});
      }
      return;
    }
    walk(inner_reduced_, [&](const int64(&at)[1]) {
      const int64 start = offset + at[0];
      if (in_columns_) return fn(Run{start, 1, width, 0, 1, 0});
      if (contiguous_ == 0) return;
      const int64 together = contiguous_ < most ? most / contiguous_ : 1;
      for (int64 row = 0; row < width; row += together) {
        const int64 rows = std::min<int64>(together, width - row);
        for (int64 first = 0; first < contiguous_; first += most) {
          const int64 n = std::min(most, contiguous_ - first);
          fn(Run{start + row * contiguous_ + first, static_cast<long>(rows), static_cast<long>(n), row, 0, 1});
        }
      }
    });
  }

 private:
  // Eight chains, joined in a fixed order: the compiler can keep them in vector registers.
  template <typename Fold, typename T, typename Term>
  typename Fold::Acc fold_row(const T* x, typename Fold::Acc acc, Term&& term) const {
    constexpr int lanes = 8;
    int64 i = 0;
    if (contiguous_ >= 2 * lanes) {
      typename Fold::Acc lane[lanes];
      for (int l = 0; l < lanes; ++l) lane[l] = Fold::start();
      for (; i + lanes <= contiguous_; i += lanes)
        for (int l = 0; l < lanes; ++l) lane[l] = Fold::join(lane[l], term(x[i + l]));
      for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; ++l) lane[l] = Fold::join(lane[l], lane[l + half]);
      acc = Fold::join(acc, lane[0]);
    }
    for (; i < contiguous_; ++i) acc = Fold::join(acc, term(x[i]));
    return acc;
  }

  Grid<1> kept_, reduced_;                     // strides in x
  Grid<1> outer_kept_, inner_reduced_;         // without the innermost axis of x
  bool in_columns_ = false, in_rows_ = false;  // the innermost axis stays; only it goes
  int64 contiguous_ = 1;                       // its size
  int64 results_ = 1;                          // neighbours among the results
  int64 count_ = 1;
};

}  // namespace birnn
