// Rules about shapes that several ops share: axes, broadcasting, strides (level L0).
#pragma once
#include <cstdint>
#include <vector>

#include "view.h"

namespace birnn {

// A possibly negative axis (-1 is the last) as 0..rank-1; an error outside.
int normalize_axis(std::int64_t axis, int rank, const char* op);

// Numpy broadcasting of two shapes; an unknown size meets a known one (other than 1) and takes it.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op);

// Strides (in elements) of `shape` seen as `target`: 0 along broadcast axes. `shape` has at most target.rank() axes.
std::vector<std::int64_t> broadcast_strides(const Shape& shape, const Shape& target);

}  // namespace birnn
