// The `recurrent` op against an independent implementation and central differences, over random layers.
#include <cmath>

#include "check.h"
#include "each_isa.h"
#include "merge.h"
#include "recurrent.h"
#include "recurrent_case.h"

using namespace birnn_test;

namespace {

double weight(std::size_t output, int64 element) {
  return std::sin(0.91 * static_cast<double>(element) + 0.7 * static_cast<double>(output) + 0.3);
}

double weighted_sum(const std::vector<Tensor>& out) {
  double sum = 0;
  for (std::size_t k = 0; k < out.size(); ++k)
    for (int64 e = 0; e < out[k].count(); ++e) sum += weight(k, e) * out[k].get(e);
  return sum;
}

std::vector<Tensor> output_gradients(const Run& run) {
  std::vector<Tensor> dout;
  for (std::size_t k = 0; k < run.out().size(); ++k) {
    dout.emplace_back(run.out()[k].meta().dtype, run.out()[k].meta().shape);
    for (int64 e = 0; e < dout[k].count(); ++e) dout[k].set(e, weight(k, e));
  }
  return dout;
}

// Which inputs have gradients: x, weights and states.
bool is_differentiable(std::size_t input) { return input == 0 || (input >= 2 && (input - 2) % 7 < 5); }

std::vector<Tensor> gradient_buffers(const std::vector<Tensor>& in, double start) {
  std::vector<Tensor> din(in.size());
  for (std::size_t i = 0; i < in.size(); ++i)
    if (is_differentiable(i) && !in[i].absent()) {
      din[i] = Tensor(in[i].meta().dtype, in[i].meta().shape);
      din[i].fill(start);
    }
  return din;
}

void check_outputs(const LayerCase& c, const std::vector<Tensor>& in, double tolerance) {
  const std::vector<std::vector<double>> expected = reference_outputs(c, in);
  for (const bool training : {false, true}) {
    const std::vector<Tensor> out = forward_outputs(c, in, training);
    CHECK_MESSAGE(out.size() == expected.size(), describe(c));
    for (std::size_t k = 0; k < out.size(); ++k)
      for (int64 e = 0; e < out[k].count(); ++e)
        CHECK_MESSAGE(check::close(out[k].get(e), expected[k][static_cast<std::size_t>(e)], tolerance),
                      "output " + std::to_string(k) + " of " + describe(c));
  }
}

void check_gradients(const LayerCase& c, std::vector<Tensor> in) {
  const Run run("recurrent", c.attrs(), in);
  const std::vector<Tensor> din = gradient_buffers(in, 55);
  run.backward(output_gradients(run), din, false);
  const double step = 6e-6;
  for (std::size_t i = 0; i < in.size(); ++i)
    for (int64 e = 0; e < (din[i].absent() ? 0 : in[i].count()); ++e) {
      const double x = in[i].get(e);
      in[i].set(e, x + step);
      const double above = weighted_sum(forward_outputs(c, in, false));
      in[i].set(e, x - step);
      const double below = weighted_sum(forward_outputs(c, in, false));
      in[i].set(e, x);
      CHECK_MESSAGE(check::close(din[i].get(e), (above - below) / (2 * step), 1e-7),
                    "gradient of input " + std::to_string(i) + " of " + describe(c));
    }
}

// Float numbers, in float64.
std::vector<Tensor> in_float64(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> out;
  for (const Tensor& tensor : tensors)
    out.push_back(tensor.absent() || tensor.meta().dtype != DType::float32
                      ? tensor
                      : Tensor::of(DType::float64, tensor.meta().shape, tensor.values()));
  return out;
}

// The largest difference, as a part of the largest number, or of 1.
double distance(const Tensor& got, const Tensor& expected) {
  double largest = 1, error = 0;
  for (int64 e = 0; e < (expected.absent() ? 0 : expected.count()); ++e) {
    largest = std::max(largest, std::fabs(expected.get(e)));
    const double difference = std::fabs(got.get(e) - expected.get(e));
    error = std::isnan(difference) ? difference : std::max(error, difference);
  }
  return error / largest;
}

struct Passes {
  std::vector<Tensor> out, din;
};
// Outputs, then gradients for the same gradients of the outputs whatever the type of the numbers.
Passes both_passes(const LayerCase& c, const std::vector<Tensor>& in, bool fast) {
  set_fast_path(fast);
  const Run run("recurrent", c.attrs(), in);
  Passes passes{run.out(), gradient_buffers(in, 55)};
  run.backward(output_gradients(run), passes.din, false);
  if (fast) {
    const std::vector<Tensor> predicted = forward_outputs(c, in, false);
    for (std::size_t k = 0; k < predicted.size(); ++k)
      CHECK_MESSAGE(predicted[k].same_bits(run.out()[k]), "prediction and training of " + describe(c));
  }
  set_fast_path(true);
  return passes;
}

void check_near(const LayerCase& c, const Passes& got, const Passes& expected, double tolerance) {
  const auto check_all = [&](const auto& part, const char* what) {
    for (std::size_t k = 0; k < part(got).size(); ++k) {
      const double error = distance(part(got)[k], part(expected)[k]);
      CHECK_MESSAGE(error <= tolerance, isa() + ", " + what + " " + std::to_string(k) + " of " + describe(c) +
                                            ", error " + std::to_string(error / tolerance) + " tolerances");
    }
  };
  check_all([](const Passes& p) -> const std::vector<Tensor>& { return p.out; }, "output");
  check_all([](const Passes& p) -> const std::vector<Tensor>& { return p.din; }, "gradient of input");
}

// Both types on the fast path against double on the readable one.
void check_fast_path(const LayerCase& c, const std::vector<Tensor>& in) {
  const std::vector<Tensor> single = in_float32(in), same = in_float64(single);
  const Passes expected = both_passes(c, same, false);
  check_near(c, both_passes(c, single, true), expected, 3e-6);
  check_near(c, both_passes(c, same, true), expected, 1e-12);
}

void scale(Tensor& tensor, double factor) {
  for (int64 e = 0; e < (tensor.absent() ? 0 : tensor.count()); ++e) tensor.set(e, factor * tensor.get(e));
}

// Recurrent kernels scaled down: with large ones rounding errors grow from step to step, in any arithmetic.
std::vector<Tensor> contracting(std::vector<Tensor> in, int64 units) {
  for (const std::size_t kernel : {3, 10}) scale(in[kernel], 1 / std::sqrt(static_cast<double>(units)));
  return in;
}

// Every cell, mask, merge mode and option that the fast path takes, in `units` of each direction.
void check_fast_paths(int64 units, Draws& draws) {
  for (const std::string& cell : cell_kinds)
    for (const MaskKind mask : {MaskKind::none, MaskKind::right, MaskKind::left, MaskKind::gaps})
      for (const std::string merge : {"none", "concat", "mul"})
        for (const int options : {0, 1, 2, 3}) {
          LayerCase c;
          const std::vector<int64> batches = {1, 2, 3, 7, 21};
          c.batch = batches[static_cast<std::size_t>(draws.whole(5))];
          c.time = mask == MaskKind::none && options == 0 ? 41 : 6;
          c.features = 1 + draws.whole(11);
          c.merge = merge;
          c.mask = c.batch == 1 ? MaskKind::none : mask;
          c.return_sequences = options % 2 == 0;
          DirectionCase& d = c.directions[0];
          d.set_kind(cell);
          d.units = units;
          d.states = options < 2;
          d.bias = options != 3;
          d.x_masks = options == 1 ? 1 : 0;
          d.zero_output = draws.coin();
          c.directions.push_back(d);
          c.directions[1].go_backwards = true;
          check_fast_path(c, contracting(draw_inputs(c, draws), units));
        }
}

// A layer of two directions with what the rest of a table does not name left to chance.
LayerCase drawn_layer(const std::string& cell, int64 units, Draws& draws) {
  LayerCase c;
  const std::vector<int64> batches = {1, 2, 3, 7, 21};
  c.batch = batches[static_cast<std::size_t>(draws.whole(5))];
  c.time = 5;
  c.features = 1 + draws.whole(11);
  c.merge = draws.coin() ? "concat" : "none";
  c.mask = c.batch == 1 ? MaskKind::none : static_cast<MaskKind>(draws.whole(5));
  c.return_sequences = draws.coin();
  DirectionCase& d = c.directions[0];
  d.set_kind(cell);
  d.units = units;
  d.states = draws.coin();
  d.bias = draws.coin();
  d.zero_output = draws.coin();
  c.directions.push_back(d);
  c.directions[1].go_backwards = true;
  return c;
}

// Every number of dropout masks, with every cell and mask.
void check_dropout(int64 units, Draws& draws) {
  for (const std::string& cell : cell_kinds)
    for (const MaskKind mask : {MaskKind::none, MaskKind::right, MaskKind::left, MaskKind::gaps})
      for (const int x_masks : {0, 1, 2})
        for (const int h_masks : {0, 1, 2}) {
          LayerCase c = drawn_layer(cell, units, draws);
          if (c.batch > 1) c.mask = mask;
          if (mask == MaskKind::none && c.batch == 21) c.time = 41;
          for (DirectionCase& d : c.directions) {
            d.x_masks = x_masks == 2 ? d.gates() : x_masks;
            d.h_masks = h_masks == 2 ? d.gates() : h_masks;
          }
          check_fast_path(c, contracting(draw_inputs(c, draws), units));
        }
}

const std::vector<std::string> all_activations = {
    "linear",      "tanh",        "sigmoid",      "relu",       "relu6",       "leaky_relu",    "elu",
    "selu",        "celu",        "softplus",     "softsign",   "silu",        "gelu",          "gelu_tanh",
    "exponential", "log_sigmoid", "hard_sigmoid", "hard_silu",  "hard_tanh",   "mish",          "tanh_shrink",
    "soft_shrink", "hard_shrink", "threshold",    "squareplus", "sparse_plus", "sparse_sigmoid"};

// Every activation in either place and in both, with every cell, with and without recurrent dropout.
void check_activations(int64 units, Draws& draws) {
  for (const std::string& cell : cell_kinds)
    for (const std::string& name : all_activations)
      for (const int place : {1, 2, 3})
        for (const bool dropout : {false, true}) {
          LayerCase c = drawn_layer(cell, units, draws);
          c.time = name == "exponential" ? 2 : 4;
          for (DirectionCase& d : c.directions) {
            if (place != 2) d.activation = name;
            if (place != 1) d.recurrent_activation = name;
            if (dropout) d.h_masks = d.x_masks = d.gates();
          }
          std::vector<Tensor> in = contracting(draw_inputs(c, draws), units);
          // With unbounded gates states grow from step to step, and errors with them.
          for (const std::size_t weights : {2, 3, 4, 9, 10, 11}) scale(in[weights], name == "exponential" ? 0.1 : 0.4);
          check_fast_path(c, in);
        }
}

}  // namespace

