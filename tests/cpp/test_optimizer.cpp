// Update rules against the table of three steps in Keras: w0 = (1, -2, 3) and the gradients below.
#include <cmath>
#include <limits>

#include "each_isa.h"
#include "op_run.h"
#include "optimizer.h"

using namespace birnn_test;

namespace {

const std::vector<std::vector<double>> gradients = {{.1, -.2, .3}, {.3, .1, -5}, {0, 1, .2}};

using Numbers = std::map<std::string, double>;

std::vector<double> three_steps(const std::string& kind, double rate, Numbers numbers,
                                const std::vector<std::string>& slots, double start = 0) {
  Attrs spec;
  spec.set("kind", std::vector<std::string>{kind});
  for (const auto& entry : numbers) spec.set(entry.first, std::vector<double>{entry.second});
  Tensor w = Tensor::of(DType::float64, Shape{3}, {1, -2, 3}), product = Tensor::of(DType::float64, Shape{}, {1});
  std::vector<Tensor> slot_values;
  for (std::size_t k = 0; k < slots.size(); ++k)
    slot_values.push_back(Tensor::of(DType::float64, Shape{3}, {start, start, start}));
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    const Tensor g = Tensor::of(DType::float64, Shape{3}, gradients[step]);
    Parameter parameter{w.view(), g.view(), {}};
    for (std::size_t k = 0; k < slots.size(); ++k) parameter.slots.emplace_back(slots[k], slot_values[k].view());
    std::vector<Parameter> parameters{parameter};
    optimizer_step(spec, static_cast<int64>(step), rate, parameters, kind == "nadam" ? product.view() : View());
  }
  return {w.get(0), w.get(1), w.get(2)};
}

void expect(const std::vector<double>& got, const std::vector<double>& wanted) {
  for (std::size_t k = 0; k < 3; ++k) CHECK_CLOSE(got[k], wanted[k], 1.5e-6);  // the table is float32
}

Numbers adam(Numbers more = {}) {
  Numbers all = {{"beta_1", .9}, {"beta_2", .999}, {"epsilon", 1e-7}};
  all.insert(more.begin(), more.end());
  return all;
}

}  // namespace

TEST(optimizer_sgd) {
  expect(three_steps("sgd", .1, {}, {}), {.96, -2.09, 3.45});
  expect(three_steps("sgd", .1, {{"momentum", .9}}, {"momentum"}), {.9159, -2.0648, 3.8487});
  expect(three_steps("sgd", .1, {{"momentum", .9}, {"nesterov", 1}}, {"momentum"}), {.88431, -2.14832, 4.21383});
}

TEST(optimizer_rmsprop) {
  expect(three_steps("rmsprop", .01, {{"rho", .9}, {"epsilon", 1e-7}}, {"velocity"}), {.938228, -2.014109, 2.998619});
  expect(three_steps("rmsprop", .01, {{"rho", .9}, {"epsilon", 1e-7}, {"momentum", .5}},
                     {"velocity", "momentum", "average_gradient"}),
         {.892510, -1.996293, 2.989908});
}

TEST(optimizer_adam_family) {
  expect(three_steps("adam", .01, adam(), {"momentum", "velocity"}), {.973728, -1.993123, 3.0022});
  expect(three_steps("adam", .01, adam(), {"momentum", "velocity", "velocity_hat"}), {.973732, -1.993123, 3.0022});
  expect(three_steps("adam", .01, adam({{"weight_decay", .004}}), {"momentum", "velocity"}),
         {.973610, -1.992883, 3.00184});
  expect(three_steps("nadam", .01, adam(), {"momentum", "velocity"}), {.978393, -2.00366, 2.99991});
  expect(three_steps("adamax", .01, adam(), {"momentum", "norm"}), {.978836, -1.991317, 2.997976});
}

TEST(optimizer_adaptive_and_sign_rules) {
  expect(three_steps("adagrad", .1, {{"epsilon", 1e-7}}, {"accumulator"}, .1), {.902767, -2.065618, 3.026816});
  expect(three_steps("adadelta", 1, {{"rho", .95}, {"epsilon", 1e-7}}, {"accumulated_grad", "accumulated_delta_var"}),
         {.996684, -2.001626, 3.000467});
  expect(three_steps("lion", .01, {{"beta_1", .9}, {"beta_2", .99}}, {"momentum"}), {.97, -2.01, 3.01});
}

TEST(optimizer_clipping_decay_average_accumulation) {
  expect(three_steps("sgd", .1, {{"weight_decay", .1}}, {}), {.930798, -2.030896, 3.356494});
  expect(three_steps("sgd", .1, {{"clipnorm", 1}}, {}), {.984012, -2.080054, 3.050189});
  expect(three_steps("sgd", .1, {{"global_clipnorm", 1}}, {}), {.984012, -2.080054, 3.050189});
  expect(three_steps("sgd", .1, {{"clipvalue", .15}}, {}), {.975, -2.01, 2.985});
  expect(three_steps("sgd", .1, {{"use_ema", 1}, {"ema_momentum", .9}, {"ema_overwrite_frequency", 2}}, {"average"}),
         {.987, -2.081, 3.0});
  expect(three_steps("sgd", .1, {{"gradient_accumulation_steps", 2}}, {"gradient_accumulator"}), {.98, -1.995, 3.235});
}

