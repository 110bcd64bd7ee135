// The merge modes of a bidirectional layer: the one list in the package, values and gradients (level L2).
#pragma once
#include <algorithm>
#include <string>

#include "error.h"
#include "workspace.h"

namespace birnn {

enum class MergeMode { none, concat, sum, mul, ave };

inline MergeMode merge_from_name(const std::string& name) {
  if (name == "none") return MergeMode::none;
  if (name == "concat") return MergeMode::concat;
  if (name == "sum") return MergeMode::sum;
  if (name == "mul") return MergeMode::mul;
  if (name == "ave") return MergeMode::ave;
  fail("value", "there is no merge mode '" + name + "'");
}

inline bool is_elementwise(MergeMode mode) { return mode != MergeMode::none && mode != MergeMode::concat; }

// Units of the merged output.
inline int64 merged_units(MergeMode mode, int64 forward, int64 backward) {
  if (mode == MergeMode::concat) return forward + backward;
  if (is_elementwise(mode) && forward != backward)
    fail("shape", "both directions need the same number of units here, got " + std::to_string(forward) + " and " +
                      std::to_string(backward));
  return forward;
}

// Two directions of one output: f (rows, f_units), b (rows, b_units), merged into y (rows, merged_units).
struct MergeShape {
  MergeMode mode;
  int64 rows, f_units, b_units;
};

template <typename T>
void merge_values(const MergeShape& shape, const T* f, const T* b, T* y) {
  const int64 count = shape.rows * shape.f_units;
  switch (shape.mode) {
    case MergeMode::none:
      return;
    case MergeMode::concat:
      for (int64 r = 0; r < shape.rows; ++r) {
        y = std::copy(f + r * shape.f_units, f + (r + 1) * shape.f_units, y);
        y = std::copy(b + r * shape.b_units, b + (r + 1) * shape.b_units, y);
      }
      return;
    case MergeMode::sum:
      for (int64 e = 0; e < count; ++e) y[e] = f[e] + b[e];
      return;
    case MergeMode::mul:
      for (int64 e = 0; e < count; ++e) y[e] = f[e] * b[e];
      return;
    case MergeMode::ave:
      for (int64 e = 0; e < count; ++e) y[e] = (f[e] + b[e]) / T(2);
      return;
  }
}

// d f (`backward` false) or d b (true) from dy. Only "mul" reads the values: `other` are those of the other direction.
template <typename T>
void merge_gradient(const MergeShape& shape, bool backward, const T* other, const T* dy, bool accumulate, T* d) {
  const auto put = [&](int64 e, T value) { d[e] = accumulate ? d[e] + value : value; };
  const int64 count = shape.rows * shape.f_units;
  switch (shape.mode) {
    case MergeMode::none:
      return;
    case MergeMode::concat: {
      const int64 units = backward ? shape.b_units : shape.f_units;
      const T* from = dy + (backward ? shape.f_units : 0);
      for (int64 r = 0; r < shape.rows; ++r, from += shape.f_units + shape.b_units)
        for (int64 u = 0; u < units; ++u) put(r * units + u, from[u]);
      return;
    }
    case MergeMode::sum:
      for (int64 e = 0; e < count; ++e) put(e, dy[e]);
      return;
    case MergeMode::mul:
      for (int64 e = 0; e < count; ++e) put(e, dy[e] * other[e]);
      return;
    case MergeMode::ave:
      for (int64 e = 0; e < count; ++e) put(e, dy[e] / T(2));
      return;
  }
}

}  // namespace birnn
