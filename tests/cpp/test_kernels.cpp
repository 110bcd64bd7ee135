// Activations and random numbers.
#include <limits>
#include <vector>

#include "activation.h"
#include "check.h"
#include "each_isa.h"
#include "random.h"

using namespace birnn;

namespace {

const std::vector<std::string> activation_names = {
    "linear",      "tanh",        "sigmoid",      "relu",       "relu6",       "leaky_relu",    "elu",
    "selu",        "celu",        "softplus",     "softsign",   "silu",        "gelu",          "gelu_tanh",
    "exponential", "log_sigmoid", "hard_sigmoid", "hard_silu",  "hard_tanh",   "mish",          "tanh_shrink",
    "soft_shrink", "hard_shrink", "threshold",    "squareplus", "sparse_plus", "sparse_sigmoid"};

double value(const std::string& name, double x) {
  const Activation a = activation_from_name(name);
  return activate(a, activation_params<double>(a).data(), x);
}

}  // namespace

TEST(activation_slopes_are_the_derivatives) {
  for (const std::string& name : activation_names) {
    const Activation a = activation_from_name(name);
    const ActivationParams<double> p = activation_params<double>(a);
    for (double x = -7.01; x < 8; x += 0.37) {
      const double y = activate(a, p.data(), x), step = 1e-6;
      const double difference = (activate(a, p.data(), x + step) - activate(a, p.data(), x - step)) / (2 * step);
      CHECK_CLOSE(activation_slope(a, p.data(), x, y), difference, 1e-8);
      if (slope_from_value(a)) CHECK(activation_slope(a, p.data(), y, y) == activation_slope(a, p.data(), x, y));
      CHECK_CLOSE(activate(a, activation_params<float>(a).data(), float(x)), y, 2e-6);
    }
  }
}

TEST(activations_know_their_names_and_parameters) {
  CHECK(activation_from_name("swish") == Activation::silu);
  CHECK(activation_from_name("hard_swish") == Activation::hard_silu);
  CHECK_ERROR(activation_from_name("softmax"), "value");
  const ActivationParams<double> p = activation_params<double>(Activation::relu, {0.1, 2, 1});
  CHECK_CLOSE(activate(Activation::relu, p.data(), 0.5), -0.05, 1e-15);
  CHECK_CLOSE(activate(Activation::relu, p.data(), 1.5), 1.5, 0);
  CHECK_CLOSE(activate(Activation::relu, p.data(), 3.0), 2.0, 0);
  CHECK_ERROR(activation_params<double>(Activation::relu, {1, 2, 3, 4}), "value");
}

TEST(activations_saturate_exactly_and_propagate_nan) {
  const float zero_params[max_activation_params] = {};
  CHECK(activate(Activation::sigmoid, zero_params, 100.0f) == 1.0f);
  CHECK(activate(Activation::sigmoid, zero_params, -100.0f) == 0.0f);
  CHECK(activate(Activation::tanh, zero_params, 50.0f) == 1.0f);
  CHECK(activate(Activation::tanh, zero_params, -50.0f) == -1.0f);
  CHECK(value("sigmoid", -1000) == 0 && value("sigmoid", 1000) == 1);
  CHECK(value("softplus", 1000) == 1000 && value("softplus", -1000) == 0);
  CHECK(value("log_sigmoid", -1000) == -1000);
  CHECK(value("gelu", -1000) == 0 && value("silu", -1e4) == 0 && value("mish", -1e4) == 0);
  for (const std::string& name : activation_names)
    CHECK(std::isnan(value(name, std::numeric_limits<double>::quiet_NaN())));
}

TEST(activations_of_arrays_equal_the_scalar_form) {
  const std::vector<double> x = {-4, -1, -0.3, 0, 0.2, 1, 5};
  const std::int64_t n = static_cast<std::int64_t>(x.size());
  for (const std::string& name : activation_names) {
    const Activation a = activation_from_name(name);
    const ActivationParams<double> p = activation_params<double>(a);
    std::vector<double> y = x, slope(x.size());
    activate_all(a, p.data(), n, y.data(), y.data());
    slope_all(a, p.data(), n, x.data(), y.data(), slope.data());
    for (std::size_t e = 0; e < x.size(); ++e) {
      CHECK(y[e] == activate(a, p.data(), x[e]));
      CHECK(slope[e] == activation_slope(a, p.data(), x[e], y[e]));
    }
  }
}

