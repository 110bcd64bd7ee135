// The table of instruction sets and the choice among them (level L1).
#include "kernel_isa.h"

#include "error.h"

namespace birnn {
namespace {

using Tiers = std::vector<Tier>;

#define BIRNN_TIER(isa)                                                                                              \
  {                                                                                                                  \
#isa, &recurrent_float_kernels.isa, &recurrent_double_kernels.isa, &element_kernels_##isa, &array_kernels_##isa, \
        &gemm_kernels_##isa, &update_kernels_##isa, &random_kernels_##isa                                            \
  }

Tiers tiers_of_processor() {
  Tiers tiers = {BIRNN_TIER(base)};
#if defined(BIRNN_X86_KERNELS)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return tiers;
  tiers.push_back(BIRNN_TIER(avx2));
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq"))
    tiers.push_back(BIRNN_TIER(avx512));
#endif
  return tiers;
}

const Tiers& all_tiers() {
  static const Tiers tiers = tiers_of_processor();
  return tiers;
}

std::size_t tiers_in_use() { return static_cast<std::size_t>(tier_in_use - all_tiers().data()) + 1; }

}  // namespace

const Tier* tier_in_use = &all_tiers().back();

std::vector<std::string> known_isas() {
  std::vector<std::string> names;
  for (const Tier& tier : all_tiers()) names.push_back(tier.name);
  return names;
}

std::string isa() { return tier().name; }

void set_isa(const std::string& name) {
  std::string known;
  for (const Tier& one : all_tiers()) {
    if (name == one.name) {
      tier_in_use = &one;
      return;
    }
    known += (known.empty() ? "" : ", ") + std::string(one.name);
  }
  fail("value", "this processor has no instruction set '" + name + "'; it has: " + known);
}

template <typename T>
const RecurrentKernels<T>& recurrent_kernels(std::int64_t units) {
  const Tier* const tiers = all_tiers().data();
  const std::size_t count = tiers_in_use();
  const RecurrentKernels<T>* best = nullptr;
  std::int64_t fewest = units + 1;
  for (std::size_t k = 0; k < count && fewest > 1; ++k) {
    const RecurrentKernels<T>& kernels = tiers[k].recurrent(T());
    const std::int64_t vectors = (units + kernels.lanes - 1) / kernels.lanes;
    if (vectors >= fewest) continue;
    best = &kernels;
    fewest = vectors;
  }
  return *best;
}
template const RecurrentKernels<float>& recurrent_kernels(std::int64_t);
template const RecurrentKernels<double>& recurrent_kernels(std::int64_t);

}  // namespace birnn
