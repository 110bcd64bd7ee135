// Ops that only move elements: reshape, transpose, flip, broadcast, tile, repeat (level L3).
#include "ops_families.h"
#include "ops_strided.h"

namespace birnn {

namespace {

// reshape: attr `shape` in codes.

// An axis whose size is referred to by a code stands on both sides and says nothing about the open size, so that
// (NA, 5, 8) as (size of axis 0, open) is (NA, 40).
struct Counts {
  int64 from = 1, to = 1;  // products of the remaining sizes
};

Counts counts_to_compare(const char* label, const std::vector<double>& codes, const Shape& source) {
  bool cancelled[max_rank] = {false};
  Counts counts;
  for (double code : codes) {
    const int axis = code <= -10 ? static_cast<int>(-code - 10) : -1;
    if (code >= 0) counts.to = size_product(label, counts.to, static_cast<int64>(code));
    if (axis >= 0 && cancelled[axis]) counts.to = size_product(label, counts.to, source[axis]);
    if (axis >= 0) cancelled[axis] = true;
  }
  for (int k = 0; k < source.rank(); ++k)
    if (!cancelled[k]) counts.from = size_product(label, counts.from, source[k]);
  return counts;
}

Inference infer_reshape(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_reshape";
  require_inputs(label, in, 1);
  const Shape& source = in[0].shape;
  const std::vector<double>& codes = attrs.numbers("shape");
  int open;
  Shape out = shape_from_codes(label, codes, source, &open);
  const Counts counts = counts_to_compare(label, codes, source);
  if (counts.from != unknown_size && counts.to != unknown_size) {
    const bool fits = open < 0 ? counts.from == counts.to : counts.to != 0 && counts.from % counts.to == 0;
    if (!fits) fail_op(label, "shape", "a tensor of shape " + source.text() + " cannot take the shape " + out.text());
    if (open >= 0) out[open] = counts.from / counts.to;
  }
  return infer_one(in[0].dtype, out);
}

// transpose: attr `perm` (reversed if absent).

int source_axis(const Attrs& attrs, int axis, int rank) {
  const std::vector<double>& perm = attrs.numbers("perm");
  if (perm.empty()) return rank - 1 - axis;
  return normalize_axis(static_cast<int64>(perm[static_cast<std::size_t>(axis)]), rank, "op_transpose");
}

Inference infer_transpose(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_transpose";
  require_inputs(label, in, 1);
  const Shape& x = in[0].shape;
  const std::vector<double>& perm = attrs.numbers("perm");
  if (attrs.has("perm") && static_cast<int>(perm.size()) != x.rank())
    fail_op(label, "value",
            "needs an order of all " + std::to_string(x.rank()) + " axes of a tensor of shape " + x.text());
  bool used[max_rank] = {false};
  Shape out;
  for (int k = 0; k < x.rank(); ++k) {
    if (!perm.empty()) whole_number(label, "an axis", perm[static_cast<std::size_t>(k)]);
    const int axis = source_axis(attrs, k, x.rank());
    if (used[axis]) fail_op(label, "value", "axis " + std::to_string(axis + 1) + " is named twice");
    used[axis] = true;
    out.push(x[axis]);
  }
  return infer_one(in[0].dtype, out);
}

StridedMap transpose_map(const Attrs& attrs, const Shape& x, const Shape& out) {
  int64 strides[max_rank];
  row_major_strides(x, strides);
  StridedMap map;
  for (int k = 0; k < out.rank(); ++k) map.grid.push(out[k], {strides[source_axis(attrs, k, x.rank())]});
  return map;
}

// flip: attr `axis` (all if absent).

Inference infer_flip(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_flip", in, 1);
  axis_set("op_flip", attrs, in[0].shape.rank());
  return infer_one(in[0].dtype, in[0].shape);
}

StridedMap flip_map(const Attrs& attrs, const Shape& x, const Shape&) {
  const AxisSet axes = axis_set("op_flip", attrs, x.rank());
  int64 strides[max_rank];
  row_major_strides(x, strides);
  StridedMap map;
  for (int k = 0; k < x.rank(); ++k) {
    if (axes.has[k]) map.base += (x[k] - 1) * strides[k];
    map.grid.push(x[k], {axes.has[k] ? -strides[k] : strides[k]});
  }
  return map;
}

// broadcast_to: attr `shape` (-1 keeps the size of x); broadcast_like: the shape of the second input.

Shape broadcast_target(const char* label, const Shape& x, const Shape& target) {
  const int missing = target.rank() - x.rank();
  Shape out;
  bool fits = missing >= 0;
  for (int k = 0; k < target.rank() && fits; ++k) {
    const int64 from = k < missing ? 1 : x[k - missing], to = target[k];
    fits = from == 1 || from == to || from == unknown_size || to == unknown_size;
    out.push(from == 1 || to != unknown_size ? to : from);
  }
  if (!fits) fail_op(label, "shape", "a tensor of shape " + x.text() + " cannot be broadcast to " + target.text());
  return out;
}

Inference infer_broadcast_to(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_broadcast_to";
  require_inputs(label, in, 1);
  const Shape& x = in[0].shape;
  const std::vector<double>& sizes = attrs.numbers("shape");
  Shape target;
  for (double number : sizes) {
    const int64 size = whole_number(label, "a size", number);
    const int axis = target.rank() - (static_cast<int>(sizes.size()) - x.rank());
    if (size < -1 || (size == -1 && axis < 0))
      fail_op(label, "value", "there is no size " + std::to_string(size) + " for a tensor of shape " + x.text());
    target.push(size == -1 ? x[axis] : size);
  }
  return infer_one(in[0].dtype, broadcast_target(label, x, target));
}

Inference infer_broadcast_like(const Attrs&, const std::vector<Meta>& in) {
  const char* label = "op_broadcast_like";
  require_inputs(label, in, 2);
  return infer_one(in[0].dtype, broadcast_target(label, in[0].shape, in[1].shape));
}

StridedMap broadcast_map(const Attrs&, const Shape& x, const Shape& out) {
  return StridedMap{broadcast_grid<1>(out, {&x}), 0};
}

// Only the shape of the second input matters.
void backward_broadcast_like(const BackwardCall& call) {
  if (wanted(call, 1)) start_sum(call, 1);
  backward_view<broadcast_map>(call);
}

// tile: attr `repeats` per axis; repeat: attrs `repeats` (one number) and `axis` (flattened if absent).

int64 repeated(const char* label, int64 size, double repeats) {
  const int64 times = whole_number(label, "the number of repeats", repeats);
  if (times < 0) fail_op(label, "value", "the number of repeats must not be negative");
  return size_product(label, size, times);
}

Inference infer_tile(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_tile", in, 1);
  const Shape& x = in[0].shape;
  const std::vector<double>& repeats = attrs.numbers("repeats");
  const int given = static_cast<int>(repeats.size()), rank = given > x.rank() ? given : x.rank();
  Shape out;
  for (int k = 0; k < rank; ++k) {
    const int axis = k - (rank - x.rank()), number = k - (rank - given);
    out.push(repeated("op_tile", axis < 0 ? 1 : x[axis], number < 0 ? 1 : repeats[static_cast<std::size_t>(number)]));
  }
  return infer_one(in[0].dtype, out);
}

StridedMap tile_map(const Attrs&, const Shape& x, const Shape& out) {
  int64 strides[max_rank];
  row_major_strides(x, strides);
  StridedMap map;
  for (int k = 0; k < out.rank(); ++k) {
    const int axis = k - (out.rank() - x.rank());
    const int64 size = axis < 0 ? 1 : x[axis];
    map.grid.push(size == 0 ? 0 : out[k] / size, {0});
    map.grid.push(size, {axis < 0 ? 0 : strides[axis]});
  }
  return map;
}

Inference infer_repeat(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_repeat";
  require_inputs(label, in, 1);
  Shape out = in[0].shape;
  if (!attrs.has("axis")) out = Shape{out.known() ? out.count() : unknown_size};
  const int axis = axis_attr(label, attrs, out.rank(), 0);
  out[axis] = repeated(label, out[axis], attrs.number("repeats"));
  return infer_one(in[0].dtype, out);
}

StridedMap repeat_map(const Attrs& attrs, const Shape& x, const Shape& out) {
  const Shape source = attrs.has("axis") ? x : Shape{x.count()};
  const Split3 split(source, axis_attr("op_repeat", attrs, source.rank(), 0));
  const int64 times = split.size == 0 ? 0 : out.count() / (split.outer * split.inner == 0 ? 1 : source.count());
  StridedMap map;
  map.grid.push(split.outer, {split.size * split.inner});
  map.grid.push(split.size, {split.inner});
  map.grid.push(times, {0});
  map.grid.push(split.inner, {1});
  return map;
}

}  // namespace

void register_shape_ops() {
  register_op({"reshape", infer_reshape, nullptr, backward_same, 0u, 0u, 0});
  register_view<transpose_map>("transpose", infer_transpose);
  register_view<flip_map>("flip", infer_flip);
  register_view<broadcast_map>("broadcast_to", infer_broadcast_to);
  register_view<tile_map>("tile", infer_tile);
  register_view<repeat_map>("repeat", infer_repeat);
  register_op(
      {"broadcast_like", infer_broadcast_like, forward_view<broadcast_map>, backward_broadcast_like, 0u, 0u, -1});
  register_slice_ops();
  register_join_ops();
  register_fill_ops();
}

}  // namespace birnn
