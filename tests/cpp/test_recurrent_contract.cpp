// What the `recurrent` op promises besides its numbers: bits, NaN, size, cancellation, errors.
#include <chrono>
#include <cmath>
#include <thread>

#include "check.h"
#include "each_isa.h"
#include "parallel.h"
#include "recurrent.h"
#include "recurrent_case.h"

using namespace birnn_test;

namespace {

const double missing = std::numeric_limits<double>::quiet_NaN();

struct Result {
  std::vector<Tensor> out, din;
};

// Forward and backward; the gradients of the outputs are sin() of the row's own numbers, so that they do not change
// with the batch.
Result run_layer(const LayerCase& c, const std::vector<Tensor>& in, bool masked_dy_missing = false) {
  const Run run("recurrent", c.attrs(), in);
  Result result{run.out(), std::vector<Tensor>(in.size())};
  std::vector<Tensor> dout;
  for (const Tensor& out : run.out()) {
    Tensor d(out.meta().dtype, out.meta().shape);
    const int64 row = out.meta().shape.count(1, out.meta().shape.rank());
    for (int64 e = 0; e < d.count(); ++e) d.set(e, std::sin(100 * out.get(e) + static_cast<double>(e % row)));
    dout.push_back(d);
  }
  const int64 width = dout[0].meta().shape.last();
  for (int64 r = 0; masked_dy_missing && r < c.batch * c.time; ++r)
    for (int64 u = 0; in[1].get(r) == 0 && u < width; ++u) dout[0].set(r * width + u, missing);
  for (std::size_t i = 0; i < in.size(); ++i)
    if (i != 1 && !in[i].absent()) result.din[i] = Tensor(in[i].meta().dtype, in[i].meta().shape);
  run.backward(dout, result.din, false);
  return result;
}

LayerCase bidirectional_case(const std::string& cell, MaskKind mask) {
  LayerCase c;
  c.batch = 37;
  c.time = 9;
  c.features = 5;
  c.merge = "concat";
  c.mask = mask;
  c.directions[0].set_kind(cell);
  c.directions[0].units = 11;
  c.directions[0].states = true;
  c.directions[0].zero_output = true;
  c.directions[0].h_masks = 1;
  c.directions.push_back(c.directions[0]);
  c.directions[1].go_backwards = true;
  return c;
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (std::size_t k = 0; k < a.size(); ++k)
    if (a[k].absent() != b[k].absent() || (!a[k].absent() && !a[k].same_bits(b[k]))) return false;
  return a.size() == b.size();
}

// The axis of the batch: 1 for dropout masks, none (-1) for weights.
int batch_axis(std::size_t input) {
  if (input < 2) return 0;
  const std::size_t slot = (input - 2) % 7;
  return slot < 3 ? -1 : slot < 5 ? 0 : 1;
}

Tensor one_row(const Tensor& tensor, int64 row, int axis = 0) {
  Shape shape = tensor.meta().shape;
  const int64 outer = shape.count(0, axis), rows = shape[axis], inner = shape.count(axis + 1, shape.rank());
  shape[axis] = 1;
  Tensor out(tensor.meta().dtype, shape);
  for (int64 o = 0; o < outer; ++o)
    for (int64 e = 0; e < inner; ++e) out.set(o * inner + e, tensor.get((o * rows + row) * inner + e));
  return out;
}

std::vector<Tensor> inputs_of_row(const std::vector<Tensor>& in, int64 row) {
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < in.size(); ++i)
    out.push_back(in[i].absent() || batch_axis(i) < 0 ? in[i] : one_row(in[i], row, batch_axis(i)));
  return out;
}

// (1, time, ...) with `padding` masked steps of NaN on either side.
std::vector<Tensor> padded(const LayerCase& c, std::vector<Tensor> in, int64 padding) {
  Tensor x(in[0].meta().dtype, {1, c.time + 2 * padding, c.features}), mask(DType::boolean, {1, c.time + 2 * padding});
  x.fill(missing);
  for (int64 t = 0; t < c.time; ++t) {
    mask.set(padding + t, in[1].absent() ? 1 : in[1].get(t));
    for (int64 f = 0; f < c.features; ++f) x.set((padding + t) * c.features + f, in[0].get(t * c.features + f));
  }
  in[0] = x;
  in[1] = mask;
  return in;
}

Tensor steps(const Tensor& sequence, int64 first, int64 count) {
  Shape shape = sequence.meta().shape;
  const int64 width = shape[2];
  shape[1] = count;
  Tensor out(sequence.meta().dtype, shape);
  for (int64 e = 0; e < count * width; ++e) out.set(e, sequence.get(first * width + e));
  return out;
}

