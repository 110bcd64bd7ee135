// Which instruction set the kernels use (level L1): the best that this processor has, or a lower one by request.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernel_arrays.h"
#include "kernel_elements.h"
#include "kernel_gemm.h"
#include "kernel_random.h"
#include "kernel_recurrent.h"
#include "kernel_update.h"

namespace birnn {

// "base", and "avx2" and "avx512" where the processor and the system have them; the last is the best.
std::vector<std::string> known_isas();
// The highest that may be used. Not to be changed between a forward pass and its backward pass.
std::string isa();
void set_isa(const std::string& name);

// The kernels for a layer: those with which its units fill the fewest vectors, then the narrowest of these.
template <typename T>
const RecurrentKernels<T>& recurrent_kernels(std::int64_t units);

// All kernels of an instruction set.
struct Tier {
  const char* name;
  const RecurrentKernels<float>* floats;
  const RecurrentKernels<double>* doubles;
  const ElementTable* elements;
  const ArrayTable* arrays;
  const GemmTable* gemm;
  const UpdateTable* updates;
  const RandomKernels* random;

  const RecurrentKernels<float>& recurrent(float) const { return *floats; }
  const RecurrentKernels<double>& recurrent(double) const { return *doubles; }
};
// Those of the highest that may be used.
extern const Tier* tier_in_use;
inline const Tier& tier() { return *tier_in_use; }

}  // namespace birnn
