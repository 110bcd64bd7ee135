// The matrix product on the instruction set in use, cut into rows or columns for the threads (level L1).
#include "gemm.h"

#include <algorithm>

#include "kernel_isa.h"
#include "parallel.h"

namespace birnn {
namespace {

using std::int64_t;

constexpr double work_of_a_thread = 4e6;  // products of two numbers that are worth the waking of a thread

template <typename T>
void run(GemmArgs<T> args) {
  alignas(64) static thread_local char space[gemm_space];  // of the thread: the system gives it when it is first used
  args.space = space;
  tier().gemm->of<T>().run(args);
}

// Piece `piece` of `pieces` of the longer side of C.
template <typename T>
GemmArgs<T> piece_of(const GemmArgs<T>& whole, int piece, int pieces) {
  GemmArgs<T> part = whole;
  const auto cut = [&](long size, int at) { return at == pieces ? size : size * at / pieces / 32 * 32; };
  if (whole.m >= whole.n) {
    const long first = cut(whole.m, piece);
    part.m = cut(whole.m, piece + 1) - first;
    part.a += whole.trans_a ? first : first * whole.lda;
    part.c += first * whole.ldc;
  } else {
    const long first = cut(whole.n, piece);
    part.n = cut(whole.n, piece + 1) - first;
    part.b += whole.trans_b ? first * whole.ldb : first;
    part.c += first;
  }
  return part;
}

}  // namespace

template <typename T>
void gemm(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb,
          bool accumulate, T* c, int64_t ldc) {
  if (k == 0 && !accumulate)
    for (int64_t i = 0; i < m; ++i) std::fill(c + i * ldc, c + i * ldc + n, T(0));
  if (m == 0 || n == 0 || k == 0) return;
  const GemmArgs<T> args{trans_a, trans_b, m, n, k, a, lda, b, ldb, accumulate, c, ldc, nullptr};
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const int pieces = static_cast<int>(std::min<double>(threads(), work / work_of_a_thread));
  if (pieces < 2 || std::max(m, n) < 64 * pieces) return run(args);
  parallel_invoke(pieces, [&](int piece) { run(piece_of(args, piece, pieces)); });
}

template void gemm<float>(bool, bool, int64_t, int64_t, int64_t, const float*, int64_t, const float*, int64_t, bool,
                          float*, int64_t);
template void gemm<double>(bool, bool, int64_t, int64_t, int64_t, const double*, int64_t, const double*, int64_t, bool,
                           double*, int64_t);

}  // namespace birnn
