// The order of the elements along an axis: argsort (level L3). Sorted values are taken along that order.
#include <algorithm>

#include "ops_families.h"
#include "ops_lines.h"

namespace birnn {

namespace {

// argsort: attrs `axis` (default -1), `descending`. Equal elements keep their order; NaN counts as larger than all.

constexpr const char* label = "op_argsort";

Inference infer_argsort(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(label, in, 1);
  const Shape& shape = in[0].shape;
  const int axis = axis_attr(label, attrs, shape.rank(), -1);
  Inference result = infer_one(DType::int32, shape);
  if (shape[axis] != unknown_size)
    result.forward_scratch = static_cast<std::size_t>(shape[axis] + 1) * sizeof(std::int32_t);
  return result;
}

template <typename T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

// Order of one line: a sort by (value, position) needs no memory, and is stable.
template <typename T>
void sort_line(Line<const T> x, int64 n, bool descending, std::int32_t* order) {
  for (int64 i = 0; i < n; ++i) order[i] = static_cast<std::int32_t>(i);
  std::sort(order, order + n, [&](std::int32_t i, std::int32_t j) {
    const T a = x[descending ? j : i], b = x[descending ? i : j];
    if (less(a, b)) return true;
    return !less(b, a) && i < j;
  });
}

void forward_argsort(const ForwardCall& call) {
  const Shape& shape = call.in[0].shape();
  const Split3 split(shape, axis_attr(label, call.attrs, shape.rank(), -1));
  const bool descending = call.attrs.flag("descending");
  std::int32_t* order = static_cast<std::int32_t*>(call.scratch);
  std::int32_t* y = call.out[0].as<std::int32_t>();
  with_any(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_each_line(split, [&](int64 first, int64 step) {
      sort_line(Line<const T>{call.in[0].as<T>() + first, step}, split.size, descending, order);
      for (int64 i = 0; i < split.size; ++i) y[first + i * step] = order[i];
    });
  });
}

}  // namespace

void register_sort_ops() { register_op({"argsort", infer_argsort, forward_argsort, nullptr, 0u, 0u, -1}); }

}  // namespace birnn