TEST(optimizer_clips_gradients_whose_squares_overflow) {
  for (const char* clip : {"clipnorm", "global_clipnorm"}) {
    const Tensor w = Tensor::of(DType::float64, Shape{2}, {0, 0});
    const Tensor g = Tensor::of(DType::float64, Shape{2}, {3e200, -4e200});
    std::vector<Parameter> parameters{Parameter{w.view(), g.view(), {}}};
    Attrs spec;
    spec.set("kind", std::vector<std::string>{"sgd"});
    spec.set(clip, std::vector<double>{1});
    optimizer_step(spec, 0, 1, parameters, View());
    CHECK_CLOSE(w.get(0), -.6, 1e-12);
    CHECK_CLOSE(w.get(1), .8, 1e-12);
  }
}

TEST(optimizer_sees_what_is_not_finite) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const DType dtype : {DType::float32, DType::float64}) {
    CHECK(all_finite(Tensor::of(dtype, Shape{3}, {1, -1e30, 0}).view()));
    CHECK(!all_finite(Tensor::of(dtype, Shape{3}, {1, inf, 0}).view()));
    CHECK(!all_finite(Tensor::of(dtype, Shape{3}, {std::nan(""), 1, -inf}).view()));
  }
  CHECK(all_finite(View()));
}

TEST(optimizer_sees_what_is_not_finite_wherever_it_stands) {
  on_every_isa([] {
    for (DType dtype : {DType::float32, DType::float64})
      for (int64 n : {1, 3, 16, 67, 133}) {
        Tensor x = Tensor::of(dtype, Shape{n}, std::vector<double>(static_cast<std::size_t>(n), -3e38));
        CHECK(all_finite(x.view()));
        for (int64 at = 0; at < n; ++at) {
          x.set(at, std::numeric_limits<double>::infinity());
          CHECK(!all_finite(x.view()));
          x.set(at, std::nan(""));
          CHECK(!all_finite(x.view()));
          x.set(at, -3e38);
        }
      }
  });
}

// Two gradients make one update by their mean; the average is w at first, then m average + (1 - m) w.
TEST(optimizer_accumulates_and_averages_arrays_of_any_length) {
  on_every_isa([] {
    for (int64 n : {1, 5, 16, 37}) {
      const std::size_t size = static_cast<std::size_t>(n);
      Attrs spec;
      spec.set("kind", std::vector<std::string>{"sgd"});
      spec.set("gradient_accumulation_steps", std::vector<double>{2});
      spec.set("use_ema", std::vector<double>{1});
      spec.set("ema_momentum", std::vector<double>{.75});
      std::vector<double> start(size);
      for (std::size_t i = 0; i < size; ++i) start[i] = static_cast<double>(i);
      Tensor w = Tensor::of(DType::float32, Shape{n}, start);
      Tensor sum = Tensor::of(DType::float32, Shape{n}, std::vector<double>(size, 0));
      Tensor mean = Tensor::of(DType::float32, Shape{n}, std::vector<double>(size, 0));
      const auto step = [&](int64 iteration, double gradient) {
        const Tensor g = Tensor::of(DType::float32, Shape{n}, std::vector<double>(size, gradient));
        std::vector<Parameter> p{
            {w.view(), g.view(), {{"gradient_accumulator", sum.view()}, {"average", mean.view()}}}};
        optimizer_step(spec, iteration, 1, p, View());
      };
      step(0, 1);
      for (int64 i = 0; i < n; ++i) CHECK(w.get(i) == start[i] && sum.get(i) == 1 && mean.get(i) == start[i]);
      step(1, 3);
      for (int64 i = 0; i < n; ++i) CHECK(w.get(i) == start[i] - 2 && sum.get(i) == 0);
      step(2, 8);
      step(3, 4);
      for (int64 i = 0; i < n; ++i)
        CHECK(w.get(i) == start[i] - 8 && mean.get(i) == .75 * (start[i] - 2) + .25 * (start[i] - 8));
    }
  });
}

TEST(optimizer_leaves_a_parameter_without_gradient_alone) {
  const Tensor w = Tensor::of(DType::float32, Shape{2}, {1, 2});
  std::vector<Parameter> parameters{Parameter{w.view(), View(), {}}};
  Attrs spec;
  spec.set("kind", std::vector<std::string>{"sgd"});
  spec.set("weight_decay", std::vector<double>{.5});
  optimizer_step(spec, 0, .1, parameters, View());
  CHECK(w.get(0) == 1 && w.get(1) == 2);
}

TEST(optimizer_of_an_unknown_kind_is_an_error) {
  CHECK_ERROR(three_steps("adamm", .1, {}, {}), "value");
}
