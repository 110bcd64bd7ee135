// The vector functions of every instruction set against those of the standard library.
#include <cstring>
#include <limits>
#include <vector>

#include "check.h"
#include "each_isa.h"

using namespace birnn;

namespace {

// Finite numbers of all magnitudes and both signs, dense where functions bend, and the special ones.
template <typename T>
std::vector<T> arguments() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x = {0, Limits::infinity(), Limits::denorm_min(), Limits::min(), Limits::max(), 1, Limits::epsilon()};
  for (int e = Limits::min_exponent - 20; e < Limits::max_exponent; e += sizeof(T) == 4 ? 3 : 29)
    for (int step = 0; step < 3; ++step) x.push_back(std::ldexp(T(1) + T(0.3) * T(step), e));
  for (int step = 1; step < 6000; ++step) x.push_back(T(step) * T(0.00497));
  for (int step = 1; step < 800; ++step) x.push_back(T(step) * T(0.993));
  const std::size_t positive = x.size();
  for (std::size_t k = 0; k < positive; ++k) x.push_back(-x[k]);
  x.push_back(Limits::quiet_NaN());
  return x;
}

using Wide = long double;

// Not everywhere: valgrind computes it as double, and then there is nothing to compare with.
bool wide_is_wider() {
  volatile Wide tiny = std::numeric_limits<double>::epsilon() / 1024;
  return tiny + 1 != 1;
}

// The largest relative error beyond `quantum`, the distance of the smallest numbers.
template <typename T>
double worst_error(Function function, Wide (*exact)(Wide), T low, T high) {
  const T none[3] = {0, 0, 0};
  const std::vector<T> x = arguments<T>();
  std::vector<T> y(x.size());
  tier().elements->of<T>().value(function, none, static_cast<long>(x.size()), x.data(), y.data());
  double worst = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const Wide wanted = exact(static_cast<Wide>(x[k]));
    if (x[k] < low || x[k] > high) continue;
    const T rounded = static_cast<T>(wanted);
    if (std::isnan(rounded) || std::isinf(rounded) || rounded == 0) {
      const bool same = std::isnan(rounded) ? std::isnan(y[k])
                        : rounded == 0      ? std::fabs(y[k]) <= std::numeric_limits<T>::denorm_min()
                                            : rounded == y[k];
      if (!same) worst = std::numeric_limits<double>::infinity();
      continue;
    }
    const Wide quantum = std::numeric_limits<T>::denorm_min();
    const Wide error = std::fabs(static_cast<Wide>(y[k]) - wanted);
    const double relative = static_cast<double>((error - quantum) / std::fabs(wanted));
    if (!(relative <= worst)) worst = relative;
  }
  return worst;
}