TEST(recurrent_fast_path_equals_the_readable_one) {
  Draws draws(20);
  on_every_isa([&] {
    for (const int64 units : {1, 3, 4, 8, 9, 16, 21, 33, 64}) check_fast_paths(units, draws);
  });
}

TEST(recurrent_fast_path_with_dropout_equals_the_readable_one) {
  Draws draws(30);
  on_every_isa([&] {
    for (const int64 units : {1, 4, 9, 21, 64}) check_dropout(units, draws);
  });
}

TEST(recurrent_fast_path_with_any_activation_equals_the_readable_one) {
  Draws draws(31);
  on_every_isa([&] {
    for (const int64 units : {3, 16, 21}) check_activations(units, draws);
  });
}

// Lanes of a vector behind the last unit have no bias that holds them down.
TEST(recurrent_fast_path_is_finite_where_only_units_that_are_not_there_would_grow) {
  Draws draws(32);
  LayerCase c;
  c.time = 200;
  c.directions[0].activation = c.directions[0].recurrent_activation = "exponential";
  c.directions.push_back(c.directions[0]);
  std::vector<Tensor> in = contracting(draw_inputs(c, draws), 3);
  for (const std::size_t bias : {4, 11}) in[bias].fill(-3);
  on_every_isa([&] { check_fast_path(c, in); });
}

