// DEFLATE: blocks of literals and references backwards, in canonical Huffman codes (level L1).
#include "format_inflate.h"

#include <algorithm>
#include <cstring>

namespace birnn {

namespace {

constexpr int longest_code = 15;
constexpr int n_literals = 288, n_distances = 32;

// Bits of a stream, lowest first.
class Bits {
 public:
  explicit Bits(const ByteSpan& data) : data_(data) {}
  unsigned take(int count) {
    while (held_ < count) load();
    const unsigned value = static_cast<unsigned>(buffer_ & ((uint64_t{1} << count) - 1));
    drop(count);
    return value;
  }
  // The next bits without taking them; beyond the end of the data there are zeros.
  unsigned peek(int count) {
    while (held_ < count && next_ < data_.size()) load();
    return static_cast<unsigned>(buffer_ & ((uint64_t{1} << count) - 1));
  }
  void drop(int count) {
    if (count > held_) fail_end();
    buffer_ >>= count;
    held_ -= count;
  }
  // Goes on at the next whole byte and gives back what was read too far.
  uint64_t to_byte() {
    next_ -= static_cast<uint64_t>(held_ / 8);
    buffer_ = 0;
    held_ = 0;
    return next_;
  }
  void skip(uint64_t bytes) { next_ += bytes; }
  [[noreturn]] void reject(const char* what) const { fail_at(data_.origin() + next_, what); }

 private:
  void load() {
    if (next_ >= data_.size()) fail_end();
    buffer_ |= static_cast<uint64_t>(data_.data()[next_++]) << held_;
    held_ += 8;
  }
  [[noreturn]] void fail_end() const { reject("compressed data end too early"); }

  const ByteSpan& data_;
  uint64_t buffer_ = 0, next_ = 0;
  int held_ = 0;
};

// A canonical Huffman code: symbols in the order of their words, and how many words of each length there are. Unused
// words are an error, unless there is one symbol only.
class Code {
 public:
  Code(const uint8_t* lengths, int n, const Bits& bits) {
    for (int k = 0; k < n; ++k) ++count_[lengths[k]];
    const int used = n - count_[0];
    count_[0] = 0;
    int room = 1;
    for (int length = 1; length <= longest_code; ++length) {
      room = 2 * room - count_[length];
      if (room < 0) bits.reject("compressed data have an impossible code");
    }
    if (room > 0 && used > 1) bits.reject("compressed data have an incomplete code");
    int first[longest_code + 2] = {0};
    for (int length = 1; length <= longest_code; ++length) first[length + 1] = first[length] + count_[length];
    for (int k = 0; k < n; ++k)
      if (lengths[k] != 0) symbols_[first[lengths[k]]++] = static_cast<std::uint16_t>(k);
  }

  int next(Bits& bits) const {
    const unsigned ahead = bits.peek(longest_code);
    int word = 0, first = 0, index = 0;
    for (int length = 1; length <= longest_code; ++length) {
      word |= static_cast<int>(ahead >> (length - 1)) & 1;
      const int count = count_[length];
      if (word - first < count) {
        bits.drop(length);
        return symbols_[index + word - first];
      }
      index += count;
      first = (first + count) << 1;
      word <<= 1;
    }
    bits.reject("compressed data have an unknown code word");
  }