Wide exact_sigmoid(Wide x) { return 1 / (1 + std::exp(-x)); }
Wide exact_softplus(Wide x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
Wide exact_gelu(Wide x) { return x * std::erfc(-x / std::sqrt(Wide(2))) / 2; }
Wide exact_exp(Wide x) { return std::exp(x); }
Wide exact_expm1(Wide x) { return std::expm1(x); }
Wide exact_log(Wide x) { return std::log(x); }
Wide exact_log1p(Wide x) { return std::log1p(x); }
Wide exact_tanh(Wide x) { return std::tanh(x); }
Wide exact_erf(Wide x) { return std::erf(x); }
Wide exact_sine(Wide x) { return std::sin(x); }
Wide exact_cosine(Wide x) { return std::cos(x); }
Wide exact_log2(Wide x) { return std::log2(x); }
Wide exact_log10(Wide x) { return std::log10(x); }

template <typename T>
void compare_all() {
  const double tolerance = sizeof(T) == 4 ? 4.2e-7 : 1e-15;
  const T all = std::numeric_limits<T>::infinity(), tail = sizeof(T) == 4 ? T(-8) : T(-10);
  const struct {
    Function function;
    Wide (*exact)(Wide);
    T low, high;
    double tolerance;
  } cases[] = {{Function::exponential, exact_exp, -all, all, tolerance},
               {Function::expm1, exact_expm1, -all, all, tolerance},
               {Function::log, exact_log, -all, all, tolerance},
               {Function::log1p, exact_log1p, -all, all, tolerance},
               {Function::tanh, exact_tanh, -all, all, tolerance},
               {Function::sigmoid, exact_sigmoid, sizeof(T) == 4 ? T(-88) : T(-708), all, tolerance},
               {Function::softplus, exact_softplus, -all, all, tolerance},
               {Function::erf, exact_erf, -all, all, tolerance},
               {Function::sine, exact_sine, -all, all, tolerance},
               {Function::cosine, exact_cosine, -all, all, tolerance},
               {Function::log2, exact_log2, -all, all, 1.3 * tolerance},
               {Function::log10, exact_log10, -all, all, 1.3 * tolerance},
               {Function::gelu, exact_gelu, tail, all, 20 * tolerance}};  // the rounding of x / sqrt(2) is magnified
  for (const auto& c : cases) {
    const double error = worst_error<T>(c.function, c.exact, c.low, c.high);
    check::report(error <= c.tolerance, __FILE__, __LINE__,
                  isa() + " function " + std::to_string(static_cast<int>(c.function)) + " has the error " +
                      std::to_string(error / c.tolerance) + " tolerances");
  }
}

template <typename T>
T power(T a, T b) {
  T y;
  tier().arrays->of<T>().combine(Combination::power, 1, 1, {&a, 1, &b, 0}, &y);
  return y;
}

// Against the standard library: numbers of all sizes, and every pair of special numbers.
template <typename T>
void compare_powers() {
  using Limits = std::numeric_limits<T>;
  const T infinity = Limits::infinity();
  const std::vector<T> special = {0,
                                  T(-0.0),
                                  1,
                                  -1,
                                  2,
                                  -2,
                                  T(0.5),
                                  T(-0.5),
                                  3,
                                  -3,
                                  T(1e9),
                                  T(-1e9),
                                  Limits::max(),
                                  infinity,
                                  -infinity,
                                  Limits::min(),
                                  Limits::quiet_NaN()};
  for (const T a : special)
    for (const T b : special) {
      const T wanted = std::pow(a, b), given = power(a, b);
      CHECK_MESSAGE(
          std::isnan(wanted) ? std::isnan(given) : std::fabs(given - wanted) <= T(1e-6) * wanted || given == wanted,
          isa() + ": " + std::to_string(a) + " ^ " + std::to_string(b) + " = " + std::to_string(given));
    }
  double worst = 0;
  for (int i = 1; i < 400; ++i)
    for (int j = -60; j <= 60; ++j) {
      const T a = T(i * i) * T(0.00137), b = T(j) * T(0.31);
      const Wide wanted = std::pow(static_cast<Wide>(a), static_cast<Wide>(b));
      if (wanted < Limits::min() || wanted > Limits::max()) continue;
      worst = std::max(worst, static_cast<double>(std::fabs(static_cast<Wide>(power(a, b)) - wanted) / wanted));
    }
  CHECK_CLOSE(worst, 0.0, sizeof(T) == 4 ? 1e-7 : 2e-16);
}

// What is whole before, or becomes so, is exact.
template <typename T>
void check_whole_numbers() {
  const T none[3] = {0, 0, 0};
  const auto value = [&](Function function, T x) {
    T y;
    tier().elements->of<T>().value(function, none, 1, &x, &y);
    return y;
  };
  for (const T size : arguments<T>()) {
    if (std::isnan(size)) continue;
    for (const T x : {size, size / 2, size + T(0.5)}) {
      CHECK(value(Function::floor, x) == std::floor(x) && value(Function::ceiling, x) == std::ceil(x));
      CHECK(value(Function::round, x) == std::nearbyint(x));
      CHECK(std::signbit(value(Function::ceiling, x)) == std::signbit(std::ceil(x)));
      CHECK(value(Function::sign, x) == T(x > 0) - T(x < 0));
    }
  }
  for (const Function function : {Function::floor, Function::ceiling, Function::round, Function::sign})
    CHECK(std::isnan(value(function, std::numeric_limits<T>::quiet_NaN())));
  for (int n = -30; n <= 30; ++n) CHECK(value(Function::log2, std::ldexp(T(1), n)) == T(n));
  if (sizeof(T) == 4)
    for (int n = 0; n <= 10; ++n) CHECK(value(Function::log10, static_cast<T>(std::pow(10.0, n))) == T(n));
}

}  // namespace

TEST(vector_functions_are_exact_but_for_rounding_on_every_instruction_set) {
  if (!wide_is_wider()) return;
  on_every_isa([] {
    compare_all<float>();
    compare_all<double>();
  });
}

TEST(powers_are_those_of_the_standard_library_on_every_instruction_set) {
  if (!wide_is_wider()) return;
  on_every_isa([] {
    compare_powers<float>();
    compare_powers<double>();
  });
}

TEST(steps_and_logarithms_of_powers_are_exact_on_every_instruction_set) {
  on_every_isa([] {
    check_whole_numbers<float>();
    check_whole_numbers<double>();
  });
}
