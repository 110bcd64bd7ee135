// Counter-based random numbers, Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405) (level L1).
// A draw is a pure function of (key, element): no state, any order, any number of threads.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace birnn {

using PhiloxBlock = std::array<std::uint32_t, 4>;

// 128 random bits for a 128-bit counter (low and high half) under a 64-bit key.
inline PhiloxBlock philox(std::uint64_t key, std::uint64_t counter, std::uint64_t counter_high = 0) {
  PhiloxBlock block = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                       static_cast<std::uint32_t>(counter_high), static_cast<std::uint32_t>(counter_high >> 32)};
  std::uint32_t key0 = static_cast<std::uint32_t>(key), key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * block[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * block[2];
    block = {static_cast<std::uint32_t>(product1 >> 32) ^ block[1] ^ key0, static_cast<std::uint32_t>(product1),
             static_cast<std::uint32_t>(product0 >> 32) ^ block[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return block;
}

// The key of draw number `draw` of a generator with `seed`.
inline std::uint64_t random_key(std::int32_t seed, std::int32_t draw) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(seed)) |
         static_cast<std::uint64_t>(static_cast<std::uint32_t>(draw)) << 32;
}

// [0, 1) with all the bits of the type: 24 or 53.
inline float uniform_float(std::uint32_t bits) {
  return static_cast<float>(static_cast<std::int32_t>(bits >> 8)) * (1.0f / 16777216.0f);
}
inline double uniform_double(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 11;
  return static_cast<double>(bits) * (1.0 / 9007199254740992.0);
}

// Element `element` of a stream of uniform numbers in [0, 1). A block of Philox serves four floats or two doubles.
template <typename T>
T uniform01(std::uint64_t key, std::uint64_t element) {
  if constexpr (std::is_same<T, float>::value) {
    return uniform_float(philox(key, element / 4)[element % 4]);
  } else {
    const PhiloxBlock block = philox(key, element / 2);
    return element % 2 == 0 ? uniform_double(block[0], block[1]) : uniform_double(block[2], block[3]);
  }
}

template <typename T>
struct NormalPair {
  T first, second;
};

// Two independent standard normal numbers (Box-Muller), computed in double for both types.
template <typename T>
NormalPair<T> normal_pair(std::uint64_t key, std::uint64_t pair) {
  const PhiloxBlock block = philox(key, pair);
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform_double(block[0], block[1])));
  const double angle = 6.283185307179586476925 * uniform_double(block[2], block[3]);
  return {static_cast<T>(radius * std::cos(angle)), static_cast<T>(radius * std::sin(angle))};
}

// Element `element` of a stream of standard normal numbers.
template <typename T>
T normal01(std::uint64_t key, std::uint64_t element) {
  const NormalPair<T> pair = normal_pair<T>(key, element / 2);
  return element % 2 == 0 ? pair.first : pair.second;
}

}  // namespace birnn