 private:
  int count_[longest_code + 1] = {0};
  std::uint16_t symbols_[n_literals] = {0};
};

// Lengths and distances: the smallest value of each symbol, and how many bits follow it.
struct Range {
  std::uint16_t base;
  uint8_t extra;
};
constexpr Range length_ranges[29] = {{3, 0},   {4, 0},   {5, 0},   {6, 0},   {7, 0},  {8, 0},  {9, 0},  {10, 0},
                                     {11, 1},  {13, 1},  {15, 1},  {17, 1},  {19, 2}, {23, 2}, {27, 2}, {31, 2},
                                     {35, 3},  {43, 3},  {51, 3},  {59, 3},  {67, 4}, {83, 4}, {99, 4}, {115, 4},
                                     {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0}};
constexpr Range distance_ranges[30] = {{1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},
                                       {9, 2},     {13, 2},    {17, 3},    {25, 3},     {33, 4},     {49, 4},
                                       {65, 5},    {97, 5},    {129, 6},   {193, 6},    {257, 7},    {385, 7},
                                       {513, 8},   {769, 8},   {1025, 9},  {1537, 9},   {2049, 10},  {3073, 10},
                                       {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13}};

struct Output {
  uint8_t* data;
  uint64_t size;
  uint64_t filled = 0;
};

void copy_stored(const ByteSpan& data, Bits& bits, Output& out) {
  const uint64_t at = bits.to_byte();
  const uint64_t length = data.number(at, 2, "a stored block");
  if ((length ^ 0xffff) != data.number(at + 2, 2, "a stored block")) bits.reject("a stored block has a damaged length");
  data.need(at + 4, length, "a stored block");
  if (length > out.size - out.filled) bits.reject("compressed data hold more than they should");
  if (length > 0) std::memcpy(out.data + out.filled, data.data() + at + 4, static_cast<std::size_t>(length));
  out.filled += length;
  bits.skip(4 + length);
}

void copy_back(Bits& bits, const Code& distances, unsigned symbol, Output& out) {
  if (symbol > 28) bits.reject("compressed data have an unknown length");
  const uint64_t length = length_ranges[symbol].base + bits.take(length_ranges[symbol].extra);
  const int of_distance = distances.next(bits);
  if (of_distance > 29) bits.reject("compressed data have an unknown distance");
  const uint64_t distance = distance_ranges[of_distance].base + bits.take(distance_ranges[of_distance].extra);
  if (distance > out.filled) bits.reject("compressed data refer to what is before their start");
  if (length > out.size - out.filled) bits.reject("compressed data hold more than they should");
  uint8_t* const to = out.data + out.filled;
  for (uint64_t k = 0; k < length; ++k) to[k] = *(to + k - distance);
  out.filled += length;
}

void decode_block(Bits& bits, const Code& literals, const Code& distances, Output& out) {
  for (;;) {
    const int symbol = literals.next(bits);
    if (symbol == 256) return;
    if (symbol > 256) {
      copy_back(bits, distances, static_cast<unsigned>(symbol - 257), out);
      continue;
    }
    if (out.filled == out.size) bits.reject("compressed data hold more than they should");
    out.data[out.filled++] = static_cast<uint8_t>(symbol);
  }
}

void decode_fixed(Bits& bits, Output& out) {
  uint8_t lengths[n_literals + n_distances];
  std::fill(lengths, lengths + 144, uint8_t{8});
  std::fill(lengths + 144, lengths + 256, uint8_t{9});
  std::fill(lengths + 256, lengths + 280, uint8_t{7});
  std::fill(lengths + 280, lengths + 288, uint8_t{8});
  std::fill(lengths + 288, lengths + 320, uint8_t{5});
  decode_block(bits, Code(lengths, n_literals, bits), Code(lengths + n_literals, n_distances, bits), out);
}

// A block that starts with its own code lengths, which are coded themselves.
void decode_dynamic(Bits& bits, Output& out) {
  static constexpr uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  const int literals = static_cast<int>(bits.take(5)) + 257, distances = static_cast<int>(bits.take(5)) + 1;
  const int words = static_cast<int>(bits.take(4)) + 4;
  if (literals > 286 || distances > 30) bits.reject("compressed data have too many code words");
  uint8_t lengths[n_literals + n_distances] = {0};
  uint8_t of_lengths[19] = {0};
  for (int k = 0; k < words; ++k) of_lengths[order[k]] = static_cast<uint8_t>(bits.take(3));
  const Code code(of_lengths, 19, bits);
  for (int filled = 0; filled < literals + distances;) {
    const int symbol = code.next(bits);
    if (symbol < 16) {
      lengths[filled++] = static_cast<uint8_t>(symbol);
      continue;
    }
    if (symbol == 16 && filled == 0) bits.reject("compressed data repeat a length that is not there");
    const uint8_t value = symbol == 16 ? lengths[filled - 1] : uint8_t{0};
    const unsigned times = symbol == 16 ? 3 + bits.take(2) : symbol == 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (filled + static_cast<int>(times) > literals + distances) bits.reject("compressed data have too many lengths");
    std::fill(lengths + filled, lengths + filled + times, value);
    filled += static_cast<int>(times);
  }
  if (lengths[256] == 0) bits.reject("compressed data have no end");
  decode_block(bits, Code(lengths, literals, bits), Code(lengths + literals, distances, bits), out);
}

uint64_t inflate_into(const ByteSpan& data, Output& out) {
  Bits bits(data);
  for (bool last = false; !last;) {
    last = bits.take(1) == 1;
    switch (bits.take(2)) {
      case 0:
        copy_stored(data, bits, out);
        break;
      case 1:
        decode_fixed(bits, out);
        break;
      case 2:
        decode_dynamic(bits, out);
        break;
      default:
        bits.reject("compressed data have an unknown kind of block");
    }
  }
  return bits.to_byte();
}

std::uint32_t adler32(const uint8_t* data, uint64_t size) {
  std::uint32_t a = 1, b = 0;
  for (uint64_t k = 0; k < size; ++k) {
    a = (a + data[k]) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

}  // namespace

uint64_t inflate(const ByteSpan& data, uint8_t* out, uint64_t size) {
  Output output{out, size};
  const uint64_t read = inflate_into(data, output);
  if (output.filled != size) fail_at(data.origin(), "compressed data hold less than they should");
  return read;
}

uint64_t inflate_zlib(const ByteSpan& data, uint8_t* out, uint64_t size) {
  const uint64_t method = data.number(0, 1, "compressed data"), flags = data.number(1, 1, "compressed data");
  const bool valid = (method & 15) == 8 && (method >> 4) <= 7 && (method << 8 | flags) % 31 == 0 && (flags & 32) == 0;
  if (!valid) fail_at(data.origin(), "compressed data do not start as such");
  Output output{out, size};
  const uint64_t end = 2 + inflate_into(data.part(2, data.size() - 2, "compressed data"), output);
  std::uint32_t checksum = 0;
  for (unsigned k = 0; k < 4; ++k)
    checksum = checksum << 8 | static_cast<std::uint32_t>(data.number(end + k, 1, "the checksum of compressed data"));
  if (checksum != adler32(out, output.filled)) fail_at(data.origin(), "compressed data have a wrong checksum");
  return output.filled;
}

}  // namespace birnn
