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
               {Function::gelu, exact_gelu, tail, all, 20 * tolerance}};  // the rounding of x / sqrt(2) is magnified
  for (const auto& c : cases) {
    const double error = worst_error<T>(c.function, c.exact, c.low, c.high);
    check::report(error <= c.tolerance, __FILE__, __LINE__,
                  isa() + " function " + std::to_string(static_cast<int>(c.function)) + " has the error " +
                      std::to_string(error / c.tolerance) + " tolerances");
  }
}

}  // namespace

TEST(vector_functions_are_exact_but_for_rounding_on_every_instruction_set) {
  if (!wide_is_wider()) return;
  on_every_isa([] {
    compare_all<float>();
    compare_all<double>();
  });
}
