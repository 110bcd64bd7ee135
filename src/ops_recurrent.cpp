// Ops `recurrent` (one or two directions in one node) and `merge_directions` (level L3).
#include "bidirectional.h"
#include "ops_common.h"

namespace birnn {

namespace {

constexpr const char* recurrent_label = "op_recurrent";
constexpr const char* merge_label = "op_merge_directions";

// Inputs: x, mask, then for each direction seven slots.
constexpr int shared_inputs = 2, slots = 7;
enum Slot { kernel, recurrent_kernel, bias, state0, state1, x_dropout, h_dropout };
constexpr int input_of(int direction, int slot) { return shared_inputs + slots * direction + slot; }

int direction_count(const Attrs& attrs) {
  const std::size_t count = attrs.texts("cells").size();
  if (count < 1 || count > max_directions)
    fail_op(recurrent_label, "internal", "needs one cell a direction, one or two");
  return static_cast<int>(count);
}

double per_direction(const Attrs& attrs, const char* name, int d, double otherwise) {
  const std::vector<double>& numbers = attrs.numbers(name);
  return static_cast<std::size_t>(d) < numbers.size() ? numbers[static_cast<std::size_t>(d)] : otherwise;
}

template <typename T>
Nonlinearity<T> activation_attr(const Attrs& attrs, const char* name, int d) {
  const std::vector<std::string>& names = attrs.texts(name);
  return static_cast<std::size_t>(d) < names.size()
             ? Nonlinearity<T>(activation_from_name(names[static_cast<std::size_t>(d)]))
             : Nonlinearity<T>();
}

// Everything but the pointers. `meta(i)` answers the Meta of input i.
template <typename T, typename MetaOf>
RecurrentLayer<T> layer_of(const Attrs& attrs, MetaOf&& meta) {
  RecurrentLayer<T> layer;
  layer.directions = direction_count(attrs);
  layer.merge = merge_from_name(attrs.text("merge", "none"));
  for (int d = 0; d < layer.directions; ++d) {
    const auto slot = [&](int s) -> const Meta& { return meta(input_of(d, s)); };
    const auto masks = [&](int s) { return slot(s).absent() ? 0 : static_cast<int>(slot(s).shape[0]); };
    Direction<T>& direction = layer.direction[d];
    const Shape& x = meta(0).shape;
    direction.batch = x[0];
    direction.time = x[1];
    direction.features = x[2];
    direction.units = static_cast<int64>(per_direction(attrs, "units", d, 0));
    direction.options.activation = activation_attr<T>(attrs, "activations", d);
    direction.options.recurrent_activation = activation_attr<T>(attrs, "recurrent_activations", d);
    direction.options.reset_after = per_direction(attrs, "reset_after", d, 1) != 0;
    direction.go_backwards = per_direction(attrs, "go_backwards", d, 0) != 0;
    direction.zero_output_for_mask = per_direction(attrs, "zero_output_for_mask", d, 0) != 0;
    direction.return_sequences = attrs.flag("return_sequences");
    direction.flipped = d == 1;
    direction.masked = !meta(1).absent();
    direction.x_masks = masks(x_dropout);
    direction.h_masks = masks(h_dropout);
    layer.cell[d] = &cell_type(attrs.texts("cells")[static_cast<std::size_t>(d)]);
  }
  return layer;
}

// An unknown size fits any.
void check_shape(const Meta& meta, const Shape& expected, const char* what) {
  bool fits = meta.shape.rank() == expected.rank();
  for (int k = 0; fits && k < expected.rank(); ++k)
    fits = meta.shape[k] == expected[k] || meta.shape[k] == unknown_size || expected[k] == unknown_size;
  if (!fits)
    fail_op(recurrent_label, "shape",
            std::string(what) + " must have shape " + expected.text() + ", not " + meta.shape.text());
}

void check_masks(const Meta& meta, int gates, int64 batch, int64 width, const char* what) {
  if (meta.absent()) return;
  check_shape(meta, Shape{unknown_size, batch, width}, what);
  if (meta.shape[0] != 1 && meta.shape[0] != gates)
    fail_op(recurrent_label, "shape", std::string(what) + " must hold one mask, or one for each gate");
}

template <typename T>
void check_direction(const Direction<T>& direction, const CellType& cell, const std::vector<Meta>& in, int d) {
  const auto slot = [&](int s) -> const Meta& { return in[static_cast<std::size_t>(input_of(d, s))]; };
  const int64 batch = direction.batch, units = direction.units, width = cell.gates * units;
  if (units < 1) fail_op(recurrent_label, "value", "needs at least one unit");
  for (int s = kernel; s <= h_dropout; ++s)
    if (!slot(s).absent()) require_same_dtype(recurrent_label, in[0], slot(s));
  check_shape(slot(kernel), Shape{direction.features, width}, "the kernel");
  check_shape(slot(recurrent_kernel), Shape{units, width}, "the recurrent kernel");
  const int bias_rows = cell.bias_rows(direction.options.reset_after);
  if (!slot(bias).absent())
    check_shape(slot(bias), bias_rows == 1 ? Shape{width} : Shape{bias_rows, width}, "the bias");
  for (int s = 0; s < cell.states; ++s)
    if (!slot(state0 + s).absent()) check_shape(slot(state0 + s), Shape{batch, units}, "a state");
  check_masks(slot(x_dropout), cell.gates, batch, direction.features, "the dropout of x");
  check_masks(slot(h_dropout), cell.gates, batch, units, "the dropout of h");
}

void check_inputs(const Attrs& attrs, const std::vector<Meta>& in) {
  const std::size_t expected = static_cast<std::size_t>(input_of(direction_count(attrs), 0));
  if (in.size() != expected)
    fail_op(recurrent_label, "internal",
            "needs " + std::to_string(expected) + " inputs, got " + std::to_string(in.size()));
  require_floating(recurrent_label, in[0]);
  if (in[0].shape.rank() != 3)
    fail_op(recurrent_label, "shape", "needs inputs (batch, time, features), got shape " + in[0].shape.text());
  if (in[1].absent()) return;
  require_dtype(recurrent_label, in[1], DType::boolean);
  check_shape(in[1], Shape{in[0].shape[0], in[0].shape[1]}, "the mask");
}

template <typename T>
std::vector<Meta> output_metas(const RecurrentLayer<T>& layer, const Meta& x) {
  std::vector<Meta> outputs;
  const auto add_output = [&](int64 units) {
    Shape shape{x.shape[0]};
    if (layer.direction[0].return_sequences) shape.push(x.shape[1]);
    shape.push(units);
    outputs.push_back(Meta{x.dtype, shape});
  };
  if (layer.merge == MergeMode::none)
    for (int d = 0; d < layer.directions; ++d) add_output(layer.direction[d].units);
  else
    add_output(merged_units(layer.merge, layer.direction[0].units, layer.direction[1].units));
  for (int d = 0; d < layer.directions; ++d)
    for (int s = 0; s < layer.cell[d]->states; ++s)
      outputs.push_back(Meta{x.dtype, Shape{x.shape[0], layer.direction[d].units}});
  return outputs;
}

Inference infer_recurrent(const Attrs& attrs, const std::vector<Meta>& in) {
  check_inputs(attrs, in);
  Inference result;
  with_float(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto layer = layer_of<T>(attrs, [&](int i) -> const Meta& { return in[static_cast<std::size_t>(i)]; });
    if (layer.directions == 1 && layer.merge != MergeMode::none)
      fail_op(recurrent_label, "internal", "one direction has nothing to merge");
    for (int d = 0; d < layer.directions; ++d) check_direction(layer.direction[d], *layer.cell[d], in, d);
    result.outputs = output_metas(layer, in[0]);
    if (!in[0].shape.known()) return;
    const LayerSizes sizes = layer_sizes(layer);
    result.saved = {Meta{in[0].dtype, Shape{static_cast<int64>(sizes.saved / sizeof(T))}}};
    result.forward_scratch = sizes.forward_scratch;
    result.backward_scratch = sizes.backward_scratch;
    result.prepared = sizes.prepared;
    for (int d = 0; d < layer.directions; ++d)
      for (const int weights : {kernel, recurrent_kernel, bias}) result.prepared_inputs |= 1u << input_of(d, weights);
  });
  return result;
}

// The layer of a call, with its inputs.
template <typename T>
RecurrentLayer<T> layer_of_call(const Attrs& attrs, const View* in) {
  RecurrentLayer<T> layer = layer_of<T>(attrs, [&](int i) -> const Meta& { return in[i].meta; });
  for (int d = 0; d < layer.directions; ++d) {
    const View* const slot = in + input_of(d, 0);
    Direction<T>& direction = layer.direction[d];
    direction.x = in[0].as<T>();
    direction.mask = in[1].as<std::uint8_t>();
    direction.kernel = slot[kernel].as<T>();
    direction.recurrent_kernel = slot[recurrent_kernel].as<T>();
    direction.bias = slot[bias].as<T>();
    direction.state[0] = slot[state0].as<T>();
    direction.state[1] = slot[state1].as<T>();
    direction.x_dropout = slot[x_dropout].as<T>();
    direction.h_dropout = slot[h_dropout].as<T>();
  }
  return layer;
}

// Calls y(d, output) for the outputs proper and state(d, s, output) for the final states, in the order of the outputs.
template <typename T, typename Y, typename State>
void for_each_output(const RecurrentLayer<T>& layer, Y&& y, State&& state) {
  int output = 0;
  const int merged = layer.merge == MergeMode::none ? layer.directions : 1;
  for (int d = 0; d < merged; ++d) y(d, output++);
  for (int d = 0; d < layer.directions; ++d)
    for (int s = 0; s < layer.cell[d]->states; ++s) state(d, s, output++);
}

void forward_recurrent(const ForwardCall& call) {
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const RecurrentLayer<T> layer = layer_of_call<T>(call.attrs, call.in);
    LayerForward<T> outputs;
    for_each_output(
        layer, [&](int d, int k) { outputs.y[d] = call.out[k].as<T>(); },
        [&](int d, int s, int k) { outputs.state[d][s] = call.out[k].as<T>(); });
    outputs.saved = call.training() ? call.saved[0].data : nullptr;
    outputs.scratch = call.scratch;
    outputs.prepared = call.prepared;
    outputs.is_prepared = call.is_prepared;
    forward(layer, outputs);
  });
}

