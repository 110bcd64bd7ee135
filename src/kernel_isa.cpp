// The table of instruction sets and the choice among them (level L1).
#include "kernel_isa.h"

#include "error.h"

namespace birnn {
namespace {

struct Tier {
  const RecurrentKernels* recurrent;
  const ElementTable* elements;
  const GemmTable* gemm;
  const char* name() const { return recurrent->isa; }
};
using Tiers = std::vector<Tier>;

Tiers tiers_of_processor() {
  Tiers tiers = {{&recurrent_kernels_base, &element_kernels_base, &gemm_kernels_base}};
#if defined(BIRNN_X86_KERNELS)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return tiers;
  tiers.push_back({&recurrent_kernels_avx2, &element_kernels_avx2, &gemm_kernels_avx2});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq"))
    tiers.push_back({&recurrent_kernels_avx512, &element_kernels_avx512, &gemm_kernels_avx512});
#endif
  return tiers;
}

const Tiers& all_tiers() {
  static const Tiers tiers = tiers_of_processor();
  return tiers;
}

std::size_t& tiers_in_use() {
  static std::size_t count = all_tiers().size();
  return count;
}

const Tier& best_tier() { return all_tiers()[tiers_in_use() - 1]; }

}  // namespace

std::vector<std::string> known_isas() {
  std::vector<std::string> names;
  for (const Tier& tier : all_tiers()) names.push_back(tier.name());
  return names;
}

std::string isa() { return best_tier().name(); }

void set_isa(const std::string& name) {
  std::string known;
  for (std::size_t k = 0; k < all_tiers().size(); ++k) {
    if (name == all_tiers()[k].name()) {
      tiers_in_use() = k + 1;
      return;
    }
    known += (k > 0 ? ", " : "") + std::string(all_tiers()[k].name());
  }
  fail("value", "this processor has no instruction set '" + name + "'; it has: " + known);
}

const RecurrentKernels& recurrent_kernels(std::int64_t units) {
  const auto vectors = [&](const RecurrentKernels* tier) { return (units + tier->lanes - 1) / tier->lanes; };
  const RecurrentKernels* best = all_tiers()[0].recurrent;
  for (std::size_t k = 1; k < tiers_in_use(); ++k)
    if (vectors(all_tiers()[k].recurrent) < vectors(best)) best = all_tiers()[k].recurrent;
  return *best;
}

template <>
const ElementKernels<float>& element_kernels<float>() {
  return best_tier().elements->floats;
}
template <>
const ElementKernels<double>& element_kernels<double>() {
  return best_tier().elements->doubles;
}

template <>
GemmKernel<float> gemm_kernel<float>() {
  return best_tier().gemm->floats;
}
template <>
GemmKernel<double> gemm_kernel<double>() {
  return best_tier().gemm->doubles;
}

}  // namespace birnn
