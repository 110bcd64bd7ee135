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

// plain[i] = strided[base + offset(i)]
template <typename Add, typename T>
void gather(const StridedMap& map, const T* strided, T* plain) {
  if (map.grid.empty()) return;
  Grid<1> outer = map.grid;
  int64 step[1];
  const int64 n = outer.pop(step);
  walk(outer, [&](const int64(&offset)[1]) {
    const T* from = strided + (map.base + offset[0]);
    if (step[0] == 1) {
      for (int64 i = 0; i < n; ++i) store<Add>(plain[i], from[i]);
    } else {
      for (int64 i = 0; i < n; ++i) store<Add>(plain[i], from[i * step[0]]);
    }
    plain += n;
  });
}

// strided[base + offset(i)] = plain[i]
template <typename Add, typename T>
void scatter(const StridedMap& map, const T* plain, T* strided) {
  if (map.grid.empty()) return;
  Grid<1> outer = map.grid;
  int64 step[1];
  const int64 n = outer.pop(step);
  walk(outer, [&](const int64(&offset)[1]) {
    put_row<Add>(n, step[0], strided + (map.base + offset[0]), [&](int64 i) { return plain[i]; });
    plain += n;
  });
}

}  // namespace birnn
