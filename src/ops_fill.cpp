// Ops that make tensors from numbers: full, full_like, eye, arange (level L3).
#include "ops_common.h"
#include "ops_families.h"

namespace birnn {

namespace {

void fill(const View& out, double value) {
  with_any(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = out.as<T>();
    const T number = converted<T>(value);
    for_each_element(out.count(), [&](int64 i) { y[i] = number; });
  });
}

int64 size_attr(const char* label, const Attrs& attrs, const char* what, int64 otherwise) {
  const int64 size = whole_attr(label, attrs, what, otherwise);
  if (size < 0) fail_op(label, "value", "a size must not be negative");
  return size;
}

// full: attrs `shape`, `value`, `dtype`; full_like: `value`, `dtype` (that of the input if absent).

Inference infer_full(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_full", in, 0);
  attrs.number("value");
  Shape out;
  for (double number : attrs.numbers("shape")) {
    const int64 size = whole_number("op_full", "a size", number);
    if (size < 0) fail_op("op_full", "value", "a size must not be negative");
    out.push(size);
  }
  return infer_one(dtype_from_name(attrs.text("dtype", "float32")), out);
}

Inference infer_full_like(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_full_like", in, 1);
  attrs.number("value");
  return infer_one(dtype_from_name(attrs.text("dtype", dtype_name(in[0].dtype))), in[0].shape);
}

void forward_full(const ForwardCall& call) { fill(call.out[0], call.attrs.number("value")); }

// eye: attrs `n` rows, `m` columns (n if absent), `k` (which diagonal, 0), `dtype`.

Inference infer_eye(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_eye", in, 0);
  const int64 rows = size_attr("op_eye", attrs, "n", -1), columns = size_attr("op_eye", attrs, "m", rows);
  whole_attr("op_eye", attrs, "k", 0);
  return infer_one(dtype_from_name(attrs.text("dtype", "float32")), Shape{rows, columns});
}

void forward_eye(const ForwardCall& call) {
  fill(call.out[0], 0);
  const int64 rows = call.out[0].shape()[0], columns = call.out[0].shape()[1], diagonal = call.attrs.integer("k", 0);
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = call.out[0].as<T>();
    for (int64 row = 0; row < rows; ++row)
      if (row + diagonal >= 0 && row + diagonal < columns) y[row * columns + row + diagonal] = T(1);
  });
}

// arange: attrs `start` (0), `stop` (not included), `step` (1), `dtype`.

Inference infer_arange(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_arange", in, 0);
  const double step = attrs.number("step", 1);
  const double count = std::ceil((attrs.number("stop") - attrs.number("start", 0)) / step);
  const DType dtype = dtype_from_name(attrs.text("dtype", "int32"));
  if (dtype == DType::boolean) fail_op("op_arange", "type", "makes numbers, not bool");
  if (!(std::fabs(count) < 9e15)) fail_op("op_arange", "value", "needs finite bounds and a step that is not 0");
  return infer_one(dtype, Shape{count > 0 ? static_cast<int64>(count) : 0});
}

void forward_arange(const ForwardCall& call) {
  const double start = call.attrs.number("start", 0), step = call.attrs.number("step", 1);
  with_number(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = call.out[0].as<T>();
    const int64 n = call.out[0].count();
    for (int64 i = 0; i < n; ++i) y[i] = converted<T>(start + static_cast<double>(i) * step);
  });
}

}  // namespace

void register_fill_ops() {
  register_op({"full", infer_full, forward_full, nullptr, 0u, 0u, -1});
  register_op({"full_like", infer_full_like, forward_full, nullptr, 0u, 0u, -1});
  register_op({"eye", infer_eye, forward_eye, nullptr, 0u, 0u, -1});
  register_op({"arange", infer_arange, forward_arange, nullptr, 0u, 0u, -1});
}

}  // namespace birnn
