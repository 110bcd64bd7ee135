// Matrix product of row-major matrices, float and double (level L1).
//
// Arithmetic contract: every element of C is one chain, ((c + a0*b0) + a1*b1) + ..., over k in increasing order,
// whatever m, the tile it falls into, its neighbours or the number of threads. A row therefore has the same bits alone
// and inside any batch. With FMA a step has one rounding, without it two: instruction sets differ, calls do not.
#pragma once
#include <cstdint>

namespace birnn {

// C(m, n) = op(A)(m, k) op(B)(k, n), added to C if `accumulate`. lda, ldb, ldc: elements from one stored row to the
// next. With trans_a, A is stored as (k, m); with trans_b, B as (n, k). C must not overlap A or B. k = 0 gives zeros
// (or C as it was).
template <typename T>
void gemm(bool trans_a, bool trans_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda,
          const T* b, std::int64_t ldb, bool accumulate, T* c, std::int64_t ldc);

extern template void gemm<float>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const float*, std::int64_t,
                                 const float*, std::int64_t, bool, float*, std::int64_t);
extern template void gemm<double>(bool, bool, std::int64_t, std::int64_t, std::int64_t, const double*, std::int64_t,
                                  const double*, std::int64_t, bool, double*, std::int64_t);

}  // namespace birnn
