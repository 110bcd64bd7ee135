// The table of instruction sets and the choice among them (level L1).
#include "kernel_isa.h"

#include "error.h"

namespace birnn {
namespace {

using Tiers = std::vector<const RecurrentKernels*>;

Tiers tiers_of_processor() {
  Tiers tiers = {&recurrent_kernels_base};
#if defined(BIRNN_X86_KERNELS)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return tiers;
  tiers.push_back(&recurrent_kernels_avx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq"))
    tiers.push_back(&recurrent_kernels_avx512);
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

}  // namespace

std::vector<std::string> known_isas() {
  std::vector<std::string> names;
  for (const RecurrentKernels* tier : all_tiers()) names.push_back(tier->isa);
  return names;
}

std::string isa() { return all_tiers()[tiers_in_use() - 1]->isa; }

void set_isa(const std::string& name) {
  std::string known;
  for (std::size_t k = 0; k < all_tiers().size(); ++k) {
    if (name == all_tiers()[k]->isa) {
      tiers_in_use() = k + 1;
      return;
    }
    known += (k > 0 ? ", " : "") + std::string(all_tiers()[k]->isa);
  }
  fail("value", "this processor has no instruction set '" + name + "'; it has: " + known);
}

const RecurrentKernels& recurrent_kernels(std::int64_t units) {
  const auto vectors = [&](const RecurrentKernels* tier) { return (units + tier->lanes - 1) / tier->lanes; };
  const RecurrentKernels* best = all_tiers()[0];
  for (std::size_t k = 1; k < tiers_in_use(); ++k)
    if (vectors(all_tiers()[k]) < vectors(best)) best = all_tiers()[k];
  return *best;
}

}  // namespace birnn
