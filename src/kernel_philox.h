// Philox4x32-10 on vectors of counters (level L1). Included like kernel_simd.h. Constants and rounds: random.h.

#include "kernel_wide.h"

// Each 32-bit word of a block lies in the lower half of a 64-bit lane; what stands above it does not count.
constexpr long blocks_at_once = width<double>;

// The product of the lower halves, all 64 bits.
BIRNN_INLINE LongWordVec multiply_words(LongWordVec a, unsigned long long factor) {
  const LongWordVec b = LongWordVec{} + factor;
#if defined(__x86_64__) && BIRNN_LANES == 4
  return reinterpret_cast<LongWordVec>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#elif defined(__x86_64__) && BIRNN_LANES == 8
  return reinterpret_cast<LongWordVec>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__)
  return reinterpret_cast<LongWordVec>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#else
  return (a & 0xffffffffull) * b;
#endif
}

// The four words of each block; what stands above them does not count.
struct Blocks {
  LongWordVec w0, w1, w2, w3;
};
BIRNN_INLINE Blocks blocks_of(unsigned long long key, LongWordVec counter) {
  LongWordVec w0 = counter, w1 = counter >> 32, w2 = {}, w3 = {};
  unsigned key0 = static_cast<unsigned>(key), key1 = static_cast<unsigned>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const LongWordVec product0 = multiply_words(w0, 0xD2511F53u), product1 = multiply_words(w2, 0xCD9E8D57u);
    w0 = (product1 >> 32) ^ w1 ^ (LongWordVec{} + key0);
    w1 = product1;
    w2 = (product0 >> 32) ^ w3 ^ (LongWordVec{} + key1);
    w3 = product0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return {w0, w1, w2, w3};
}

BIRNN_INLINE void some_blocks(unsigned long long key, LongWordVec counter, unsigned* words) {
  const Blocks blocks = blocks_of(key, counter);
  unsigned long long low[blocks_at_once], high[blocks_at_once];
  const LongWordVec w0 = (blocks.w0 & 0xffffffffull) | (blocks.w1 << 32);
  const LongWordVec w2 = (blocks.w2 & 0xffffffffull) | (blocks.w3 << 32);
  __builtin_memcpy(low, &w0, sizeof low);
  __builtin_memcpy(high, &w2, sizeof high);
  for (long i = 0; i < blocks_at_once; ++i) {
    __builtin_memcpy(words + 4 * i, low + i, 8);
    __builtin_memcpy(words + 4 * i + 2, high + i, 8);
  }
}

void random_words(std::uint64_t key, std::uint64_t first, long blocks, std::uint32_t* words) {
  LongWordVec lane;
  for (long i = 0; i < blocks_at_once; ++i) lane[i] = static_cast<unsigned long long>(i);
  long block = 0;
  for (; block + blocks_at_once <= blocks; block += blocks_at_once)
    some_blocks(key, lane + (first + static_cast<unsigned long long>(block)), words + 4 * block);
  if (block == blocks) return;
  unsigned last[4 * blocks_at_once];
  some_blocks(key, lane + (first + static_cast<unsigned long long>(block)), last);
  for (long i = 0; i < 4 * (blocks - block); ++i) words[4 * block + i] = last[i];
}

typedef unsigned LooseWordVec __attribute__((vector_size(BIRNN_LANES * 4), aligned(4), may_alias));
BIRNN_INLINE IntVec upper_24(const std::uint32_t* words) {
  return reinterpret_cast<IntVec>(static_cast<WordVec>(*reinterpret_cast<const LooseWordVec*>(words)) >> 8);
}

void dropout_mask(long n, const std::uint32_t* words, std::int32_t threshold, float kept, float* y) {
  const long whole = n / lanes * lanes;
  const IntVec limit = IntVec{} + threshold;
  for (long e = 0; e < whole; e += lanes) store(y + e, upper_24(words + e) >= limit ? all(kept) : Vec{});
  for (long e = whole; e < n; ++e) y[e] = static_cast<std::int32_t>(words[e] >> 8) >= threshold ? kept : 0.0f;
}
