// The kernels of pairs of arrays and of losses, on every instruction set, against plain formulas in long double.
#include <vector>

#include "check.h"
#include "each_isa.h"
#include "random.h"

using namespace birnn;

namespace {

using Wide = long double;

template <typename T>
std::vector<T> numbers(long n, std::uint64_t key, double low, double high) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (long e = 0; e < n; ++e)
    x[static_cast<std::size_t>(e)] = static_cast<T>(low + (high - low) * uniform01<double>(key, e));
  return x;
}

template <typename T>
const ArrayKernels<T>& kernels() {
  return tier().arrays->of<T>();
}

template <typename T>
constexpr double tolerance = sizeof(T) == 4 ? 2e-6 : 2e-14;

// --- rows of pairs --------------------------------------------------------------------------------------------------

constexpr long rows = 5;

// Rows of n against a vector of n (row_b = 0), a column of numbers (step_b = 0), and as many of their own: the bits of
// single elements.
template <typename T>
void compare_rows_of_pairs(Combination combination, long n) {
  const std::vector<T> a = numbers<T>(rows * n, 1, 0.2, 2), b = numbers<T>(rows * n, 2, 0.5, 3);
  for (const long step_b : {0L, 1L})
    for (const long row_b : {0L, 1L, n}) {
      std::vector<T> y(a.size());
      kernels<T>().combine(combination, rows, n, {a.data(), 1, b.data(), step_b, n, row_b, {}}, y.data());
      for (long r = 0; r < rows; ++r)
        for (long e = 0; e < n; ++e) {
          T alone;
          kernels<T>().combine(combination, 1, 1, {&a[r * n + e], 1, &b[r * row_b + e * step_b], 1, 0, 0, {}}, &alone);
          CHECK(alone == y[r * n + e]);
        }
    }
}

// A gradient summed over rows is the same chain as rows added one after the other.
template <typename T>
void compare_sums_over_rows(Combination combination, long n) {
  const std::vector<T> a = numbers<T>(rows * n, 3, 0.2, 2), b = numbers<T>(n, 4, 0.5, 3);
  const std::vector<T> dy = numbers<T>(rows * n, 5, -1, 1), y = numbers<T>(rows * n, 6, 0.2, 1);
  std::vector<T> together(b), one_by_one(b);
  kernels<T>().combine_slope(combination, 1, rows, n, {a.data(), 1, b.data(), 1, n, 0, {}}, y.data(), dy.data(), true,
                             together.data(), 0);
  for (long r = 0; r < rows; ++r)
    kernels<T>().combine_slope(combination, 1, 1, n, {&a[r * n], 1, b.data(), 1, 0, 0, {}}, &y[r * n], &dy[r * n], true,
                               one_by_one.data(), 0);
  CHECK(together == one_by_one);
}

// --- cross-entropies ------------------------------------------------------------------------------------------------

Wide clipped(Wide p, Wide epsilon) { return std::min(std::max(p, epsilon), 1 - epsilon); }

template <typename T>
void compare_binary(bool logits) {
  constexpr long n = 101;
  const T epsilon = T(1e-7), factor = T(0.9), share = T(0.05);
  const std::vector<T> y = numbers<T>(n, 7, 0, 1), dy = numbers<T>(n, 8, -1, 1);
  std::vector<T> p = logits ? numbers<T>(n, 9, -30, 30) : numbers<T>(n, 9, 0, 1);
  p[3] = logits ? T(-200) : T(0);
  p[4] = logits ? T(200) : T(1);
  const Operands<T> pairs{y.data(), 1, p.data(), 1, 0, 0, {epsilon, T(1) - epsilon, factor, share}};
  const Combination kind = logits ? Combination::logit_entropy : Combination::probability_entropy;
  std::vector<T> value(n), of_label(n), of_prediction(n);
  kernels<T>().combine(kind, 1, n, pairs, value.data());
  kernels<T>().combine_slope(kind, 0, 1, n, pairs, nullptr, dy.data(), false, of_label.data(), 0);
  kernels<T>().combine_slope(kind, 1, 1, n, pairs, nullptr, dy.data(), false, of_prediction.data(), 0);
  for (long e = 0; e < n; ++e) {
    const Wide label = Wide(y[e]) * factor + share, x = p[e], q = clipped(x, epsilon);
    const Wide wanted = logits ? std::max(x, Wide(0)) - x * label + std::log1p(std::exp(-std::fabs(x)))
                               : -label * std::log(q) - (1 - label) * std::log1p(-q);
    const Wide by_label = logits ? -x * factor : (std::log1p(-q) - std::log(q)) * factor;
    const Wide inside = x < epsilon || x > 1 - Wide(epsilon) ? Wide(0) : (x - label) / (x * (1 - x));
    const Wide by_prediction = logits ? 1 / (1 + std::exp(-x)) - label : inside;
    const double slack = logits || (e != 3 && e != 4) ? tolerance<T> : 0.1;  // log(1 - q) hangs on the rounding of q
    CHECK_CLOSE(double(value[e]), double(wanted), slack);
    CHECK_CLOSE(double(of_label[e]), double(Wide(dy[e]) * by_label), slack);
    CHECK_CLOSE(double(of_prediction[e]), double(Wide(dy[e]) * by_prediction), 30 * tolerance<T>);
  }
}

