// The SHA-256 checksum: blocks of 64 bytes, 64 rounds each; names as in FIPS 180-4 (level L1).
#include "format_sha256.h"

#include <array>

namespace birnn {

namespace {

using Word = std::uint32_t;

Word rotated(Word x, unsigned n) { return x >> n | x << (32 - n); }

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of 8.
constexpr std::array<Word, 64> round_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
constexpr std::array<Word, 8> start{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void add_block(const uint8_t* block, std::array<Word, 8>& hash) {
  std::array<Word, 64> w{};
  for (std::size_t t = 0; t < 16; ++t)
    for (std::size_t k = 0; k < 4; ++k) w[t] = w[t] << 8 | block[4 * t + k];
  for (std::size_t t = 16; t < 64; ++t) {
    const Word s0 = rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ w[t - 15] >> 3;
    const Word s1 = rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  std::array<Word, 8> v = hash;  // a to h
  for (std::size_t t = 0; t < 64; ++t) {
    const Word big1 = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25);
    const Word choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    const Word t1 = v[7] + big1 + choice + round_constants[t] + w[t];
    const Word big0 = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22);
    const Word majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    v = {t1 + big0 + majority, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]};
  }
  for (std::size_t k = 0; k < 8; ++k) hash[k] += v[k];
}

}  // namespace

std::string sha256(const ByteSpan& bytes) {
  std::array<Word, 8> hash = start;
  const uint64_t whole = bytes.size() / 64 * 64;
  for (uint64_t at = 0; at < whole; at += 64) add_block(bytes.data() + at, hash);
  // The rest, a bit 1, zeros, and the number of bits.
  std::vector<uint8_t> tail(bytes.data() + whole, bytes.data() + bytes.size());
  tail.push_back(0x80);
  while (tail.size() % 64 != 56) tail.push_back(0);
  for (unsigned k = 8; k-- > 0;) tail.push_back(static_cast<uint8_t>((bytes.size() * 8) >> (8 * k)));
  for (std::size_t at = 0; at < tail.size(); at += 64) add_block(tail.data() + at, hash);
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (const Word word : hash)
    for (unsigned k = 8; k-- > 0;) text += digits[(word >> (4 * k)) & 15];
  return text;
}

}  // namespace birnn
