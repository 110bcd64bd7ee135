// Slices along an axis that are looked up by number and changed: index_add, index_put (level L3).
// Inputs x, indices (n), values (x with n in place of the axis); attr `axis` (default 0).
#include "ops_families.h"
#include "ops_indices.h"

namespace birnn {

namespace {

// Values meet what is there: added in the order of the indices, or put in its place; of equal indices the last one
// counts.
struct AddSlices {
  static constexpr const char* label = "op_index_add";
  static constexpr bool replaces = false;
};
struct PutSlices {
  static constexpr const char* label = "op_index_put";
  static constexpr bool replaces = true;
};

template <typename Op>
int axis_of(const Attrs& attrs, const Shape& x) {
  return axis_attr(Op::label, attrs, x.rank(), 0);
}

template <typename Op>
Inference infer_update(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(Op::label, in, 3);
  require_dtype(Op::label, in[1], DType::int32);
  require_same_dtype(Op::label, in[0], in[2]);
  if (!Op::replaces) require_number(Op::label, in[0]);
  const Shape &x = in[0].shape, &indices = in[1].shape;
  if (indices.rank() != 1) fail_op(Op::label, "shape", "needs a vector of indices, not shape " + indices.text());
  const int axis = axis_of<Op>(attrs, x);
  Shape values = x;
  values[axis] = indices[0];
  common_shape(Op::label, values, in[2].shape);
  Inference result = infer_one(in[0].dtype, x);
  if (Op::replaces && x.known())  // dy without what was replaced, and for each place the index that won
    result.backward_scratch = in[0].bytes() + static_cast<std::size_t>(x[axis] + 1) * sizeof(std::int64_t);
  return result;
}

inline int64 from_start(std::int32_t index, int64 size) { return index < 0 ? index + size : index; }

// Calls fn(i, position in the values, position in x) for every row of `inner` elements, in the order of the indices.
template <typename Fn>
void for_each_slice(const Split3& x, const View& indices, Fn&& fn) {
  const std::int32_t* index = indices.as<std::int32_t>();
  const int64 n = indices.count();
  for (int64 outer = 0; outer < x.outer; ++outer)
    for (int64 i = 0; i < n; ++i)
      fn(i, (outer * n + i) * x.inner, (outer * x.size + from_start(index[i], x.size)) * x.inner);
}

template <typename Op>
void forward_update(const ForwardCall& call) {
  const Shape& shape = call.in[0].shape();
  const Split3 split(shape, axis_of<Op>(call.attrs, shape));
  check_indices(Op::label, call.in[1], -split.size, split.size);
  copy_bytes(call.out[0].data, call.in[0].data, call.out[0].meta.bytes());
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* values = call.in[2].as<T>();
    T* y = call.out[0].as<T>();
    for_each_slice(split, call.in[1], [&](int64, int64 from, int64 to) {
      for (int64 j = 0; j < split.inner; ++j) {
        if constexpr (Op::replaces)
          y[to + j] = values[from + j];
        else
          y[to + j] = static_cast<T>(y[to + j] + values[from + j]);
      }
    });
  });
}

// dx = dy, dvalues = dy at the indices.
void backward_index_add(const BackwardCall& call) {
  if (no_gradient(call, 3)) return;
  const Shape& shape = call.dout[0].shape();
  const Split3 split(shape, axis_of<AddSlices>(call.attrs, shape));
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* dy = call.dout[0].as<T>();
    if (wanted(call, 0)) add_or_copy(call, 0, dy);
    if (!wanted(call, 2)) return;
    T* dv = call.din[2].as<T>();
    with_flag(call.accumulate[2], [&](auto accumulate) {
      for_each_slice(split, call.in[1], [&](int64, int64 to, int64 from) {
        for (int64 j = 0; j < split.inner; ++j) store<decltype(accumulate)>(dv[to + j], dy[from + j]);
      });
    });
  });
}

// Which index each place of the axis keeps: the last one that names it.
void find_winners(const Split3& split, const View& indices, int64* winner) {
  const std::int32_t* index = indices.as<std::int32_t>();
  for (int64 i = 0; i < indices.count(); ++i) winner[from_start(index[i], split.size)] = i;
}

// dx = dy but at the indices; dvalues = dy at the indices, 0 for values that were overwritten.
void backward_index_put(const BackwardCall& call) {
  if (no_gradient(call, 3)) return;
  const Shape& shape = call.dout[0].shape();
  const Split3 split(shape, axis_of<PutSlices>(call.attrs, shape));
  int64* winner = static_cast<int64*>(call.scratch);
  find_winners(split, call.in[1], winner);
  const std::int32_t* index = call.in[1].as<std::int32_t>();
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* dy = call.dout[0].as<T>();
    T* kept = reinterpret_cast<T*>(winner + split.size + 1);
    T* dv = call.din[2].as<T>();
    copy_bytes(kept, dy, call.dout[0].meta.bytes());
    for_each_slice(split, call.in[1], [&](int64 i, int64 to, int64 from) {
      const bool wins = winner[from_start(index[i], split.size)] == i;
      for (int64 j = 0; j < split.inner; ++j) {
        kept[from + j] = T(0);
        const T gradient = wins ? dy[from + j] : T(0);
        if (dv != nullptr) dv[to + j] = call.accumulate[2] ? dv[to + j] + gradient : gradient;
      }
    });
    if (wanted(call, 0)) add_or_copy(call, 0, kept);
  });
}

}  // namespace

void register_update_ops() {
  register_op({"index_add", infer_update<AddSlices>, forward_update<AddSlices>, backward_index_add, 2u, 0u, -1});
  register_op({"index_put", infer_update<PutSlices>, forward_update<PutSlices>, backward_index_put, 2u, 0u, -1});
}

}  // namespace birnn