TEST(recurrent_outputs_equal_an_independent_implementation) {
  Draws draws(11);
  for (int k = 0; k < 400; ++k) {
    const LayerCase c = draw_case(draws);
    const std::vector<Tensor> in = draw_inputs(c, draws);
    for (const bool fast : {true, false}) {
      set_fast_path(fast);
      check_outputs(c, in, 1e-13);
      check_outputs(c, in_float32(in), 2e-5);
    }
  }
  set_fast_path(true);
}

TEST(recurrent_gradients_equal_central_differences) {
  Draws draws(12);
  for (int k = 0; k < 200; ++k) {
    const LayerCase c = draw_case(draws);
    set_fast_path(k % 2 == 0);
    check_gradients(c, draw_inputs(c, draws));
  }
  set_fast_path(true);
}

TEST(recurrent_gradients_of_every_cell_mask_and_merge) {
  Draws draws(13);
  for (const std::string& cell : cell_kinds)
    for (const std::string merge : {"none", "concat", "sum", "mul", "ave"})
      for (const MaskKind mask : {MaskKind::none, MaskKind::right, MaskKind::left, MaskKind::gaps, MaskKind::full})
        for (const bool states : {false, true}) {
          LayerCase c;
          c.time = 3;
          c.merge = merge;
          c.mask = mask;
          c.return_sequences = states == (merge != "sum");
          DirectionCase forward;
          forward.set_kind(cell);
          forward.units = 2;
          forward.states = states;
          forward.zero_output = c.return_sequences;
          DirectionCase backward = forward;
          backward.go_backwards = true;
          c.directions = {forward, backward};
          const std::vector<Tensor> in = draw_inputs(c, draws);
          check_outputs(c, in, 1e-13);
          check_gradients(c, in);
        }
}

