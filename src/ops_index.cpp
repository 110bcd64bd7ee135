// Ops that look elements up by number: take, embedding, take_along_axis, one_hot (level L3).
// All indices are checked before anything is written; the first bad one is named.
#include "ops_families.h"
#include "ops_indices.h"

namespace birnn {

namespace {

inline int64 from_start(std::int32_t index, int64 size) { return index < 0 ? index + size : index; }

// take: inputs x, indices; attr `axis` (default 0). embedding: take on axis 0 without negative indices.

struct Take {
  static constexpr const char* label = "op_take";
  static constexpr bool negatives = true;
  static int axis(const Attrs& attrs, int rank) { return axis_attr(label, attrs, rank, 0); }
};
struct Embedding {
  static constexpr const char* label = "op_embedding";
  static constexpr bool negatives = false;
  static int axis(const Attrs&, int rank) { return normalize_axis(0, rank, label); }
};

template <typename Op>
Inference infer_take(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(Op::label, in, 2);
  require_dtype(Op::label, in[1], DType::int32);
  const Shape &x = in[0].shape, &indices = in[1].shape;
  const int axis = Op::axis(attrs, x.rank());
  Shape out;
  for (int k = 0; k < axis; ++k) out.push(x[k]);
  for (int k = 0; k < indices.rank(); ++k) out.push(indices[k]);
  for (int k = axis + 1; k < x.rank(); ++k) out.push(x[k]);
  return infer_one(in[0].dtype, out);
}

// Single numbers instead of rows.
void take_numbers(const ForwardCall& call, const Split3& split) {
  const std::int32_t* __restrict index = call.in[1].as<std::int32_t>();
  const int64 n = call.in[1].count();
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* __restrict x = call.in[0].as<T>();
    T* __restrict y = call.out[0].as<T>();
    for (int64 outer = 0; outer < split.outer; ++outer, x += split.size, y += n)
      for (int64 i = 0; i < n; ++i) y[i] = x[from_start(index[i], split.size)];
  });
}

template <typename Op>
void forward_take(const ForwardCall& call) {
  const Shape& shape = call.in[0].shape();
  const Split3 split(shape, Op::axis(call.attrs, shape.rank()));
  check_indices(Op::label, call.in[1], Op::negatives ? -split.size : 0, split.size);
  const std::int32_t* index = call.in[1].as<std::int32_t>();
  const int64 n = call.in[1].count();
  if (split.inner == 1) return take_numbers(call, split);
  const int64 row = split.inner * static_cast<int64>(item_size(call.in[0].dtype()));  // bytes
  const char* x = call.in[0].as<char>();
  char* y = call.out[0].as<char>();
  for (int64 outer = 0; outer < split.outer; ++outer, x += split.size * row)
    for (int64 i = 0; i < n; ++i, y += row)
      copy_bytes(y, x + from_start(index[i], split.size) * row, static_cast<std::size_t>(row));
}

// Rows that were taken several times get the sum of their gradients, in the order of the indices.
template <typename Op>
void backward_take(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const Shape& shape = call.din[0].shape();
  const Split3 split(shape, Op::axis(call.attrs, shape.rank()));
  start_sum(call, 0);
  const std::int32_t* index = call.in[1].as<std::int32_t>();
  const int64 n = call.in[1].count();
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* dy = call.dout[0].as<T>();
    T* dx = call.din[0].as<T>();
    const auto add = tier().arrays->of<T>().add;
    for (int64 outer = 0; outer < split.outer; ++outer, dx += split.size * split.inner)
      for (int64 i = 0; i < n; ++i, dy += split.inner)
        add(static_cast<long>(split.inner), dy, dx + from_start(index[i], split.size) * split.inner);
  });
}

// take_along_axis: inputs x, indices (the shape of x but for the axis); attr `axis`.

constexpr const char* along_label = "op_take_along_axis";

Inference infer_take_along_axis(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(along_label, in, 2);
  require_dtype(along_label, in[1], DType::int32);
  const Shape &x = in[0].shape, &indices = in[1].shape;
  const int axis = axis_attr(along_label, attrs, x.rank(), -1);
  if (x.rank() != indices.rank())
    fail_op(along_label, "shape", "shapes " + x.text() + " and " + indices.text() + " do not fit each other");
  Shape out;
  for (int k = 0; k < x.rank(); ++k)
    out.push(k == axis ? indices[k] : common_size(along_label, x[k], indices[k], x, indices));
  return infer_one(in[0].dtype, out);
}

// Calls fn(position in the indices, position in x) in row-major order of the indices.
template <typename Fn>
void for_each_along(const Attrs& attrs, const Shape& x, const View& indices, Fn&& fn) {
  const int axis = axis_attr(along_label, attrs, x.rank(), -1);
  const Split3 from(x, axis), to(indices.shape(), axis);
  const std::int32_t* index = indices.as<std::int32_t>();
  int64 position = 0;
  for (int64 outer = 0; outer < to.outer; ++outer)
    for (int64 i = 0; i < to.size; ++i)
      for (int64 inner = 0; inner < to.inner; ++inner, ++position)
        fn(position, (outer * from.size + from_start(index[position], from.size)) * from.inner + inner);
}

void forward_take_along_axis(const ForwardCall& call) {
  const Shape& x = call.in[0].shape();
  const int64 size = x[axis_attr(along_label, call.attrs, x.rank(), -1)];
  check_indices(along_label, call.in[1], -size, size);
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = call.in[0].as<T>();
    T* y = call.out[0].as<T>();
    for_each_along(call.attrs, x, call.in[1], [&](int64 position, int64 source) { y[position] = from[source]; });
  });
}

void backward_take_along_axis(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  start_sum(call, 0);
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* dy = call.dout[0].as<T>();
    T* dx = call.din[0].as<T>();
    for_each_along(call.attrs, call.din[0].shape(), call.in[1],
                   [&](int64 position, int64 source) { dx[source] += dy[position]; });
  });
}

// one_hot: input indices; attrs `num_classes`, `dtype`; the classes are the new last axis.

Inference infer_one_hot(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_one_hot";
  require_inputs(label, in, 1);
  require_dtype(label, in[0], DType::int32);
  const int64 classes = whole_attr(label, attrs, "num_classes");
  if (classes < 1) fail_op(label, "value", "needs at least one class");
  if (attrs.integer("axis", -1) != -1) fail_op(label, "value", "the classes can only be the last axis");
  Shape out = in[0].shape;
  out.push(classes);
  return infer_one(dtype_from_name(attrs.text("dtype", "float32")), out);
}

void forward_one_hot(const ForwardCall& call) {
  const int64 classes = call.attrs.integer("num_classes");
  check_indices("op_one_hot", call.in[0], 0, classes);
  const std::int32_t* index = call.in[0].as<std::int32_t>();
  const int64 n = call.in[0].count();
  fill_zero(call.out[0]);
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = call.out[0].as<T>();
    for (int64 i = 0; i < n; ++i, y += classes) y[index[i]] = T(1);
  });
}

}  // namespace

void register_index_ops() {
  register_op({"take", infer_take<Take>, forward_take<Take>, backward_take<Take>, 2u, 0u, -1});
  register_op({"embedding", infer_take<Embedding>, forward_take<Embedding>, backward_take<Embedding>, 2u, 0u, -1});
  register_op(
      {"take_along_axis", infer_take_along_axis, forward_take_along_axis, backward_take_along_axis, 2u, 0u, -1});
  register_op({"one_hot", infer_one_hot, forward_one_hot, nullptr, 0u, 0u, -1});
  register_update_ops();
}

}  // namespace birnn
