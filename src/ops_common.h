// What the families of ops share: dispatch on the dtype, checks, attributes, empty gradients (level L3).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "kernel_isa.h"
#include "op.h"
#include "shape.h"

namespace birnn {

using int64 = std::int64_t;

// A label is the name of the R function, "op_add", as error messages show it; the registry knows the op as "add".
constexpr const char* registry_name(const char* label) { return label + 3; }

[[noreturn]] inline void fail_op(const char* label, const std::string& kind, const std::string& words) {
  fail(kind, std::string(label) + ": " + words);
}

// Dispatch on the dtype: `fn` gets a value of the scalar type, and runs once. Types outside the list are not called
// for.

template <typename Fn>
void with_float(DType type, Fn&& fn) {
  if (type == DType::float32) fn(float{});
  if (type == DType::float64) fn(double{});
}

template <typename Fn>
void with_number(DType type, Fn&& fn) {
  with_float(type, fn);
  if (type == DType::int32) fn(std::int32_t{});
}

template <typename Fn>
void with_any(DType type, Fn&& fn) {
  with_number(type, fn);
  if (type == DType::boolean) fn(std::uint8_t{});
}

// Makes the accumulate flag a compile time constant, so that inner loops carry no branch.
template <typename Fn>
void with_flag(bool flag, Fn&& fn) {
  if (flag)
    fn(std::true_type{});
  else
    fn(std::false_type{});
}

template <typename Accumulate, typename T>
inline void store(T& at, T value) {
  if (Accumulate::value)
    at += value;
  else
    at = value;
}

// Calls fn(i) for i = 0 .. n - 1, most of them in loops of a known length: those the compiler makes into vectors at -O2
// if fn reads without conditions, and through __restrict parameters of the function it is made in, which is not inlined.
template <typename Fn>
inline void for_each_element(int64 n, Fn&& fn) {
  constexpr int64 block = 64;
  int64 i = 0;
  for (; i + block <= n; i += block)
    for (int64 j = 0; j < block; ++j) fn(i + j);
  for (; i < n; ++i) fn(i);
}

// Every scalar type as every other. What has no int32 becomes the nearest one; NaN becomes R's NA, the smallest int32.
template <typename To, typename From>
inline To converted(From x) {
  if constexpr (std::is_same<To, std::uint8_t>::value) return x != From(0);
  if constexpr (std::is_same<To, std::int32_t>::value && std::is_floating_point<From>::value) {
    if (!(static_cast<double>(x) > -2147483648.0)) return std::numeric_limits<std::int32_t>::min();
    if (static_cast<double>(x) >= 2147483647.0) return std::numeric_limits<std::int32_t>::max();
  }
  return static_cast<To>(x);
}

// Sums of floats are taken in double, sums of integers wrap instead of overflowing.
template <typename T>
struct SumOf {
  using type = double;
};
template <>
struct SumOf<std::int32_t> {
  using type = std::uint64_t;
};
template <>
struct SumOf<std::uint8_t> {
  using type = std::uint64_t;
};

// Checks for `infer`.

inline void require_inputs(const char* label, const std::vector<Meta>& in, std::size_t count) {
  if (in.size() != count)
    fail_op(label, "internal", "needs " + std::to_string(count) + " inputs, got " + std::to_string(in.size()));
  for (const Meta& meta : in)
    if (meta.absent()) fail_op(label, "internal", "an input is missing");
}

inline void require_floating(const char* label, const Meta& meta) {
  if (!is_floating(meta.dtype))
    fail_op(label, "type", std::string("needs floating point numbers, not ") + dtype_name(meta.dtype));
}

inline void require_number(const char* label, const Meta& meta) {
  if (meta.dtype == DType::boolean) fail_op(label, "type", "needs numbers, not bool");
}

inline void require_dtype(const char* label, const Meta& meta, DType type) {
  if (meta.dtype != type)
    fail_op(label, "type", std::string("needs ") + dtype_name(type) + ", not " + dtype_name(meta.dtype));
}

inline void require_same_dtype(const char* label, const Meta& a, const Meta& b) {
  if (a.dtype != b.dtype)
    fail_op(label, "type",
            std::string("needs inputs of one dtype, not ") + dtype_name(a.dtype) + " and " + dtype_name(b.dtype));
}

// The size two axes agree on; unknown gives way to known.
inline int64 common_size(const char* label, int64 a, int64 b, const Shape& shape_a, const Shape& shape_b) {
  if (a == unknown_size) return b;
  if (b == unknown_size || a == b) return a;
  fail_op(label, "shape", "shapes " + shape_a.text() + " and " + shape_b.text() + " do not fit each other");
}

inline Shape common_shape(const char* label, const Shape& a, const Shape& b) {
  if (a.rank() != b.rank())
    fail_op(label, "shape", "shapes " + a.text() + " and " + b.text() + " do not fit each other");
  Shape out;
  for (int k = 0; k < a.rank(); ++k) out.push(common_size(label, a[k], b[k], a, b));
  return out;
}

// a * b of two sizes, unknown if one of them is.
inline int64 size_product(const char* label, int64 a, int64 b) {
  if (a == 0 || b == 0) return 0;
  if (a == unknown_size || b == unknown_size) return unknown_size;
  if (a > std::numeric_limits<int64>::max() / 16 / b)
    fail_op(label, "resource", "the tensor would have more elements than can be addressed");
  return a * b;
}

inline Inference infer_one(DType dtype, const Shape& shape) {
  Inference result;
  result.outputs.push_back(Meta{dtype, shape});
  return result;
}

// Reading attributes.

inline int64 whole_number(const char* label, const char* what, double value) {
  if (!(std::fabs(value) < 9e15) || value != std::floor(value))
    fail_op(label, "value", std::string(what) + " must be a whole number, not " + std::to_string(value));
  return static_cast<int64>(value);
}

inline int64 whole_attr(const char* label, const Attrs& attrs, const char* what) {
  return whole_number(label, what, attrs.number(what));
}

inline int64 whole_attr(const char* label, const Attrs& attrs, const char* what, int64 otherwise) {
  return whole_number(label, what, attrs.number(what, static_cast<double>(otherwise)));
}

inline int axis_attr(const char* label, const Attrs& attrs, int rank, int64 otherwise) {
  return normalize_axis(whole_attr(label, attrs, "axis", otherwise), rank, label);
}

// Which axes the attribute `axis` names; all of them if it is absent.
struct AxisSet {
  bool has[max_rank] = {false, false, false, false, false, false, false, false};
};

inline AxisSet axis_set(const char* label, const Attrs& attrs, int rank) {
  AxisSet set;
  const std::vector<double>& axes = attrs.numbers("axis");
  for (int k = 0; k < rank && axes.empty(); ++k) set.has[k] = true;
  for (double number : axes) {
    const int axis = normalize_axis(whole_number(label, "axis", number), rank, label);
    if (set.has[axis]) fail_op(label, "value", "axis " + std::to_string(axis + 1) + " is named twice");
    set.has[axis] = true;
  }
  return set;
}

// A shape written in codes: a size >= 0, or -(10 + k) for the size of axis k of `source`, or -1 for an open size, of
// which there may be one (its axis goes to `open`).
inline Shape shape_from_codes(const char* label, const std::vector<double>& codes, const Shape& source, int* open) {
  Shape out;
  *open = -1;
  for (double code : codes) {
    const int64 size = whole_number(label, "a size", code);
    if (size >= 0) {
      out.push(size);
    } else if (size <= -10 && -size - 10 < source.rank()) {
      out.push(source[static_cast<int>(-size - 10)]);
    } else if (size == -1 && *open < 0) {
      *open = out.rank();
      out.push(unknown_size);
    } else {
      fail_op(label, "value",
              size == -1 ? "only one size can be left open" : "there is no size " + std::to_string(size));
    }
  }
  return out;
}

// A shape as (outer, size of one axis, inner).

struct Split3 {
  int64 outer, size, inner;
  Split3(const Shape& shape, int axis)
      : outer(shape.count(0, axis)), size(shape[axis]), inner(shape.count(axis + 1, shape.rank())) {}
};

inline void fill_zero(const View& view) { std::memset(view.data, 0, view.meta.bytes()); }

inline void copy_bytes(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

inline bool wanted(const BackwardCall& call, int input) { return !call.din[input].absent(); }

// The gradient of input `i` as a sum that starts from zero, unless it is to be added to what is there.
inline void start_sum(const BackwardCall& call, int input) {
  if (!call.accumulate[input]) fill_zero(call.din[input]);
}

// True if nothing flows back through output 0; then every wanted gradient is complete.
inline bool no_gradient(const BackwardCall& call, int inputs) {
  if (!call.dout[0].absent()) return false;
  for (int i = 0; i < inputs; ++i)
    if (wanted(call, i)) start_sum(call, i);
  return true;
}

// Elements next to each other: y = x, or y += x.
template <typename Add, typename T>
void put_elements(int64 n, const T* __restrict x, T* __restrict y) {
  if constexpr (!Add::value)
    copy_bytes(y, x, static_cast<std::size_t>(n) * sizeof(T));
  else if constexpr (std::is_floating_point<T>::value)
    tier().arrays->of<T>().add(static_cast<long>(n), x, y);
  else
    for_each_element(n, [&](int64 i) { y[i] = static_cast<T>(y[i] + x[i]); });
}

// din[input] = values, or += where the gradient is a sum.
template <typename T>
void add_or_copy(const BackwardCall& call, int input, const T* values) {
  const View& dx = call.din[input];
  with_flag(call.accumulate[input], [&](auto add) { put_elements<decltype(add)>(dx.count(), values, dx.as<T>()); });
}

// dx = dy, for ops that only give their input another shape or name.
inline void backward_same(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    add_or_copy(call, 0, call.dout[0].as<T>());
  });
}

inline void backward_zero(const BackwardCall& call) {
  if (wanted(call, 0)) start_sum(call, 0);
}

}  // namespace birnn