TEST(recurrent_layers_larger_than_one_chunk_equal_the_reference) {
  Draws draws(14);
  for (const std::string& cell : cell_kinds)
    for (const MaskKind mask : {MaskKind::none, MaskKind::gaps}) {
      LayerCase c;
      c.batch = 21;
      c.time = 60;
      c.features = 5;
      c.mask = mask;
      c.directions[0].set_kind(cell);
      c.directions[0].units = 9;
      c.directions.push_back(c.directions[0]);
      c.directions[1].go_backwards = true;
      c.merge = "concat";
      check_outputs(c, draw_inputs(c, draws), 1e-12);
    }
}

TEST(recurrent_gradients_are_added_where_asked) {
  Draws draws(15);
  for (int k = 0; k < 60; ++k) {
    const LayerCase c = draw_case(draws);
    const std::vector<Tensor> in = draw_inputs(c, draws);
    const Run run("recurrent", c.attrs(), in);
    const std::vector<Tensor> dout = output_gradients(run), replaced = gradient_buffers(in, 55),
                              added = gradient_buffers(in, 3);
    run.backward(dout, replaced, false);
    run.backward(dout, added, true);
    for (std::size_t i = 0; i < in.size(); ++i)
      for (int64 e = 0; e < (added[i].absent() ? 0 : added[i].count()); ++e)
        CHECK_MESSAGE(check::close(added[i].get(e), replaced[i].get(e) + 3, 1e-13), describe(c));
  }
}