void backward_recurrent(const BackwardCall& call) {
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const RecurrentLayer<T> layer = layer_of_call<T>(call.attrs, call.in);
    LayerBackward<T> gradients;
    for_each_output(
        layer, [&](int d, int k) { gradients.dy[d] = call.dout[k].as<T>(); },
        [&](int d, int s, int k) { gradients.dstate[d][s] = call.dout[k].as<T>(); });
    const auto target = [&](int i) { return Target<T>{call.din[i].as<T>(), call.accumulate[i]}; };
    gradients.dx = target(0);
    for (int d = 0; d < layer.directions; ++d) {
      gradients.dkernel[d] = target(input_of(d, kernel));
      gradients.drecurrent_kernel[d] = target(input_of(d, recurrent_kernel));
      gradients.dbias[d] = target(input_of(d, bias));
      for (int s = 0; s < layer.cell[d]->states; ++s) gradients.dinitial[d][s] = target(input_of(d, state0 + s));
      // Dropout masks are constants.
      for (const int s : {x_dropout, h_dropout})
        if (wanted(call, input_of(d, s))) start_sum(call, input_of(d, s));
    }
    gradients.saved = call.saved[0].data;
    gradients.scratch = call.scratch;
    backward(layer, gradients);
  });
}

MergeShape merge_shape_of(const Attrs& attrs, const Shape& f, const Shape& b) {
  return {merge_from_name(attrs.text("merge")), f.count(0, f.rank() - 1), f.last(), b.last()};
}