void check_rows(const LayerCase& c, const std::vector<Tensor>& in) {
  const Result whole = run_layer(c, in);
  for (int64 row = 0; row < c.batch; ++row) {
    LayerCase alone = c;
    alone.batch = 1;
    const std::vector<Tensor> own = inputs_of_row(in, row);
    const Result result = run_layer(alone, own);
    for (std::size_t k = 0; k < whole.out.size(); ++k)
      CHECK_MESSAGE(result.out[k].same_bits(one_row(whole.out[k], row)), describe(c));
    for (std::size_t i = 0; i < in.size(); ++i)
      if (batch_axis(i) == 0 && !whole.din[i].absent())
        CHECK_MESSAGE(result.din[i].same_bits(one_row(whole.din[i], row)), "gradient in " + describe(c));
    if (row % 5 != 0) continue;
    const std::vector<Tensor> out = forward_outputs(alone, padded(alone, own, 3), false);
    CHECK_MESSAGE(steps(out[0], 3, c.time).same_bits(result.out[0]), "padding in " + describe(c));
    for (std::size_t k = 1; k < out.size(); ++k)
      CHECK_MESSAGE(out[k].same_bits(result.out[k]), "padding in " + describe(c));
  }
}

bool always() { return true; }

}  // namespace

TEST(recurrent_row_of_the_readable_path_has_the_same_bits_alone_in_a_batch_and_padded) {
  Draws draws(21);
  set_fast_path(false);
  for (const std::string& cell : cell_kinds)
    for (const MaskKind mask : {MaskKind::none, MaskKind::gaps}) {
      const LayerCase c = bidirectional_case(cell, mask);
      const std::vector<Tensor> in = draw_inputs(c, draws);
      check_rows(c, in);
      check_rows(c, in_float32(in));
    }
  set_fast_path(true);
}

// The two kinds of steps, the latter by dropout or by activations.
enum class Steps { fused, dropout, activations };

LayerCase case_of_steps(const std::string& cell, MaskKind mask, Steps steps) {
  LayerCase c = bidirectional_case(cell, mask);
  for (DirectionCase& d : c.directions) {
    d.x_masks = d.h_masks = steps == Steps::dropout ? d.gates() : 0;
    if (steps != Steps::activations) continue;
    d.activation = "silu";
    d.recurrent_activation = "hard_sigmoid";
  }
  return c;
}
constexpr Steps all_steps[] = {Steps::fused, Steps::dropout, Steps::activations};

TEST(recurrent_row_of_the_fast_path_has_the_same_bits_alone_in_a_batch_and_padded) {
  Draws draws(23);
  on_every_isa([&] {
    for (const std::string& cell : cell_kinds)
      for (const MaskKind mask : {MaskKind::none, MaskKind::gaps})
        for (const Steps steps : all_steps)
          for (const int64 units : {5, 11, 40}) {
            LayerCase c = case_of_steps(cell, mask, steps);
            for (DirectionCase& d : c.directions) d.units = units;
            check_rows(c, in_float32(draw_inputs(c, draws)));
          }
  });
}

TEST(recurrent_bits_do_not_depend_on_threads) {
  Draws draws(22);
  const int before = threads();
  for (const std::string& cell : cell_kinds)
    for (const Steps steps : all_steps) {
      const LayerCase c = case_of_steps(cell, MaskKind::right, steps);
      const std::vector<Tensor> in = in_float32(draw_inputs(c, draws));
      set_threads(1);
      const Result one = run_layer(c, in);
      for (const int n : {2, 3}) {
        set_threads(n);
        const Result several = run_layer(c, in);
        CHECK(same_bits(one.out, several.out));
        CHECK(same_bits(one.din, several.din));
      }
    }
  set_threads(before);
}

TEST(recurrent_nan_in_masked_steps_has_no_effect) {
  Draws draws(23);
  for (const std::string& cell : cell_kinds)
    for (const MaskKind mask : {MaskKind::right, MaskKind::left, MaskKind::gaps}) {
      const LayerCase c = bidirectional_case(cell, mask);
      std::vector<Tensor> in = draw_inputs(c, draws);
      const Result clean = run_layer(c, in);
      for (int64 r = 0; r < c.batch * c.time; ++r)
        for (int64 f = 0; in[1].get(r) == 0 && f < c.features; ++f) in[0].set(r * c.features + f, missing);
      const Result dirty = run_layer(c, in, true);
      CHECK(same_bits(clean.out, dirty.out));
      CHECK(same_bits(clean.din, dirty.din));
      for (int64 r = 0; r < c.batch * c.time; ++r)
        for (int64 f = 0; in[1].get(r) == 0 && f < c.features; ++f) CHECK(dirty.din[0].get(r * c.features + f) == 0);
    }
}

