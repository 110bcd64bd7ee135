// gemm against the plain sum, and its arithmetic contract.
#include <cstring>
#include <vector>

#include "check.h"
#include "each_isa.h"
#include "gemm.h"
#include "parallel.h"
#include "random.h"

using birnn::gemm;
using std::int64_t;

namespace {

template <typename T>
std::vector<T> numbers(int64_t n, std::uint64_t key) {
  std::vector<T> values(static_cast<std::size_t>(n));
  for (int64_t e = 0; e < n; ++e) values[e] = birnn::uniform01<T>(key, e) * 2 - 1;
  return values;
}

template <typename T>
void compare_with_plain_sum(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k, bool accumulate) {
  const int64_t lda = (trans_a ? m : k) + 3, ldb = (trans_b ? k : n) + 2, ldc = n + 1;
  const std::vector<T> a = numbers<T>(lda * (trans_a ? k : m), 1), b = numbers<T>(ldb * (trans_b ? n : k), 2);
  const std::vector<T> before = numbers<T>(ldc * m, 3);
  std::vector<T> c = before;
  gemm(trans_a, trans_b, m, n, k, a.data(), lda, b.data(), ldb, accumulate, c.data(), ldc);
  double worst = 0;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = accumulate ? before[i * ldc + j] : 0;
      for (int64_t s = 0; s < k; ++s)
        sum += double(trans_a ? a[s * lda + i] : a[i * lda + s]) * double(trans_b ? b[j * ldb + s] : b[s * ldb + j]);
      worst = std::max(worst, std::fabs(sum - double(c[i * ldc + j])));
    }
    CHECK(c[i * ldc + n] == before[i * ldc + n]);
  }
  CHECK_CLOSE(worst, 0.0, sizeof(T) == 4 ? 1e-4 : 1e-12);
}

template <typename T>
void compare_all(int64_t m, int64_t n, int64_t k) {
  for (const bool trans_a : {false, true})
    for (const bool trans_b : {false, true})
      for (const bool accumulate : {false, true}) compare_with_plain_sum<T>(trans_a, trans_b, m, n, k, accumulate);
}

// Row i of a product of m rows, computed alone.
template <typename T>
void compare_rows(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k) {
  const std::vector<T> a = numbers<T>(m * k, 4), b = numbers<T>(k * n, 5);
  const int64_t lda = trans_a ? m : k, ldb = trans_b ? k : n;
  std::vector<T> together(m * n), alone(n);
  gemm(trans_a, trans_b, m, n, k, a.data(), lda, b.data(), ldb, false, together.data(), n);
  for (int64_t i = 0; i < m; ++i) {
    gemm(trans_a, trans_b, int64_t{1}, n, k, a.data() + (trans_a ? i : i * lda), lda, b.data(), ldb, false,
         alone.data(), n);
    CHECK(std::memcmp(alone.data(), &together[i * n], n * sizeof(T)) == 0);
  }
}

// One chain over k: adding one product of depth 1 after the other gives the same bits, column by column too.
template <typename T>
void compare_chain(int64_t m, int64_t n, int64_t k) {
  const std::vector<T> a = numbers<T>(m * k, 6), b = numbers<T>(k * n, 7);
  std::vector<T> whole(m * n), chain(m * n), column(m);
  gemm(false, false, m, n, k, a.data(), k, b.data(), n, false, whole.data(), n);
  for (int64_t s = 0; s < k; ++s)
    gemm(false, false, m, n, int64_t{1}, a.data() + s, k, b.data() + s * n, n, s > 0, chain.data(), n);
  CHECK(std::memcmp(whole.data(), chain.data(), whole.size() * sizeof(T)) == 0);
  for (int64_t j = 0; j < n; ++j) {
    gemm(false, false, m, int64_t{1}, k, a.data(), k, b.data() + j, n, false, column.data(), int64_t{1});
    for (int64_t i = 0; i < m; ++i) CHECK(column[i] == whole[i * n + j]);
  }
}

}  // namespace

TEST(gemm_equals_the_plain_sum) {
  on_every_isa([] {
    compare_all<float>(70, 45, 600);
    compare_all<double>(70, 45, 600);
    compare_all<float>(3, 300, 300);
    compare_all<double>(27, 280, 20);
    compare_all<float>(40, 6, 300);
    compare_all<float>(40, 1, 300);
  });
  for (const int64_t m : {1, 2, 3, 4, 5, 7, 11, 12, 13, 33})
    for (const int64_t n : {1, 3, 4, 7, 8, 9, 31, 32, 40})
      for (const int64_t k : {0, 1, 2, 17}) {
        compare_all<float>(m, n, k);
        compare_all<double>(m, n, k);
      }
  compare_all<float>(0, 5, 5);
  compare_all<float>(5, 0, 5);
}

TEST(gemm_gives_a_row_the_same_bits_alone_and_in_any_company) {
  on_every_isa([] {
    for (const bool trans_a : {false, true})
      for (const bool trans_b : {false, true}) {
        compare_rows<float>(trans_a, trans_b, 64, 37, 300);
        compare_rows<double>(trans_a, trans_b, 64, 37, 300);
        compare_rows<float>(trans_a, trans_b, 13, 64, 20);
        compare_rows<float>(trans_a, trans_b, 40, 5, 270);
      }
  });
}

TEST(gemm_sums_in_one_chain) {
  on_every_isa([] {
    compare_chain<float>(9, 21, 530);
    compare_chain<double>(9, 21, 530);
    compare_chain<float>(33, 150, 70);
  });
}

TEST(gemm_gives_the_same_bits_on_one_and_two_threads) {
  for (const bool tall : {false, true}) {
    const int64_t m = tall ? 333 : 70, n = tall ? 70 : 333, k = 400;
    const std::vector<float> a = numbers<float>(m * k, 8), b = numbers<float>(k * n, 9);
    std::vector<float> one(m * n), two(m * n);
    for (const bool trans : {false, true}) {
      birnn::set_threads(1);
      gemm(trans, trans, m, n, k, a.data(), trans ? m : k, b.data(), trans ? k : n, false, one.data(), n);
      birnn::set_threads(2);
      gemm(trans, trans, m, n, k, a.data(), trans ? m : k, b.data(), trans ? k : n, false, two.data(), n);
      CHECK(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)) == 0);
    }
  }
  birnn::set_threads(1);
}

TEST(gemm_keeps_nan_and_inf_in_their_rows) {
  std::vector<float> a(6 * 5, 1.0f), b(5 * 9, 1.0f), c(6 * 9);
  a[2 * 5 + 3] = NAN;
  a[4 * 5] = INFINITY;
  gemm(false, false, int64_t{6}, int64_t{9}, int64_t{5}, a.data(), int64_t{5}, b.data(), int64_t{9}, false, c.data(),
       int64_t{9});
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 9; ++j) CHECK_CLOSE(c[i * 9 + j], i == 2 ? NAN : i == 4 ? INFINITY : 5.0, 0);
}
