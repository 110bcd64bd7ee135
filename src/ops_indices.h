// Checking indices and class labels before an op writes anything (level L3).
#pragma once
#include <string>

#include "ops_common.h"

namespace birnn {

[[noreturn]] inline void fail_index(const char* label, std::int32_t index, int64 position, int64 low, int64 size) {
  const std::string range =
      size == 0 ? "there are no elements" : "must be in " + std::to_string(low) + ".." + std::to_string(size - 1);
  fail_op(label, "value",
          "index " + std::to_string(index) + " (number " + std::to_string(position + 1) + "): " + range);
}

// Names the first index outside low..size-1. `accepts(index)` lets others pass.
template <typename Accepts>
void check_indices(const char* label, const View& indices, int64 low, int64 size, Accepts&& accepts) {
  const std::int32_t* index = indices.as<std::int32_t>();
  const int64 n = indices.count();
  for (int64 i = 0; i < n; ++i)
    if ((index[i] < low || index[i] >= size) && !accepts(index[i])) fail_index(label, index[i], i, low, size);
}

inline void check_indices(const char* label, const View& indices, int64 low, int64 size) {
  check_indices(label, indices, low, size, [](std::int32_t) { return false; });
}

}  // namespace birnn
