// Copying between a plain row-major tensor and a strided view of another one (level L3).
#pragma once
#include "ops_loops.h"

namespace birnn {

// Element number i (row-major over `grid`) of the plain tensor lies at base + offset of the other one. Strides may be
// negative (flip) or zero (broadcast).
struct StridedMap {
  Grid<1> grid;
  int64 base = 0;
};

// If the two innermost axes of the plain tensor lie transposed in the other one, calls fn(transpose, rows, columns,
// offset, step) for every such matrix: element (r, c) lies at offset + r + c * step. False if they do not.
template <typename T, typename Fn>
bool for_each_transposed(const StridedMap& map, Fn&& fn) {
  if constexpr (std::is_floating_point<T>::value) {
    Grid<1> outer = map.grid;
    int64 step[1], row_step[1];
    const int64 columns = outer.pop(step), rows = outer.pop(row_step);
    if (row_step[0] != 1 || step[0] < 2 || rows < 4 || columns < 4) return false;
    const auto transpose = tier().arrays->of<T>().transpose;
    walk(outer, [&](const int64(&offset)[1]) {
      fn(
          [&](int64 m, int64 n, const T* from, int64 from_step, T* to, int64 to_step) {
            transpose(static_cast<long>(m), static_cast<long>(n), from, static_cast<long>(from_step), to,
                      static_cast<long>(to_step));
          },
          rows, columns, map.base + offset[0], step[0]);
    });
    return true;
  } else {
    return false;
  }
}

// plain[i] = strided[base + offset(i)]
template <typename Add, typename T>
void gather(const StridedMap& map, const T* strided, T* plain) {
  if (map.grid.empty()) return;
  if (!Add::value &&
      for_each_transposed<T>(map, [&](const auto& transpose, int64 rows, int64 columns, int64 offset, int64 step) {
        transpose(columns, rows, strided + offset, step, plain, columns);
        plain += rows * columns;
      }))
    return;
  Grid<1> outer = map.grid;
  int64 step[1];
  const int64 n = outer.pop(step);
  walk(outer, [&](const int64(&offset)[1]) {
    const T* from = strided + (map.base + offset[0]);
    if (step[0] == 1)
      put_elements<Add>(n, from, plain);
    else if (step[0] == 0 && !Add::value)
      for_each_element(n, [to = plain, number = *from](int64 i) { to[i] = number; });
    else
      put_row<Add>(n, 1, plain, [&](int64 i) { return from[i * step[0]]; });
    plain += n;
  });
}

// strided[base + offset(i)] = plain[i]
template <typename Add, typename T>
void scatter(const StridedMap& map, const T* plain, T* strided) {
  if (map.grid.empty()) return;
  if (!Add::value &&
      for_each_transposed<T>(map, [&](const auto& transpose, int64 rows, int64 columns, int64 offset, int64 step) {
        transpose(rows, columns, plain, columns, strided + offset, step);
        plain += rows * columns;
      }))
    return;
  Grid<1> outer = map.grid;
  int64 step[1];
  const int64 n = outer.pop(step);
  walk(outer, [&](const int64(&offset)[1]) {
    T* to = strided + (map.base + offset[0]);
    if (step[0] == 1)
      put_elements<Add>(n, plain, to);
    else
      put_row<Add>(n, step[0], to, [&](int64 i) { return plain[i]; });
    plain += n;
  });
}

// strided[base + offset(i)] = value
template <typename T>
void put_constant(const StridedMap& map, T value, T* strided) {
  if (map.grid.empty()) return;
  walk(map.grid, [&](const int64(&offset)[1]) { strided[map.base + offset[0]] = value; });
}

// Ops whose output is a strided view of their input.

using MapMaker = StridedMap (*)(const Attrs& attrs, const Shape& x, const Shape& out);

template <MapMaker make>
void forward_view(const ForwardCall& call) {
  const StridedMap map = make(call.attrs, call.in[0].shape(), call.out[0].shape());
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    gather<std::false_type>(map, call.in[0].as<T>(), call.out[0].as<T>());
  });
}

// An element of x that went to several places gets the sum of their gradients, in row-major order.
template <MapMaker make>
void backward_view(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const StridedMap map = make(call.attrs, call.din[0].shape(), call.dout[0].shape());
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    with_flag(start_row_sums(call, 0),
              [&](auto add) { scatter<decltype(add)>(map, call.dout[0].as<T>(), call.din[0].as<T>()); });
  });
}

template <MapMaker make>
void register_view(const char* name, Inference (*infer)(const Attrs&, const std::vector<Meta>&)) {
  register_op({name, infer, forward_view<make>, backward_view<make>, 0u, 0u, -1});
}

}  // namespace birnn
