// Ops that move whole blocks of elements: concatenate, split, roll, pad (level L3).
#include "ops_families.h"
#include "ops_strided.h"

namespace birnn {

namespace {

// A block of columns: `width` neighbours in each of `rows` rows. `from` and `to` point to the first, their rows are
// `from_row` and `to_row` elements long.
template <typename Add, typename T>
void move_columns(int64 rows, int64 width, const T* from, int64 from_row, T* to, int64 to_row) {
  for (int64 r = 0; r < rows; ++r, from += from_row, to += to_row) put_elements<Add>(width, from, to);
}

// concatenate: any number of inputs, attr `axis` (default -1).

Inference infer_concatenate(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_concatenate";
  if (in.empty()) fail_op(label, "value", "needs at least one tensor");
  require_inputs(label, in, in.size());
  Shape out = in[0].shape;
  const int axis = axis_attr(label, attrs, out.rank(), -1);
  for (std::size_t i = 1; i < in.size(); ++i) {
    const Shape& shape = in[i].shape;
    require_same_dtype(label, in[0], in[i]);
    if (shape.rank() != out.rank())
      fail_op(label, "shape", "shapes " + in[0].shape.text() + " and " + shape.text() + " do not fit each other");
    for (int k = 0; k < out.rank(); ++k)
      if (k != axis) out[k] = common_size(label, out[k], shape[k], in[0].shape, shape);
    out[axis] = out[axis] == unknown_size || shape[axis] == unknown_size ? unknown_size : out[axis] + shape[axis];
  }
  return infer_one(in[0].dtype, out);
}

void forward_concatenate(const ForwardCall& call) {
  const Shape& out = call.out[0].shape();
  const int axis = axis_attr("op_concatenate", call.attrs, out.rank(), -1);
  const Split3 split(out, axis);
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    int64 column = 0;
    for (int i = 0; column < split.size * split.inner; ++i) {
      const int64 width = call.in[i].shape()[axis] * split.inner;
      move_columns<std::false_type>(split.outer, width, call.in[i].as<T>(), width, call.out[0].as<T>() + column,
                                    split.size * split.inner);
      column += width;
    }
  });
}

void backward_concatenate(const BackwardCall& call) {
  const Shape& out = call.out[0].shape();
  const int axis = axis_attr("op_concatenate", call.attrs, out.rank(), -1);
  const Split3 split(out, axis);
  with_float(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    int64 column = 0;
    for (int i = 0; column < split.size * split.inner; ++i) {
      const int64 width = call.in[i].shape()[axis] * split.inner;
      if (wanted(call, i) && call.dout[0].absent()) start_sum(call, i);
      if (wanted(call, i) && !call.dout[0].absent()) {
        with_flag(call.accumulate[i], [&](auto accumulate) {
          move_columns<decltype(accumulate)>(split.outer, width, call.dout[0].as<T>() + column,
                                             split.size * split.inner, call.din[i].as<T>(), width);
        });
      }
      column += width;
    }
  });
}

// split: attrs `axis` (default -1) and `sizes`, one for each output; a single -1 takes the rest.

Inference infer_split(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_split";
  require_inputs(label, in, 1);
  const Shape& x = in[0].shape;
  const int axis = axis_attr(label, attrs, x.rank(), -1);
  const std::vector<double>& sizes = attrs.numbers("sizes");
  int64 given = 0;
  int open = 0;
  for (double number : sizes) {
    const int64 size = whole_number(label, "a size", number);
    if (size < -1) fail_op(label, "value", "a size must not be negative");
    open += size == -1;
    given += size == -1 ? 0 : size;
  }
  if (open > 1) fail_op(label, "value", "only one size can be left open");
  if (sizes.empty() || (x[axis] != unknown_size && (open > 0 ? given > x[axis] : given != x[axis])))
    fail_op(label, "shape",
            "the sizes do not add up to axis " + std::to_string(axis + 1) + " of a tensor of shape " + x.text());
  Inference result;
  for (double number : sizes) {
    Shape part = x;
    part[axis] = number >= 0 ? static_cast<int64>(number) : x[axis] == unknown_size ? unknown_size : x[axis] - given;
    result.outputs.push_back(Meta{in[0].dtype, part});
  }
  return result;
}

void forward_split(const ForwardCall& call) {
  const Shape& x = call.in[0].shape();
  const int axis = axis_attr("op_split", call.attrs, x.rank(), -1);
  const Split3 split(x, axis);
  const int parts = static_cast<int>(call.attrs.numbers("sizes").size());
  with_any(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = call.in[0].as<T>();
    for (int k = 0; k < parts; ++k) {
      const int64 width = call.out[k].shape()[axis] * split.inner;
      move_columns<std::false_type>(split.outer, width, from, split.size * split.inner, call.out[k].as<T>(), width);
      from += width;
    }
  });
}

