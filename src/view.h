// What a block of numbers is: type, shape, pointer. Plain C++, no R, no Armadillo (level L0).
// Tensors are row-major (C order) and contiguous; a shape knows 64-bit sizes, and -1 for a size not known yet.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "error.h"

namespace birnn {

enum class DType : int { float32 = 0, float64 = 1, int32 = 2, boolean = 3 };

inline std::size_t item_size(DType type) {
  switch (type) {
    case DType::float32: return 4;
    case DType::float64: return 8;
    case DType::int32: return 4;
    case DType::boolean: return 1;
  }
  return 0;
}

inline bool is_floating(DType type) { return type == DType::float32 || type == DType::float64; }

const char* dtype_name(DType type);
DType dtype_from_name(const std::string& name);

constexpr int max_rank = 8;
constexpr std::int64_t unknown_size = -1;

// The sizes of the axes. A rank of -1 stands for "no tensor here" (an optional input that was not given).
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) {
    for (std::int64_t size : sizes) push(size);
  }
  void push(std::int64_t size) {
    if (rank_ == max_rank) fail("shape", "tensors have at most 8 axes");
    sizes_[rank_++] = size;
  }
  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return sizes_[axis]; }
  std::int64_t& operator[](int axis) { return sizes_[axis]; }
  std::int64_t last() const { return rank_ > 0 ? sizes_[rank_ - 1] : 1; }
  bool known() const {
    for (int k = 0; k < rank_; ++k)
      if (sizes_[k] == unknown_size) return false;
    return true;
  }
  std::int64_t count(int first, int end) const;  // product of the sizes of axes first..end-1, checked for overflow
  std::int64_t count() const { return count(0, rank_); }
  bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (int k = 0; k < rank_; ++k)
      if (sizes_[k] != other.sizes_[k]) return false;
    return true;
  }
  bool operator!=(const Shape& other) const { return !(*this == other); }
  std::string text() const;  // "(32, ?, 8)"
  static Shape absent() {
    Shape shape;
    shape.rank_ = -1;
    return shape;
  }
  bool is_absent() const { return rank_ < 0; }

 private:
  int rank_ = 0;
  std::int64_t sizes_[max_rank] = {0, 0, 0, 0, 0, 0, 0, 0};
};

// Type and shape: all that shape inference needs.
struct Meta {
  DType dtype = DType::float32;
  Shape shape;
  bool absent() const { return shape.is_absent(); }
  static Meta none() { return Meta{DType::float32, Shape::absent()}; }
  std::size_t bytes() const { return absent() ? 0 : static_cast<std::size_t>(shape.count()) * item_size(dtype); }
};

// Numbers owned by somebody else. R's memory is only 8-byte aligned: never assume more of `data`.
struct View {
  void* data = nullptr;
  Meta meta = Meta::none();
  bool absent() const { return data == nullptr; }
  const Shape& shape() const { return meta.shape; }
  DType dtype() const { return meta.dtype; }
  std::int64_t count() const { return meta.shape.count(); }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

}  // namespace birnn