TEST(philox_gives_the_published_numbers) {
  CHECK((philox(0, 0, 0) == PhiloxBlock{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  CHECK((philox(~0ull, ~0ull, ~0ull) == PhiloxBlock{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  CHECK((philox(0x299f31d0a4093822ull, 0x85a308d3243f6a88ull, 0x0370734413198a2eull) ==
         PhiloxBlock{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

TEST(random_words_and_masks_are_the_same_on_every_instruction_set) {
  const std::uint64_t key = random_key(11, 4), first = 0xfffffffeull;  // the counter goes beyond 32 bits
  on_every_isa([&] {
    for (const long blocks : {1, 2, 3, 8, 9, 31}) {
      std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * blocks));
      tier().random->words(key, first, blocks, words.data());
      for (long e = 0; e < 4 * blocks; ++e)
        CHECK(words[e] == philox(key, first + static_cast<std::uint64_t>(e / 4))[static_cast<std::size_t>(e % 4)]);
      std::vector<float> mask(words.size());
      tier().random->mask(4 * blocks, words.data(), 1 << 22, 1.5f, mask.data());
      for (std::size_t e = 0; e < words.size(); ++e) CHECK(mask[e] == (uniform_float(words[e]) >= 0.25f ? 1.5f : 0.0f));
    }
  });
}

// The vectors against the numbers one by one; and against those of the first instruction set, to the bit.
template <typename T, typename Normals>
void compare_normals(Normals normals, std::vector<T>& first_isa) {
  const std::uint64_t key = random_key(3, 1);
  for (const long n : {1, 2, 5, 16, 31, 4099}) {
    std::vector<T> y(static_cast<std::size_t>(n) + 1, T(77));
    normals(key, n, T(0.5), T(2), y.data());
    CHECK(y.back() == T(77));
    for (long e = 0; e < n; ++e) {
      const std::size_t at = static_cast<std::size_t>(e);
      CHECK_CLOSE(y[at], T(0.5) + T(2) * normal01<T>(key, static_cast<std::uint64_t>(e)),
                  sizeof(T) == 4 ? 2e-7 : 4e-15);
      if (at == first_isa.size()) first_isa.push_back(y[at]);
      CHECK(y[at] == first_isa[at]);
    }
  }
}

TEST(normal_numbers_are_the_same_on_every_instruction_set) {
  std::vector<float> floats;
  std::vector<double> doubles, quantiles;
  on_every_isa([&] {
    compare_normals(tier().random->normal_floats, floats);
    compare_normals(tier().random->normal_doubles, doubles);
    std::vector<double> p;
    for (int k = 1; k < 1000; ++k) p.push_back(k / 1000.0);
    std::vector<double> x = p;
    tier().random->normal_quantiles(static_cast<long>(x.size()), x.data());
    for (std::size_t k = 0; k < p.size(); ++k) CHECK_CLOSE(0.5 * std::erfc(-x[k] / std::sqrt(2.0)), p[k], 1e-15);
    if (quantiles.empty()) quantiles = x;
    CHECK(x == quantiles);
  });
}

TEST(random_numbers_have_their_moments) {
  const std::uint64_t key = random_key(-7, 3);
  const int n = 200000;
  double mean = 0, square = 0, normal_mean = 0, normal_square = 0, normal_fourth = 0;
  for (int e = 0; e < n; ++e) {
    const double u = e % 2 == 0 ? uniform01<double>(key, e) : uniform01<float>(key, e);
    CHECK(u >= 0 && u < 1);
    mean += u / n;
    square += u * u / n;
    const double z = normal01<double>(key, e);
    normal_mean += z / n;
    normal_square += z * z / n;
    normal_fourth += z * z * z * z / n;
  }
  CHECK_CLOSE(mean, 0.5, 0.003);
  CHECK_CLOSE(square, 1.0 / 3, 0.003);
  CHECK_CLOSE(normal_mean, 0.0, 0.01);
  CHECK_CLOSE(normal_square, 1.0, 0.02);
  CHECK_CLOSE(normal_fourth, 3.0, 0.04);
  CHECK(random_key(1, 2) != random_key(2, 1));
}
