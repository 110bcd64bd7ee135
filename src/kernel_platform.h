// What all tables of kernels share: where there are instruction sets beyond the base, and tables by type (level L1).
#pragma once

// Not on Windows: its stack does not hold wide vectors aligned (gcc bug 54412).
#if defined(__x86_64__) && !defined(_WIN32)
#define BIRNN_X86_KERNELS 1
#endif

namespace birnn {

// The kernels of one instruction set, for float and for double.
template <template <typename> class Kernels>
struct ByType {
  Kernels<float> floats;
  Kernels<double> doubles;
  template <typename T>
  const Kernels<T>& of() const {
    if constexpr (sizeof(T) == sizeof(float))
      return floats;
    else
      return doubles;
  }
};

}  // namespace birnn
