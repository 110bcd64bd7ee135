// Blocks of a tensor: slice, and slice_update, which replaces one (level L3).
#include "ops_families.h"
#include "ops_strided.h"

namespace birnn {

namespace {

// slice: attrs `begin`, `end`, `stride` per axis, with Python's rules; NaN or missing is open.
// A range of one element (2:3, or -1 to the open end) is an index: it must exist, and its size is known to be 1.

struct Range {
  double begin, end;
  int64 stride;
  bool index() const {
    if (stride != 1 || std::isnan(begin)) return false;
    return begin == -1 ? std::isnan(end) : end == begin + 1;
  }
};

struct Picked {
  int64 first, count;
};

double value_at(const std::vector<double>& values, int axis, double otherwise) {
  return axis < static_cast<int>(values.size()) ? values[static_cast<std::size_t>(axis)] : otherwise;
}

Range range_of(const Attrs& attrs, int axis) {
  constexpr double open = std::numeric_limits<double>::quiet_NaN();
  return {value_at(attrs.numbers("begin"), axis, open), value_at(attrs.numbers("end"), axis, open),
          static_cast<int64>(value_at(attrs.numbers("stride"), axis, 1))};
}

// A bound counted from the start, moved into lowest..highest.
int64 bound(double given, double otherwise, int64 size, int64 lowest, int64 highest) {
  const double position = std::isnan(given) ? otherwise : given < 0 ? given + static_cast<double>(size) : given;
  return static_cast<int64>(std::fmin(std::fmax(position, static_cast<double>(lowest)), static_cast<double>(highest)));
}

Picked pick(const Range& range, int64 size) {
  const bool up = range.stride > 0;
  const int64 lowest = up ? 0 : -1, highest = up ? size : size - 1;
  const int64 first = bound(range.begin, up ? 0.0 : static_cast<double>(size - 1), size, lowest, highest);
  const int64 end = bound(range.end, up ? static_cast<double>(size) : -1.0, size, lowest, highest);
  const int64 span = up ? end - first : first - end, step = up ? range.stride : -range.stride;
  return {first, span > 0 ? (span + step - 1) / step : 0};
}

int64 picked_size(const Range& range, int64 size, int axis) {
  if (range.stride == 0) fail_op("op_slice", "value", "the stride of axis " + std::to_string(axis + 1) + " is 0");
  for (double limit : {range.begin, range.end})
    if (!std::isnan(limit) && !std::isinf(limit)) whole_number("op_slice", "a bound", limit);
  if (size == unknown_size) return range.index() ? 1 : unknown_size;
  const double count = static_cast<double>(size);
  if (range.index() && (range.begin < -count || range.begin >= count))
    fail_op("op_slice", "value",
            "axis " + std::to_string(axis + 1) + " of size " + std::to_string(size) + " has no element " +
                std::to_string(static_cast<int64>(range.begin) + (range.begin < 0 ? 0 : 1)));
  return pick(range, size).count;
}

Inference infer_slice(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_slice", in, 1);
  const Shape& x = in[0].shape;
  for (const char* name : {"begin", "end", "stride"})
    if (attrs.numbers(name).size() > static_cast<std::size_t>(x.rank()))
      fail_op("op_slice", "shape", "there are more ranges than axes in a tensor of shape " + x.text());
  for (double stride : attrs.numbers("stride")) whole_number("op_slice", "a stride", stride);
  Shape out;
  for (int k = 0; k < x.rank(); ++k) out.push(picked_size(range_of(attrs, k), x[k], k));
  return infer_one(in[0].dtype, out);
}

StridedMap slice_map(const Attrs& attrs, const Shape& x, const Shape& out) {
  int64 strides[max_rank];
  row_major_strides(x, strides);
  StridedMap map;
  for (int k = 0; k < x.rank(); ++k) {
    const Range range = range_of(attrs, k);
    if (out[k] > 0) map.base += pick(range, x[k]).first * strides[k];
    map.grid.push(out[k], {strides[k] * range.stride});
  }
  return map;
}

// slice_update: inputs x, u (the shape of the slice of x); attrs as slice. x with u in the place of its slice.

Inference infer_slice_update(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_slice_update";
  require_inputs(label, in, 2);
  require_same_dtype(label, in[0], in[1]);
  const Shape block = infer_slice(attrs, {in[0]}).outputs[0].shape;
  common_shape(label, block, in[1].shape);
  Inference result = infer_one(in[0].dtype, in[0].shape);
  if (in[0].shape.known()) result.backward_scratch = in[0].bytes();  // dy with zeros in the block
  return result;
}

void forward_slice_update(const ForwardCall& call) {
  copy_bytes(call.out[0].data, call.in[0].data, call.out[0].meta.bytes());
  const StridedMap map = slice_map(call.attrs, call.out[0].shape(), call.in[1].shape());
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    scatter<std::false_type>(map, call.in[1].as<T>(), call.out[0].as<T>());
  });
}

// dx = dy but for the block, du = dy in the block.
void backward_slice_update(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const View& dy = call.dout[0];
  const StridedMap map = slice_map(call.attrs, dy.shape(), call.in[1].shape());
  with_float(dy.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if (wanted(call, 1))
      with_flag(call.accumulate[1], [&](auto add) { gather<decltype(add)>(map, dy.as<T>(), call.din[1].as<T>()); });
    if (!wanted(call, 0)) return;
    T* kept = static_cast<T*>(call.scratch);
    copy_bytes(kept, dy.data, dy.meta.bytes());
    put_constant(map, T(0), kept);
    add_or_copy(call, 0, kept);
  });
}

}  // namespace

void register_slice_ops() {
  register_view<slice_map>("slice", infer_slice);
  register_op({"slice_update", infer_slice_update, forward_slice_update, backward_slice_update, 0u, 0u, -1});
}

}  // namespace birnn