template <typename T>
void compare_categorical(bool logits, long n) {
  const T params[combination_params] = {T(1e-7), T(1) - T(1e-7), T(0.8), T(0.2) / static_cast<T>(n)};
  std::vector<T> y = numbers<T>(rows * n, 10, 0, 1);
  const std::vector<T> x = logits ? numbers<T>(rows * n, 11, -9, 9) : numbers<T>(rows * n, 11, 0.01, 1);
  const std::vector<T> dy = numbers<T>(rows, 12, -1, 1);
  std::vector<T> value(rows), slope(x.size(), T(1)), label_slope(x.size());
  kernels<T>().cross_entropy(logits, params, rows, n, y.data(), x.data(), value.data());
  kernels<T>().cross_entropy_slope(logits, params, 1, rows, n, y.data(), x.data(), dy.data(), true, slope.data());
  kernels<T>().cross_entropy_slope(logits, params, 0, rows, n, y.data(), x.data(), dy.data(), false,
                                   label_slope.data());
  for (long r = 0; r < rows; ++r) {
    Wide total = 0, labels = 0, wanted = 0;
    for (long i = 0; i < n; ++i) {
      total += logits ? std::exp(Wide(x[r * n + i])) : Wide(x[r * n + i]);
      labels += Wide(y[r * n + i]) * params[2] + params[3];
    }
    for (long i = 0; i < n; ++i) {
      const Wide label = Wide(y[r * n + i]) * params[2] + params[3], xi = x[r * n + i];
      const Wide share = logits ? std::exp(xi) / total : clipped(xi / total, params[0]);
      wanted -= label * std::log(share);
      const Wide by_x = logits ? share * labels - label : (n == 1 ? 0 : labels - label / share) / total;
      CHECK_CLOSE(double(slope[r * n + i]), double(1 + dy[r] * by_x), 40 * tolerance<T>);
      CHECK_CLOSE(double(label_slope[r * n + i]), double(-dy[r] * params[2] * std::log(share)), 4 * tolerance<T>);
    }
    CHECK_CLOSE(double(value[r]), double(wanted), 4 * tolerance<T>);
  }
}

// --- softmax of columns ---------------------------------------------------------------------------------------------

// The softmax of a column is that of the same numbers in a row.
template <typename T>
void compare_columns(bool logarithm, long n, long columns) {
  const std::vector<T> x = numbers<T>(n * columns, 13, -20, 20), dy = numbers<T>(n * columns, 14, -1, 1);
  std::vector<T> y(x.size()), dx(x.size(), T(1));
  kernels<T>().column_softmax(logarithm, n, columns, x.data(), y.data());
  kernels<T>().column_softmax_slope(logarithm, n, columns, y.data(), dy.data(), true, dx.data());
  for (long c = 0; c < columns; ++c) {
    Wide total = 0, product = 0;
    for (long i = 0; i < n; ++i) total += std::exp(Wide(x[i * columns + c]));
    for (long i = 0; i < n; ++i)
      product += dy[i * columns + c] * (logarithm ? 1 : std::exp(Wide(x[i * columns + c])) / total);
    for (long i = 0; i < n; ++i) {
      const long e = i * columns + c;
      const Wide share = std::exp(Wide(x[e])) / total, slope = dy[e];
      CHECK_CLOSE(double(y[e]), double(logarithm ? std::log(share) : share), tolerance<T>);
      CHECK_CLOSE(double(dx[e]), double(1 + (logarithm ? slope - share * product : share * (slope - product))),
                  4 * tolerance<T>);
    }
  }
}

template <typename T>
void compare_all() {
  for (const long n : {1, 3, 8, 16, 21, 70})
    for (const Combination c : {Combination::add, Combination::divide, Combination::maximum, Combination::power}) {
      compare_rows_of_pairs<T>(c, n);
      compare_sums_over_rows<T>(c, n);
    }
  for (const bool flag : {false, true}) {
    compare_binary<T>(flag);
    for (const long n : {1, 2, 10, 16, 37}) {
      compare_categorical<T>(flag, n);
      compare_columns<T>(flag, 6, n);
    }
  }
}

}  // namespace

TEST(pairs_losses_and_columns_equal_the_plain_formulas_on_every_instruction_set) {
  on_every_isa([] {
    compare_all<float>();
    compare_all<double>();
  });
}