TEST(recurrent_nan_in_a_row_stays_in_its_row) {
  Draws draws(24);
  const LayerCase c = bidirectional_case("lstm", MaskKind::none);
  std::vector<Tensor> in = draw_inputs(c, draws);
  const Tensor clean = run_layer(c, in).out[0];
  in[0].set(5 * c.time * c.features + 3, missing);
  const Tensor dirty = run_layer(c, in).out[0];
  for (int64 row = 0; row < c.batch; ++row)
    if (row != 5) CHECK(one_row(dirty, row).same_bits(one_row(clean, row)));
  CHECK(std::isnan(dirty.get(5 * c.time * 22)));
}

TEST(recurrent_runs_200000_steps) {
  Draws draws(25);
  for (const MaskKind mask : {MaskKind::none, MaskKind::gaps}) {
    LayerCase c;
    c.batch = 1;
    c.time = 200000;
    c.features = 1;
    c.mask = mask;
    c.directions[0].units = 2;
    c.directions.push_back(c.directions[0]);
    const Result result = run_layer(c, draw_inputs(c, draws));
    CHECK(std::isfinite(result.out[0].get(2 * c.time - 1)) && std::isfinite(result.din[0].get(0)));
  }
}

TEST(recurrent_works_on_empty_batches) {
  Draws draws(26);
  for (const MaskKind mask : {MaskKind::none, MaskKind::right}) {
    LayerCase c = bidirectional_case("gru", mask);
    c.batch = 0;
    const Result result = run_layer(c, draw_inputs(c, draws));
    CHECK(result.out[0].count() == 0);
    for (int64 e = 0; e < result.din[2].count(); ++e) CHECK(result.din[2].get(e) == 0);
  }
  LayerCase c;
  c.time = 0;
  const Result result = run_layer(c, draw_inputs(c, draws));
  CHECK(result.out[0].count() == 0 && result.out[1].get(0) == 0);
}

TEST(recurrent_can_be_cancelled) {
  Draws draws(27);
  LayerCase c;
  c.time = 3000;
  c.directions.push_back(c.directions[0]);
  const std::vector<Tensor> in = draw_inputs(c, draws);
  const Run run("recurrent", c.attrs(), in);
  const int before = threads();
  set_threads(1);  // with more the calling thread may find no item left to ask in
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  set_poll(always);
  CHECK_ERROR(forward_outputs(c, in, false), "interrupt");
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  std::vector<Tensor> din(in.size());
  din[0] = Tensor(DType::float64, in[0].meta().shape);
  CHECK_ERROR(run.backward(run.out(), din, false), "interrupt");
  set_poll(nullptr);
  set_threads(before);
  CHECK(forward_outputs(c, in, false)[0].same_bits(run.out()[0]));
}

TEST(recurrent_infers_unknown_sizes) {
  LayerCase c;
  c.directions.push_back(c.directions[0]);
  c.directions[1].units = 5;
  c.merge = "concat";
  Draws draws(28);
  std::vector<Meta> in = metas_of(draw_inputs(c, draws));
  in[0].shape[0] = in[0].shape[1] = unknown_size;
  const Inference inference = find_op("recurrent").infer(c.attrs(), in);
  CHECK(inference.outputs.size() == 5);
  CHECK((inference.outputs[0].shape == Shape{unknown_size, unknown_size, 8}));
  CHECK((inference.outputs[4].shape == Shape{unknown_size, 5}));
}

TEST(recurrent_rejects_what_does_not_fit) {
  LayerCase c;
  c.directions.push_back(c.directions[0]);
  Draws draws(29);
  const std::vector<Meta> good = metas_of(draw_inputs(c, draws));
  const auto infer = [&](const LayerCase& layer, const std::vector<Meta>& in) {
    return find_op("recurrent").infer(layer.attrs(), in);
  };
  CHECK_ERROR(infer(c, good), "no error");
  for (const std::size_t input : {0, 2, 3, 4, 9}) {
    std::vector<Meta> bad = good;
    bad[input].shape[bad[input].shape.rank() - 1] += 1;
    CHECK_ERROR(infer(c, bad), "shape");
    bad = good;
    bad[input].dtype = DType::float32;
    CHECK_ERROR(infer(c, bad), "type");
  }
  std::vector<Meta> flat = good;
  flat[0].shape = Shape{3, 4};
  CHECK_ERROR(infer(c, flat), "shape");
  CHECK_ERROR(infer(c, std::vector<Meta>(good.begin(), good.end() - 1)), "internal");
  LayerCase other = c;
  other.merge = "max";
  CHECK_ERROR(infer(other, good), "value");
  other = c;
  other.directions[0].cell = "lstm2";
  CHECK_ERROR(infer(other, good), "value");
  other = c;
  other.directions[1].activation = "softmax";
  CHECK_ERROR(infer(other, good), "value");
  other = c;
  other.directions[1].units = 4;
  other.merge = "sum";
  CHECK_ERROR(infer(other, metas_of(draw_inputs(other, draws))), "shape");
}