Inference infer_merge(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(merge_label, in, 2);
  require_floating(merge_label, in[0]);
  require_same_dtype(merge_label, in[0], in[1]);
  const MergeMode mode = merge_from_name(attrs.text("merge"));
  const Shape &f = in[0].shape, &b = in[1].shape;
  if (mode == MergeMode::none) fail_op(merge_label, "internal", "needs a merge mode");
  if (f.rank() != b.rank() || f.rank() < 1)
    fail_op(merge_label, "shape", "shapes " + f.text() + " and " + b.text() + " do not fit each other");
  Shape out;
  for (int k = 0; k + 1 < f.rank(); ++k) out.push(common_size(merge_label, f[k], b[k], f, b));
  const bool known = f.last() != unknown_size && b.last() != unknown_size;
  out.push(known ? merged_units(mode, f.last(), b.last()) : unknown_size);
  return infer_one(in[0].dtype, out);
}

void forward_merge(const ForwardCall& call) {
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    merge_values(merge_shape_of(call.attrs, call.in[0].shape(), call.in[1].shape()), call.in[0].as<T>(),
                 call.in[1].as<T>(), call.out[0].as<T>());
  });
}

void backward_merge(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const MergeShape shape = merge_shape_of(call.attrs, call.in[0].shape(), call.in[1].shape());
    for (int i = 0; i < 2; ++i)
      if (wanted(call, i))
        merge_gradient<T>(shape, i == 1, call.in[1 - i].as<T>(), call.dout[0].as<T>(), call.accumulate[i],
                          call.din[i].as<T>());
  });
}

}  // namespace

void register_recurrent_ops() {
  register_op({"recurrent", infer_recurrent, forward_recurrent, backward_recurrent, all_values, 0, -1});
  register_op({"merge_directions", infer_merge, forward_merge, backward_merge, all_values, 0, -1});
}

}  // namespace birnn
