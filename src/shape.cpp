// Checked sizes, printing and broadcasting of shapes (level L0).
#include "shape.h"

#include <limits>

namespace birnn {

const char* dtype_name(DType type) {
  switch (type) {
    case DType::float32: return "float32";
    case DType::float64: return "float64";
    case DType::int32: return "int32";
    case DType::boolean: return "bool";
  }
  return "?";
}

DType dtype_from_name(const std::string& name) {
  for (DType type : {DType::float32, DType::float64, DType::int32, DType::boolean})
    if (name == dtype_name(type)) return type;
  fail("value", "unknown dtype \"" + name + "\": use \"float32\", \"float64\", \"int32\" or \"bool\"");
}

std::int64_t Shape::count(int first, int end) const {
  std::int64_t product = 1;
  for (int k = first; k < end; ++k) {
    const std::int64_t size = sizes_[k];
    if (size < 0) fail("internal", "the size of a tensor of shape " + text() + " is not known yet");
    if (__builtin_mul_overflow(product, size, &product) || product > std::numeric_limits<std::int64_t>::max() / 16)
      fail("resource", "a tensor of shape " + text() + " has more elements than can be addressed");
  }
  return product;
}

std::string Shape::text() const {
  if (is_absent()) return "(absent)";
  std::string out = "(";
  for (int k = 0; k < rank_; ++k) {
    if (k > 0) out += ", ";
    out += sizes_[k] == unknown_size ? std::string("NA") : std::to_string(sizes_[k]);
  }
  return out + ")";
}

int normalize_axis(std::int64_t axis, int rank, const char* op) {
  const std::int64_t positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank)
    fail("value", std::string(op) + ": axis " + std::to_string(axis < 0 ? axis : axis + 1) + " does not exist in a tensor with " +
                      std::to_string(rank) + " axes");
  return static_cast<int>(positive);
}

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  const int rank = a.rank() > b.rank() ? a.rank() : b.rank();
  Shape out;
  for (int k = 0; k < rank; ++k) {
    const int ka = k - (rank - a.rank()), kb = k - (rank - b.rank());
    const std::int64_t na = ka < 0 ? 1 : a[ka], nb = kb < 0 ? 1 : b[kb];
    if (na == nb || nb == 1) {
      out.push(na);
    } else if (na == 1) {
      out.push(nb);
    } else if (na == unknown_size) {
      out.push(nb);
    } else if (nb == unknown_size) {
      out.push(na);
    } else {
      fail("shape", std::string(op) + ": shapes " + a.text() + " and " + b.text() + " do not fit each other");
    }
  }
  return out;
}

std::vector<std::int64_t> broadcast_strides(const Shape& shape, const Shape& target) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(target.rank()), 0);
  std::int64_t step = 1;
  for (int k = shape.rank() - 1; k >= 0; --k) {
    const int position = k + target.rank() - shape.rank();
    strides[static_cast<std::size_t>(position)] = shape[k] == 1 ? 0 : step;
    step *= shape[k];
  }
  return strides;
}

}  // namespace birnn
