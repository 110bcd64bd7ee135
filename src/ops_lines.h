// The lines of elements along one axis of a row-major tensor (level L3).
#pragma once
#include "ops_common.h"

namespace birnn {

// The elements along one axis.
template <typename T>
struct Line {
  T* first;
  int64 step;
  T& operator[](int64 i) const { return first[i * step]; }
};

// Calls fn(first, step) for every line of elements along an axis of a row-major tensor.
template <typename Fn>
void for_each_line(const Split3& split, Fn&& fn) {
  for (int64 outer = 0; outer < split.outer; ++outer)
    for (int64 inner = 0; inner < split.inner; ++inner) fn(outer * split.size * split.inner + inner, split.inner);
}

}  // namespace birnn