void backward_split(const BackwardCall& call) {
  if (!wanted(call, 0)) return;
  const Shape& x = call.din[0].shape();
  const int axis = axis_attr("op_split", call.attrs, x.rank(), -1);
  const Split3 split(x, axis);
  const int parts = static_cast<int>(call.attrs.numbers("sizes").size());
  start_sum(call, 0);
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* to = call.din[0].as<T>();
    for (int k = 0; k < parts; ++k) {
      const int64 width = call.out[k].shape()[axis] * split.inner;
      if (!call.dout[k].absent())
        move_columns<std::true_type>(split.outer, width, call.dout[k].as<T>(), width, to, split.size * split.inner);
      to += width;
    }
  });
}

// roll: attrs `shift`, `axis` (flattened if absent); what leaves at the end comes back at the start.

Inference infer_roll(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_roll", in, 1);
  whole_attr("op_roll", attrs, "shift");
  if (attrs.has("axis")) axis_attr("op_roll", attrs, in[0].shape.rank(), -1);
  return infer_one(in[0].dtype, in[0].shape);
}

template <typename Add>
void roll(const Attrs& attrs, int64 shift, const View& from, const View& to) {
  const Shape shape = attrs.has("axis") ? from.shape() : Shape{from.count()};
  const Split3 split(shape, axis_attr("op_roll", attrs, shape.rank(), -1));
  if (split.size == 0) return;
  const int64 row = split.size * split.inner;
  const int64 head =
      ((shift % split.size + split.size) % split.size) * split.inner;  // elements that come back at the start
  with_any(to.dtype(), [&](auto zero) {
    using T = decltype(zero);
    move_columns<Add>(split.outer, row - head, from.as<T>(), row, to.as<T>() + head, row);
    move_columns<Add>(split.outer, head, from.as<T>() + (row - head), row, to.as<T>(), row);
  });
}

void forward_roll(const ForwardCall& call) {
  roll<std::false_type>(call.attrs, call.attrs.integer("shift"), call.in[0], call.out[0]);
}

void backward_roll(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  with_flag(call.accumulate[0], [&](auto accumulate) {
    roll<decltype(accumulate)>(call.attrs, -call.attrs.integer("shift"), call.dout[0], call.din[0]);
  });
}

// pad: attrs `before`, `after` per axis, `value`.

Inference infer_pad(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_pad";
  require_inputs(label, in, 1);
  const Shape& x = in[0].shape;
  const std::vector<double>&before = attrs.numbers("before"), &after = attrs.numbers("after");
  if (before.size() != static_cast<std::size_t>(x.rank()) || after.size() != before.size())
    fail_op(label, "shape", "needs two widths for each axis of a tensor of shape " + x.text());
  Shape out;
  for (int k = 0; k < x.rank(); ++k) {
    const std::size_t axis = static_cast<std::size_t>(k);
    const int64 low = whole_number(label, "a width", before[axis]), high = whole_number(label, "a width", after[axis]);
    if (low < 0 || high < 0) fail_op(label, "value", "the widths must not be negative");
    out.push(x[k] == unknown_size ? unknown_size : low + x[k] + high);
  }
  return infer_one(in[0].dtype, out);
}

// Where x lies within the padded tensor.
StridedMap inner_part(const Attrs& attrs, const Shape& x, const Shape& padded) {
  int64 strides[max_rank];
  row_major_strides(padded, strides);
  const std::vector<double>& before = attrs.numbers("before");
  StridedMap map;
  for (int k = 0; k < x.rank(); ++k) {
    map.base += static_cast<int64>(before[static_cast<std::size_t>(k)]) * strides[k];
    map.grid.push(x[k], {strides[k]});
  }
  return map;
}

void forward_pad(const ForwardCall& call) {
  const StridedMap map = inner_part(call.attrs, call.in[0].shape(), call.out[0].shape());
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = call.out[0].as<T>();
    const T value = converted<T>(call.attrs.number("value", 0));
    for_each_element(call.out[0].count(), [&](int64 i) { y[i] = value; });
    scatter<std::false_type>(map, call.in[0].as<T>(), y);
  });
}

void backward_pad(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const StridedMap map = inner_part(call.attrs, call.din[0].shape(), call.dout[0].shape());
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    with_flag(call.accumulate[0],
              [&](auto add) { gather<decltype(add)>(map, call.dout[0].as<T>(), call.din[0].as<T>()); });
  });
}

}  // namespace

void register_join_ops() {
  register_op({"concatenate", infer_concatenate, forward_concatenate, backward_concatenate, 0u, 0u, -1});
  register_op({"split", infer_split, forward_split, backward_split, 0u, 0u, -1});
  register_op({"roll", infer_roll, forward_roll, backward_roll, 0u, 0u, -1});
  register_op({"pad", infer_pad, forward_pad, backward_pad, 0u, 0u, -1});
}

}  // namespace birnn
