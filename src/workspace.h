// Cuts one block of memory given from outside into aligned pieces (level L0).
// Run over a null block it only counts: sizes and pointers come from the same lines of code.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "arena.h"
#include "error.h"

namespace birnn {

using int64 = std::int64_t;

// A product of sizes; an error where it leaves 64 bits.
inline int64 checked_product(std::initializer_list<int64> sizes) {
  int64 product = 1;
  for (const int64 size : sizes) {
    if (__builtin_mul_overflow(product, size, &product)) fail("resource", "a work space is too large for 64 bits");
  }
  return product;
}

class Workspace {
 public:
  explicit Workspace(void* block) : block_(static_cast<char*>(block)) {}

  template <typename T>
  T* take(std::initializer_list<int64> sizes) {
    T* const piece = block_ == nullptr ? nullptr : reinterpret_cast<T*>(block_ + used_);
    used_ += aligned_size(static_cast<std::size_t>(checked_product(sizes)) * sizeof(T));
    return piece;
  }
  std::size_t used() const { return used_; }

 private:
  char* block_;
  std::size_t used_ = 0;
};

}  // namespace birnn