TEST(recurrent_absent_output_gradients_count_as_zero) {
  Draws draws(16);
  for (int k = 0; k < 60; ++k) {
    const LayerCase c = draw_case(draws);
    const std::vector<Tensor> in = draw_inputs(c, draws);
    const Run run("recurrent", c.attrs(), in);
    std::vector<Tensor> absent = output_gradients(run), zero = absent;
    for (std::size_t output = 0; output < absent.size(); ++output)
      if (draws.coin()) {
        absent[output] = Tensor();
        zero[output].fill(0);
      }
    const std::vector<Tensor> from_absent = gradient_buffers(in, 55), from_zero = gradient_buffers(in, 66);
    run.backward(absent, from_absent, false);
    run.backward(zero, from_zero, false);
    for (std::size_t i = 0; i < in.size(); ++i)
      for (int64 e = 0; e < (from_zero[i].absent() ? 0 : from_zero[i].count()); ++e)
        CHECK_MESSAGE(from_absent[i].get(e) == from_zero[i].get(e), describe(c));
  }
}

TEST(recurrent_gradients_can_be_wanted_one_by_one) {
  Draws draws(17);
  for (int k = 0; k < 30; ++k) {
    const LayerCase c = draw_case(draws);
    const std::vector<Tensor> in = draw_inputs(c, draws);
    const Run run("recurrent", c.attrs(), in);
    const std::vector<Tensor> all = gradient_buffers(in, 55);
    run.backward(output_gradients(run), all, false);
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (all[i].absent()) continue;
      std::vector<Tensor> one(in.size());
      one[i] = Tensor(all[i].meta().dtype, all[i].meta().shape);
      run.backward(output_gradients(run), one, false);
      CHECK_MESSAGE(one[i].same_bits(all[i]), describe(c));
    }
  }
}

TEST(recurrent_dropout_masks_have_no_gradient) {
  Draws draws(18);
  LayerCase c;
  c.directions[0].x_masks = 1;
  c.directions[0].h_masks = 4;
  const std::vector<Tensor> in = draw_inputs(c, draws);
  const Run run("recurrent", c.attrs(), in);
  std::vector<Tensor> din(in.size());
  for (const std::size_t i : {7, 8}) {
    din[i] = Tensor(DType::float64, in[i].meta().shape);
    din[i].fill(5);
  }
  run.backward(output_gradients(run), din, false);
  for (int64 e = 0; e < din[8].count(); ++e) CHECK(din[8].get(e) == 0 && din[7].get(0) == 0);
}

TEST(merge_directions_equals_the_merge_of_the_recurrent_op) {
  Draws draws(19);
  for (const std::string merge : {"concat", "sum", "mul", "ave"}) {
    LayerCase c;
    c.directions.push_back(DirectionCase());
    c.directions[1].go_backwards = true;
    const std::vector<Tensor> in = draw_inputs(c, draws);
    const std::vector<Tensor> halves = run_op("recurrent", c.attrs(), in);
    c.merge = merge;
    const Tensor merged = run_op("merge_directions", make_attrs({}, {{"merge", merge}}), {halves[0], halves[1]})[0];
    CHECK(merged.same_bits(forward_outputs(c, in, true)[0]));
    const Run run("merge_directions", make_attrs({}, {{"merge", merge}}), {halves[0], halves[1]});
    const std::vector<Tensor> dout = output_gradients(run);
    std::vector<Tensor> din = {halves[0], halves[1]};
    din[0].fill(1);
    din[1].fill(1);
    run.backward(dout, din, true);
    const int64 units = 3, step = merge == "concat" ? 6 : 3;
    for (int64 e = 0; e < din[0].count(); ++e)
      for (const int64 d : {0, 1}) {
        const double dy = dout[0].get(e / units * step + e % units + (merge == "concat" ? d * units : 0));
        const double factor = merge == "mul"   ? halves[static_cast<std::size_t>(1 - d)].get(e)
                              : merge == "ave" ? 0.5
                                               : 1;
        CHECK_CLOSE(din[static_cast<std::size_t>(d)].get(e), 1 + dy * factor, 1e-14);
      }
  }
}
