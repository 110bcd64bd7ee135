// Which instruction set the kernels use (level L1): the best that this processor has, or a lower one by request.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernel_elements.h"
#include "kernel_recurrent.h"

namespace birnn {

// "base", and "avx2" and "avx512" where the processor and the system have them; the last is the best.
std::vector<std::string> known_isas();
// The highest that may be used. Not to be changed between a forward pass and its backward pass.
std::string isa();
void set_isa(const std::string& name);

// The kernels for a layer: those with which its units fill the fewest vectors, then the narrowest of these.
template <typename T>
const RecurrentKernels<T>& recurrent_kernels(std::int64_t units);

// The elementwise kernels of the highest instruction set that may be used: for float and double.
template <typename T>
const ElementKernels<T>& element_kernels();
template <>
const ElementKernels<float>& element_kernels<float>();
template <>
const ElementKernels<double>& element_kernels<double>();

}  // namespace birnn
